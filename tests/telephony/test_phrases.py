"""What the phone says of its own accord."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from nlu.speech import sentences, speakable
from telephony.phrases import FOLDER, Phrases

NAMES = {"city": "Jena", "phone": "03641 49-0"}
SAID_BY_OTHERS = frozenset({"short", "help", "text", "place", "label", "concern", "number"})
"""Gaps that are filled with sentences of their own, or with a caller's."""
LONGEST = 15
ROOM = Path(__file__).parents[2] / "telephony"


def entries() -> dict[str, str]:
    with (FOLDER / "de.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file, locale="de") if message.id}


@pytest.mark.parametrize(("key", "text"), entries().items())
def test_sentences_are_short_and_plain(key: str, text: str) -> None:
    gaps = {name for _, name, _, _ in Formatter().parse(text) if name}
    filled = text.format(**{gap: NAMES.get(gap, "") for gap in gaps})
    for sentence in sentences(speakable(filled)):
        assert len(sentence.split()) <= LONGEST + (8 if "phone" in gaps else 0), sentence
    assert not re.search(r"[!…()/]", text)
    assert gaps <= SAID_BY_OTHERS | NAMES.keys() | {"count", "first", "second", "ordinal"}


def test_every_phrase_is_used_and_there() -> None:
    """Keys that are put together in code stand there up to the gap."""
    literals: set[str] = set()
    for file in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                literals.add(node.value)
    made = {"mode.overflow", "mode.after-hours", "disclosure.human.keys", "disclosure.callback.keys"}
    made |= {f"callback.number.{why}.{number}" for why in ("wrong", "again") for number in (1, 2)}
    assert set(entries()) - literals - made == set()


def test_names_are_filled_in_everywhere() -> None:
    phrases = Phrases(names=NAMES)
    assert "Stadt Jena" in phrases.text("disclosure")
    assert phrases.text("repeat", text="Was?") == "Gern noch einmal. Was?"


def test_what_is_always_the_same_can_be_spoken_in_advance() -> None:
    fixed = Phrases(names=NAMES).fixed()
    assert any("Stadt Jena" in text for text in fixed)
    assert "Einen Moment bitte." in fixed
    assert not any("{" in text for text in fixed)


def test_an_unknown_phrase_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Phrases(names=NAMES).text("nonsense")
