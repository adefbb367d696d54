"""Fits the weights of `knowledge.ranking` on questions with known answers: a tool for developers.

    python -m knowledge.fitting CITY QUESTIONS.jsonl UNANSWERABLE.jsonl [--words-only]

A question is `{"q", "ids", "part"}`; only those of the part `fit` are used for the weights.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from knowledge.embedding import SentenceTransformerEmbedder
from knowledge.evaluation import catalogue_of
from knowledge.focus import read
from knowledge.importer import read_city
from knowledge.index import Index
from knowledge.ranking import (
    FOLDER,
    NONE_FEATURES,
    RECORD_FEATURES,
    WITHOUT_MODEL,
    Calibration,
    Features,
    features,
)

REGULARISATION = 0.0001


@dataclass(frozen=True, slots=True)
class Case:
    """A question's features and the rows of its right answers; none for a question without an answer."""

    features: Features
    right: tuple[int, ...]


def cases(index: Index, questions: Sequence[dict[str, Any]]) -> list[Case]:
    """Questions against an index's services and life situations; offices stay out."""
    rows = [at for at, entry in enumerate(index.entries) if entry.kind != "office"]
    place = {index.entries[at].id: row for row, at in enumerate(rows)}
    found = []
    for question in questions:
        asked = read(index, question["q"])
        seen = features(index, asked.text, asked.terms)
        right = tuple(place[id] for id in question.get("ids", ()) if id in place)
        found.append(Case(Features(seen.records[rows], seen.none), right))
    return found


def fit(examples: Sequence[Case], *, regularisation: float = REGULARISATION) -> Calibration:
    """The weights that make the right answers most likely, kept small (L2)."""
    split = len(RECORD_FEATURES)
    start = np.zeros(split + len(NONE_FEATURES))

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total = regularisation * float(weights @ weights)
        gradient = 2 * regularisation * weights
        for case in examples:
            value, slope = _case_loss(case, weights[:split], weights[split:])
            total += value / len(examples)
            gradient += slope / len(examples)
        return total, gradient

    weights = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return Calibration(weights[:split], weights[split:])


def _case_loss(
    case: Case, records: NDArray[np.float64], none: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    utilities = np.append(case.features.records @ records, case.features.none @ none)
    exponentials = np.exp(utilities - utilities.max())
    chances = exponentials / exponentials.sum()
    right = list(case.right) or [len(utilities) - 1]
    mass = max(float(chances[right].sum()), 1e-12)
    wanted = np.zeros(len(utilities))
    wanted[right] = chances[right] / mass
    error = chances - wanted
    return -float(np.log(mass)), np.concatenate([case.features.records.T @ error[:-1], case.features.none * error[-1]])


def read_questions(path: Path) -> list[dict[str, Any]]:
    """The lines of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def main() -> None:
    """Fit and write the calibration file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("city", type=Path)
    parser.add_argument("questions", type=Path, nargs="+")
    parser.add_argument("--words-only", action="store_true")
    arguments = parser.parse_args()
    questions = [question for path in arguments.questions for question in read_questions(path)]
    chosen = [question for question in questions if question["part"] == "fit"]
    embedder = None if arguments.words_only else SentenceTransformerEmbedder()
    index = Index(catalogue_of(read_city(arguments.city)), embedder)
    weights = fit(cases(index, chosen))
    name = embedder.name if embedder else WITHOUT_MODEL
    weights.save(FOLDER / f"{name}.json", model=name, questions=len(chosen))


if __name__ == "__main__":
    main()
