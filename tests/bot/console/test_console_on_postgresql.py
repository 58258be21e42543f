"""The pages that ask the database for more than rows, on PostgreSQL."""

from __future__ import annotations

import pytest

from bot.settings import Settings
from tests.bot.console.test_console import (
    test_a_case_is_claimed_answered_noted_and_closed,
    test_a_supervisor_steps_into_a_conversation_that_the_bot_has,
    test_the_figures_count_cases_and_come_as_csv,
)
from tests.servers import PostgresServer

__all__ = [
    "test_a_case_is_claimed_answered_noted_and_closed",
    "test_a_supervisor_steps_into_a_conversation_that_the_bot_has",
    "test_the_figures_count_cases_and_come_as_csv",
]


@pytest.fixture
def settings(settings: Settings, postgres: PostgresServer) -> Settings:
    return settings.model_copy(update={"database_url": postgres.url(postgres.new_database())})
