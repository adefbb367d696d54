"""What a recogniser of personal data is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

Span = tuple[int, int]

LABEL = re.compile(r"\[[A-ZÄÖÜ][A-Za-zÄÖÜäöü-]{2,30}\]")
"""A label that stands where personal data stood."""


class PersonalData(str, Enum):  # noqa: UP042 (Python 3.10 has no StrEnum)
    """Kinds of personal data that citizens tell without being asked."""

    ADDRESS = "address"
    BIRTH_DATE = "birth_date"
    CREDIT_CARD = "credit_card"
    EMAIL = "email"
    FILE_NUMBER = "file_number"
    HEALTH_INSURANCE_NUMBER = "health_insurance_number"
    IBAN = "iban"
    IDENTITY_DOCUMENT = "identity_document"
    LICENCE_PLATE = "licence_plate"
    NAME = "name"
    NUMBER = "number"
    """A number too long to be anything but somebody's."""
    PENSION_NUMBER = "pension_number"
    PHONE = "phone"
    TAX_ID = "tax_id"
    TAX_NUMBER = "tax_number"


def whole(candidate: str) -> int:
    """All of the candidate is personal data."""
    return len(candidate)


def checked(check: Callable[[str], object]) -> Callable[[str], int]:
    """All of the candidate is personal data if it passes the check, else none of it."""
    return lambda candidate: len(candidate) if check(candidate) else 0


@dataclass(frozen=True)
class Recogniser:
    """Finds one kind of personal data.

    A pattern must take linear time: no open repetition within another, none that starts at every character.
    """

    kind: PersonalData
    label: str
    """German, in square brackets: what a reader sees in place of the datum."""
    pattern: re.Pattern[str]
    """Its group `data`, or all of it where it has none, is the candidate."""
    measure: Callable[[str], int] = whole
    """Says how many of the candidate's first characters are the datum; 0 if it is none."""

    def spans(self, text: str) -> Iterator[Span]:
        """Where data of this kind stand, from left to right."""
        group = "data" if "data" in self.pattern.groupindex else 0
        match = self.pattern.search(text)
        while match:
            start, end = match.span(group)
            length = self.measure(match[group]) if end > start else 0
            if length:
                yield start, start + length
            resume = start + length if length or start > match.start() else match.end()
            match = self.pattern.search(text, max(resume, match.start() + 1))


def words_in(text: str) -> frozenset[str]:
    """The words of a text, for short lists beside the code that uses them."""
    return frozenset(text.split())


@cache
def words_of(name: str) -> frozenset[str]:
    """The folded words of a list in `nlu/data`, without its comments."""
    lines = (Path(__file__).parent / "data" / name).read_text("utf-8").splitlines()
    return words_in(" ".join(line for line in lines if not line.startswith("#")))
