"""Tell the language of a message, short, misspelt and mixed with Dutch words as it may be.

Six kinds of evidence are added up as log-probabilities: the script and its telling letters, words that are frequent
in one language, a model of general word frequencies (`nlu.letter_model`), one of our own sentences (`nlu.ngrams`), two
detectors of others (`nlu.voices`), and the language of the conversation. Terms that all people here use (huisarts,
BSN) and names of places count for nothing.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlu.datafiles import load_mapping
from nlu.language_texts import NeutralWords, latin, outside, read_language_texts
from nlu.letter_model import LetterModel
from nlu.ngrams import NgramModel
from nlu.text import normalise, tokens
from nlu.transliteration import LATIN_WRITTEN
from nlu.voices import FastTextVoice, LangdetectVoice, Voice

OURS = ("nl", "en", "pl", "ro", "bg", "uk", "ar", "tr", "es", "ru")  # the languages that we have texts in
DEFAULT_LANGUAGE = "en"  # when nothing at all is known: the language that most people here have a little of
MAX_CHARACTERS = 400  # more text than this tells nothing new
_KEPT = 0.5  # the confidence of a language that is only kept from before

_CANDIDATES = {
    "LATIN": ("nl", "en", "pl", "ro", "tr", "es", *map(latin, LATIN_WRITTEN)),
    "CYRILLIC": ("bg", "uk", "ru"),
    "ARABIC": ("ar",),
    "ETHIOPIC": (),
}
_OWN_SCRIPTS = {"ETHIOPIC": "ti"}  # of the two languages that people here write in it, by far most write Tigrinya
_PERSIAN = re.compile("[پچژگیک]")
_FEWEST_PERSIAN, _FEWEST_FOREIGN, _FEWEST_FOR_SURE = 2, 2, 5  # letters, words, words to outvote our certainty
_LEAD = (
    12.0  # nats by which another language must lead ours; a tenth of it is enough when the first voice is sure of it
)
_CERTAIN = 0.98  # how sure of one of ours we are when we doubt a voice that hears a language the letters do not know
_LOUD = 0.8  # how sure the first voice must be of such a language
_HEARD = 0.2  # how much the first voice must hear a language for a third of its marks to be enough
_MARKED = 0.5  # the share of words that must be marks of one language that the letters do not know
_FOREIGN = 0.9  # the confidence of a language that is known but not served
_LETTERS = {
    "pl": "ąćęłńśźż", "ro": "ăâîșțşţ", "tr": "ğışçöü", "es": "ñ¿¡áíú", "nl": "ëï",
    "bg": "ѝ", "uk": "ґєії", "ru": "ыэё",
}  # fmt: skip
# What a detector of others calls a text that in truth is in one of our languages.
_RELATIVES = {
    "LATIN": {
        **dict.fromkeys(("hr", "sl", "sr", "bs", "sh", "mk", "bg"), latin("bg")),
        **dict.fromkeys(("af", "fy", "li", "nds", "vls"), "nl"),
        "az": "tr", "gl": "es", "ast": "es", "csb": "pl", "szl": "pl",
    },
    "CYRILLIC": {"mk": "bg", "sr": "bg", "be": "ru"},
    "ARABIC": dict.fromkeys(("fa", "ur", "arz", "ckb", "ps"), "ar"),
}  # fmt: skip


@dataclass(frozen=True)
class LanguageGuess:
    """The language of a message; `is_sure` is false when the message itself hardly tells it."""

    lang: str
    confidence: float
    is_sure: bool


@dataclass(frozen=True)
class Weights:
    """How much each kind of evidence counts, in nats. Set by benchmarks/languages.py, never on data/eval."""

    letters: float = 4.0  # for a text with letters of one language only
    word: float = 2.0  # for a listed word, shared among the languages that list it
    groups: float = 0.15  # times the general letter groups, which overlap
    frequency: float = 1.3  # times the general word frequencies
    ngrams: float = 0.2  # times the evidence of our own sentences, whose features overlap
    voices: tuple[float, ...] = (0.6, 0.1)  # times the log-ratio of each voice
    voice_limit: float = 2.0  # a voice may be wrong, however loud
    latin_typed: float = -3.0  # for a language in Latin letters that has a script of its own: fewer type so
    previous: float = 1.5  # for the language of the conversation
    dutch_term: float = 0.7  # for each Dutch term where no conversation is known
    sure: float = 0.8  # least probability to be called sure


class LanguageIdentifier:
    """Tells our languages apart, and knows whole sentences of the others that are registered."""

    def __init__(
        self,
        registered: Mapping[str, bool],
        words: Mapping[str, Iterable[str]],
        letters: LetterModel,
        ngrams: NgramModel,
        neutral: NeutralWords,
        voices: Sequence[Voice],
        markers: Mapping[str, frozenset[str]],
        weights: Weights = Weights(),
    ) -> None:
        self._registered = dict(registered)
        self._letters = letters
        self._markers = markers
        self._words: dict[str, tuple[str, ...]] = {}
        for name, listed in words.items():
            for word in listed:
                self._words[word] = (*self._words.get(word, ()), name)
        self._ngrams = ngrams
        self._neutral = neutral
        self._voices = voices
        self._weights = weights

    @classmethod
    def from_data(cls, data_dir: Path | str) -> "LanguageIdentifier":
        """Read the registry, the word lists and our sentences, and learn the letters.

        Raises:
            DataFileError: A file is missing or malformed.
            VoiceUnavailable: A detector of others is not installed.
            LetterModelError: The letter model is missing.
        """
        folder = Path(data_dir)
        registry = load_mapping(folder / "languages.yml")
        registered = {lang: bool(entry["served"]) for lang, entry in registry.items()}
        words, lines = read_language_texts(folder, OURS)
        profiles = ("nl", "en", "pl", "ro", "tr", "es", "hr", "bg", "uk", "ru", "ar")
        voices = (FastTextVoice(), LangdetectVoice(profiles))
        letters, ngrams = LetterModel.load(), NgramModel.train(lines)
        listed = load_mapping(folder / "languages" / "markers.yml")
        markers = {lang: frozenset(tokens(text)) for lang, text in listed.items()}
        return cls(registered, words, letters, ngrams, NeutralWords.from_data(folder), voices, markers)

    def identify(self, text: str, previous: str | None = None) -> LanguageGuess:
        """Return the language of the text.

        Args:
            text: What the person wrote; any string.
            previous: The language of the conversation so far, which a text that tells nothing keeps.
        """
        previous = previous if previous in self._registered else None
        cleaned = normalise(text[:MAX_CHARACTERS])
        telling, dutch_terms = self._neutral.remove(tokens(cleaned))
        script = _main_script(telling)
        if script == "CYRILLIC":
            telling = [word for word in telling if _script_of(word) == script]
        if previous and self._is_fluent(telling, previous):
            return LanguageGuess(previous, _KEPT, False)
        if script is None and (previous or not dutch_terms):
            return LanguageGuess(previous or DEFAULT_LANGUAGE, _KEPT if previous else 0.0, False)
        if script in _OWN_SCRIPTS:
            return LanguageGuess(_OWN_SCRIPTS[script], 1.0, True)
        probabilities = self._probabilities(cleaned, telling, script or "LATIN", previous, dutch_terms)
        best = max(probabilities, key=lambda name: probabilities[name], default="")
        is_certain = probabilities.get(best, 0.0) >= _CERTAIN
        foreign = self._foreign(cleaned, script or "LATIN", telling, is_certain)
        if foreign and foreign != previous:
            if foreign in self._registered:
                return LanguageGuess(foreign, _FOREIGN, True)
            return LanguageGuess(previous or best or DEFAULT_LANGUAGE, 0.0, False)
        is_sure = script is not None and probabilities.get(best, 0.0) >= self._weights.sure
        if previous and not is_sure and (previous in probabilities or previous not in OURS):
            return LanguageGuess(previous, _KEPT, False)  # a conversation does not jump on a doubtful word
        return LanguageGuess(best, round(probabilities[best], 4), is_sure)

    def _is_fluent(self, telling: list[str], lang: str) -> bool:
        """Return whether these are one or two words that the language has as well, such as "da" or "no"."""
        owners = [{outside(name) for name in self._words.get(word, ())} for word in telling]
        return len(telling) < 3 and all(lang in known for known in owners)

    def _probabilities(
        self, text: str, telling: list[str], script: str, previous: str | None, dutch_terms: int
    ) -> dict[str, float]:
        scores = dict.fromkeys(_CANDIDATES[script], 0.0)
        weights = self._weights
        evidence = self._ngrams.evidence(telling)
        general = self._letters.evidence(telling, script, weights.groups, weights.frequency)
        for name in scores:
            scores[name] += weights.ngrams * evidence.get(name, 0.0) + general.get(name, 0.0)
        for word in telling:
            owners = [name for name in self._words.get(word, ()) if name in scores]
            for name in owners:
                scores[name] += weights.word / len(owners)
        if previous is None and "nl" in scores:
            scores["nl"] += weights.dutch_term * dutch_terms
        self._add_letters(scores, text.lower())
        spoken = " ".join(telling) if telling else text
        for voice, weight in zip(self._voices, weights.voices, strict=False):
            self._add_voice(scores, voice.hear(spoken), script, weight)
        for name in scores:
            if outside(name) != name:
                scores[name] += weights.latin_typed
            if outside(name) == previous:
                scores[name] += weights.previous
        return _softmax(scores)

    def _add_letters(self, scores: dict[str, float], text: str) -> None:
        found = set(text)
        present = [name for name, letters in _LETTERS.items() if name in scores and found.intersection(letters)]
        for name in present:
            scores[name] += self._weights.letters / len(present)

    def _add_voice(self, scores: dict[str, float], heard: Mapping[str, float], script: str, weight: float) -> None:
        relatives = _RELATIVES[script]
        shares = dict.fromkeys(scores, 0.0)
        for code, probability in heard.items():
            name = relatives.get(code, code)
            if name in shares:
                shares[name] += probability
        total = sum(shares.values())
        if total < 0.1:  # it hears none of ours
            return
        for name, share in shares.items():
            ratio = math.log((share / total + 1e-3) * len(shares))
            scores[name] += weight * max(-self._weights.voice_limit, min(self._weights.voice_limit, ratio))

    def _foreign(self, text: str, script: str, telling: list[str], is_certain: bool) -> str | None:
        """Return the language of a text that is none of ours: its letters say so, and the first voice agrees."""
        if script == "ARABIC":
            return "fa" if len(_PERSIAN.findall(text)) >= _FEWEST_PERSIAN else None
        if script != "LATIN" or len(telling) < _FEWEST_FOREIGN or not self._voices:
            return None
        heard = self._voices[0].hear(text.lower())
        loudest = max(heard, key=lambda code: heard[code], default="")
        for name, words in self._markers.items():
            if _share(telling, words) >= (_MARKED if heard.get(name, 0.0) < _HEARD else _MARKED / 3):
                return name
        general = self._letters.evidence(telling, script, self._weights.groups, self._weights.frequency)
        is_ours = loudest in OURS or loudest in _RELATIVES[script] or loudest in general
        least = _LOUD if len(telling) >= _FEWEST_FOR_SURE or not is_certain else 1.1
        if not is_ours and len(telling) > _FEWEST_FOREIGN and heard[loudest] >= least:
            return loudest
        best = max(general, key=lambda name: general[name])
        if best in _CANDIDATES[script]:
            return None
        lead = general[best] - max(general[name] for name in _CANDIDATES[script])
        return best if lead >= _LEAD / (1.0 + 9.0 * heard.get(best, 0.0)) else None


def _share(words: Sequence[str], known: frozenset[str]) -> float:
    return sum(word in known for word in words) / len(words)


def _main_script(words: Iterable[str]) -> str | None:
    """Return the script of most words; Latin ones count a third, as they are the foreign ones in any other script."""
    counts = dict.fromkeys(_CANDIDATES, 0)
    for word in words:
        script = _script_of(word)
        if script is not None:
            counts[script] += 1 if script == "LATIN" else 3
    best = max(counts, key=lambda script: counts[script])
    return best if counts[best] else None


def _script_of(word: str) -> str | None:
    letter = next(filter(str.isalpha, word), "")
    script = unicodedata.name(letter, "").split(" ")[0]
    return script if script in _CANDIDATES else None


def _softmax(scores: Mapping[str, float]) -> dict[str, float]:
    """Return probabilities per language, both spellings of Bulgarian together."""
    top = max(scores.values())
    raised = {name: math.exp(score - top) for name, score in scores.items()}
    total = sum(raised.values())
    probabilities: dict[str, float] = {}
    for name, value in raised.items():
        probabilities[outside(name)] = probabilities.get(outside(name), 0.0) + value / total
    return probabilities
