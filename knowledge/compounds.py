"""Cuts German compounds into the words that they are made of: Hundesteuerbefreiung → Hunde, Steuer, Befreiung."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache

from nlu.static_embedding import BUNDLED_MODEL
from nlu.text import fold

MIN_WORD = 3
"""Letters of the shortest part that may come from the catalogue ("Amt", "Ehe", "Tod")."""
MIN_COMMON_WORD = 4
MIN_COMPOUND = 7
LINKS = ("", "s", "n", "es", "en", "er", "e")
"""What may stand between two parts."""
PART_COST = 1.0
LINK_COST = 0.3
SHORT_COST = 0.6
"""Of a part of less than five letters: many of them are found by chance."""
ENDINGS = frozenset({"ung", "heit", "keit", "lich", "isch", "chen", "schaft", "ungen", "lein", "igkeit", "ieren"})
"""Pieces that look like words but only end them."""


class CompoundSplitter:
    """Splits words by a lexicon. Safe for threads."""

    def __init__(self, words: Iterable[str]) -> None:
        """Know some words.

        Args:
            words: folded words of the catalogue; common German words are known anyway.
        """
        own = {word for word in words if len(word) >= MIN_WORD and word.isalpha()}
        known = (own | common_words()) - ENDINGS
        self._known = frozenset(word for word in known if not (word.endswith("s") and word[:-1] in known))
        self._own = own

    def split(self, word: str) -> tuple[str, ...]:
        """The parts of a folded compound, down to the smallest; the word alone if it is none."""
        parts = self._cut(word)
        return parts if len(parts) == 1 else tuple(small for part in parts for small in self.split(part))

    def _cut(self, word: str) -> tuple[str, ...]:
        """The fewest words that make up a compound."""
        if len(word) < MIN_COMPOUND or not word.isalpha():
            return (word,)
        best: list[tuple[float, tuple[str, ...]] | None] = [(0.0, ()), *[None] * len(word)]
        for begin in range(len(word)):
            so_far = best[begin]
            if so_far is None:
                continue
            for end in range(begin + MIN_WORD, len(word) + 1):
                part = word[begin:end]
                if end - begin == len(word) or not self._is_part(part):
                    continue
                cost = so_far[0] + PART_COST + SHORT_COST * (len(part) < 5)
                for link in LINKS:
                    after = end + len(link)
                    if not word.startswith(link, end) or (link and after >= len(word)):
                        continue
                    total = cost + LINK_COST * bool(link)
                    held = best[after]
                    if held is None or total < held[0]:
                        best[after] = (total, (*so_far[1], part))
        found = best[len(word)]
        return found[1] if found else (word,)

    def _is_part(self, part: str) -> bool:
        return part in self._known and (len(part) >= MIN_COMMON_WORD or part in self._own)


@cache
def common_words() -> frozenset[str]:
    """German words that stand whole in the vocabulary of the bundled model."""
    file = next(BUNDLED_MODEL.rglob("tokenizer.json"), None)
    if file is None:
        return frozenset()
    pieces = json.loads(file.read_text(encoding="utf-8"))["model"]["vocab"]
    words = (fold(piece.removeprefix("▁")) for piece, _ in pieces if piece.startswith("▁"))
    return frozenset(word for word in words if len(word) >= MIN_COMMON_WORD and word.isalpha())
