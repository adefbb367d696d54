"""What a call waits for, in order: what the caller does, and what the service tells."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

from telephony import ears

Told = TypeVar("Told")


class Inbox(Generic[Told]):
    """Both sides of a call. What the caller does is kept until it is taken, so nothing is lost while we speak."""

    def __init__(self) -> None:
        self._caller: deque[ears.Event] = deque()
        self._service: deque[Told] = deque()
        self._came = asyncio.Event()

    async def listen(self, events: AsyncIterator[ears.Event]) -> None:
        """Take in what the caller does, until the line is closed."""
        async for event in events:
            self._caller.append(event)
            self._came.set()

    async def follow(self, events: AsyncIterator[Told]) -> None:
        """Take in what the service tells, until it tells no more."""
        async for event in events:
            self.tell(event)

    def tell(self, event: Told) -> None:
        """Something that the service tells."""
        self._service.append(event)
        self._came.set()

    async def caller(self) -> ears.Event:
        """Take the caller's next event; waits for it."""
        await self._until(lambda: bool(self._caller))
        return self._caller.popleft()

    async def either(self) -> ears.Event | Told:
        """Take the next event of either side, the caller's first."""
        await self._until(lambda: bool(self._caller or self._service))
        return self._caller.popleft() if self._caller else self._service.popleft()

    async def interruption(self) -> ears.Event:
        """Wait until the caller speaks or presses a key, and leave it where it is."""
        await self._until(lambda: self.interrupting is not None)
        assert self.interrupting is not None
        return self.interrupting

    @property
    def interrupting(self) -> ears.Event | None:
        """What the caller has done already and nobody has looked at."""
        return next((event for event in self._caller if not isinstance(event, ears.Quiet | ears.Partial)), None)

    def forget_silence(self) -> None:
        """Drop silences: they belong to what was asked before."""
        self._caller = deque(event for event in self._caller if not isinstance(event, ears.Quiet))

    def forget_keys(self, *, but: str = "") -> None:
        """Drop keys that were pressed before anybody could know what they now stand for."""
        self._caller = deque(
            event for event in self._caller if not isinstance(event, ears.Pressed) or event.symbol in but
        )

    def forget_service(self) -> None:
        """Drop what the service has told up to now."""
        self._service.clear()

    async def _until(self, ready: Callable[[], bool]) -> None:
        while not ready():
            self._came.clear()
            await self._came.wait()
