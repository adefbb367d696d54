"""What is left of signs, and the marks of sentences in their places."""

from __future__ import annotations

import re
import unicodedata

_WORDS = {
    "&": " und ",
    "+": " plus ",
    "=": " gleich ",
    "%": " Prozent ",
    "€": " Euro ",
    "§": " Paragraf ",
    "@": " ät ",
    "°": " Grad ",
    "☎": " Telefon ",
    "✆": " Telefon ",
    "²": " Quadrat ",
    "³": " hoch drei ",
    "$": " Dollar ",
    "£": " Pfund ",
    "→": ", ",
    "…": ". ",
    ";": ". ",
}
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZäöüßÄÖÜ .,?!:-\n")
_KEPT = str.maketrans({**_WORDS, **dict.fromkeys("()[]{}|", ", "), **dict.fromkeys("–—―−", " – ")})
_AND_OR = re.compile(r"(?<!\w)und ?/ ?oder(?!\w)")
_SLASH = re.compile(r"(?<=[\w.]) ?/+ ?(?=\w)")
_DASH = re.compile(r"\s+[–-]+(?=\s)|–")
_LOOSE_HYPHEN = re.compile(r"(?<![A-Za-zäöüßÄÖÜ])-|-(?![A-Za-zäöüßÄÖÜ])")
_ODD_MARKS = re.compile(r" [.,?!:]|[.,?!:][^ ]|[.,?!:] [.,?!:]")
_MARKS = re.compile(r" ?[.,?!:][ .,?!:]*")
_SHORT_DOT = re.compile(r"(?<![A-Za-zäöüßÄÖÜ-])([A-Za-zäöüßÄÖÜ]{1,4})\. (?=[a-zäöüß])")
_SMALL_AFTER_DOT = re.compile(r"\. [a-zäöüß]")
_LONG_DOT = re.compile(r"\. ([a-zäöüß])")
_STRENGTH = {",": 0, ":": 1, ".": 2, "?": 3, "!": 3}


def plain(text: str) -> str:
    """Letters, blanks and the marks of sentences only."""
    if not _PLAIN.issuperset(text):
        text = _AND_OR.sub("und oder", text)
        if "/" in text:
            text = text.replace("/-", "/")
            text = _SLASH.sub(" oder ", text)
        text = text.translate(_KEPT)
        text = _DASH.sub(", ", text)
        text = "".join(char if char in _PLAIN else _nearest(char) for char in text)
    elif " -" in text:
        text = _DASH.sub(", ", text)
    if "-" in text:
        text = _LOOSE_HYPHEN.sub(" ", text)
    text = " ".join(text.split())
    if _ODD_MARKS.search(text):
        text = _MARKS.sub(_strongest, text)
    text = text.strip(" ,:").lstrip(".?! ,:")
    if not _SMALL_AFTER_DOT.search(text):
        return text
    text = _SHORT_DOT.sub(r"\1 ", text)
    return _LONG_DOT.sub(lambda found: f". {found[1].upper() if found[1] != 'ß' else found[1]}", text)


def _strongest(found: re.Match[str]) -> str:
    marks = [char for char in found[0] if char in _STRENGTH]
    first = marks[0]
    strongest = max(marks, key=lambda mark: _STRENGTH[mark])
    if first in "?!":
        strongest = first
    return f"{strongest} "


def _nearest(char: str) -> str:
    """The letters nearest to a character, else a blank."""
    if char in "„“”‚‘’'\"»«›‹`´*_#~^\\":
        return "" if char in "’'" else " "
    decomposed = unicodedata.normalize("NFKD", char)
    letters = "".join(part for part in decomposed if part in _PLAIN and part not in ".,?!:\n")
    return letters or {
        "ø": "ö",
        "Ø": "Ö",
        "æ": "ä",
        "Æ": "Ä",
        "œ": "ö",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "ı": "i",
        "ẞ": "SS",
    }.get(char, " ")
