"""Errors of the room.

KnowledgeError
├── EditConflict        someone else has changed the record since it was read
├── ImportFailed        a catalogue that was read has mistakes, one per line
├── ModelMissing        the embedding model of the settings is not on this machine
└── UnknownRecord       no record has the id
"""

from __future__ import annotations

from collections.abc import Sequence


class KnowledgeError(Exception):
    """Base of the room's errors."""


class EditConflict(KnowledgeError):
    """The record was changed by someone else since it was read; nothing was written."""

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"the {kind} {id!r} was changed in the meantime")
        self.kind = kind
        self.id = id


class ImportFailed(KnowledgeError):
    """A catalogue has mistakes. `problems` names file and field of each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class ModelMissing(KnowledgeError):
    """The embedding model of the settings is not on this machine."""

    def __init__(self, model: str) -> None:
        super().__init__(
            f"The embedding model {model!r} is not on this machine. "
            "Name a folder that holds one, or bring it from the hub: stadtbot models fetch"
        )


class UnknownRecord(KnowledgeError, LookupError):
    """No record of the kind has the id."""

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"no {kind} has the id {id!r}")
        self.kind = kind
        self.id = id
