"""What we make quicker in Rasa gives the same as before."""

import unittest
from unittest import mock

from jsonschema import ValidationError
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.events import Event, UserUttered

import nlu.components.channel  # noqa: F401 - loading it is what puts the quick check in place

GOOD = {"events": [{"event": "slot", "timestamp": None, "name": "place", "value": "Breda"}], "responses": [{"a": 1}]}
BAD = ({"events": [{"event": "nonsense"}]}, {"events": "none"}, {"responses": ["text"]})


class QuickValidation(unittest.TestCase):
    """What Rasa asks of every answer."""

    def test_a_good_answer_passes_and_the_schema_is_not_checked_again(self) -> None:
        action = RemoteAction("action_answer", None)
        assert action._validate_action_result(GOOD)
        with mock.patch("jsonschema.validate", side_effect=AssertionError):
            assert action._validate_action_result(GOOD)

    def test_an_answer_of_another_form_is_refused(self) -> None:
        action = RemoteAction("action_answer", None)
        for answer in BAD:
            try:
                action._validate_action_result(answer)
            except ValidationError:
                continue
            self.fail(f"{answer} was taken")


class StoredEvents(unittest.TestCase):
    """What is read from the tracker store."""

    def test_an_event_is_read_as_what_it_is(self) -> None:
        assert isinstance(Event.from_parameters({"event": "user", "text": "buna", "parse_data": {}}), UserUttered)

    def test_an_event_of_an_unknown_kind_is_refused_each_time(self) -> None:
        for _ in range(2):
            try:
                Event.from_parameters({"event": "nonsense"})
            except ValueError:
                continue
            self.fail("an event of no kind was read")
