"""Errors of the room.

KnowledgeError
├── ImportFailed        a catalogue that was read has mistakes, one per line
└── UnknownRecord       no record has the id
"""

from __future__ import annotations

from collections.abc import Sequence


class KnowledgeError(Exception):
    """Base of the room's errors."""


class ImportFailed(KnowledgeError):
    """A catalogue has mistakes. `problems` names file and field of each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class UnknownRecord(KnowledgeError, LookupError):
    """No record of the kind has the id."""

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"no {kind} has the id {id!r}")
        self.kind = kind
        self.id = id
