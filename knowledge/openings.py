"""The openings of single days, read from an OSM expression (https://wiki.openstreetmap.org/wiki/Key:opening_hours)."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from opening_hours import OpeningHours, State, validate

log = logging.getLogger(__name__)

_ALWAYS = "24/7"
_PH_SELECTOR = re.compile(r"(?:\b[A-Z][a-z](?:-[A-Z][a-z])?,)*\bPH\b(?:,[A-Z][a-z](?:-[A-Z][a-z])?)*")


@dataclass(frozen=True, slots=True)
class Span:
    """An opening within one day. `end` is None for the day's last midnight."""

    start: dt.time
    end: dt.time | None
    note: str = ""
    """A comment of the expression, such as `nur mit Termin`."""
    reason: str = ""
    """Why the office is open at this time; empty for the usual hours."""


Day = tuple[Span, ...]
"""The openings of one day; none where it is closed."""
Week = tuple[Day, ...]
"""The usual openings from Monday to Sunday."""


@lru_cache(maxsize=1024)
def parse(expression: str | None) -> OpeningHours | None:
    """The expression, or None where there is none or it cannot be read."""
    if not expression:
        return None
    if not validate(expression):
        log.warning("opening hours that cannot be read count as unknown: %s", expression)
        return None
    return OpeningHours(expression)


@lru_cache(maxsize=1024)
def around_the_clock(expression: str | None) -> bool:
    hours = parse(expression)
    return hours is not None and str(hours.normalize()) == _ALWAYS


@lru_cache(maxsize=1024)
def holiday_rules(expression: str) -> str:
    """What the expression says of public holidays, as hours of any day."""
    rules = [rule for rule in expression.split(";") if _PH_SELECTOR.search(rule)]
    return ";".join(_PH_SELECTOR.sub("", rule).strip() for rule in rules)


@lru_cache(maxsize=8192)
def openings(expression: str | None, date: dt.date) -> Day:
    """The openings of a date by the expression alone; none where it cannot be read."""
    hours = parse(expression)
    if hours is None:
        return ()
    midnight = dt.datetime.combine(date, dt.time.min)
    return tuple(
        Span(start.time(), None if end.date() > date else end.time(), note)
        for start, end, state, note in hours.intervals(midnight, midnight + dt.timedelta(days=1))
        if state == State.OPEN
    )


@lru_cache(maxsize=256)
def weeks_by_month(expression: str, start: dt.date) -> dict[int, Week]:
    """The usual openings from Monday to Sunday in each of the twelve months from a first of a month on."""
    seen: dict[tuple[int, int], Counter[Day]] = {}
    for date in (start + dt.timedelta(days=ahead) for ahead in range(365)):
        seen.setdefault((date.month, date.weekday()), Counter())[openings(expression, date)] += 1
    return {month: tuple(_usual(seen[month, weekday]) for weekday in range(7)) for month in range(1, 13)}


def seasons(months: dict[int, Week], now: int) -> list[tuple[Week, tuple[int, ...]]]:
    """The different weeks with their months, the present season first."""
    weeks = dict.fromkeys(months[(now + ahead - 1) % 12 + 1] for ahead in range(12))
    return [(week, tuple(month for month in months if months[month] == week)) for week in weeks]


def consecutive(numbers: Iterable[int], cycle: int) -> list[list[int]]:
    """Runs of neighbours; with months (a cycle of 12) December is followed by January."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    if cycle == 12 and len(runs) > 1 and runs[0][0] == 1 and runs[-1][-1] == 12:
        runs = [*runs[1:-1], runs[-1] + runs[0]]
    return runs


def _usual(days: Counter[Day]) -> Day:
    """The most frequent; of equally frequent ones the shorter, which promises less."""
    return min(days, key=lambda day: (-days[day], len(day)))
