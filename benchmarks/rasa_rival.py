"""Train a plain Rasa bot on the questions of the articles and ask it: the rival of `zorgbrug eval --compare`.

Runs in the Rasa environment: `.venv-rasa/bin/python -m benchmarks.rasa_rival task.json`. The task holds `training`
(text and article, or null) and `questions`; the answers go to task.out.json. DIET tells questions of ours from
others and the ResponseSelector picks the article, as Rasa's documentation of FAQs has it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# On 12,000 examples an epoch of DIET takes two minutes on 2 cores. It has two intents to tell apart, which it can after
# the first one; the ResponseSelector has 64 articles.
DIET_EPOCHS, SELECTOR_EPOCHS = 3, 10
PIPELINE = [
    {"name": "WhitespaceTokenizer"},
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4, "min_df": 3},
    {"name": "DIETClassifier", "epochs": DIET_EPOCHS, "entity_recognition": False, "constrain_similarities": True},
    {"name": "ResponseSelector", "epochs": SELECTOR_EPOCHS, "retrieval_intent": "faq", "constrain_similarities": True},
    {"name": "FallbackClassifier", "threshold": 0.3},
]


def write_files(folder: Path, training: list[dict[str, Any]]) -> None:
    """Write config, training data and domain."""
    import yaml

    by_intent: dict[str, list[str]] = {}
    for item in training:
        text = " ".join(str(item["text"]).translate(str.maketrans("[]{}", "()()")).split()).lstrip("/")
        by_intent.setdefault(f"faq/{item['article']}" if item["article"] else "out_of_scope", []).append(text)
    nlu = [  # a block of text each: a list of examples is read a hundred times slower
        {"intent": intent, "examples": "".join(f"- {text}\n" for text in texts)} for intent, texts in by_intent.items()
    ]
    responses = {
        f"utter_{intent}": [{"text": intent.partition("/")[2]}] for intent in by_intent if intent.startswith("faq/")
    }
    (folder / "config.yml").write_text(yaml.safe_dump({"recipe": "default.v1", "language": "nl", "pipeline": PIPELINE}))
    (folder / "nlu.yml").write_text(yaml.safe_dump({"version": "3.1", "nlu": nlu}, allow_unicode=True), "utf-8")
    domain = {"version": "3.1", "intents": ["faq", "out_of_scope"], "responses": responses}
    (folder / "domain.yml").write_text(yaml.safe_dump(domain, allow_unicode=True), "utf-8")


async def ask(model: str, questions: list[str]) -> list[dict[str, Any]]:
    """Return for each question the kind of reply and the articles with their confidence."""
    from rasa.core.agent import Agent

    agent = Agent.load(model)
    answers = []
    for text in questions:
        parsed = await agent.parse_message(text.lstrip("/") or "?")
        selected = parsed.get("response_selector", {}).get("faq", {}).get("ranking", [])
        ranked = [(hit["intent_response_key"].partition("/")[2], float(hit["confidence"])) for hit in selected[:3]]
        kind = "answer" if parsed["intent"]["name"] == "faq" else "abstain"
        answers.append({"kind": kind, "ranked": ranked})
    return answers


def main(task_file: Path) -> None:
    import asyncio

    from rasa.model_training import train_nlu

    task = json.loads(task_file.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder, task["training"])
        model = train_nlu(
            str(folder / "config.yml"),
            str(folder / "nlu.yml"),
            str(folder / "models"),
            domain=str(folder / "domain.yml"),
        )
        answers = asyncio.run(ask(str(model), task["questions"]))
    task_file.with_suffix(".out.json").write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say which task: python -m benchmarks.rasa_rival task.json")
    main(Path(sys.argv[1]))
