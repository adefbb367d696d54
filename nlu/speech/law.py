"""References to statutes: `§ 7 Abs. 4 Satz 2 WEG` is "Paragraf sieben Absatz vier Satz zwei des ..."."""

from __future__ import annotations

import re

from nlu.speech.lexicon import STATUTES, STATUTES_GENITIVE, listed
from nlu.speech.numbers import cardinal

ROMAN = {
    numeral: value
    for value, numeral in enumerate(
        listed("I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI XVII XVIII XIX XX"), start=1
    )
}

_LABELS = {
    "abs": "Absatz",
    "absatz": "Absatz",
    "abs.": "Absatz",
    "s.": "Satz",
    "satz": "Satz",
    "nr.": "Nummer",
    "nrn.": "Nummern",
    "nr": "Nummer",
    "nummer": "Nummer",
    "buchst.": "Buchstabe",
    "buchstabe": "Buchstabe",
    "lit.": "Buchstabe",
    "halbs.": "Halbsatz",
    "hs.": "Halbsatz",
    "alt.": "Alternative",
    "var.": "Variante",
    "unterabs.": "Unterabsatz",
    "uabs.": "Unterabsatz",
    "ziff.": "Ziffer",
}
_SEPARATORS = {
    ",": ",",
    "und": " und",
    "u.": " und",
    "oder": " oder",
    "sowie": " sowie",
    "bis": " bis",
    "-": " bis",
    "–": " bis",
    "/": ",",
    "§": " Paragraf",
    "§§": " Paragrafen",
}
_LABEL = (
    r"(?:Unterabs\.|UAbs\.|Absatz|Abs\.?|Satz|S\.|Nrn?\.|Nr|Nummer|"
    r"Buchst\.|Buchstabe|lit\.|Halbs\.|HS\.|Alt\.|Var\.|Ziff\.)"
)
_PART = (
    rf"(?:{_LABEL} ?(?:\d{{1,4}} ?[a-z]?(?!\w)|[a-z]{{1,2}}(?!\w)\)?|[IVX]{{1,5}}(?!\w))"
    r"|\d{1,4}(?: ?[a-z])?(?!\w)|[IVX]{1,5}(?!\w)|ff?\.(?!\w))"
)
_SEPARATOR = r"(?: ?(?:,|und|u\.|oder|sowie|bis|[–/-]) ?(?:§§? ?)?)"
_REFERENCE = re.compile(
    rf"(?<!\w)(?P<sign>§§?|[Pp]aragra(?:f|ph)(?:en)?(?= \d)|Art\.|Artikel(?= \d)) ?(?P<parts>\d{{1,4}}"
    rf"(?: ?[a-z](?!\w))?(?!\w|\.\d)(?:{_SEPARATOR}? ?{_PART}){{0,12}})"
    r"(?: (?P<statute>[A-ZÄÖÜ][\wÄÖÜäöüß-]{1,14}(?:/EU)?(?: (?P<book>[IVX]{1,4}(?!\w)|\d{1,2}(?!\w)))?))?"
)
_TOKEN = re.compile(rf"{_LABEL}|\d+|[IVX]+(?!\w)|ff?\.|[a-z]{{1,2}}(?!\w)|,|und|u\.|oder|sowie|bis|[–/§-]+")
_SIGN = re.compile(r"§+")
_KNOWN_BY_NAME = frozenset({"BEEG", "BKGG", "BMG", "BZRG", "FZV", "UVG"})
"""Statutes in capitals that are better known by their names."""

_NAME = re.compile(r"(?<![\w§/-])[A-ZÄÖÜ][\wÄÖÜäöüß-]{1,14}(?:/EU)?(?![\w/-])")
_BOOK = re.compile(r"(?<!\w)SGB[ -](?P<book>[IVX]{1,4}|\d{1,2})(?!\w)")


def law(text: str) -> str:
    """The text with its references and the abbreviations of statutes in words."""
    if "§" in text or "Art" in text or "aragra" in text:
        text = _REFERENCE.sub(_reference, text)
        text = _SIGN.sub(lambda found: " Paragraf " if len(found[0]) == 1 else " Paragrafen ", text)
    if "SGB" in text:
        text = _BOOK.sub(lambda found: f"S G B {_number(found['book'])}", text)
    return _NAME.sub(_name, text)


def _reference(found: re.Match[str]) -> str:
    sign = found["sign"]
    head = "Artikel" if sign.startswith("Art") else "Paragraf" if sign == "§" else "Paragrafen"
    if sign[0] in "Pp":
        head = sign.replace("ph", "f")
    return f"{head} {_parts(found['parts'])}{_statute(found)}"


def _parts(parts: str) -> str:
    spoken, is_numbered = "", False
    for token in _TOKEN.findall(parts):
        if token in _SEPARATORS:
            spoken += _SEPARATORS[token]
        elif label := _LABELS.get(token.lower()):
            spoken += f" {label}"
            is_numbered = False
        elif token in ("f.", "ff."):
            spoken += " folgende"
        elif token in ROMAN:
            spoken += f" Absatz {cardinal(ROMAN[token])}" if is_numbered else f" {cardinal(ROMAN[token])}"
        elif token.isdigit():
            spoken += f" {cardinal(int(token))}"
            is_numbered = True
        else:
            spoken += f" {' '.join(token.upper())}"
    return spoken.strip()


def _statute(found: re.Match[str]) -> str:
    statute = found["statute"]
    if not statute:
        return ""
    name, _, book = statute.partition(" ")
    if name == "SGB" and book:
        return f" S G B {_number(book)}"
    return f" {STATUTES_GENITIVE.get(name, name)}{f' {book}' if book else ''}"


def _name(found: re.Match[str]) -> str:
    name = found[0]
    if name.isupper() and name not in _KNOWN_BY_NAME:
        return name
    return STATUTES.get(name, name)


def _number(book: str) -> str:
    return cardinal(int(book)) if book.isdigit() else cardinal(ROMAN[book]) if book in ROMAN else " ".join(book)
