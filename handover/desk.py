"""The desk behind the bot: what citizens can do about humans, and the queue that tends itself."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool

from bot.contact import Contact
from bot.models import State
from bot.store import ConversationGone, ConversationStore
from core.clock import Clock
from core.events import Event
from core.i18n import Phrases
from core.leases import Leases
from handover.agents import AgentStore
from handover.attendance import Attendance
from handover.models import End, Handover, Status
from handover.reachability import StaffReachability
from handover.store import HandoverStore, Words
from handover.telling import NOBODY, Telling
from handover.tending import Change, Tending

log = logging.getLogger(__name__)

ROUND_S = 1.0
LEASE = dt.timedelta(seconds=5)
TOUCH_EVERY = dt.timedelta(seconds=10)


class Desk:
    """Implements `bot.contact.Staff`. Database work runs in threads."""

    def __init__(
        self,
        *,
        conversations: ConversationStore,
        store: HandoverStore,
        agents: AgentStore,
        citizens: Attendance,
        workspaces: Attendance,
        reachability: StaffReachability,
        telling: Telling,
        tending: Tending,
        leases: Leases,
        phrases: Phrases,
        clock: Clock,
        holder: str,
    ) -> None:
        """
        Args:
            conversations: all conversations.
            store: the queue.
            agents: who works here.
            citizens: which conversations citizens look at in this process.
            workspaces: which agents have their workspace open in this process.
            reachability: whether a human can be reached.
            telling: tells citizens and staff.
            tending: the rules of a round.
            leases: of several processes one tends the queue.
            phrases: the room's texts.
            clock: the time.
            holder: name of this process.
        """
        self._conversations = conversations
        self._store = store
        self._agents = agents
        self._citizens = citizens
        self._workspaces = workspaces
        self._reachability = reachability
        self._telling = telling
        self._tending = tending
        self._leases = leases
        self._phrases = phrases
        self._clock = clock
        self._holder = holder
        self._hurry = asyncio.Event()
        self._touched_at = clock.now()

    # What the bot asks (`bot.contact.Staff`)

    def contact(self, service_id: str | None = None) -> Contact:
        return self._reachability.contact(service_id)

    async def request(self, conversation_id: str) -> int | None:
        """Put a conversation of the bot into the queue of the department that answers for its service."""
        requested = await run_in_threadpool(self._request, conversation_id)
        if requested is None:
            return None
        handover, seq = requested
        self._telling.owner(conversation_id, State.QUEUED)
        self.hurry()
        await self._telling.places()
        log.info("handover %s waits for %s", handover.id, handover.department)
        return seq

    async def heard(self, conversation_id: str) -> None:
        self._citizens.seen(conversation_id)
        self._telling.staff("message", conversation=conversation_id)

    async def hung_up(self, conversation_id: str) -> None:
        await run_in_threadpool(self._store.hung_up, conversation_id)
        self._telling.owner(conversation_id, State.CLOSED)
        await self._telling.places()

    async def joined(self, conversation_id: str) -> Sequence[Event]:
        self._citizens.joined(conversation_id)
        self._telling.staff("presence", conversation=conversation_id)
        return await run_in_threadpool(self._at_once, conversation_id)

    def seen(self, conversation_id: str) -> None:
        self._citizens.seen(conversation_id)

    def left(self, conversation_id: str) -> None:
        self._citizens.left(conversation_id)
        self._telling.staff("presence", conversation=conversation_id)

    def erased(self, conversation_id: str) -> None:
        self._telling.owner(conversation_id, State.CLOSED)

    # What citizens do

    def contact_about(self, conversation_id: str) -> Contact:
        """How the department can be reached that answers for what was talked about, the way the citizen came."""
        channel = self._conversations.get(conversation_id).channel
        return self._reachability.contact(self._conversations.topic(conversation_id), channel=channel)

    async def cancel(self, conversation_id: str) -> bool:
        """The citizen goes back to the bot; false where it has the conversation already.

        Raises:
            ConversationGone: there is no such conversation.
        """
        handover = await run_in_threadpool(self._store.of, conversation_id)
        key = "agent.cancelled" if handover is not None and handover.agent_id else "queue.cancelled"
        words = self.words(key)
        returned = await run_in_threadpool(self._store.back_to_bot, conversation_id, end=End.CANCELLED, words=words)
        if returned is None:
            return False
        self._telling.owner(conversation_id, State.BOT)
        await self._telling.places()
        return True

    async def active(self, conversation_id: str, *, typing: bool | None, read: int | None) -> None:
        """The citizen types, or has read up to a message."""
        self._citizens.seen(conversation_id)
        if typing is not None:
            self._telling.staff("typing", conversation=conversation_id, typing=typing)
        if read is not None:
            changed = await run_in_threadpool(self._store.read, conversation_id, seq=read, account_id=None)
            if changed is not None:
                self._telling.staff("read", conversation=conversation_id, seq=read)

    async def place(self, conversation_id: str) -> Event | None:
        """Where a citizen stands in the queue."""
        found = await run_in_threadpool(self._telling.all_places)
        place = found.get(conversation_id)
        return place.event(self._phrases) if place is not None else None

    # The queue by itself

    def hurry(self) -> None:
        """Let the next round begin at once."""
        self._hurry.set()

    async def tend(self) -> None:
        """Look after the queue, for as long as the service runs."""
        await run_in_threadpool(self._welcome_back)
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), ROUND_S)
            self._hurry.clear()
            try:
                await self.round()
            except Exception:  # tried again at the next round: nobody may wait for ever because one round failed
                log.exception("the queue could not be tended")

    async def round(self) -> None:
        """One round, and tell what it has changed."""
        await self._keep_attendance()
        changes = await run_in_threadpool(self._round)
        for change in changes:
            await self._tell(change)
        if changes:
            self._telling.staff("board")
        await self._telling.places()

    async def _keep_attendance(self) -> None:
        now = self._clock.now()
        if now - self._touched_at < TOUCH_EVERY:
            return
        self._touched_at = now
        await run_in_threadpool(self._agents.touch, self._workspaces.everyone())
        await run_in_threadpool(self._store.touch, self._citizens.everyone())

    def _welcome_back(self) -> None:
        """While the service was away nobody could give a sign of life: all have the time from now on to do so."""
        at_work = [agent.account_id for agent in self._agents.all() if agent.status is not Status.OFFLINE]
        self._agents.touch(at_work)
        open_handovers = (*self._store.waiting(), *self._store.with_agents())
        self._store.touch([handover.conversation_id for handover in open_handovers])

    def _round(self) -> list[Change]:
        if not self._leases.acquire("handover", holder=self._holder, span=LEASE):
            return []
        return self._tending.round()

    async def _tell(self, change: Change) -> None:
        if change.agent_id is not None:
            self._telling.staff(change.what, agent=change.agent_id, conversation=change.conversation_id)
        if change.conversation_id is None or change.what in ("offered", "lapsed"):
            return
        with contextlib.suppress(ConversationGone):
            state, who = await run_in_threadpool(self._now, change.conversation_id)
            self._telling.owner(change.conversation_id, state, who=who)

    # Parts of the above

    def words(self, key: str, **values: str) -> Words:
        """A message of the system."""
        return Words(self._phrases.text(key, **values), self._phrases.speech(key, **values))

    def _request(self, conversation_id: str) -> tuple[Handover, int] | None:
        conversation = self._conversations.get(conversation_id)
        service_id = self._conversations.topic(conversation_id)
        reach = self._reachability.best(service_id, channel=conversation.channel)
        if not reach.reachable:
            return None
        return self._store.request(
            conversation_id,
            department=reach.department,
            service_id=service_id,
            channel=conversation.channel,
            words=self.words("queue.begin", department=self._reachability.name(reach.department)),
        )

    def _now(self, conversation_id: str) -> tuple[State, Sequence[Event]]:
        """Who has a conversation by now; somebody may have been quick since the round."""
        handover = self._store.of(conversation_id)
        who = self._telling.who(handover) if handover is not None else []
        return self._conversations.get(conversation_id).state, who or NOBODY

    def _at_once(self, conversation_id: str) -> list[Event]:
        handover = self._store.of(conversation_id)
        if handover is None:
            return []
        if handover.agent_id is not None:
            return self._telling.who(handover)
        place = self._telling.all_places().get(conversation_id)
        return [place.event(self._phrases)] if place is not None else []
