"""Emergencies that no word list knows: is somebody in danger now, by meaning and by spelling together.

Two logistic regressions read each message, one its sentence vector, one its groups of letters; the sum of both decides.
Each alone misses what the other finds, see docs/measurements/redflags.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, INTENT_RANKING_KEY, PREDICTED_CONFIDENCE_KEY
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from nlu.components.common import LANG, text_to_read
from nlu.components.featurizer import SentenceFeaturizer
from nlu.components.intents import EMERGENCY, LinearModel, sentence_vector
from nlu.text import tokens
from nlu.transliteration import to_native_script

COUNTER = HashingVectorizer(
    analyzer="char_wb", ngram_range=(2, 5), n_features=2**17, alternate_sign=False, norm=None, dtype=np.float32
)


@dataclass(frozen=True)
class DangerModel:
    """Two linear models whose scores, each in its own standard deviations, are added; and one for the kind of danger.

    Attributes:
        vector_weights: Shape (dim,).
        letter_weights: Shape (groups of letters,).
        rarity: Inverse document frequency of each group of letters.
        bias: Shape ().
        kinds: Names of the emergency intents, shape (kinds,).
        kind_weights: Shape (kinds, dim).
        kind_bias: Shape (kinds,).
    """

    vector_weights: np.ndarray
    letter_weights: np.ndarray
    rarity: np.ndarray
    bias: np.ndarray
    kinds: np.ndarray
    kind_weights: np.ndarray
    kind_bias: np.ndarray

    @classmethod
    def fit(
        cls, vectors: np.ndarray, texts: Sequence[str], intents: Sequence[str], by_vector: float, by_letters: float
    ) -> "DangerModel":
        """Learn to tell emergencies from all else, and from each other.

        Args:
            vectors: Centred sentence vectors, one row an example, shape (n, dim).
            texts: The same messages, as `readable` gives them.
            intents: Their intents, of which at least two begin with `EMERGENCY`.
            by_vector: How freely the weights of the vector may grow (scikit-learn's C).
            by_letters: The same for the letters.
        """
        in_danger = np.array([intent.startswith(EMERGENCY) for intent in intents])
        mean, deviation = vectors.mean(axis=0), vectors.std(axis=0) + 1e-6
        vector_weights, vector_bias = _tell_apart((vectors - mean) / deviation, in_danger, by_vector)
        vector_weights = vector_weights / deviation
        vector_bias -= vector_weights @ mean
        counts = COUNTER.transform(texts)
        weighting = TfidfTransformer(sublinear_tf=True).fit(counts)
        letters = weighting.transform(counts)
        letter_weights, letter_bias = _tell_apart(letters, in_danger, by_letters)
        vector_spread = (vectors @ vector_weights).std() + 1e-6
        letter_spread = (letters @ letter_weights).std() + 1e-6
        kinds = LinearModel.fit(vectors[in_danger], [i for i in intents if i.startswith(EMERGENCY)], by_vector)
        return cls(
            vector_weights=(vector_weights / vector_spread).astype(np.float32),
            letter_weights=(letter_weights / letter_spread).astype(np.float32),
            rarity=np.asarray(weighting.idf_, dtype=np.float32),
            bias=np.float32(vector_bias / vector_spread + letter_bias / letter_spread),
            kinds=np.array(kinds.classes),
            kind_weights=kinds.weights.astype(np.float32),
            kind_bias=kinds.bias.astype(np.float32),
        )

    def probabilities(self, vectors: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        """Return how surely each message speaks of danger now, shape (n,)."""
        letters = weighted(COUNTER.transform(texts), self.rarity)
        return np.asarray(expit(vectors @ self.vector_weights + letters @ self.letter_weights + self.bias))

    def kind(self, vector: np.ndarray) -> str:
        """Return the likeliest kind of danger."""
        return str(self.kinds[np.argmax(self.kind_weights @ vector + self.kind_bias)])

    def save(self, path: Path) -> None:
        """Write all arrays to a file."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> "DangerModel":
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})


def readable(text: str, lang: str) -> str:
    """Return the words of a message, folded, in the script of its language."""
    return " ".join(tokens(to_native_script(text, lang)))


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class EmergencyClassifier(IntentClassifier, GraphComponent):
    """Overrules the intent of a message that speaks of danger now."""

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        model: DangerModel | None = None,
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the settings of config.yml and their defaults.

        `by_vector` and `by_letters` are those of `DangerModel.fit`; from `threshold` on it is an emergency.
        """
        return {"by_vector": 0.01, "by_letters": 10.0, "threshold": 0.6}

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
    ) -> "EmergencyClassifier":
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
    ) -> "EmergencyClassifier":
        """Load the weights."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, DangerModel.load(folder / "danger.npz"))

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from all examples that have an intent and a vector."""
        examples = [example for example in training_data.intent_examples if sentence_vector(example) is not None]
        self._model = DangerModel.fit(
            np.stack([sentence_vector(example) for example in examples]),
            [_read(example) for example in examples],
            [str(example.get(INTENT)) for example in examples],
            self._config["by_vector"],
            self._config["by_letters"],
        )
        with self._model_storage.write_to(self._resource) as folder:
            self._model.save(folder / "danger.npz")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Put the emergency first where there is one."""
        for message in messages:
            vector, text = sentence_vector(message), _read(message)
            if self._model is None or vector is None or not text:
                continue
            probability = float(self._model.probabilities(vector[np.newaxis, :], [text])[0])
            if probability >= self._config["threshold"]:
                found = {INTENT_NAME_KEY: self._model.kind(vector), PREDICTED_CONFIDENCE_KEY: probability}
                message.set(INTENT, found, add_to_output=True)
                others = message.get(INTENT_RANKING_KEY) or []
                message.set(INTENT_RANKING_KEY, [found, *others], add_to_output=True)
        return messages


def _read(message: Message) -> str:
    return readable(text_to_read(message), str(message.get(LANG) or ""))


def weighted(counts: csr_matrix, rarity: np.ndarray) -> csr_matrix:
    """Return what TfidfTransformer(sublinear_tf=True) makes of counts, without its matrix of all groups of letters."""
    counts.data = (np.log(counts.data) + 1.0) * rarity[counts.indices]
    return normalize(counts, copy=False)


def _tell_apart(features: Any, in_danger: np.ndarray, strength: float) -> tuple[np.ndarray, float]:
    learner = LogisticRegression(C=strength, class_weight="balanced", max_iter=400).fit(features, in_danger)
    return learner.coef_[0], float(learner.intercept_[0])
