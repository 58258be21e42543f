"""Forgetting what is no longer needed: idle conversations, closed cases, photos, and old logins of the staff.

A conversation goes in Rasa first and then here, as in every erasure: a crash or an outage in between leaves it in the
store, and with it the rest of the work for the next sweep. The other things are in the store alone.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Delete, Update, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cases.records import close_case
from bot.conversations.erase import delete_conversation, forget_attachments, forget_traces
from bot.conversations.rasa import RasaAway, RasaClient
from bot.conversations.records import locked_conversation
from bot.logs import hashed
from bot.staff.policy import AccountPolicy
from bot.staff.records import forget_old_invitations, forget_old_sessions
from bot.store.case_models import CLOSED, Attachment, Case, Note
from bot.store.engine import Store
from bot.store.models import Conversation, Inbox, Outbox

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 100


@dataclass(frozen=True)
class Swept:
    """How many of each went. `waiting` conversations are due but Rasa, which must forget them first, is away."""

    conversations: int = 0
    cases: int = 0
    photos: int = 0
    logins: int = 0
    invitations: int = 0
    waiting: int = 0


class Retention:
    """Erases conversations that have been idle for `days`, and cases that have been closed for `case_days`.

    A conversation stays while a case of it is open, and what the staff say in it counts like what the person says: an
    answer must not go before it could be read. A case in which nothing has happened for `case_days` is closed, or a
    request that nobody took up would be kept for ever.
    """

    def __init__(self, store: Store, rasa: RasaClient, days: int, case_days: int, policy: AccountPolicy) -> None:
        self._store = store
        self._rasa = rasa
        self._kept_for = timedelta(days=days)
        self._cases_kept_for = timedelta(days=case_days)
        self._policy = policy

    async def sweep(self, now: datetime) -> Swept:
        """Erase what is due; conversations that Rasa could not forget wait for the next time.

        Raises:
            StoreUnavailable: The store stayed locked or away.
        """
        await self._store.run(lambda session: self._close_abandoned(session, now))
        logins, invitations = await self._store.run(lambda session: self._forget_logins(session, now))
        photos = await self._store.run(_forget_left_photos)
        cases = await self._store.run(lambda session: _forget_cases(session, now - self._cases_kept_for))
        await self._store.run(lambda session: forget_traces(session, now))
        conversations, waiting = await self._forget_conversations(now - self._kept_for)
        await self._store.forget_deleted()
        return Swept(conversations, cases, photos, logins, invitations, waiting)

    async def _forget_conversations(self, idle_since: datetime) -> tuple[int, int]:
        """Return how many went, and how many have to wait for Rasa."""
        erased = 0
        while due := await self._store.read(lambda session: _idle(session, idle_since)):
            for conversation in due:
                try:
                    await self._rasa.erase(conversation)
                except RasaAway as trouble:
                    logger.warning("retention_put_off", extra={"reason": str(trouble), "erased": erased})
                    return erased, await self._store.read(lambda session: _count_idle(session, idle_since))
                erased += await self._forget(conversation, idle_since)
        return erased, 0

    async def _forget(self, conversation: str, idle_since: datetime) -> bool:
        async def forget(session: AsyncSession) -> bool:
            found = await locked_conversation(session, conversation)
            is_idle = select(Conversation.id).where(Conversation.id == conversation, *_is_idle(idle_since))
            if found is None or await session.scalar(is_idle) is None:
                return False  # the person wrote again just now
            await delete_conversation(session, conversation)
            return True

        is_gone = await self._store.run(forget)
        if is_gone:
            logger.info("conversation_expired", extra={"conversation": hashed(conversation)})
        return is_gone

    async def _close_abandoned(self, session: AsyncSession, now: datetime) -> None:
        silent_since = now - self._cases_kept_for
        moments = (Case.opened_at, Case.waiting_since, Case.person_wrote_at, Case.staff_wrote_at)
        is_silent = [or_(moment.is_(None), moment < silent_since) for moment in moments]
        for case in (await session.scalars(select(Case).where(Case.status != CLOSED, *is_silent))).all():
            conversation = await locked_conversation(session, case.conversation_id) if case.conversation_id else None
            await close_case(session, case, conversation, "expired", None, now)

    async def _forget_logins(self, session: AsyncSession, now: datetime) -> tuple[int, int]:
        return await forget_old_sessions(session, self._policy, now), await forget_old_invitations(session, now)


def _is_idle(idle_since: datetime) -> tuple[ColumnElement[bool], ...]:
    is_theirs = Case.conversation_id == Conversation.id
    is_alive = or_(Case.status != CLOSED, Case.staff_wrote_at >= idle_since)
    return Conversation.last_at < idle_since, ~exists(select(Case.id).where(is_theirs, is_alive))


async def _idle(session: AsyncSession, idle_since: datetime) -> Sequence[str]:
    found = select(Conversation.id).where(*_is_idle(idle_since))
    return (await session.scalars(found.order_by(Conversation.last_at).limit(MOST_AT_ONCE))).all()


async def _count_idle(session: AsyncSession, idle_since: datetime) -> int:
    return await session.scalar(select(func.count()).select_from(Conversation).where(*_is_idle(idle_since))) or 0


async def _forget_left_photos(session: AsyncSession) -> int:
    """Delete photos of closed cases. Closing deletes them already; this is for what slipped in at that moment."""
    closed = select(Attachment.case_id).join(Case, Case.id == Attachment.case_id).where(Case.status == CLOSED)
    cases = (await session.scalars(closed)).all()
    for case in set(cases):
        await forget_attachments(session, case)
    return len(cases)


async def _forget_cases(session: AsyncSession, closed_before: datetime) -> int:
    """Delete cases with their notes; messages that were said within them lose the mark and nothing else."""
    is_old = (Case.status == CLOSED, Case.closed_at < closed_before)
    old = select(Case.id).where(*is_old)
    for messages in (Inbox, Outbox):
        await _count(session, update(messages).where(messages.case_id.in_(old)).values(case_id=None))
    for table in (Note, Attachment):
        await _count(session, delete(table).where(table.case_id.in_(old)))
    return await _count(session, delete(Case).where(*is_old))


async def _count(session: AsyncSession, change: Update | Delete) -> int:
    result: Any = await session.execute(change.execution_options(synchronize_session=False))
    return int(result.rowcount)
