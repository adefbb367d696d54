"""Where people stand in the queue and how long it takes, written and spoken."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bot.models import Channel
from core.events import Event
from core.i18n import Phrases
from handover.models import Agent, Handover

ORDINALS = 12
"""Places up to this one have a word of their own."""
LONGEST = dt.timedelta(minutes=60)
"""Nobody believes a longer estimate to the minute."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the queue of one department, from 1, with the estimated wait in whole minutes."""

    position: int
    wait_minutes: int

    def event(self, phrases: Phrases) -> Event:
        """What a citizen is told of it."""
        return Event(
            "queue",
            {
                "position": self.position,
                "wait_minutes": self.wait_minutes,
                "text": _say(phrases.text, self),
                "speech": _say(phrases.speech, self),
            },
        )


def places(
    waiting: Iterable[Handover],
    *,
    present: Iterable[Agent],
    active: Mapping[str, int],
    handling: Callable[[str], dt.timedelta],
) -> dict[str, Place]:
    """The places of all who wait, by conversation.

    Args:
        waiting: in the order of their turn.
        present: agents who take conversations.
        active: number of conversations that each agent has, by account.
        handling: how long a conversation of a department usually takes.

    Those whom a free agent can take at once wait a minute; the others for as many conversations to end as stand
    before them, of which the agents' slots end side by side.
    """
    agents = list(present)
    queues: dict[str, list[Handover]] = defaultdict(list)
    for handover in waiting:
        queues[handover.department].append(handover)
    found: dict[str, Place] = {}
    for department, queue in queues.items():
        staff = [agent for agent in agents if department in agent.departments]
        slots = sum(agent.capacity for agent in staff)
        free = sum(max(0, agent.capacity - active.get(agent.account_id, 0)) for agent in staff)
        usual = handling(department)
        for position, handover in enumerate(queue, start=1):
            wait = usual * max(0, position - free) / max(1, slots)
            minutes = max(1, math.ceil(min(wait, LONGEST) / dt.timedelta(minutes=1)))
            found[handover.conversation_id] = Place(position, minutes)
    return found


def can_take(agent: Agent, handover: Handover) -> bool:
    """Whether an agent works for the department, and can be called where a caller waits."""
    return handover.department in agent.departments and (
        handover.channel is not Channel.PHONE or agent.extension is not None
    )


def _say(find: Callable[..., str], place: Place) -> str:
    ordinal = find(f"ordinal.{place.position}") if place.position <= ORDINALS else f"{place.position}."
    key = "queue.soon" if place.wait_minutes == 1 else "queue.place"
    return find(key, ordinal=ordinal, minutes=place.wait_minutes)
