"""What is done with a restored database before it is used: what had expired goes, and nobody stays signed in."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

import handover.models  # noqa: F401 - its tables take part too
import knowledge.tables  # noqa: F401 - and these
from bot.models import ConversationRow
from bot.rasa_client import RasaTracker
from core.accounts import SetupLinkRow
from core.archive import RestoreRefused
from core.audit import AuditLog, AuditRow
from core.clock import Clock
from core.database import Base, Database
from core.encryption import Keyring, Unreadable, sealed_columns
from core.pending import PendingRow
from core.sessions import SessionRow

BATCH = 500
"""Rasa's conversations that are erased at once."""

WRONG_KEYS = (
    "The encryption keys here do not open what is encrypted in the backup. They are not part of a backup: "
    "put those of its time in place (STADTBOT_ENCRYPTION_KEYS or the key file), then restore again."
)


def settle(service: str, rasa: str, *, clock: Clock, keyring: Keyring | None, made_at: dt.datetime) -> int:
    """Make a restored database fit for use; gives the number of conversations that had expired.

    Args:
        service: address of the service's new database, upgraded.
        rasa: address of Rasa's.
        clock: the time.
        keyring: the present keys, None where there are none yet.
        made_at: when the backup was made.

    Raises:
        RestoreRefused: the keys are not those of the backup, or the databases cannot be worked on.
    """
    database = Database(service)
    tracker = RasaTracker(rasa)
    try:
        _check_keys(database, keyring)
        with database.session() as session:
            expired = _erase(session, clock.now())
            kept = set(session.scalars(sa.select(ConversationRow.id)))
        strangers = sorted(tracker.senders() - kept)
        for start in range(0, len(strangers), BATCH):
            tracker.erase(strangers[start : start + BATCH])
        audit = AuditLog(database, clock)
        audit.expire()
        audit.record("database-restored", actor=None, subject=made_at.isoformat(timespec="seconds"))
        return expired
    except SQLAlchemyError as error:
        raise RestoreRefused(f"The databases in the backup cannot be worked on: {type(error).__name__}.") from None
    finally:
        tracker.close()
        database.close()


def _check_keys(database: Database, keyring: Keyring | None) -> None:
    """One text of each column: to open all would take minutes."""
    with database.reading() as session:
        for table, name in sealed_columns():
            sealed = session.scalar(sa.select(table.c[name]).where(table.c[name].is_not(None)).limit(1))
            if sealed is None:
                continue
            try:
                if keyring is None:
                    raise Unreadable
                keyring.open(sealed)
            except Unreadable:
                raise RestoreRefused(WRONG_KEYS) from None


def _erase(session: Session, now: dt.datetime) -> int:
    gone = sa.delete(ConversationRow).where(
        (ConversationRow.expires_at <= now) | ConversationRow.erased_at.is_not(None)
    )
    expired = len(session.scalars(gone.returning(ConversationRow.id)).all())
    for table in Base.metadata.sorted_tables:
        if "expires_at" in table.c and table is not AuditRow.__table__:  # which expires by its own rules
            session.execute(sa.delete(table).where(table.c.expires_at <= now))
        if "conversation_id" in table.c and not table.c.conversation_id.foreign_keys:
            lost = table.c.conversation_id.not_in(sa.select(ConversationRow.id))
            session.execute(sa.update(table).where(lost).values(conversation_id=None))
    for row in (SessionRow, PendingRow, SetupLinkRow):
        session.execute(sa.delete(row))
    return expired
