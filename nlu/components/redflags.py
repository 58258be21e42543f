"""The last component: a message with words that mean danger is an emergency, whatever was thought of it before."""

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, PREDICTED_CONFIDENCE_KEY
from rasa.shared.nlu.training_data.message import Message

from nlu.components.common import data_dir, set_entity, text_to_read
from nlu.redflags import RedFlagDetector

RED_FLAG_ENTITY = "red_flag"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class RedFlagComponent(GraphComponent):
    """Sets the intent `emergency_<kind>` and the entity `red_flag` (the category, such as `chest_pain`)."""

    def __init__(self, detector: RedFlagDetector) -> None:
        self._detector = detector

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
    ) -> "RedFlagComponent":
        """Make the component for Rasa."""
        return cls(RedFlagDetector.from_data(data_dir(config)))

    def process(self, messages: list[Message]) -> list[Message]:
        """Look for red flags in messages that people write."""
        for message in messages:
            text = text_to_read(message)
            flag = self._detector.find(text) if text else None
            if flag is not None:
                intent = {INTENT_NAME_KEY: f"emergency_{flag.kind}", PREDICTED_CONFIDENCE_KEY: 1.0}
                message.set(INTENT, intent, add_to_output=True)
                set_entity(message, RED_FLAG_ENTITY, flag.category, flag.phrase, type(self).__name__)
        return messages
