from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledge.evaluation import Query, evaluate, read_queries
from knowledge.importer import CityRecords
from tests.knowledge.samples import SERVICES, HashingEmbedder

RECORDS = CityRecords(SERVICES)


def test_figures_count_the_best_right_answer() -> None:
    queries = [
        Query("Hundesteuer", ("hundesteuer",)),
        Query("Wohngeld", ("einhornschein", "wohngeld")),
        Query("Perso", ("einhornschein",)),
        Query("Wetter", ("einhornschein",)),
    ]
    report = evaluate(RECORDS, queries, HashingEmbedder())
    assert (report.n, report.r1, report.r3, report.r5, report.ndcg5) == (4, 0.5, 0.5, 0.5, 0.5)
    assert 0 < report.p50_ms <= report.p95_ms


def test_a_report_is_one_line_of_json() -> None:
    line = evaluate(RECORDS, [Query("Hund", ("hundesteuer",))], None).json()
    assert list(json.loads(line)) == ["n", "r1", "r3", "r5", "ndcg5", "p50_ms", "p95_ms"]
    assert "\n" not in line


def test_without_queries_there_is_nothing_to_report() -> None:
    with pytest.raises(ValueError, match="no query"):
        evaluate(RECORDS, [], None)


def test_queries_are_read_from_lines(tmp_path: Path) -> None:
    path = tmp_path / "queries.jsonl"
    path.write_text('{"q": "Hund", "ids": ["hundesteuer", 7]}\n\n{"q": "Pass", "ids": []}\n', encoding="utf-8")
    assert read_queries(path) == [Query("Hund", ("hundesteuer", "7")), Query("Pass", ())]


@pytest.mark.parametrize("line", ["{", '{"q": "Hund"}', '["Hund"]', '{"q": "Hund", "ids": null}'])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "queries.jsonl"
    path.write_text(f'{{"q": "Pass", "ids": []}}\n{line}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"queries.jsonl:2"):
        read_queries(path)
