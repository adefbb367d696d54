"""The figures, the file that records them, and the aims that they are held against."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

RECORD = Path(__file__).parent.with_suffix(".json")
ALL = "all"
"""Key of the figures over all styles, kinds or lengths."""


class Model(BaseModel):
    """Base of what is recorded."""

    model_config = ConfigDict(extra="forbid")


class Answered(Model):
    """How the service replied to questions that have an answer; numbers of questions."""

    n: int
    right_at_once: int
    right_or_offered: int
    """Right at once, or with a right service among the choices."""
    wrong_asserted: int
    offered_wrong: int
    """Choices without a right service."""
    silent: dict[str, int]
    """Everything else, by the reply's kind."""


class Unanswerable(Model):
    """How the service replied to questions that no service answers; numbers of questions."""

    n: int
    answered: int
    """With a service."""
    offered: int
    """With a choice of services."""
    office: int
    other: int


class Example(Model):
    """A question that went wrong, and what came back."""

    q: str
    group: str
    verdict: str
    found: list[str]


class EndToEnd(Model):
    """Figures of the whole service, overall (`ALL`) and per style or kind of question."""

    questions: dict[str, Answered]
    unanswerable: dict[str, Unanswerable]
    examples: list[Example]


class Ranks(Model):
    """Shares of queries with a right service among the first 1, 3 and 5, and the discounted gain of the first five."""

    n: int
    r1: float
    r3: float
    r5: float
    ndcg5: float


Methods = dict[str, Ranks]
"""By `words`, `vectors` and `fused`."""
Lengths = dict[str, Methods]
"""By `ALL`, `short` and `long`."""


class Bin(Model):
    """Questions whose best service has a probability within a tenth."""

    n: int
    predicted: float
    """Mean probability."""
    real: float
    """Share of right ones."""


class Point(Model):
    """A point of the risk-coverage curve."""

    coverage: float
    risk: float


class RiskCoverage(Model):
    """What it costs to assert the best service from some probability on, over all questions of both sets."""

    n: int
    operating_point: Point
    """As shipped."""
    coverage_at_risk: dict[str, float]
    """Highest coverage at which the risk is still within a bound."""
    aurc: float
    """Area under the curve: mean risk over all coverages."""
    ece: float
    """Expected calibration error: mean distance between predicted and real, weighted by the bins' sizes."""
    reliability: list[Bin]


class Figures(Model):
    """What is recorded. A part that was never measured is missing."""

    date: dt.date | None = None
    model: str | None = None
    end_to_end: EndToEnd | None = None
    retrieval: dict[str, Lengths] = {}
    risk_coverage: RiskCoverage | None = None

    @classmethod
    def read(cls, path: Path = RECORD) -> Figures:
        """The recorded figures; none where there is no file."""
        return cls.model_validate_json(path.read_text(encoding="utf-8")) if path.is_file() else cls()

    def write(self, path: Path = RECORD) -> None:
        path.write_text(self.model_dump_json(indent=2, exclude_none=True) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Aim:
    """A bound and what was reached."""

    name: str
    value: float
    bound: float
    at_least: bool

    @property
    def met(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def aims(figures: Figures) -> Iterator[Aim]:
    """The aims of the parts that were measured."""
    if figures.end_to_end is not None:
        yield from _end_to_end_aims(figures.end_to_end)
    if "munich" in figures.retrieval:
        fused = figures.retrieval["munich"][ALL]["fused"]
        yield Aim("Munich, R@1", fused.r1, 0.62, at_least=True)
        yield Aim("Munich, R@5", fused.r5, 0.88, at_least=True)
        yield Aim("Munich, nDCG@5", fused.ndcg5, 0.76, at_least=True)
    for catalogue, lengths in figures.retrieval.items():
        name = f"{catalogue}, long questions, nDCG@5: fused not below words alone"
        yield Aim(name, lengths["long"]["fused"].ndcg5, lengths["long"]["words"].ndcg5, at_least=True)


def _end_to_end_aims(figures: EndToEnd) -> Iterator[Aim]:
    asked, unanswerable = figures.questions[ALL], figures.unanswerable[ALL]
    yield Aim("right service at once or offered", asked.right_or_offered / asked.n, 0.95, at_least=True)
    yield Aim("right service at once", asked.right_at_once / asked.n, 0.85, at_least=True)
    yield Aim("wrong service asserted", asked.wrong_asserted / asked.n, 0.03, at_least=False)
    yield Aim("unanswerable, yet answered", unanswerable.answered / unanswerable.n, 0.03, at_least=False)
