"""Two things that Rasa works out again at every message, though they never change, made once.

Both were measured in a running service (docs/measurements/service.md), and what comes out of them stays the same.
"""

from functools import lru_cache
from typing import Any

from jsonschema.exceptions import best_match
from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.events import Event

_resolve_by_type = Event.resolve_by_type


@lru_cache(maxsize=1)
def _validator() -> Any:
    schema = RemoteAction.action_response_format_spec()
    kind = validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def validate_action_result(self: RemoteAction, result: dict[str, Any]) -> bool:
    """Return True for an answer that fits; Rasa's own check would first check the schema itself, every time.

    Raises:
        ValidationError: It does not; the message says where.
    """
    error = best_match(_validator().iter_errors(result))
    if error is None:
        return True
    error.message += ". The action server answered in another form than Rasa expects; do both have matching versions?"
    raise error


@lru_cache(maxsize=256)
def event_class(type_name: str, default: type[Event] | None = None) -> type[Event] | None:
    """Return the class of a stored event; Rasa's own search walks all kinds of events for each one it reads.

    Raises:
        ValueError: There is no such event.
    """
    return _resolve_by_type(type_name, default)


def make_rasa_quick() -> None:
    """Put them in the place of Rasa's."""
    RemoteAction._validate_action_result = validate_action_result
    Event.resolve_by_type = staticmethod(event_class)
