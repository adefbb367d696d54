"""Where a text says what it is about: a story's point often is one sentence among many, or one clause amid noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.index import Index
from knowledge.lexical import QueryTerms
from knowledge.words import clauses, plain, sentences

LONG_TEXT = 12.0
"""Topical words from which on a text is judged by its best sentences."""
FEWEST_SENTENCES = 3
MOST_SENTENCES = 60
MOST_PARTS = 4
QUESTION_BONUS = 0.15
CHANCE_SHARE = 0.5
"""A sentence that fits the best record less than this, beside the best sentence, fits it by chance."""
OTHER_KIND_MALUS = 0.1
"""A sentence that names a service and its life situation alike is about the service."""
NOISE = 0.3
"""Share of unknown words from which on only those clauses count that name a record and hold nothing unknown."""
ALL_KNOWN = 0.85
"""The same up to a slip of the pen."""

_SCORES = ("name_stem_cosine", "example_stem_cosine", "name_contained")


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence and its words in the terms of an index."""

    text: str
    terms: QueryTerms


@dataclass(frozen=True, slots=True)
class Question:
    """A text, or what of it says what it is about, and its words in the terms of an index."""

    text: str
    terms: QueryTerms
    parts: tuple[Part, ...] = ()
    """Its sentences that have a topic, if it has several: one of them may say it all."""


def read(index: Index, text: str) -> Question:
    """A text as it is to be judged: a long one by its best sentences, a noisy one by the clauses that name a record."""
    text = plain(text)
    terms = index.lexical.analyse(text)
    parts = [Part(part, index.lexical.analyse(part)) for part in sentences(text)[-MOST_SENTENCES:] if part != text]
    if terms.count >= LONG_TEXT:
        point = _best_sentences(index, parts) or text
    else:
        point = text if terms.known > 1 - NOISE else _without_noise(index, text)
    if point != text:
        terms = index.lexical.analyse(point)
    return Question(point, terms, _telling(parts))


def _telling(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The sentences that carry most of the topic, questions first."""
    topical = (part for part in parts if part.terms.count >= 1)
    return tuple(sorted(topical, key=lambda part: ("?" not in part.text, -part.terms.mass))[:MOST_PARTS])


def _best_sentences(index: Index, parts: Sequence[Part]) -> str:
    """Those sentences that fit the record which one of them fits best; nothing where they are few or fit none."""
    if len(parts) < FEWEST_SENTENCES:
        return ""
    scored = [_best(index, part.terms, part.text.rstrip().endswith("?")) for part in parts]
    score, record = max(scored)
    if score <= 0:
        return ""
    return " ".join(
        part.text
        for part, (own_score, own) in zip(parts, scored, strict=True)
        if own == record and own_score >= CHANCE_SHARE * score
    )


def _without_noise(index: Index, text: str) -> str:
    parts = clauses(text)[-MOST_SENTENCES:]
    if len(parts) < 2:
        return text
    return " ".join(part for part in parts if _names_a_record(index, index.lexical.analyse(part))) or text


def _names_a_record(index: Index, terms: QueryTerms) -> bool:
    if not terms.mass or terms.known < ALL_KNOWN:
        return False
    return bool(index.topics.named(terms)) and float(index.lexical.feature("name_contained", terms).max()) >= ALL_KNOWN


def _best(index: Index, terms: QueryTerms, is_question: bool) -> tuple[float, int]:
    """How well a sentence fits the record that it fits best, and that record's row; -1 for none."""
    if not terms.mass:
        return 0.0, -1
    scores = index.lexical.features(terms, _SCORES).max(axis=1) - OTHER_KIND_MALUS * ~index.is_service
    best = int(scores.argmax())
    if scores[best] <= 0:
        return 0.0, -1
    return float(scores[best]) + QUESTION_BONUS * is_question, best
