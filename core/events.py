"""Fan-out of events inside one process.

A subscriber that is slow does not hold up the publisher: what it missed it finds in the database, the events only
wake it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

QUEUE_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a topic."""

    name: str
    data: dict[str, Any] = field(default_factory=dict)


class EventHub:
    """Brings events from publishers to the subscribers of a topic. For use from one event loop."""

    def __init__(self) -> None:
        self._subscribers: dict[str, set[asyncio.Queue[Event]]] = defaultdict(set)

    def publish(self, topic: str, event: Event) -> None:
        """Hand an event to everyone who listens to the topic; a full queue loses its oldest event."""
        for queue in self._subscribers.get(topic, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    @contextmanager
    def subscribe(self, *topics: str) -> Iterator[asyncio.Queue[Event]]:
        """A queue that gets the topics' events as long as the context lasts."""
        queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE_LENGTH)
        for topic in topics:
            self._subscribers[topic].add(queue)
        try:
            yield queue
        finally:
            for topic in topics:
                self._subscribers[topic].discard(queue)
                if not self._subscribers[topic]:
                    del self._subscribers[topic]
