"""How search weighs its parts and when it is sure enough; `data/retrieval.yml`, written by `zorgbrug kb fit`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.errors import ContentErrors
from knowledge.problems import Problem


class Weights(BaseModel):
    """How much each part says; fitted together, so that the softmax of their sum is a probability."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    meaning: float = Field(default=0.5, ge=0.0)
    wording: float = Field(default=0.5, ge=0.0)
    vector: float = Field(default=4.0, ge=0.0)
    none: float = 0.0
    prior: float = Field(default=1.0, ge=0.0)


class Freedom(BaseModel):
    """How freely the coefficients of each classifier may grow (scikit-learn's C)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    meaning: float = Field(default=5.0, gt=0.0)
    wording: float = Field(default=20.0, gt=0.0)


class Thresholds(BaseModel):
    """From which score on we answer, and below which we abstain; between them we ask which one is meant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: float = Field(default=0.45, ge=0.0, le=1.0)
    abstain: float = Field(default=0.15, ge=0.0, le=1.0)


class RetrievalSettings(BaseModel):
    """The whole of `data/retrieval.yml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    piece_weight: float = Field(default=0.8, gt=0.0)
    idea_weight: float = Field(default=1.0, gt=0.0)
    inverse_regularisation: Freedom = Freedom()
    weights: Weights = Weights()
    thresholds: Thresholds = Thresholds()

    @classmethod
    def load(cls, data_dir: Path) -> RetrievalSettings:
        """Read the file; without one the defaults hold.

        Raises:
            ContentErrors: The file holds something else.
        """
        path = data_dir / "retrieval.yml"
        if not path.exists():
            return cls()
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
        except (ValidationError, yaml.YAMLError) as error:
            problem = Problem("data/retrieval.yml", 1, str(error), "write it anew with `zorgbrug kb fit`")
            raise ContentErrors([problem]) from error


def load_terms(data_dir: Path) -> dict[str, list[str]]:
    """Read `data/terms.yml`: the ways to write each idea, all languages together.

    Raises:
        ContentErrors: The file is not a list of ideas with words a language.
    """
    path = data_dir / "terms.yml"
    if not path.exists():
        return {}
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return {idea: _all_forms(languages) for idea, languages in loaded.items()}
    except (yaml.YAMLError, AttributeError, TypeError) as error:
        mend = 'write each line as `idea: {nl: ["word*"], en: [...]}`'
        raise ContentErrors([Problem("data/terms.yml", 1, f"cannot be read ({error})", mend)]) from error


def _all_forms(languages: Mapping[str, list[str]]) -> list[str]:
    return [str(form) for forms in languages.values() for form in forms]
