"""WhatsApp through the Business Cloud API: pywa sends, and Meta calls our webhook.

Meta takes a free text only within 24 hours of the person's last message. After that a reply is held until they write
again, and an approved template tells them, once a day at most, that an answer is waiting.
"""

from __future__ import annotations

import logging
import time
from asyncio import Task, create_task, gather
from collections import OrderedDict
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from urllib.parse import quote

import httpx
from fastapi import APIRouter
from pywa_async.client import WhatsApp
from pywa_async.errors import ReEngagementMessage

from bot.channels.base import (
    WINDOW_CLOSED,
    Channel,
    DeliveryFailed,
    FetchFailed,
    IncomingMessage,
    Intake,
    OutgoingMessage,
)
from bot.channels.whatsapp_errors import GRAPH_ERRORS, failure_of, is_malformed
from bot.channels.whatsapp_template import send_template
from bot.channels.whatsapp_text import Labels, Part, render_parts
from bot.channels.whatsapp_updates import STATES, Message, Status, contents_of
from bot.channels.whatsapp_webhook import make_webhook
from bot.settings import Settings
from knowledge.locales import Locales

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 20.0
MOST_REMEMBERED = 10_000
SECONDS_BETWEEN_TEMPLATES = 24 * 3600.0

# pywa writes numbers and texts at DEBUG, httpx every address at INFO.
for _name in ("pywa", "httpx"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass
class _Person:
    """What we remember of a person while the process lives; losing it costs a typing sign or a second template."""

    last_message: str = ""
    is_read: bool = True
    lang: str = ""
    told_at: float | None = None


class WhatsAppChannel(Channel):
    """One WhatsApp number."""

    name = "whatsapp"

    def __init__(self, settings: Settings, locales: Locales, clock: Callable[[], float] = time.monotonic) -> None:
        token, secret, verify = settings.whatsapp_token, settings.whatsapp_app_secret, settings.whatsapp_verify_token
        if token is None or secret is None or verify is None:
            raise ValueError("WhatsAppChannel needs the four settings of docs/whatsapp.md")
        self._phone_id = settings.whatsapp_phone_id
        self._app_secret = secret.get_secret_value()
        self._verify_token = verify.get_secret_value()
        self._template = settings.whatsapp_template
        self._locales = locales
        self._clock = clock
        self._http = httpx.AsyncClient(timeout=TIMEOUT_SECONDS)
        version = settings.whatsapp_api_version
        self._wa = WhatsApp(
            phone_id=self._phone_id, token=token.get_secret_value(), session=self._http, api_version=version
        )
        # pywa knows one address; a test, or a proxy of the organisation, has another.
        self._http.base_url = httpx.URL(f"{settings.whatsapp_api_url.rstrip('/')}/v{version}")
        self._intake: Intake | None = None
        self._people: OrderedDict[str, _Person] = OrderedDict()
        self._parts_sent: dict[int, int] = {}
        self._furthest: OrderedDict[str, int] = OrderedDict()
        self._tasks: set[Task[None]] = set()

    async def start(self, intake: Intake) -> None:
        """Let the webhook in; Meta calls us, so there is nothing else to start."""
        self._intake = intake

    async def stop(self) -> None:
        """Stop receiving; Meta repeats what is refused."""
        self._intake = None
        await gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()

    async def deliver(self, message: OutgoingMessage) -> str | None:
        """Send a reply in parts that fit; a second attempt goes on after the parts that arrived."""
        person = self._person(message.address)
        person.lang = message.reply.lang
        parts = render_parts(message.reply, message.id, Labels.of(self._locales, message.reply.lang))
        sent: str | None = None
        try:
            for index in range(self._parts_sent.get(message.id, 0), len(parts)):
                sent = await self._send(message.address, parts[index])
                self._parts_sent[message.id] = index + 1
        except GRAPH_ERRORS as error:
            failure = failure_of(error)
            if isinstance(error, ReEngagementMessage):
                await self._say_that_an_answer_waits(message.address)
            elif failure.is_permanent:
                self._parts_sent.pop(message.id, None)
            raise failure from error
        self._parts_sent.pop(message.id, None)
        await self._mark_read(person)
        if message.reply.effect == "erase":
            self._people.pop(message.address, None)
        return sent

    async def show_typing(self, address: str) -> None:
        """Show that we write, under the person's last message, which also marks it as read."""
        person = self._people.get(address)
        if person is None or not person.last_message:
            return
        try:
            await self._wa.indicate_typing(person.last_message)
            person.is_read = True
        except GRAPH_ERRORS as error:
            logger.debug("whatsapp_typing_failed", extra={"error": type(error).__name__})

    async def fetch(self, file_id: str, most_bytes: int) -> bytes:
        """Return a photo that a person sent; Meta keeps it for some days."""
        content = bytearray()
        try:
            found = await self._wa.get_media_url(quote(file_id, safe=""))
            if found.file_size > most_bytes:
                raise FetchFailed(f"the file has {found.file_size} bytes", is_too_large=True)
            # What Meta says of the size is not believed: reading stops at the limit.
            async with aclosing(self._wa.stream_media(found.url)) as chunks:
                async for chunk in chunks:
                    content += chunk
                    if len(content) > most_bytes:
                        raise FetchFailed(f"the file has more than {most_bytes} bytes", is_too_large=True)
        except GRAPH_ERRORS as error:
            raise FetchFailed(f"WhatsApp did not give the file: {type(error).__name__}") from error
        return bytes(content)

    def router(self) -> APIRouter | None:
        """Return the webhook."""
        return make_webhook(
            phone_id=self._phone_id,
            app_secret=self._app_secret,
            verify_token=self._verify_token,
            is_ready=lambda: self._intake is not None,
            take_message=self._take_message,
            take_status=self._take_status,
        )

    async def _take_message(self, message: Message) -> None:
        """Store a message; one of a group is passed over, since others would read what someone asks."""
        if message.group_id or not message.address or self._intake is None:
            return
        for ending, content in contents_of(message):
            receipt = await self._intake.accept(
                IncomingMessage(
                    channel=self.name,
                    address=message.address,
                    external_id=message.id + ending,
                    content=content,
                    sent_at=message.timestamp,
                )
            )
            if not receipt.is_duplicate:
                person = self._person(message.address)
                person.last_message, person.is_read = message.id, False
                person.lang = receipt.lang or person.lang

    async def _take_status(self, status: Status) -> None:
        """Pass a status on, unless one that says more went before. A closed window is mostly told in this way."""
        state = status.state
        if state is None or STATES.index(state) <= self._furthest.get(status.id, -1):
            return
        if state == "failed":
            logger.warning("whatsapp_message_failed", extra={"reason": status.why})
        if self.statuses is not None:
            await self.statuses.delivered(self.name, status.id, state, status.why)
        self._furthest[status.id] = STATES.index(state)
        _forget_the_oldest(self._furthest)
        if status.why == WINDOW_CLOSED and status.address:
            # Not within the webhook's answer: Meta does not wait long for that.
            task = create_task(self._say_or_note(status.address))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, address: str, part: Part) -> str:
        """Send one message; where WhatsApp refuses its buttons, the words alone: they matter most in an emergency."""
        try:
            return (await self._wa.send_message(address, part.text, buttons=part.keyboard)).id
        except GRAPH_ERRORS as error:
            if part.keyboard is None or not is_malformed(error):
                raise
            logger.error("whatsapp_buttons_refused", extra={"reason": str(failure_of(error))})
        return (await self._wa.send_message(address, part.text)).id

    async def _say_or_note(self, address: str) -> None:
        try:
            await self._say_that_an_answer_waits(address)
        except DeliveryFailed as failure:
            logger.warning("whatsapp_template_not_sent", extra={"reason": str(failure)})

    async def _say_that_an_answer_waits(self, address: str) -> None:
        """Send the template, unless there is none or the person has had it today.

        Raises:
            DeliveryFailed: It did not go out, and may at another attempt.
        """
        person, now = self._person(address), self._clock()
        is_told = person.told_at is not None and now - person.told_at < SECONDS_BETWEEN_TEMPLATES
        if not self._template or is_told:
            return
        person.told_at = now  # at once: two replies may wait
        try:
            await send_template(self._wa, address, self._template, person.lang)
        except DeliveryFailed:
            person.told_at = None
            raise

    async def _mark_read(self, person: _Person) -> None:
        """Mark the last message as read once it is answered, unless the typing sign has done so."""
        if person.is_read:
            return
        try:
            await self._wa.mark_message_as_read(person.last_message)
            person.is_read = True
        except GRAPH_ERRORS as error:
            logger.debug("whatsapp_read_mark_failed", extra={"error": type(error).__name__})

    def _person(self, address: str) -> _Person:
        person = self._people.setdefault(address, _Person())
        self._people.move_to_end(address)
        _forget_the_oldest(self._people)
        return person


def _forget_the_oldest(remembered: OrderedDict[str, _Person] | OrderedDict[str, int]) -> None:
    if len(remembered) > MOST_REMEMBERED:
        remembered.popitem(last=False)
