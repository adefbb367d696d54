"""Leases on timed work: of several processes on one database only one does a job at a time."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import String, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import Clock
from core.database import Base, Database, UtcDateTime


class LeaseRow(Base):
    """Who may do a job until when."""

    __tablename__ = "leases"

    job: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    until: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class Leases:
    """Gives and takes back leases."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def acquire(self, job: str, *, holder: str, span: dt.timedelta) -> bool:
        """Take or prolong the lease on a job; false while another holder has it."""
        now = self._clock.now()
        try:
            with self._database.session() as session:
                taken = session.execute(
                    update(LeaseRow)
                    .where(LeaseRow.job == job, (LeaseRow.holder == holder) | (LeaseRow.until <= now))
                    .values(holder=holder, until=now + span)
                    .returning(LeaseRow.job)
                ).first()
                if taken is None and session.scalar(select(LeaseRow.job).where(LeaseRow.job == job)) is None:
                    session.add(LeaseRow(job=job, holder=holder, until=now + span))
                    return True
                return taken is not None
        except IntegrityError:
            return False

    def release(self, job: str, *, holder: str) -> None:
        """Give a lease back; nothing happens if another holder has it."""
        with self._database.session() as session:
            session.execute(delete(LeaseRow).where(LeaseRow.job == job, LeaseRow.holder == holder))
