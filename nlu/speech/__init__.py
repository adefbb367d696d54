"""Written German made speakable: what the telephone's synthesiser gets to read, and sentences for streaming it.

The rules are in the order in which they are applied: layout (`markup`), addresses and numbers of the net and of the
telephone (`contacts`), statutes (`law`), dates and hours (`times`), abbreviations (`short_forms`), all other numbers
(`amounts`), inclusive forms (`gender`), capitals (`short_forms`), marks (`punctuation`).
"""

from __future__ import annotations

import re

from nlu.speech.amounts import amounts, roman
from nlu.speech.contacts import contacts
from nlu.speech.gender import gender
from nlu.speech.law import law
from nlu.speech.markup import lines
from nlu.speech.punctuation import plain
from nlu.speech.short_forms import abbreviations, acronyms
from nlu.speech.times import times
from nlu.text import clean

__all__ = ["LONGEST", "sentences", "speakable"]

LONGEST = 200
"""Characters that a piece of `sentences` has at most, unless a single word has more."""

_ROUNDS = 6
_DIGIT = re.compile(r"\d")
_CLEAN = re.compile("[ -~\näöüßÄÖÜ€§–„“½²°é]*")
_LAYOUT = re.compile("  | \n|\n |\n\n\n")
_QUOTES = str.maketrans({**dict.fromkeys("‐‑‒", "-"), "−": "–", "⁄": "/", "∕": "/"})
_END = re.compile(r"(?<=[.?!]) ")
_PAUSE = re.compile(r"(?<=[,:]) ")


def speakable(text: str) -> str:
    """The text in words that are read aloud as a caller understands them: letters, blanks, hyphens and `. , ? ! :`.

    A speakable text stays as it is.
    """
    if not _CLEAN.fullmatch(text) or _LAYOUT.search(text):
        text = clean(text)
    text = text.translate(_QUOTES)
    for _ in range(_ROUNDS):
        spoken = _spoken(text)
        if spoken == text:
            break
        text = spoken
    return text


def sentences(text: str) -> list[str]:
    """The sentences of a speakable text, for synthesis one by one; those that are too long come in breaths."""
    return [piece for sentence in _END.split(text.strip()) if sentence for piece in _breaths(sentence)]


def _spoken(text: str) -> str:
    text = lines(text)
    text = contacts(text)
    text = law(text)
    text = times(text)
    text = abbreviations(text)
    text = roman(text)
    if _DIGIT.search(text) or "½" in text or "¼" in text or "¾" in text:
        text = amounts(text)
    text = gender(text)
    text = acronyms(text)
    return plain(text)


def _breaths(sentence: str) -> list[str]:
    if len(sentence) <= LONGEST:
        return [sentence]
    pieces: list[str] = [""]
    for part in _PAUSE.split(sentence):
        for words in [part] if len(part) <= LONGEST else part.split(" "):
            joined = f"{pieces[-1]} {words}".strip()
            if len(joined) <= LONGEST:
                pieces[-1] = joined
            else:
                pieces.append(words)
    return [piece for piece in pieces if piece]
