"""The console as the staff use it over HTTP: logging in, the queue, a case, the figures, and what it refuses."""

from __future__ import annotations

import asyncio
import csv
import io

import httpx
import pytest

from bot.staff.accounts import Accounts
from tests.bot.cases.conftest import Person, read_case
from tests.bot.conftest import Service
from tests.bot.console.conftest import PASSWORD, LogIn, OpenBrowser


async def test_nobody_sees_the_queue_without_logging_in(open_browser: OpenBrowser) -> None:
    answer = await (await open_browser()).get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/login")


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    log_in: LogIn, open_browser: OpenBrowser
) -> None:
    await log_in()
    stranger = await open_browser()
    wrong = await stranger.log_in("ioana@win.example", "not the right one")
    unknown = await stranger.log_in("nobody@win.example", "not the right one")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.text.replace("ioana@", "nobody@") == unknown.text


async def test_the_queue_shows_a_case_with_language_place_and_reason(log_in: LogIn, person: Person) -> None:
    case = await person.asks_for_a_person()
    page = await (await log_in()).get("/")
    assert page.status_code == 200
    for words in (f"#{case}", "Roemeens", "Roosendaal", "Vroeg om een mens"):
        assert words in page.text


@pytest.mark.parametrize(
    ("query", "is_shown"),
    [
        ("", True), ("?lang=ro", True), ("?lang=pl", False), ("?lang=mine", True), ("?desk=win-breda", False),
        ("?urgent=1", False), ("?status=mine", False), ("?status=nonsense&page=x&age=-1", True), ("?age=60", True),
    ],
)  # fmt: skip
async def test_the_filters_of_the_queue(log_in: LogIn, person: Person, query: str, is_shown: bool) -> None:
    case = await person.asks_for_a_person()
    page = await (await log_in()).get(f"/{query}")
    assert (f"#{case}" in page.text) is is_shown


async def test_a_case_is_claimed_answered_noted_and_closed(log_in: LogIn, person: Person, console: Service) -> None:
    case, worker = await person.asks_for_a_person(), await log_in()
    page = await worker.get(f"/cases/{case}")
    assert "vreau să vorbesc cu un om" in page.text
    assert (await worker.post(f"/cases/{case}/claim")).status_code == 303
    assert (await worker.post(f"/cases/{case}/reply", text="Bună <b>ziua</b>", lang="ro")).status_code == 303
    assert (await worker.post(f"/cases/{case}/article", name="bsn")).status_code == 303
    assert (await worker.post(f"/cases/{case}/ready", name="please_wait")).status_code == 303
    assert (await worker.post(f"/cases/{case}/note", text="belt terug")).status_code == 303
    page = await worker.get(f"/cases/{case}")
    assert "Bună &lt;b&gt;ziua&lt;/b&gt;" in page.text
    assert "Persoonlijk antwoord" in page.text
    assert "Gecontroleerde tekst" in page.text
    assert "belt terug" in page.text
    assert (await worker.post(f"/cases/{case}/close", reason="solved")).status_code == 303
    assert (await read_case(console.bot, case)).status == "closed"


async def test_an_article_is_seen_in_dutch_before_it_goes_out_in_the_persons_language(
    log_in: LogIn, person: Person
) -> None:
    case, worker = await person.asks_for_a_person(), await log_in()
    preview = await worker.get(f"/cases/{case}/preview/article/bsn")
    assert 'lang="nl"' in preview.text
    assert 'lang="ro"' in preview.text


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("reply", {"text": " "}, 409),
        ("reply", {"text": "x" * 4001}, 409),
        ("article", {"name": "no-such-article"}, 409),
        ("close", {"reason": "bored"}, 409),
        ("transfer", {"desk": "win-atlantis"}, 409),
        ("nonsense", {}, 404),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_sentence(
    log_in: LogIn, person: Person, path: str, form: dict[str, str], status: int
) -> None:
    case, worker = await person.asks_for_a_person(), await log_in()
    await worker.post(f"/cases/{case}/claim")
    answer = await worker.post(f"/cases/{case}/{path}", **form)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text


async def test_a_case_of_another_win_point_is_as_if_it_were_not_there(log_in: LogIn, person: Person) -> None:
    case = await person.asks_for_a_person()
    stranger = await log_in("Piet", desks=("win-tilburg",))
    assert f"#{case}" not in (await stranger.get("/")).text
    assert (await stranger.get(f"/cases/{case}")).status_code == 404
    assert (await stranger.get(f"/events?case={case}")).status_code == 404
    assert (await stranger.post(f"/cases/{case}/claim")).status_code == 404


