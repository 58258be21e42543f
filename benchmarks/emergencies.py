"""Measure the classifier behind the word lists, and what each of its two views finds alone, on data/eval.

Run in the Rasa environment, from the root: `.venv-rasa/bin/python -m benchmarks.emergencies`. It learns from data/nlu
and the questions of the articles, as `zorgbrug train` does. A view is cut where one ordinary question in a hundred of
data/eval would raise an alarm, so that all are compared at the same price; `as served` has the threshold of the bot.
"""

import argparse
from pathlib import Path

import numpy as np
import yaml

from benchmarks.intents import Example, centred, encode, read_examples
from nlu.components.emergencies import DangerModel, EmergencyClassifier, readable
from nlu.redflags import RedFlagDetector

PRICE = 0.01
ABOUT_DANGER = {"suicide-crisis", "domestic-violence", "sexual-violence", "emergency-112", "work-accident"}


def read_set(folder: Path) -> list[Example]:
    """Return the messages of a set of red flags; the intent is `positives` or `negatives`."""
    found = []
    for path in sorted(folder.glob("*.yml")):
        for name, items in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            found += [Example(item if isinstance(item, str) else item["text"], path.stem, name) for item in items]
    return found


def read_questions(folder: Path) -> list[Example]:
    """Return the ordinary questions, those about danger left out."""
    found = []
    for path in sorted(folder.glob("*.yml")):
        for item in yaml.safe_load(path.read_text(encoding="utf-8")):
            if item["article"] and item["article"] not in ABOUT_DANGER:
                found.append(Example(item["text"], path.stem, "question"))
    return found


def report(title: str, messages: list[Example], alarmed: np.ndarray) -> None:
    """Print recall and false alarms, each the mean over the languages, and both by language."""
    languages = sorted({message.lang for message in messages})
    shares = {
        lang: [
            np.mean([a for m, a in zip(messages, alarmed, strict=True) if (m.lang, m.intent) == (lang, name)])
            for name in ("positives", "negatives")
        ]
        for lang in languages
    }
    recall, false = np.mean(list(shares.values()), axis=0)
    by_language = " ".join(f"{lang} {caught:.2f}/{wrong:.2f}" for lang, (caught, wrong) in shares.items())
    print(f"{title:38} {recall:.3f} / {false:.3f}   {by_language}")


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"))
    options = parser.parse_args()
    learned = read_examples(options.data)
    ordinary = [
        q for name in ("questions", "questions_independent") for q in read_questions(options.data / "eval" / name)
    ]
    sets = {name: read_set(options.data / "eval" / name) for name in ("redflags", "redflags_independent")}
    everything = [*learned, *ordinary, *(message for messages in sets.values() for message in messages)]
    is_learned = np.arange(len(everything)) < len(learned)
    vectors = centred(encode(everything), everything, is_learned)
    texts = [readable(example.text, example.lang) for example in everything]
    settings = EmergencyClassifier.get_default_config()
    model = DangerModel.fit(
        vectors[is_learned], texts[: len(learned)], [example.intent for example in learned],
        settings["by_vector"], settings["by_letters"],
    )  # fmt: skip
    both = model.probabilities(vectors, texts)
    by_vector = vectors @ model.vector_weights
    views = {"vector": by_vector, "letters": np.log(both / (1 - both)) - by_vector, "both": both}
    is_ordinary = slice(len(learned), len(learned) + len(ordinary))
    cuts = {name: np.quantile(scores[is_ordinary], 1 - PRICE) for name, scores in views.items()}
    views["as served"], cuts["as served"] = both, settings["threshold"]
    print(f"{len(learned)} examples; ordinary questions alarmed as served: "
          f"{np.mean(both[is_ordinary] >= settings['threshold']):.4f}")  # fmt: skip
    detector = RedFlagDetector.from_data(options.data)
    start = len(learned) + len(ordinary)
    for name, messages in sets.items():
        rows = slice(start, start + len(messages))
        start += len(messages)
        listed = np.array([detector.find(message.text) is not None for message in messages])
        report(f"{name}: word lists", messages, listed)
        for view, scores in views.items():
            report(f"{name}: {view}", messages, scores[rows] >= cuts[view])
        report(f"{name}: lists and as served", messages, listed | (both[rows] >= settings["threshold"]))


if __name__ == "__main__":
    main()
