"""Who is in front of a screen right now, as far as this process can see it."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from core.clock import Clock

GLANCE = dt.timedelta(seconds=20)
"""How long somebody who only looks now and then counts as there."""


class Attendance:
    """Counts open event streams by what they follow."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._streams: Counter[str] = Counter()
        self._glances: dict[str, dt.datetime] = {}

    def joined(self, key: str) -> None:
        self._streams[key] += 1

    def left(self, key: str) -> None:
        """One stream less; the last one that ends is still a glance."""
        self._streams[key] -= 1
        if self._streams[key] <= 0:
            del self._streams[key]
            self.seen(key)

    def seen(self, key: str) -> None:
        """Somebody has looked without staying."""
        self._glances[key] = self._clock.now()

    def is_there(self, key: str) -> bool:
        glance = self._glances.get(key)
        return key in self._streams or (glance is not None and glance > self._clock.now() - GLANCE)

    def everyone(self) -> set[str]:
        """All who are there; forgets glances that are over."""
        self._glances = {key: at for key, at in self._glances.items() if at > self._clock.now() - GLANCE}
        return {*self._streams, *self._glances}
