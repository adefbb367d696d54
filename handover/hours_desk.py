"""Where supervisors change hours: closures, special openings, weekly hours and departments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from core.audit import Actor, AuditLog
from core.database import Database
from handover.departments import Departments
from knowledge.hours_exceptions import HoursException, HoursExceptionStore
from knowledge.service import Knowledge
from knowledge.store import CatalogueStore

T = TypeVar("T")


class HoursDesk:
    """Each act is one transaction with its entry in the audit log, and holds at once in this process."""

    def __init__(self, database: Database, knowledge: Knowledge, departments: Departments, audit: AuditLog) -> None:
        self._database = database
        self._departments = departments
        self._audit = audit
        self.exceptions: HoursExceptionStore = knowledge.hours_exceptions
        self.catalogue: CatalogueStore = knowledge.catalogue_store

    def add_exception(self, exception: HoursException, *, by: Actor) -> int:
        """Enter a closure or special opening; returns its id."""
        with self._database.session() as session:
            id = self.exceptions.add(session, exception)
            self._enter(session, "hours_exception_added", str(id), by, exception)
        self.exceptions.changed()
        return id

    def change_exception(self, id: int, exception: HoursException, *, expected: int, by: Actor) -> None:
        """
        Raises:
            EditConflict: it was changed or deleted since it had the expected version.
            UnknownRecord: there is none.
        """
        self._do(
            lambda session: self.exceptions.replace(session, id, exception, expected=expected),
            "hours_exception_changed",
            str(id),
            by,
            exception,
        )

    def delete_exception(self, id: int, *, expected: int, by: Actor) -> None:
        """
        Raises:
            EditConflict: it was changed or deleted since it had the expected version.
            UnknownRecord: there is none.
        """
        self._do(
            lambda session: self.exceptions.delete(session, id, expected=expected),
            "hours_exception_deleted",
            str(id),
            by,
        )

    def restore_exception(self, id: int, *, by: Actor) -> None:
        """
        Raises:
            EditConflict: it is not deleted.
            UnknownRecord: there is none.
        """
        self._do(lambda session: self.exceptions.restore(session, id), "hours_exception_restored", str(id), by)

    def set_department(
        self, id: str, *, enabled: bool, phone_queue: bool, hours: str | None, expected: int, by: Actor
    ) -> None:
        """
        Raises:
            Changed: it was changed since it had the expected version.
        """
        with self._database.session() as session:
            self._departments.set_hours(
                session, id, enabled=enabled, phone_queue=phone_queue, hours=hours, expected=expected
            )
            details = {"enabled": enabled, "phone_queue": phone_queue, "hours": hours}
            self._audit.record_in(session, "department_changed", actor=by, subject=id, **details)
        self._departments.changed()

    def set_office_hours(self, id: str, hours: str | None, *, expected: int, by: Actor) -> None:
        """Change the weekly hours in an office's record.

        Raises:
            EditConflict: the record was changed since it had the expected version.
            UnknownRecord: there is no such office.
        """
        office, _ = self.catalogue.office(id)
        changed = office.model_copy(update={"opening_hours": hours})
        with self._database.session() as session:
            self.catalogue.put_office(changed, expected=expected, session=session)
            self._audit.record_in(
                session, "office_hours_changed", actor=by, subject=id, before=office.opening_hours, hours=hours
            )

    def _do(
        self,
        act: Callable[[Session], None],
        name: str,
        subject: str,
        by: Actor,
        exception: HoursException | None = None,
    ) -> None:
        with self._database.session() as session:
            act(session)
            self._enter(session, name, subject, by, exception)
        self.exceptions.changed()

    def _enter(
        self, session: Session, act: str, subject: str, by: Actor, exception: HoursException | None = None
    ) -> None:
        details: dict[str, Any] = exception.model_dump(mode="json") if exception else {}
        self._audit.record_in(session, act, actor=by, subject=subject, **details)
