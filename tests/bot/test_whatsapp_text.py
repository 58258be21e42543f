"""A reply as WhatsApp messages: what fits where, and nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pywa.types.callback import SectionList

from bot.channels.whatsapp_text import Labels, Part, fit, render_parts, split_off_end, without_markup
from bot.settings import PROJECT
from knowledge.locales import Locales
from knowledge.replies import Button, Link, Reply

LABELS = Labels("Choose", "Did this help?")
HUMAN = Button(title="Talk to a person", payload="human")


def reply(text: str = "Register with a GP.", count: int = 0, **given: object) -> Reply:
    buttons = tuple(Button(title=f"Choice {number}", payload=f"article:a{number}") for number in range(count))
    return Reply.model_validate({"kind": "answer", "lang": "en", "text": text, "buttons": buttons, **given})


def choices(part: Part) -> list[tuple[str, object]]:
    if isinstance(part.keyboard, SectionList):
        return [(row.title, row.callback_data) for section in part.keyboard.sections for row in section.rows]
    return [(button.title, button.callback_data) for button in part.keyboard or ()]


def test_a_text_without_choices_is_plain() -> None:
    assert render_parts(reply(), 7, LABELS) == [Part("Register with a GP.")]


def test_up_to_three_choices_are_buttons_and_the_thumbs_count() -> None:
    (part,) = render_parts(reply(buttons=(HUMAN,), feedback=True), 7, LABELS)
    assert isinstance(part.keyboard, tuple)
    assert choices(part) == [("Talk to a person", "human"), ("👍", "thumb:up:7"), ("👎", "thumb:down:7")]


def test_more_choices_are_a_list_with_the_thumbs_in_it() -> None:
    (part,) = render_parts(reply(count=4, feedback=True), 7, LABELS)
    assert isinstance(part.keyboard, SectionList)
    assert part.keyboard.button_title == "☰ Choose"
    assert [payload for _, payload in choices(part)][-3:] == ["article:a3", "thumb:up:7", "thumb:down:7"]


def test_a_title_that_is_too_long_for_a_button_makes_a_list_that_says_it_whole() -> None:
    title = "What the health insurance pays"
    (part,) = render_parts(reply(buttons=(Button(title=title, payload="article:a"),)), 7, LABELS)
    assert isinstance(part.keyboard, SectionList)
    ((row,),) = (section.rows for section in part.keyboard.sections)
    assert (row.title, row.description) == ("What the health…", title)


def test_where_ten_choices_leave_no_room_the_thumbs_are_a_message_of_their_own() -> None:
    parts = render_parts(reply(count=10, feedback=True), 7, LABELS)
    assert [(part.text, len(choices(part))) for part in parts] == [("Register with a GP.", 10), ("Did this help?", 2)]


def test_more_than_ten_choices_go_on_in_another_list() -> None:
    parts = render_parts(reply(count=12), 7, LABELS)
    assert [len(choices(part)) for part in parts] == [10, 2]


def test_the_same_title_twice_is_a_list_and_the_same_choice_twice_is_one() -> None:
    twice = (HUMAN, Button(title=HUMAN.title, payload="article:human"), HUMAN)
    (part,) = render_parts(reply(buttons=twice), 7, LABELS)
    assert isinstance(part.keyboard, SectionList)
    assert [payload for _, payload in choices(part)] == ["human", "article:human"]


def test_numbers_and_addresses_stand_under_the_text() -> None:
    links = (Link(title="LHV: Choosing a GP", url="https://gpinfo.nl/a_b"), Link(title="0800-0113", url="tel:08000113"))
    (part,) = render_parts(reply(links=links, footer="Source: LHV."), 7, LABELS)
    assert part.text == "Register with a GP.\n\n0800-0113\n\nLHV: Choosing a GP\nhttps://gpinfo.nl/a_b\n\nSource: LHV."


def test_a_long_text_goes_before_and_its_end_stays_with_the_choices() -> None:
    paragraphs = [f"Paragraph {number}. " + "Words about care. " * 30 for number in range(12)]
    text = "\n\n".join(paragraph.strip() for paragraph in paragraphs)
    parts = render_parts(reply(text, count=3), 7, LABELS)
    assert "\n\n".join(part.text for part in parts) == text
    assert all(len(part.text) <= 4096 and part.keyboard is None for part in parts[:-1])
    assert len(parts[-1].text) <= 1024
    assert len(choices(parts[-1])) == 3


def test_arabic_is_split_at_its_own_question_mark() -> None:
    text = " ".join(["هل أحتاج إلى تأمين صحي؟"] * 100)
    before, end = split_off_end(text, 1024)
    assert len(end) <= 1024
    assert before.endswith("؟")
    assert f"{before} {end}" == text


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("Take *two* of ~these~", "Take ∗two∗ of ∼these∼"),
        ("_secret_ and snake_case", "ˍsecretˍ and snake_case"),
        ("`code` at https://x.nl/~me/*a*_b_", "ˋcodeˋ at https://x.nl/~me/*a*_b_"),
    ],
)
def test_signs_that_whatsapp_takes_for_markup_are_harmless(text: str, harmless: str) -> None:
    assert without_markup(text) == harmless


def test_a_title_is_cut_at_a_word_or_within_one_that_is_too_long() -> None:
    assert fit("Health insurance for students", 24) == "Health insurance for…"
    assert fit("Zorgverzekeringswetgevingen", 24) == "Zorgverzekeringswetgevi…"
    assert fit("Short", 24) == "Short"


@given(st.text(max_size=6000), st.integers(min_value=0, max_value=25), st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_part_of_whatever_reply_fits(text: str, count: int, feedback: bool) -> None:
    parts = render_parts(reply(text, count, feedback=feedback), 7, LABELS)
    assert parts
    for part in parts:
        assert 1 <= len(part.text) <= (1024 if part.keyboard else 4096)
        assert len(choices(part)) <= 10


def test_the_labels_fit_in_every_language() -> None:
    locales = Locales.load(PROJECT / "data")
    for lang in ("ar", "bg", "en", "es", "nl", "pl", "ro", "ru", "tr", "uk"):
        labels = Labels.of(locales, lang)
        assert len(labels.choose) <= 18
        assert labels.thumbs
