"""In which language a message is, given what the conversation spoke before. Pure."""

from __future__ import annotations

from nlu.languages import LanguageGuess

FEWEST_WORDS_OF_A_SENTENCE = 4


def language_of_message(guess: LanguageGuess, text: str, previous: str | None, *, is_chosen: bool) -> str:
    """Return the language to answer in.

    A sure guess changes the language. A language that the person chose stays, unless a whole sentence is surely in
    another: then they plainly went on in that one.
    """
    if previous is None or guess.lang == previous:
        return guess.lang
    if not guess.is_sure:
        return previous
    if is_chosen and len(text.split()) < FEWEST_WORDS_OF_A_SENTENCE:
        return previous
    return guess.lang
