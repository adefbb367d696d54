"""Words for facts: dates, amounts, clock times, lists and telephone numbers, as they are written and said."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from pathlib import Path

from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.numbers import format_decimal

from core.i18n import DEFAULT_LANGUAGE, Phrases

PHRASES = Phrases(Path(__file__).parent / "locale")
"""The phrases of the room."""

_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_WEB_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
_BRACKETED = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]")
_AMOUNT = re.compile(r"(\d+),(\d{2}) (?:Euro|€)")
_SPOKEN_AMOUNT = re.compile(r"(\d+) Euro (\d{2})(?!\d)")
_CLOCK = re.compile(r"\b(\d{1,2}):(\d{2})(?: Uhr)?")
_PHONE = re.compile(r"(?<![\d,.])(?:\+\d{2} ?|0)\d{2,4}(?:[ /-]\d+)+")
_PARAGRAPHS = re.compile(r"§§\s*")
_PARAGRAPH = re.compile(r"§\s*")
_MARKUP = re.compile(r"\*\*|^\s*(?:-|\d+\.)\s+", re.MULTILINE)
_SLASH = re.compile(r"\s*/\s*")
_COMMAS = re.compile(r",\s*(?=[,.;:?])")


def readable_date(partial: str, language: str = DEFAULT_LANGUAGE) -> str:
    """An ISO date in words, as precise as it is known: `29. Mai 2026`, `Mai 2026`, `2026`."""
    match partial.split("-"):
        case [_, _, _]:
            return format_date(dt.date.fromisoformat(partial), "long", locale=language)
        case [year, month]:
            return str(format_skeleton("yMMMM", dt.date(int(year), int(month), 1), locale=language))
        case _:
            return partial


def readable_day(date: dt.date, language: str = DEFAULT_LANGUAGE) -> str:
    """A date without its year: `5. Januar`."""
    return str(format_skeleton("MMMMd", date, locale=language))


def readable_amount(euros: float, language: str = DEFAULT_LANGUAGE) -> str:
    """An amount in euros: `46 Euro`, `27,60 Euro`, `1.200 Euro`, and `kostenlos` for 0."""
    if euros == 0:
        return PHRASES.text("free", language)
    pattern = "#,##0" if float(euros).is_integer() else "#,##0.00"
    return PHRASES.text("euros", language, amount=format_decimal(euros, format=pattern, locale=language))


def readable_time(time: dt.time | None, *, spoken: bool = False, language: str = DEFAULT_LANGUAGE) -> str:
    """A clock time without its `Uhr` where it is written (`8:30`), with it where it is spoken (`8 Uhr 30`).

    None is midnight at the end of a day, 24 Uhr.
    """
    hour, minute = (24, 0) if time is None else (time.hour, time.minute)
    key = "clock.minutes" if minute else "clock.hour"
    return phrase(key, spoken=spoken, language=language, hour=hour, minute=f"{minute:02}")


def readable_list(words: Iterable[str], language: str = DEFAULT_LANGUAGE) -> str:
    """Words in a row: `a, b und c`."""
    return str(format_list(list(words), locale=language))


def spoken_phone(number: str) -> str:
    """A telephone number in pairs of digits, group by group: `0 36 41, 49, 38 00`."""
    international = number.strip().startswith("+")
    groups = [_in_pairs(group) for group in re.findall(r"\d+", number)]
    return ("plus " if international else "") + ", ".join(groups)


def speakable(text: str) -> str:
    """A written text made fit for being read aloud: no web address, bracket, markup, slash or paragraph sign."""
    text = _LINK.sub(r"\1", text)
    text = _WEB_ADDRESS.sub("", text)
    text = _MARKUP.sub("", text)
    for short, long in _abbreviations():
        text = text.replace(short, long)
    text = _BRACKETED.sub(r", \1,", text)
    text = _PARAGRAPHS.sub(PHRASES.text("paragraphs") + " ", text)
    text = _PARAGRAPH.sub(PHRASES.text("paragraph") + " ", text)
    text = _AMOUNT.sub(lambda found: _spoken_amount(found[1], found[2]), text)
    text = _CLOCK.sub(lambda found: _spoken_clock(found[1], found[2]), text)
    text = _PHONE.sub(lambda found: spoken_phone(found[0]), text)
    text = _SLASH.sub(PHRASES.text("slash"), text)
    return _COMMAS.sub("", " ".join(text.split())).strip(", ")


def legible(speech: str) -> str:
    """A spoken text as it is written: `27 Euro 60` becomes `27,60 Euro`."""
    return _SPOKEN_AMOUNT.sub(r"\1,\2 Euro", speech)


def phrase(key: str, /, *, spoken: bool = False, language: str = DEFAULT_LANGUAGE, **values: object) -> str:
    """A phrase of the room in its written or its spoken form."""
    return (PHRASES.speech if spoken else PHRASES.text)(key, language, **values)


def sentence(text: str) -> str:
    """The text with a capital at its start and a full stop at its end."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", ":")) else ".")


def _in_pairs(digits: str) -> str:
    first = len(digits) % 2
    return " ".join([*([digits[:1]] if first else []), *(digits[at : at + 2] for at in range(first, len(digits), 2))])


def _spoken_amount(euros: str, cents: str) -> str:
    return f"{euros} Euro" if cents == "00" else f"{euros} Euro {int(cents)}"


def _spoken_clock(hour: str, minute: str) -> str:
    return readable_time(dt.time(int(hour) % 24, int(minute)), spoken=True)


def _abbreviations() -> list[tuple[str, str]]:
    pairs = (line.partition("=") for line in PHRASES.text("abbreviations").splitlines())
    return [(short, long) for short, _, long in pairs if short]
