"""Train Rasa when what it learns from has changed.

The model is written beside the old one and moved into place whole: a training that fails leaves the old one serving.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RASA = ROOT / ".venv-rasa" / "bin" / "rasa"
RASA_PYTHON = ROOT / ".venv-rasa" / "bin" / "python"
MODEL_NAME = "zorgbrug"


class TrainingFailed(Exception):
    """Rasa did not train; the text says where to look."""


def rasa_environment() -> dict[str, str]:
    """Return the environment of every Rasa process: no telemetry, no error reports, our components importable."""
    return {
        **os.environ,
        "RASA_TELEMETRY_ENABLED": "false",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # A ticket outlives no request of the bot by much, or the conversation of a server that died would stand still.
        "TICKET_LOCK_LIFETIME": "10",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),  # at INFO Rasa may write what people said
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }


def training_inputs(data_dir: Path) -> Iterator[Path]:
    """Yield every file that changes what Rasa learns, in a fixed order."""
    yield ROOT / "config.yml"
    yield ROOT / "nlu" / "constraints.txt"
    for folder in ("domain", "nlu", "rules", "languages"):
        yield from sorted(path for path in (data_dir / folder).rglob("*") if path.is_file())
    yield from sorted((data_dir / "kb").glob("*/*.md"))
    yield data_dir / "languages.yml"
    yield from sorted((ROOT / "nlu").rglob("*.py"))


def inputs_digest(paths: Iterable[Path]) -> str:
    """Return one digest over names and contents."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.name.encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def train(data_dir: Path, var_dir: Path, force: bool = False) -> bool:
    """Train unless the model is of these inputs already; return whether it trained.

    Raises:
        TrainingFailed: Rasa ended with an error; the model in use has not changed.
    """
    models, work = var_dir / "models", var_dir / "train"
    model, stamp = models / f"{MODEL_NAME}.tar.gz", models / f"{MODEL_NAME}.inputs"
    digest = inputs_digest(training_inputs(data_dir))
    if not force and model.exists() and stamp.exists() and stamp.read_text() == digest:
        return False
    if not RASA.exists():
        raise TrainingFailed("There is no Rasa environment. Run `make setup` first.")
    models.mkdir(parents=True, exist_ok=True)
    (work / "nlu").mkdir(parents=True, exist_ok=True)
    (var_dir / "logs").mkdir(parents=True, exist_ok=True)
    log = var_dir / "logs" / "train.log"
    steps = [
        [RASA_PYTHON, "-m", "nlu.faq_examples", data_dir, work / "nlu" / "faq.yml"],
        [RASA, "train", "--config", ROOT / "config.yml", "--domain", data_dir / "domain", "--data", data_dir / "nlu",
         data_dir / "rules", work / "nlu", "--out", work, "--fixed-model-name", MODEL_NAME, "--force",
         "--skip-validation"],  # the tests of data/nlu look closer, and it reads everything once more
    ]  # fmt: skip
    with log.open("w") as out:
        for step in steps:
            command = [str(part) for part in step]
            if subprocess.run(
                command, cwd=ROOT, env=rasa_environment(), stdout=out, stderr=out, check=False
            ).returncode:
                last = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
                raise TrainingFailed(f"Training failed; the model in use has not changed. The end of {log}:\n{last}")
    os.replace(work / f"{MODEL_NAME}.tar.gz", model)
    stamp.write_text(digest)
    return True


def exec_rasa(var_dir: Path, port: int, token: str, host: str = "127.0.0.1", endpoints: str = "endpoints.yml") -> None:
    """Replace this process by the Rasa server, listening on the loopback alone unless told otherwise."""
    model = var_dir / "models" / f"{MODEL_NAME}.tar.gz"
    if not model.exists():
        raise TrainingFailed(f"There is no trained model at {model}. Run `zorgbrug train`.")
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execve(
        RASA,
        [str(RASA), "run", "--interface", host, "--port", str(port), "--enable-api", f"--auth-token={token}",
         "--model", str(model), "--credentials", "credentials.yml", "--endpoints", endpoints],
        rasa_environment(),
    )  # fmt: skip
