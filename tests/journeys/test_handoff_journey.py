"""The whole way of a case with real browsers: a person asks, a worker answers in the same chat, the bot comes back.

Its pictures are the ones of the console in docs/images.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pyotp
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.service import RunningService
from bot.settings import Settings
from bot.staff.accounts import AccountPolicy, Accounts
from bot.store.engine import Store
from bot.web_client import WebConversation
from tests.bot.bot_api_server import BotApiServer
from tests.bot.graph_api_server import GraphApiServer, Meta, status, update
from tests.bot.graph_api_server import message as whatsapp_message

pytestmark = [pytest.mark.rasa, pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CHROMIUM = os.environ.get("ZORGBRUG_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
PASSWORD = "een heel lang wachtwoord"
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
SERIOUS = ("serious", "critical")
YES = {"type": "button_reply", "button_reply": {"id": "yes", "title": "Da"}}
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def picture(page: Page, name: str, folder: Path, size: dict[str, int]) -> None:
    folder = Path(os.environ.get("ZORGBRUG_PICTURES") or folder)
    folder.mkdir(parents=True, exist_ok=True)
    await page.set_viewport_size(size)  # type: ignore[arg-type]
    await page.screenshot(path=folder / f"{name}.png", full_page=True)


async def no_serious_findings(page: Page) -> None:
    """Run axe over the page, and see that nothing scrolls sideways."""
    found = await Axe().run(page)
    assert [
        (item["id"], item["nodes"][0]["html"]) for item in found.response["violations"] if item["impact"] in SERIOUS
    ] == []
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest_asyncio.fixture(loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.fail("No Chromium here. Install it (`apt-get install chromium`) or set ZORGBRUG_CHROMIUM.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        await browser.close()


async def invite(service: RunningService, name: str, role: str, *desks: str) -> str:
    """Return the address of an invitation, as an administrator would send it."""
    settings = Settings.load(_env_file=None, var=service.var)
    store = Store(settings.store_url)
    accounts = Accounts(store, settings.secrets.sealer(), AccountPolicy())
    token = await accounts.invite(f"{name.split()[0].lower()}@win.example", name, role, desks, ("ro", "nl"))
    await store.close()
    return f"{service.url}/console/invite/{token}"


async def log_in(
    browser: Browser, service: RunningService, invitation: str, email: str, *, is_supervisor: bool = False
) -> Page:
    """Take up an invitation as its reader does: choose a password, then log in with it."""
    context = await browser.new_context(locale="nl-NL", viewport=DESKTOP, reduced_motion="reduce")  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(invitation)
    await page.get_by_label("Nieuw wachtwoord").fill(PASSWORD)
    await page.get_by_label("Nog een keer").fill(PASSWORD)
    await page.get_by_role("button", name="Opslaan").click()
    await page.get_by_label("E-mailadres").fill(email)
    await page.get_by_label("Wachtwoord").fill(PASSWORD)
    await page.get_by_role("button", name="Verder").click()
    if is_supervisor:  # the second factor comes first
        await page.get_by_role("button", name="Instellen").click()
        await page.get_by_text("Zonder camera").click()
        secret = await page.locator(".code").inner_text()
        await page.get_by_label("Code van zes cijfers").fill(pyotp.TOTP(secret).now())
        await page.get_by_role("button", name="Aanzetten").click()
        await page.get_by_role("link", name="Wachtrij").click()
    await expect(page.get_by_role("heading", name="Wachtrij")).to_be_visible()
    return page


async def say(page: Page, text: str) -> None:
    count = await page.locator(".reply").count()
    await page.get_by_role("textbox").fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator(".reply")).not_to_have_count(count)


async def test_a_romanian_speaker_is_helped_by_a_worker_in_the_web_chat(
    service: RunningService, browser: Browser, tmp_path: Path
) -> None:
    console = await log_in(
        browser, service, await invite(service, "Ioana Popescu", "worker", "win-roosendaal"), "ioana@win.example"
    )
    context = await browser.new_context(locale="ro-RO", viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    person = await context.new_page()
    await person.goto(service.url)
    await person.wait_for_selector("html[data-ready]")
    await say(person, "am primit o factură de la spital, ce fac?")
    await say(person, "vreau să vorbesc cu un om")
    await say(person, "Roosendaal")
    await person.locator(".reply").last.get_by_role("button", name="Da", exact=True).click()

    waiting = console.locator(".queue li").filter(has_text="Roosendaal")
    await expect(waiting).to_be_visible()  # it came in by itself
    await expect(waiting).to_contain_text("Roemeens")
    await no_serious_findings(console)
    await picture(console, "console-queue", tmp_path, DESKTOP)
    await picture(console, "console-queue-phone", tmp_path, PHONE)
    await no_serious_findings(console)
    await console.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    await waiting.get_by_role("button", name="Neem deze zaak").click()

    await expect(console.locator(".transcript")).to_contain_text("am primit o factură")
    await expect(person.locator(".reply").last).to_contain_text("Ioana")
    await console.get_by_label("Artikel invoegen").select_option("bill-received")
    await expect(console.locator(".preview")).to_contain_text("rekening")
    await no_serious_findings(console)
    await console.get_by_role("button", name="Stuur dit").click()
    await expect(person.locator(".reply.person")).to_have_count(1)
    await expect(console.locator(".transcript .staff").last).to_contain_text("Gecontroleerde tekst")
    await console.get_by_label("Je antwoord").fill("Bună ziua! Aduceți factura la noi, vă ajutăm.")
    await console.keyboard.press("Control+Enter")
    answer = person.locator(".reply.person").last
    await expect(answer).to_contain_text("Aduceți factura la noi")
    await expect(answer.locator(".author")).to_contain_text("Ioana")
    await person.get_by_role("textbox").fill("mulțu")
    await expect(console.locator("#typing")).to_contain_text("typen")
    await say_to_worker(person, "mulțumesc, vin mâine")
    await expect(console.locator(".transcript")).to_contain_text("vin mâine")
    await expect(person.get_by_role("button", name="Trimite o fotografie")).to_be_visible()
    await person.set_input_files("#photo-file", {"name": "factura.png", "mimeType": "image/png", "buffer": PICTURE})
    await expect(console.locator("img.photo")).to_be_visible()
    await console.get_by_label("De persoon ziet dit niet").fill("Komt morgen langs met de factuur.")
    await console.get_by_role("button", name="Bewaar notitie").click()
    await expect(console.locator(".notes")).to_contain_text("Komt morgen langs")
    await picture(console, "console-case", tmp_path, DESKTOP)
    await picture(console, "console-case-phone", tmp_path, PHONE)
    await no_serious_findings(console)
    await console.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    await picture(person, "handoff-ro", tmp_path, {"width": 390, "height": 844})

    await console.get_by_role("button", name="Sluit af").click()
    await expect(console.locator(".facts")).to_contain_text("Afgesloten")
    question = person.locator(".reply").last
    await expect(question.get_by_role("button", name="Da", exact=True)).to_be_visible()
    await question.get_by_role("button", name="Da", exact=True).click()
    await expect(console.locator(".facts")).to_contain_text("Ja")
    await say(person, "ce este BSN?")
    await expect(person.locator(".reply.answer").last).to_contain_text("BSN")


async def test_whoever_taps_for_a_person_before_a_word_is_asked_for_the_language(service: RunningService) -> None:
    async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=20.0) as client:
        conversation = WebConversation(client)
        await conversation.open("en-GB")
        asked = await conversation.send(20.0, payload="human")
        assert asked["kind"] == "handoff"
        assert {"lang:ro", "lang:uk", "skip"} <= {button["payload"] for button in asked["buttons"]}
        place = await conversation.send(20.0, payload="lang:ro")
        assert "localitate" in place["text"]
        assert "da" in (await conversation.send(20.0, text="Breda"))["text"].lower()
        done = await conversation.send(20.0, payload="yes")
        await conversation.close()
    assert "WIN-punt" in done["text"]
    with sqlite3.connect(service.var / "zorgbrug.db") as store:
        newest = store.execute("select place, lang, has_consent from support_case order by id desc limit 1").fetchone()
    assert newest == ("Breda", "ro", 1)


async def say_to_worker(page: Page, text: str) -> None:
    await page.get_by_role("textbox").fill(text)
    await page.keyboard.press("Enter")


async def test_the_same_case_over_telegram_and_the_figures_of_both(
    service: RunningService, telegram: BotApiServer, browser: Browser, tmp_path: Path
) -> None:
    console = await log_in(
        browser, service, await invite(service, "Sanne de Vries", "supervisor", "win-breda"), "sanne@win.example",
        is_supervisor=True,
    )  # fmt: skip
    await telegram.say("chce porozmawiac z czlowiekiem")
    await wait_for_text(telegram, "miejscowości", "mieście", "miasto")
    await telegram.say("Etten-Leur")
    await wait_for_payload(telegram, "yes")
    await telegram.tap("yes")
    waiting = console.locator(".queue li").filter(has_text="Etten-Leur")
    await expect(waiting).to_be_visible()
    await waiting.get_by_role("button", name="Neem deze zaak").click()
    await wait_for_text(telegram, "Sanne")
    await console.get_by_label("Je antwoord").fill("Dzień dobry, w czym mogę pomóc?")
    await console.get_by_role("button", name="Verstuur").click()
    await wait_for_text(telegram, "w czym mogę pomóc")
    await telegram.say("mam problem z ubezpieczeniem")
    await expect(console.locator(".transcript")).to_contain_text("mam problem z ubezpieczeniem")
    await telegram.say("bot")
    await wait_for_payload(telegram, "helped:yes:")
    await expect(console.locator(".facts")).to_contain_text("Afgesloten")
    await console.get_by_role("link", name="Cijfers").click()
    await expect(console.locator(".big")).to_contain_text("Zaken")
    await no_serious_findings(console)
    await picture(console, "console-figures", tmp_path, DESKTOP)
    await picture(console, "console-figures-phone", tmp_path, PHONE)
    await no_serious_findings(console)


async def test_the_same_case_over_whatsapp_with_a_photo_and_a_read_mark(
    service: RunningService, whatsapp: GraphApiServer, browser: Browser
) -> None:
    console = await log_in(
        browser, service, await invite(service, "Mihai Ionescu", "worker", "win-roosendaal"), "mihai@win.example"
    )
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as client:
        meta = Meta(client)
        await meta.say("vreau să vorbesc cu un om", "wamid.1")
        await whatsapp_says(whatsapp, "localitate", "oraș")
        await meta.say("Roosendaal", "wamid.2")
        await whatsapp_says(whatsapp, "WIN-punt?", "conversația noastră")
        await meta.post(update(whatsapp_message("wamid.3", type="interactive", interactive=YES)))
        waiting = console.locator(".queue li").filter(has_text="WhatsApp")
        await expect(waiting).to_be_visible()
        await waiting.get_by_role("button", name="Neem deze zaak").click()
        await whatsapp_says(whatsapp, "Mihai")
        await console.get_by_label("Je antwoord").fill("Bună ziua, cu ce vă pot ajuta?")
        await console.get_by_role("button", name="Verstuur").click()
        await whatsapp_says(whatsapp, "cu ce vă pot ajuta")
        number = len(whatsapp.sent)
        await meta.tell(status(f"wamid.sent{number}", "read"))
        await expect(console.locator(".transcript .staff").last).to_contain_text("gelezen")
        whatsapp.files["photo-1"] = PICTURE
        await meta.post(
            update(whatsapp_message("wamid.4", type="image", image={"id": "photo-1", "mime_type": "image/png"}))
        )
        await expect(console.locator("img.photo")).to_be_visible()
        assert (
            await console.locator("img.photo").evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
        )
        await console.get_by_role("button", name="Sluit af").click()
        await whatsapp_says(whatsapp, "Te-a ajutat")
        await meta.say("Da", "wamid.5")
        await expect(console.locator(".facts")).to_contain_text("Ja")
        await expect(console.locator("img.photo")).to_have_count(0)
        await meta.say("ce este BSN?", "wamid.6")
        await whatsapp_says(whatsapp, "BSN")


async def whatsapp_says(whatsapp: GraphApiServer, *words: str) -> None:
    """Return once the newest messages hold one of the words."""
    async with asyncio.timeout(15):
        while not any(word in text for word in words for text in whatsapp.words[-3:]):
            await asyncio.sleep(0.05)


async def wait_for_text(telegram: BotApiServer, *words: str) -> None:
    await _until(telegram, lambda message: any(word in message["text"] for word in words))


async def wait_for_payload(telegram: BotApiServer, start: str) -> None:
    def has(message):  # type: ignore[no-untyped-def]
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        return any(button["callback_data"].startswith(start) for row in rows for button in row)

    await _until(telegram, has)


async def _until(telegram: BotApiServer, is_it) -> None:  # type: ignore[no-untyped-def]
    count = 0
    while True:
        messages = await telegram.wait_for_messages(count + 1)
        if is_it(messages[-1]) or any(is_it(message) for message in messages[count:]):
            return
        count = len(messages)
