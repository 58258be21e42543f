"""Search: what is answered, asked back, and left alone."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from knowledge.base import KnowledgeBase
from knowledge.errors import EncoderMismatch
from knowledge.fitting import Question, fit_thresholds, measure, read_questions
from knowledge.fitting_run import fit_and_measure
from knowledge.passages import NONE, answers_of, passages_of, read_negatives, searchable
from knowledge.publishing import build_snapshot
from knowledge.retrieval_settings import RetrievalSettings, Thresholds
from knowledge.retriever import Embedding, Retriever, decide
from knowledge.snapshots import SnapshotReader
from tests.knowledge.conftest import PieceEncoder

Search = Callable[..., object]


@pytest.fixture
def retriever(data_dir: Path, tmp_path: Path, encoder: PieceEncoder) -> Retriever:
    build_snapshot(data_dir, tmp_path / "snapshots", encoder)
    return Retriever(SnapshotReader(tmp_path / "snapshots").current(), encoder)


@pytest.mark.parametrize(
    ("text", "lang", "article"),
    [
        ("hoe meld ik me aan bij een huisarts?", "nl", "gp-register"),
        ("gdzie znajde lekarza rodzinnego", "pl", "gp-register"),
        ("What is eigen risico", "en", "deductible"),
        ("dentist", "en", "dentist"),
        ("търся личен лекар", "bg", "gp-register"),
        ("tyrsq lichen lekar", "bg", "gp-register"),
    ],
)
def test_a_question_finds_its_article_in_any_language(retriever: Retriever, text: str, lang: str, article: str) -> None:
    decision = retriever.search(text, lang)
    assert decision.candidates[0].article == article
    assert sum(candidate.score for candidate in decision.candidates) <= 1.0001


@pytest.mark.parametrize("text", ["", "   ", "🙂🙂", "?!", "\x00\x07", "\u200b"])
def test_a_message_without_words_is_abstained_from(retriever: Retriever, text: str) -> None:
    assert retriever.search(text, "en").kind == "abstain"


@pytest.mark.parametrize("text", ["x" * 20_000, "dentist " * 3000, "\ud800 dentist", "a\x00b"])
def test_odd_messages_are_borne(retriever: Retriever, text: str) -> None:
    assert retriever.search(text, "en").kind in ("answer", "clarify", "abstain")


def written(text: str, encoder: PieceEncoder, vector: np.ndarray) -> Embedding:
    content = base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return Embedding(encoder=encoder.name, text=hashlib.sha256(text.encode()).hexdigest(), vector=content)


def test_an_embedding_of_just_this_text_is_used_and_any_other_is_not(
    retriever: Retriever, encoder: PieceEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = searchable("dentist", "en")
    own = retriever.search("dentist", "en")
    same = written(question, encoder, encoder.encode_query([question])[0])
    others = written("doctor", encoder, encoder.encode_query(["doctor"])[0])
    assert retriever.search("dentist", "en", embedding=others) == own
    assert retriever.search("dentist", "en", embedding=same.model_copy(update={"encoder": "another"})) == own
    monkeypatch.setattr(encoder, "encode_query", None)  # would fail if it were called
    assert retriever.search("dentist", "en", embedding=same) == own


def test_what_the_negatives_look_like_is_abstained_from(retriever: Retriever) -> None:
    assert retriever.search("who won the football match", "en").kind == "abstain"


def test_a_prior_moves_the_score_of_its_article_and_of_none(retriever: Retriever) -> None:
    def score(article: str, **priors: float) -> float:
        candidates = retriever.search("weekend costs", "en", priors).candidates
        return next((item.score for item in candidates if item.article == article), 0.0)

    assert score("dentist", dentist=1.0) > score("dentist")
    assert score("dentist", out_of_scope=1.0) < score("dentist")


def test_vectors_of_another_encoder_are_refused(data_dir: Path, tmp_path: Path, encoder: PieceEncoder) -> None:
    build_snapshot(data_dir, tmp_path / "snapshots", encoder)
    snapshot = SnapshotReader(tmp_path / "snapshots").current()
    with pytest.raises(EncoderMismatch, match="built with encoder pieces, but other is in use"):
        Retriever(snapshot, PieceEncoder(name="other"))


def test_scoring_a_question_is_quick(retriever: Retriever) -> None:
    retriever.search("warm up", "en")
    started = time.perf_counter()
    for _ in range(20):
        retriever.search("how do i register with a gp in my street", "en")
    assert (time.perf_counter() - started) / 20 < 0.025


@pytest.mark.parametrize(
    ("ranked", "kind", "shown"),
    [
        ([("a", 0.8), ("b", 0.1)], "answer", ["a", "b"]),
        ([("a", 0.4), ("b", 0.35), ("c", 0.1), ("d", 0.05)], "clarify", ["a", "b", "c"]),
        ([("a", 0.1), ("b", 0.04)], "abstain", ["a"]),
        ([(NONE, 0.5), ("a", 0.45)], "abstain", ["a"]),
        ([(NONE, 0.97), ("a", 0.02)], "abstain", []),
        ([], "abstain", []),
    ],
)
def test_a_clear_lead_is_answered_a_close_race_asked_and_nothing_near_abstained_from(
    ranked: list[tuple[str, float]], kind: str, shown: list[str]
) -> None:
    decision = decide(ranked, Thresholds(answer=0.5, abstain=0.15))
    assert decision.kind == kind
    assert [candidate.article for candidate in decision.candidates] == shown


def test_passages_are_titles_and_questions_and_answers_have_no_placeholders(knowledge: KnowledgeBase) -> None:
    article = knowledge.article("deductible")
    passages = [*passages_of([article]), *answers_of([article])]
    dutch = [passage for passage in passages if passage.lang == "nl"]
    assert [passage.kind for passage in dutch] == ["title", *["question"] * 8, "answer"]
    assert not any("{{" in passage.text for passage in passages)


def test_negatives_come_from_the_intent_examples_and_may_be_missing(data_dir: Path, tmp_path: Path) -> None:
    negatives = read_negatives(data_dir)
    assert [item.text for item in negatives][:1] == ["who won the football match"]
    assert {item.article for item in negatives} == {NONE}
    assert read_negatives(tmp_path / "nothing") == []


def test_thresholds_keep_wrong_answers_away() -> None:
    sure_and_right = (Question("a", "en", "x"), [("x", 0.9), ("y", 0.1)])
    unsure_and_wrong = (Question("b", "en", "x"), [("y", 0.6), ("x", 0.4)])
    nothing = (Question("c", "en", None), [("y", 0.2), ("x", 0.2)])
    thresholds, _ = fit_thresholds([[sure_and_right, unsure_and_wrong, nothing]])
    assert thresholds.answer > 0.6
    assert thresholds.abstain > 0.2
    quality = measure([sure_and_right, unsure_and_wrong, nothing], thresholds)["all"]
    assert (quality.recall_at_1, quality.recall_at_3, quality.answered_wrong) == (0.5, 1.0, 0.0)
    assert quality.abstained_right == 1.0


def test_fitting_writes_settings_that_can_be_read_and_reports_quality(
    data_dir: Path, tmp_path: Path, encoder: PieceEncoder
) -> None:
    report = fit_and_measure(data_dir, tmp_path / "snapshots", encoder)
    assert RetrievalSettings.load(data_dir) == report.settings
    assert report.cross_validated["all"].questions == 24 * 3 + 5
    assert report.development["en"].questions == len(read_questions(data_dir)) == 3


def test_development_questions_are_never_trained_on(data_dir: Path, tmp_path: Path, encoder: PieceEncoder) -> None:
    first = build_snapshot(data_dir, tmp_path / "snapshots", encoder)
    (data_dir / "eval/questions/en.yml").write_text("[]", encoding="utf-8")
    assert not build_snapshot(data_dir, tmp_path / "snapshots", encoder).is_new
    assert first.passages == len(passages_of(KnowledgeBase.load(data_dir).articles.values())) + 5
