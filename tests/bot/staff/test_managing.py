"""Disabling, resetting, listing; roles; and the audit log that keeps every row."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.accounts import AccountProblem, InvitationOver, LoginRefused
from bot.store.case_models import CLAIMED, CLOSED, WAITING, Case
from bot.store.models import Conversation
from bot.store.staff_models import StaffSession
from tests.bot.staff.conftest import EMAIL, NAME, PASSWORD, Office

OTHER = "paardenbloem onder de maan"


async def add_cases(office: Office, staff: int, *states: str) -> None:
    async def add(session: AsyncSession) -> None:
        for number, status in enumerate(states):
            chat, now = f"c{number}", office.clock.now
            session.add(
                Conversation(
                    id=chat, channel="web", address=chat, created_at=now, last_at=now, is_with_human=status == CLAIMED
                )
            )
            await session.flush()
            session.add(
                Case(
                    conversation_id=chat, reason="asked", lang="pl", channel="web", has_consent=True, desk="win-breda",
                    is_inside_hours=True, status=status, assigned_to=staff, opened_at=now, waiting_since=now,
                )
            )  # fmt: skip

    await office.store.run(add)


async def test_who_is_disabled_while_logged_in_is_out_at_once(office: Office) -> None:
    await office.hire()
    token = (await office.accounts.log_in(EMAIL, PASSWORD)).token
    await office.accounts.disable(EMAIL)
    assert await office.accounts.member_of(token) is None
    assert await office.store.read(lambda session: session.scalar(select(StaffSession))) is None
    with pytest.raises(LoginRefused):
        await office.accounts.log_in(EMAIL, PASSWORD)
    assert await office.accounts.colleagues("win-breda") == []


async def test_who_is_disabled_cannot_use_an_invitation(office: Office) -> None:
    token = await office.accounts.invite(EMAIL, NAME, "worker", [], [])
    await office.accounts.disable(EMAIL)
    with pytest.raises(InvitationOver):
        await office.accounts.accept_invitation(token, PASSWORD)


async def test_the_cases_of_who_is_disabled_go_back_to_the_queue(office: Office) -> None:
    member = await office.hire()
    await add_cases(office, member.id, CLAIMED, CLOSED)
    office.clock.pass_by(hours=1)
    await office.accounts.disable(EMAIL)
    claimed, closed = await office.store.read(lambda session: session.scalars(select(Case).order_by(Case.id)))
    assert (claimed.status, claimed.assigned_to, claimed.waiting_since) == (WAITING, None, office.clock.now)
    assert (closed.status, closed.assigned_to) == (CLOSED, member.id)
    chats = await office.store.read(lambda session: session.scalars(select(Conversation.is_with_human)))
    assert not any(chats)
    released = [(entry.act, entry.case_id) for entry in await office.audit() if entry.case_id]
    assert released == [("released", claimed.id)]


async def test_a_reset_takes_everything_away_and_gives_a_new_link(office: Office) -> None:
    await office.add_second_factor(await office.hire())
    token = (await office.accounts.log_in(EMAIL, PASSWORD)).token
    for _ in range(5):
        await office.accounts.confirm_second_factor(token, "000000")
    await office.accounts.disable(EMAIL)
    link = await office.accounts.reset(EMAIL)
    with pytest.raises(LoginRefused):  # neither locked nor let in
        await office.accounts.log_in(EMAIL, PASSWORD)
    await office.accounts.accept_invitation(link, OTHER)
    login = await office.accounts.log_in(EMAIL, OTHER)
    assert not login.needs_second_factor
    assert await office.accounts.member_of(login.token) is not None


async def test_a_reset_ends_sessions_and_older_links(office: Office) -> None:
    await office.hire()
    token = (await office.accounts.log_in(EMAIL, PASSWORD)).token
    old = await office.accounts.reset(EMAIL)
    new = await office.accounts.reset(EMAIL)
    assert await office.accounts.member_of(token) is None
    assert await office.accounts.read_invitation(old) is None
    assert await office.accounts.read_invitation(new) is not None


async def test_an_account_that_is_not_there_is_told(office: Office) -> None:
    for work in (office.accounts.disable, office.accounts.reset):
        with pytest.raises(AccountProblem, match="no account"):
            await work(EMAIL)


async def test_the_list_says_how_each_account_stands(office: Office) -> None:
    member = await office.hire(desks=("win-roosendaal", "win-breda"))
    await office.add_second_factor(member)
    await office.accounts.invite("new@example.nl", "Bob", "editor", [], [])
    await office.hire("zoe@example.nl", "Zoe")
    await office.accounts.disable("zoe@example.nl")
    lines = await office.accounts.list()
    assert [(line.name, line.state, line.is_totp_on) for line in lines] == [
        (NAME, "active", True),
        ("Bob", "invited", False),
        ("Zoe", "disabled", False),
    ]
    assert (lines[0].desks, lines[0].langs) == (("win-breda", "win-roosendaal"), ("pl", "nl"))


async def test_colleagues_are_those_of_the_desk_who_can_log_in(office: Office) -> None:
    await office.hire(desks=("win-breda", "win-roosendaal"))
    await office.hire("bob@example.nl", "Bob", desks=("win-tilburg",))
    await office.accounts.invite("new@example.nl", "New", "worker", ["win-breda"], [])
    (colleague,) = await office.accounts.colleagues("win-breda")
    assert (colleague.name, colleague.desks) == (NAME, frozenset({"win-breda", "win-roosendaal"}))


@pytest.mark.parametrize(
    ("role", "rights"),
    [("worker", "10000"), ("supervisor", "10100"), ("editor", "00010"), ("admin", "11111")],
)
async def test_each_role_may_do_what_it_is_for(office: Office, role: str, rights: str) -> None:
    member = await office.hire(role=role)
    has = (
        member.may_see_cases, member.sees_all_desks, member.may_supervise, member.may_edit_content,
        member.may_manage_staff,
    )  # fmt: skip
    assert "".join(str(int(right)) for right in has) == rights


async def test_the_audit_log_names_who_managed_and_nobody_by_name_or_address(office: Office) -> None:
    admin = await office.hire("boss@example.nl", "The Boss", "admin")
    await office.accounts.invite(EMAIL, NAME, "worker", ["win-breda"], ["pl"], by=admin.id)
    await office.accounts.disable(EMAIL, by=admin.id)
    with pytest.raises(LoginRefused):
        await office.accounts.log_in("somebody@example.nl", PASSWORD)
    entries = await office.audit()
    assert [(entry.act, entry.details) for entry in entries[-3:]] == [
        ("invited", {"role": "worker", "by": admin.id}),
        ("disabled", {"by": admin.id}),
        ("login_failed", {"reason": "unknown"}),
    ]
    everything = json.dumps([entry.details for entry in entries])
    assert not any(secret in everything for secret in ("@", "Anna", "Boss", PASSWORD))


@pytest.mark.parametrize("statement", ["UPDATE audit SET act = 'nothing'", "DELETE FROM audit"])
async def test_the_database_keeps_every_row_of_the_audit_log(office: Office, statement: str) -> None:
    await office.hire()
    before = await office.acts()
    with pytest.raises(DBAPIError, match="only ever added to"):
        await office.store.run(lambda session: session.execute(text(statement)))
    assert await office.acts() == before


async def test_an_act_that_fails_leaves_no_line_in_the_audit_log(office: Office) -> None:
    await office.hire()
    before = await office.acts()
    with pytest.raises(AccountProblem):
        await office.accounts.invite(EMAIL, NAME, "worker", [], [])
    assert await office.acts() == before
