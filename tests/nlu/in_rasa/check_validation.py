"""Answers of actions are still checked, only without checking the schema again at each."""

import unittest
from unittest import mock

from jsonschema import ValidationError
from rasa.core.actions.action import RemoteAction

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
