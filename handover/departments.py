"""Offices as the departments that staff work for: whether staff answer there by chat, and when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Integer, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.cache import Fresh
from core.clock import Clock
from core.database import Base, Database, UtcDateTime
from core.i18n import DEFAULT_LANGUAGE
from handover.errors import Changed
from knowledge.catalogue import Office
from knowledge.hours import HoursState
from knowledge.service import Knowledge
from knowledge.store import upsert


class DepartmentRow(Base):
    """What is set for an office as a department. Without hours of its own it has those of the office."""

    __tablename__ = "departments"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    enabled: Mapped[bool] = mapped_column(default=False)
    phone_queue: Mapped[bool] = mapped_column(default=True)
    hours: Mapped[str | None] = mapped_column(String(500))
    version: Mapped[int] = mapped_column(Integer, default=1)
    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """An office as a department."""

    office: Office
    enabled: bool = False
    """Whether staff answer here by chat and telephone; without, the central office does."""
    phone_queue: bool = True
    """Whether callers may wait here."""
    hours: str | None = None
    """Hours at which staff answer, in OSM syntax; null where they are the usual ones."""
    usual_hours: str | None = None
    """The hours of the office itself; for the central office those of the hotline."""
    version: int = 0

    @property
    def id(self) -> str:
        return self.office.id

    @property
    def name(self) -> str:
        return self.office.name

    @property
    def expression(self) -> str | None:
        """The hours that hold."""
        return self.hours or self.usual_hours

    @property
    def desk(self) -> Office:
        """The office with the hours at which staff answer."""
        return self.office.model_copy(update={"opening_hours": self.expression})


class Departments:
    """Every office of the catalogue as a department; what is set for them is at most a second old."""

    def __init__(self, database: Database, knowledge: Knowledge, clock: Clock) -> None:
        """On a fresh database the central office and the city's main office are enabled."""
        self._database = database
        self._knowledge = knowledge
        self._clock = clock
        self._rows = Fresh(self._load, clock)
        self._enable_first()

    def all(self) -> tuple[Department, ...]:
        """Every office, enabled or not: the central office first, then the enabled ones, by name."""
        found = [self.of(office) for office in self._knowledge.offices()]
        central = self._knowledge.city.central_office
        return tuple(sorted(found, key=lambda one: (one.id != central, not one.enabled, one.name.casefold())))

    def enabled(self) -> tuple[Department, ...]:
        """Those in which staff answer."""
        return tuple(department for department in self.all() if department.enabled)

    def get(self, id: str) -> Department | None:
        """The department of an office; None where there is no such office."""
        office = self._knowledge.office(id)
        return self.of(office) if office is not None else None

    def of(self, office: Office) -> Department:
        """An office's record as a department."""
        city = self._knowledge.city
        usual = city.hotline_hours if office.id == city.central_office else office.opening_hours
        row = self._rows.get().get(office.id)
        if row is None:
            return Department(office=office, usual_hours=usual)
        return Department(
            office=office,
            enabled=row.enabled,
            phone_queue=row.phone_queue,
            hours=row.hours,
            usual_hours=usual,
            version=row.version,
        )

    def for_service(self, service_id: str | None) -> str:
        """Who answers for a service: its office, or the central office where staff do not answer there."""
        office = self._knowledge.office_of(service_id)
        return office.id if self.of(office).enabled else self._knowledge.city.central_office

    def hours_state(self, id: str, at: dt.datetime | None = None) -> HoursState:
        """Whether a department is open, and when that changes; not known where there is no such office."""
        department = self.get(id)
        return self._knowledge.hours.state(department.desk, at) if department else HoursState(open=None)

    def today_text(self, id: str, *, spoken: bool = False, language: str = DEFAULT_LANGUAGE) -> str | None:
        """What holds for the rest of the day, or else the next opening: `heute bis 18 Uhr geöffnet`."""
        department = self.get(id)
        if department is None:
            return None
        return self._knowledge.hours.today(department.desk, spoken=spoken, language=language)

    def set_hours(
        self, session: Session, id: str, *, enabled: bool, phone_queue: bool, hours: str | None, expected: int
    ) -> None:
        """Set a department in the caller's transaction. `changed` is called after it.

        Raises:
            Changed: it has another version than the expected one by now.
        """
        row = session.get(DepartmentRow, id, with_for_update=True, populate_existing=True)
        if (row.version if row else 0) != expected:
            raise Changed(id)
        if row is None:
            row = DepartmentRow(id=id, version=0)
            session.add(row)
        row.enabled, row.phone_queue, row.hours = enabled, phone_queue, hours
        row.version += 1
        row.updated_at = self._clock.now()

    def changed(self) -> None:
        """Let this process see a change at once that was committed."""
        self._rows.forget()

    def _load(self) -> dict[str, DepartmentRow]:
        with self._database.reading() as session:
            return {row.id: row for row in session.scalars(select(DepartmentRow))}

    def _enable_first(self) -> None:
        city = self._knowledge.city
        with self._database.session() as session:
            if session.scalar(select(DepartmentRow.id).limit(1)) is not None:
                return
            values = {"enabled": True, "phone_queue": True, "version": 1, "updated_at": self._clock.now()}
            rows = [{"id": id, **values} for id in dict.fromkeys((city.central_office, city.main_office))]
            session.execute(upsert(session)(DepartmentRow).values(rows).on_conflict_do_nothing())
