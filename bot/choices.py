"""Understands which of the offered choices a citizen means when they type or say it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz import fuzz

from nlu.text import fold

SAME_WORDS = 90.0
"""Similarity of 0 to 100 from which typed words count as the label of a choice."""

_ORDINALS = {
    1: ("erste", "eins", "ein"),
    2: ("zweite", "zwei", "zwo"),
    3: ("dritte", "drei"),
    4: ("vierte", "vier"),
    5: ("fuenfte", "fuenf"),
    6: ("sechste", "sechs"),
    7: ("siebte", "siebente", "sieben"),
    8: ("achte", "acht"),
    9: ("neunte", "neun"),
}
_NUMBER_OF = {word: number for number, words in _ORDINALS.items() for word in words}
_DIRECTION = re.compile(r"\b(an|ab|um)(?=meld)")
_FRAME = re.compile(
    r"^(?:(?:ich|nehme|moechte|meine|will|waehle|bitte|ja|also|genau|aehm?|nummer|nr|option|punkt|auswahl|"
    r"der|die|das|den|dem)\b[ .,:]*)*(?P<core>.*?)(?:[ .,!]*(?:bitte|punkt|option|davon|hier))*[ .,!)]*$"
)


def chosen(text: str, labels: Sequence[str]) -> int | None:
    """Index of the choice that a text stands for: by number, ordinal or label.

    Returns:
        The index in `labels`, or None where the text is something else (a new question, for example).
    """
    core = _core(text)
    number = _number(core)
    if number is not None:
        return number - 1 if number <= len(labels) else None
    if core == "letzte" or core == "letzten" or core == "letzter":
        return len(labels) - 1 if labels else None
    return by_label(text, labels)


def by_label(text: str, labels: Sequence[str]) -> int | None:
    """Index of the choice whose label a text is, give or take a typing mistake."""
    core = _core(text)
    if not core:
        return None
    cores = [_core(label) for label in labels]
    words = set(core.split())
    holding = [index for index, label in enumerate(cores) if words <= set(label.split())]
    if len(holding) == 1:
        return holding[0]
    alike = [index for index, label in enumerate(cores) if _is_same(core, label)]
    return alike[0] if len(alike) == 1 else None


def _is_same(core: str, label: str) -> bool:
    """Give or take a typing mistake; but one letter makes a deregistration of a registration."""
    return _DIRECTION.findall(core) == _DIRECTION.findall(label) and fuzz.ratio(core, label) >= SAME_WORDS


def _core(text: str) -> str:
    match = _FRAME.match(fold(text).strip())
    return match["core"].strip(" .,!?") if match else ""


def _number(core: str) -> int | None:
    if re.fullmatch(r"[1-9]\.?", core):
        return int(core[0])
    for ending in ("", "n", "r", "s"):
        if core.endswith(ending) and (number := _NUMBER_OF.get(core.removesuffix(ending))):
            return number
    return None
