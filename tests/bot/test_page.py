"""The chat page in a real Chromium, against a Rasa that answers as told."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from knowledge.locales import Locales
from knowledge.replies import Button, Link, Reply, compose_emergency
from tests.bot.conftest import DATA, Service
from tests.bot.fakes import Answer, FakeRasa

pytestmark = pytest.mark.browser

CHROMIUM = os.environ.get("ZORGBRUG_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
QUESTION = "Jak zapisać się do lekarza rodzinnego?"
SMALLEST = {"width": 320, "height": 640}
DESKTOP = {"width": 1280, "height": 800}

ANSWER = Reply(
    kind="answer",
    lang="pl",
    text=(
        "W Holandii każdy ma własnego lekarza rodzinnego (huisarts). Zapisz się, zanim zachorujesz. Zapis nic nie "
        "kosztuje.\n\n1. Znajdź przychodnię blisko domu.\n2. Zadzwoń i zapytaj, czy przyjmują nowych pacjentów.\n"
        "3. Podaj swoje dane i numer polisy.\n\nWeź ze sobą dowód osobisty i kartę ubezpieczenia."
    ),
    article="gp-register",
    buttons=(
        Button(title="Powiedz to po niderlandzku", payload="desk:gp-register"),
        Button(title="Gdy żaden lekarz nie ma miejsca", payload="article:gp-find-full"),
        Button(title="Porozmawiaj z człowiekiem", payload="human"),
    ),
    links=(
        Link(title="Zorgverzekeringslijn: 0800-6464644", url="tel:08006464644"),
        Link(title="LHV (gpinfo.nl): Choosing a GP", url="https://gpinfo.nl/choosing-gp"),
    ),
    footer="Źródło: LHV (gpinfo.nl), sprawdzono 22 listopada 2026. Informacja ogólna, nie porada lekarska.",
    feedback=True,
)
DESK = Reply(
    kind="answer",
    lang="pl",
    text="Pokaż to zdanie przy okienku albo powiedz je przez telefon:\n\n"
    "„Ik wil mij inschrijven als patiënt. Ik spreek nog weinig Nederlands.”",
)


def respond(message: dict[str, Any]) -> Answer:
    text, lang = message["message"], message["metadata"]["lang"]
    if text.startswith("/show_desk"):
        return [DESK]
    if text.startswith("/set_language"):
        chosen = text.split('"')[3]
        return [Reply(kind="language_set", lang=chosen, text=f"({chosen})")]
    if text == "/delete_data":
        return [Reply(kind="privacy", lang=lang, text="Usunąć?", buttons=(Button(title="Tak", payload="yes"),))]
    if text == "/affirm":
        return [Reply(kind="privacy", lang=lang, text="Gotowe. Usunięto.", effect="erase")]
    if text == "/ask_human":
        return [Reply(kind="form", lang=lang, text="W jakiej miejscowości mieszkasz?")]
    if text == QUESTION or text.startswith("/choose_article"):
        return [ANSWER]
    return [Reply(kind="smalltalk", lang=lang, text=f"echo: {text}")]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.fail("No Chromium here. Install it (`apt-get install chromium`) or set ZORGBRUG_CHROMIUM.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        await browser.close()


class Chat:
    """The page of one person."""

    def __init__(self, page: Page, context: BrowserContext) -> None:
        self.page = page
        self.context = context
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._hear(message.type, message.text))

    def _hear(self, kind: str, text: str) -> None:
        # The browser itself reports every 401 and broken connection; those are part of the tests.
        if kind == "error" and "Failed to load resource" not in text and "net::ERR" not in text:
            self.complaints.append(text)

    async def open(self, url: str) -> None:
        await self.page.goto(url)
        await self.page.wait_for_selector("html[data-ready]")

    async def say(self, text: str) -> None:
        await self.page.get_by_role("textbox").fill(text)
        await self.page.keyboard.press("Enter")

    def replies(self, text: str) -> Any:
        return self.page.locator(".reply", has_text=text)


@pytest.fixture
async def chat(browser: Browser, service: Service, rasa: FakeRasa) -> AsyncIterator[Chat]:
    rasa.answer = respond
    context = await browser.new_context(locale="pl-PL", viewport=SMALLEST, reduced_motion="reduce")
    context.set_default_timeout(8000)
    chat = Chat(await context.new_page(), context)
    await chat.open(service.url)
    yield chat
    assert chat.complaints == []
    await context.close()


async def test_a_polish_conversation_with_button_thumb_and_red_flag(chat: Chat, rasa: FakeRasa) -> None:
    page = chat.page
    await expect(page.locator("html")).to_have_attribute("lang", "pl")
    await expect(page.locator("#welcome")).to_contain_text("BSN")
    await chat.say(QUESTION)
    answer = page.locator(".reply").first
    await expect(answer.locator("li.step")).to_have_count(3)
    await expect(answer.get_by_role("link", name="0800-6464644")).to_have_attribute("href", "tel:08006464644")
    await expect(answer).to_have_attribute("lang", "pl")
    await answer.get_by_role("button", name="Tak, to pomogło").click()
    await expect(answer.locator("[data-way=up]")).to_have_attribute("aria-pressed", "true")
    await answer.get_by_role("button", name="Gdy żaden lekarz").click()
    await expect(page.locator(".reply.answer")).to_have_count(2)
    assert rasa.texts[-1] == '/choose_article{"article": "gp-find-full"}'
    await chat.say("my father has chest pain")
    emergency = page.locator(".emergency")
    await expect(emergency.locator("a[href='tel:112']")).to_be_visible()
    await expect(emergency).to_have_attribute("role", "alert")


async def test_a_reload_brings_the_conversation_back(chat: Chat, service: Service) -> None:
    await chat.say(QUESTION)
    await chat.page.get_by_role("button", name="Tak, to pomogło").click()
    await expect(chat.page.locator(".reply")).to_have_count(2)
    await chat.open(service.url)
    await expect(chat.page.locator(".mine")).to_have_count(1)
    await expect(chat.page.locator(".mine")).to_contain_text(QUESTION)
    await expect(chat.page.locator(".reply")).to_have_count(2)
    await expect(chat.page.locator("[data-way=up]")).to_have_attribute("aria-pressed", "true")
    await expect(chat.page.locator("#welcome")).to_be_hidden()


async def test_the_dutch_sentence_fills_the_screen_and_closes_by_keyboard(chat: Chat) -> None:
    await chat.say(QUESTION)
    await chat.page.get_by_role("button", name="Powiedz to po niderlandzku").click()
    dialog = chat.page.get_by_role("dialog")
    await expect(dialog.locator("#desk-text")).to_contain_text("Ik wil mij inschrijven")
    box = await dialog.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (SMALLEST["width"], SMALLEST["height"])
    await chat.page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await chat.page.get_by_role("button", name="Pokaż w dużym rozmiarze").click()
    await expect(dialog).to_be_visible()


async def test_messages_written_offline_are_sent_once_when_the_connection_is_back(chat: Chat, rasa: FakeRasa) -> None:
    await chat.say("pierwsze pytanie o lekarza")
    await expect(chat.replies("echo: pierwsze")).to_have_count(1)
    await chat.context.set_offline(True)
    await chat.say("drugie pytanie o ubezpieczenie")
    await expect(chat.page.locator(".mine.waiting")).to_have_count(1)
    await expect(chat.page.get_by_role("status")).to_contain_text("Brak połączenia")
    await chat.context.set_offline(False)
    await expect(chat.replies("echo: drugie")).to_have_count(1)
    await expect(chat.page.locator(".mine.waiting")).to_have_count(0)
    await expect(chat.page.get_by_role("status")).to_be_hidden()
    assert rasa.texts.count("drugie pytanie o ubezpieczenie") == 1


async def test_a_message_that_was_not_sent_yet_survives_a_reload(chat: Chat, service: Service) -> None:
    await chat.page.route("**/api/messages", lambda route: route.abort())
    await chat.say("pytanie o ubezpieczenie")
    await expect(chat.page.locator(".mine.waiting")).to_have_count(1)
    await chat.page.unroute("**/api/messages")
    await chat.open(service.url)
    await expect(chat.replies("echo: pytanie o ubezpieczenie")).to_have_count(1)
    await expect(chat.page.locator(".mine")).to_have_count(1)


async def test_choosing_a_language_changes_the_page_and_tells_the_bot(chat: Chat, rasa: FakeRasa) -> None:
    await chat.page.get_by_label("Język").select_option("bg")
    await expect(chat.replies("(bg)")).to_have_count(1)
    await expect(chat.page.locator("html")).to_have_attribute("lang", "bg")
    await expect(chat.page.get_by_role("textbox")).to_have_attribute("placeholder", "Напишете тук въпроса си")
    assert rasa.texts == ['/set_language{"language": "bg"}']


async def test_the_page_follows_the_language_in_which_the_person_writes(chat: Chat, rasa: FakeRasa) -> None:
    rasa.answer = lambda message: [ANSWER]  # in Polish: an article may lack a language, the page does not
    await chat.say("Cum găsesc un medic de familie aici?")
    await expect(chat.page.locator("html")).to_have_attribute("lang", "ro")
    await expect(chat.page.locator(".reply")).to_have_count(1)
    await expect(chat.page.locator("html")).to_have_attribute("lang", "ro")


async def test_deleting_clears_the_page_and_the_next_message_begins_anew(chat: Chat, rasa: FakeRasa) -> None:
    await chat.say(QUESTION)
    await chat.page.locator("#menu summary").click()
    await chat.page.get_by_role("button", name="Usuń moje dane").click()
    await chat.page.get_by_role("button", name="Tak", exact=True).click()
    await expect(chat.replies("Gotowe.")).to_have_count(1)
    await expect(chat.page.locator(".message")).to_have_count(1)
    await chat.say("nowe pytanie o lekarza")
    await expect(chat.replies("echo: nowe pytanie")).to_have_count(1)
    assert rasa.received[-1]["sender"] != rasa.received[0]["sender"]


async def test_a_shared_location_is_rounded_before_it_leaves_the_page(chat: Chat, rasa: FakeRasa) -> None:
    await chat.context.grant_permissions(["geolocation"])
    await chat.context.set_geolocation({"latitude": 51.58912, "longitude": 4.77567})
    async with chat.page.expect_request("**/api/messages") as sent:
        await chat.page.get_by_role("button", name="Udostępnij moją lokalizację").click()
    assert (await sent.value).post_data_json["location"] == {"lat": 51.59, "lon": 4.78}
    await expect(chat.replies("Breda")).to_have_count(1)


async def test_the_page_can_be_used_by_keyboard_alone(chat: Chat) -> None:
    page = chat.page
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.type(QUESTION)
    await page.keyboard.press("Enter")
    await expect(page.locator(".reply")).to_have_count(1)
    await page.get_by_role("button", name="Porozmawiaj z człowiekiem").last.focus()
    await page.keyboard.press("Enter")
    await expect(chat.replies("W jakiej miejscowości")).to_have_count(1)


async def test_new_messages_are_announced_and_controls_have_names(chat: Chat) -> None:
    await chat.say(QUESTION)
    await expect(chat.page.locator(".reply")).to_have_count(1)
    log = chat.page.get_by_role("log", name="Rozmowa")
    await expect(log).to_have_attribute("aria-live", "polite")
    nameless = await chat.page.evaluate(
        "[...document.querySelectorAll('button, a, select, textarea, summary')]"
        ".filter(e => e.checkVisibility() && !(e.innerText.trim() || e.ariaLabel || e.labels?.[0]?.innerText.trim()))"
        ".map(e => e.outerHTML)"
    )
    assert nameless == []


@pytest.mark.parametrize("viewport", [SMALLEST, DESKTOP])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_sticks_out_sideways_and_all_can_be_tapped(
    chat: Chat, viewport: Any, scheme: Any, tmp_path: Path
) -> None:
    page = chat.page
    await page.set_viewport_size(viewport)
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await take_picture(page, f"welcome-{scheme}-{viewport['width']}", tmp_path)
    await chat.say(QUESTION)
    await expect(page.locator(".reply")).to_have_count(1)
    await take_picture(page, f"answer-{scheme}-{viewport['width']}", tmp_path)
    await chat.say("my father has chest pain")
    await expect(page.locator(".emergency")).to_have_count(1)
    await take_picture(page, f"emergency-{scheme}-{viewport['width']}", tmp_path)
    width = await page.evaluate(
        "Math.max(document.documentElement.scrollWidth, document.getElementById('scroller').scrollWidth)"
    )
    assert width <= viewport["width"]
    small = await page.evaluate(
        "[...document.querySelectorAll('button, .calls a, select, summary')].filter(e => e.checkVisibility())"
        ".map(e => [e.getBoundingClientRect(), e.outerHTML]).filter(([r]) => r.height < 43 || r.width < 43)"
        ".map(([, html]) => html)"
    )
    assert small == []


async def test_a_right_to_left_reply_runs_from_the_right(chat: Chat, rasa: FakeRasa) -> None:
    rasa.answer = lambda message: [Reply(kind="smalltalk", lang="ar", text="مرحبا بك")]
    await chat.say(QUESTION)
    await expect(chat.page.locator(".reply")).to_have_attribute("dir", "rtl")


async def test_markup_in_a_message_or_reply_stays_text(chat: Chat, rasa: FakeRasa) -> None:
    nasty = "<img src=x onerror=alert(1)> <b>tłusty</b> pytanie"
    rasa.answer = lambda message: [Reply(kind="smalltalk", lang="pl", text=nasty)]
    await chat.say(nasty)
    await expect(chat.replies(nasty)).to_have_count(1)
    assert await chat.page.locator("#log img, #log b").count() == 0


async def test_the_page_asks_nothing_of_anybody_else(chat: Chat, service: Service) -> None:
    await chat.say(QUESTION)
    await expect(chat.page.locator(".reply")).to_have_count(1)
    assert {url.startswith(service.url) for url in chat.requests} == {True}


@pytest.mark.parametrize("kind", ["medical", "suicide", "violence"])
async def test_every_emergency_has_numbers_to_tap_large(chat: Chat, rasa: FakeRasa, kind: Any) -> None:
    emergency = compose_emergency(Locales.load(DATA), "pl", kind)
    rasa.answer = lambda message: [emergency]
    await chat.say(QUESTION)
    links = chat.page.locator(".emergency .calls a")
    await expect(links).to_have_count(len(emergency.links))
    assert [await links.nth(index).get_attribute("href") for index in range(len(emergency.links))] == [
        link.url for link in emergency.links
    ]
    box = await links.first.bounding_box()
    assert box is not None
    assert box["height"] >= 56


async def take_picture(page: Page, name: str, folder: Path) -> None:
    """Keep a picture for a person to look at; `ZORGBRUG_PICTURES` says where."""
    folder = Path(os.environ.get("ZORGBRUG_PICTURES") or folder)
    folder.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=folder / f"{name}.png")


def test_the_texts_of_the_page_are_all_there() -> None:
    """Every key that the page's files ask for is in English; other languages are held to English elsewhere."""
    files = "".join(
        path.read_text(encoding="utf-8")
        for path in (DATA.parent / "bot" / "web" / "static").iterdir()
        if path.suffix in (".html", ".js")
    )
    wanted = set(re.findall(r'data-(?:text|title|placeholder|label|example)="(\w+)"', files))
    wanted |= set(re.findall(r'\bt\("(\w+)"', files)) | {"thumb_up", "thumb_down", "waiting", "refused"}
    missing = [key for key in wanted - {"privacy_line"} if not Locales.load(DATA).has("en", f"web.{key}")]
    assert missing == []
