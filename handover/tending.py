"""What happens to the queue by itself, a round every second: offers, lapses, closing time.

A round is plain rules on the database. It returns what has changed, for the desk to tell.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.models import Channel
from bot.store import ConversationGone
from core.clock import Clock
from core.i18n import Phrases
from handover.agents import AgentStore
from handover.errors import UnknownHandover
from handover.models import Agent, End, Handover
from handover.places import can_take
from handover.reachability import StaffReachability
from handover.settings import HandoverSettings
from handover.store import HandoverStore, Words

log = logging.getLogger(__name__)

_Queue = tuple[str, Channel]
"""A department's queue for a channel."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that a round has done: to a conversation, to an agent, or to both."""

    conversation_id: str | None = None
    agent_id: str | None = None
    what: str = "offered"


class Tending:
    """The rules of one round."""

    def __init__(
        self,
        *,
        store: HandoverStore,
        agents: AgentStore,
        reachability: StaffReachability,
        phrases: Phrases,
        clock: Clock,
        settings: HandoverSettings,
    ) -> None:
        self._store = store
        self._agents = agents
        self._reachability = reachability
        self._phrases = phrases
        self._clock = clock
        self._settings = settings
        self._alone_since: dict[_Queue, dt.datetime] = {}

    def round(self) -> list[Change]:
        """Look after everybody once; returns what has changed."""
        return [
            *self._sign_off(),
            *self._release_silent(),
            *self._lapse(),
            *self._send_home(),
            *self._offer(),
        ]

    def _sign_off(self) -> Iterator[Change]:
        """Agents whose workspace is gone go offline; who was with them goes to the head of the queue."""
        for agent in self._agents.sign_off_gone():
            yield Change(agent_id=agent.account_id, what="offline")
        there = {agent.account_id for agent in self._agents.all() if self._agents.is_there(agent)}
        # A caller talks by telephone, which goes on without the workspace.
        left_alone = [
            handover
            for handover in self._store.with_agents()
            if handover.agent_id not in there and handover.channel is not Channel.PHONE
        ]
        yield from self._release(left_alone, "agent.gone")

    def _release_silent(self) -> Iterator[Change]:
        """A citizen who waits too long for an answer gets another agent; the silent one counts as away."""
        silent = self._store.unanswered(before=self._clock.now() - self._settings.agent_silent)
        for change in self._release(silent, "agent.silent"):
            if change.agent_id is not None:
                self._agents.set_away(change.agent_id)
            yield change

    def _release(self, handovers: list[Handover], key: str) -> Iterator[Change]:
        for handover in handovers:
            agent = handover.agent_id
            try:
                released = agent and self._store.release(handover.id, agent, words=self._words(key))
            except UnknownHandover:  # the conversation has another owner; that must not hold up the others
                log.error("handover %s and its conversation disagree", handover.id)
                continue
            if released:
                yield Change(handover.conversation_id, agent, "released")

    def _lapse(self) -> Iterator[Change]:
        """Offers that were not answered in time, and those to agents who have gone since."""
        now = self._clock.now()
        present = {agent.account_id for agent in self._agents.present()}
        for handover in self._store.waiting():
            agent, missed = handover.offered_to, not handover.offered(now)
            if agent is None or (agent in present and not missed) or not self._store.pass_on(handover.id, agent):
                continue
            if missed:
                self._agents.miss(agent)
            yield Change(handover.conversation_id, agent, "lapsed")

    def _send_home(self) -> Iterator[Change]:
        """Who waits in vain is put through elsewhere or, like who has stopped waiting, gets back to the bot."""
        now = self._clock.now()
        waiting = [handover for handover in self._store.waiting() if not handover.offered(now)]
        queues = {_queue(handover) for handover in waiting}
        self._alone_since = {queue: since for queue, since in self._alone_since.items() if queue in queues}
        staffed = {queue: self._staffed(queue) for queue in queues}
        for handover in waiting:
            if handover.citizen_seen_at <= now - self._settings.citizen_gone:
                yield from self._back(handover, End.LEFT, "queue.left")
            elif self._reachability.is_closed(handover.department):
                yield from self._elsewhere(handover, End.CLOSING_TIME, "queue.closing_time")
            elif not staffed[_queue(handover)]:
                yield from self._elsewhere(handover, End.NOBODY, "queue.nobody")

    def _staffed(self, queue: _Queue) -> bool:
        """Whether somebody takes from a queue, or did a moment ago: nobody is sent home for a reload."""
        department, channel = queue
        if self._reachability.is_staffed(department, channel=channel):
            self._alone_since.pop(queue, None)
            return True
        since = self._alone_since.setdefault(queue, self._clock.now())
        return self._clock.now() - since < self._settings.nobody

    def _elsewhere(self, handover: Handover, end: End, key: str) -> Iterator[Change]:
        """Another department that can be reached goes on; without one the bot does."""
        reach = self._reachability.best(handover.service_id, channel=handover.channel)
        if not reach.reachable or reach.department == handover.department:
            yield from self._back(handover, end, key)
            return
        words = self._words("queue.moved", department=self._reachability.name(reach.department))
        if self._store.move(handover.id, department=reach.department, words=words):
            yield Change(handover.conversation_id, what="moved")

    def _back(self, handover: Handover, end: End, key: str) -> Iterator[Change]:
        contact = self._reachability.contact(handover.service_id, channel=handover.channel)
        words = replace(self._words(key, contact=contact.text, spoken_contact=contact.speech), offers_callback=True)
        try:
            if self._store.back_to_bot(handover.conversation_id, end=end, words=words, only_waiting=True):
                yield Change(handover.conversation_id, what="sent_home")
        except ConversationGone:
            return
        except UnknownHandover:
            log.error("handover %s and its conversation disagree", handover.id)

    def _offer(self) -> Iterator[Change]:
        """Each who waits is offered to the agent with the most room who has not passed yet."""
        now = self._clock.now()
        waiting = self._store.waiting()
        if not waiting:
            return
        present = self._agents.present()
        load = Counter(one.agent_id for one in self._store.with_agents())
        load.update(one.offered_to for one in waiting if one.offered(now))
        for handover in waiting:
            if handover.offered(now):
                continue
            able = [agent for agent in present if can_take(agent, handover) and load[agent.account_id] < agent.capacity]
            fresh = [agent for agent in able if agent.account_id not in handover.passed_by]
            if able and not fresh and not handover.rests(now):
                self._store.forget_passing(handover.id)
            chosen = min(fresh, key=lambda agent: _share(agent, load), default=None)
            until = now + self._settings.offer
            if chosen is not None and self._store.offer(handover.id, chosen.account_id, until=until):
                load[chosen.account_id] += 1
                yield Change(handover.conversation_id, chosen.account_id, "offered")

    def _words(self, key: str, *, contact: str = "", spoken_contact: str = "", department: str = "") -> Words:
        return Words(
            self._phrases.text(key, contact=contact, department=department),
            self._phrases.speech(key, contact=spoken_contact, department=department),
        )


def _queue(handover: Handover) -> _Queue:
    return handover.department, handover.channel


def _share(agent: Agent, load: Counter[str | None]) -> float:
    return load[agent.account_id] / agent.capacity
