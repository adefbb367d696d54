"""How a citizen reaches a human: asked of whoever knows, which is the room above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Contact:
    """Whether staff can be reached now, and a sentence on when and how."""

    open: bool
    text: str
    speech: str


class Reachability(Protocol):
    """Knows when staff can be reached."""

    def contact(self) -> Contact:
        """The present state."""
        ...
