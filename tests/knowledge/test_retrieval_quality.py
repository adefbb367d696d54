"""The search ranks as well as recorded in `bench/quality.json`, which `make quality` writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.quality import retrieval, risk_coverage
from bench.quality.figures import Figures, Lengths, Ranks, aims
from bench.quality.questions import CITY, own_questions
from bench.quality.retrieval import Task
from bench.quality.risk_coverage import Assertions
from knowledge.evaluation import best_rank
from knowledge.importer import read_city
from knowledge.index import Index

ROUNDED = 0.0002
"""Recorded shares have four digits."""


@pytest.fixture(scope="module")
def recorded() -> Figures:
    return Figures.read()


@pytest.mark.slow
def test_the_demo_city_is_ranked_as_well_as_recorded(city_index: Index, recorded: Figures) -> None:
    task = Task("jena", read_city(CITY), own_questions())
    not_worse(retrieval.measure(task, city_index), recorded, task.name)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not retrieval.has_munich(), reason="Munich's data are not here")
def test_munich_is_ranked_as_well_as_recorded(city_index: Index, recorded: Figures) -> None:
    task = retrieval.munich()
    not_worse(retrieval.measure(task, retrieval.index_of(task, city_index.embedder)), recorded, task.name)


def not_worse(measured: Lengths, recorded: Figures, name: str) -> None:
    for length, methods in recorded.retrieval[name].items():
        now, then = measured[length]["fused"], methods["fused"]
        assert now.n == then.n, "the questions have changed: run make quality"
        floor = 1 / then.n + ROUNDED
        assert min(now.r1 - then.r1, now.r3 - then.r3, now.r5 - then.r5, now.ndcg5 - then.ndcg5) >= -floor, length
    met = {aim.name for aim in aims(Figures(retrieval={name: recorded.retrieval[name]})) if aim.met}
    now_missed = {aim.name for aim in aims(Figures(retrieval={name: measured})) if not aim.met}
    assert not met & now_missed


def test_ranks_count_the_best_right_service() -> None:
    ranks = [best_rank(found, ["a", "b"]) for found in (["a"], ["c", "b", "a"], ["c"] * 5 + ["a"], [])]
    assert ranks == [1, 2, None, None]
    assert retrieval.summary(ranks) == Ranks(n=4, r1=0.25, r3=0.5, r5=0.5, ndcg5=0.4077)


@pytest.fixture
def assertions() -> Assertions:
    return Assertions(
        probability=np.array([0.5, 0.9, 0.1, 0.9]),
        is_right=np.array([False, True, False, True]),
        is_sure=np.array([True, True, False, False]),
        is_sure_wrong=np.array([True, False, False, False]),
        is_answerable=np.array([True, True, False, True]),
    )


def test_the_likeliest_is_asserted_first(assertions: Assertions) -> None:
    coverage, risk = risk_coverage.curve(assertions)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 2])


def test_figures_of_the_probabilities(assertions: Assertions) -> None:
    figures = risk_coverage.summary(assertions)
    assert (figures.operating_point.coverage, figures.operating_point.risk) == (0.5, 0.5)
    assert set(figures.coverage_at_risk.values()) == {0.5}
    assert [each.n for each in figures.reliability] == [0, 1, 0, 0, 0, 1, 0, 0, 0, 2]
    assert figures.ece == pytest.approx((0.1 + 0.5 + 2 * 0.1) / 4)


def test_the_plot_is_the_same_each_time(assertions: Assertions, tmp_path: Path) -> None:
    for name in ("first.svg", "second.svg"):
        risk_coverage.plot(assertions, tmp_path / name)
    first = (tmp_path / "first.svg").read_text(encoding="utf-8")
    assert "as shipped" in first
    assert first == (tmp_path / "second.svg").read_text(encoding="utf-8")
