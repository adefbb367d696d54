"""The catalogue and the outcomes of questions in the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import DeclarativeBase, Session

from core.clock import Clock
from core.database import Database
from knowledge.catalogue import LifeSituation, Office, Service
from knowledge.errors import EditConflict, UnknownRecord
from knowledge.tables import CatalogueVersionRow, LifeSituationRow, OfficeRow, OutcomeRow, ServiceRow

Row = TypeVar("Row", ServiceRow, OfficeRow, LifeSituationRow)

OUTCOME_LIFE = dt.timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All records of a city at one version, by id and in the order of their ids."""

    services: Mapping[str, Service] = field(default_factory=dict)
    offices: Mapping[str, Office] = field(default_factory=dict)
    life_situations: Mapping[str, LifeSituation] = field(default_factory=dict)
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionOutcome:
    """What became of one question. `text` is masked before it comes here."""

    site: str
    channel: str
    text: str
    outcome: str
    service_id: str | None = None
    aspect: str | None = None
    rating: str | None = None
    conversation_id: str | None = None
    seq: int | None = None
    """Number of the reply in its conversation."""


class CatalogueStore:
    """Keeps records. Every change raises the catalogue's version in the same transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def version(self) -> int:
        """Number of changes so far; 0 before the first import."""
        with self._database.reading() as session:
            return _version(session)

    def load(self) -> Catalogue:
        """Every record, of one moment."""
        with self._database.reading() as session:
            # The version is read first: a change that slips in between is seen again at the next look.
            version = _version(session)
            return Catalogue(
                services={row.id: Service.model_validate(row.record) for row in _all(session, ServiceRow)},
                offices={row.id: Office.model_validate(row.record) for row in _all(session, OfficeRow)},
                life_situations={
                    row.id: LifeSituation.model_validate(row.record) for row in _all(session, LifeSituationRow)
                },
                version=version,
            )

    def service(self, id: str) -> Service:
        """One service, whatever its status.

        Raises:
            UnknownRecord: there is none.
        """
        with self._database.reading() as session:
            row = session.get(ServiceRow, id)
        if row is None:
            raise UnknownRecord("service", id)
        return Service.model_validate(row.record)

    def put_service(self, service: Service) -> int:
        """Add a service or replace the one with its id; returns the record's own version, from 1."""
        with self._database.session() as session:
            row = session.get(ServiceRow, service.id, with_for_update=True)
            if row is None:
                row = ServiceRow(id=service.id, version=0)
                session.add(row)
            row.record = service.model_dump(mode="json")
            row.status = service.status
            row.version += 1
            row.updated_at = self._clock.now()
            self._raise_version(session)
            return row.version

    def office(self, id: str) -> tuple[Office, int]:
        """One office with its record's own version.

        Raises:
            UnknownRecord: there is none.
        """
        with self._database.reading() as session:
            row = session.get(OfficeRow, id)
        if row is None:
            raise UnknownRecord("office", id)
        return Office.model_validate(row.record), row.version

    def put_office(self, office: Office, *, expected: int, session: Session | None = None) -> int:
        """Add an office (expected version 0) or replace the one with its id; returns the record's own version.

        Args:
            office: the record.
            expected: the version that the record had when it was read.
            session: the transaction to do it in; one of its own if not given.

        Raises:
            EditConflict: it has another version by now.
        """
        if session is None:
            with self._database.session() as own:
                return self.put_office(office, expected=expected, session=own)
        row = session.get(OfficeRow, office.id, with_for_update=True, populate_existing=True)
        if (row.version if row else 0) != expected:
            raise EditConflict("office", office.id)
        if row is None:
            row = OfficeRow(id=office.id, version=0)
            session.add(row)
        row.record = office.model_dump(mode="json")
        row.version += 1
        row.updated_at = self._clock.now()
        self._raise_version(session)
        return row.version

    def import_missing(
        self,
        services: Iterable[Service] = (),
        offices: Iterable[Office] = (),
        life_situations: Iterable[LifeSituation] = (),
    ) -> int:
        """Insert the records whose ids are not there yet and leave all others as they are; returns how many."""
        with self._database.session() as session:
            added = (
                self._insert(session, ServiceRow, [self._row(record, status=record.status) for record in services])
                + self._insert(session, OfficeRow, [self._row(record) for record in offices])
                + self._insert(session, LifeSituationRow, [self._row(record) for record in life_situations])
            )
            if added:
                self._raise_version(session)
            return added

    def _row(self, record: Service | Office | LifeSituation, **columns: Any) -> dict[str, Any]:
        value = record.model_dump(mode="json")
        return {"id": record.id, "record": value, "version": 1, "updated_at": self._clock.now(), **columns}

    def _insert(self, session: Session, table: type[DeclarativeBase], rows: Sequence[dict[str, Any]]) -> int:
        if not rows:
            return 0
        statement = upsert(session)(table).values(list(rows)).on_conflict_do_nothing()
        return len(session.execute(statement.returning(table.__table__.c.id)).all())

    def _raise_version(self, session: Session) -> None:
        row = upsert(session)(CatalogueVersionRow).values(id=1, version=1)
        session.execute(
            row.on_conflict_do_update(
                index_elements=[CatalogueVersionRow.id], set_={"version": CatalogueVersionRow.version + 1}
            )
        )