async def test_a_form_from_elsewhere_is_refused(log_in: LogIn, person: Person, console: Service) -> None:
    case, worker = await person.asks_for_a_person(), await log_in()
    forged = await worker.client.post(f"/console/cases/{case}/claim", data={})
    abroad = await worker.client.post(
        f"/console/cases/{case}/claim", data={"form_token": worker.token}, headers={"Origin": "https://evil.example"}
    )
    assert (forged.status_code, abroad.status_code) == (403, 403)
    assert (await read_case(console.bot, case)).status == "waiting"


async def test_whoever_is_disabled_while_logged_in_is_out_at_the_next_request_and_loses_the_case(
    log_in: LogIn, person: Person, console: Service, accounts: Accounts
) -> None:
    case, worker = await person.asks_for_a_person(), await log_in()
    await worker.post(f"/cases/{case}/claim")
    await accounts.disable("ioana@win.example")
    assert (await worker.post(f"/cases/{case}/reply", text="nog even")).headers["location"] == "/console/login"
    assert (await read_case(console.bot, case)).status == "waiting"


async def test_a_message_of_the_person_reaches_the_open_console(log_in: LogIn, person: Person) -> None:
    case, worker = await person.asks_for_a_person(), await log_in()
    await worker.post(f"/cases/{case}/claim")
    async with asyncio.timeout(5), worker.client.stream("GET", f"/console/events?case={case}") as stream:
        lines = stream.aiter_lines()
        async for line in lines:
            if line == "event: here":
                await person.says("mai am o întrebare")
            if line == "event: changed":
                break
    assert "mai am o întrebare" in (await worker.get(f"/cases/{case}/part")).text


async def test_the_worker_sees_that_the_person_is_writing_once_the_case_is_theirs(
    log_in: LogIn, open_browser: OpenBrowser, console: Service
) -> None:
    page, worker = await open_browser(), await log_in()
    address = (await page.client.post("/api/conversations", json={})).json()["conversation"]
    case = await Person(console.bot, address, channel="web").asks_for_a_person()
    events = []
    async with asyncio.timeout(5), worker.client.stream("GET", f"/console/events?case={case}") as stream:
        async for line in stream.aiter_lines():
            if line == "event: here":
                assert (await page.client.post("/api/typing")).status_code == 204  # nobody is there to see it
                await worker.post(f"/cases/{case}/claim")
            if line.startswith("event: "):
                events.append(line)
            if line == "event: changed" and "event: typing" not in events:
                await page.client.post("/api/typing")
            if line == "event: typing":
                break
    assert "event: changed" in events[: events.index("event: typing")]


async def test_the_figures_count_cases_and_come_as_csv(log_in: LogIn, person: Person) -> None:
    case = await person.asks_for_a_person()
    boss = await log_in("Sanne", role="supervisor")
    await boss.post(f"/cases/{case}/claim")
    await boss.post(f"/cases/{case}/reply", text="Bună ziua")
    page = await boss.get("/figures?days=7")
    assert "Vroeg om een mens" in page.text
    rows = list(csv.reader(io.StringIO((await boss.get("/figures.csv?days=90")).text)))
    assert rows[0] == ["table", "name", "value"]
    assert ["reason", "asked", "1"] in rows
    assert ["place", "other", "1"] in rows  # one person in a small town is not named
    assert (await (await log_in("Jan")).get("/figures")).status_code == 403


async def test_a_supervisor_steps_into_a_conversation_that_the_bot_has(
    log_in: LogIn, person: Person, console: Service
) -> None:
    receipt = await person.says("cum găsesc un medic de familie?")
    boss = await log_in("Sanne", role="supervisor")
    assert receipt.conversation in (await boss.get("/conversations")).text
    answer = await boss.post(f"/conversations/{receipt.conversation}/step-in")
    case = int(answer.headers["location"].rpartition("/")[2])
    found = await read_case(console.bot, case)
    assert (found.reason, found.status, found.has_consent) == ("staff", "claimed", False)


async def test_a_password_is_changed_and_the_language_of_the_console(log_in: LogIn, open_browser: OpenBrowser) -> None:
    worker = await log_in()
    new = "nog veel langer wachtwoord"
    weak = await worker.post("/account/password", old=PASSWORD, password="kort", again="kort")
    assert "te kort" in weak.text
    changed = await worker.post("/account/password", old=PASSWORD, password=new, again=new)
    assert "is veranderd" in changed.text
    assert (await (await open_browser()).log_in("ioana@win.example", new)).status_code == 303
    await worker.post("/account/language", lang="en")
    assert "Queue" in (await worker.get("/")).text


async def test_an_invitation_that_is_over_says_so(open_browser: OpenBrowser) -> None:
    page: httpx.Response = await (await open_browser()).get("/invite/never-was-one")
    assert (page.status_code, "geldt niet meer" in page.text) == (404, True)
