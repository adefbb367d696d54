"""When offices are open: computed from OSM opening hours, the state's holidays and the city's own closures.

Times are wall-clock times of the city, so a change of the clock moves no opening. Holidays close every office but
those that are open around the clock; an expression may say otherwise by a `PH` rule.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from babel.dates import get_day_names, get_month_names
from opening_hours import OpeningHours, State, validate
from pydantic import Field

from core.clock import Clock
from core.i18n import DEFAULT_LANGUAGE
from knowledge.catalogue import Office, Record, Slug
from knowledge.wording import phrase, readable_day, readable_list, readable_time

log = logging.getLogger(__name__)

HORIZON_DAYS = 120
"""How far ahead the next opening is looked for."""

EXTRA_DAYS = 60
"""How far ahead days outside the weekly pattern are listed."""

_ALWAYS = "24/7"
_PH_SELECTOR = re.compile(r"(?:\b[A-Z][a-z](?:-[A-Z][a-z])?,)*\bPH\b(?:,[A-Z][a-z](?:-[A-Z][a-z])?)*")
_WORKING_DAYS = range(5)


class Closure(Record):
    """Days on which an office, or without an office the whole city administration, is closed."""

    office: Slug | None = None
    first: dt.date = Field(alias="from")
    last: dt.date = Field(alias="until")
    reason: str

    def covers(self, office: str, date: dt.date) -> bool:
        return self.office in (None, office) and self.first <= date <= self.last


@dataclass(frozen=True, slots=True)
class Span:
    """An opening within one day. `end` is None for the day's last midnight."""

    start: dt.time
    end: dt.time | None
    note: str = ""

    def lasts_after(self, time: dt.time) -> bool:
        return self.end is None or time < self.end


