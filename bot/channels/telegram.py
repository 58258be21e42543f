"""Telegram through python-telegram-bot: long polling by default, a webhook by setting.

An update is acknowledged only after it is stored. python-telegram-bot's own Updater confirms it to Telegram before a
handler has run, which a crash in between would turn into a lost message, so this polls with its `Bot` and moves the
offset itself.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Header, HTTPException, Request
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    PhotoSize,
    Update,
)
from telegram.constants import ChatAction, ChatType, ParseMode
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from bot.channels.base import (
    Channel,
    Content,
    DeliveryFailed,
    FetchFailed,
    IncomingMessage,
    Intake,
    Location,
    OutgoingMessage,
    Payload,
    Photo,
    Text,
    Unreadable,
    Unsupported,
)
from bot.channels.telegram_text import render_parts
from bot.errors import StoreUnavailable
from bot.settings import Settings
from knowledge.locales import Locales
from knowledge.replies import Reply

logger = logging.getLogger(__name__)

WEBHOOK_PATH = "/telegram/webhook"
COMMANDS = {
    "start": "start",
    "language": "languages",
    "human": "human",
    "privacy": "privacy",
    "delete": "delete",
    "help": "help",
}
ALLOWED_UPDATES = ("message", "callback_query")
POLL_SECONDS = 25
RETRY_DELAYS_SECONDS = (1.0, 2.0, 5.0, 15.0, 30.0)
LARGEST_PHOTO_BYTES = 5 * 1024 * 1024
LEAVE_OUT_PREVIEW = LinkPreviewOptions(is_disabled=True)

# httpx writes every address at INFO, and Telegram's addresses hold the token.
logging.getLogger("httpx").setLevel(logging.WARNING)


class TelegramChannel(Channel):
    """One Telegram bot. Only private chats: in a group others would read what someone asks."""

    name = "telegram"

    def __init__(self, settings: Settings, locales: Locales, languages: Sequence[str]) -> None:
        if settings.telegram_token is None:
            raise ValueError("TelegramChannel needs ZORGBRUG_TELEGRAM_TOKEN")
        self._settings = settings
        self._locales = locales
        self._languages = languages
        base = settings.telegram_api_url.rstrip("/")
        self._bot = Bot(
            settings.telegram_token.get_secret_value(),
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=HTTPXRequest(connection_pool_size=16),
            get_updates_request=HTTPXRequest(read_timeout=POLL_SECONDS + 10),
        )
        self._polling: asyncio.Task[None] | None = None
        self._intake: Intake | None = None
        self._parts_sent: dict[int, int] = {}

    async def start(self, intake: Intake) -> None:
        """Connect in the background, so that a Telegram that is away never holds up the web chat."""
        self._intake = intake
        self._polling = asyncio.create_task(self._receive(intake))

    async def stop(self) -> None:
        """Stop receiving."""
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)
        await self._bot.shutdown()

    async def deliver(self, message: OutgoingMessage) -> str | None:
        """Send a reply in parts that fit; a second attempt goes on after the parts that arrived."""
        parts = render_parts(message.reply)
        sent: Message | None = None
        try:
            for index in range(self._parts_sent.get(message.id, 0), len(parts)):
                is_last = index == len(parts) - 1
                sent = await self._bot.send_message(
                    message.address,
                    parts[index],
                    parse_mode=ParseMode.HTML,
                    reply_markup=_keyboard(message) if is_last else None,
                    link_preview_options=LEAVE_OUT_PREVIEW,
                )
                self._parts_sent[message.id] = index + 1
        except TelegramError as error:
            raise _failure(error) from error
        self._parts_sent.pop(message.id, None)
        if message.reply.kind == "emergency":
            await self._send_number(message.address, message.reply)
        return str(sent.message_id) if sent else None

    async def show_typing(self, address: str) -> None:
        """Show "typing ..."; Telegram takes it away after 5 seconds or at the reply."""
        try:
            await self._bot.send_chat_action(address, ChatAction.TYPING)
        except TelegramError as error:
            logger.debug("telegram_typing_failed", extra={"error": type(error).__name__})

    async def fetch(self, file_id: str, most_bytes: int) -> bytes:
        """Return a photo that a person sent; Telegram keeps it for us at least an hour."""
        try:
            file = await self._bot.get_file(file_id)
            if (file.file_size or 0) > most_bytes:
                raise FetchFailed(f"the file has {file.file_size} bytes", is_too_large=True)
            content = bytes(await file.download_as_bytearray())
        except TelegramError as error:
            raise FetchFailed(f"Telegram did not give the file: {type(error).__name__}") from error
        if len(content) > most_bytes:
            raise FetchFailed(f"the file has {len(content)} bytes", is_too_large=True)
        return content

    def router(self) -> APIRouter | None:
        """Return the webhook's route when Telegram is to call us."""
        if self._settings.telegram_mode != "webhook" or self._settings.telegram_webhook_secret is None:
            return None
        secret = self._settings.telegram_webhook_secret.get_secret_value()
        router = APIRouter()

        @router.post(WEBHOOK_PATH, include_in_schema=False)
        async def webhook(
            request: Request, x_telegram_bot_api_secret_token: str = Header(default="")
        ) -> dict[str, bool]:
            if not hmac.compare_digest(x_telegram_bot_api_secret_token.encode(), secret.encode()):
                raise HTTPException(403, "The secret token is not ours.")
            try:
                update = Update.de_json(await request.json(), self._bot)
            except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError, RecursionError):
                raise HTTPException(400, "This is not a Telegram update.") from None
            if self._intake is None:
                raise HTTPException(503, "Not ready yet; send it again.")
            try:
                await self._take_or_set_aside(update, self._intake)
            except StoreUnavailable:
                raise HTTPException(503, "The store is busy; send it again.") from None
            return {"ok": True}

        return router

    async def _receive(self, intake: Intake) -> None:
        if not await self._connect():
            return
        if self._settings.telegram_mode == "webhook":
            return
        offset, failures = 0, 0
        while True:
            try:
                updates = await self._bot.get_updates(
                    offset=offset, timeout=POLL_SECONDS, allowed_updates=list(ALLOWED_UPDATES)
                )
                for update in updates:
                    await self._take_or_set_aside(update, intake)
                    offset = update.update_id + 1
                failures = 0
            except (TelegramError, StoreUnavailable) as error:
                wait = error.retry_after if isinstance(error, RetryAfter) else _delay(failures)
                failures += 1
                logger.warning("telegram_polling_failed", extra={"error": type(error).__name__, "retry_in": str(wait)})
                await asyncio.sleep(wait if isinstance(wait, int | float) else wait.total_seconds())

    async def _take_or_set_aside(self, update: Update, intake: Intake) -> None:
        """Store an update; one that we cannot make sense of must not keep the next ones from being read."""
        try:
            await self._take(update, intake)
        except StoreUnavailable:
            raise
        except Exception as error:
            logger.error("telegram_update_set_aside", extra={"update": update.update_id, "error": type(error).__name__})

    async def _connect(self) -> bool:
        failures = 0
        while True:
            try:
                await self._bot.initialize()
                await self._set_commands()
                if self._settings.telegram_mode == "webhook" and self._settings.telegram_webhook_secret is not None:
                    await self._bot.set_webhook(
                        self._settings.public_url.rstrip("/") + WEBHOOK_PATH,
                        secret_token=self._settings.telegram_webhook_secret.get_secret_value(),
                        allowed_updates=list(ALLOWED_UPDATES),
                    )
                else:
                    await self._bot.delete_webhook()
            except InvalidToken:
                logger.error("telegram_token_refused: Telegram does not know ZORGBRUG_TELEGRAM_TOKEN; see README")
                return False
            except TelegramError as error:
                delay = _delay(failures)
                failures += 1
                logger.warning("telegram_away", extra={"error": type(error).__name__, "retry_in": delay})
                await asyncio.sleep(delay)
            else:
                return True

    async def _set_commands(self) -> None:
        for lang in self._languages:
            commands = [BotCommand(name, self._locales.t(lang, f"telegram.command_{name}")) for name in COMMANDS]
            await self._bot.set_my_commands(commands, language_code=lang)
            if lang == "en":
                await self._bot.set_my_commands(commands)

    async def _take(self, update: Update, intake: Intake) -> None:
        """Store what an update holds, then answer the tap; an update that is none of ours is passed over."""
        user, chat = update.effective_user, update.effective_chat
        content = content_of(update)
        if user is None or chat is None or content is None or chat.type != ChatType.PRIVATE:
            return
        for ending, said in (*_caption_of(update), ("", content)):
            await intake.accept(
                IncomingMessage(
                    channel=self.name,
                    address=str(chat.id),
                    external_id=f"{update.update_id}{ending}",
                    content=said,
                    lang_hint=user.language_code,
                )
            )
        if update.callback_query is not None:
            try:
                await update.callback_query.answer()
            except TelegramError as error:
                logger.debug("telegram_tap_not_answered", extra={"error": type(error).__name__})

    async def _send_number(self, address: str, reply: Reply) -> None:
        """Send the first number as a contact card: Telegram makes no short number in a text tappable."""
        number = next((link.title for link in reply.links if link.url.startswith("tel:")), None)
        if number is None:
            return
        try:
            await self._bot.send_contact(address, phone_number=number, first_name=number)
        except TelegramError as error:
            logger.warning("telegram_number_card_failed", extra={"error": type(error).__name__})


