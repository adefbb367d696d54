"""Abbreviations with full stops, acronyms and words in capitals."""

from __future__ import annotations

import re
from itertools import pairwise

from nlu.speech.lexicon import ABBREVIATIONS, ACRONYMS, CAPITALS, STARTERS, STATUTES, begins_sentence

_DOTTED = re.compile(r"(?<![\w.@])(?:Dipl\.-Ing\.|Dr\.-Ing\.|[^\W\d_]{1,14}\.(?:[ -]?[^\W\d_]{1,4}(?:\.|(?!\w))){0,4})")
_PIECE = re.compile(r"([ -]?)([^\W\d_]+)(\.?)")
_STREET = re.compile(r"(?<=[a-zäöüß])(-?)([Ss])tr\.(?= ?\d| [A-ZÄÖÜ]|,|$|\n|\))")
_SQUARE = re.compile(r"(?<=[a-zäöüß])(-?)([Pp])l\.(?= ?\d)")
_MASTER = re.compile(r"(?<!\w)Fr\.(?= (?:Dr\.|Prof\.|[A-ZÄÖÜ][a-zäöüß]))")
_INITIALS = re.compile(r"(?<![\w.])((?:[A-ZÄÖÜ]\.[ -]?){2,4})(?=[A-ZÄÖÜ][a-zäöüß])")
_CAPITAL_DOT = re.compile(r"[A-ZÄÖÜ]\.")
_WORD = re.compile(r"(?<![\w-])(?:[A-Za-zÄÖÜäöüß]+-)*[A-Za-zÄÖÜäöüß]+")
_SMALL = frozenset(
    word + mark
    for short in ACRONYMS
    if short[1:].islower()
    for word in (short,)
    for mark in ("", ".", ",", ":", "?", ")")
)
_VOWELS = re.compile(r"[AEIOUYÄÖÜ]")
_NEEDS_NUMBER = {
    "art.": "Artikel",
    "s.": "Seite",
    "anl.": "Anlage",
    "bd.": "Band",
    "kap.": "Kapitel",
    "ziff.": "Ziffer",
}
_NUMBER_AHEAD = re.compile(r" ?(?:\d|[IVX]+(?!\w))")
_NUMBER_BEFORE = re.compile(r"\d ?$")
_UNITS = frozenset({"std.", "sek.", "min.", "mio.", "mrd.", "pers.", "stk.", "tsd.", "jh."})
_KNOWN = ABBREVIATIONS.keys() | _NEEDS_NUMBER.keys() | {"min."}


def abbreviations(text: str) -> str:
    """The text with its abbreviations that carry full stops in words."""
    if "." not in text:
        return text
    if "tr." in text:
        text = _STREET.sub(lambda found: f"{found[1]}{found[2]}traße", text)
    if "pl." in text or "Pl." in text:
        text = _SQUARE.sub(lambda found: f"{found[1]}{found[2]}latz", text)
    if "Fr." in text:
        text = _MASTER.sub("Frau", text)
    text = _DOTTED.sub(_dotted, text)
    if _CAPITAL_DOT.search(text):
        text = _INITIALS.sub(lambda found: re.sub(r"\.[ -]?", " ", found[1]), text)
    return text


def _dotted(found: re.Match[str]) -> str:
    alone = found[0][:-1]
    if alone.isalpha() and len(alone) > 1 and found[0].lower() not in _KNOWN:
        return found[0]
    pieces = _PIECE.findall(found[0])
    spoken, at = "", 0
    end = found.start()
    while at < len(pieces):
        for upto in range(len(pieces), at, -1):
            taken = pieces[at:upto]
            key = ".".join(word for _, word, _ in taken) + "."
            if upto < len(pieces) or taken[-1][2] or len(taken) > 1:
                long = _long(key, found, end, pieces[:at], taken[0][1])
                if long is not None:
                    break
        else:
            blank, word, dot = pieces[at]
            spoken += f"{blank}{word}{dot}"
            end += len(f"{blank}{word}{dot}")
            at += 1
            continue
        end += sum(len("".join(piece)) for piece in taken)
        spoken += taken[0][0] + _with_stop(long, taken[0][1], found.string, end, bool(taken[-1][2]))
        at = upto
    return spoken


