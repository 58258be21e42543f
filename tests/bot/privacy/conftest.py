"""People and staff of the cases' tests, for what is kept of them."""

from __future__ import annotations

from tests.bot.cases.conftest import add_worker, person

__all__ = ["add_worker", "person"]
