"""The same on PostgreSQL, where rows are locked one by one and JSON is asked for in another way."""

from __future__ import annotations

import pytest

from bot.settings import Settings
from tests.bot.cases.test_cases import (
    test_a_case_that_nobody_takes_is_told_of_then_passed_on_and_only_in_opening_hours,
    test_a_claimed_conversation_goes_to_the_worker_and_the_bot_says_nothing,
    test_a_red_flag_alone_opens_an_urgent_case_that_shares_nothing,
    test_after_the_end_one_question_is_asked_and_its_answer_kept,
    test_every_act_on_a_case_is_in_the_audit_log,
    test_twenty_workers_claim_the_same_case_at_once_and_exactly_one_gets_it,
)
from tests.servers import PostgresServer

__all__ = [
    "test_a_case_that_nobody_takes_is_told_of_then_passed_on_and_only_in_opening_hours",
    "test_a_claimed_conversation_goes_to_the_worker_and_the_bot_says_nothing",
    "test_a_red_flag_alone_opens_an_urgent_case_that_shares_nothing",
    "test_after_the_end_one_question_is_asked_and_its_answer_kept",
    "test_every_act_on_a_case_is_in_the_audit_log",
    "test_twenty_workers_claim_the_same_case_at_once_and_exactly_one_gets_it",
]


@pytest.fixture
def settings(settings: Settings, postgres: PostgresServer) -> Settings:
    return settings.model_copy(update={"database_url": postgres.url(postgres.new_database())})
