"""Measures the answers' quality; writes `bench/quality.json`, `docs/quality.md` and `docs/risk-coverage.svg`.

Unlike times, these figures hardly depend on the machine. `--only retrieval` or `--only end-to-end` measures a part and
keeps what is recorded of the other.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.quality import end_to_end, report, retrieval, risk_coverage
from bench.quality.end_to_end import Outcome
from bench.quality.figures import EndToEnd, Figures, Lengths, RiskCoverage, aims
from tests.running import ROOT, running_service

FAILURES = ROOT / "tests" / "output" / "quality_failures.jsonl"

console = Console()


class Part(StrEnum):
    """What can be measured by itself."""

    RETRIEVAL = "retrieval"
    END_TO_END = "end-to-end"


def main(only: Annotated[Part | None, typer.Option(help="Measure this part only.")] = None) -> None:
    """Measure how good the answers are."""
    figures = Figures.read()
    if only in (None, Part.RETRIEVAL):
        model, lengths, risk = measure_retrieval()
        figures.model, figures.risk_coverage = model, risk
        figures.retrieval |= lengths
    if only in (None, Part.END_TO_END):
        figures.end_to_end = measure_end_to_end()
    figures.date = datetime.now(UTC).date()
    figures.write()
    report.write(figures)
    console.print(table(figures))


def measure_retrieval() -> tuple[str, dict[str, Lengths], RiskCoverage]:
    """Name of the model, figures by catalogue, and those of the probabilities; draws the plot."""
    embedder = retrieval.default_embedder()
    lengths = {}
    for task in track(list(retrieval.tasks()), description="Retrieval", console=console):
        index = retrieval.index_of(task, embedder)
        lengths[task.name] = retrieval.measure(task, index)
        if task.name == "jena":
            assertions = risk_coverage.ask(index, end_to_end.all_questions())
    risk_coverage.plot(assertions, report.PLOT)
    return embedder.name, lengths, risk_coverage.summary(assertions)


def measure_end_to_end() -> EndToEnd:
    """Figures of a service started for this; prints what went wrong and writes it to `FAILURES`."""
    questions = end_to_end.all_questions()
    with tempfile.TemporaryDirectory(prefix="stadtbot-quality-") as folder:
        console.print("Starting the service …")
        with running_service(Path(folder)) as service:
            asked = end_to_end.ask(service.url, questions)
            outcomes = list(track(asked, total=len(questions), description="End to end", console=console))
    report_failures(end_to_end.failures(outcomes))
    return end_to_end.summary(outcomes)


def report_failures(failed: Sequence[Outcome]) -> None:
    """Print what went wrong, the worst first, and write it to `FAILURES`."""
    FAILURES.parent.mkdir(parents=True, exist_ok=True)
    with FAILURES.open("w", encoding="utf-8") as file:
        for each in failed:
            line = {"verdict": each.verdict, "kind": each.kind, **asdict(each.question), "found": each.found}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            right, found = ", ".join(each.question.ids) or "–", ", ".join(each.found) or each.kind
            text = f"{each.verdict} ({each.question.group}): {each.question.q}\n    {right} → {found}"
            console.print(text, markup=False, highlight=False, soft_wrap=True)


def table(figures: Figures) -> Table:
    """The aims, for people."""
    shown = Table("aim", "reached", "bound", "")
    for aim in aims(figures):
        bound = f"{'≥' if aim.at_least else '≤'} {aim.bound:.3f}"
        shown.add_row(aim.name, f"{aim.value:.3f}", bound, "met" if aim.met else "missed")
    return shown


if __name__ == "__main__":
    typer.run(main)
