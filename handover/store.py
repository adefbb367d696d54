"""The queue in the database. Every method is one short transaction.

All changes of a handover happen while its conversation's row is locked, so that ownership of the conversation and
the handover's state never disagree, whoever comes at the same moment.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from bot.models import Answer, Author, Channel, MessageRow, State
from bot.store import ConversationGone, ConversationStore
from core.accounts import Account
from core.audit import AuditLog
from core.clock import Clock
from core.database import Database
from core.encryption import Keyring
from handover.errors import AtCapacity, NoExtension, NotYours, Taken, UnknownHandover
from handover.models import AgentRow, End, Handover, HandoverRow, NoteRow, Reason, Tag

URGENT = 10
"""Priority of who has waited before and was let down."""
HANDLING = dt.timedelta(minutes=5)
"""How long a conversation with an agent takes until there are enough to know better."""
RECENT = 20
"""Conversations of a department from which the usual time of one is taken."""


@dataclass(frozen=True, slots=True)
class Words:
    """A message of the system, written and spoken; `offers_callback` where it has to console."""

    text: str
    speech: str
    offers_callback: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """What an agent has written for colleagues."""

    author: str
    text: str
    at: dt.datetime


class HandoverStore:
    """Keeps handovers and the notes on them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        keyring: Keyring,
        audit: AuditLog,
        *,
        conversations: ConversationStore,
    ) -> None:
        self._database = database
        self._clock = clock
        self._keyring = keyring
        self._audit = audit
        self._conversations = conversations

    # Into the queue

    def request(
        self, conversation_id: str, *, department: str, service_id: str | None, channel: Channel, words: Words
    ) -> tuple[Handover, int] | None:
        """Put a conversation of the bot into the queue.

        Returns:
            The handover and the number of the message, or None where the bot does not own the conversation.

        Raises:
            ConversationGone: there is no such conversation.
        """
        now = self._clock.now()
        with self._database.session() as session:
            moved = self._conversations.transfer_in(session, conversation_id, expected=[State.BOT], to=State.QUEUED)
            if moved is None:
                return None
            seq = self._say(session, conversation_id, words)
            row = HandoverRow(
                id=uuid.uuid4().hex,
                conversation_id=conversation_id,
                channel=channel,
                department=department,
                service_id=service_id,
                priority=0,
                passed_by=[],
                tags=[],
                created_at=now,
                queued_at=now,
                agent_read=0,
                citizen_read=seq,
                citizen_seen_at=now,
            )
            session.add(row)
            session.flush()
            return _handover(row), seq

    # Offers and claims

    def offer(self, handover_id: str, account_id: str, *, until: dt.datetime) -> bool:
        """Lease a waiting handover to an agent; false where it is not waiting any more or offered already."""
        with self._database.session() as session:
            row = self._find(session, handover_id)
            if row is None or row.agent_id or _handover(row).offered(self._clock.now()):
                return False
            row.offered_to, row.offered_until = account_id, until
            return True

    def pass_on(self, handover_id: str, account_id: str, *, rest_until: dt.datetime | None = None) -> bool:
        """Take back an offer that an agent declines or misses; it goes to the others first, until then only to them."""
        with self._database.session() as session:
            row = self._find(session, handover_id)
            if row is None or row.agent_id or row.offered_to != account_id:
                return False
            row.offered_to, row.offered_until = None, rest_until
            row.passed_by = [*row.passed_by, account_id]
            return True

    def forget_passing(self, handover_id: str) -> None:
        """Nobody is left who has not passed: ask all of them again."""
        with self._database.session() as session:
            row = self._find(session, handover_id)
            if row is not None:
                row.passed_by = []

    def move(self, handover_id: str, *, department: str, words: Words) -> bool:
        """Let somebody who waits wait for another department, as long as before; false where nobody waits any more."""
        with self._database.session() as session:
            row = self._find(session, handover_id)
            if row is None or row.agent_id or _handover(row).offered(self._clock.now()):
                return False
            row.department = department
            row.offered_to = row.offered_until = None
            row.passed_by = []
            self._say(session, row.conversation_id, words)
            return True

    def claim(self, handover_id: str, by: Account, *, words: Words) -> Handover:
        """Compare-and-set: of all who claim a waiting handover one gets it.

        Raises:
            UnknownHandover: it has ended, or is not for a department of the agent.
            Taken: another agent has it, or it is offered to another at the moment.
            AtCapacity: the agent has no room for it.
            NoExtension: a caller cannot be put through to the agent.
        """
        now = self._clock.now()
        with self._database.session() as session:
            row = self._known(session, handover_id)
            if row.agent_id == by.id:
                return _handover(row)
            if row.agent_id or (row.offered_to != by.id and _handover(row).offered(now)):
                raise Taken(handover_id)
            agent = session.get(AgentRow, by.id, with_for_update=True)
            if agent is None or (row.department not in agent.departments and row.offered_to != by.id):
                raise UnknownHandover(handover_id)
            mine = session.scalars(_open().where(HandoverRow.agent_id == by.id)).all()
            if len(mine) >= agent.capacity:
                raise AtCapacity(by.id)
            if row.channel == Channel.PHONE and agent.extension is None:
                raise NoExtension(by.id)
            self._move(session, row, State.QUEUED, State.AGENT)
            row.agent_id = by.id
            row.offered_to = row.offered_until = None
            row.passed_by = []
            row.accepted_at = now
            agent.missed = 0
            self._say(session, row.conversation_id, words)
            self._audit.record_in(session, "claim", actor=by, subject=row.id, department=row.department)
            return _handover(row)

    # With an agent

    def say(self, conversation_id: str, account_id: str, *, text: str, client_id: str) -> int:
        """Store what an agent says, once; returns its number, also where the conversation has moved on meanwhile.

        Raises:
            ConversationGone: there is no such conversation.
            NotYours: the agent does not have the conversation.
            TurnConflict: the client's id stands for another text.
        """
        client_id = f"agent:{client_id}"
        with self._database.session() as session:
            known = self._conversations.said_in(
                session, conversation_id, client_id=client_id, speaker=account_id, text=text
            )
            if known is not None:
                return known
            row = self._mine(session, conversation_id, account_id)
            seq = self._conversations.say_in(
                session, conversation_id, client_id=client_id, speaker=account_id, text=text
            )
            row.answered_at = self._clock.now()
            row.agent_read = max(row.agent_read, seq - 1)
            return seq

    def read(self, conversation_id: str, *, seq: int, account_id: str | None) -> Handover | None:
        """Note up to which message an agent (or, without an account, the citizen) has read; None if that is not new."""
        with self._database.session() as session:
            row = self._open_of(session, conversation_id)
            if row is None or (account_id is not None and row.agent_id != account_id):
                return None
            before = row.citizen_read if account_id is None else row.agent_read
            newest = self._conversations.last_seq_in(session, conversation_id)
            if not before < seq <= newest:
                return None
            if account_id is None:
                row.citizen_read = seq
            else:
                row.agent_read = seq
            return _handover(row)

    def transfer(
        self,
        conversation_id: str,
        by: Account,
        *,
        department: str,
        colleague: str | None,
        until: dt.datetime,
        words: Words,
    ) -> Handover:
        """Give a conversation to another department, or offer it to a colleague until a moment.

        Raises:
            NotYours: the agent does not have the conversation.
        """
        with self._database.session() as session:
            row = self._mine(session, conversation_id, by.id)
            self._requeue(session, row, words)
            row.department = department
            row.passed_by = [by.id]
            if colleague is not None:
                row.offered_to, row.offered_until = colleague, until
            self._audit.record_in(session, "transfer", actor=by, subject=row.id, department=department)
            return _handover(row)

    def release(self, handover_id: str, account_id: str, *, words: Words) -> Handover | None:
        """Take a conversation from an agent who is gone, back to the head of the queue; None if it is not there."""
        with self._database.session() as session:
            row = self._find(session, handover_id)
            if row is None or row.agent_id != account_id:
                return None
            self._requeue(session, row, words)
            self._audit.record_in(session, "claim_lapsed", actor=None, subject=row.id, department=row.department)
            return _handover(row)

    # Ends

    def finish(
        self,
        conversation_id: str,
        *,
        by: Account,
        to: State,
        end: End,
        reason: Reason,
        tags: Collection[Tag],
        words: Words,
    ) -> Handover:
        """An agent closes a conversation or gives it back to the bot.

        Raises:
            NotYours: the agent does not have the conversation.
        """
        with self._database.session() as session:
            row = self._mine(session, conversation_id, by.id)
            row.reason, row.tags = reason, sorted(tags)
            handover = self._end(session, row, to, end, words)
            self._audit.record_in(session, "release", actor=by, subject=row.id, reason=reason, to=to)
            return handover

    def back_to_bot(
        self, conversation_id: str, *, end: End, words: Words, only_waiting: bool = False
    ) -> tuple[Handover, int] | None:
        """The bot takes over again; returns the handover and the number of the message that says so.

        None where no handover is open, or where an agent has it and `only_waiting` is set.

        Raises:
            ConversationGone: there is no such conversation.
        """
        with self._database.session() as session:
            row = self._open_of(session, conversation_id)
            if row is None or (only_waiting and row.agent_id):
                return None
            handover = self._end(session, row, State.BOT, end, words)
            return handover, self._conversations.last_seq_in(session, conversation_id)

    def hung_up(self, conversation_id: str) -> Handover | None:
        """Close a conversation whoever owns it; returns the handover that ended with it.

        Raises:
            ConversationGone: there is no such conversation.
        """
        with self._database.session() as session:
            row = self._open_of(session, conversation_id)
            owners = [State.BOT, State.QUEUED, State.AGENT]
            self._conversations.transfer_in(session, conversation_id, expected=owners, to=State.CLOSED)
            if row is None:
                return None
            row.ended_at, row.end = self._clock.now(), End.LEFT
            row.offered_to = row.offered_until = None
            return _handover(row)

    # Looking

    def waiting(self) -> list[Handover]:
        """Who waits, in the order of their turn."""
        query = _open().where(HandoverRow.agent_id.is_(None))
        with self._database.reading() as session:
            rows = session.scalars(query.order_by(HandoverRow.priority.desc(), HandoverRow.queued_at, HandoverRow.id))
            return [_handover(row) for row in rows]

    def with_agents(self, account_id: str | None = None) -> list[Handover]:
        """Conversations that agents have, or one of them, the oldest first."""
        query = _open().where(HandoverRow.agent_id.is_not(None))
        if account_id is not None:
            query = query.where(HandoverRow.agent_id == account_id)
        with self._database.reading() as session:
            return [_handover(row) for row in session.scalars(query.order_by(HandoverRow.accepted_at))]

    def of(self, conversation_id: str) -> Handover | None:
        """The open handover of a conversation."""
        with self._database.reading() as session:
            row = session.scalar(_open().where(HandoverRow.conversation_id == conversation_id))
            return _handover(row) if row is not None else None

    def all_of(self, conversation_id: str) -> list[Handover]:
        """Every handover of a conversation, the newest first."""
        query = select(HandoverRow).where(HandoverRow.conversation_id == conversation_id)
        with self._database.reading() as session:
            return [_handover(row) for row in session.scalars(query.order_by(HandoverRow.created_at.desc()))]

    def get(self, handover_id: str) -> Handover:
        """
        Raises:
            UnknownHandover: there is none, or it has ended.
        """
        with self._database.reading() as session:
            row = session.scalar(_open().where(HandoverRow.id == handover_id))
            if row is None:
                raise UnknownHandover(handover_id)
            return _handover(row)

    def past(
        self,
        *,
        departments: Collection[str],
        limit: int,
        channel: Channel | None = None,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
    ) -> list[Handover]:
        """The newest handovers of departments, ended ones too; those asked for from `since` on and before `until`."""
        query = select(HandoverRow).where(HandoverRow.department.in_(departments))
        if channel is not None:
            query = query.where(HandoverRow.channel == channel)
        if since is not None:
            query = query.where(HandoverRow.created_at >= since)
        if until is not None:
            query = query.where(HandoverRow.created_at < until)
        with self._database.reading() as session:
            return [
                _handover(row) for row in session.scalars(query.order_by(HandoverRow.created_at.desc()).limit(limit))
            ]

    def handling(self, department: str) -> dt.timedelta:
        """How long a conversation of a department takes an agent; the mean of the latest."""
        query = (
            select(HandoverRow.accepted_at, HandoverRow.ended_at)
            .where(
                HandoverRow.department == department,
                HandoverRow.ended_at.is_not(None),
                HandoverRow.accepted_at.is_not(None),
            )
            .order_by(HandoverRow.ended_at.desc())
            .limit(RECENT)
        )
        with self._database.reading() as session:
            spans = [ended - accepted for accepted, ended in session.execute(query) if accepted and ended]
        return sum(spans, dt.timedelta()) / len(spans) if spans else HANDLING

    def unanswered(self, *, before: dt.datetime) -> list[Handover]:
        """Conversations in which a citizen has waited for the agent's answer since a moment or longer.

        Who was put through to an agent waits for a first word without saying anything more.
        """
        said = (
            select(MessageRow.seq)
            .where(
                MessageRow.conversation_id == HandoverRow.conversation_id,
                MessageRow.author == Author.CITIZEN,
                MessageRow.at > HandoverRow.answered_at,
                MessageRow.at <= before,
            )
            .exists()
        )
        silent = HandoverRow.answered_at.is_(None) & (HandoverRow.accepted_at <= before)
        query = _open().where(
            HandoverRow.agent_id.is_not(None), HandoverRow.channel != Channel.PHONE, or_(silent, said)
        )
        with self._database.reading() as session:
            return [_handover(row) for row in session.scalars(query)]

    def touch(self, conversation_ids: Collection[str]) -> None:
        """Citizens are there."""
        if not conversation_ids:
            return
        with self._database.session() as session:
            for row in session.scalars(_open().where(HandoverRow.conversation_id.in_(conversation_ids))):
                row.citizen_seen_at = self._clock.now()

    # Notes

    def add_note(self, conversation_id: str, *, author: str, text: str) -> None:
        """Keep what an agent tells colleagues about a conversation.

        Raises:
            ConversationGone: there is no such conversation.
        """
        with self._database.session() as session:
            self._conversations.last_seq_in(session, conversation_id)
            session.add(
                NoteRow(
                    conversation_id=conversation_id,
                    author=author,
                    text=self._keyring.seal(text),
                    at=self._clock.now(),
                )
            )

    def notes(self, conversation_id: str) -> list[Note]:
        """Notes in order."""
        query = select(NoteRow).where(NoteRow.conversation_id == conversation_id).order_by(NoteRow.id)
        with self._database.reading() as session:
            return [Note(row.author, self._keyring.open(row.text), row.at) for row in session.scalars(query)]

    # Parts of the above

    def _find(self, session: Session, handover_id: str) -> HandoverRow | None:
        """An open handover, its conversation locked."""
        conversation_id = session.scalar(
            _open().with_only_columns(HandoverRow.conversation_id).where(HandoverRow.id == handover_id)
        )
        row = self._open_of(session, conversation_id) if conversation_id else None
        return row if row is not None and row.id == handover_id else None

    def _known(self, session: Session, handover_id: str) -> HandoverRow:
        row = self._find(session, handover_id)
        if row is None:
            raise UnknownHandover(handover_id)
        return row

    def _open_of(self, session: Session, conversation_id: str) -> HandoverRow | None:
        """The open handover of a conversation, which is locked."""
        try:
            self._conversations.last_seq_in(session, conversation_id)
        except ConversationGone:
            return None
        query = _open().where(HandoverRow.conversation_id == conversation_id)
        return session.scalar(query.execution_options(populate_existing=True))

    def _mine(self, session: Session, conversation_id: str, account_id: str) -> HandoverRow:
        row = self._open_of(session, conversation_id)
        if row is None or row.agent_id != account_id:
            raise NotYours(conversation_id)
        return row

    def _requeue(self, session: Session, row: HandoverRow, words: Words) -> None:
        self._move(session, row, State.AGENT, State.QUEUED)
        row.agent_id = row.accepted_at = row.answered_at = None
        row.priority = URGENT
        row.queued_at = self._clock.now()
        row.passed_by = []
        self._say(session, row.conversation_id, words)

    def _end(self, session: Session, row: HandoverRow, to: State, end: End, words: Words) -> Handover:
        owner = State.AGENT if row.agent_id else State.QUEUED
        row.ended_at, row.end = self._clock.now(), end
        row.offered_to = row.offered_until = None
        # What ends with the conversation is said before it is closed, what the bot says after it has it back.
        if to is State.CLOSED:
            self._say(session, row.conversation_id, words)
        self._move(session, row, owner, to)
        if to is not State.CLOSED:
            self._say(session, row.conversation_id, words)
        return _handover(row)

    def _move(self, session: Session, row: HandoverRow, owner: State, to: State) -> None:
        if self._conversations.transfer_in(session, row.conversation_id, expected=[owner], to=to) is None:
            raise UnknownHandover(row.id)

    def _say(self, session: Session, conversation_id: str, words: Words) -> int:
        answer = Answer(kind="handover") if words.offers_callback else None
        return self._conversations.append_in(
            session, conversation_id, author=Author.SYSTEM, text=words.text, speech=words.speech, answer=answer
        )


def _open() -> Select[HandoverRow]:
    return select(HandoverRow).where(HandoverRow.ended_at.is_(None))


def _handover(row: HandoverRow) -> Handover:
    return Handover(
        id=row.id,
        conversation_id=row.conversation_id,
        channel=Channel(row.channel),
        department=row.department,
        service_id=row.service_id,
        priority=row.priority,
        agent_id=row.agent_id,
        offered_to=row.offered_to,
        offered_until=row.offered_until,
        passed_by=tuple(row.passed_by),
        created_at=row.created_at,
        queued_at=row.queued_at,
        accepted_at=row.accepted_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        end=End(row.end) if row.end else None,
        agent_read=row.agent_read,
        citizen_read=row.citizen_read,
        citizen_seen_at=row.citizen_seen_at,
    )
