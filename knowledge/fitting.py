"""Fits the weights of `knowledge.ranking` and its thresholds on questions with known answers.

    python -m knowledge.fitting [--model FOLDER|NAME] [--words-only] [--output FILE]

Two steps on data that no figure is measured on. First the weights of the features, so that right services come first:
on the practice catalogue's part `ranking` and on the demo city's questions of the part `fit`, with its whole catalogue,
without synonyms and examples, and with titles alone. Then the scale of these weights, the weights of "none of them" and
the thresholds: on the same questions and on those that have no answer.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from knowledge import dense
from knowledge.catalogue import Service
from knowledge.embedding import Embedder, embedder_of
from knowledge.evaluation import Standing, catalogue_of
from knowledge.focus import read
from knowledge.importer import CityRecords, read_city
from knowledge.index import MODULES, Index
from knowledge.models import Outcome, SearchResult
from knowledge.ranking import (
    FOLDER,
    NONE_FEATURES,
    RECORD_FEATURES,
    WITHOUT_MODEL,
    Calibration,
    Features,
    Thresholds,
    features,
)
from knowledge.search import Search
from knowledge.settings import KnowledgeSettings
from knowledge.usage import FOLDER as PRACTICE
from knowledge.usage import usage
from nlu.training.pairs import practice_services

ROOT = Path(__file__).resolve().parent.parent
CITY = ROOT / "training_data" / "cities" / "jena"
QUESTIONS = ROOT / "tests" / "knowledge" / "questions.jsonl"
UNANSWERABLE = ROOT / "tests" / "knowledge" / "unanswerable.jsonl"

REGULARISATION = 0.0001
SITUATION_FEATURES = ("life_situation", "life_situation*whole")
"""These depend on the catalogue's life situations, which only the second step sees."""

MODEL_FEATURES = (*dense.FEATURES, "usage")

MOST_WRONG = 0.03
"""Share of the questions that may get a wrong service as if it were right. The questions of the part `fit` are harder
than what citizens mostly ask: half of them are stories and slang without a single official word."""
MOST_ANSWERED = 0.045
"""Share of the questions without an answer that may get one; a quarter of them use a record's own words."""
VALUE_OFFERED = 0.6
"""What a right service among the choices is worth, one answered at once being worth 1."""
COST_OFFERED_IN_VAIN = 0.3
"""What choices cost of which none is right."""
SURE_GRID = np.arange(0.40, 0.96, 0.05)
ANSWERABLE_GRID = np.arange(0.30, 0.81, 0.1)


@dataclass(frozen=True, slots=True)
class Case:
    """A question's features and the rows of its right answers; none for a question without an answer."""

    features: Features
    right: tuple[int, ...]


Part = tuple[float, Sequence[Case]]
"""Cases with their weight in the loss."""


def cases(index: Index, questions: Sequence[dict[str, Any]]) -> list[Case]:
    """Questions against an index's services and life situations; offices stay out."""
    rows = [at for at, entry in enumerate(index.entries) if entry.kind != "office"]
    place = {index.entries[at].id: row for row, at in enumerate(rows)}
    found = []
    for question in questions:
        seen = features(index, read(index, question["q"]))
        right = tuple(place[id] for id in question.get("ids", ()) if id in place)
        found.append(Case(Features(seen.records[rows], seen.none), right))
    return found


