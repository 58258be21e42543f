"""Intent classifier: multinomial logistic regression over the sentence vectors.

Chosen over DIET by measurement, see docs/measurements/intents.md. Trained by scikit-learn; what is kept is two arrays,
and a prediction is one product of them. A message that stands word for word among the examples needs no prediction:
vectors of one-word messages ("da", "skip") are the weakest.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import (
    INTENT,
    INTENT_NAME_KEY,
    INTENT_RANKING_KEY,
    PREDICTED_CONFIDENCE_KEY,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn.linear_model import LogisticRegression

from nlu.components.common import text_to_read
from nlu.components.featurizer import SentenceFeaturizer
from nlu.text import tokens

RANKED = 5
EMERGENCY = "emergency_"  # how the names of their intents begin


@dataclass(frozen=True)
class LinearModel:
    """Weights for standardised vectors; `weights` has one row a class."""

    classes: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray

    @classmethod
    def fit(
        cls, vectors: np.ndarray, labels: list[str], strength: float, favoured: str = "", favour: float = 1.0
    ) -> "LinearModel":
        """Learn; every class counts the same, however many examples it has, but for the favoured one.

        Args:
            vectors: One row an example, shape (n, dim).
            labels: The class of each row.
            strength: How freely the weights may grow (scikit-learn's C).
            favoured: The class that is taken when in doubt.
            favour: How many times as probable it is made.
        """
        mean = vectors.mean(axis=0)
        deviation = vectors.std(axis=0) + 1e-6
        learner = LogisticRegression(C=strength, class_weight="balanced", max_iter=400)
        learner.fit((vectors - mean) / deviation, labels)
        # The standardising is folded into the weights, so that a prediction needs none.
        coefficients, intercepts = learner.coef_, learner.intercept_
        if len(learner.classes_) == 2:  # scikit-learn keeps one row, for the second class
            coefficients, intercepts = np.vstack([-coefficients, coefficients]) / 2, np.array([-1, 1]) * intercepts / 2
        weights = coefficients / deviation
        bias = intercepts - weights @ mean + math.log(favour) * (learner.classes_ == favoured)
        return cls(tuple(map(str, learner.classes_)), weights, bias)

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """Return the probability of each class, shape (n, classes)."""
        scores = vectors @ self.weights.T + self.bias
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class VectorIntentClassifier(IntentClassifier, GraphComponent):
    """Gives every message an intent with its probability, and the ranking behind it."""

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        model: LinearModel | None = None,
        verbatim: dict[str, str] | None = None,
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._model = model
        self._verbatim = verbatim or {}

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the settings of config.yml and their defaults; see `LinearModel.fit`."""
        return {"strength": 0.05, "favoured": "faq", "favour": 3.0}

    @classmethod
    def required_components(cls) -> list[type]:
        """Return what must stand before it in the pipeline."""
        return [SentenceFeaturizer]

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "VectorIntentClassifier":
        """Make an untrained component for Rasa."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "VectorIntentClassifier":
        """Load the weights."""
        with model_storage.read_from(resource) as folder:
            classes = tuple(json.loads((folder / "classes.json").read_text(encoding="utf-8")))
            weights = np.load(folder / "weights.npy", allow_pickle=False)
            bias = np.load(folder / "bias.npy", allow_pickle=False)
            verbatim = json.loads((folder / "verbatim.json").read_text(encoding="utf-8"))
        return cls(config, model_storage, resource, LinearModel(classes, weights, bias), verbatim)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from all examples that have an intent and a vector; emergencies have a classifier of their own."""
        examples = [
            example
            for example in training_data.intent_examples
            if sentence_vector(example) is not None and not str(example.get(INTENT)).startswith(EMERGENCY)
        ]
        vectors = np.stack([sentence_vector(example) for example in examples])
        labels = [str(example.get(INTENT)) for example in examples]
        model = LinearModel.fit(
            vectors, labels, self._config["strength"], self._config["favoured"], self._config["favour"]
        )
        verbatim = verbatim_intents(
            (text_to_read(example), label) for example, label in zip(examples, labels, strict=True)
        )
        with self._model_storage.write_to(self._resource) as folder:
            (folder / "classes.json").write_text(json.dumps(model.classes), encoding="utf-8")
            np.save(folder / "weights.npy", model.weights.astype(np.float32), allow_pickle=False)
            np.save(folder / "bias.npy", model.bias.astype(np.float32), allow_pickle=False)
            (folder / "verbatim.json").write_text(json.dumps(verbatim, ensure_ascii=False), encoding="utf-8")
        self._model, self._verbatim = model, verbatim
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set `intent` and `intent_ranking`; a message without a word has none."""
        for message in messages:
            words = " ".join(tokens(text_to_read(message)))
            vector = sentence_vector(message) if words else None
            ranking = [] if vector is None or self._model is None else self._rank(vector)
            if words in self._verbatim:
                certain = {INTENT_NAME_KEY: self._verbatim[words], PREDICTED_CONFIDENCE_KEY: 1.0}
                rest = [hit for hit in ranking if hit[INTENT_NAME_KEY] != self._verbatim[words]]
                ranking = [certain, *({**hit, PREDICTED_CONFIDENCE_KEY: 0.0} for hit in rest)]
            best = ranking[0] if ranking else {INTENT_NAME_KEY: None, PREDICTED_CONFIDENCE_KEY: 0.0}
            message.set(INTENT, best, add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
        return messages

    def _rank(self, vector: np.ndarray) -> list[dict[str, Any]]:
        assert self._model is not None
        probabilities = self._model.probabilities(vector[np.newaxis, :])[0]
        best = np.argsort(-probabilities)[:RANKED]
        return [
            {INTENT_NAME_KEY: self._model.classes[index], PREDICTED_CONFIDENCE_KEY: float(probabilities[index])}
            for index in best
        ]


def verbatim_intents(examples: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the intent of each text, folded; a text that has two intents is left out."""
    found: dict[str, set[str]] = {}
    for text, intent in examples:
        found.setdefault(" ".join(tokens(text)), set()).add(intent)
    return {words: intents.pop() for words, intents in found.items() if words and len(intents) == 1}


def sentence_vector(message: Message) -> np.ndarray | None:
    """Return the vector of the featurizer; None for a button."""
    _, sentence = message.get_dense_features(TEXT)
    return None if sentence is None else np.asarray(sentence.features).reshape(-1)
