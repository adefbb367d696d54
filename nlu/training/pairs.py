"""Pairs of texts that mean the same, out of open data: what the bundled model is trained on."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_GERMAN = 300
MAX_ENGLISH = 160
"""Letters; longer texts say more than one vector of a mean can hold."""
SYNONYMS_PER_CELL = 4
ENGLISH_PER_CELL = 3
SYNONYMS_PER_MEANING = 3
WORDS_PER_PASSAGE = 40

_NOTES = re.compile(r"\{[^}]*\}|\[[^\]]*\]|/[^/]*/")
_PARENTHESES = re.compile(r"\([^)]*\)")
_BLANKS = re.compile(r"\s+")
_OTHER_RELATIONS = ("Gegensatz", "Antonym", "Oberbegriff", "Unterbegriff")


@dataclass(frozen=True, slots=True)
class Translation:
    """A German text and what it is in English."""

    german: str
    english: str


@dataclass(frozen=True, slots=True)
class Paraphrase:
    """Two German texts of like meaning. Pairs of one group are no counterexamples of each other."""

    left: str
    right: str
    group: int = -1


def open_translations(folder: Path) -> list[Translation]:
    """Sentences and words of Tatoeba, Wiktionary, FLORES, XQuAD and xSID."""
    rows = (line.split("\t") for line in _lines(folder / "de_en_open.tsv.gz"))
    return [
        Translation(german, english)
        for _, german, english in rows
        if len(german) < MAX_GERMAN and len(english) < MAX_ENGLISH
    ]


def open_paraphrases(folder: Path) -> list[Paraphrase]:
    """German sentences of Tatoeba that share an English translation."""
    rows = (line.split("\t") for line in _lines(folder / "de_paraphrases_open.tsv.gz"))
    return [Paraphrase(left, right) for left, right in rows]


def ding_translations(file: Path) -> list[Translation]:
    """Terms and phrases of the Ding dictionary (Debian's trans-de-en)."""
    found = []
    for german, english in _ding_cells(file):
        target = english[0] if len(english) == 1 else "; ".join(english[:ENGLISH_PER_CELL])
        found += [Translation(one, target) for one in german[:SYNONYMS_PER_CELL]]
    return found


def ding_synonyms(file: Path) -> list[Paraphrase]:
    """German terms of the Ding dictionary that stand beside each other."""
    return [
        Paraphrase(german[0], other)
        for german, _ in _ding_cells(file)
        for other in german[1:SYNONYMS_PER_CELL]
        if other.lower() != german[0].lower()
    ]


def thesaurus_synonyms(file: Path) -> list[Paraphrase]:
    """Synonyms of OpenThesaurus (Debian's mythes-de), a few per word and meaning."""
    lines = iter(_lines(file))
    next(lines)  # the encoding
    found: list[Paraphrase] = []
    head = ""
    for line in lines:
        first, *others = line.split("|")
        if not (first == "-" or first.startswith("(")):
            head = first
            continue
        words = [_without_notes(other) for other in others if not any(kind in other for kind in _OTHER_RELATIONS)]
        # Which ones is left to the word itself, so that it does not depend on the order of the file.
        words = sorted({word for word in words if word and word.lower() != head}, key=lambda word: _hash(head + word))
        found += [Paraphrase(head, word) for word in words[:SYNONYMS_PER_MEANING]]
    return found


def practice_paraphrases(folder: Path, part: str = "embedding") -> list[Paraphrase]:
    """What citizens say for a service of the practice catalogue, against its title and its text."""
    found = []
    for number, service in enumerate(practice_services(folder, part)):
        passages = _passages(service["text"])
        for phrase in service["phrases"]:
            found.append(Paraphrase(phrase, service["title"], number))
            found.append(Paraphrase(phrase, passages[_hash(phrase) % len(passages)], number))
        found += [Paraphrase(service["title"], passage, number) for passage in passages]
    return found


def practice_services(folder: Path, part: str) -> list[dict[str, Any]]:
    """Services of the practice catalogue: `embedding` three quarters of them, `ranking` the others."""
    services = [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in _lines(file)]
    return [service for service in services if (part == "ranking") == (_hash(service["title"]) % 4 == 0)]


def _lines(file: Path) -> list[str]:
    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    return data.decode("utf-8").removesuffix("\n").split("\n")


def _ding_cells(file: Path) -> Iterator[tuple[list[str], list[str]]]:
    for line in _lines(file):
        if line.startswith("#") or "::" not in line:
            continue
        german, english = (side.split("|") for side in line.split("::", 1))
        if len(german) != len(english):
            continue
        for left, right in zip(german, english, strict=True):
            left_terms, right_terms = list(_terms(left)), list(_terms(right))
            if left_terms and right_terms:
                yield left_terms, right_terms


def _terms(cell: str) -> Iterable[str]:
    return filter(None, (_without_notes(term) for term in _NOTES.sub("", cell).split(";")))


def _without_notes(text: str) -> str:
    return _BLANKS.sub(" ", _PARENTHESES.sub("", text)).strip(" ;,")


def _passages(text: object) -> list[str]:
    words = str(text).split()
    starts = range(0, len(words), WORDS_PER_PASSAGE)
    return [" ".join(words[start : start + WORDS_PER_PASSAGE]) for start in starts]


def _hash(text: str) -> int:
    return zlib.crc32(text.encode())
