"""Compare intent classifiers by cross-validation over data/nlu and the questions of data/kb.

Run in the Rasa environment, from the root: `.venv-rasa/bin/python -m benchmarks.intents [--diet]`.
The means of the languages and the classifier are learnt on the training folds alone.
"""

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from nlu.components.featurizer import balanced_means, shared_cache, text_to_encode, vector_files
from nlu.components.intents import LinearModel
from nlu.faq_examples import PER_ARTICLE, read_questions

THRESHOLD, AMBIGUITY = 0.65, 0.05  # as FallbackClassifier has them in config.yml
RETRIEVED = {"faq", "out_of_scope", "nlu_fallback"}  # what goes to the retriever
Fit = Callable[[np.ndarray, list[str]], Callable[[np.ndarray], tuple[list[str], np.ndarray]]]


@dataclass(frozen=True)
class Example:
    """One training example."""

    text: str
    lang: str
    intent: str


def read_examples(data_dir: Path) -> list[Example]:
    """Return the examples of data/nlu and, as `faq`, the questions of data/kb."""
    found: list[Example] = []
    for path in sorted((data_dir / "nlu").glob("*/*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            lines = [line.removeprefix("- ").strip() for line in block["examples"].splitlines()]
            found += [Example(line, path.parent.name, block["intent"]) for line in lines if line]
    for lang, questions in read_questions(data_dir, PER_ARTICLE).items():
        found += [Example(question, lang, "faq") for question in questions]
    return found


def encode(examples: list[Example]) -> np.ndarray:
    """Return one unit vector an example, before centring."""
    cache = shared_cache(len(examples))
    for path in vector_files():
        cache.load(path)
    return cache.vectors([text_to_encode(example.text, example.lang) for example in examples])


def centred(vectors: np.ndarray, examples: list[Example], train: np.ndarray) -> np.ndarray:
    """Return the vectors less the mean of their language over the training rows, of unit length."""
    rows = np.flatnonzero(train)
    langs, intents = [examples[row].lang for row in rows], [examples[row].intent for row in rows]
    means = balanced_means(vectors[rows], langs, intents)
    result = vectors - np.stack([means[example.lang] for example in examples])
    return np.asarray(result / np.linalg.norm(result, axis=1, keepdims=True))


def folds(examples: list[Example], count: int) -> Iterator[np.ndarray]:
    """Yield a mask of the test rows of each fold, spread evenly over intents and languages."""
    order = list(range(len(examples)))
    random.Random(7).shuffle(order)
    order.sort(key=lambda row: (examples[row].intent, examples[row].lang))
    number = np.empty(len(examples), dtype=int)
    number[order] = np.arange(len(examples)) % count
    for fold in range(count):
        yield number == fold


def logistic(strength: float, favour: float = 3.0) -> Fit:
    """Return a learner of ours."""

    def fit(vectors: np.ndarray, labels: list[str]) -> Callable[[np.ndarray], tuple[list[str], np.ndarray]]:
        model = LinearModel.fit(vectors, labels, strength, "faq", favour)
        return lambda rows: (list(model.classes), model.probabilities(rows))

    return fit


def diet(epochs: int) -> Fit:
    """Return Rasa's DIET over the same vectors, standardised (plain ones it hardly learns from), intents only."""
    from rasa.engine.graph import ExecutionContext, GraphSchema
    from rasa.engine.storage.local_model_storage import LocalModelStorage
    from rasa.engine.storage.resource import Resource
    from rasa.nlu.classifiers.diet_classifier import DIETClassifier
    from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, FEATURE_TYPE_SEQUENCE, INTENT, TEXT
    from rasa.shared.nlu.training_data.features import Features
    from rasa.shared.nlu.training_data.message import Message
    from rasa.shared.nlu.training_data.training_data import TrainingData

    def message(vector: np.ndarray, intent: str | None) -> Message:
        result = Message({TEXT: "text", **({INTENT: intent} if intent else {})})
        for kind in (FEATURE_TYPE_SEQUENCE, FEATURE_TYPE_SENTENCE):
            result.add_features(Features(vector[np.newaxis, :].astype(np.float32), kind, TEXT, "vectors"))
        return result

    def fit(vectors: np.ndarray, labels: list[str]) -> Callable[[np.ndarray], tuple[list[str], np.ndarray]]:
        mean, deviation = vectors.mean(axis=0), vectors.std(axis=0) + 1e-6
        settings = {
            **DIETClassifier.get_default_config(),
            "epochs": epochs, "entity_recognition": False, "ranking_length": 0, "random_seed": 7,
            "constrain_similarities": True, "number_of_transformer_layers": 0, "drop_rate": 0.1,
            "connection_density": 0.5,
            "hidden_layers_sizes": {"text": [256], "label": []}, "featurizers": [],
        }  # fmt: skip
        context = ExecutionContext(GraphSchema({}), node_name="diet")
        storage = LocalModelStorage(Path(tempfile.mkdtemp()))
        classifier = DIETClassifier(settings, storage, Resource("diet"), context)
        standard = (vectors - mean) / deviation
        classifier.train(TrainingData([message(row, label) for row, label in zip(standard, labels, strict=True)]))
        names = sorted(set(labels))

        def predict(rows: np.ndarray) -> tuple[list[str], np.ndarray]:
            messages = classifier.process([message(row, None) for row in (rows - mean) / deviation])
            table = np.zeros((len(rows), len(names)))
            for index, item in enumerate(messages):
                for hit in item.get("intent_ranking"):
                    table[index, names.index(hit["name"])] = hit["confidence"]
            return names, table

        return predict

    return fit


def decide(names: list[str], table: np.ndarray) -> list[str]:
    """Return the intents as Rasa's FallbackClassifier would leave them."""
    ranked = np.sort(table, axis=1)[:, ::-1]
    is_weak = (ranked[:, 0] < THRESHOLD) | (ranked[:, 0] - ranked[:, 1] < AMBIGUITY)
    return ["nlu_fallback" if weak else names[best] for weak, best in zip(is_weak, table.argmax(axis=1), strict=True)]


def measure(title: str, examples: list[Example], vectors: np.ndarray, fit: Fit, count: int, centre: bool) -> None:
    """Print one row of figures."""
    langs = np.array([example.lang for example in examples])
    labels = [example.intent for example in examples]
    decided: list[str] = [""] * len(examples)
    top: list[str] = [""] * len(examples)
    started = time.monotonic()
    for test in folds(examples, count):
        rows = centred(vectors, examples, ~test) if centre else vectors
        predict = fit(rows[~test], [label for label, is_test in zip(labels, test, strict=True) if not is_test])
        names, table = predict(rows[test])
        for row, intent, best in zip(np.flatnonzero(test), decide(names, table), table.argmax(axis=1), strict=True):
            decided[row], top[row] = intent, names[best]
    seconds = (time.monotonic() - started) / count
    others = [row for row, label in enumerate(labels) if label != "faq"]
    questions = [row for row, label in enumerate(labels) if label == "faq"]
    right = np.mean([top[row] == labels[row] for row in others])
    recalls = [
        np.mean([top[row] == name for row in others if labels[row] == name]) for name in sorted(set(labels) - {"faq"})
    ]
    stolen = [row for row in questions if decided[row] not in RETRIEVED]
    wrong = [
        row for row in others if decided[row] not in (labels[row], "nlu_fallback") and labels[row] not in RETRIEVED
    ]
    share = len(stolen) / max(len(questions), 1)
    fallback = np.mean([decided[row] == "nlu_fallback" for row in others])
    print(
        f"| {title} | {right:.3f} | {np.mean(recalls):.3f} | {share:.3f} | {len(wrong) / len(others):.3f} "
        f"| {fallback:.3f} | {seconds:.1f} s |",
        flush=True,
    )
    if details:
        by_lang = {
            lang: np.mean([top[row] == labels[row] for row in others if langs[row] == lang])
            for lang in np.unique(langs)
        }
        print("  right by language:", {lang: round(float(value), 3) for lang, value in by_lang.items()})
        print("  stolen by:", Counter(decided[row] for row in stolen).most_common())
        for row in stolen:
            print(f"    {examples[row].lang} {decided[row]}: {examples[row].text}")
        confused = Counter((labels[row], decided[row]) for row in wrong)
        print("  confused:", confused.most_common(25))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--diet", action="store_true", help="also train DIET, which takes minutes")
    parser.add_argument("--strengths", type=float, nargs="*", default=[0.01, 0.05, 0.2])
    parser.add_argument("--details", action="store_true", help="show which questions and intents went wrong")
    options = parser.parse_args()
    details: bool = options.details
    everything = read_examples(options.data)
    matrix = encode(everything)
    print(f"{len(everything)} examples, {sum(example.intent == 'faq' for example in everything)} of them faq")
    print("| classifier | right | mean recall | questions stolen | wrong intent | no intent | training |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for value in options.strengths:
        measure(f"logistic, C={value}, raw", everything, matrix, logistic(value), options.folds, False)
        measure(f"logistic, C={value}, centred", everything, matrix, logistic(value), options.folds, True)
    measure("logistic, C=0.05, centred, faq not favoured", everything, matrix, logistic(0.05, 1.0), options.folds, True)
    if options.diet:
        measure("DIET, raw", everything, matrix, diet(100), options.folds, False)
        measure("DIET, centred", everything, matrix, diet(100), options.folds, True)
