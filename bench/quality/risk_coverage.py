"""What asserting costs: wrong answers against answered share, and how far a probability can be believed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from bench.quality.figures import Bin, Point, RiskCoverage
from bench.quality.questions import Question
from knowledge.evaluation import Standing
from knowledge.index import Index
from knowledge.models import Outcome
from knowledge.search import SERVICES, Search

BINS = 10
RISKS = (0.01, 0.03, 0.05)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Assertions:
    """What the search would assert for every question, one element each."""

    probability: Floats
    """Of the best service; 0 where there is none."""
    is_right: Bools
    """Never, for a question without an answer."""
    is_sure: Bools
    """Whether the service asserts it, as it is set up."""
    is_sure_wrong: Bools
    is_answerable: Bools


def ask(index: Index, questions: Iterable[Question]) -> Assertions:
    """Ask the search alone, without Rasa."""
    search = Search(Standing(index))
    rows = []
    for question in questions:
        ranking = search.rank(question.q, kinds=SERVICES)
        best, probability = ranking.entries[0] if ranking.entries else (None, 0.0)
        found = search.find(question.q)
        sure = found.outcome is Outcome.SURE
        wrong = sure and found.candidates[0].id not in question.ids
        right = best is not None and best.id in question.ids
        rows.append((probability, right, sure, wrong, bool(question.ids)))
    columns = list(zip(*rows, strict=True))
    return Assertions(np.array(columns[0], dtype=np.float64), *(np.array(column, dtype=bool) for column in columns[1:]))


def curve(assertions: Assertions) -> tuple[Floats, Floats]:
    """Coverage and risk when one question after the other is asserted, the likeliest first.

    Coverage is the share of all questions that is asserted, risk the share of these that is wrong (El-Yaniv and
    Wiener 2010). Shape (number of questions,) each.
    """
    order = np.argsort(-assertions.probability, kind="stable")
    asserted = np.arange(1, len(order) + 1)
    return asserted / len(order), np.cumsum(~assertions.is_right[order]) / asserted


def summary(assertions: Assertions) -> RiskCoverage:
    """The figures of the curve and of the calibration."""
    coverage, risk = curve(assertions)
    bins = reliability(assertions)
    n = len(coverage)
    return RiskCoverage(
        n=n,
        operating_point=operating_point(assertions),
        coverage_at_risk={f"{bound:.0%}": round(float(coverage[risk <= bound].max(initial=0.0)), 4) for bound in RISKS},
        aurc=round(float(risk.mean()), 4),
        ece=round(sum(each.n * abs(each.predicted - each.real) for each in bins) / n, 4),
        reliability=bins,
    )


def operating_point(assertions: Assertions) -> Point:
    """Where the service stands as it is set up."""
    sure = int(assertions.is_sure.sum())
    return Point(
        coverage=round(sure / len(assertions.is_sure), 4),
        risk=round(int(assertions.is_sure_wrong.sum()) / max(sure, 1), 4),
    )


def reliability(assertions: Assertions) -> list[Bin]:
    """Predicted against real, in `BINS` bins of equal width (Guo et al. 2017)."""
    at = np.minimum((assertions.probability * BINS).astype(int), BINS - 1)
    return [
        Bin(
            n=int(inside.sum()),
            predicted=round(float(assertions.probability[inside].mean()), 4) if inside.any() else 0.0,
            real=round(float(assertions.is_right[inside].mean()), 4) if inside.any() else 0.0,
        )
        for inside in (at == number for number in range(BINS))
    ]


def plot(assertions: Assertions, path: Path) -> None:
    """Draw the curve as SVG; the same figures give the same bytes."""
    coverage, risk = curve(assertions)
    here = operating_point(assertions)
    with mpl.rc_context({"svg.hashsalt": "stadtbot", "svg.fonttype": "none", "font.size": 11}):
        figure = Figure(figsize=(7.2, 4.2), layout="constrained")
        axes = figure.subplots()
        axes.plot(coverage, risk, color="#0b5394", linewidth=2, label="asserted from some probability on")
        axes.plot(
            here.coverage,
            here.risk,
            "o",
            color="#b45309",
            markersize=9,
            label=f"as shipped: {here.coverage:.0%} asserted, {here.risk:.1%} of them wrong",
        )
        most = float(assertions.is_answerable.mean())
        axes.axvline(most, color="#6b7280", linestyle=":", label=f"share of answerable questions: {most:.0%}")
        axes.set_xlabel("coverage: share of all questions answered with a service")
        axes.set_ylabel("risk: share of these that is wrong")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, None)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="upper left", frameon=False)
        figure.savefig(path, metadata={"Date": None, "Title": "Risk and coverage"})
