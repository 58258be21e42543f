"""The errors of this package; each says what is wrong and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from knowledge.problems import Problem


class KnowledgeError(Exception):
    """Base of every error that this package raises."""


class ContentErrors(KnowledgeError):
    """Content files cannot be read as they are; holds every problem, not just the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        lines = "\n".join(str(problem) for problem in problems)
        count = len(problems)
        super().__init__(f"{count} problem{'' if count == 1 else 's'} in the content:\n{lines}")
        self.problems = tuple(problems)


class LocaleProblem(KnowledgeError):
    """A text of `data/locales` is missing or does not take the values it was given."""

    def __init__(self, lang: str, key: str, reason: str) -> None:
        super().__init__(f"data/locales/{lang}.yml: {key}: {reason}")
        self.lang = lang
        self.key = key


class UnknownArticle(KnowledgeError):
    """No article has this id."""

    def __init__(self, article: str) -> None:
        super().__init__(f"There is no article {article!r}. Look in data/kb, then run `zorgbrug kb publish`.")
        self.article = article


class UnknownContact(KnowledgeError):
    """No contact has this id."""

    def __init__(self, contact: str) -> None:
        super().__init__(f"There is no contact {contact!r}. Look in data/contacts, then run `zorgbrug kb publish`.")
        self.contact = contact


class UnknownFact(KnowledgeError):
    """A text uses a figure that `data/facts.yml` does not have."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no figure {name!r}. Add it to data/facts.yml or correct the placeholder.")
        self.name = name


class EncoderNotFound(KnowledgeError):
    """The encoder that the settings name cannot be loaded."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"The encoder {name!r} cannot be loaded: {reason}. "
            "Give a hub name, a folder with a sentence-transformers model, or `bundled`."
        )
        self.name = name


class EncoderMismatch(KnowledgeError):
    """A snapshot was built with another encoder than the one in use, so its vectors mean nothing here."""

    def __init__(self, snapshot: str, built_with: str, in_use: str) -> None:
        super().__init__(
            f"Snapshot {snapshot} was built with encoder {built_with}, but {in_use} is in use. "
            "Publish again with `zorgbrug kb publish`."
        )
        self.snapshot = snapshot
        self.built_with = built_with
        self.in_use = in_use


class SnapshotNotFound(KnowledgeError):
    """Nothing has been published yet, so there is nothing to answer from."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"No snapshot in {folder}. Publish one with `zorgbrug kb publish`.")
        self.folder = folder


class SnapshotCorrupt(KnowledgeError):
    """A snapshot does not hold what its manifest says."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"Snapshot {folder.name} is damaged: {reason}. Publish again with `zorgbrug kb publish`.")
        self.folder = folder
        self.reason = reason
