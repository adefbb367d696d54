"""What the room hands to the rooms above it: results of a search and answers to one aspect."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from knowledge.catalogue import Aspect


class Outcome(StrEnum):
    """What a search may lead to: one answer, a question back, or silence."""

    SURE = "sure"
    UNSURE = "unsure"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One thing that a search found."""

    kind: Literal["service", "life_situation", "office"]
    id: str
    title: str
    score: float
    """Between 0 and 1; comparable within one index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """Outcome of a search.

    `sure` has one candidate, `unsure` two to four in order of likelihood, `nothing` none.
    """

    outcome: Outcome
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A next step outside the chat."""

    kind: Literal["online", "appointment", "form", "map", "call"]
    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeLine:
    """An office in one line, with what its hours say about today."""

    id: str
    name: str
    phone: str | None
    hours_today: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AspectAnswer:
    """Answer to one aspect of a service, put together from its record and nothing else."""

    service_id: str
    leika: str | None
    title: str
    aspect: Aspect
    text: str
    """Markdown subset: paragraphs, `**bold**`, `- ` lists, `1. ` lists, `[label](url)`."""
    speech: str
    """Fit for being read aloud: no web address, no bracket, no abbreviation."""
    known: bool
    """False where the catalogue says nothing on the aspect and the text names the office to ask."""
    aspects: tuple[Aspect, ...]
    """Aspects on which the record says something, in the order in which they are offered."""
    source_url: str
    as_of: str | None
    office: OfficeLine | None
    actions: tuple[Action, ...]
