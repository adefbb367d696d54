"""What the workspace shows: the board of one agent, and a conversation with all that belongs to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from bot.models import Author, Channel, Message, Model, State
from bot.replies import Replies
from bot.store import Conversation, ConversationGone, ConversationStore
from core.accounts import Account
from core.audit import AuditLog
from core.clock import Clock
from handover.agents import AgentStore
from handover.attendance import Attendance
from handover.callbacks import Callback, CallbackStore
from handover.departments import Departments
from handover.models import Agent, End, Handover, Status
from handover.places import can_take
from handover.reachability import StaffReachability
from handover.store import HandoverStore
from knowledge.catalogue import Aspect
from knowledge.service import Knowledge
from nlu.text import fold

PREVIEW = 160
"""Characters of a message in a list."""
BEFORE_A_HIT = 40
"""Characters of an excerpt before what was searched for."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which conversations a search looks into: those handed over from `since` on and before `until`."""

    department: str | None = None
    channel: Channel | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


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
        audit: AuditLog,
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
        self._audit = audit
        self._clock = clock

    def agent(self, account: Account) -> Agent:
        """The account as an agent; at first of the central office."""
        return self._agents.enrol(account.id, departments=[self._knowledge.central_office.id])

    def departments(self, account: Account) -> list[Named]:
        """The departments that an agent works for."""
        return self._named(self.agent(account).departments)

    def callback_departments(self, agent: Agent) -> frozenset[str]:
        """Whose callbacks an agent sees: the central office also looks after departments that nobody works for."""
        if self._knowledge.central_office.id not in agent.departments:
            return agent.departments
        staffed = {department for one in self._agents.all() for department in one.departments}
        return agent.departments | (self._callbacks.departments() - staffed)

    def board(self, account: Account) -> Board:
        """The board of one agent."""
        me = self.agent(account)
        now = self._clock.now()
        waiting = [
            one for one in self._store.waiting() if one.department in me.departments or one.offered_to == me.account_id
        ]
        mine = self._store.with_agents(me.account_id)
        said = self._conversations.last_said([one.conversation_id for one in (*waiting, *mine)])
        callbacks_open, callbacks_overdue = self._callbacks.count(self.callback_departments(me))
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
            callbacks_open=callbacks_open,
            callbacks_overdue=callbacks_overdue,
            at=now,
        )

    def conversation(self, account: Account, conversation_id: str) -> ConversationView:
        """A conversation with its messages and notes.

        Raises:
            ConversationGone: there is none, or it is none of the agent's business: it has never been for a department
                of the agent, nor does the agent make a call for it.
        """
        conversation = self._conversations.get(conversation_id)
        return self._view(account, conversation, self._readable(account, conversation_id))

    def read(self, account: Account, conversation_id: str) -> ConversationView:
        """The same; reading what is over is an act for the audit log.

        Raises:
            ConversationGone: as above.
        """
        conversation = self._conversations.get(conversation_id)
        about = self._readable(account, conversation_id)
        if isinstance(about, Callback) or about.ended_at is not None:
            self._audit.record("conversation_read", actor=account, subject=conversation_id, department=about.department)
        return self._view(account, conversation, about)

    def _view(self, account: Account, conversation: Conversation, about: Handover | Callback) -> ConversationView:
        conversation_id = conversation.id
        mine = isinstance(about, Handover) and about.ended_at is None and about.agent_id == account.id
        service = self._knowledge.service(about.service_id) if about.service_id else None
        messages = self._conversations.messages(conversation_id)
        return ConversationView(
            conversation=conversation_id,
            state=conversation.state,
            site=conversation.site,
            channel=conversation.channel,
            language=conversation.language,
            department=self._named([about.department])[0],
            service=Named(id=service.id, name=service.title) if service else None,
            since=about.created_at,
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

    def search(self, account: Account, text: str, *, within: Filter | None = None) -> list[Found]:
        """Past and present conversations of the agent's departments in which all the words occur, the newest first."""
        within = within or Filter()
        words = fold(text).split()
        departments = self.agent(account).departments
        handovers = self._store.past(
            departments=departments & {within.department} if within.department else departments,
            channel=within.channel,
            since=within.since,
            until=within.until,
            limit=SEARCHED,
        )
        found: dict[str, Found] = {}
        for handover in handovers:
            if handover.conversation_id not in found:
                hit = self._hit(handover, words)
                if hit is not None:
                    found[handover.conversation_id] = hit
            if len(found) == FOUND:
                break
        return list(found.values())

    def title(self, service_id: str | None) -> str | None:
        """The title of a service, where it is still offered."""
        service = self._knowledge.service(service_id) if service_id else None
        return service.title if service else None

    def aspect(self, aspect: Aspect) -> str:
        """What an aspect is called."""
        return self._replies.phrase(f"aspect.{aspect}")

    # Parts of the above

    def _readable(self, account: Account, conversation_id: str) -> Handover | Callback:
        """Why an agent may read a conversation."""
        agent = self.agent(account)
        for handover in self._store.all_of(conversation_id):
            if handover.department in agent.departments or account.id in (handover.agent_id, handover.offered_to):
                return handover
        for callback in self._callbacks.about(conversation_id):
            if callback.taken_by == account.id:
                return callback
        raise ConversationGone(conversation_id)

    def _earlier(self, conversation_id: str) -> list[Passage]:
        return [
            Passage(department=self._named([one.department])[0], begun=one.created_at, ended=one.ended_at, end=one.end)
            for one in self._store.all_of(conversation_id)
            if one.ended_at is not None and one.end is not None
        ]

    def _titles(self, messages: Collection[Message]) -> dict[str, str]:
        found = {id for message in messages if message.answer for id in message.answer.candidates}
        return {id: title for id in sorted(found) if (title := self.title(id)) is not None}

    def _hit(self, handover: Handover, words: Sequence[str]) -> Found | None:
        """A conversation in a list, if everything that is searched for occurs in it.

        The system's messages do not count: they name agents, and nobody's work is to be looked up.
        """
        messages = [
            message
            for message in self._conversations.messages(handover.conversation_id)
            if message.author is not Author.SYSTEM
        ]
        folded = [fold(message.text) for message in messages]
        everything = " ".join(folded)
        if not messages or not all(word in everything for word in words):
            return None
        hit = next((at for at, one in enumerate(folded) if words and words[0] in one), len(messages) - 1)
        return Found(
            conversation=handover.conversation_id,
            at=handover.created_at,
            department=self._named([handover.department])[0],
            channel=handover.channel,
            service=self.title(handover.service_id),
            excerpt=_excerpt(messages[hit].text, words[0] if words else ""),
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
            "service": self.title(one.service_id),
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
                label=self.aspect(answer.aspect),
                text=answer.text,
                source_url=answer.source_url,
                as_of=answer.as_of,
            )
            for answer in answers
        ]

    def _named(self, departments: Collection[str]) -> list[Named]:
        return [Named(id=one, name=self._reachability.name(one)) for one in sorted(departments)]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= PREVIEW else f"{line[: PREVIEW - 1]}…"


def _excerpt(text: str, word: str) -> str:
    """A piece of a text, with a folded word in it."""
    words = text.split()
    begin = next((at for at, one in enumerate(words) if word in fold(one)), 0)
    room = BEFORE_A_HIT
    while begin and len(words[begin - 1]) < room:
        begin -= 1
        room -= len(words[begin]) + 1
    return f"{'… ' if begin else ''}{_short(' '.join(words[begin:]))}"
