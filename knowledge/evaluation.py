"""How well the search finds what is right: figures over questions with known answers, in memory."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from knowledge.embedding import Embedder
from knowledge.importer import CityRecords
from knowledge.index import Index
from knowledge.search import SERVICES, Search
from knowledge.settings import SearchSettings
from knowledge.store import Catalogue

DEPTH = 5


@dataclass(frozen=True, slots=True)
class Query:
    """A question and the services that answer it, all equally right."""

    q: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Figures of an evaluation. Every query counts by the best rank of one of its right services."""

    n: int
    r1: float
    r3: float
    r5: float
    ndcg5: float
    p50_ms: float
    p95_ms: float

    def json(self) -> str:
        """One line of JSON."""
        return json.dumps(dataclasses.asdict(self))


@dataclass(frozen=True, slots=True)
class Standing:
    """An index that is never swapped."""

    index: Index


def read_queries(path: Path) -> list[Query]:
    """The queries `{"q", "ids": […]}` of a JSONL file.

    Raises:
        ValueError: a line is not such a query; names its number.
    """
    queries = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            queries.append(Query(str(value["q"]), tuple(str(id) for id in value["ids"])))
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{path.name}:{number}: not a query: {error}") from error
    return queries


def catalogue_of(records: CityRecords) -> Catalogue:
    """The catalogue of records that lie in no database."""
    return Catalogue(
        services={record.id: record for record in records.services},
        offices={record.id: record for record in records.offices},
        life_situations={record.id: record for record in records.life_situations},
    )


def evaluate(
    records: CityRecords,
    queries: Sequence[Query],
    embedder: Embedder | None,
    settings: SearchSettings | None = None,
) -> Report:
    """Ask every query once of an index of the records; only services are ranked.

    Raises:
        ValueError: there is no query.
    """
    if not queries:
        raise ValueError("there is no query")
    search = Search(Standing(Index(catalogue_of(records), embedder)), settings)
    search.rank("Aufwärmen", kinds=SERVICES)
    ranks, times = [], []
    for query in queries:
        start = perf_counter()
        ranking = search.rank(query.q, kinds=SERVICES)
        times.append((perf_counter() - start) * 1000)
        found = [entry.id for entry, _ in ranking.entries]
        ranks.append(best_rank(found, query.ids))
    return _report(ranks, times)


def best_rank(found: Sequence[str], right: Sequence[str]) -> int | None:
    """Rank of the best right id among the first `DEPTH`, from 1."""
    return next((rank for rank, id in enumerate(found[:DEPTH], start=1) if id in right), None)


def rank_figures(ranks: Sequence[int | None]) -> dict[str, float]:
    """Recall at 1, 3 and `DEPTH`, and the gain of the best right one discounted by its rank."""
    found = [rank for rank in ranks if rank is not None]
    n = max(len(ranks), 1)
    gain = sum(1 / math.log2(rank + 1) for rank in found)
    recall = {f"r{depth}": round(sum(rank <= depth for rank in found) / n, 4) for depth in (1, 3, DEPTH)}
    return {**recall, "ndcg5": round(gain / n, 4)}


def _report(ranks: Sequence[int | None], times_ms: Sequence[float]) -> Report:
    return Report(
        n=len(ranks),
        **rank_figures(ranks),
        p50_ms=round(float(np.percentile(times_ms, 50)), 2),
        p95_ms=round(float(np.percentile(times_ms, 95)), 2),
    )
