"""What the workspace shows: the board of one agent, and a conversation with all that belongs to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from bot.models import Channel, Message, Model, State
from bot.replies import Replies
from bot.store import ConversationStore
from core.accounts import Account
from core.clock import Clock
from handover.agents import AgentStore
from handover.attendance import Attendance
from handover.callbacks import CallbackStore
from handover.departments import Departments
from handover.errors import NotYours
from handover.models import Agent, End, Handover, Status
from handover.places import can_take
from handover.reachability import StaffReachability
from handover.store import HandoverStore
from knowledge.catalogue import Aspect
from knowledge.service import Knowledge

PREVIEW = 160
"""Characters of a message in a list."""
SEARCHED = 500
"""Conversations that a search looks into, the newest first."""
FOUND = 50
"""Conversations that a search shows."""


class Named(Model):
    """Something with a name."""

    id: str
    name: str


class Me(Model):
    """The agent whose board it is."""

    id: str
    name: str
    status: Status
    note: str
    departments: list[Named]
    capacity: int
    extension: str | None


class Entry(Model):
    """A conversation in one of the lists."""

    handover: str
    conversation: str
    department: Named
    channel: Channel
    service: str | None
    since: dt.datetime
    urgent: bool
    preview: str
    last_seq: int
    citizen_here: bool


class Waiting(Entry):
    """Somebody who waits. `offered_until`: the agent is asked to take it, until then."""

    offered_until: dt.datetime | None
    offered_to_other: bool
    claimable: bool


class Mine(Entry):
    """A conversation of the agent; both sides' marks of what they have read."""

    agent_read: int
    citizen_read: int


class Colleague(Model):
    """Another agent, with nothing but what is needed to hand something on."""

    id: str
    name: str
    status: Status
    note: str
    departments: list[Named]


class DepartmentState(Model):
    """A department that conversations can be handed on to."""

    id: str
    name: str
    open: bool | None
    staffed: bool
    closes_at: dt.datetime | None
    hours: str | None


class Board(Model):
    """Everything beside the conversations themselves."""

    me: Me
    waiting: list[Waiting]
    mine: list[Mine]
    colleagues: list[Colleague]
    departments: list[DepartmentState]
    callbacks_open: int
    callbacks_overdue: int
    at: dt.datetime


class NoteView(Model):
    """A note."""

    author: str
    text: str
    at: dt.datetime


class Passage(Model):
    """An earlier time that a conversation was with staff, and how that ended."""

    department: Named
    begun: dt.datetime
    ended: dt.datetime
    end: End


class ConversationView(Model):
    """A conversation as agents see it. `caller` is shown to the agent who has it.

    `titles` are the names of the services that the bot's answers have found, by id.
    """

    conversation: str
    state: State
    site: str
    channel: Channel
    language: str
    department: Named
    service: Named | None
    since: dt.datetime
    mine: bool
    caller: str | None
    earlier: list[Passage]
    notes: list[NoteView]
    messages: list[Message]
    titles: dict[str, str]


class AnswerView(Model):
    """Something to insert: one aspect of a service, with its source."""

    service_id: str
    title: str
    score: float | None
    aspect: Aspect
    label: str
    text: str
    source_url: str
    as_of: str | None


class Found(Model):
    """A conversation that a search has found."""

    conversation: str
    at: dt.datetime
    department: Named
    channel: Channel
    service: str | None
    excerpt: str
    open: bool