class OutcomeStore:
    """Keeps what became of questions, for the editors, for a finite time."""

    def __init__(self, database: Database, clock: Clock, life: dt.timedelta = OUTCOME_LIFE) -> None:
        self._database = database
        self._clock = clock
        self._life = life

    def add(self, outcome: QuestionOutcome) -> int:
        """Keep one outcome; returns its id."""
        now = self._clock.now()
        row = OutcomeRow(
            at=now,
            site=outcome.site,
            channel=outcome.channel,
            text=outcome.text,
            outcome=outcome.outcome,
            service_id=outcome.service_id,
            aspect=outcome.aspect,
            rating=outcome.rating,
            conversation_id=outcome.conversation_id,
            seq=outcome.seq,
            expires_at=now + self._life,
        )
        with self._database.session() as session:
            session.add(row)
            session.flush()
            return row.id

    def newest(self, count: int) -> Sequence[OutcomeRow]:
        """The newest outcomes, newest first."""
        with self._database.reading() as session:
            return session.scalars(sa.select(OutcomeRow).order_by(OutcomeRow.id.desc()).limit(count)).all()

    def rate(self, conversation_id: str, *, seq: int, rating: str) -> bool:
        """Put a citizen's rating on the outcome of one reply; false if it has none."""
        statement = sa.update(OutcomeRow).where(OutcomeRow.conversation_id == conversation_id, OutcomeRow.seq == seq)
        with self._database.session() as session:
            return bool(session.execute(statement.values(rating=rating).returning(OutcomeRow.id)).all())

    def detach(self, conversation_ids: Sequence[str]) -> None:
        """Forget which conversations the outcomes came from; for conversations that expire."""
        statement = sa.update(OutcomeRow).where(OutcomeRow.conversation_id.in_(conversation_ids))
        with self._database.session() as session:
            session.execute(statement.values(conversation_id=None))

    def erase(self, conversation_ids: Sequence[str]) -> None:
        """Remove the outcomes of conversations; for citizens who erase what they said."""
        with self._database.session() as session:
            session.execute(sa.delete(OutcomeRow).where(OutcomeRow.conversation_id.in_(conversation_ids)))

    def expire(self) -> int:
        """Remove the outcomes whose time is over; returns how many."""
        statement = sa.delete(OutcomeRow).where(OutcomeRow.expires_at <= self._clock.now())
        with self._database.session() as session:
            return len(session.execute(statement.returning(OutcomeRow.id)).all())


def upsert(session: Session) -> Any:
    """The `insert` that knows `on_conflict_…`, of the session's database."""
    return sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert


def _version(session: Session) -> int:
    return session.scalar(sa.select(CatalogueVersionRow.version).where(CatalogueVersionRow.id == 1)) or 0


def _all(session: Session, table: type[Row]) -> Sequence[Row]:
    return session.scalars(sa.select(table).order_by(table.id)).all()
