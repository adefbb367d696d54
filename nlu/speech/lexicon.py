"""The word lists of the normaliser, read once."""

from __future__ import annotations

from pathlib import Path

from nlu.recogniser import words_in

_FOLDER = Path(__file__).parent / "words"


def listed(text: str) -> tuple[str, ...]:
    """The words of a line, in their order."""
    return tuple(text.split())


def _lines(name: str) -> list[str]:
    lines = (line.strip() for line in (_FOLDER / f"{name}.txt").read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _pairs(name: str) -> dict[str, str]:
    return {short: long for short, _, long in (line.partition(" = ") for line in _lines(name))}


def _words(name: str) -> frozenset[str]:
    return words_in(" ".join(_lines(name)))


def _statutes() -> tuple[dict[str, str], dict[str, str]]:
    names, genitives = {}, {}
    for short, long in _pairs("statutes").items():
        names[short], _, genitive = long.partition(" | ")
        genitives[short] = genitive or _genitive(long)
    return names, genitives


def _genitive(name: str) -> str:
    if name.endswith(("ung", "steuer")):
        return f"der {name}"
    return f"des {name}{'es' if name.endswith('gesetz') else 's'}"


ABBREVIATIONS = _pairs("abbreviations")
"""Keys without blanks, mostly in lower case; a long form that ends with a full stop may end a sentence."""

ACRONYMS = _pairs("acronyms")
CAPITALS = _words("capitals")
STARTERS = _words("starters")
STATUTES, STATUTES_GENITIVE = _statutes()
GENDERS = {word: gender for gender, *words in map(str.split, _lines("nouns")) for word in words}
"""Noun -> m, f or n."""

_FEMININE = (
    "ung",
    "heit",
    "keit",
    "schaft",
    "ion",
    "tät",
    "ei",
    "karte",
    "woche",
    "stunde",
    "steuer",
    "nummer",
    "gebühr",
)
_NEUTER = ("chen", "lein", "ment", "jahr", "geschoss", "foto", "bild", "kind", "semester", "quartal", "zeugnis")


def gender_of(noun: str) -> str:
    """m, f or n: from the list, otherwise by the ending."""
    known = GENDERS.get(noun)
    if known:
        return known
    if noun.endswith(_NEUTER):
        return "n"
    return "f" if noun.endswith(_FEMININE) or noun.endswith("e") else "m"


def begins_sentence(word: str) -> bool:
    """Whether a word with a capital is none of those nouns that may go on after an abbreviation or an ordinal."""
    return word[:1].isupper() and word.lower() in STARTERS
