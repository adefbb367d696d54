"""What can be found."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

Kind = Literal["service", "life_situation", "office"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One record that can be found."""

    kind: Kind
    id: str
    title: str
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None
    areas: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    """For a life situation the services that it leads to."""

    def is_valid(self, day: dt.date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )
