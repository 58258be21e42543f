"""A Polish conversation in a real browser against the whole service; its pictures are the ones in docs/images."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from bot.service import RunningService

pytestmark = [pytest.mark.rasa, pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CHROMIUM = os.environ.get("ZORGBRUG_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


async def say(page: Page, text: str) -> None:
    count = await page.locator(".reply").count()
    await page.get_by_role("textbox").fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator(".reply")).to_have_count(count + 1)


async def picture(page: Page, name: str, folder: Path) -> None:
    folder = Path(os.environ.get("ZORGBRUG_PICTURES") or folder)
    folder.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=folder / f"{name}.png")


async def test_answer_button_thumb_red_flag_and_a_person_in_breda(service: RunningService, tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.fail("No Chromium here. Install it (`apt-get install chromium`) or set ZORGBRUG_CHROMIUM.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        context = await browser.new_context(
            locale="pl-PL", viewport={"width": 390, "height": 844}, device_scale_factor=2, reduced_motion="reduce"
        )
        page = await context.new_page()
        await page.goto(service.url)
        await page.wait_for_selector("html[data-ready]")
        await say(page, "jak zapisac sie do lekarza rodzinnego w Holandii?")
        answer = page.locator(".reply.answer").first
        await expect(answer).to_contain_text("huisarts")
        await expect(answer.locator(".sources a").first).to_be_visible()
        await picture(page, "answer-pl", tmp_path)
        await answer.locator("[data-way=up]").click()
        await expect(answer.locator("[data-way=up]")).to_have_attribute("aria-pressed", "true")
        await answer.get_by_role("button").nth(1).click()
        await expect(page.locator(".reply.answer")).to_have_count(2)
        await say(page, "moj kolega spadl z drabiny i jest nieprzytomny")
        await expect(page.locator(".emergency a[href='tel:112']")).to_be_visible()
        await picture(page, "emergency-pl", tmp_path)
        await say(page, "chce porozmawiac z czlowiekiem")
        await say(page, "Breda")
        await page.locator(".reply").last.get_by_role("button", name="Tak", exact=True).click()
        await expect(page.locator(".reply").last).to_contain_text("Stadskantoor Breda")
        await picture(page, "handoff-pl", tmp_path)
        await page.set_viewport_size({"width": 760, "height": 3600})
        await page.mouse.move(5, 5)
        await picture(page, "conversation-pl", tmp_path)
        await browser.close()
    with sqlite3.connect(service.var / "zorgbrug.db") as store:
        newest = store.execute("select place, lang, desk from support_case order by id desc limit 1").fetchone()
        assert newest == ("Breda", "pl", "win-breda")
        assert store.execute("select count(*) from feedback where is_helpful").fetchone()[0] >= 1
