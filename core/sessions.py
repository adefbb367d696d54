"""Sessions of signed-in staff: a random token in a cookie, its hash in the database."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import ColumnElement, ForeignKey, String, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import Clock
from core.database import Base, Database, UtcDateTime
from core.settings import SESSION_IDLE, SESSION_LIFETIME

SEEN_EVERY = dt.timedelta(minutes=1)
"""How exactly it is kept when a session was last used: not every request has to write."""


class SessionRow(Base):
    """A session. `id` is the hash of its token, `provider` the issuer that vouched for the person, if one did."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    provider: Mapped[str | None] = mapped_column(String(500), default=None)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffSession:
    """A session that is valid."""

    id: str
    account_id: str
    csrf: str
    provider: str | None
    created_at: dt.datetime
    seen_at: dt.datetime
    expires_at: dt.datetime


class SessionStore:
    """Begins, finds and ends sessions."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        lifetime: dt.timedelta = SESSION_LIFETIME,
        idle: dt.timedelta = SESSION_IDLE,
    ) -> None:
        """
        Args:
            database: where to keep them.
            clock: the time.
            lifetime: after how long a session ends, however much it is used.
            idle: after how long without use it ends.
        """
        self._database = database
        self._clock = clock
        self._lifetime = lifetime
        self._idle = idle

    def begin(self, account_id: str, *, provider: str | None = None) -> tuple[StaffSession, str]:
        """A new session and its token, which is not stored."""
        now = self._clock.now()
        token = secrets.token_urlsafe(32)
        row = SessionRow(
            id=token_hash(token),
            account_id=account_id,
            csrf=secrets.token_urlsafe(32),
            provider=provider,
            created_at=now,
            seen_at=now,
            expires_at=now + self._lifetime,
        )
        with self._database.session() as session:
            session.add(row)
        return _session(row), token

    def find(self, token: str) -> StaffSession | None:
        """The valid session of a token; finding it counts as use."""
        session_id = token_hash(token)
        with self._database.reading() as session:
            row = session.scalar(select(SessionRow).where(SessionRow.id == session_id, self._valid()))
        if row is None:
            return None
        if self._clock.now() - row.seen_at >= SEEN_EVERY and not self.touch(session_id):
            return None
        return _session(row)

    def touch(self, session_id: str) -> bool:
        """Count as use what is no request, an open event stream for example; false if the session is over."""
        with self._database.session() as session:
            statement = update(SessionRow).where(SessionRow.id == session_id, self._valid())
            seen = session.execute(statement.values(seen_at=self._clock.now()).returning(SessionRow.id))
            return seen.first() is not None

    def of(self, account_id: str) -> list[StaffSession]:
        """The valid sessions of an account, the newest first."""
        query = select(SessionRow).where(SessionRow.account_id == account_id, self._valid())
        with self._database.reading() as session:
            return [_session(row) for row in session.scalars(query.order_by(SessionRow.created_at.desc()))]

    def end(self, session_id: str) -> None:
        with self._database.session() as session:
            session.execute(delete(SessionRow).where(SessionRow.id == session_id))

    def end_all(self, account_id: str, *, except_: str | None = None) -> int:
        """End the sessions of an account but one; gives their number."""
        with self._database.session() as session:
            return end_sessions(session, account_id, except_=except_)

    def expire(self) -> int:
        """Erase what is over; gives the number."""
        now = self._clock.now()
        over = or_(SessionRow.expires_at <= now, SessionRow.seen_at <= now - self._idle)
        with self._database.session() as session:
            return len(session.scalars(delete(SessionRow).where(over).returning(SessionRow.id)).all())

    def _valid(self) -> ColumnElement[bool]:
        now = self._clock.now()
        return (SessionRow.expires_at > now) & (SessionRow.seen_at > now - self._idle)


def end_sessions(session: Session, account_id: str, *, except_: str | None = None) -> int:
    """End the sessions of an account but one within a transaction; gives their number."""
    statement = delete(SessionRow).where(SessionRow.account_id == account_id)
    if except_ is not None:
        statement = statement.where(SessionRow.id != except_)
    return len(session.scalars(statement.returning(SessionRow.id)).all())


def token_hash(token: str) -> str:
    """What is stored of a random token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _session(row: SessionRow) -> StaffSession:
    return StaffSession(
        id=row.id,
        account_id=row.account_id,
        csrf=row.csrf,
        provider=row.provider,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )
