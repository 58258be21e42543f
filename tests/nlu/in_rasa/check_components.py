"""What our parts inside Rasa do, run by tests/nlu/test_in_rasa.py with the Python of the Rasa environment."""
# ruff: noqa: PT027 - there is no pytest in the Rasa environment

import asyncio
import json
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from rasa.core.tracker_store import FailSafeTrackerStore, InMemoryTrackerStore
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn.feature_extraction.text import TfidfTransformer

from nlu.components import featurizer
from nlu.components.channel import BadMessage, ZorgbrugInput, read_message
from nlu.components.emergencies import COUNTER, EmergencyClassifier, weighted
from nlu.components.featurizer import SentenceFeaturizer, VectorCache, balanced_means, text_to_encode
from nlu.components.intents import LinearModel, VectorIntentClassifier, verbatim_intents
from nlu.components.language import LanguageComponent, WantedLanguageExtractor
from nlu.components.places import PlaceExtractor
from nlu.components.redflags import RedFlagComponent
from nlu.components.tracker_store import (
    LONGEST_SESSION,
    ErasableTrackerStore,
    ErasureNotPossible,
    erase_conversation,
)

CONTEXT = ExecutionContext(GraphSchema({}), node_name="node")
DOMAIN = Domain.load(["data/domain"])


def made(component: Any, **settings: Any) -> Any:
    """Return a component as Rasa makes it."""
    config = {**component.get_default_config(), **settings}
    return component.create(config, mock.Mock(), Resource("x"), CONTEXT)


def said(text: str, lang: str = "nl", **data: Any) -> Message:
    return Message({"text": text, "metadata": {"lang": lang}, **data})


def entities(message: Message) -> dict[str, str]:
    return {item["entity"]: item["value"] for item in message.get("entities") or []}


class LanguageTest(unittest.TestCase):
    def test_the_language_that_the_bot_decided_is_taken(self) -> None:
        (message,) = made(LanguageComponent).process([said("dzień dobry", lang="ro")])
        assert message.get("lang") == "ro"
        assert entities(message) == {"language": "ro"}

    def test_without_it_the_text_decides(self) -> None:
        (message,) = made(LanguageComponent).process([Message({"text": "gdzie jest lekarz"})])
        assert message.get("lang") == "pl"

    def test_a_button_has_no_language_of_its_own(self) -> None:
        (message,) = made(LanguageComponent).process([said('/set_language{"language": "ro"}')])
        assert entities(message) == {}

    def test_a_training_example_has_the_language_of_its_file(self) -> None:
        example = Message({"text": "ok", "intent": "affirm", "metadata": {"intent": {"lang": "bg"}}})
        made(LanguageComponent).process_training_data(TrainingData([example]))
        assert example.get("lang") == "bg"

    def test_asking_for_a_language_makes_that_one_the_entity(self) -> None:
        messages = made(LanguageComponent).process(
            [said(text, intent={"name": "set_language"}) for text in ("in het Pools graag", "andere taal")]
        )
        asked, unnamed = made(WantedLanguageExtractor).process(messages)
        assert entities(asked) == {"language": "pl"}
        assert entities(unnamed) == {}


class FindersTest(unittest.TestCase):
    def test_a_place_becomes_an_entity_and_alone_the_intent(self) -> None:
        question = said("is er een huisarts in Tilburg", intent={"name": "faq"})
        alone, asked, none = made(PlaceExtractor).process([said("w Bredzie", "pl"), question, said("hallo")])
        assert entities(alone) == {"place": "Breda"}
        assert alone.get("intent")["name"] == "give_place"
        assert entities(asked) == {"place": "Tilburg"}
        assert asked.get("intent")["name"] == "faq"
        assert entities(none) == {}

    def test_a_red_flag_overrules_the_intent(self) -> None:
        message = said("mijn man ademt niet meer", intent={"name": "faq", "confidence": 0.9})
        calm = said("wat kost een ambulance", intent={"name": "faq"})
        made(RedFlagComponent).process([message, calm])
        assert message.get("intent") == {"name": "emergency_medical", "confidence": 1.0}
        assert "red_flag" in entities(message)
        assert calm.get("intent")["name"] == "faq"


class VectorsTest(unittest.TestCase):
    def test_bulgarian_in_latin_letters_is_encoded_in_cyrillic(self) -> None:
        assert text_to_encode("kade ima lekar", "bg") == "каде има лекар"
        assert text_to_encode("kade ima lekar", "ro") == "kade ima lekar"
        assert text_to_encode("къде има GP", "bg") == "къде има GP"

    def test_of_a_long_message_both_ends_are_read(self) -> None:
        text = text_to_encode("begin " + "x" * 5000 + " einde", "nl")
        assert text.startswith("begin")
        assert text.endswith("einde")
        assert len(text) < 300

    def test_the_cache_encodes_each_text_once_and_forgets_the_oldest(self) -> None:
        asked: list[str] = []

        def encode(texts: list[str]) -> np.ndarray:
            asked.extend(texts)
            return np.array([[float(len(text))] for text in texts])

        cache = VectorCache(encode, capacity=2)
        np.testing.assert_array_equal(cache.vectors(["a", "bb", "a"]), [[1.0], [2.0], [1.0]])
        cache.vectors(["ccc"])
        cache.vectors(["a", "ccc"])
        assert asked == ["a", "bb", "ccc", "a"][: len(asked)]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "vectors.npz"
            cache.save(path, ["ccc", "unknown"])
            fresh = VectorCache(encode, capacity=2)
            fresh.load(path)
            before = len(asked)
            np.testing.assert_array_equal(fresh.vectors(["ccc"]), [[3.0]])
            assert len(asked) == before
            path.write_bytes(b"rubbish")
            fresh.load(path)  # a damaged file costs time, nothing else

    def test_room_that_was_asked_for_keeps_every_text_of_a_training(self) -> None:
        asked: list[str] = []

        def encode(texts: list[str]) -> np.ndarray:
            asked.extend(texts)
            return np.ones((len(texts), 1))

        cache = VectorCache(encode, capacity=2)
        cache.reserve(4)
        for _ in range(2):
            cache.vectors(["p", "q", "r", "s"])
        assert asked == ["p", "q", "r", "s"]

    def test_means_do_not_lean_to_the_intent_with_most_examples(self) -> None:
        vectors = np.array([[1.0], [1.0], [1.0], [3.0], [5.0], [7.0]])
        means = balanced_means(vectors, ["nl"] * 4 + ["pl"] * 2, ["a", "a", "a", "b", "a", "b"])
        assert {lang: float(mean[0]) for lang, mean in means.items()} == {"nl": 2.0, "pl": 6.0}

    def test_trained_parts_come_back_from_the_model_storage(self) -> None:
        numbers = np.random.default_rng(1)
        known = {lang: numbers.normal(size=8) for lang in ("nl", "pl")}

        def encode(texts: list[str]) -> np.ndarray:
            marks = {"hallo": 1, "hej": 1, "stop": -1, "koniec": -1}
            rows = []
            for text in texts:
                vector = known["nl" if text in ("hallo", "stop") else "pl"].copy()
                vector[0] += 5 * marks.get(text, 0)
                rows.append(vector)
            return np.stack(rows)

        with (
            tempfile.TemporaryDirectory() as folder,
            mock.patch.dict("os.environ", {"ZORGBRUG_VAR": folder}),
            mock.patch.object(featurizer, "_CACHES", {7: VectorCache(encode, 7)}),
            mock.patch.object(featurizer, "ENCODER", "of this test"),
        ):
            storage = LocalModelStorage(Path(folder))
            examples = [
                ("hallo", "nl", "greet"),
                ("hej", "pl", "greet"),
                ("stop", "nl", "stop"),
                ("koniec", "pl", "stop"),
            ]
            data = TrainingData([Message({"text": t, "intent": i, "lang": lang}) for t, lang, i in examples])
            config = {**SentenceFeaturizer.get_default_config(), "cache_size": 7}
            resource = SentenceFeaturizer.create(config, storage, Resource("f"), CONTEXT).train(data)
            loaded = SentenceFeaturizer.load(config, storage, resource, CONTEXT)
            loaded.process_training_data(data)
            settings = {**VectorIntentClassifier.get_default_config(), "strength": 1.0}
            resource = VectorIntentClassifier.create(settings, storage, Resource("i"), CONTEXT).train(data)
            classifier = VectorIntentClassifier.load(settings, storage, resource, CONTEXT)
            messages = loaded.process(
                [Message({"text": "hej", "lang": "pl"}), Message({"text": "/stop"}), Message({"text": "😀"})]
            )
            first, button, emoji = classifier.process(messages)
        assert first.get("intent") == {"name": "greet", "confidence": 1.0}
        assert button.get("intent")["name"] is None
        assert emoji.get("intent")["name"] is None


class IntentTest(unittest.TestCase):
    def test_a_text_with_two_intents_is_not_taken_word_for_word(self) -> None:
        assert verbatim_intents([("Ja!", "affirm"), ("stop", "stop"), ("Stop", "deny")]) == {"ja": "affirm"}

    def test_the_favoured_class_wins_in_doubt(self) -> None:
        vectors = np.array([[1.0], [0.9], [-1.0], [-0.9]])
        labels = ["faq", "faq", "greet", "greet"]
        middle = np.array([[0.0]])
        plain = LinearModel.fit(vectors, labels, 1.0).probabilities(middle)
        assert abs(plain[0, 0] - 0.5) < 0.001
        favoured = LinearModel.fit(vectors, labels, 1.0, "faq", 3.0).probabilities(middle)
        assert abs(favoured[0, 0] - 0.75) < 0.001

    def test_emergencies_are_left_to_their_own_classifier(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            storage = LocalModelStorage(Path(folder))
            settings = VectorIntentClassifier.get_default_config()
            resource = VectorIntentClassifier.create(settings, storage, Resource("i"), CONTEXT).train(ALARMING)
            ranking = VectorIntentClassifier.load(settings, storage, resource, CONTEXT)._rank(np.array([1.0, 0.0]))
        assert {hit["name"] for hit in ranking} == {"faq", "greet"}


def example(text: str, intent: str, vector: list[float]) -> Message:
    message = Message({"text": text, "intent": intent, "lang": "nl"})
    message.add_features(Features(np.array([vector]), FEATURE_TYPE_SENTENCE, TEXT, "f"))
    return message


ALARMING = TrainingData(
    [
        example("hij ademt niet", "emergency_medical", [1.0, 0.9]),
        example("hij ademt nauwelijks", "emergency_medical", [0.9, 0.9]),
        example("ik spring van de brug", "emergency_suicide", [1.0, -0.9]),
        example("wat kost een bril", "faq", [-1.0, 0.0]),
        example("wat kost een kies", "faq", [-0.9, 0.0]),
        example("goedendag", "greet", [-0.8, 0.0]),
    ]
)


class EmergencyTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        storage = LocalModelStorage(Path(folder.name))
        settings = {**EmergencyClassifier.get_default_config(), "by_vector": 1.0}
        resource = EmergencyClassifier.create(settings, storage, Resource("e"), CONTEXT).train(ALARMING)
        self.classifier = EmergencyClassifier.load(settings, storage, resource, CONTEXT)

    def read(self, text: str, vector: list[float]) -> Message:
        message = example(text, "", vector)
        known = {"name": "faq", "confidence": 0.9}
        message.set("intent", known)
        message.set("intent_ranking", [known])
        return self.classifier.process([message])[0]

    def test_danger_overrules_the_intent_and_has_its_kind(self) -> None:
        assert self.read("zij ademt bijna niet", [0.9, 0.9]).get("intent")["name"] == "emergency_medical"
        jump = self.read("straks spring ik", [0.9, -0.9])
        assert jump.get("intent")["name"] == "emergency_suicide"
        assert [hit["name"] for hit in jump.get("intent_ranking")] == ["emergency_suicide", "faq"]

    def test_a_question_keeps_its_intent(self) -> None:
        assert self.read("wat kost een fiets", [-0.7, 0.0]).get("intent") == {"name": "faq", "confidence": 0.9}

    def test_where_the_vector_doubts_the_letters_decide(self) -> None:
        assert self.read("hij ademt niet meer", [0.0, 0.0]).get("intent")["name"].startswith("emergency_")
        assert self.read("wat kost het", [0.0, 0.0]).get("intent")["name"] == "faq"

    def test_the_letters_weigh_what_scikit_learn_makes_of_them(self) -> None:
        texts = ["hij ademt niet", "spring spring spring"]
        rarity = np.linspace(1.0, 9.0, COUNTER.n_features, dtype=np.float32)
        weighting = TfidfTransformer(sublinear_tf=True)
        weighting.idf_ = rarity
        expected = weighting.transform(COUNTER.transform(texts))
        assert abs(weighted(COUNTER.transform(texts), rarity) - expected).max() < 1e-6

    def test_a_message_without_a_word_is_no_emergency(self) -> None:
        assert self.read("...", [1.0, 0.9]).get("intent")["name"] == "faq"


class TrackerStoreTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "tracker.db"
        self.store = ErasableTrackerStore(DOMAIN, dialect="sqlite", db=str(self.path))
        self.addCleanup(self.store.engine.dispose)

    def talk(self, sender: str, turns: int, in_form: bool = False) -> DialogueStateTracker:
        tracker = asyncio.run(self.store.get_or_create_tracker(sender))
        for number in range(turns):
            tracker.update(UserUttered(f"secret {number}", {"name": "faq", "confidence": 1.0}))
            tracker.update(SlotSet("place", "Breda"))
            if in_form:
                tracker.update(ActiveLoop("handoff_form"))
            tracker.update(ActionExecuted("action_listen"))
        asyncio.run(self.store.save(tracker))
        return tracker

    def test_erasing_one_person_leaves_the_others_and_no_trace_in_the_file(self) -> None:
        self.talk("one", 3)
        self.talk("two", 1)
        assert erase_conversation(FailSafeTrackerStore(self.store), "one") > 3
        assert asyncio.run(self.store.retrieve("one")) is None
        assert asyncio.run(self.store.retrieve("two")) is not None
        assert erase_conversation(self.store, "one") == 0
        assert b"secret 2" not in self.path.read_bytes()

    def test_a_store_that_cannot_erase_says_what_to_configure(self) -> None:
        with self.assertRaisesRegex(ErasureNotPossible, "endpoints.yml"):
            erase_conversation(InMemoryTrackerStore(DOMAIN), "one")

    def test_a_long_conversation_goes_on_in_a_new_session_with_its_slots(self) -> None:
        self.talk("one", LONGEST_SESSION)
        tracker = asyncio.run(self.store.retrieve("one"))
        assert len(tracker.events) < 20
        assert tracker.get_slot("place") == "Breda"
        assert tracker.latest_action_name == "action_listen"
        self.talk("one", 1)
        assert "secret 0" in [
            e.text for e in asyncio.run(self.store.retrieve("one")).events if isinstance(e, UserUttered)
        ]

    def test_a_form_is_never_cut_in_two(self) -> None:
        self.talk("one", LONGEST_SESSION, in_form=True)
        assert len(asyncio.run(self.store.retrieve("one")).events) > LONGEST_SESSION


class ChannelTest(unittest.TestCase):
    def test_a_message_is_read_with_its_metadata(self) -> None:
        body = {"sender": "c", "message": "hoi", "message_id": "m", "metadata": {"lang": "nl"}}
        message = read_message(json.loads(json.dumps(body)))
        assert (message.sender_id, message.text, message.message_id) == ("c", "hoi", "m")
        assert message.metadata == {"lang": "nl", "message_id": "m"}

    def test_a_body_that_is_no_message_is_refused_with_the_field(self) -> None:
        for body, field in [
            ([], "object"),
            ({"message": "x"}, "sender"),
            ({"sender": "", "message": "x"}, "sender"),
            ({"sender": "c", "message": None}, "message"),
            ({"sender": "c", "message": "x" * 20_001}, "message"),
            ({"sender": "c", "message": "x", "metadata": []}, "metadata"),
            ({"sender": "c", "message": "x", "message_id": 1}, "message_id"),
        ]:
            with self.assertRaisesRegex(BadMessage, field):
                read_message(body)

    def test_without_a_token_there_is_no_channel(self) -> None:
        for credentials in (None, {}, {"token": ""}):
            with self.assertRaisesRegex(RasaException, "token"):
                ZorgbrugInput.from_credentials(credentials)

    def test_only_the_right_token_is_let_in(self) -> None:
        channel = ZorgbrugInput.from_credentials({"token": "secret"})
        for shown, is_let_in in [("Bearer secret", True), ("Bearer secrét", False), ("secret", False), ("", False)]:
            assert channel._is_authorised(mock.Mock(headers={"authorization": shown})) == is_let_in


if __name__ == "__main__":
    unittest.main()
