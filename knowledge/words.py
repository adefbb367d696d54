"""German words: what of a text carries its topic.

A question's topic is what is left of it without function words, words of courtesy and words that ask for an aspect
("Was kostet …").
"""

from __future__ import annotations

import re
import threading
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import snowballstemmer
from rapidfuzz import process
from rapidfuzz.distance import OSA

from nlu.text import fold

LEXICON = Path(__file__).with_name("lexicon.toml")

LIGHT_WEIGHT = 0.25
PERSON_WEIGHT = 0.4
GRAM_LENGTHS = (4, 5)
MIN_FUZZY_LENGTH = 5
MIN_ASPECT_LENGTH = 6
MIN_FUZZY_SIMILARITY = 0.79
"""Share of characters that may stay when a misspelled word is read as a known one: one slip in five letters."""

_WORD = re.compile(r"[^\W_]+")
_NO_WORDS = re.compile(r"\[[^\W\d_][^\]\n]{0,40}\]|</?[a-zA-Z][^<>]{0,200}>")
"""Labels that stand for what was masked ("[Name]"), and markup."""
_SENTENCE_ENDS = re.compile(r"(?<=[.?!…])\s+|\n+")
_CLAUSE_ENDS = re.compile(r"[^\w\s'’-]+|--+|\n+|\s-\s")
_stemmer = snowballstemmer.stemmer("german")
_stemmer_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words that carry no topic or little of it; function words as they are, all others by their stems."""

    stop: frozenset[str]
    aspect: frozenset[str]
    light: frozenset[str]
    persons: frozenset[str]
    circumstance: frozenset[str]
    generic: frozenset[str]
    whole: frozenset[str]
    opposites: frozenset[str]
    aspect_words: tuple[str, ...]

    def weight(self, word: str) -> float:
        """Share of a folded word's topical weight that counts: 0, `LIGHT_WEIGHT`, `PERSON_WEIGHT` or 1."""
        root = stem(word)
        if word in self.stop or len(word) < 2 or root in self.aspect:
            return 0.0
        if word.isdigit() or root in self.light:
            return LIGHT_WEIGHT
        return PERSON_WEIGHT if root in self.persons else 1.0

    def is_circumstance(self, word: str) -> bool:
        """Whether a folded word names a condition of the citizen, or a person."""
        return stem(word) in self.circumstance or stem(word) in self.persons

    def is_generic(self, word: str) -> bool:
        """Whether a folded word is said of many services."""
        return stem(word) in self.generic

    def opposite(self, word: str) -> str | None:
        """Which of the stems that exclude each other a folded word or compound ends in ("Gewerbeabmeldung")."""
        return next((one for one in self.opposites if stem(word).endswith(one)), None)

    def aspect_similarity(self, word: str) -> float:
        """How much a folded word looks like a misspelled one that asks for an aspect (0 to 1)."""
        if len(word) < MIN_ASPECT_LENGTH:
            return 0.0
        found = process.extractOne(
            word, self.aspect_words, scorer=OSA.normalized_similarity, score_cutoff=MIN_FUZZY_SIMILARITY
        )
        return float(found[1]) if found else 0.0

    def asks_for_everything(self, text: str) -> bool:
        """Whether a text asks what an event brings with it, rather than for one service."""
        return any(stem(word) in self.whole for word in words(text))


@cache
def lexicon() -> Lexicon:
    """The lexicon that lies beside the code."""
    lists = {name: words(text) for name, text in tomllib.loads(LEXICON.read_text(encoding="utf-8")).items()}
    stems = {name: frozenset(map(stem, entries)) for name, entries in lists.items() if name != "stop"}
    aspect_words = tuple(word for word in lists["aspect"] if len(word) >= MIN_FUZZY_LENGTH)
    return Lexicon(stop=frozenset(lists["stop"]), aspect_words=aspect_words, **stems)


def plain(text: str) -> str:
    """The text without what is no word of the citizen: labels of masked parts, markup."""
    return _NO_WORDS.sub(" ", text).strip()


def clauses(text: str) -> list[str]:
    """The parts of a text between any punctuation but hyphens and apostrophes within a word."""
    return [part for part in _CLAUSE_ENDS.split(text) if part.strip()]


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text."""
    return [part for part in _SENTENCE_ENDS.split(text) if part.strip()]


def words(text: str) -> list[str]:
    """The folded words of a text."""
    return _WORD.findall(fold(text))


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The German Snowball stem of a folded word; it comes out without umlauts, written `ue` or left out."""
    with _stemmer_lock:
        return str(_stemmer.stemWord(word))


@lru_cache(maxsize=100_000)
def grams(word: str) -> tuple[str, ...]:
    """Different character n-grams within one word, its edges marked, so that compounds share some with their parts."""
    marked = f"<{stem(word)}>"
    if len(marked) <= GRAM_LENGTHS[0]:
        return (marked,)
    return tuple({marked[at : at + size] for size in GRAM_LENGTHS for at in range(len(marked) - size + 1)})


def topical_words(text: str) -> dict[str, float]:
    """Folded words of a text that carry topic, with the share of their weight that counts (0 to 1)."""
    table = lexicon()
    weights = ((word, table.weight(word)) for word in words(text))
    return {word: weight for word, weight in weights if weight > 0}
