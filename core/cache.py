"""A value from the database that is asked for all the time and may be a moment old."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from core.clock import Clock

T = TypeVar("T")

FRESH = dt.timedelta(seconds=1)


class Fresh(Generic[T]):
    """Holds a value and loads it again once it is too old. Thread-safe."""

    def __init__(self, load: Callable[[], T], clock: Clock, *, age: dt.timedelta = FRESH) -> None:
        """
        Args:
            load: gets the value.
            clock: tells how old it is.
            age: from which age on it is loaded again.
        """
        self._load = load
        self._clock = clock
        self._age = age
        self._lock = threading.Lock()
        self._held: tuple[dt.datetime, T] | None = None

    def get(self) -> T:
        """The value, loaded less than the age ago."""
        if (held := self._fresh()) is not None:
            return held[1]
        with self._lock:
            if (held := self._fresh()) is None:
                held = self._held = (self._clock.now(), self._load())
            return held[1]

    def reload(self) -> T:
        """The value, loaded now."""
        with self._lock:
            held = self._held = (self._clock.now(), self._load())
            return held[1]

    def forget(self) -> None:
        """Load the value at the next question; for whoever has changed it."""
        with self._lock:
            self._held = None

    def _fresh(self) -> tuple[dt.datetime, T] | None:
        held = self._held
        # A clock that was set back must not keep the value for long: so its age counts in both directions.
        return held if held is not None and abs(self._clock.now() - held[0]) < self._age else None
