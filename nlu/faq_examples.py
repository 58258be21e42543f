"""Write the examples of the intent `faq`: the titles and questions of every article, in every language.

Rasa learns from them what a question for the knowledge base looks like; which article answers it is the retriever's
work. A part of them is enough for that (docs/measurements/intents.md), and each costs training time. Run before
training: `python -m nlu.faq_examples data var/train/nlu/faq.yml`.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from nlu.datafiles import DataFileError
from nlu.text import normalise

PER_ARTICLE = 8  # of one article in one language: the intent `faq` has thousands all the same
_FENCE = "---"
_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # texts only: a question may be "no" or "112"


def read_questions(data_dir: Path, limit: int | None = None, langs: Sequence[str] = ("*",)) -> dict[str, list[str]]:
    """Return the title and the questions of all articles by language, in a fixed order, each once.

    Args:
        data_dir: The folder that people edit.
        limit: Most texts of one article in one language.
        langs: The languages to read; all of them when not given.

    Raises:
        DataFileError: An article has no readable front matter.
    """
    found: dict[str, dict[str, None]] = {}
    for path in sorted(path for lang in langs for path in (data_dir / "kb").glob(f"*/{lang}.md")):
        matter = _front_matter(path)
        questions = matter.get("questions") or []
        if not isinstance(questions, list):
            raise DataFileError(path, "`questions` is not a list.", "Write one question a line, after `- `.")
        texts = [matter.get("title"), *questions]
        for text in texts[:limit]:
            line = normalise(str(text or ""))
            if line:
                found.setdefault(path.stem, {})[line] = None
    return {lang: list(found[lang]) for lang in sorted(found)}


def render(questions: dict[str, list[str]]) -> str:
    """Return Rasa's training file for the questions."""
    return "\n".join(
        ["# Made by nlu.faq_examples out of data/kb. Change the articles, not this file.", *_lines(questions), ""]
    )


def _lines(questions: dict[str, list[str]]) -> Iterator[str]:
    yield 'version: "3.1"'
    yield "nlu:"
    for lang, texts in questions.items():
        yield "  - intent: faq"
        yield f"    metadata: {{lang: {lang}}}"
        yield "    examples: |"  # one block of text: Rasa reads a list of them a hundred times slower
        for text in texts:
            # Brackets would be read as an entity.
            yield f"      - {text.translate(str.maketrans('[]{}', '()()'))}"


def _front_matter(path: Path) -> dict[str, object]:
    try:
        parts = path.read_text(encoding="utf-8").split(f"{_FENCE}\n", 2)
        matter = yaml.load(parts[1], Loader=_Loader) if len(parts) == 3 and not parts[0].strip() else None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataFileError(path, f"The front matter cannot be read ({error}).", "Run `zorgbrug kb check`.") from error
    if not isinstance(matter, dict):
        raise DataFileError(path, "There is no front matter.", "Begin with `---`, the fields, and `---`.")
    return matter


def main(data_dir: Path | str, out_file: Path | str) -> int:
    """Write the file and return how many examples it holds."""
    questions = read_questions(Path(data_dir), PER_ARTICLE)
    target = Path(out_file)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(render(questions), encoding="utf-8")
    return sum(map(len, questions.values()))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Say which data folder and which file: python -m nlu.faq_examples data var/train/nlu/faq.yml")
    try:
        print(f"{main(sys.argv[1], sys.argv[2])} examples of faq written to {sys.argv[2]}")
    except DataFileError as problem:
        sys.exit(str(problem))
