"""Opening hours as people type them: the times of a day, and the plain week, to and from OSM expressions."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

from knowledge.openings import Day, Span, Week, consecutive, openings, parse, weeks_by_month

WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")

_TIME = r"(\d{1,2})(?:[:.](\d{2}))?"
_SPAN = re.compile(rf"\s*(?:von\s+)?{_TIME}\s*(?:Uhr)?\s*(?:-|–|bis)\s*{_TIME}\s*(?:Uhr)?\s*", re.IGNORECASE)
_BETWEEN = re.compile(r"[,;]|\bund\b")
_COMPARED_DAYS = 2 * 366


class InvalidSpans(ValueError):
    """Times of a day that are none; `code` says why."""

    def __init__(self, code: Literal["unreadable", "backwards", "overlapping"]) -> None:
        super().__init__(code)
        self.code = code


def read_spans(text: str) -> Day:
    """The openings in a text such as `09:00-13:00,14:00-18:00` or `9 bis 13 Uhr und 14-18.30 Uhr`, in order.

    They lie within one day: what goes on after midnight is the next day's.

    Raises:
        InvalidSpans: it has no such form, one of them ends before it starts, or two of them overlap.
    """
    return in_order(_read_span(part) for part in _BETWEEN.split(text))


def in_order(spans: Iterable[Span]) -> Day:
    """The openings of one day by their time.

    Raises:
        InvalidSpans: one of them ends before it starts, or two of them overlap.
    """
    day = tuple(sorted(spans, key=lambda span: span.start))
    if any(span.end is not None and span.end <= span.start for span in day):
        raise InvalidSpans("backwards")
    if any(span.end is None or span.end > following.start for span, following in pairwise(day)):
        raise InvalidSpans("overlapping")
    return day


def osm_spans(day: Day) -> str:
    """The openings as they stand in an expression: `09:00-13:00,14:00-24:00`."""
    return ",".join(f"{span.start:%H:%M}-{osm_time(span.end)}" for span in day)


def osm_time(time: dt.time | None) -> str:
    return f"{time:%H:%M}" if time is not None else "24:00"


def osm_week(week: Sequence[Day]) -> str:
    """The expression of a week from Monday to Sunday, days of the same hours together; empty if it is never open."""
    days = dict.fromkeys(osm_spans(day) for day in week if day)
    return "; ".join(f"{_days(week, spans)} {spans}" for spans in days)


def plain_week(expression: str, today: dt.date) -> Week | None:
    """The week from Monday to Sunday that the expression comes down to; None where it says more than a week can."""
    if parse(expression) is None or "PH" in expression or '"' in expression:
        return None
    weeks = set(weeks_by_month(expression, today.replace(day=1)).values())
    if len(weeks) != 1:
        return None
    week = weeks.pop()
    rebuilt = osm_week(week)
    dates = (today + dt.timedelta(days=ahead) for ahead in range(_COMPARED_DAYS))
    return week if all(openings(expression, date) == openings(rebuilt, date) for date in dates) else None


def _read_span(text: str) -> Span:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise InvalidSpans("unreadable")
    start, end = _read_time(found[1], found[2]), _read_time(found[3], found[4])
    if start is None:
        raise InvalidSpans("backwards")
    return Span(start, end)


def _read_time(hour: str, minute: str | None) -> dt.time | None:
    """A clock time; None for 24:00."""
    hours, minutes = int(hour), int(minute or 0)
    if (hours, minutes) == (24, 0):
        return None
    if hours > 23 or minutes > 59:
        raise InvalidSpans("unreadable")
    return dt.time(hours, minutes)


def _days(week: Sequence[Day], spans: str) -> str:
    """`Mo-Fr` or `Mo,Fr`: the days that have these hours."""
    same = [number for number, day in enumerate(week) if osm_spans(day) == spans]
    return ",".join(_range(run) for run in consecutive(same, len(WEEKDAYS)))


def _range(run: Sequence[int]) -> str:
    names = [WEEKDAYS[number] for number in run]
    return f"{names[0]}-{names[-1]}" if len(names) > 2 else ",".join(names)
