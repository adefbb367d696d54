"""Finds what a citizen's text is about: one service, a few to choose from, or nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from core.clock import Clock, SystemClock
from knowledge.focus import Question, read
from knowledge.index import Entry, Index, Kind
from knowledge.lexical import FEATURES
from knowledge.models import Candidate, Outcome, SearchResult
from knowledge.ranking import Calibration, Thresholds, calibration_of, features, probabilities
from knowledge.settings import SearchSettings

ZONE = ZoneInfo("Europe/Berlin")
SERVICES: tuple[Kind, ...] = ("service",)
SERVICES_AND_SITUATIONS: tuple[Kind, ...] = ("service", "life_situation")
TWO_WORDS = 1.5
MOST_RANKED = 1000
ALTERNATIVE_SHARE = 0.01
"""An alternative has at least this share of what all services together have."""
NAMED_WHOLE = 0.99
"""Share of a name's weight that a text has if it has the whole name."""
NOTHING = SearchResult(outcome=Outcome.NOTHING)


class HasIndex(Protocol):
    """Whoever has the index of the moment."""

    @property
    def index(self) -> Index: ...


Chance = tuple[Entry, float]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The likeliest records in order of their probability; `none` is the probability that no record is meant."""

    entries: tuple[Chance, ...]
    none: float
    words: float = 0.0
    """Number of topical words in the text, light words counted in part."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A text as an index understands it, with its ranking."""

    index: Index
    question: Question
    ranking: Ranking


