"""The errors of this package; each says what is wrong and what to do next."""

from __future__ import annotations

from pathlib import Path


class BotError(Exception):
    """Base of every error that this package raises."""


class SettingsProblem(BotError):
    """A setting is not usable as it is."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The settings cannot be used:\n" + "\n".join(f"  {line}" for line in problems))
        self.problems = problems


class SecretsUnusable(BotError):
    """The file with the generated secrets cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} {reason}. Put a copy of it back if you have one. Remove it and start again otherwise: new secrets "
            "are made, web chats begin anew, and stored addresses and photos cannot be read any more."
        )
        self.path = path


class StoreUnavailable(BotError):
    """The message store is locked or away, even after waiting and trying again."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The message store does not answer: {reason}. Is another program holding the database?")


class UnknownConversation(BotError):
    """No such conversation is stored; it may have been erased."""

    def __init__(self, conversation: str) -> None:
        super().__init__("There is no such conversation (any more). Start a new one.")
        self.conversation = conversation
