"""A case from the request to the end: who may take it, what the person is told, and that the bot is silent."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.app import Bot
from bot.cases.deadlines import Deadlines, Patience
from bot.cases.work import CaseNotFound, CaseProblem
from bot.console.views import read_entries
from bot.store.case_models import CLAIMED, CLOSED, WAITING, Case
from bot.store.models import Outbox
from bot.store.staff_models import AuditEntry
from knowledge.replies import Reply
from tests.bot.cases.conftest import OPEN, AddWorker, Person, conversation_of_case, read_case
from tests.bot.fakes import FakeRasa, KeepingChannel

HELLO = Reply(kind="handoff", lang="ro", text="Bună, sunt Ioana.")


async def kinds(bot: Bot, case: int) -> list[str]:
    return [reply["kind"] for reply in await bot.store.read(lambda session: _replies(session, case))]


async def _replies(session, case):  # type: ignore[no-untyped-def]
    return (await session.scalars(select(Outbox.reply).where(Outbox.case_id == case).order_by(Outbox.id))).all()


async def test_twenty_workers_claim_the_same_case_at_once_and_exactly_one_gets_it(
    bot: Bot, person: Person, add_worker: AddWorker
) -> None:
    case = await person.asks_for_a_person()
    workers = [await add_worker(f"Worker{number}") for number in range(20)]
    results = await asyncio.gather(*(bot.cases.claim(case, worker) for worker in workers), return_exceptions=True)
    assert [result for result in results if result is None] == [None]
    assert {type(result) for result in results if result is not None} == {CaseProblem}
    winner = workers[results.index(None)]
    assert (await read_case(bot, case)).assigned_to == winner.id
    assert len(await kinds(bot, case)) == 1  # one welcome, not twenty


async def test_a_claimed_conversation_goes_to_the_worker_and_the_bot_says_nothing(
    bot: Bot, person: Person, add_worker: AddWorker, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    case, ioana = await person.asks_for_a_person(), await add_worker()
    await channel.wait_for(2)
    await bot.cases.claim(case, ioana)
    await channel.wait_for(3)
    asked, told = len(rasa.received), len(channel.delivered)
    for content in ("am o întrebare despre factură", "ok"):
        await person.says(content)
    await person.taps("article:bsn")  # an old button
    await person.taps(f"thumb:up:{channel.delivered[0].id}")
    await asyncio.sleep(0.2)
    assert (len(rasa.received), len(channel.delivered)) == (asked, told)
    view = await bot.store.read(lambda session: _entries(session, case))
    assert [entry.text for entry in view if entry.side == "person"][-3:] == ["ok", "article:bsn", "👍"]
    await bot.cases.reply(case, ioana, HELLO)
    await channel.wait_for_text("Bună, sunt Ioana.")
    assert channel.delivered[-1].reply.author == "Ioana, WIN-punt West-Brabant, Roosendaal"


async def _entries(session, case):  # type: ignore[no-untyped-def]
    return await read_entries(session, await session.get(Case, case))


async def test_a_red_flag_is_answered_even_while_a_person_has_the_conversation(
    bot: Bot, person: Person, add_worker: AddWorker, channel: KeepingChannel
) -> None:
    case, ioana = await person.asks_for_a_person(), await add_worker()
    await bot.cases.claim(case, ioana)
    await person.says("soțul meu are durere puternică în piept și nu poate respira")
    async with asyncio.timeout(5):
        while not any(message.reply.kind == "emergency" for message in channel.delivered):
            await asyncio.sleep(0.02)
    found = await read_case(bot, case)
    assert (found.is_urgent, found.status) == (True, CLAIMED)


async def test_a_red_flag_alone_opens_an_urgent_case_that_shares_nothing(
    bot: Bot, person: Person, channel: KeepingChannel
) -> None:
    await person.says("soțul meu are durere puternică în piept și nu poate respira")
    await channel.wait_for(1)
    (case,) = await bot.store.read(lambda session: _cases(session))
    assert (case.reason, case.topic, case.is_urgent, case.has_consent) == ("red_flag", "medical", True, False)
    assert await bot.store.read(lambda session: _entries(session, case.id)) == []


async def _cases(session):  # type: ignore[no-untyped-def]
    return (await session.scalars(select(Case).order_by(Case.id))).all()


async def test_an_answer_of_rasa_that_comes_after_the_claim_is_dropped(
    bot: Bot, person: Person, add_worker: AddWorker, channel: KeepingChannel, rasa: FakeRasa
) -> None:
    case, ioana = await person.asks_for_a_person(), await add_worker()
    await channel.wait_for(2)
    rasa.delay_seconds = 0.3
    await person.says("cât costă o vizită la dentist?")
    await bot.cases.claim(case, ioana)
    await asyncio.sleep(0.6)
    assert not any("dentist" in text for text in channel.texts)


@pytest.mark.parametrize("words", ["bot", "Bot.", "бот"])
async def test_the_person_can_go_back_to_the_bot_with_a_word_and_is_asked_whether_it_helped(
    bot: Bot, person: Person, add_worker: AddWorker, channel: KeepingChannel, rasa: FakeRasa, words: str
) -> None:
    case, ioana = await person.asks_for_a_person(), await add_worker()
    await bot.cases.claim(case, ioana)
    await person.says(words)
    found = await read_case(bot, case)
    assert (found.status, found.close_reason) == (CLOSED, "back_to_bot")
    assert not (await conversation_of_case(bot, case)).is_with_human
    await person.says("What is a BSN number in this country?")
    await channel.wait_for_text("echo: What is a BSN number in this country?")


@pytest.mark.parametrize(("answer", "outcome"), [("Da", "yes"), ("nu", "no"), ("helped:partly:{case}", "partly")])
async def test_after_the_end_one_question_is_asked_and_its_answer_kept(
    bot: Bot, person: Person, add_worker: AddWorker, channel: KeepingChannel, answer: str, outcome: str
) -> None:
    case, ioana = await person.asks_for_a_person(), await add_worker()
    await bot.cases.claim(case, ioana)
    await bot.cases.close(case, ioana, "solved")
    async with asyncio.timeout(5):
        while not any(button.payload.startswith("helped:") for button in channel.delivered[-1].reply.buttons):
            await asyncio.sleep(0.02)
    if ":" in answer:
        await person.taps(answer.format(case=case))
    else:
        await person.says(answer)
    assert (await read_case(bot, case)).outcome == outcome
    assert not (await conversation_of_case(bot, case)).is_with_human


async def test_a_yes_to_something_else_is_no_answer_to_the_question_after_a_case(
    bot: Bot, person: Person, add_worker: AddWorker, rasa: FakeRasa, channel: KeepingChannel
) -> None:
    case, ioana = await person.asks_for_a_person(), await add_worker()
    await bot.cases.claim(case, ioana)
    await bot.cases.close(case, ioana, "solved")
    await person.says("cum găsesc un medic de familie?")
    await person.says("da")
    await channel.wait_for_text("echo: da")
    assert (await read_case(bot, case)).outcome is None


async def test_nobody_answers_in_a_case_of_another_worker_and_a_supervisor_can_take_it(
    bot: Bot, person: Person, add_worker: AddWorker
) -> None:
    case, ioana = await person.asks_for_a_person(), await add_worker()
    other, boss = await add_worker("Other"), await add_worker("Boss", role="supervisor")
    await bot.cases.claim(case, ioana)
    with pytest.raises(CaseProblem, match="not_yours"):
        await bot.cases.reply(case, other, HELLO)
    with pytest.raises(CaseProblem, match="not_allowed"):
        await bot.cases.take_from(case, other)
    await bot.cases.take_from(case, boss)
    with pytest.raises(CaseProblem, match="not_yours"):
        await bot.cases.reply(case, ioana, HELLO)


async def test_a_case_of_another_win_point_cannot_be_seen_or_claimed(
    bot: Bot, person: Person, add_worker: AddWorker
) -> None:
    case, stranger = await person.asks_for_a_person(), await add_worker("Piet", desks=("win-tilburg",))
    with pytest.raises(CaseNotFound):
        await bot.cases.claim(case, stranger)
    with pytest.raises(CaseNotFound):
        await bot.cases.add_note(case, stranger, "hm")


async def test_a_case_without_a_known_place_is_in_everybodys_queue(
    bot: Bot, person: Person, add_worker: AddWorker
) -> None:
    case, somebody = await person.asks_for_a_person(place=None), await add_worker("Piet", desks=("win-tilburg",))
    await bot.cases.claim(case, somebody)
    assert (await read_case(bot, case)).assigned_to == somebody.id


async def test_transfer_to_another_win_point_tells_the_person_and_to_a_colleague_changes_who_answers(
    bot: Bot, person: Person, add_worker: AddWorker, channel: KeepingChannel
) -> None:
    case, ioana = await person.asks_for_a_person(), await add_worker()
    colleague = await add_worker("Mihai")
    await bot.cases.claim(case, ioana)
    await bot.cases.transfer(case, ioana, "win-roosendaal", colleague.id)
    assert (await read_case(bot, case)).assigned_to == colleague.id
    await bot.cases.transfer(case, colleague, "win-breda")
    found = await read_case(bot, case)
    assert (found.desk, found.status, found.assigned_to) == ("win-breda", WAITING, None)
    async with asyncio.timeout(5):
        while "Breda" not in channel.texts[-1]:
            await asyncio.sleep(0.02)
    stranger = await add_worker("Piet", desks=("win-tilburg",))
    breda = await add_worker("Bea", desks=("win-breda",))
    await bot.cases.claim(case, breda)
    with pytest.raises(CaseProblem, match="no_colleague"):
        await bot.cases.transfer(case, breda, "win-breda", stranger.id)
    assert (await read_case(bot, case)).assigned_to == breda.id


async def test_a_case_that_nobody_takes_is_told_of_then_passed_on_and_only_in_opening_hours(
    bot: Bot, person: Person, channel: KeepingChannel
) -> None:
    told: list[int] = []

    async def tell(case: int, conversation: str | None) -> None:
        told.append(case)
        if conversation:
            bot.outbox.wake(conversation)

    case = await person.asks_for_a_person()
    deadlines = Deadlines(bot.store, bot.deadlines._notices, Patience(15, 10), tell)
    assert await deadlines.sweep(OPEN + timedelta(minutes=14)) == 0
    assert await deadlines.sweep(OPEN + timedelta(minutes=16)) == 1
    assert await deadlines.sweep(OPEN + timedelta(minutes=17)) == 0  # told once
    assert (await read_case(bot, case)).desk == "win-roosendaal"
    assert await deadlines.sweep(OPEN + timedelta(minutes=32)) == 1
    assert (await read_case(bot, case)).desk == "win-breda"
    assert await deadlines.sweep(OPEN + timedelta(hours=3)) == 0  # once is enough
    assert told == [case, case]
    night = await Person(bot, "night").asks_for_a_person(now=OPEN + timedelta(hours=10))
    assert await deadlines.sweep(OPEN + timedelta(hours=20)) == 0
    assert (await read_case(bot, night)).is_inside_hours is False


async def test_a_worker_who_does_not_answer_loses_the_case_and_the_person_is_told(
    bot: Bot, person: Person, add_worker: AddWorker
) -> None:
    case, ioana = await person.asks_for_a_person(), await add_worker()
    await bot.cases.claim(case, ioana)
    await person.says("mai sunteți acolo?")
    wrote = (await read_case(bot, case)).person_wrote_at
    assert wrote is not None
    while not bot.deadlines._notices.desks.is_open("win-roosendaal", wrote):
        wrote += timedelta(hours=1)  # the tests run at night, too
    later = wrote + timedelta(days=4)
    assert await bot.deadlines.sweep(later) == 1
    found = await read_case(bot, case)
    assert (found.status, found.assigned_to) == (WAITING, None)
    assert not (await conversation_of_case(bot, case)).is_with_human


async def test_a_second_request_adds_to_the_open_case_instead_of_making_another(bot: Bot, person: Person) -> None:
    first = await person.asks_for_a_person(place=None, has_consent=False)
    second = await person.asks_for_a_person(place="Breda", has_consent=True)
    assert first == second
    found = await read_case(bot, first)
    assert (found.place, found.desk, found.has_consent) == ("Breda", "win-breda", True)


async def test_without_consent_the_worker_sees_only_what_is_said_within_the_case(
    bot: Bot, person: Person, add_worker: AddWorker, channel: KeepingChannel
) -> None:
    await person.says("sunt însărcinată și nu am asigurare")
    async with asyncio.timeout(5):
        while not channel.delivered:  # a message that waits for an answer goes to whoever takes the case
            await asyncio.sleep(0.02)
    case, ioana = await person.asks_for_a_person(has_consent=False), await add_worker()
    assert await bot.store.read(lambda session: _entries(session, case)) == []
    await bot.cases.claim(case, ioana)
    await person.says("bună ziua")
    texts = [entry.text for entry in await bot.store.read(lambda session: _entries(session, case))]
    assert "bună ziua" in texts
    assert not any("însărcinată" in text for text in texts)


async def test_every_act_on_a_case_is_in_the_audit_log(bot: Bot, person: Person, add_worker: AddWorker) -> None:
    case, ioana = await person.asks_for_a_person(), await add_worker()
    await bot.cases.claim(case, ioana)
    await bot.cases.reply(case, ioana, HELLO)
    await bot.cases.add_note(case, ioana, "belt morgen terug")
    await bot.cases.close(case, ioana, "solved")
    found = await bot.store.read(lambda session: _log(session, case))
    assert [entry.act for entry in found] == ["opened", "claimed", "replied", "noted", "closed"]
    assert "morgen" not in str([entry.details for entry in found])


async def _log(session, case):  # type: ignore[no-untyped-def]
    return (await session.scalars(select(AuditEntry).where(AuditEntry.case_id == case).order_by(AuditEntry.id))).all()
