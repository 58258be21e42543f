"""The words of the console."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from bot.channels.base import Unreadable
from bot.console.texts import LANGUAGES, ConsoleTexts

DATA = Path(__file__).parents[3] / "data"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("what", get_args(Unreadable))
def test_all_that_a_channel_cannot_read_has_a_name_for_the_staff(lang: str, what: Unreadable) -> None:
    assert ConsoleTexts.load(DATA).t(lang, f"entry.unsupported.{what}")
