"""What several Rasa servers share, on a real PostgreSQL and a real Redis; see tests/nlu/in_rasa."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.nlu.test_in_rasa import PYTHON, ROOT
from tests.servers import PostgresServer, RedisServer


@pytest.mark.rasa
def test_trackers_and_locks_are_shared_by_several_rasa_servers(
    postgres: PostgresServer, redis_server: RedisServer
) -> None:
    environment = {
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "RASA_TELEMETRY_ENABLED": "false",
        "PYTHONPATH": str(ROOT),
        "ZORGBRUG_ACTIONS_URL": "http://127.0.0.1:1",
        "ZORGBRUG_RASA_TRACKER_URL": postgres.url(postgres.new_database(), driver="psycopg2"),
        "ZORGBRUG_REDIS_URL": redis_server.url,
    }
    outcome = subprocess.run(
        [str(PYTHON), "-W", "ignore", "-m", "unittest", "tests/nlu/in_rasa/check_shared_stores.py"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr[-4000:]
