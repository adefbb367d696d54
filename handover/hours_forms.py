"""What supervisors type about hours: forms, read and checked, with a code for each mistake beside its field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from opening_hours import validate

from knowledge.hours_exceptions import HoursException
from knowledge.openings import Day
from knowledge.spans import WEEKDAYS, InvalidSpans, in_order, osm_spans, osm_time, osm_week, plain_week, read_spans

PAIRS = 2
"""Openings of one day that the weekly form has room for."""
MAX_EXPRESSION = 500
MAX_REASON = 200
FARTHEST = dt.timedelta(days=3 * 366)
"""A date that lies further ahead is a typing mistake."""

Form = Mapping[str, str]
Mode = Literal["week", "expression", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionForm:
    """A closure or special opening as it is typed. `errors` holds a code by the field's name."""

    office: str = ""
    """Empty: the whole administration."""
    first: str = ""
    last: str = ""
    kind: str = "closed"
    hours: str = ""
    reason: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, exception: HoursException) -> ExceptionForm:
        return cls(
            office=exception.office or "",
            first=exception.first.isoformat(),
            last=exception.last.isoformat() if exception.last != exception.first else "",
            kind="open" if exception.hours else "closed",
            hours=(exception.hours or "").replace(",", ", "),
            reason=exception.reason,
        )


def read_exception(
    form: Form, *, offices: Collection[str], today: dt.date
) -> tuple[HoursException | None, ExceptionForm]:
    """The exception that is typed, or None and a form with the mistakes; without a last day it is one day."""
    values = {name: form.get(name, "").strip() for name in ("office", "first", "last", "kind", "hours", "reason")}
    errors: dict[str, str] = {}
    first = _date(values["first"], "first", errors, today=today)
    last = _date(values["last"], "last", errors, today=today) if values["last"] else first
    if first and last and last < first:
        errors["last"] = "last-before-first"
    elif last and last < today:
        errors["last" if values["last"] else "first"] = "past"
    if values["office"] and values["office"] not in offices:
        errors["office"] = "unknown-office"
    if not values["reason"]:
        errors["reason"] = "missing"
    elif len(values["reason"]) > MAX_REASON:
        errors["reason"] = "too-long"
    hours = None
    if values["kind"] == "open":
        try:
            hours = osm_spans(read_spans(values["hours"]))
        except InvalidSpans as error:
            errors["hours"] = error.code
    typed = ExceptionForm(**values, errors=errors)
    if errors or first is None or last is None:
        return None, typed
    return HoursException(
        office=values["office"] or None, first=first, last=last, hours=hours, reason=values["reason"]
    ), typed


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekdayRow:
    """One weekday of the form: pairs of from and to as typed."""

    day: str
    """Two letters, as in expressions."""
    pairs: Sequence[tuple[str, str]] = (("", ""),) * PAIRS
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekForm:
    """Weekly hours as they are typed: as a table of weekdays, as an expression, or none."""

    mode: Mode
    rows: Sequence[WeekdayRow]
    expression: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_wrong(self) -> bool:
        return bool(self.errors) or any(row.error for row in self.rows)

    @classmethod
    def of(cls, expression: str | None, today: dt.date) -> WeekForm:
        """The form for an expression: the table where it is a plain week that the table has room for."""
        empty = tuple(WeekdayRow(day=day) for day in WEEKDAYS)
        if not expression:
            return cls(mode="none", rows=empty)
        week = plain_week(expression, today)
        if week is None or any(len(day) > PAIRS for day in week):
            return cls(mode="expression", rows=empty, expression=expression)
        return cls(mode="week", rows=tuple(map(_row, WEEKDAYS, week)), expression=expression)


def read_week(form: Form, prefix: str) -> tuple[str | None, WeekForm]:
    """The expression that is typed, or None where there are to be no hours, and the form with its mistakes."""
    mode = form.get(f"{prefix}mode")
    typed = form.get(f"{prefix}expression", "").strip()
    read = [_read_row(form, prefix, day) for day in WEEKDAYS]
    rows = tuple(row for row, _ in read)
    if mode == "expression":
        error = "missing" if not typed else "too-long" if len(typed) > MAX_EXPRESSION else ""
        if not error and not validate(typed):
            error = "unreadable-expression"
        errors = {"expression": error} if error else {}
        return typed, WeekForm(mode="expression", rows=_unchecked(rows), expression=typed, errors=errors)
    if mode == "week":
        expression = osm_week([day for _, day in read])
        wrong = any(row.error for row in rows)
        errors = {} if expression or wrong else {"week": "empty-week"}
        return expression, WeekForm(mode="week", rows=rows, expression=expression or typed, errors=errors)
    return None, WeekForm(mode="none", rows=_unchecked(rows), expression=typed)


def _row(name: str, day: Day) -> WeekdayRow:
    pairs = [(f"{span.start:%H:%M}", osm_time(span.end)) for span in day]
    return WeekdayRow(day=name, pairs=tuple(pairs + [("", "")] * (PAIRS - len(pairs))))


def _read_row(form: Form, prefix: str, day: str) -> tuple[WeekdayRow, Day]:
    pairs = tuple(
        (form.get(f"{prefix}{day}_from{n}", "").strip(), form.get(f"{prefix}{day}_to{n}", "").strip())
        for n in range(1, PAIRS + 1)
    )
    try:
        spans = in_order(span for start, end in pairs if start or end for span in read_spans(f"{start}-{end}"))
    except InvalidSpans as error:
        code = "incomplete" if error.code == "unreadable" else error.code
        return WeekdayRow(day=day, pairs=pairs, error=code), ()
    return WeekdayRow(day=day, pairs=pairs), spans


def _unchecked(rows: Sequence[WeekdayRow]) -> tuple[WeekdayRow, ...]:
    return tuple(WeekdayRow(day=row.day, pairs=row.pairs) for row in rows)


def _date(text: str, name: str, errors: dict[str, str], *, today: dt.date) -> dt.date | None:
    if not text:
        errors[name] = "missing"
        return None
    try:
        date = dt.date.fromisoformat(text)
    except ValueError:
        errors[name] = "unreadable-date"
        return None
    if date > today + FARTHEST:
        errors[name] = "too-far"
    return date
