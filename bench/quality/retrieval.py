"""How well words alone, vectors alone and both together rank the right service."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bench.quality.figures import ALL, Lengths, Methods, Ranks
from bench.quality.questions import CITY, MUNICH, Question, munich_questions, own_questions
from knowledge.embedding import Embedder, embedder_of
from knowledge.evaluation import Standing, best_rank, catalogue_of, rank_figures
from knowledge.importer import CityRecords, read_catalogue, read_city
from knowledge.index import Index
from knowledge.search import SERVICES, Search
from knowledge.settings import KnowledgeSettings

Ranker = Callable[[str], list[str]]
"""Ids of services for a text, the best first."""


def default_embedder() -> Embedder:
    """The model that is shipped."""
    return embedder_of(KnowledgeSettings())


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """Questions to a catalogue."""

    name: str
    records: CityRecords
    questions: Sequence[Question]


def tasks() -> Iterator[Task]:
    """What is measured: the demo city, the demo city as a city begins, and Munich where its data are at hand."""
    records, questions = read_city(CITY), own_questions()
    yield Task("jena", records, questions)
    yield Task("jena_bare", bare(records), questions)
    if has_munich():
        yield munich()


def has_munich() -> bool:
    """Whether Munich's data lie beside the project; they are no part of it."""
    return MUNICH.is_dir()


def munich() -> Task:
    """Munich's services, with neither synonyms nor examples, and what citizens call them."""
    return Task("munich", read_catalogue(MUNICH / "services.csv"), munich_questions())


def bare(records: CityRecords) -> CityRecords:
    """The same records without the editors' synonyms and example questions."""
    nothing: dict[str, list[str]] = {"synonyms": [], "examples": []}
    return dataclasses.replace(
        records,
        services=tuple(service.model_copy(update=nothing) for service in records.services),
        life_situations=tuple(situation.model_copy(update=nothing) for situation in records.life_situations),
    )


def index_of(task: Task, embedder: Embedder | None) -> Index:
    """The index of a task's catalogue."""
    return Index(catalogue_of(task.records), embedder)


def measure(task: Task, index: Index) -> Lengths:
    """Figures of a task, by length of question and by method.

    Args:
        task: what to ask.
        index: of the task's catalogue, with an embedder.
    """
    rankers = {"words": ranked(index_of(task, None)), "vectors": by_vectors(index), "fused": ranked(index)}
    ranks = {
        method: [best_rank(ranker(each.q), each.ids) for each in task.questions] for method, ranker in rankers.items()
    }
    short = np.array([each.is_short for each in task.questions])
    lengths = {ALL: np.ones_like(short), "short": short, "long": ~short}

    def methods(chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Methods:
        return {
            method: summary([rank for rank, is_chosen in zip(found, chosen, strict=True) if is_chosen])
            for method, found in ranks.items()
        }

    return {length: methods(chosen) for length, chosen in lengths.items()}


def ranked(index: Index) -> Ranker:
    """By everything that the index has."""
    search = Search(Standing(index))
    return lambda text: [entry.id for entry, _ in search.rank(text, kinds=SERVICES).entries]


def by_vectors(index: Index) -> Ranker:
    """By the best cosine of any passage of a service."""
    services = [at for at, entry in enumerate(index.entries) if entry.kind == "service"]

    def rank(text: str) -> list[str]:
        best = index.vectors(text).max(axis=1)[services]
        return [index.entries[services[at]].id for at in np.argsort(-best, kind="stable")]

    return rank


def summary(ranks: Sequence[int | None]) -> Ranks:
    """The figures of ranks."""
    return Ranks(n=len(ranks), **rank_figures(ranks))
