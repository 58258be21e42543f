"""Intent classifier: multinomial logistic regression over the sentence vectors.

Chosen over DIET by measurement, see docs/measurements/intents.md. Trained by scikit-learn; what is kept is two arrays,
and a prediction is one product of them.
"""

import json
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


@dataclass(frozen=True)
class LinearModel:
    """Weights for standardised vectors; `weights` has one row a class."""

    classes: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray

    @classmethod
    def fit(cls, vectors: np.ndarray, labels: list[str], strength: float, rounds: int = 400) -> "LinearModel":
        """Learn; every class counts the same, however many examples it has.

        Args:
            vectors: One row an example, shape (n, dim).
            labels: The class of each row.
            strength: How freely the weights may grow (scikit-learn's C).
            rounds: Most iterations.
        """
        mean = vectors.mean(axis=0)
        deviation = vectors.std(axis=0) + 1e-6
        learner = LogisticRegression(C=strength, class_weight="balanced", max_iter=rounds)
        learner.fit((vectors - mean) / deviation, labels)
        # The standardising is folded into the weights, so that a prediction needs none.
        weights = learner.coef_ / deviation
        return cls(tuple(map(str, learner.classes_)), weights, learner.intercept_ - weights @ mean)

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
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the settings of config.yml and their defaults."""
        return {"strength": 0.01}

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
        return cls(config, model_storage, resource, LinearModel(classes, weights, bias))

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from all examples that have an intent and a vector."""
        examples = [example for example in training_data.intent_examples if _vector(example) is not None]
        vectors = np.stack([_vector(example) for example in examples])
        labels = [str(example.get(INTENT)) for example in examples]
        model = LinearModel.fit(vectors, labels, float(self._config["strength"]))
        with self._model_storage.write_to(self._resource) as folder:
            (folder / "classes.json").write_text(json.dumps(model.classes), encoding="utf-8")
            np.save(folder / "weights.npy", model.weights.astype(np.float32), allow_pickle=False)
            np.save(folder / "bias.npy", model.bias.astype(np.float32), allow_pickle=False)
        self._model = model
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set `intent` and `intent_ranking`; a message without a word has none."""
        for message in messages:
            vector = _vector(message) if tokens(text_to_read(message)) else None
            ranking = [] if vector is None or self._model is None else self._rank(vector)
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


def _vector(message: Message) -> np.ndarray | None:
    _, sentence = message.get_dense_features(TEXT)
    return None if sentence is None else np.asarray(sentence.features).reshape(-1)
