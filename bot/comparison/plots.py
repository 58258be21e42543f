"""The plots of docs/evaluation.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.comparison.figures import Outcome, by_language, confusions, coverage_curve, reliability

MOST_CONFUSIONS = 20


def draw(results: Mapping[str, Sequence[Outcome]], ours: str, folder: Path) -> list[tuple[str, str]]:
    """Write the plots as SVG and return (file name, what it shows)."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "zorgbrug"  # the same figures give the same file
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    made: list[tuple[str, str]] = []

    def save(name: str, shows: str) -> None:
        pyplot.tight_layout()
        pyplot.savefig(folder / name, metadata={"Date": None})
        pyplot.close()
        made.append((name, shows))

    pyplot.figure(figsize=(7, 4.2))
    for name, outcomes in results.items():
        coverage, accuracy = coverage_curve(outcomes)
        pyplot.plot(coverage, accuracy, label=name)
    pyplot.xlabel("share of questions answered, the surest first")
    pyplot.ylabel("right article first")
    pyplot.ylim(0, 1.02)
    pyplot.legend()
    save("coverage.svg", "Accuracy against coverage")

    rows = reliability(results[ours])
    pyplot.figure(figsize=(4.6, 4.2))
    pyplot.plot([0, 1], [0, 1], linestyle=":", color="grey")
    pyplot.scatter([row[0] for row in rows], [row[1] for row in rows], s=[20 + row[2] for row in rows])
    pyplot.xlabel("confidence")
    pyplot.ylabel("how often it was right")
    save("reliability.svg", "Reliability of the confidence; the size of a dot is how many questions it stands for")

    pyplot.figure(figsize=(7.5, 4.2))
    width = 0.8 / len(results)
    for number, (name, outcomes) in enumerate(results.items()):
        found = by_language(outcomes, 1)
        heights = [sum(values) / len(values) for values in found.values()]
        pyplot.bar([place + number * width for place in range(len(found))], heights, width, label=name)
        pyplot.xticks([place + 0.4 for place in range(len(found))], list(found))
    pyplot.ylabel("recall@1")
    pyplot.legend(fontsize="small")
    save("languages.svg", "Recall@1 by language")

    pairs = confusions(results[ours], MOST_CONFUSIONS)[::-1]
    pyplot.figure(figsize=(7.5, 0.3 * len(pairs) + 1.2))
    pyplot.barh([f"{wanted} → {got}" for wanted, got, _ in pairs], [count for _, _, count in pairs])
    pyplot.xlabel("questions")
    save("confusions.svg", "The articles most often taken for another (asked → found)")
    return made
