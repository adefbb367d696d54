from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chat_client import Chat
from tests.running import RunningService

KEYS = {
    *("say", "choose"),
    *("kind", "service", "aspect", "office", "contains", "excludes", "offers", "candidates", "actions", "again"),
}
UNFIT_FOR_SPEECH = ("http", "www.", "{", "}", "**", "None")


def conversations() -> Iterator[Any]:
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        for conversation in yaml.safe_load(path.read_text(encoding="utf-8")):
            yield pytest.param(conversation["turns"], id=f"{path.stem}: {conversation['name']}")


@pytest.mark.parametrize("turns", list(conversations()))
def test_dialogue(service: RunningService, turns: list[dict[str, Any]]) -> None:
    with closing(Chat(service.url)) as chat:
        for turn in turns:
            assert set(turn) <= KEYS, f"unknown key in {turn}"
            assert len(turn) > 1, f"nothing is expected of {turn}"
            before = chat.last
            message = chat.choose(turn["choose"]) if "choose" in turn else chat.say(turn["say"])
            faults = [*differences(turn, message, before), *blemishes(message)]
            assert not faults, f"{turn.get('say') or turn.get('choose')!r}: {'; '.join(faults)}\n{message['text']}"


def differences(turn: dict[str, Any], message: dict[str, Any], before: dict[str, Any]) -> Iterator[str]:
    """What the turn asks of the reply and the reply does not give."""
    answer = message["answer"] or {}
    found = {
        "kind": answer.get("kind"),
        "service": answer.get("service_id"),
        "aspect": answer.get("aspect"),
        "office": (answer.get("office") or {}).get("id"),
        "again": message["text"] == before["text"],
    }
    for key, value in found.items():
        if key in turn and value not in (turn[key] if isinstance(turn[key], list) else [turn[key]]):
            yield f"{key} is {value!r} instead of {turn[key]!r}"
    text = message["text"]
    yield from (f"{part!r} is missing" for part in turn.get("contains", []) if part not in text)
    yield from (f"{part!r} should not be there" for part in turn.get("excludes", []) if part in text)
    labels = {choice["label"] for choice in message["choices"]}
    yield from (f"{label!r} is not offered" for label in turn.get("offers", []) if label not in labels)
    candidates = answer.get("candidates", [])
    yield from (f"{wanted!r} is no candidate" for wanted in turn.get("candidates", []) if wanted not in candidates)
    kinds = {action["kind"] for action in answer.get("actions", [])}
    yield from (f"there is no action {kind!r}" for kind in turn.get("actions", []) if kind not in kinds)


def blemishes(message: dict[str, Any]) -> Iterator[str]:
    """What no reply may have, whatever was said."""
    if not message["text"].strip() or not message["speech"].strip():
        yield "the reply is empty"
    yield from (f"{part!r} is spoken: {message['speech']}" for part in UNFIT_FOR_SPEECH if part in message["speech"])
    labels = [choice["label"] for choice in message["choices"]]
    if len(set(labels)) < len(labels):
        yield f"choices are offered twice: {labels}"