def _long(key: str, found: re.Match[str], start: int, before: list[tuple[str, str, str]], first: str) -> str | None:
    folded = key.lower()
    if first.isupper() and len(first) > 1 and key not in ABBREVIATIONS:
        return None
    after = found.string[start + len(first) + 1 : start + len(first) + 9]
    if folded in _UNITS and not before and _NUMBER_BEFORE.search(found.string[max(0, start - 2) : start]):
        return None
    if folded in _NEEDS_NUMBER:
        return _NEEDS_NUMBER[folded] if _NUMBER_AHEAD.match(after) else None
    if key == "tel.":
        return "telefonische" if after[:2].lstrip()[:1].isupper() else "telefonisch"
    if folded == "min.":
        return "mindestens" if first == "min" else "Minuten"
    if len(first) == 1 and first.isupper() and key.count(".") == 1:
        return None
    return ABBREVIATIONS.get(folded)


def _with_stop(long: str, first: str, text: str, end: int, is_dotted: bool) -> str:
    may_end = long.endswith(" .")
    long = long.removesuffix(" .")
    if first[0].isupper():
        long = long[:1].upper() + long[1:]
    rest = text[end : end + 32].lstrip(" ")
    if not is_dotted:
        return long
    word = re.match(r"\w+", rest)
    ends = not rest or rest[0] == "\n" or (may_end and word is not None and begins_sentence(word[0]))
    if may_end and word is not None and word[0][0].isupper() and not ends:
        ends = long.startswith(("und so", "et cetera", "und vieles", "und Ähn", "und anderes", "oder Ähn"))
    return f"{long}." if ends else long


def acronyms(text: str) -> str:
    """The text with what stands in capitals spelled, said as a word or, if it is only loud, in small letters."""
    return " ".join(
        word if word[1:].islower() and word not in _SMALL else _WORD.sub(lambda found: _spoken(found[0]), word)
        for word in text.split(" ")
    )


def _spoken(word: str) -> str:
    known = ACRONYMS.get(word)
    if known is not None:
        return known
    if word.islower() or word[1:].islower():
        return word
    if "-" not in word:
        return _one(word)
    parts = word.split("-")
    for size in range(min(len(parts) - 1, 3), 1, -1):
        head = ACRONYMS.get("-".join(parts[:size]))
        if head is not None:
            return _joined([head, *map(_one, parts[size:])])
    return _joined([_one(part) for part in parts])


def _joined(parts: list[str]) -> str:
    """The parts of a compound: blanks beside spelled ones, hyphens between words."""
    spoken = parts[0]
    for before, part in pairwise(parts):
        is_spelled = len(before.split(" ")[-1]) == 1 or len(part.split(" ")[0]) == 1
        is_mail = before == "E" and len(part) > 1
        spoken += ("-" if is_mail or not is_spelled else " ") + part
    return spoken


def _one(part: str) -> str:
    known = ACRONYMS.get(part)
    if known is not None:
        return known
    if len(part) == 1 or part.islower() or part[1:].islower():
        return part
    if part in STATUTES and not part.isupper():
        return STATUTES[part]
    if part.isupper():
        return _capitals(part)
    if part[-1] == "s" and part[:-1].isupper() and len(part) > 2:
        return _one(part[:-1])
    found = re.fullmatch(r"([A-ZÄÖÜ]?[a-zäöüß]+)([A-ZÄÖÜ]{2,4})", part)
    if found:
        return f"{found[1]} {' '.join(found[2])}"
    pieces = re.findall(r"[A-ZÄÖÜ]+(?![a-zäöüß])|[A-ZÄÖÜ]?[a-zäöüß]+|[A-ZÄÖÜ]", part)
    return " ".join(" ".join(piece) if piece.isupper() else piece for piece in pieces) if len(pieces) > 1 else part


def _capitals(part: str) -> str:
    if part.lower() in CAPITALS:
        return part.lower() if part.lower() in STARTERS else part.capitalize()
    vowels = len(_VOWELS.findall(part))
    if len(part) >= 7 or (len(part) >= 5 and vowels >= 2):
        return part.capitalize()
    return " ".join(part)