def fit_ranking(parts: Sequence[Part], *, words_only: bool) -> NDArray[np.float64]:
    """Weights of the record features that make the right services likely among all services, kept small (L2)."""
    names = [name for name in RECORD_FEATURES if not (words_only and name in MODEL_FEATURES)]
    fitted = np.array([RECORD_FEATURES.index(name) for name in names if name not in SITUATION_FEATURES])
    answerable = [(weight, [case for case in part if case.right]) for weight, part in parts]

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = np.zeros(len(RECORD_FEATURES))
        weights[fitted] = values
        total, gradient = REGULARISATION * float(values @ values), 2 * REGULARISATION * values
        for share, part in answerable:
            for case in part:
                value, slope = _log_loss(case.features.records @ weights, case.right)
                total += share * value / len(part)
                gradient = gradient + share * (case.features.records[:, fitted].T @ slope) / len(part)
        return total, gradient

    weights: NDArray[np.float64] = np.zeros(len(RECORD_FEATURES))
    # More likeness never makes a record less likely, and its opposite is never meant, whatever few questions say.
    bounds = [(None, -1.0) if RECORD_FEATURES[at] == "opposed" else (0.0, None) for at in fitted]
    weights[fitted] = minimize(loss, np.zeros(len(fitted)), jac=True, method="L-BFGS-B", bounds=bounds).x
    return weights


