"""Everything that can be done with conversations, in any order: ownership and handover never disagree."""

from __future__ import annotations

import contextlib
import datetime as dt

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bot.models import Channel, State
from bot.store import ConversationClosed, ConversationGone
from core.accounts import Account
from handover.errors import HandoverError
from handover.models import End, Handover, Reason
from tests.handover.house import WORDS, House
from tests.handover.invariant import assert_consistent

CONVERSATIONS = st.integers(min_value=0, max_value=2)
AGENTS = st.integers(min_value=0, max_value=1)


class Day(RuleBasedStateMachine):
    """Two agents and three conversations, which never end; each refusal has to be one of the named errors."""

    def __init__(self, house: House, agents: list[Account]) -> None:
        super().__init__()
        self.house = house
        self.agents = agents
        self.ids: list[str] = []
        self.said: dict[str, list[str]] = {}

    @initialize()
    def begin(self) -> None:
        self.ids = [self.house.conversation() for _ in range(3)]

    @rule(at=CONVERSATIONS)
    def new(self, at: int) -> None:
        self.ids[at] = self.house.conversation()

    @rule(at=CONVERSATIONS)
    def request(self, at: int) -> None:
        with contextlib.suppress(ConversationGone):
            before = self.state(at)
            asked = self.house.staffing.store.request(
                self.ids[at], department="zentrale", service_id=None, channel=self.channel(at), words=WORDS
            )
            assert (asked is not None) == (before is State.BOT)

    @rule(at=CONVERSATIONS)
    def cancel(self, at: int) -> None:
        before = self.open(at)
        back = self.house.staffing.store.back_to_bot(self.ids[at], end=End.CANCELLED, words=WORDS)
        assert (back is not None) == (before is not None)
        assert back is None or self.state(at) is State.BOT

    @rule(at=CONVERSATIONS, who=AGENTS)
    def offer(self, at: int, who: int) -> None:
        if (handover := self.open(at)) is not None:
            until = self.house.clock.now() + dt.timedelta(seconds=30)
            self.house.staffing.store.offer(handover.id, self.agents[who].id, until=until)

    @rule(at=CONVERSATIONS, who=AGENTS)
    def pass_on(self, at: int, who: int) -> None:
        if (handover := self.open(at)) is not None:
            passed = self.house.staffing.store.pass_on(handover.id, self.agents[who].id)
            assert passed == (handover.offered_to == self.agents[who].id)

    @rule(at=CONVERSATIONS, who=AGENTS)
    def claim(self, at: int, who: int) -> None:
        handover, agent = self.open(at), self.agents[who]
        if handover is None:
            return
        with contextlib.suppress(HandoverError):
            assert self.house.staffing.store.claim(handover.id, agent, words=WORDS).agent_id == agent.id
            assert handover.agent_id in (None, agent.id)
            assert not handover.offered(self.house.clock.now()) or handover.offered_to == agent.id

    @rule(at=CONVERSATIONS, who=AGENTS)
    def say(self, at: int, who: int) -> None:
        handover = self.open(at)
        mine = handover is not None and handover.agent_id == self.agents[who].id
        try:
            self.house.agent_says(self.ids[at], self.agents[who])
        except (HandoverError, ConversationGone):
            assert not mine
        else:
            assert mine

    @rule(at=CONVERSATIONS)
    def citizen_says(self, at: int) -> None:
        with contextlib.suppress(ConversationGone, ConversationClosed):
            self.house.citizen_says(self.ids[at])

    @rule(at=CONVERSATIONS, who=AGENTS, to_colleague=st.booleans())
    def transfer(self, at: int, who: int, to_colleague: bool) -> None:
        with contextlib.suppress(HandoverError):
            self.house.staffing.store.transfer(
                self.ids[at],
                self.agents[who],
                department="zentrale",
                colleague=self.agents[1 - who].id if to_colleague else None,
                until=self.house.clock.now() + dt.timedelta(seconds=30),
                words=WORDS,
            )

    @rule(at=CONVERSATIONS, who=AGENTS)
    def release(self, at: int, who: int) -> None:
        if (handover := self.open(at)) is not None:
            released = self.house.staffing.store.release(handover.id, self.agents[who].id, words=WORDS)
            assert (released is not None) == (handover.agent_id == self.agents[who].id)

    @rule(at=CONVERSATIONS, who=AGENTS, to=st.sampled_from([State.BOT, State.CLOSED]))
    def finish(self, at: int, who: int, to: State) -> None:
        with contextlib.suppress(HandoverError):
            self.house.staffing.store.finish(
                self.ids[at],
                by=self.agents[who],
                to=to,
                end=End.CLOSED if to is State.CLOSED else End.RETURNED,
                reason=Reason.SOLVED,
                tags=[],
                words=WORDS,
            )
            assert self.state(at) is to

    @rule(at=CONVERSATIONS)
    def hang_up(self, at: int) -> None:
        with contextlib.suppress(ConversationGone):
            self.house.staffing.store.hung_up(self.ids[at])
            assert self.state(at) is State.CLOSED

    @rule(at=CONVERSATIONS)
    def erase(self, at: int) -> None:
        with contextlib.suppress(ConversationGone):
            self.house.conversations.erase(self.ids[at])

    @rule(at=CONVERSATIONS)
    def note(self, at: int) -> None:
        with contextlib.suppress(ConversationGone):
            self.house.staffing.store.add_note(self.ids[at], author="agent1", text="Eine Notiz.")

    @rule(seconds=st.sampled_from([5, 31, 301, 700]), alive=st.booleans())
    def time_passes(self, seconds: int, alive: bool) -> None:
        self.house.clock.advance(seconds=seconds)
        if alive:
            self.house.alive(*self.agents)
            self.house.staffing.store.touch(self.ids)

    @rule()
    def tend(self) -> None:
        self.house.staffing.tending.round()

    @invariant()
    def agrees(self) -> None:
        assert_consistent(self.house.database)

    @invariant()
    def keeps_what_was_said(self) -> None:
        """Messages are only ever added, until all of them are erased."""
        for conversation_id in self.ids:
            texts, before = self.house.texts(conversation_id), self.said.get(conversation_id, [])
            assert not texts or texts[: len(before)] == before
            self.said[conversation_id] = texts

    def open(self, at: int) -> Handover | None:
        return self.house.staffing.store.of(self.ids[at])

    def state(self, at: int) -> State:
        return self.house.conversations.get(self.ids[at]).state

    def channel(self, at: int) -> Channel:
        return self.house.conversations.get(self.ids[at]).channel


def test_whatever_happens_ownership_and_handover_agree(house: House) -> None:
    agents = [house.agent("agent1", capacity=2), house.agent("agent2", capacity=2)]
    house.enable("zentrale", hours="24/7")

    class DayHere(Day):
        def __init__(self) -> None:
            super().__init__(house, agents)

    run_state_machine_as_test(
        DayHere,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
