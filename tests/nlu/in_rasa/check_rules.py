"""What the rules of data/rules choose, run by tests/nlu/test_in_rasa.py with the Python of the Rasa environment."""

import tempfile
import unittest
from pathlib import Path
from typing import ClassVar

import yaml
from rasa.core.policies.rule_policy import RulePolicy
from rasa.core.training import load_data
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    Event,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

ASKING = [ActiveLoop("handoff_form"), SlotSet("requested_slot", "place"), ActionExecuted("action_listen")]


def said(intent: str) -> UserUttered:
    return UserUttered(intent, {"name": intent, "confidence": 1.0})


class RulesTest(unittest.TestCase):
    domain: ClassVar[Domain]
    policy: ClassVar[RulePolicy]

    @classmethod
    def setUpClass(cls) -> None:
        cls.domain = Domain.load(["data/domain"])
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        (settings,) = yaml.safe_load(Path("config.yml").read_text())["policies"]
        context = ExecutionContext(GraphSchema({}), node_name="rules")
        storage = LocalModelStorage(Path(folder.name))
        config = {**RulePolicy.get_default_config(), **settings}
        cls.policy = RulePolicy(config, storage, Resource("rules"), context)
        cls.policy.train(load_data("data/rules", cls.domain), cls.domain)

    def next_action(self, *events: Event) -> str | None:
        """Return the action that the rules choose after these events, or None where no rule holds."""
        tracker = DialogueStateTracker.from_events("c", [ActionExecuted("action_listen"), *events], self.domain.slots)
        prediction = self.policy.predict_action_probabilities(tracker, self.domain)
        if max(prediction.probabilities) <= 0.0:
            return None
        return str(self.domain.action_names_or_texts[prediction.max_confidence_index])

    def in_form(self, intent: str) -> list[Event]:
        """Return the events of a message in the form that fills no slot, up to the form giving way."""
        return [
            said("ask_human"),
            ActionExecuted("handoff_form"),
            *ASKING,
            said(intent),
            ActionExecutionRejected("handoff_form"),
        ]

    def test_a_question_is_answered_and_then_waited(self) -> None:
        for intent in ("faq", "out_of_scope", "nlu_fallback"):
            assert self.next_action(said(intent)) == "action_answer"
        assert self.next_action(said("faq"), ActionExecuted("action_answer")) == "action_listen"

    def test_a_state_that_no_rule_knows_ends_the_turn(self) -> None:
        assert self.next_action(said("faq"), ActionExecuted("action_smalltalk")) is None

    def test_asking_for_a_person_begins_the_form(self) -> None:
        assert self.next_action(said("ask_human")) == "handoff_form"

    def test_an_emergency_ends_the_form(self) -> None:
        for kind in ("medical", "suicide", "violence"):
            events = self.in_form(f"emergency_{kind}")
            assert self.next_action(*events) == "action_deactivate_loop"
            left = [
                *events,
                ActionExecuted("action_deactivate_loop"),
                ActiveLoop(None),
                SlotSet("requested_slot", None),
            ]
            assert self.next_action(*left) == "action_emergency"

    def test_stop_and_no_end_the_form(self) -> None:
        for intent in ("stop", "deny", "goodbye"):
            events = self.in_form(intent)
            assert self.next_action(*events) == "action_deactivate_loop"
            left = [
                *events,
                ActionExecuted("action_deactivate_loop"),
                ActiveLoop(None),
                SlotSet("requested_slot", None),
            ]
            assert self.next_action(*left) == "action_stop"

    def test_a_question_in_the_form_is_answered_and_the_form_asks_again(self) -> None:
        events = self.in_form("faq")
        assert self.next_action(*events) == "action_answer"
        assert self.next_action(*events, ActionExecuted("action_answer")) == "handoff_form"

    def test_the_complete_form_is_handed_over(self) -> None:
        events: list[Event] = [
            said("ask_human"), ActionExecuted("handoff_form"), *ASKING, said("give_place"), SlotSet("place", "Breda"),
            ActionExecuted("handoff_form"), SlotSet("share_consent", True), ActiveLoop(None),
            SlotSet("requested_slot", None),
        ]  # fmt: skip
        assert self.next_action(*events) == "action_handoff"
        assert self.next_action(*events, ActionExecuted("action_handoff")) == "action_listen"


if __name__ == "__main__":
    unittest.main()
