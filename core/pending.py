"""Sign-ins that are under way: after the password and before the second factor, or away at a provider."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

from sqlalchemy import ColumnElement, ForeignKey, Integer, String, Text, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import Clock
from core.database import Base, Database, UtcDateTime
from core.encryption import Keyring, SealedText
from core.sessions import token_hash

LIFETIME = dt.timedelta(minutes=10)
MAX_TRIES = 5


class PendingRow(Base):
    """A sign-in under way. `id` is the hash of the token in the browser's cookie.

    Without `state` it waits for the second factor of the account. With `state` it is at a provider, and the account is
    the one to link, if there is one.
    """

    __tablename__ = "pending_signins"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), default=None)
    state: Mapped[str | None] = mapped_column(String(64), default=None)
    nonce: Mapped[str | None] = mapped_column(String(64), default=None)
    verifier: Mapped[str | None] = mapped_column(SealedText, default=None)
    target: Mapped[str] = mapped_column(Text)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtProvider:
    """What must come back from a provider. `account_id` is the account to link, if it is not a sign-in."""

    state: str
    nonce: str
    verifier: str
    target: str
    account_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitsCode:
    """A password was right; the second factor is missing."""

    account_id: str
    target: str


class PendingSignins:
    """Keeps sign-ins under way for ten minutes."""

    def __init__(self, database: Database, clock: Clock, keyring: Keyring) -> None:
        self._database = database
        self._clock = clock
        self._keyring = keyring

    def await_code(self, account_id: str, *, target: str) -> str:
        """Wait for a second factor; gives the token for the cookie."""
        return self._put(account_id=account_id, target=target)

    def awaited(self, token: str) -> AwaitsCode | None:
        """Who it is that a second factor is missing of."""
        with self._database.reading() as session:
            row = session.scalar(select(PendingRow).where(*self._valid(token), PendingRow.state.is_(None)))
        if row is None or row.account_id is None:
            return None
        return AwaitsCode(account_id=row.account_id, target=row.target)

    def count_try(self, token: str) -> bool:
        """Count a try of the second factor; false when there are no more."""
        tried = update(PendingRow).where(*self._valid(token), PendingRow.tries < MAX_TRIES)
        with self._database.session() as session:
            row = session.execute(tried.values(tries=PendingRow.tries + 1).returning(PendingRow.id)).first()
            return row is not None

    def go_to_provider(self, *, verifier: str, target: str, account_id: str | None) -> tuple[str, str, str]:
        """Wait for someone to come back from a provider; gives cookie token, state and nonce."""
        state, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        token = self._put(
            account_id=account_id, state=state, nonce=nonce, verifier=self._keyring.seal(verifier), target=target
        )
        return token, state, nonce

    def come_back(self, token: str, state: str) -> AtProvider | None:
        """What was sent to the provider, once; None where cookie and state do not belong together."""
        used = delete(PendingRow).where(*self._valid(token), PendingRow.state == state)
        columns = (PendingRow.nonce, PendingRow.verifier, PendingRow.target, PendingRow.account_id)
        with self._database.session() as session:
            row = session.execute(used.returning(*columns)).first()
        if row is None or row.nonce is None or row.verifier is None:
            return None
        return AtProvider(
            state=state,
            nonce=row.nonce,
            verifier=self._keyring.open(row.verifier),
            target=row.target,
            account_id=row.account_id,
        )

    def drop(self, token: str) -> None:
        with self._database.session() as session:
            session.execute(delete(PendingRow).where(PendingRow.id == token_hash(token)))

    def expire(self) -> int:
        """Erase what is over; gives the number."""
        over = delete(PendingRow).where(PendingRow.expires_at <= self._clock.now())
        with self._database.session() as session:
            return len(session.scalars(over.returning(PendingRow.id)).all())

    def _put(self, **values: str | None) -> str:
        token = secrets.token_urlsafe(32)
        until = self._clock.now() + LIFETIME
        with self._database.session() as session:
            session.add(PendingRow(id=token_hash(token), tries=0, expires_at=until, **values))
        return token

    def _valid(self, token: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return (PendingRow.id == token_hash(token), PendingRow.expires_at > self._clock.now())
