"""Telephone numbers as callers key them in or say them, and as they are read back."""

from __future__ import annotations

import re

import phonenumbers

from nlu.speech.numbers import cardinal, dialled
from nlu.text import fold

HERE = "DE"
HERE_CODE = 49
SHORTEST = 5
"""Digits after the area code's zero below which it is no number of a person."""
BELOW_HUNDRED = 100

_SPOKEN = {fold(cardinal(number)).replace("-", ""): str(number) for number in range(BELOW_HUNDRED)} | {
    "zwo": "2",
    "ein": "1",
}
_FILLERS = frozenset(
    {
        *("die", "das", "meine", "ist", "nummer", "telefonnummer", "lautet", "also", "aeh", "aehm", "ja", "und"),
        *("dann", "dahinter", "vorwahl", "durchwahl", "bitte"),
    }
)
_PLUS = {"plus": "+", "doppelnull": "00"}
_TIMES = {"doppel": 2, "zweimal": 2, "dreimal": 3}


def callable_number(text: str) -> str | None:
    """A number as people in Germany dial it, `036411234567`, those of other countries as `+43…`; None if it is none."""
    try:
        number = phonenumbers.parse(text, HERE)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number) or len(str(number.national_number)) < SHORTEST:
        return None
    here = number.country_code == HERE_CODE
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not here:
        return str(written)
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return "".join(char for char in national if char.isdigit())


def keyed_number(digits: str) -> str | None:
    """The number that was keyed in or said; without an area code there is none."""
    return callable_number(digits) if digits.startswith(("0", "+")) else None


def in_pairs(number: str) -> str:
    """A number for writing along: `null drei sechs, vier eins, eins zwei`."""
    spoken = dialled(re.sub(r"\D", "", number))
    return f"plus {spoken}" if number.startswith("+") else spoken


def spoken_digits(text: str) -> str | None:
    """The digits that were said, one by one or in pairs: "null drei sechsunddreißig" gives `0336`.

    Returns:
        None where something else was said.
    """
    found: list[str] = []
    times = 1
    for word in re.findall(r"\w+|\+", fold(text)):
        if word in _TIMES:
            times = _TIMES[word]
            continue
        digits = word if word.isdigit() or word == "+" else _SPOKEN.get(word) or _PLUS.get(word)
        if digits is None and word not in _FILLERS:
            return None
        found.append((digits or "") * times)
        times = 1
    return "".join(found) or None