Day = tuple[Span, ...]
"""The openings of one day; none where it is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursRow:
    """One line of the full hours."""

    season: str | None
    """The months in which it holds, or the heading of single days; None for the whole year."""
    days: str
    hours: str

    @property
    def text(self) -> str:
        return f"{self.days}: {self.hours}"


class OfficeHours:
    """Says when offices are open, as of now."""

    def __init__(
        self,
        clock: Clock,
        *,
        state: str = "TH",
        timezone: str = "Europe/Berlin",
        closures: Iterable[Closure] = (),
    ) -> None:
        """
        Args:
            clock: tells the present moment.
            state: the federal state whose holidays hold, two letters.
            timezone: IANA name of the city's time zone.
            closures: days on which offices are closed besides the holidays.
        """
        self._clock = clock
        self._zone = ZoneInfo(timezone)
        self._closures = tuple(closures)
        self._holidays = holidays.country_holidays("DE", subdiv=state, language="de")

    def is_open(self, office: Office) -> bool | None:
        """Whether the office is open now; None where its hours are not known."""
        if _parse(office.opening_hours) is None:
            return None
        now = self._now()
        return _current(self._day(office, now.date()), now.time()) is not None

    def today(self, office: Office, *, spoken: bool = False, language: str = DEFAULT_LANGUAGE) -> str | None:
        """What holds for the rest of the day, or else the next opening.

        Returns:
            A part of a sentence such as `heute bis 18 Uhr geöffnet`; None where the hours are not known.
        """
        if _parse(office.opening_hours) is None:
            return None
        voice = _Voice(spoken, language)
        now = self._now()
        day = self._day(office, now.date())
        if _around_the_clock(office.opening_hours) and day:
            return voice.say("hours.always")
        if current := _current(day, now.time()):
            return self._open(office, now, day, current, voice)
        if later := [span for span in day if span.start > now.time()]:
            again = len(later) < len(day)
            key, hours = ("hours.again", voice.time(later[0].start)) if again else ("hours.later", voice.spans(later))
            return voice.say(key, hours=hours) + voice.note(later[0])
        return self._closed(office, now.date(), voice, had_hours=bool(day))

    def week(self, office: Office, *, spoken: bool = False, language: str = DEFAULT_LANGUAGE) -> tuple[HoursRow, ...]:
        """The full hours: days of the same hours together, by seasons where the months differ.

        Days outside the weekly pattern within the next weeks follow. Empty where the hours are not known.
        """
        expression = office.opening_hours
        if expression is None or _parse(expression) is None:
            return ()
        voice = _Voice(spoken, language)
        if _around_the_clock(expression):
            return (HoursRow(season=None, days=voice.say("days.all"), hours=voice.say("hours.around_the_clock")),)
        today = self._now().date()
        months = _weeks_by_month(expression, today.replace(day=1))
        rows = [row for week, season in _seasons(months, today.month) for row in voice.week(week, season)]
        return (*rows, *self._extra_days(office, months, today, voice))

    def _extra_days(
        self, office: Office, months: dict[int, tuple[Day, ...]], today: dt.date, voice: _Voice
    ) -> Iterator[HoursRow]:
        name = voice.say("hours.single_days")
        for date in (today + dt.timedelta(days=ahead) for ahead in range(EXTRA_DAYS)):
            day = self._day(office, date)
            if day and day != months[date.month][date.weekday()]:
                yield HoursRow(season=name, days=readable_day(date, voice.language), hours=voice.day(day))

    def _open(self, office: Office, now: dt.datetime, day: Day, current: Span, voice: _Voice) -> str:
        if current.end is not None:
            rest = [span for span in day if span.start > current.start]
            key = "hours.open_and_later" if rest else "hours.open"
            return voice.say(key, end=voice.until(current.end), hours=voice.spans(rest)) + voice.note(current)
        following = self._day(office, now.date() + dt.timedelta(days=1))
        if following and following[0].start == dt.time.min and following[0].end is not None:
            return voice.say("hours.open_overnight", end=voice.until(following[0].end)) + voice.note(current)
        return voice.say("hours.open", end=voice.until(None)) + voice.note(current)

    def _closed(self, office: Office, today: dt.date, voice: _Voice, *, had_hours: bool) -> str:
        reason = self._reason(office, today) if self._regular(office, today) else None
        if had_hours:
            closed = voice.say("hours.closed_now")
        elif reason:
            closed = voice.say("hours.closed_because", reason=reason)
        else:
            closed = voice.say("hours.closed_today")
        opening = self._next_opening(office, today)
        return f"{closed}, {voice.opening(today, *opening)}" if opening else closed

    def _next_opening(self, office: Office, today: dt.date) -> tuple[dt.date, dt.time] | None:
        for ahead in range(1, HORIZON_DAYS + 1):
            date = today + dt.timedelta(days=ahead)
            if day := self._day(office, date):
                return date, day[0].start
        return None

    def _day(self, office: Office, date: dt.date) -> Day:
        if any(closure.covers(office.id, date) for closure in self._closures):
            return ()
        expression = office.opening_hours or ""
        if date in self._holidays and not _around_the_clock(expression):
            return _openings(_holiday_rules(expression), date)
        return self._regular(office, date)

    def _regular(self, office: Office, date: dt.date) -> Day:
        return _openings(office.opening_hours, date)

    def _reason(self, office: Office, date: dt.date) -> str | None:
        closed = (closure.reason for closure in self._closures if closure.covers(office.id, date))
        return next(closed, None) or self._holidays.get(date)

    def _now(self) -> dt.datetime:
        return self._clock.now().astimezone(self._zone)


@dataclass(frozen=True, slots=True)
class _Voice:
    """Words for hours, written or spoken, in one language."""

    spoken: bool
    language: str

    def say(self, key: str, **values: object) -> str:
        return phrase(key, spoken=self.spoken, language=self.language, **values)

    def time(self, time: dt.time) -> str:
        return self.say("clock", time=readable_time(time, spoken=self.spoken, language=self.language))

    def until(self, end: dt.time | None) -> str:
        return self.say("clock", time=readable_time(end, spoken=self.spoken, language=self.language))

    def span(self, span: Span) -> str:
        start, end = (
            readable_time(time, spoken=self.spoken, language=self.language) for time in (span.start, span.end)
        )
        return self.say("clock.range", start=start, end=end)

    def spans(self, spans: Iterable[Span]) -> str:
        return readable_list((self.say("hours.from", hours=self.span(span)) for span in spans), self.language)

    def note(self, span: Span) -> str:
        return f", {span.note}" if span.note else ""

    def opening(self, today: dt.date, date: dt.date, start: dt.time) -> str:
        ahead = (date - today).days
        key = "opening.tomorrow" if ahead == 1 else "opening.weekday" if ahead < 7 else "opening.date"
        return self.say(
            key, weekday=self._weekday(date.weekday()), date=readable_day(date, self.language), time=self.time(start)
        )

    def week(self, week: tuple[Day, ...], season: tuple[int, ...]) -> Iterator[HoursRow]:
        """The rows of one weekly pattern; closed weekends are not mentioned."""
        months = get_month_names("wide", locale=self.language)
        name = None if len(season) == 12 else self._runs(season, {month: months[month] for month in season}, 12)
        for day in sorted(dict.fromkeys(week), key=lambda day: not day):
            same = [weekday for weekday in range(7) if week[weekday] == day and (day or weekday in _WORKING_DAYS)]
            if same:
                days = self._runs(same, {weekday: self._weekday(weekday) for weekday in same}, 7)
                yield HoursRow(season=name, days=days, hours=self.day(day))

    def day(self, day: Day) -> str:
        if not day:
            return self.say("hours.closed")
        hours = readable_list(map(self.span, day), self.language)
        notes = readable_list(dict.fromkeys(span.note for span in day if span.note), self.language)
        return f"{hours}, {notes}" if notes else hours

    def _weekday(self, weekday: int) -> str:
        return str(get_day_names("wide", locale=self.language)[weekday])

    def _runs(self, numbers: Iterable[int], names: dict[int, str], cycle: int) -> str:
        """`Montag bis Donnerstag und Samstag`: three or more in a row are a range."""
        parts: list[str] = []
        for run in _consecutive(numbers, cycle):
            ends = [names[run[0]], names[run[-1]]]
            parts += [self.say("days.range", first=ends[0], last=ends[1])] if len(run) > 2 else [names[n] for n in run]
        return readable_list(parts, self.language)


def _current(day: Day, time: dt.time) -> Span | None:
    return next((span for span in day if span.start <= time and span.lasts_after(time)), None)


@lru_cache(maxsize=1024)
def _parse(expression: str | None) -> OpeningHours | None:
    if not expression:
        return None
    if not validate(expression):
        log.warning("opening hours that cannot be read count as unknown: %s", expression)
        return None
    return OpeningHours(expression)


@lru_cache(maxsize=1024)
def _around_the_clock(expression: str | None) -> bool:
    hours = _parse(expression)
    return hours is not None and str(hours.normalize()) == _ALWAYS


@lru_cache(maxsize=1024)
def _holiday_rules(expression: str) -> str:
    rules = [rule for rule in expression.split(";") if _PH_SELECTOR.search(rule)]
    return ";".join(_PH_SELECTOR.sub("", rule).strip() for rule in rules)


def _openings(expression: str | None, date: dt.date) -> Day:
    hours = _parse(expression)
    if hours is None:
        return ()
    midnight = dt.datetime.combine(date, dt.time.min)
    return tuple(
        Span(start.time(), None if end.date() > date else end.time(), note)
        for start, end, state, note in hours.intervals(midnight, midnight + dt.timedelta(days=1))
        if state == State.OPEN
    )


@lru_cache(maxsize=256)
def _weeks_by_month(expression: str, start: dt.date) -> dict[int, tuple[Day, ...]]:
    """The usual openings from Monday to Sunday in each of the twelve months from a first of a month on."""
    seen: dict[tuple[int, int], Counter[Day]] = {}
    for date in (start + dt.timedelta(days=ahead) for ahead in range(365)):
        seen.setdefault((date.month, date.weekday()), Counter())[_openings(expression, date)] += 1
    return {month: tuple(_usual(seen[month, weekday]) for weekday in range(7)) for month in range(1, 13)}


def _usual(days: Counter[Day]) -> Day:
    """The most frequent; of equally frequent ones the shorter, which promises less."""
    return min(days, key=lambda day: (-days[day], len(day)))


def _seasons(months: dict[int, tuple[Day, ...]], now: int) -> list[tuple[tuple[Day, ...], tuple[int, ...]]]:
    """The different weeks with their months, the present season first."""
    weeks = dict.fromkeys(months[(now + ahead - 1) % 12 + 1] for ahead in range(12))
    return [(week, tuple(month for month in months if months[month] == week)) for week in weeks]


def _consecutive(numbers: Iterable[int], cycle: int) -> list[list[int]]:
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