class Views:
    """Puts views together. Asks the database: for use in threads."""

    def __init__(
        self,
        *,
        knowledge: Knowledge,
        conversations: ConversationStore,
        store: HandoverStore,
        agents: AgentStore,
        callbacks: CallbackStore,
        departments: Departments,
        reachability: StaffReachability,
        citizens: Attendance,
        replies: Replies,
        clock: Clock,
    ) -> None:
        self._knowledge = knowledge
        self._conversations = conversations
        self._store = store
        self._agents = agents
        self._callbacks = callbacks
        self._departments = departments
        self._reachability = reachability
        self._citizens = citizens
        self._replies = replies
        self._clock = clock

    def agent(self, account: Account) -> Agent:
        """The account as an agent; at first of the central office."""
        return self._agents.enrol(account.id, departments=[self._knowledge.central_office.id])

    def board(self, account: Account) -> Board:
        """The board of one agent."""
        me = self.agent(account)
        now = self._clock.now()
        waiting = [
            one for one in self._store.waiting() if one.department in me.departments or one.offered_to == me.account_id
        ]
        mine = self._store.with_agents(me.account_id)
        said = self._conversations.last_said([one.conversation_id for one in (*waiting, *mine)])
        callbacks = self._callbacks.open(me.departments)
        return Board(
            me=Me(
                id=me.account_id,
                name=me.name,
                status=me.status,
                note=me.note,
                departments=self._named(me.departments),
                capacity=me.capacity,
                extension=me.extension,
            ),
            waiting=[self._waiting(one, me, said, room=len(mine) < me.capacity) for one in waiting],
            mine=[
                Mine(**self._entry(one, said), agent_read=one.agent_read, citizen_read=one.citizen_read) for one in mine
            ],
            colleagues=self._colleagues(me),
            departments=[self._department(one.id) for one in self._departments.enabled()],
            callbacks_open=len(callbacks),
            callbacks_overdue=sum(callback.due_at < now for callback in callbacks),
            at=now,
        )

    def conversation(self, account: Account, conversation_id: str) -> ConversationView:
        """A conversation with its messages and notes.

        Raises:
            ConversationGone: there is no such conversation.
            NotYours: it has never been for a department of the agent.
        """
        handover = self._readable(account, conversation_id)
        conversation = self._conversations.get(conversation_id)
        mine = handover.ended_at is None and handover.agent_id == account.id
        service = self._knowledge.service(handover.service_id) if handover.service_id else None
        messages = self._conversations.messages(conversation_id)
        return ConversationView(
            conversation=conversation_id,
            state=conversation.state,
            site=conversation.site,
            channel=conversation.channel,
            language=conversation.language,
            department=self._named([handover.department])[0],
            service=Named(id=service.id, name=service.title) if service else None,
            since=handover.created_at,
            mine=mine,
            caller=self._conversations.caller(conversation_id) if mine else None,
            earlier=self._earlier(conversation_id),
            notes=[
                NoteView(author=note.author, text=note.text, at=note.at) for note in self._store.notes(conversation_id)
            ],
            messages=messages,
            titles=self._titles(messages),
        )

    def answers(self, text: str) -> list[AnswerView]:
        """What the catalogue says to a question, every aspect of every candidate."""
        candidates = [*self._knowledge.find(text).candidates, *self._knowledge.alternatives(text)]
        scores: dict[str, float | None] = {}
        for candidate in candidates:
            if candidate.kind == "service":
                scores.setdefault(candidate.id, candidate.score)
        return [answer for service_id, score in scores.items() for answer in self._aspects(service_id, score)]

    def search(self, account: Account, text: str) -> list[Found]:
        """Past and present conversations of the agent's departments in which all the words occur."""
        words = text.casefold().split()
        found: list[Found] = []
        for handover in self._store.past(departments=self.agent(account).departments, limit=SEARCHED):
            if len(found) == FOUND:
                break
            hit = self._hit(handover, words)
            if hit is not None:
                found.append(hit)
        return found

    # Parts of the above

    def _readable(self, account: Account, conversation_id: str) -> Handover:
        agent = self.agent(account)
        for handover in self._store.all_of(conversation_id):
            if handover.department in agent.departments or account.id in (handover.agent_id, handover.offered_to):
                return handover
        raise NotYours(conversation_id)

    def _earlier(self, conversation_id: str) -> list[Passage]:
        return [
            Passage(department=self._named([one.department])[0], begun=one.created_at, ended=one.ended_at, end=one.end)
            for one in self._store.all_of(conversation_id)
            if one.ended_at is not None and one.end is not None
        ]

    def _titles(self, messages: Collection[Message]) -> dict[str, str]:
        found = {id for message in messages if message.answer for id in message.answer.candidates}
        return {id: title for id in sorted(found) if (title := self._title(id)) is not None}

    def _hit(self, handover: Handover, words: Collection[str]) -> Found | None:
        messages = self._conversations.messages(handover.conversation_id)
        everything = " ".join(message.text for message in messages).casefold()
        if not messages or not all(word in everything for word in words):
            return None
        first = next(iter(words), "")
        excerpt = next((one.text for one in messages if first in one.text.casefold()), messages[-1].text)
        return Found(
            conversation=handover.conversation_id,
            at=handover.created_at,
            department=self._named([handover.department])[0],
            channel=handover.channel,
            service=self._title(handover.service_id),
            excerpt=_short(excerpt),
            open=handover.ended_at is None,
        )

    def _waiting(self, one: Handover, me: Agent, said: dict[str, tuple[int, str]], *, room: bool) -> Waiting:
        offered = one.offered(self._clock.now())
        to_me = offered and one.offered_to == me.account_id
        return Waiting(
            **self._entry(one, said),
            offered_until=one.offered_until if to_me else None,
            offered_to_other=offered and not to_me,
            claimable=room and (to_me or not offered) and (to_me or can_take(me, one)),
        )

    def _entry(self, one: Handover, said: dict[str, tuple[int, str]]) -> dict[str, Any]:
        last_seq, preview = said.get(one.conversation_id, (0, ""))
        return {
            "handover": one.id,
            "conversation": one.conversation_id,
            "department": self._named([one.department])[0],
            "channel": one.channel,
            "service": self._title(one.service_id),
            "since": one.accepted_at or one.queued_at,
            "urgent": one.priority > 0,
            "preview": _short(preview),
            "last_seq": last_seq,
            "citizen_here": self._citizens.is_there(one.conversation_id) or one.channel is Channel.PHONE,
        }

    def _colleagues(self, me: Agent) -> list[Colleague]:
        return [
            Colleague(
                id=agent.account_id,
                name=agent.name,
                status=agent.status if self._agents.is_there(agent) else Status.OFFLINE,
                note=agent.note,
                departments=self._named(agent.departments),
            )
            for agent in self._agents.all()
            if agent.account_id != me.account_id
        ]

    def _department(self, department: str) -> DepartmentState:
        state = self._departments.hours_state(department)
        return DepartmentState(
            id=department,
            name=self._reachability.name(department),
            open=state.open,
            staffed=self._reachability.of(department).staffed,
            closes_at=state.closes_at,
            hours=self._departments.today_text(department),
        )

    def _aspects(self, service_id: str, score: float | None) -> list[AnswerView]:
        overview = self._knowledge.answer(service_id, Aspect.OVERVIEW)
        others = [aspect for aspect in overview.aspects if aspect is not overview.aspect]
        answers = [overview, *(self._knowledge.answer(service_id, aspect) for aspect in others)]
        return [
            AnswerView(
                service_id=service_id,
                title=answer.title,
                score=score,
                aspect=answer.aspect,
                label=self._replies.phrase(f"aspect.{answer.aspect}"),
                text=answer.text,
                source_url=answer.source_url,
                as_of=answer.as_of,
            )
            for answer in answers
        ]

    def _named(self, departments: Collection[str]) -> list[Named]:
        return [Named(id=one, name=self._reachability.name(one)) for one in sorted(departments)]

    def _title(self, service_id: str | None) -> str | None:
        service = self._knowledge.service(service_id) if service_id else None
        return service.title if service else None


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= PREVIEW else f"{line[: PREVIEW - 1]}…"
