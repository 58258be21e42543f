"""Finds the Dutch municipality that a message names."""

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, PREDICTED_CONFIDENCE_KEY
from rasa.shared.nlu.training_data.message import Message

from nlu.components.common import data_dir, set_entity, text_to_read
from nlu.places import PlaceFinder
from nlu.text import tokens

PLACE_ENTITY = "place"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class PlaceExtractor(GraphComponent):
    """Adds the entity `place`; a message that is a place and nothing else has the intent `give_place`."""

    def __init__(self, finder: PlaceFinder) -> None:
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
    ) -> "PlaceExtractor":
        """Make the component for Rasa."""
        return cls(PlaceFinder.from_data(data_dir(config)))

    def process(self, messages: list[Message]) -> list[Message]:
        """Look for a place in messages that people write."""
        for message in messages:
            text = text_to_read(message)
            place = self._finder.find(text) if text else None
            if place is None:
                continue
            set_entity(message, PLACE_ENTITY, place.municipality, place.matched, type(self).__name__)
            # "Breda" and "w Breda" are places; the longer rest of a message may be a question.
            if len(tokens(text)) <= len(tokens(place.matched)) + 1:
                intent = {INTENT_NAME_KEY: "give_place", PREDICTED_CONFIDENCE_KEY: 1.0}
                message.set(INTENT, intent, add_to_output=True)
        return messages
