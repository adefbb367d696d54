"""Supervisors' pages on hours, `/mitarbeit/zeiten`: departments, weekly hours, closures and special openings."""

# No `from __future__ import annotations`: FastAPI reads the routes' types at once.

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Any

from babel.dates import format_date
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from core.accounts import Role
from core.gate import StaffGate
from core.staff_pages import PREFIX, SignedIn, StaffPages
from handover.departments import Department, Departments
from handover.errors import Changed
from handover.hours_desk import HoursDesk
from handover.hours_forms import ExceptionForm, Form, WeekForm, read_exception, read_week
from handover.markup import markup
from knowledge.answers import compose_office
from knowledge.catalogue import Aspect, Office
from knowledge.errors import EditConflict, UnknownRecord
from knowledge.hours_exceptions import HoursException, KeptException
from knowledge.service import Knowledge
from knowledge.spans import read_spans
from knowledge.wording import readable_list, readable_time

HOURS = f"{PREFIX}/zeiten"
EXCEPTIONS = f"{HOURS}/ausnahmen"
OFFICES = f"{HOURS}/stellen"
CALENDAR_DAYS = 14
MAX_FORM_FIELDS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionRow:
    """An entry as it stands in the list."""

    id: int
    version: int
    dates: str
    office: str | None
    """None: the whole administration."""
    hours: str | None
    """None: closed."""
    reason: str
    holds_today: bool
    is_overruled: bool
    """Whether a later entry of the same kind holds on some of its days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarRow:
    """One date in the calendar of a department; `staff` are the hours of chat and telephone."""

    date: str
    hours: str
    staff: str
    holiday: str | None
    exception: HoursException | None


class HoursPages:
    """The routes and what they need."""

    def __init__(
        self, *, desk: HoursDesk, departments: Departments, knowledge: Knowledge, gate: StaffGate, pages: StaffPages
    ) -> None:
        """
        Args:
            desk: changes hours.
            departments: every office as a department.
            knowledge: computes hours and answers from them.
            gate: lets supervisors in.
            pages: the pages' frame.
        """
        self._desk = desk
        self._departments = departments
        self._knowledge = knowledge
        self._gate = gate
        self._pages = pages
        self.router = self._routes()

    def _routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False)
        Supervisor = Annotated[SignedIn, Depends(self._gate.page(Role.SUPERVISOR))]

        @router.get(HOURS)
        async def overview(request: Request, by: Supervisor, neu: str = "", geloescht: int = 0) -> Response:
            return await self.overview(request, by, done=neu, deleted=geloescht)

        @router.post(EXCEPTIONS)
        async def add(request: Request, by: Supervisor) -> Response:
            return await self.add(request, by)

        @router.get(f"{EXCEPTIONS}/{{id}}")
        async def edit(request: Request, by: Supervisor, id: int) -> Response:
            return await self.edit(request, by, id)

        @router.post(f"{EXCEPTIONS}/{{id}}")
        async def save(request: Request, by: Supervisor, id: int) -> Response:
            return await self.save(request, by, id)

        @router.post(f"{EXCEPTIONS}/{{id}}/loeschen")
        async def delete(request: Request, by: Supervisor, id: int) -> Response:
            return await self.delete(request, by, id)

        @router.post(f"{EXCEPTIONS}/{{id}}/zurueckholen")
        async def restore(request: Request, by: Supervisor, id: int) -> Response:
            return await self.restore(request, by, id)

        @router.get(f"{OFFICES}/{{id}}")
        async def office(request: Request, by: Supervisor, id: str, neu: str = "") -> Response:
            return await self.office(request, by, id, done=neu)

        @router.post(f"{OFFICES}/{{id}}/woche")
        async def week(request: Request, by: Supervisor, id: str) -> Response:
            return await self.save_week(request, by, id)

        @router.post(f"{OFFICES}/{{id}}/abteilung")
        async def department(request: Request, by: Supervisor, id: str) -> Response:
            return await self.save_department(request, by, id)

        return router

    # Closures and special openings

    async def overview(
        self,
        request: Request,
        by: SignedIn,
        *,
        form: ExceptionForm | None = None,
        done: str = "",
        deleted: int = 0,
        conflict: bool = False,
    ) -> Response:
        """The departments, and all closures and special openings."""
        context = await run_in_threadpool(self._overview, deleted)
        status = HTTPStatus.CONFLICT if conflict else HTTPStatus.OK
        return self._pages.render(
            request,
            by,
            "handover/hours.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if form else status,
            form=form or ExceptionForm(),
            done=done if done in ("eintrag", "zurueck") else "",
            conflict=conflict,
            **context,
        )

    async def add(self, request: Request, by: SignedIn) -> Response:
        """Enter a closure or special opening."""
        exception, typed = read_exception(await _form(request), offices=self._names(), today=self._today)
        if exception is None:
            return await self.overview(request, by, form=typed)
        await run_in_threadpool(self._desk.add_exception, exception, by=by.account)
        return _to(f"{HOURS}?neu=eintrag#ausnahmen")

    async def edit(
        self,
        request: Request,
        by: SignedIn,
        id: int,
        *,
        form: ExceptionForm | None = None,
        conflict: bool = False,
    ) -> Response:
        """One entry; after a conflict with what was typed, beside what holds now."""
        try:
            entry = await run_in_threadpool(self._desk.exceptions.get, id)
        except UnknownRecord:
            return await self.overview(request, by, conflict=True)
        if entry.deleted_at is not None:
            return await self.overview(request, by, deleted=id, conflict=conflict)
        status = HTTPStatus.CONFLICT if conflict else HTTPStatus.UNPROCESSABLE_ENTITY
        return self._pages.render(
            request,
            by,
            "handover/hours_exception.html",
            status=status if form else HTTPStatus.OK,
            form=form or ExceptionForm.of(entry.exception),
            entry=self._row(entry, ()),
            offices=self._names(),
            conflict=conflict,
        )

    async def save(self, request: Request, by: SignedIn, id: int) -> Response:
        """Change an entry."""
        form = await _form(request)
        exception, typed = read_exception(form, offices=self._names(), today=self._today)
        if exception is None:
            return await self.edit(request, by, id, form=typed)
        try:
            await run_in_threadpool(self._desk.change_exception, id, exception, expected=_version(form), by=by.account)
        except (EditConflict, UnknownRecord):
            return await self.edit(request, by, id, form=typed, conflict=True)
        return _to(f"{HOURS}?neu=eintrag#ausnahmen")

    async def delete(self, request: Request, by: SignedIn, id: int) -> Response:
        """Make an entry void; the next page offers to undo it."""
        expected = _version(await _form(request))
        try:
            await run_in_threadpool(self._desk.delete_exception, id, expected=expected, by=by.account)
        except (EditConflict, UnknownRecord):
            return await self.overview(request, by, conflict=True)
        return _to(f"{HOURS}?geloescht={id}#ausnahmen")

    async def restore(self, request: Request, by: SignedIn, id: int) -> Response:
        """Bring a deleted entry back."""
        try:
            await run_in_threadpool(self._desk.restore_exception, id, by=by.account)
        except (EditConflict, UnknownRecord):
            return await self.overview(request, by, conflict=True)
        return _to(f"{HOURS}?neu=zurueck#ausnahmen")

    # Weekly hours and departments

    async def office(
        self,
        request: Request,
        by: SignedIn,
        id: str,
        *,
        week: WeekForm | None = None,
        staff: WeekForm | None = None,
        draft: Department | None = None,
        done: str = "",
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        """Hours of one office, as they are kept or as they are typed, and how they read.

        Args:
            request: the request.
            by: who looks at it.
            id: the office's.
            week: what was typed as the office's hours.
            staff: what was typed as hours of chat and telephone.
            draft: what is shown instead of what is kept.
            done: what was saved just now.
            status: of the response.
        """
        try:
            kept, version = await run_in_threadpool(self._desk.catalogue.office, id)
        except UnknownRecord:
            return await self.overview(request, by, conflict=True)
        department = await run_in_threadpool(self._departments.of, kept)
        shown = draft or department
        calendar = await run_in_threadpool(self._calendar, shown)
        return self._pages.render(
            request,
            by,
            "handover/hours_office.html",
            status=status,
            department=department,
            shown=shown,
            is_central=id == self._knowledge.city.central_office,
            week=week or WeekForm.of(kept.opening_hours, self._today),
            staff=staff or WeekForm.of(department.hours, self._today),
            office_version=version,
            is_preview=draft is not None,
            answer=await run_in_threadpool(self._answer, shown.office),
            calendar=calendar,
            differs=shown.enabled and any(day.hours != day.staff for day in calendar),
            done=done if done in ("woche", "abteilung") else "",
        )

    async def save_week(self, request: Request, by: SignedIn, id: str) -> Response:
        """Change the office's hours, or show how they would read."""
        form = await _form(request)
        expression, typed = read_week(form, "week_")
        if typed.is_wrong:
            return await self.office(request, by, id, week=typed, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            if "preview" in form:
                office, _ = await run_in_threadpool(self._desk.catalogue.office, id)
                changed = office.model_copy(update={"opening_hours": expression})
                draft = await run_in_threadpool(self._departments.of, changed)
                return await self.office(request, by, id, week=typed, draft=draft)
            await run_in_threadpool(self._desk.set_office_hours, id, expression, expected=_version(form), by=by.account)
        except (EditConflict, UnknownRecord):
            typed = replace(typed, errors={"week": "conflict"})
            return await self.office(request, by, id, week=typed, status=HTTPStatus.CONFLICT)
        return _to(f"{OFFICES}/{id}?neu=woche")

    async def save_department(self, request: Request, by: SignedIn, id: str) -> Response:
        """Change whether and when staff answer, or show when they would."""
        form = await _form(request)
        expression, typed = read_week(form, "staff_")
        wish: dict[str, Any] = {
            "enabled": "enabled" in form,
            "phone_queue": "phone_queue" in form,
            "hours": expression if not typed.is_wrong else None,
        }
        try:
            office, _ = await run_in_threadpool(self._desk.catalogue.office, id)
        except UnknownRecord:
            return await self.overview(request, by, conflict=True)
        draft = replace(await run_in_threadpool(self._departments.of, office), **wish)
        if typed.is_wrong or "preview" in form:
            status = HTTPStatus.UNPROCESSABLE_ENTITY if typed.is_wrong else HTTPStatus.OK
            return await self.office(request, by, id, staff=typed, draft=draft, status=status)
        try:
            await run_in_threadpool(self._desk.set_department, id, **wish, expected=_version(form), by=by.account)
        except Changed:
            typed = replace(typed, errors={"week": "conflict"})
            return await self.office(request, by, id, staff=typed, draft=draft, status=HTTPStatus.CONFLICT)
        return _to(f"{OFFICES}/{id}?neu=abteilung#mitarbeit")

    # What the pages show

    @property
    def _today(self) -> dt.date:
        return self._knowledge.hours.now().date()

    def _names(self) -> dict[str, str]:
        """The offices' names by id, in the order in which they are listed."""
        return {department.id: department.name for department in self._departments.all()}

    def _overview(self, deleted: int) -> dict[str, Any]:
        entries = self._desk.exceptions.kept(since=self._today)
        void = self._desk.exceptions.kept(since=self._today, deleted=True)
        return {
            "departments": [
                (department, self._departments.today_text(department.id)) for department in self._departments.all()
            ],
            "entries": [self._row(entry, entries) for entry in entries],
            "void": [self._row(entry, ()) for entry in void],
            "deleted": next((self._row(entry, ()) for entry in void if entry.id == deleted), None),
            "offices": self._names(),
        }

    def _row(self, entry: KeptException, others: Sequence[KeptException]) -> ExceptionRow:
        exception = entry.exception
        office = self._knowledge.office(exception.office) if exception.office else None
        return ExceptionRow(
            id=entry.id,
            version=entry.version,
            dates=_dates(exception.first, exception.last),
            office=office.name if office else exception.office,
            hours=_times(exception.hours) if exception.hours else None,
            reason=exception.reason,
            holds_today=exception.first <= self._today <= exception.last,
            is_overruled=any(
                other.id > entry.id
                and other.exception.office == exception.office
                and other.exception.first <= exception.last
                and other.exception.last >= exception.first
                for other in others
            ),
        )

    def _answer(self, office: Office) -> str:
        central = self._knowledge.central_office
        answer = compose_office(office, hours=self._knowledge.hours, central_office=central, aspect=Aspect.HOURS)
        return markup(answer.text)

    def _calendar(self, department: Department) -> list[CalendarRow]:
        hours = self._knowledge.hours
        offices = hours.calendar(department.office, days=CALENDAR_DAYS)
        staff = hours.calendar(department.desk, days=CALENDAR_DAYS)
        return [
            CalendarRow(
                date=_date(day.date),
                hours=day.hours if department.office.opening_hours or day.exception else "",
                staff=answered.hours if department.expression or answered.exception else "",
                holiday=day.holiday,
                exception=day.exception,
            )
            for day, answered in zip(offices, staff, strict=True)
        ]


async def _form(request: Request) -> Form:
    """The fields of a form that are texts; of several values of one field the last."""
    found = await request.form(max_fields=MAX_FORM_FIELDS)
    return {name: value for name, value in found.multi_items() if isinstance(value, str)}


def _version(form: Form) -> int:
    """The version that the person has seen; none that there is where the form does not say."""
    value = form.get("version", "")
    return int(value) if value.isdecimal() and len(value) < 10 else -1


def _to(path: str) -> Response:
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


def _date(date: dt.date) -> str:
    return format_date(date, "EE d. MMM", locale="de")


def _dates(first: dt.date, last: dt.date) -> str:
    days = [format_date(date, "EE d. MMM y", locale="de") for date in dict.fromkeys((first, last))]
    return " – ".join(days)


def _times(hours: str) -> str:
    spans = (f"{readable_time(span.start)}–{readable_time(span.end)}" for span in read_spans(hours))
    return f"{readable_list(spans)} Uhr"
