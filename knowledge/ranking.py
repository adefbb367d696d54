"""From features to probabilities: a conditional logit over all records and the alternative "none of them".

P(record i | question) = exp(w·f_i + b_kind) / (exp(n·g) + Σ_j exp(w·f_j + b_kind)), McFadden 1974. The weights are
fitted by `knowledge.fitting` on questions that the tests do not use and lie in a file per embedding model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.index import DENSE_FEATURES, Index
from knowledge.lexical import FEATURES, QueryTerms
from knowledge.words import lexicon, plain

FOLDER = Path(__file__).with_name("calibration")
WITHOUT_MODEL = "lexical"

RECORD_FEATURES = (*FEATURES, *DENSE_FEATURES, "life_situation", "life_situation*whole")
NONE_FEATURES = ("constant", "words", "unknown", "vector")
WORDS_SCALE = 8.0


@dataclass(frozen=True, slots=True)
class Features:
    """What the model sees of one question."""

    records: NDArray[np.float64]
    """Shape (number of entries, number of `RECORD_FEATURES`)."""
    none: NDArray[np.float64]
    """Shape (number of `NONE_FEATURES`,)."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights of the features, in the order of their names."""

    records: NDArray[np.float64]
    none: NDArray[np.float64]

    def utilities(self, features: Features) -> tuple[NDArray[np.float64], float]:
        """Log-odds (up to a constant) of each record and of none."""
        return features.records @ self.records, float(features.none @ self.none)

    def save(self, path: Path, **about: object) -> None:
        """Write a calibration file."""
        weights = {
            "records": dict(zip(RECORD_FEATURES, np.round(self.records, 4).tolist(), strict=True)),
            "none": dict(zip(NONE_FEATURES, np.round(self.none, 4).tolist(), strict=True)),
        }
        path.write_text(json.dumps({**about, **weights}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def calibration(model: str | None, folder: Path = FOLDER) -> Calibration:
    """The weights for an embedding model; those of words alone where the model has no file of its own."""
    path = folder / f"{model}.json"
    if model is None or not path.is_file():
        path = folder / f"{WITHOUT_MODEL}.json"
    weights = json.loads(path.read_text(encoding="utf-8"))
    return Calibration(
        np.array([weights["records"].get(name, 0.0) for name in RECORD_FEATURES]),
        np.array([weights["none"].get(name, 0.0) for name in NONE_FEATURES]),
    )


def features(index: Index, text: str, terms: QueryTerms, *, words_only: bool = False) -> Features:
    """The features of a question against every record of an index.

    Args:
        index: the records.
        text: the question.
        terms: its words, from the same index.
        words_only: leave out the vectors, which cost most of the time.
    """
    words = index.lexical.features(terms)
    vectors = np.zeros((len(index.entries), len(DENSE_FEATURES))) if words_only else index.vectors(plain(text))
    kinds = np.array([float(entry.kind == "life_situation") for entry in index.entries])
    whole = kinds * lexicon().asks_for_everything(text)
    nearest = float(vectors.max()) if vectors.size else 0.0
    return Features(
        np.column_stack([words, vectors, kinds, whole]),
        np.array([1.0, min(terms.count / WORDS_SCALE, 1.0), 1.0 - terms.known, nearest]),
    )


def probabilities(utilities: NDArray[np.float64], none: float) -> NDArray[np.float64]:
    """Softmax over the records and, as the last entry, none of them."""
    everything = np.append(utilities, none)
    exponentials = np.exp(everything - everything.max())
    return np.asarray(exponentials / exponentials.sum())
