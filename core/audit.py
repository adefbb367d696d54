"""The audit log: who did what when. Entries cannot be edited, and each one holds the hash of the one before.

The migration's triggers refuse every change and every early deletion. The chain shows what was done past them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import JSON, Integer, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import Clock
from core.database import Base, Database, UtcDateTime
from core.settings import AUDIT_LIFETIME

BATCH = 500
"""Entries that are read at once."""


class AuditRow(Base):
    """An entry. `actor_login` is a copy, so that the entry can be read after the account has gone."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str | None] = mapped_column(String(32), default=None, index=True)
    actor_login: Mapped[str | None] = mapped_column(String(100), default=None)
    act: Mapped[str] = mapped_column(String(64), index=True)
    subject: Mapped[str] = mapped_column(String(200))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)


class AuditHeadRow(Base):
    """The two ends of the chain, one row: who writes an entry holds it, so that the chain never forks.

    `first_hash` is the hash before the entry `first_id`, the oldest that must still be there.
    """

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    first_id: Mapped[int] = mapped_column(Integer)
    first_hash: Mapped[str] = mapped_column(String(64))
    last_id: Mapped[int] = mapped_column(Integer)
    last_hash: Mapped[str] = mapped_column(String(64))


class Actor(Protocol):
    """Who acts: an account."""

    @property
    def id(self) -> str: ...

    @property
    def login(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """An entry as it is shown."""

    id: int
    at: dt.datetime
    actor: str | None
    actor_login: str | None
    act: str
    subject: str
    details: dict[str, Any]


class AuditLog:
    """Writes and reads entries."""

    def __init__(self, database: Database, clock: Clock, *, lifetime: dt.timedelta = AUDIT_LIFETIME) -> None:
        self._database = database
        self._clock = clock
        self._lifetime = lifetime

    def record(self, act: str, *, actor: Actor | None, subject: str = "", **details: Any) -> None:
        """Write an entry in a transaction of its own; see `record_in`."""
        with self._database.session() as session:
            self.record_in(session, act, actor=actor, subject=subject, **details)

    def record_in(self, session: Session, act: str, *, actor: Actor | None, subject: str = "", **details: Any) -> None:
        """Write an entry in a transaction, so that it is there if and only if the act is.

        Call it last: whoever writes the next entry waits for the transaction to end.

        Args:
            session: the transaction.
            act: what was done, for example `login`.
            actor: who did it; None for the command line and for people who are not signed in.
            subject: to what or whom, short, and never a citizen's data.
            details: more about it, in JSON's types, and never a citizen's data.
        """
        now = self._clock.now()
        head = session.get_one(AuditHeadRow, 1, with_for_update=True, populate_existing=True)
        row = AuditRow(
            id=head.last_id + 1,
            at=now,
            actor=actor.id if actor else None,
            actor_login=actor.login if actor else None,
            act=act,
            subject=subject[:200],
            details=details,
            previous_hash=head.last_hash,
            expires_at=now + self._lifetime,
        )
        row.hash = _hash(row)
        head.last_id, head.last_hash = row.id, row.hash
        session.add(row)
        session.flush()

    def entries(
        self, *, before: int | None = None, act: str | None = None, actor: str | None = None, limit: int = 50
    ) -> list[AuditEntry]:
        """Entries, the newest first: older than an entry, of one kind of act, of one actor's login."""
        query = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
        if before is not None:
            query = query.where(AuditRow.id < before)
        if act:
            query = query.where(AuditRow.act == act)
        if actor:
            query = query.where(func.lower(AuditRow.actor_login) == actor.strip().casefold())
        with self._database.reading() as session:
            return [_entry(row) for row in session.scalars(query)]

    def acts(self) -> list[str]:
        """The kinds of acts that have entries."""
        with self._database.reading() as session:
            return list(session.scalars(select(AuditRow.act).distinct().order_by(AuditRow.act)))

    def expire(self) -> int:
        """Erase the entries whose time is over, oldest first; gives their number."""
        with self._database.session() as session:
            head = session.get_one(AuditHeadRow, 1, with_for_update=True)
            kept = select(func.min(AuditRow.id)).where(
                (AuditRow.expires_at > self._clock.now()) | (AuditRow.expires_at >= func.now())
            )
            first = session.scalar(kept) or head.last_id + 1
            last = session.get(AuditRow, first - 1)
            if last is None:
                return 0
            head.first_id, head.first_hash = first, last.hash
            gone = session.scalars(delete(AuditRow).where(AuditRow.id < first).returning(AuditRow.id))
            return len(gone.all())

    def verify(self) -> int | None:
        """Follow the chain from its first to its last entry; the id of the first one that is not right, or None."""
        while True:
            with self._database.reading() as session:
                head = session.get_one(AuditHeadRow, 1)
                first = head.first_id
                wrong = _first_wrong(session, head)
                session.refresh(head)
                if wrong is None or head.first_id == first:  # else entries have expired meanwhile
                    return wrong


def _first_wrong(session: Session, head: AuditHeadRow) -> int | None:
    expected, previous = head.first_id, head.first_hash
    last_id, last_hash = head.last_id, head.last_hash
    for row in _all(session, upto=last_id):
        if row.id != expected or row.previous_hash != previous or row.hash != _hash(row):
            return expected
        expected, previous = row.id + 1, row.hash
    return None if (expected, previous) == (last_id + 1, last_hash) else expected


def _all(session: Session, *, upto: int) -> Iterator[AuditRow]:
    last = 0
    while last < upto:
        query = select(AuditRow).where(AuditRow.id > last, AuditRow.id <= upto).order_by(AuditRow.id).limit(BATCH)
        rows = session.scalars(query).all()
        yield from rows
        last = rows[-1].id if rows else upto


def _hash(row: AuditRow) -> str:
    """SHA-256 over the hash before and everything that the entry says, as JSON."""
    said = [
        row.previous_hash,
        row.id,
        row.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        row.actor,
        row.actor_login,
        row.act,
        row.subject,
        row.details,
        row.expires_at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
    ]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        actor=row.actor,
        actor_login=row.actor_login,
        act=row.act,
        subject=row.subject,
        details=row.details,
    )
