"""Masking of personal data in what citizens say, before it is written anywhere for the first time.

The bot gives general information and needs no personal data, but people tell it who they are. Each recogniser takes
one kind; what they find is replaced by a label in German, so that the question stays readable. What belongs to the
city (its own numbers, addresses and names) is handed in and kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from nlu.addresses import ADDRESSES
from nlu.identifiers import CONTACTS, NUMBERS
from nlu.persons import BIRTH_DATES, NAMES
from nlu.recogniser import LABEL, PersonalData, Recogniser, words_in
from nlu.text import fold

__all__ = ["RECOGNISERS", "Masked", "PersonalData", "mask"]

RECOGNISERS: tuple[Recogniser, ...] = (*CONTACTS, *BIRTH_DATES, *NUMBERS, *ADDRESSES, *NAMES)
"""In the order in which they are asked: the more certain first."""

_NUMERIC = frozenset({PersonalData.PHONE, PersonalData.NUMBER, PersonalData.FILE_NUMBER})
_PREPOSITIONS = words_in("am an auf beim der den dem im in vor zum zur")


@dataclass(frozen=True)
class Masked:
    """A text without personal data."""

    text: str
    found: tuple[PersonalData, ...]
    """The kinds that were found, each once, in the order of `RECOGNISERS`."""


class _Kept:
    """What is public: the numbers, addresses and names of the city's offices."""

    def __init__(self, entries: Collection[str]) -> None:
        self._numbers = tuple(number for number in map(_national, entries) if len(number) >= 3)
        self._words = frozenset(_words(entry) for entry in entries)
        self._endings = frozenset(words[start:] for words in self._words for start in range(len(words)))
        self._longest = max(map(len, self._words), default=0)

    def has(self, kind: PersonalData, found: str) -> bool:
        """Whether the datum is one of the kept, in whatever spelling."""
        if kind in _NUMERIC and self._has_number(_national(found)):
            return True
        words = _words(found)
        if kind is PersonalData.NAME:
            return words in self._endings
        return any(self._begins_with_one(words[skipped:]) for skipped in range(1 + _prepositions(words)))

    def _begins_with_one(self, words: tuple[str, ...]) -> bool:
        return any(words[:length] in self._words for length in range(1, min(len(words), self._longest) + 1))

    def _has_number(self, number: str) -> bool:
        return any(kept == number or (len(number) >= 5 and kept.endswith(number)) for kept in self._numbers)


@lru_cache(maxsize=16)
def _kept(entries: frozenset[str]) -> _Kept:
    return _Kept(entries)


def _national(number: str) -> str:
    digits = re.sub(r"\(0\)|\D", "", number)
    if number.lstrip(" (").startswith("+49"):
        return "0" + digits[2:]
    return "0" + digits[4:] if digits.startswith("0049") else digits


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", re.sub(r"(?<=str)(?:\.|asse)", "", fold(text))))


def _prepositions(words: tuple[str, ...]) -> int:
    return next((place for place, word in enumerate(words) if word not in _PREPOSITIONS), 0)


def mask(text: str, *, keep: Collection[str] = ()) -> Masked:
    """The text, as `nlu.text.clean` returns it, with a German label in place of each piece of personal data.

    Masking its result again changes nothing.

    Args:
        text: what a citizen typed or said.
        keep: phone numbers, e-mail addresses, addresses and names that are public and stay, in any usual spelling.
    """
    kept = _kept(frozenset(keep))
    found: set[PersonalData] = set()
    before = None
    while text != before:
        before = text
        for recogniser in RECOGNISERS:
            text = _replace(recogniser, text, kept, found)
    return Masked(text, tuple(kind for kind in _in_order() if kind in found))


def _replace(recogniser: Recogniser, text: str, kept: _Kept, found: set[PersonalData]) -> str:
    parts = []
    end_of_last = 0
    for start, end in recogniser.spans(text):
        datum = text[start:end]
        if start < end_of_last or LABEL.search(datum) or kept.has(recogniser.kind, datum):
            continue
        if _is_inside_label(text, start):
            continue
        parts += [text[end_of_last:start], recogniser.label]
        end_of_last = end
        found.add(recogniser.kind)
    return "".join([*parts, text[end_of_last:]])


def _is_inside_label(text: str, position: int) -> bool:
    opening = text.rfind("[", max(0, position - 32), position)
    label = LABEL.match(text, opening) if opening >= 0 else None
    return label is not None and position < label.end()


@lru_cache(maxsize=1)
def _in_order() -> tuple[PersonalData, ...]:
    return tuple(dict.fromkeys(recogniser.kind for recogniser in RECOGNISERS))
