"""The pure parts of a message's way: cleaning, payloads, the choice of language, the limit per minute."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversations.language import language_of_message
from bot.conversations.limits import RateLimiter
from bot.conversations.messages import clean_text, has_words, rasa_message_of_payload, thumb_of_payload
from nlu.languages import LanguageGuess


@given(st.text())
def test_a_cleaned_text_never_begins_with_a_slash_nor_holds_control_characters(text: str) -> None:
    cleaned = clean_text(text)
    assert not cleaned.startswith("/")
    assert not [sign for sign in cleaned if unicodedata.category(sign) == "Cc" and sign not in "\n\t"]
    assert clean_text(cleaned) == cleaned


@given(st.text(max_size=70))
def test_no_payload_makes_rasa_hear_anything_but_an_intent_of_ours(payload: str) -> None:
    message = rasa_message_of_payload(payload)
    assert message is None or (message.startswith("/") and message.count("{") <= 1 and "\n" not in message)


def test_the_letters_of_every_language_stay() -> None:
    text = "Zażółć gęślą jaźń, țară, ъгъл, ґанок, şimdi, مرحبا 🙂"
    assert clean_text(f"  {text}\x00 ") == text


@pytest.mark.parametrize(("text", "is_said"), [("👍", False), ("?!", False), ("112", True), ("да", True), ("", False)])
def test_only_letters_and_digits_are_words(text: str, is_said: bool) -> None:
    assert has_words(text) is is_said


@pytest.mark.parametrize("payload", ["thumb:up", "thumb:sideways:1", "thumb:up:-1", "thumb:up:9" + "9" * 30])
def test_a_thumb_that_is_none_is_not_read_as_one(payload: str) -> None:
    assert thumb_of_payload(payload) is None


@pytest.mark.parametrize(
    ("guess", "is_sure", "words", "previous", "is_chosen", "expected"),
    [
        ("pl", False, "huisarts", None, False, "pl"),
        ("pl", False, "huisarts", "ro", False, "ro"),
        ("pl", True, "gdzie lekarz", "ro", False, "pl"),
        ("pl", True, "gdzie lekarz", "ro", True, "ro"),
        ("pl", True, "gdzie mogę znaleźć lekarza", "ro", True, "pl"),
        ("pl", False, "gdzie mogę znaleźć lekarza", "ro", True, "ro"),
        ("ro", True, "unde este medicul meu", "ro", True, "ro"),
    ],
)
def test_when_the_language_changes(
    guess: str, is_sure: bool, words: str, previous: str | None, is_chosen: bool, expected: str
) -> None:
    found = language_of_message(LanguageGuess(guess, 0.9, is_sure), words, previous, is_chosen=is_chosen)
    assert found == expected


def test_a_sender_may_go_on_after_a_minute_and_is_told_once_a_minute() -> None:
    now = 0.0
    limiter = RateLimiter(2, lambda: now)
    assert [limiter.judge("anna") for _ in range(4)] == ["fine", "fine", "first_too_many", "too_many"]
    assert limiter.judge("boris") == "fine"
    now = 60.0
    assert [limiter.judge("anna") for _ in range(4)] == ["fine", "fine", "first_too_many", "too_many"]
