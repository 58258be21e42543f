"""The first component: in which language a message is written; and a later one: which language a person asks for."""

from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.common import LANG, data_dir, known_lang, remove_entity, set_entity, text_to_read
from nlu.languages import LanguageIdentifier
from nlu.wanted_language import WantedLanguageFinder

LANGUAGE_ENTITY = "language"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class LanguageComponent(GraphComponent):
    """Sets `lang` on the message and the entity `language`.

    The bot knows the conversation and has decided already: its `metadata.lang` is taken. Only a message without it,
    from Rasa's own tools, is identified here, so the identifier is made when it is first needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._identifier: LanguageIdentifier | None = None

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the settings of config.yml and their defaults."""
        return {"data_dir": "data"}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "LanguageComponent":
        """Make the component for Rasa."""
        return cls(data_dir(config))

    def process(self, messages: list[Message]) -> list[Message]:
        """Find the language of messages that people write."""
        for message in messages:
            text = text_to_read(message)
            if text:
                lang = known_lang(message) or self._identify(text)
                message.set(LANG, lang, add_to_output=True)
                set_entity(message, LANGUAGE_ENTITY, lang, "", type(self).__name__)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Note the language of every training example, as its file says."""
        for example in training_data.training_examples:
            text = text_to_read(example)
            if text:
                example.set(LANG, known_lang(example) or self._identify(text))
        return training_data

    def _identify(self, text: str) -> str:
        if self._identifier is None:
            self._identifier = LanguageIdentifier.from_data(self._folder)
        return self._identifier.identify(text).lang


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class WantedLanguageExtractor(GraphComponent):
    """With the intent `set_language`, makes the entity `language` the language asked for, or takes it away."""

    def __init__(self, finder: WantedLanguageFinder) -> None:
        self._finder = finder

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the settings of config.yml and their defaults."""
        return {"data_dir": "data"}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "WantedLanguageExtractor":
        """Make the component for Rasa."""
        return cls(WantedLanguageFinder.from_data(data_dir(config)))

    def process(self, messages: list[Message]) -> list[Message]:
        """Look for a language by name where one is asked for."""
        for message in messages:
            if (message.get(INTENT) or {}).get(INTENT_NAME_KEY) != "set_language":
                continue
            wanted = self._finder.find(text_to_read(message))
            if wanted is None:
                remove_entity(message, LANGUAGE_ENTITY)
            else:
                set_entity(message, LANGUAGE_ENTITY, wanted, "", type(self).__name__)
        return messages