class Search:
    """Searches the index of the moment. Safe for threads."""

    def __init__(
        self,
        holder: HasIndex,
        settings: SearchSettings | None = None,
        clock: Clock | None = None,
        *,
        calibration: Calibration | None = None,
    ) -> None:
        """Search whatever index the holder has.

        Args:
            holder: has the index.
            settings: the defaults if not given.
            clock: the time.
            calibration: in place of the file of the index's model.
        """
        self._holder = holder
        self._settings = settings or SearchSettings()
        self._clock = clock or SystemClock()
        self._calibration = calibration

    def find(
        self, text: str, *, current: str | None = None, kinds: Collection[Kind] = SERVICES_AND_SITUATIONS
    ) -> SearchResult:
        """What a text is about.

        Args:
            text: what the citizen says.
            current: id of the service that is being talked about. A text that names no topic of its own ("und was
                kostet das?", "und die Abmeldung?") is about it or about a service of the same topic.
            kinds: what may be found.
        """
        index = self._holder.index
        question = read(index, text)
        at = None if current is None else index.position.get(("service", current))
        if at is None or index.topics.named(question.terms):
            return self._decide(index, question, self._rank(index, question, current, kinds), current)
        sibling = index.topics.sibling(question.terms, at)
        if sibling is None and index.topics.strange(question.terms, at):
            found = self._decide(index, question, self._rank(index, question, current, kinds), current)
            if found.outcome is Outcome.NOTHING:
                return NOTHING
        entry = index.entries[at if sibling is None else sibling]
        return SearchResult(outcome=Outcome.SURE, candidates=(_candidate(entry, 1.0),))

    def weigh(self, text: str) -> Weighed:
        """A text with everything that decides what is found for it but the thresholds."""
        index = self._holder.index
        question = read(index, text)
        return Weighed(index, question, self._rank(index, question, None, SERVICES_AND_SITUATIONS))

    def decide(self, weighed: Weighed, thresholds: Thresholds) -> SearchResult:
        """What is found for a text at some thresholds."""
        return self._decide(weighed.index, weighed.question, weighed.ranking, None, thresholds)

    def rank(
        self, text: str, *, current: str | None = None, kinds: Collection[Kind] = SERVICES_AND_SITUATIONS
    ) -> Ranking:
        """All valid records of some kinds with their probabilities, best first."""
        index = self._holder.index
        return self._rank(index, read(index, text), current, kinds)

    def _rank(self, index: Index, question: Question, current: str | None, kinds: Collection[Kind]) -> Ranking:
        if not index.entries:
            return Ranking((), 1.0)
        utilities, none = self._weights(index).utilities(features(index, question))
        at = None if current is None else index.position.get(("service", current))
        if at is not None and not index.lexical.is_opposed(question.terms, at):
            utilities[at] += self._settings.current_bonus
        today = self._clock.now().astimezone(ZONE).date()
        allowed = index.allowed(frozenset(kinds), today)
        return _ranking(index, allowed, probabilities(utilities[allowed], none), question.terms.count)

    def alternatives(self, text: str) -> tuple[Candidate, ...]:
        """Services that a text may mean, best first, however unsure the search is of them."""
        ranking = self.rank(text, kinds=SERVICES)
        floor = ALTERNATIVE_SHARE * (1 - ranking.none)
        likely = [pair for pair in ranking.entries[: self._settings.most_candidates] if pair[1] >= floor]
        return tuple(_candidate(*pair) for pair in likely)

    def find_office(self, text: str) -> Candidate | None:
        """The office that a text names, or nothing."""
        index = self._holder.index
        terms = index.lexical.analyse(text)
        offices = [at for at, entry in enumerate(index.entries) if entry.kind == "office"]
        if not terms.mass or not offices:
            return None
        scores = _office_scores(index.lexical.features(terms)[offices])
        best = int(scores.argmax())
        if scores[best] < self._settings.office_score:
            return None
        return _candidate(index.entries[offices[best]], float(scores[best]))

    def _weights(self, index: Index) -> Calibration:
        if self._calibration is not None:
            return self._calibration
        return calibration_of(index.embedder.name if index.embedder else None, self._settings.calibration_folder)

    def _decide(
        self,
        index: Index,
        question: Question,
        ranking: Ranking,
        current: str | None,
        thresholds: Thresholds | None = None,
    ) -> SearchResult:
        thresholds = thresholds or self._weights(index).thresholds
        if not question.terms.mass or not ranking.entries or 1 - ranking.none < thresholds.answerable:
            return NOTHING
        best, probability = ranking.entries[0]
        one_word = ranking.words < TWO_WORDS and best.id != current
        needed = thresholds.sure_of_one_word if one_word else thresholds.sure
        shared = {index.entries[at].id for at in index.topics.sharing(question.terms)}
        if best.id in shared and current not in shared:
            return self._ask_back([pair for pair in ranking.entries if pair[0].id in shared])
        if index.topics.called(question.terms) == index.position[best.kind, best.id]:
            needed = min(needed, thresholds.sure_of_name)
        if best.kind == "service" and (probability >= needed or len(ranking.entries) == 1):
            return SearchResult(outcome=Outcome.SURE, candidates=(_candidate(best, probability),))
        least = thresholds.candidate_of_one_word if one_word else thresholds.candidate
        likely = sum(chance >= least for _, chance in ranking.entries)
        chosen = list(ranking.entries[: max(1, min(likely, self._settings.most_candidates))])
        event = next((pair for pair in chosen if self._leads_to(pair[0], best)), None)
        if event is not None:
            chosen = self._with_services([event, *(pair for pair in chosen if pair is not event)], ranking)
        elif len(chosen) < 2:
            chosen = list(ranking.entries[:2])
        return SearchResult(outcome=Outcome.UNSURE, candidates=tuple(_candidate(*pair) for pair in chosen))

    def _ask_back(self, choices: list[Chance]) -> SearchResult:
        chosen = choices[: self._settings.most_candidates]
        return SearchResult(outcome=Outcome.UNSURE, candidates=tuple(_candidate(*pair) for pair in chosen))

    def _leads_to(self, entry: Entry, best: Entry) -> bool:
        """Whether an entry is a life situation that is meant itself or has the service that is."""
        return entry.kind == "life_situation" and (entry.id == best.id or best.id in entry.services)

    def _with_services(self, chosen: list[Chance], ranking: Ranking) -> list[Chance]:
        """A life situation with what else is likely, filled up with the services that it leads to."""
        found = {entry.id for entry, _ in chosen}
        others = {entry.id: (entry, chance) for entry, chance in ranking.entries if entry.id not in found}
        led = [others[id] for id in chosen[0][0].services if id in others]
        return [*chosen, *led][: self._settings.most_candidates]


def _ranking(index: Index, allowed: NDArray[np.int64], chances: NDArray[np.float64], words: float) -> Ranking:
    order = _best_first(chances[:-1])
    return Ranking(
        tuple((index.entries[allowed[at]], float(chances[at])) for at in order),
        float(chances[-1]),
        words,
    )


def _best_first(chances: NDArray[np.float64]) -> NDArray[np.int64]:
    """Places of the `MOST_RANKED` largest, equal ones in their order."""
    if len(chances) <= MOST_RANKED:
        return np.argsort(-chances, kind="stable")
    least = np.partition(chances, -MOST_RANKED)[-MOST_RANKED]
    places = np.flatnonzero(chances >= least)
    return np.asarray(places[np.argsort(-chances[places], kind="stable")][:MOST_RANKED])


def _office_scores(lexical: NDArray[np.float64]) -> NDArray[np.float64]:
    column = {name: lexical[:, at] for at, name in enumerate(FEATURES)}
    named = np.maximum(column["name_cover"], 0.9 * column["gram_cover"])
    whole = column["name_contained"] >= NAMED_WHOLE
    fit = 0.7 * named + 0.3 * np.maximum(column["name_stem_cosine"], column["name_gram_cosine"])
    return np.asarray(fit + whole)


def _candidate(entry: Entry, score: float) -> Candidate:
    return Candidate(kind=entry.kind, id=entry.id, title=entry.title, score=min(1.0, max(0.0, score)))
