"""Takes messages in: stores each once, and answers at once what needs no Rasa.

Red flags come first. They are looked for here, before anything can wait or fail, and the emergency reply is stored in
the same transaction as the message. What Rasa must answer is left pending for `inbox`.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cases.opening import open_case_of
from bot.cases.relay import Relay
from bot.channels.base import IncomingMessage, Payload, Photo, Receipt, Text, Unsupported
from bot.conversations.addresses import find_conversation, mend_address, set_address
from bot.conversations.limits import RateLimiter, Verdict
from bot.conversations.messages import (
    has_words,
    language_of_payload,
    rasa_message_of_payload,
    stored_content,
    thumb_of_payload,
)
from bot.conversations.notices import Notices
from bot.conversations.records import add_replies, choose_language
from bot.conversations.understanding import Reading, Understanding
from bot.errors import UnknownConversation
from bot.logs import hashed
from bot.privacy.message_ids import stored_id
from bot.store.engine import Store
from bot.store.models import DONE, FAILED, PENDING, Conversation, Feedback, Inbox, Outbox
from bot.store.sealing import Sealer
from knowledge.replies import Reply

logger = logging.getLogger(__name__)

# Devices sold here speak these, whoever holds them.
SAYS_LITTLE = ("en", "nl")

Wake = Callable[[str], None]
TellStaff = Callable[[int], Awaitable[None]]


class ConversationCore:
    """The `Intake` of every channel."""

    def __init__(
        self,
        store: Store,
        understanding: Understanding,
        notices: Notices,
        limiter: RateLimiter,
        longest_text: int,
        wake_inbox: Wake,
        wake_outbox: Wake,
        relay: Relay,
        sealer: Sealer,
        tell_staff: TellStaff,
        channels_opened_here: frozenset[str] = frozenset(),
    ) -> None:
        self._store = store
        self._understanding = understanding
        self._notices = notices
        self._limiter = limiter
        self._longest_text = longest_text
        self._wake_inbox = wake_inbox
        self._wake_outbox = wake_outbox
        self._relay = relay
        self._sealer = sealer
        self._tell_staff = tell_staff
        self._channels_opened_here = channels_opened_here

    async def open(self, channel: str, lang: str | None = None) -> str:
        """Begin a conversation on a channel where we give out the addresses (the web); return the address.

        The page shows the line about privacy itself, so it counts as shown.
        """
        address = uuid.uuid4().hex

        async def add(session: AsyncSession) -> None:
            conversation = self._new_conversation(channel, address, lang)
            conversation.is_privacy_shown = True
            session.add(conversation)

        await self._store.run(add)
        return address

    async def accept(self, message: IncomingMessage) -> Receipt:
        """Store a message in one transaction and start its processing; see `Intake.accept`.

        Raises:
            UnknownConversation: On a channel where conversations are opened here, there is none at this address.
        """
        started = time.perf_counter()
        verdict = self._limiter.judge(f"{message.channel}:{message.address}")
        known = await self._store.read(
            lambda session: find_conversation(session, self._sealer, message.channel, message.address)
        )
        if known is None and message.channel in self._channels_opened_here:
            raise UnknownConversation(message.address)
        previous = (known and known.lang) or self._known_language(message.lang_hint)
        is_chosen = known is not None and known.is_lang_chosen
        reading = await self._understanding.read(message.content, previous, is_chosen=is_chosen)

        async def take(session: AsyncSession) -> Receipt:
            return await self._take(session, message, reading, verdict)

        try:
            receipt = await self._store.run(take)
        except IntegrityError:
            # The same message came twice at once and the other copy won; now it is there to be recognised.
            receipt = await self._store.run(take)
        if not receipt.is_duplicate:
            self._wake_outbox(receipt.conversation)
            self._wake_inbox(receipt.conversation)
            if receipt.case is not None:
                await self._tell_staff(receipt.case)
        logger.info(
            "message_accepted",
            extra={
                "conversation": hashed(receipt.conversation),
                "channel": message.channel,
                "kind": message.content.kind,
                "is_duplicate": receipt.is_duplicate,
                "emergency": reading.flag.kind if reading.flag else None,
                "ms": round((time.perf_counter() - started) * 1000, 1),
            },
        )
        return receipt

    async def _take(
        self, session: AsyncSession, message: IncomingMessage, reading: Reading, verdict: Verdict
    ) -> Receipt:
        external_id = stored_id(message.channel, message.external_id)
        repeat = select(Inbox).where(Inbox.channel == message.channel, Inbox.external_id == external_id)
        if known := await session.scalar(repeat):
            return _receipt(known, is_duplicate=True)
        now = datetime.now(UTC)
        conversation = await find_conversation(session, self._sealer, message.channel, message.address, for_update=True)
        if conversation is None:
            conversation = self._new_conversation(message.channel, message.address, message.lang_hint)
            session.add(conversation)
            await session.flush()
        else:
            mend_address(self._sealer, conversation, message.address)
        conversation.last_at = now
        if has_words(reading.text) and self._notices.is_served(reading.lang):
            conversation.lang = reading.lang
            conversation.is_lang_clear = conversation.is_lang_clear or reading.is_lang_sure
        conversation.place = reading.place or conversation.place
        row = Inbox(
            conversation_id=conversation.id,
            channel=message.channel,
            external_id=external_id,
            content=stored_content(message.content, reading.text, reading.place),
            lang=reading.lang,
            received_at=now,
            next_attempt_at=now,
            status=PENDING,
        )
        session.add(row)
        await session.flush()
        if verdict != "fine" and reading.flag is None:
            row.status, row.error, row.content = FAILED, "too many messages", {"kind": message.content.kind}
            if verdict == "first_too_many":
                add_replies(session, conversation, [self._notices.error(reading.lang, "slow_down")], now, row)
            return _receipt(row, is_duplicate=False)
        replies = await self._answer_here(session, message, reading, conversation, row)
        if replies is not None:
            row.status = DONE
            add_replies(session, conversation, self._notices.with_privacy_line(conversation, replies), now, row)
        if isinstance(message.content, Photo) and row.case_id is None:
            row.content = {"kind": "photo"}  # nobody will fetch it
        case = await open_case_of(session, conversation.id)
        return _receipt(row, is_duplicate=False, case=case.id if case else row.case_id)

    async def _answer_here(
        self, session: AsyncSession, message: IncomingMessage, reading: Reading, conversation: Conversation, row: Inbox
    ) -> list[Reply] | None:
        """Return the replies to a message that needs no Rasa, or None when it is for Rasa."""
        content, lang = message.content, reading.lang
        if reading.flag:
            await self._relay.raise_flag(session, conversation, row, reading.flag.kind, reading.flag_lang)
            return [self._notices.emergency(reading.flag_lang, reading.flag)]
        if isinstance(content, Payload) and (thumb := thumb_of_payload(content.payload)):
            is_helpful, outbox_id = thumb
            thanks = await self._take_thumb(session, conversation, outbox_id, is_helpful)
            return [] if conversation.is_with_human else thanks
        if (relayed := await self._relay.take(session, conversation, row, content, reading.text)) is not None:
            return relayed
        if isinstance(content, Text):
            return self._answer_text(reading)
        if isinstance(content, Unsupported | Photo):  # a photo is for the staff, who have not taken it here
            return [self._notices.error(lang, "unsupported")]
        if isinstance(content, Payload):
            return self._answer_payload(content.payload, lang, conversation, row)
        return None

    def _answer_text(self, reading: Reading) -> list[Reply] | None:
        if not reading.text:
            return [self._notices.error(reading.lang, "empty")]
        if len(reading.text) > self._longest_text:
            return [self._notices.error(reading.lang, "too_long", limit=self._longest_text)]
        if not has_words(reading.text):
            return [self._notices.error(reading.lang, "no_words")]
        return None

    def _answer_payload(self, payload: str, lang: str, conversation: Conversation, row: Inbox) -> list[Reply] | None:
        if payload == "start":
            return [self._notices.start(lang)]
        if rasa_message_of_payload(payload) is None:
            return [self._notices.error(lang, "unknown_button")]
        if chosen := self._known_language(language_of_payload(payload)):
            choose_language(conversation, chosen)
            row.lang = chosen
        return None

    async def _take_thumb(
        self, session: AsyncSession, conversation: Conversation, outbox_id: int, is_helpful: bool
    ) -> list[Reply]:
        lang = conversation.lang or ""
        rated = await session.get(Outbox, outbox_id)
        if rated is None or rated.conversation_id != conversation.id:
            return [self._notices.error(lang, "unknown_button")]
        feedback = Feedback(
            outbox_id=outbox_id,
            conversation_id=conversation.id,
            article=rated.reply.get("article"),
            lang=rated.reply["lang"],
            is_helpful=is_helpful,
            created_at=datetime.now(UTC),
        )
        await session.merge(feedback)
        return [self._notices.thanks(lang, is_helpful=is_helpful)]

    def _new_conversation(self, channel: str, address: str, lang: str | None) -> Conversation:
        now = datetime.now(UTC)
        known = self._known_language(lang)
        conversation = Conversation(
            id=uuid.uuid4().hex,
            channel=channel,
            lang=known,
            is_lang_chosen=False,
            is_lang_clear=known is not None and known not in SAYS_LITTLE,
            is_privacy_shown=False,
            created_at=now,
            last_at=now,
        )
        set_address(self._sealer, conversation, address)
        return conversation

    def _known_language(self, tag: str | None) -> str | None:
        """Return the language of a tag (`pl` for `pl-PL`) when it is one of ours."""
        base = (tag or "").replace("_", "-").split("-")[0].lower()
        return base if base in self._notices.languages else None


def _receipt(row: Inbox, *, is_duplicate: bool, case: int | None = None) -> Receipt:
    return Receipt(
        conversation=row.conversation_id or "", inbox_id=row.id, is_duplicate=is_duplicate, lang=row.lang, case=case
    )
