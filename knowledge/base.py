"""The knowledge base: every article, contact and yearly figure, ready to read.

The same class serves editors (read from `data/`, it knows the lines of the files) and the assistant (from a snapshot).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.errors import UnknownArticle, UnknownContact
from knowledge.geography import Point, load_centres
from knowledge.glossary import Glossary, load_glossary
from knowledge.loading import load_articles, load_contacts, load_facts, load_languages
from knowledge.models import Article, Contact, Fact, Language
from knowledge.origins import Origins
from knowledge.problems import raise_if_any


@dataclass(frozen=True)
class KnowledgeBase:
    """All content by id. `origins` knows file and line of each piece; it is empty when read from a snapshot."""

    articles: Mapping[str, Article]
    contacts: Mapping[str, Contact]
    facts: Mapping[str, Fact]
    languages: Mapping[str, Language]
    centres: Mapping[str, Point] = field(default_factory=dict)
    glossary: Glossary = field(default_factory=dict)  # for editors; a snapshot goes without
    origins: Origins = field(default_factory=Origins, compare=False, repr=False)

    @classmethod
    def load(cls, data_dir: Path) -> KnowledgeBase:
        """Read the content of a data folder.

        Raises:
            ContentErrors: One or more files cannot be read; it holds every problem with file, line and mend.
        """
        origins = Origins()
        knowledge = cls(
            articles=load_articles(data_dir, origins),
            contacts=load_contacts(data_dir, origins),
            facts=load_facts(data_dir, origins),
            languages=load_languages(data_dir, origins),
            centres=load_centres(data_dir, origins),
            glossary=load_glossary(data_dir, origins),
            origins=origins,
        )
        raise_if_any(origins.problems)
        return knowledge

    @property
    def served_languages(self) -> tuple[str, ...]:
        """The languages that every article must have."""
        return tuple(lang for lang, language in self.languages.items() if language.served)

    def article(self, article: str) -> Article:
        """Return an article.

        Raises:
            UnknownArticle: There is none with this id.
        """
        if article not in self.articles:
            raise UnknownArticle(article)
        return self.articles[article]

    def contact(self, contact: str) -> Contact:
        """Return a contact.

        Raises:
            UnknownContact: There is none with this id.
        """
        if contact not in self.contacts:
            raise UnknownContact(contact)
        return self.contacts[contact]
