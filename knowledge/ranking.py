"""From features to probabilities: a conditional logit over all records and the alternative "none of them".

P(record i | question) = exp(w·f_i) / (exp(n·g) + Σ_j exp(w·f_j)), McFadden 1974. Weights and thresholds are fitted by
`knowledge.fitting` on questions that no figure is measured on, and lie in a file per embedding model.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge import dense
from knowledge.focus import Question
from knowledge.index import Index
from knowledge.lexical import QueryTerms
from knowledge.words import lexicon

FOLDER = Path(__file__).with_name("calibration")
WITHOUT_MODEL = "lexical"

LEXICAL_FEATURES = (
    "name_gram_cosine",
    "example_gram_cosine",
    "name_contained",
    "opposed",
    "part_bm25",
    "gram_bm25",
)
RECORD_FEATURES = (*LEXICAL_FEATURES, *dense.FEATURES, "usage", "life_situation", "life_situation*whole")
NONE_FEATURES = (
    "constant",
    "words",
    "unknown",
    "least_unknown",
    "vector",
    "text_vector",
    "usage",
    "usage_fit",
    "parts",
)
WORDS_SCALE = 8.0
_TEXT, _USAGE = RECORD_FEATURES.index("text_vector"), RECORD_FEATURES.index("usage")
_VECTORS = [RECORD_FEATURES.index(name) for name in dense.FEATURES]


@dataclass(frozen=True, slots=True)
class Features:
    """What the model sees of one question."""

    records: NDArray[np.float64]
    """Shape (number of entries, number of `RECORD_FEATURES`)."""
    none: NDArray[np.float64]
    """Shape (number of `NONE_FEATURES`,)."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the probabilities are cut."""

    sure: float = 0.6
    """From here on the best service is answered without asking back."""
    sure_of_one_word: float = 0.8
    """The same for a text of a single topical word, which often names several services."""
    sure_of_name: float = 0.4
    """The same for a text that is a name of this service alone."""
    answerable: float = 0.5
    """Below this probability that the catalogue has an answer at all, the search keeps silent."""
    candidate: float = 0.02
    """A service below this is not offered as a choice, unless it makes up the second one."""
    candidate_of_one_word: float = 0.005
    """The same for a text of a single topical word."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights of the features, in the order of their names, and what the probabilities mean."""

    records: NDArray[np.float64]
    none: NDArray[np.float64]
    thresholds: Thresholds = Thresholds()

    def utilities(self, features: Features) -> tuple[NDArray[np.float64], float]:
        """Log-odds (up to a constant) of each record and of none."""
        return features.records @ self.records, float(features.none @ self.none)

    def save(self, path: Path, **about: object) -> None:
        """Write a calibration file."""
        weights = {
            "records": dict(zip(RECORD_FEATURES, np.round(self.records, 4).tolist(), strict=True)),
            "none": dict(zip(NONE_FEATURES, np.round(self.none, 4).tolist(), strict=True)),
            "thresholds": dataclasses.asdict(self.thresholds),
        }
        path.write_text(json.dumps({**about, **weights}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@cache
def calibration_of(model: str | None, folder: Path | None = None) -> Calibration:
    """The weights for an embedding model; those of words alone where the model has no file of its own.

    Args:
        model: the model's name; None for words alone.
        folder: where files are looked for before those that come with the project.
    """
    names = [name for name in (model, WITHOUT_MODEL) if name]
    paths = (place / f"{name}.json" for name in names for place in (folder, FOLDER) if place)
    values = json.loads(next(path for path in paths if path.is_file()).read_text(encoding="utf-8"))
    return Calibration(
        np.array([values["records"].get(name, 0.0) for name in RECORD_FEATURES]),
        np.array([values["none"].get(name, 0.0) for name in NONE_FEATURES]),
        Thresholds(**values.get("thresholds", {})),
    )


def features(index: Index, question: Question) -> Features:
    """The features of a question against every record of an index: of its sentences, those that fit best."""
    records, fit = _of_records(index, question.text, question.terms)
    for part in question.parts:
        others, other_fit = _of_records(index, part.text, part.terms)
        np.maximum(records, others, out=records)
        fit = max(fit, other_fit)
    situations = index.is_situation.astype(np.float64)
    whole = situations * lexicon().asks_for_everything(question.text)
    known = max(terms.known for terms in (question.terms, *(part.terms for part in question.parts)))
    best = records.max(axis=0, initial=0.0)
    none = {
        "constant": 1.0,
        "words": min(question.terms.count / WORDS_SCALE, 1.0),
        "unknown": 1.0 - question.terms.known,
        "least_unknown": 1.0 - known,
        "vector": float(best[_VECTORS].max()),
        "text_vector": float(best[_TEXT]),
        "usage": float(best[_USAGE]),
        "usage_fit": fit,
        "parts": min(len(question.parts), 4) / 4,
    }
    return Features(np.column_stack([records, situations, whole]), np.array([none[name] for name in NONE_FEATURES]))


def _of_records(index: Index, text: str, terms: QueryTerms) -> tuple[NDArray[np.float64], float]:
    words = index.lexical.features(terms, LEXICAL_FEATURES)
    usage, fit = index.usage(text)
    return np.column_stack([words, index.vectors(text), usage]), fit


def probabilities(utilities: NDArray[np.float64], none: float) -> NDArray[np.float64]:
    """Softmax over the records and, as the last entry, none of them."""
    everything = np.append(utilities, none)
    exponentials = np.exp(everything - everything.max())
    return np.asarray(exponentials / exponentials.sum())