def fit_none(part: Sequence[Case], ranking: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ranking's weights at the right scale, with those of life situations, and the weights of none."""
    situations = [RECORD_FEATURES.index(name) for name in SITUATION_FEATURES]

    def unpack(values: NDArray[np.float64]) -> NDArray[np.float64]:
        weights: NDArray[np.float64] = ranking * values[0]
        weights[situations] = values[1 : 1 + len(situations)]
        return weights

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, none = unpack(values), values[1 + len(situations) :]
        total, gradient = REGULARISATION * float(values @ values), 2 * REGULARISATION * values
        for case in part:
            utilities = np.append(case.features.records @ weights, case.features.none @ none)
            value, slope = _log_loss(utilities, case.right or (len(utilities) - 1,))
            total += value / len(part)
            by_record = case.features.records.T @ slope[:-1]
            change = [float(ranking @ by_record)], by_record[situations], case.features.none * slope[-1]
            gradient = gradient + np.concatenate(change) / len(part)
        return total, gradient

    start = np.zeros(1 + len(situations) + len(NONE_FEATURES))
    start[0] = 1.0
    found = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return unpack(found), found[1 + len(situations) :]


def fit_thresholds(index: Index, calibration: Calibration, questions: Sequence[dict[str, Any]]) -> Thresholds:
    """The thresholds of greatest value among those that keep to `MOST_WRONG` and `MOST_ANSWERED`."""
    search = Search(Standing(index), calibration=calibration)
    asked = [(search.weigh(question["q"]), question.get("ids", ())) for question in questions]
    answerable = sum(bool(ids) for _, ids in asked)
    grid = (
        Thresholds(
            sure=round(float(sure), 3),
            sure_of_one_word=round(float(min(sure + 0.2, 0.9)), 3),
            sure_of_name=round(float(min(sure, 0.4)), 3),
            answerable=round(float(least), 3),
        )
        for sure, least in itertools.product(SURE_GRID, ANSWERABLE_GRID)
    )
    best, most = Thresholds(sure=1.0, sure_of_one_word=1.0, sure_of_name=1.0), -np.inf
    for thresholds in grid:
        found = [(search.decide(weighed, thresholds), ids) for weighed, ids in asked]
        wrong = [bool(ids) for result, ids in found if _is_wrong(result, ids)]
        if sum(wrong) > MOST_WRONG * answerable or wrong.count(False) > MOST_ANSWERED * (len(asked) - answerable):
            continue
        value = sum(_value(result, ids, index) for result, ids in found)
        if value > most:
            best, most = thresholds, value
    return best


def _is_wrong(found: SearchResult, ids: Sequence[str]) -> bool:
    return found.outcome is Outcome.SURE and found.candidates[0].id not in ids


def _value(found: SearchResult, ids: Sequence[str], index: Index) -> float:
    if found.outcome is Outcome.NOTHING:
        return 0.0
    if found.outcome is Outcome.SURE:
        return float(found.candidates[0].id in ids)
    offered = {candidate.id for candidate in found.candidates}
    for candidate in found.candidates:
        entry = index.entry(candidate.kind, candidate.id)
        offered |= set(entry.services) if entry else set()
    return VALUE_OFFERED if offered & set(ids) else -COST_OFFERED_IN_VAIN


def _log_loss(utilities: NDArray[np.float64], right: Sequence[int]) -> tuple[float, NDArray[np.float64]]:
    """Negative logarithm of the probability of the right ones, and its gradient by the utilities."""
    exponentials = np.exp(utilities - utilities.max())
    chances = exponentials / exponentials.sum()
    mass = max(float(chances[list(right)].sum()), 1e-12)
    wanted = np.zeros(len(utilities))
    wanted[list(right)] = chances[list(right)] / mass
    return -float(np.log(mass)), chances - wanted


def practice(folder: Path = PRACTICE) -> tuple[CityRecords, list[dict[str, Any]]]:
    """The practice catalogue's part for the ranking, and its phrases as questions."""
    rows = [(f"practice-{number}", row) for number, row in enumerate(practice_services(folder, "ranking"))]
    services = tuple(
        Service.model_construct(id=id, title=row["title"], summary=row["title"], full=row["text"], status="published")
        for id, row in rows
    )
    questions = [{"q": phrase, "ids": [id]} for id, row in rows for phrase in row["phrases"]]
    return CityRecords(services=services, offices=(), life_situations=()), questions


def bare(records: CityRecords) -> CityRecords:
    """The same services without synonyms and examples, as a city starts with them."""
    services = tuple(service.model_copy(update={"synonyms": [], "examples": []}) for service in records.services)
    return dataclasses.replace(records, services=services, life_situations=())


def titles(records: CityRecords) -> CityRecords:
    """The same services with nothing but their titles: how well a text is written must not decide what names count."""
    nothing = dict.fromkeys(MODULES) | {"documents": [], "fees": [], "deadlines": [], "procedure": []}
    services = tuple(
        service.model_copy(update={**nothing, "summary": service.title}) for service in bare(records).services
    )
    return dataclasses.replace(records, services=services, life_situations=())


def read_questions(*paths: Path, part: str = "fit") -> list[dict[str, Any]]:
    """The questions `{"q", "ids", "part"}` of JSONL files that belong to a part."""
    lines = (line for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line)
    return [question for question in map(json.loads, lines) if question["part"] == part]


def fit(embedder: Embedder | None) -> tuple[Calibration, int]:
    """A calibration for an embedder, or for words alone, and the number of questions behind it."""
    city, (exercise, phrases) = read_city(CITY), practice()
    questions = read_questions(QUESTIONS, UNANSWERABLE)
    index = Index(catalogue_of(city), embedder)
    full = cases(index, questions)
    parts = [
        (2.0, full),
        (0.5, cases(Index(catalogue_of(bare(city)), embedder), questions)),
        (1.0, cases(Index(catalogue_of(titles(city)), embedder), questions)),
        # The part of the practice catalogue that is asked must not lend its phrases.
        (0.1, cases(Index(catalogue_of(exercise), embedder, words_of=usage("embedding")), phrases)),
    ]
    ranking = fit_ranking(parts, words_only=embedder is None)
    records, none = fit_none(full, ranking)
    calibration = Calibration(records, none)
    thresholds = fit_thresholds(index, calibration, questions)
    return dataclasses.replace(calibration, thresholds=thresholds), len(questions) + len(phrases)


def main() -> None:
    """Fit and write the calibration file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="folder or name of a sentence-transformers model; else the bundled one")
    parser.add_argument("--query-prefix", default="")
    parser.add_argument("--passage-prefix", default="")
    parser.add_argument("--words-only", action="store_true", help="no model at all")
    parser.add_argument("--output", type=Path, help="folder of the calibration files", default=FOLDER)
    arguments = parser.parse_args()
    settings = KnowledgeSettings(
        embedding_model=arguments.model,
        query_prefix=arguments.query_prefix,
        passage_prefix=arguments.passage_prefix,
    )
    embedder = None if arguments.words_only else embedder_of(settings)
    calibration, number = fit(embedder)
    name = embedder.name if embedder else WITHOUT_MODEL
    calibration.save(arguments.output / f"{name}.json", model=name, questions=number)


if __name__ == "__main__":
    main()