def content_of(update: Update) -> Content | None:
    """Return what a person sent, or None for an update that says nothing to us."""
    if update.callback_query is not None:
        return Payload(payload=update.callback_query.data or "")
    message = update.message
    if message is None:
        return None
    if message.text is not None:
        return _text_or_command(message.text)
    if message.location is not None:
        return Location(latitude=message.location.latitude, longitude=message.location.longitude)
    if message.photo:
        # Telegram makes a JPEG of every photo, in several sizes.
        return Photo(media_type="image/jpeg", file_id=_best_size(message.photo).file_id)
    kinds: Mapping[Unreadable, Any] = {
        "sticker": message.sticker,
        "voice": message.voice or message.audio or message.video_note,
        "video": message.video or message.animation,
        "document": message.document,
        "contact": message.contact,
    }
    what = next((kind for kind, value in kinds.items() if value), None)
    return Unsupported(what=what) if what else None


def _caption_of(update: Update) -> list[tuple[str, Content]]:
    """Return the words under a picture as a message of their own, which comes first: they may tell of danger."""
    caption = update.message.caption if update.message is not None else None
    return [(":caption", Text(text=caption))] if caption else []


def _best_size(sizes: Sequence[PhotoSize]) -> PhotoSize:
    """Return the largest size that is no heavier than we take, else the smallest."""
    by_area = sorted(sizes, key=lambda size: size.width * size.height)
    return next((size for size in reversed(by_area) if (size.file_size or 0) <= LARGEST_PHOTO_BYTES), by_area[0])


