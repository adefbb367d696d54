"""Callbacks: what citizens leave when nobody is there, and the list that staff work off.

Name, number and concern are sealed. They are erased soon after the callback is done, or when its time is over.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Select, case, delete, func, or_, select, update
from sqlalchemy.orm import Session

from bot.models import Channel
from bot.store import Conversation
from core.accounts import Account
from core.audit import AuditLog
from core.clock import Clock
from core.database import Database
from core.encryption import Keyring
from handover.errors import Taken, UnknownHandover
from handover.models import CallbackRow, CallbackWish
from handover.settings import HandoverSettings
from knowledge.store import upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A callback as staff see it. Without a wish what was personal in it is erased."""

    id: str
    conversation_id: str | None
    site: str
    channel: Channel
    department: str
    service_id: str | None
    wish: CallbackWish | None
    remark: str
    attempts: int
    taken_by: str | None
    created_at: dt.datetime
    due_at: dt.datetime
    done_at: dt.datetime | None
    expires_at: dt.datetime


class CallbackStore:
    """Keeps callbacks. Every change writes its entry in the audit log."""

    def __init__(
        self, database: Database, clock: Clock, keyring: Keyring, audit: AuditLog, settings: HandoverSettings
    ) -> None:
        self._database = database
        self._clock = clock
        self._keyring = keyring
        self._audit = audit
        self._settings = settings

    def add(
        self,
        conversation: Conversation,
        wish: CallbackWish,
        *,
        department: str,
        service_id: str | None,
        due_at: dt.datetime,
    ) -> tuple[Callback, bool]:
        """Keep a wish, once for each `client_id`; returns the callback and whether it is new."""
        now = self._clock.now()
        values = {
            "id": uuid.uuid4().hex,
            "conversation_id": conversation.id,
            "client_id": wish.client_id,
            "site": conversation.site,
            "channel": conversation.channel,
            "department": department,
            "service_id": service_id,
            "wish": self._keyring.seal(wish.model_dump_json(exclude={"client_id"})),
            "created_at": now,
            "due_at": due_at,
            "expires_at": now + self._settings.callback_life,
        }
        with self._database.session() as session:
            new = upsert(session)(CallbackRow).values(values).on_conflict_do_nothing()
            inserted = session.scalar(new.returning(CallbackRow.id))
            query = select(CallbackRow).where(
                CallbackRow.id == inserted
                if inserted is not None
                else (CallbackRow.conversation_id == conversation.id) & (CallbackRow.client_id == wish.client_id)
            )
            return self._callback(session.scalars(query).one()), inserted is not None

    def get(self, callback_id: str) -> Callback:
        """
        Raises:
            UnknownHandover: there is none, or it was erased.
        """
        with self._database.reading() as session:
            row = session.get(CallbackRow, callback_id)
            if row is None:
                raise UnknownHandover(callback_id)
            return self._callback(row)

    def about(self, conversation_id: str) -> list[Callback]:
        """What was left in a conversation, the newest first."""
        query = select(CallbackRow).where(CallbackRow.conversation_id == conversation_id)
        with self._database.reading() as session:
            return [self._callback(row) for row in session.scalars(query.order_by(CallbackRow.created_at.desc()))]

    def open(self, departments: Collection[str], *, or_taken_by: str = "") -> list[Callback]:
        """What is left to do for these departments, and what an agent has taken, the most urgent first."""
        concerns = or_(CallbackRow.department.in_(departments), CallbackRow.taken_by == or_taken_by)
        query = select(CallbackRow).where(concerns, CallbackRow.done_at.is_(None))
        with self._database.reading() as session:
            return [self._callback(row) for row in session.scalars(query.order_by(CallbackRow.due_at, CallbackRow.id))]

    def done(self, departments: Collection[str], *, limit: int = 50) -> list[Callback]:
        """What was done lately, the newest first."""
        query = self._of(departments).where(CallbackRow.done_at.is_not(None)).order_by(CallbackRow.done_at.desc())
        with self._database.reading() as session:
            return [self._callback(row) for row in session.scalars(query.limit(limit))]

    def departments(self) -> set[str]:
        """Those that have callbacks, done ones too."""
        with self._database.reading() as session:
            return set(session.scalars(select(CallbackRow.department).distinct()))

    def count_open(self) -> dict[str, int]:
        """How many are left to do, by department."""
        query = select(CallbackRow.department, func.count()).where(CallbackRow.done_at.is_(None))
        with self._database.reading() as session:
            return {department: count for department, count in session.execute(query.group_by(CallbackRow.department))}

    def count(self, departments: Collection[str]) -> tuple[int, int]:
        """How many are left to do for these departments, and how many of them are overdue."""
        overdue = func.sum(case((CallbackRow.due_at < self._clock.now(), 1), else_=0))
        query = self._of(departments).where(CallbackRow.done_at.is_(None)).with_only_columns(func.count(), overdue)
        with self._database.reading() as session:
            left, late = session.execute(query).one()
            return left, late or 0

    def take(self, callback_id: str, by: Account, *, instead_of: str | None = None) -> Callback:
        """Say that one makes the call, or that one makes it instead of a colleague.

        Raises:
            UnknownHandover: it is done or erased.
            Taken: another colleague makes it.
        """
        with self._database.session() as session:
            row = self._open(session, callback_id)
            if row.taken_by not in (None, by.id, instead_of):
                raise Taken(callback_id)
            row.taken_by = by.id
            self._audit.record_in(session, "callback_taken", actor=by, subject=row.id, department=row.department)
            return self._callback(row)

    def give_back(self, callback_id: str, by: Account, *, tried: bool, remark: str | None = None) -> Callback:
        """Leave it to the others, after an attempt or without one; the remark stays as it is where none is given.

        Raises:
            UnknownHandover: it is done or erased.
            Taken: a colleague makes it.
        """
        with self._database.session() as session:
            row = self._mine(session, callback_id, by)
            row.taken_by = None
            row.attempts += tried
            self._write(row, remark)
            self._audit.record_in(session, "callback_given_back", actor=by, subject=row.id, tried=tried)
            return self._callback(row)

    def remark(self, callback_id: str, by: Account, text: str) -> Callback:
        """Write down something about it, such as when to try again.

        Raises:
            UnknownHandover: it is done or erased.
            Taken: a colleague makes the call.
        """
        with self._database.session() as session:
            row = self._mine(session, callback_id, by)
            self._write(row, text)
            self._audit.record_in(session, "callback_remarked", actor=by, subject=row.id)
            return self._callback(row)

    def move(self, callback_id: str, by: Account, *, department: str, remark: str | None = None) -> Callback:
        """Give it to another department; the remark stays as it is where none is given.

        Raises:
            UnknownHandover: it is done or erased.
            Taken: a colleague makes the call.
        """
        with self._database.session() as session:
            row = self._mine(session, callback_id, by)
            row.department, row.taken_by = department, None
            self._write(row, remark)
            self._audit.record_in(session, "callback_moved", actor=by, subject=row.id, department=department)
            return self._callback(row)

    def finish(self, callback_id: str, by: Account) -> Callback:
        """It is done: what is personal in it is erased soon.

        Raises:
            UnknownHandover: it is done already, or erased.
            Taken: a colleague makes it.
        """
        with self._database.session() as session:
            row = self._mine(session, callback_id, by)
            row.done_at, row.taken_by = self._clock.now(), by.id
            self._audit.record_in(session, "callback_done", actor=by, subject=row.id, department=row.department)
            return self._callback(row)

    def reopen(self, callback_id: str, by: Account) -> Callback:
        """Take `finish` back, while there is somebody to call; whoever had finished it has it again.

        Raises:
            UnknownHandover: it is not done, or erased already.
        """
        with self._database.session() as session:
            row = session.get(CallbackRow, callback_id, with_for_update=True)
            if row is None or row.done_at is None or row.wish is None:
                raise UnknownHandover(callback_id)
            row.done_at = None
            row.taken_by = row.taken_by if row.taken_by == by.id else None
            self._audit.record_in(session, "callback_reopened", actor=by, subject=row.id)
            return self._callback(row)

    def expire(self) -> int:
        """Erase what is personal in those that are done, and all of those whose time is over; returns how many."""
        now = self._clock.now()
        with self._database.session() as session:
            done = session.execute(
                update(CallbackRow)
                .where(CallbackRow.done_at <= now - self._settings.callback_undo)
                .where(or_(CallbackRow.wish.is_not(None), CallbackRow.remark.is_not(None)))
                .values(wish=None, remark=None, conversation_id=None, taken_by=None)
                .returning(CallbackRow.id)
            ).all()
            over = session.execute(
                delete(CallbackRow).where(CallbackRow.expires_at <= now).returning(CallbackRow.id)
            ).all()
            return len(done) + len(over)

    def _of(self, departments: Collection[str]) -> Select[CallbackRow]:
        return select(CallbackRow).where(CallbackRow.department.in_(departments))

    def _open(self, session: Session, callback_id: str) -> CallbackRow:
        row = session.get(CallbackRow, callback_id, with_for_update=True)
        if row is None or row.done_at is not None:
            raise UnknownHandover(callback_id)
        return row

    def _mine(self, session: Session, callback_id: str, by: Account) -> CallbackRow:
        row = self._open(session, callback_id)
        if row.taken_by not in (None, by.id):
            raise Taken(callback_id)
        return row

    def _write(self, row: CallbackRow, remark: str | None) -> None:
        if remark is not None:
            row.remark = self._keyring.seal(remark) if remark else None

    def _callback(self, row: CallbackRow) -> Callback:
        return Callback(
            id=row.id,
            conversation_id=row.conversation_id,
            site=row.site,
            channel=Channel(row.channel),
            department=row.department,
            service_id=row.service_id,
            wish=CallbackWish.model_validate_json(self._keyring.open(row.wish)) if row.wish else None,
            remark=self._keyring.open(row.remark) if row.remark else "",
            attempts=row.attempts,
            taken_by=row.taken_by,
            created_at=row.created_at,
            due_at=row.due_at,
            done_at=row.done_at,
            expires_at=row.expires_at,
        )
