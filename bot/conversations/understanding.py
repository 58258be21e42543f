"""What can be told of a message in this process, at once and without Rasa: danger, language, place."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from bot.channels.base import Content, Location, Text
from bot.conversations.language import language_of_message
from bot.conversations.messages import clean_text, has_words
from knowledge.locales import FALLBACK
from nlu.languages import LanguageIdentifier
from nlu.places import PlaceFinder
from nlu.redflags import RedFlag, RedFlagDetector

# The detector reads texts up to a length; a longer one is read in pieces that overlap by more than any phrase.
PIECE_LENGTH = 10_000
PIECE_OVERLAP = 300
# Up to here the search takes less than handing it to a thread.
SHORT_TEXT = 2_000


@dataclass(frozen=True)
class Reading:
    """What a message tells before the store is asked.

    Attributes:
        lang: Language to go on in; `is_lang_sure` when the message itself tells it.
        text: The words, cleaned; empty when it is no text.
        flag: The danger it speaks of, and `flag_lang` the language to answer that in.
        place: The municipality of a shared position.
    """

    lang: str
    is_lang_sure: bool = False
    text: str = ""
    flag: RedFlag | None = None
    flag_lang: str = FALLBACK
    place: str | None = None


class Understanding:
    """Reads messages with the helpers of `nlu`."""

    def __init__(self, red_flags: RedFlagDetector, languages: LanguageIdentifier, places: PlaceFinder) -> None:
        self._red_flags = red_flags
        self._languages = languages
        self._places = places

    @classmethod
    def from_data(cls, data_dir: Path) -> Understanding:
        """Load what the helpers know from the data folder.

        Raises:
            DataFileError: One of their files is missing or wrong.
        """
        return cls(
            RedFlagDetector.from_data(data_dir),
            LanguageIdentifier.from_data(data_dir),
            PlaceFinder.from_data(data_dir),
        )

    async def read(self, content: Content, previous: str | None, *, is_chosen: bool) -> Reading:
        """Return what the message tells, given the language that the conversation spoke before."""
        if isinstance(content, Location):
            place = self._places.nearest(content.latitude, content.longitude)
            return Reading(previous or FALLBACK, place=place.municipality)
        if not isinstance(content, Text):
            return Reading(previous or FALLBACK)
        text = clean_text(content.text)
        flag = await self._find_red_flag(text)
        if not has_words(text):
            return Reading(previous or FALLBACK, text=text, flag=flag, flag_lang=previous or FALLBACK)
        guess = self._languages.identify(text, previous)
        lang = language_of_message(guess, text, previous, is_chosen=is_chosen)
        flag_lang = guess.lang if guess.is_sure or flag is None else flag.lang
        return Reading(lang, guess.is_sure, text, flag, flag_lang)

    async def _find_red_flag(self, text: str) -> RedFlag | None:
        if len(text) <= SHORT_TEXT:
            return self._red_flags.find(text)
        return await asyncio.to_thread(self._find_in_pieces, text)

    def _find_in_pieces(self, text: str) -> RedFlag | None:
        starts = range(0, len(text), PIECE_LENGTH - PIECE_OVERLAP)
        pieces = (text[start : start + PIECE_LENGTH] for start in starts)
        return next((flag for piece in pieces if (flag := self._red_flags.find(piece))), None)