def _text_or_command(text: str) -> Content:
    if text.startswith("/"):
        command = text[1:].split(maxsplit=1)[0].split("@")[0].lower() if len(text) > 1 else ""
        if command in COMMANDS:
            return Payload(payload=COMMANDS[command])
    return Text(text=text)


def _keyboard(message: OutgoingMessage) -> InlineKeyboardMarkup | None:
    rows = [[InlineKeyboardButton(button.title, callback_data=button.payload)] for button in message.reply.buttons]
    if message.reply.feedback:
        thumbs = (("👍", "up"), ("👎", "down"))
        rows.append([InlineKeyboardButton(sign, callback_data=f"thumb:{way}:{message.id}") for sign, way in thumbs])
    return InlineKeyboardMarkup(rows) if rows else None


def _failure(error: TelegramError) -> DeliveryFailed:
    if isinstance(error, RetryAfter):
        wait = error.retry_after
        seconds = float(wait) if isinstance(wait, int | float) else wait.total_seconds()
        return DeliveryFailed("Telegram asked to wait", retry_after_seconds=seconds)
    if isinstance(error, Forbidden):
        return DeliveryFailed("the person blocked the bot", is_permanent=True)
    if isinstance(error, BadRequest):
        return DeliveryFailed(f"Telegram refused the message: {error.message}", is_permanent=True)
    what = "Telegram is out of reach" if isinstance(error, NetworkError) else "Telegram failed"
    return DeliveryFailed(f"{what}: {type(error).__name__}")


def _delay(failures: int) -> float:
    return RETRY_DELAYS_SECONDS[min(failures, len(RETRY_DELAYS_SECONDS) - 1)]
