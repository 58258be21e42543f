"""Our parts that need Rasa, which lives in another environment: its Python runs the checks of tests/nlu/in_rasa."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-rasa" / "bin" / "python"


@pytest.mark.rasa
@pytest.mark.parametrize("checks", ["check_components", "check_rules", "check_quick_rasa"])
def test_the_parts_inside_rasa_pass_their_checks(checks: str) -> None:
    assert PYTHON.exists(), "There is no Rasa environment. Run `make setup` first."
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "SQLALCHEMY_SILENCE_UBER_WARNING": "1", "RASA_TELEMETRY_ENABLED": "false"}
    outcome = subprocess.run(
        [str(PYTHON), "-W", "ignore", "-m", "unittest", f"tests/nlu/in_rasa/{checks}.py"],
        cwd=ROOT,
        env={**os.environ, **quiet, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr[-4000:]
