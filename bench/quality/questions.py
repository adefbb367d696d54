"""The questions: our own set, split by whether a service answers them, and another city's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.running import ROOT

CITY = ROOT / "training_data" / "cities" / "jena"
MUNICH = ROOT.parent / "shared" / "data" / "munich"
QUESTIONS = ROOT / "tests" / "quality" / "questions.jsonl"
UNANSWERABLE = ROOT / "tests" / "quality" / "unanswerable.jsonl"
SHORT_WORDS = 3


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its style or kind, and the services that answer it, all equally right; none if it has no answer."""

    q: str
    group: str
    ids: tuple[str, ...] = ()

    @property
    def is_short(self) -> bool:
        return len(self.q.split()) <= SHORT_WORDS


def own_questions() -> list[Question]:
    """Questions that have an answer in the demo city's catalogue; the group is the style."""
    return [Question(entry["q"], entry["style"], tuple(entry["ids"])) for entry in _lines(QUESTIONS)]


def unanswerable_questions() -> list[Question]:
    """Questions that no service of the demo city answers; the group says why."""
    return [Question(entry["q"], entry["kind"]) for entry in _lines(UNANSWERABLE)]


def munich_questions() -> list[Question]:
    """The development questions for Munich's catalogue."""
    return [Question(entry["q"], "munich", tuple(entry["ids"])) for entry in _lines(MUNICH / "queries_dev.jsonl")]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
