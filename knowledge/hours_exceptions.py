"""Closures and special openings: days on which hours differ from the usual ones, kept in the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from pydantic import AliasChoices, Field, field_validator, model_validator
from sqlalchemy.orm import Session

from core.cache import Fresh
from core.clock import Clock
from core.database import Database
from knowledge.catalogue import Office, Record, Slug
from knowledge.errors import EditConflict, UnknownRecord
from knowledge.openings import Day, Span
from knowledge.spans import osm_spans, read_spans
from knowledge.store import upsert
from knowledge.tables import HoursExceptionRow, HoursVersionRow

UNDO_SPAN = dt.timedelta(days=30)
"""How long a deleted entry can be brought back."""
KEPT_SPAN = dt.timedelta(days=400)
"""How long an entry is kept after its last day."""


class HoursException(Record):
    """Days on which an office, or without an office the whole administration, has other hours than usual.

    They hold from midnight to midnight, those of the whole administration not for other authorities. Several may cover
    a day: one of the office goes before one of the whole administration, and of two of the same kind the one that was
    entered later holds.
    """

    office: Slug | None = None
    first: dt.date = Field(validation_alias=AliasChoices("from", "first"))
    last: dt.date = Field(validation_alias=AliasChoices("until", "last"))
    hours: str | None = None
    """Times such as `09:00-13:00`, instead of the usual ones and of a holiday; null where it is closed."""
    reason: str = Field(min_length=1, max_length=200)
    """German; citizens read it."""

    @field_validator("hours")
    @classmethod
    def _are_spans(cls, hours: str | None) -> str | None:
        return osm_spans(read_spans(hours)) if hours else None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> HoursException:
        if self.last < self.first:
            raise ValueError("the last day must not lie before the first")
        return self

    def covers(self, office: Office, date: dt.date) -> bool:
        concerned = office.of_city if self.office is None else self.office == office.id
        return concerned and self.first <= date <= self.last

    @property
    def day(self) -> Day:
        """The openings of each of its days."""
        spans = read_spans(self.hours) if self.hours else ()
        return tuple(Span(span.start, span.end, reason=self.reason) for span in spans)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptException:
    """An exception as the database keeps it. `version` counts its changes."""

    id: int
    exception: HoursException
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime
    deleted_at: dt.datetime | None


def deciding(exceptions: Iterable[HoursException], office: Office, date: dt.date) -> HoursException | None:
    """The exception that holds for an office on a day, of all exceptions in the order in which they were entered."""
    covering = [exception for exception in exceptions if exception.covers(office, date)]
    own = [exception for exception in covering if exception.office is not None]
    return next(reversed(own or covering), None)


class HoursExceptionStore:
    """Keeps the exceptions. Every change raises a counter, by which readers see cheaply that there is something new."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._read: tuple[int, tuple[HoursException, ...]] = (-1, ())
        self._current = Fresh(self._load, clock)

    def current(self) -> Sequence[HoursException]:
        """All exceptions that are not deleted, in the order in which they were entered; at most a second old."""
        return self._current.get()

    def kept(self, *, since: dt.date, deleted: bool = False) -> list[KeptException]:
        """The entries whose last day is not before a date, by their days.

        Args:
            since: the date.
            deleted: those that were deleted, instead of the others.
        """
        statement = sa.select(HoursExceptionRow).where(
            HoursExceptionRow.last >= since, HoursExceptionRow.deleted_at.is_not(None) == deleted
        )
        with self._database.reading() as session:
            rows = session.scalars(statement.order_by(HoursExceptionRow.first, HoursExceptionRow.id)).all()
        return [_kept(row) for row in rows]

    def get(self, id: int) -> KeptException:
        """One entry, even a deleted one.

        Raises:
            UnknownRecord: there is none.
        """
        with self._database.reading() as session:
            return _kept(_row(session, id))

    def add(self, session: Session, exception: HoursException) -> int:
        """Enter an exception in the caller's transaction; returns its id. `changed` is called after the transaction."""
        now = self._clock.now()
        row = HoursExceptionRow(**_columns(exception), version=1, created_at=now, updated_at=now)
        session.add(row)
        self._raise_version(session)
        session.flush()
        return row.id

    def replace(self, session: Session, id: int, exception: HoursException, *, expected: int) -> None:
        """Change an entry in the caller's transaction.

        Raises:
            EditConflict: it was changed or deleted since it had the expected version.
            UnknownRecord: there is none.
        """
        self._update(session, id, expected, deleted=False, **_columns(exception))

    def delete(self, session: Session, id: int, *, expected: int) -> None:
        """Make an entry void in the caller's transaction; it can be restored.

        Raises:
            EditConflict: it was changed or deleted since it had the expected version.
            UnknownRecord: there is none.
        """
        self._update(session, id, expected, deleted=False, deleted_at=self._clock.now())

    def restore(self, session: Session, id: int) -> None:
        """Bring a deleted entry back in the caller's transaction.

        Raises:
            EditConflict: it is not deleted.
            UnknownRecord: there is none.
        """
        self._update(session, id, None, deleted=True, deleted_at=None)

    def changed(self) -> None:
        """Let this process see a change at once that was committed."""
        self._current.forget()

    def import_once(self, exceptions: Iterable[HoursException]) -> int:
        """Enter the exceptions of the city's folder, unless that has been done before; returns how many."""
        now = self._clock.now()
        rows = [
            HoursExceptionRow(**_columns(exception), version=1, created_at=now, updated_at=now)
            for exception in exceptions
        ]
        with self._database.session() as session:
            first = upsert(session)(HoursVersionRow).values(id=1, version=1).on_conflict_do_nothing()
            if session.execute(first.returning(HoursVersionRow.id)).first() is None:
                return 0
            session.add_all(rows)
        self.changed()
        return len(rows)

    def expire(self) -> int:
        """Remove what was deleted or over long ago; returns how many."""
        now = self._clock.now()
        statement = sa.delete(HoursExceptionRow).where(
            (HoursExceptionRow.deleted_at <= now - UNDO_SPAN) | (HoursExceptionRow.last < (now - KEPT_SPAN).date())
        )
        with self._database.session() as session:
            return len(session.execute(statement.returning(HoursExceptionRow.id)).all())

    def _load(self) -> tuple[HoursException, ...]:
        with self._database.reading() as session:
            # The version is read first: a change that slips in between is seen again at the next look.
            version = session.scalar(sa.select(HoursVersionRow.version)) or 0
            if version != self._read[0]:
                rows = session.scalars(
                    sa.select(HoursExceptionRow)
                    .where(HoursExceptionRow.deleted_at.is_(None))
                    .order_by(HoursExceptionRow.id)
                ).all()
                self._read = (version, tuple(_exception(row) for row in rows))
        return self._read[1]

    def _update(self, session: Session, id: int, expected: int | None, *, deleted: bool, **columns: object) -> None:
        statement = sa.update(HoursExceptionRow).where(
            HoursExceptionRow.id == id, HoursExceptionRow.deleted_at.is_not(None) == deleted
        )
        if expected is not None:
            statement = statement.where(HoursExceptionRow.version == expected)
        values = {"version": HoursExceptionRow.version + 1, "updated_at": self._clock.now(), **columns}
        if session.execute(statement.values(values).returning(HoursExceptionRow.id)).first() is None:
            _row(session, id)
            raise EditConflict("hours exception", str(id))
        self._raise_version(session)

    def _raise_version(self, session: Session) -> None:
        row = upsert(session)(HoursVersionRow).values(id=1, version=1)
        session.execute(
            row.on_conflict_do_update(
                index_elements=[HoursVersionRow.id], set_={"version": HoursVersionRow.version + 1}
            )
        )


def _row(session: Session, id: int) -> HoursExceptionRow:
    row = session.get(HoursExceptionRow, id)
    if row is None:
        raise UnknownRecord("hours exception", str(id))
    return row


def _columns(exception: HoursException) -> dict[str, object]:
    return exception.model_dump()


def _exception(row: HoursExceptionRow) -> HoursException:
    return HoursException(office=row.office, first=row.first, last=row.last, hours=row.hours, reason=row.reason)


def _kept(row: HoursExceptionRow) -> KeptException:
    return KeptException(
        id=row.id,
        exception=_exception(row),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted_at=row.deleted_at,
    )
