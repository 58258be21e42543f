"""What becomes of a person's message while a member of the staff has the conversation: it goes to them alone.

The bot is silent then, whatever is tapped or sent, but for red flags (the core answers those before it asks here), the
way back to the bot, and the one question after the end.
"""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cases.notices import BOT_WORDS, OUTCOMES, CaseNotices
from bot.cases.opening import Request, open_case, open_case_of
from bot.cases.records import close_case
from bot.channels.base import Content, Payload, Text
from bot.store.case_models import CLAIMED, CLOSED, Case
from bot.store.models import DONE, HELD, PENDING, Conversation, Inbox, Outbox
from knowledge.replies import Reply

ANSWER_COUNTS_FOR_SECONDS = 24 * 3600


class Relay:
    """Works within the transactions of the conversation core."""

    def __init__(self, notices: CaseNotices) -> None:
        self._notices = notices

    async def take(
        self, session: AsyncSession, conversation: Conversation, row: Inbox, content: Content, text: str
    ) -> list[Reply] | None:
        """Return the replies to a message that is the staff's, or None when the bot is to answer it.

        Whatever was held back for want of a message of the person (WhatsApp's 24 hours) is due again.
        """
        now = row.received_at
        await session.execute(
            update(Outbox)
            .where(Outbox.conversation_id == conversation.id, Outbox.status == HELD)
            .values(status=PENDING, next_attempt_at=now)
        )
        if (answered := await self._take_outcome(session, conversation, row, content, text)) is not None:
            return answered
        if not conversation.is_with_human:
            # The button "back to the bot" of a conversation that is the bot's already.
            is_back = isinstance(content, Payload) and content.payload == "bot"
            return [self._notices.thanks(conversation.lang or "en")] if is_back else None
        case = await open_case_of(session, conversation.id)
        if case is None or case.status != CLAIMED:
            conversation.is_with_human = False
            return None
        _give(case, row, now)
        if _wants_the_bot(content, text):
            await close_case(session, case, conversation, "back_to_bot", case.assigned_to, now)
            return [self._notices.closed(conversation.lang or case.lang, case.desk, case.id, by_person=True)]
        return []

    async def raise_flag(
        self, session: AsyncSession, conversation: Conversation, row: Inbox, flag: str, lang: str
    ) -> None:
        """Tell the staff of danger: the case at hand becomes urgent, or an urgent one is opened.

        It shares nothing that the person has not agreed to share; the emergency reply does not wait for anybody.
        """
        request = Request("red_flag", lang, message_id=str(row.id), topic=flag, is_urgent=True)
        case, _ = await open_case(session, self._notices.desks, conversation, request, row.received_at)
        if case.status == CLAIMED:
            _give(case, row, row.received_at)

    async def _take_outcome(
        self, session: AsyncSession, conversation: Conversation, row: Inbox, content: Content, text: str
    ) -> list[Reply] | None:
        now = row.received_at
        outcome, identifier = None, None
        if isinstance(content, Payload):
            name, _, rest = content.payload.partition(":")
            said, _, number = rest.partition(":")
            if name != "helped" or said not in OUTCOMES or not re.fullmatch("[0-9]{1,9}", number):
                return None
            outcome, identifier = said, int(number)
        elif isinstance(content, Text):
            outcome = self._notices.outcome_of(text)
        if outcome is None:
            return None
        found = select(Case).where(Case.conversation_id == conversation.id, Case.status == CLOSED)
        if identifier is not None:
            found = found.where(Case.id == identifier)
        case = await session.scalar(found.order_by(Case.closed_at.desc()).limit(1))
        if case is None or case.closed_at is None:
            return None
        is_fresh = case.outcome is None and (now - case.closed_at).total_seconds() <= ANSWER_COUNTS_FOR_SECONDS
        if identifier is None and (not is_fresh or await _has_written_since(session, conversation, case)):
            return None  # this yes answers something else
        case.outcome, row.case_id = outcome, case.id
        return [] if conversation.is_with_human else [self._notices.thanks(conversation.lang or case.lang)]


def _give(case: Case, row: Inbox, now: datetime) -> None:
    row.case_id, row.status = case.id, DONE
    case.person_wrote_at = now


def _wants_the_bot(content: Content, text: str) -> bool:
    if isinstance(content, Payload):
        return content.payload == "bot"
    return isinstance(content, Text) and text.strip(" .!/").casefold() in BOT_WORDS


async def _has_written_since(session: AsyncSession, conversation: Conversation, case: Case) -> bool:
    later = select(Inbox.id).where(Inbox.conversation_id == conversation.id, Inbox.received_at > case.closed_at)
    return len((await session.scalars(later.limit(2))).all()) > 1  # the row of this very message is one
