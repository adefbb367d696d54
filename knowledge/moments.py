"""From the wall clock to moments, over the nights in which the clock changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from knowledge.openings import Span

_MINUTE = dt.timedelta(minutes=1)


def opening(date: dt.date, span: Span, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """First and last moment of an opening, in UTC.

    A time that comes twice opens at its first and closes at its second coming. A time that is left out is the moment
    of the change; an opening that lies within the hour left out is empty.
    """
    end = (date, span.end) if span.end is not None else (date + dt.timedelta(days=1), dt.time.min)
    return _moment(date, span.start, zone, fold=0), _moment(*end, zone, fold=1)


def joined(spans: Iterable[tuple[dt.datetime, dt.datetime]]) -> list[tuple[dt.datetime, dt.datetime]]:
    """The openings in order, empty ones left out, and those without a gap between them made one."""
    runs: list[tuple[dt.datetime, dt.datetime]] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if runs and start <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        else:
            runs.append((start, end))
    return runs


def _moment(date: dt.date, time: dt.time, zone: ZoneInfo, *, fold: int) -> dt.datetime:
    local = dt.datetime.combine(date, time, zone)
    before, after = (local.replace(fold=side).utcoffset() for side in (0, 1))
    if before is None or after is None or before >= after:
        return local.replace(fold=fold).astimezone(dt.UTC)
    moment = local.replace(fold=1).astimezone(dt.UTC)
    while moment.astimezone(zone).utcoffset() != after:
        moment += _MINUTE
    return moment.replace(second=0, microsecond=0)
