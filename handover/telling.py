"""Tells everybody what has changed: the citizen's event stream, and the workspaces of staff."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool

from bot.models import Channel, State
from core.events import Event, EventHub
from core.i18n import Phrases
from handover.agents import AgentStore
from handover.models import Handover
from handover.places import Place, places
from handover.reachability import StaffReachability
from handover.store import HandoverStore

STAFF = "staff"
"""Topic of everything that concerns the workspaces."""
NOBODY = (Event("presence", {"agent": None}),)
"""No human is in the conversation."""


class Telling:
    """Publishes events. For use from the event loop."""

    def __init__(
        self,
        *,
        events: EventHub,
        store: HandoverStore,
        agents: AgentStore,
        reachability: StaffReachability,
        phrases: Phrases,
    ) -> None:
        self._events = events
        self._store = store
        self._agents = agents
        self._reachability = reachability
        self._phrases = phrases
        self._told: dict[str, Place] = {}
        self._counting = asyncio.Lock()

    def message(self, conversation_id: str) -> None:
        """There is something new in a conversation."""
        self._events.publish(conversation_id, Event("message"))
        self.staff("message", conversation=conversation_id)

    def staff(self, name: str, **data: object) -> None:
        """Something for the workspaces."""
        self._events.publish(STAFF, Event(name, data))

    def citizen(self, conversation_id: str, event: Event) -> None:
        """Something for the citizen."""
        self._events.publish(conversation_id, event)

    def owner(self, conversation_id: str, state: State, *, who: Sequence[Event] = NOBODY) -> None:
        """A conversation has changed its owner: the citizen learns who is there, staff get a new board."""
        self._told.pop(conversation_id, None)
        for event in (Event("message"), *who, Event("state", {"state": state})):
            self._events.publish(conversation_id, event)
        self.staff("message", conversation=conversation_id)
        self.staff("board")

    def who(self, handover: Handover) -> list[Event]:
        """Which agent is there; and where to put a call through to. Asks the database."""
        if handover.agent_id is None:
            return []
        agent = self._agents.get(handover.agent_id)
        who = {"name": agent.name, "department": self._reachability.name(handover.department)}
        found = [Event("presence", {"agent": who})]
        if handover.channel is Channel.PHONE:
            found.append(Event("transfer", {"extension": agent.extension}))
        return found

    async def places(self) -> None:
        """Tell those who wait where they stand, if that has changed."""
        async with self._counting:
            found = await run_in_threadpool(self.all_places)
            for conversation_id, place in found.items():
                if self._told.get(conversation_id) != place:
                    self._events.publish(conversation_id, place.event(self._phrases))
            self._told = found

    def all_places(self) -> dict[str, Place]:
        """Where everybody stands."""
        waiting = self._store.waiting()
        if not waiting:
            return {}
        active = Counter(one.agent_id for one in self._store.with_agents() if one.agent_id)
        return places(waiting, present=self._agents.present(), active=active, handling=self._store.handling)
