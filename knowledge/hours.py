"""When offices are open: computed from OSM opening hours, the state's holidays, and closures and special openings.

Times are wall-clock times of the city, so a change of the clock moves no opening. Holidays close every office but
those that are open around the clock; an expression may say otherwise by a `PH` rule. An exception
(`knowledge.hours_exceptions`) goes before all of that. Holidays and exceptions hold from midnight to midnight.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import holidays

from core.clock import Clock
from core.i18n import DEFAULT_LANGUAGE
from knowledge.catalogue import Office
from knowledge.hours_exceptions import HoursException, deciding
from knowledge.hours_voice import HoursRow, Voice
from knowledge.moments import joined, opening
from knowledge.openings import (
    Day,
    Span,
    Week,
    around_the_clock,
    holiday_rules,
    openings,
    parse,
    seasons,
    weeks_by_month,
)

HORIZON_DAYS = 120
"""How far ahead the next opening is looked for."""

EXTRA_DAYS = 60
"""How far ahead days outside the weekly pattern are listed."""

CLOSING_DAYS = 8
"""How far ahead the closing time is looked for; what is open for longer closes at no time that matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursState:
    """Whether an office is open at a moment, and when that changes. Moments are in UTC."""

    open: bool | None
    """None where the hours are not known."""
    closes_at: dt.datetime | None = None
    """None where it is not open, or for as long as anyone looks ahead."""
    opens_at: dt.datetime | None = None
    """The next opening; None where it is open now, or where there is none in sight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """One date as citizens find it."""

    date: dt.date
    openings: Day
    hours: str
    holiday: str | None
    exception: HoursException | None


class OfficeHours:
    """Says when offices are open, as of now."""

    def __init__(
        self,
        clock: Clock,
        *,
        state: str = "TH",
        timezone: str = "Europe/Berlin",
        exceptions: Callable[[], Sequence[HoursException]] = tuple,
    ) -> None:
        """
        Args:
            clock: tells the present moment.
            state: the federal state whose holidays hold, two letters.
            timezone: IANA name of the city's time zone.
            exceptions: gets the closures and special openings that hold now, in the order in which they were entered.
        """
        self._clock = clock
        self.zone = ZoneInfo(timezone)
        self._exceptions = exceptions
        self._holidays = holidays.country_holidays("DE", subdiv=state, language="de")

    def state(self, office: Office, at: dt.datetime | None = None) -> HoursState:
        """Whether the office is open, now or at another moment, and until or from when."""
        moment = at or self._clock.now()
        today = moment.astimezone(self.zone).date()
        if not self._known(office, today):
            return HoursState(open=None)
        current = next((run for run in self._runs(office, today, CLOSING_DAYS) if run[0] <= moment < run[1]), None)
        if current is not None:
            endless = today + dt.timedelta(days=CLOSING_DAYS - 1)
            closes = current[1].astimezone(self.zone).date() <= endless
            return HoursState(open=True, closes_at=current[1] if closes else None)
        return HoursState(open=False, opens_at=self._opens_at(office, today, moment))

    def is_open(self, office: Office) -> bool | None:
        """Whether the office is open now; None where its hours are not known."""
        now = self.now()
        if not self._known(office, now.date()):
            return None
        return self._current(self._day(office, now.date()), now) is not None

    def today(self, office: Office, *, spoken: bool = False, language: str = DEFAULT_LANGUAGE) -> str | None:
        """What holds for the rest of the day, or else the next opening.

        Returns:
            A part of a sentence such as `heute bis 18 Uhr geöffnet`; None where the hours are not known.
        """
        now = self.now()
        if not self._known(office, now.date()):
            return None
        voice = Voice(spoken, language)
        day = self._day(office, now.date())
        if day and around_the_clock(office.opening_hours) and self._exception(office, now.date()) is None:
            return voice.say("hours.always")
        if current := self._current(day, now):
            return self._open(office, now, day, current, voice)
        if later := [span for span in day if self._moments(now.date(), span)[0] > now]:
            again = len(later) < len(day)
            key, hours = ("hours.again", voice.time(later[0].start)) if again else ("hours.later", voice.spans(later))
            return voice.remark(voice.say(key, hours=hours), later[0])
        return self._closed(office, now.date(), voice, had_hours=bool(day))

    def week(self, office: Office, *, spoken: bool = False, language: str = DEFAULT_LANGUAGE) -> tuple[HoursRow, ...]:
        """The full hours: days of the same hours together, by seasons where the months differ.

        Days outside the weekly pattern within the next weeks follow. Empty where the hours are not known.
        """
        expression = office.opening_hours
        if expression is None or parse(expression) is None:
            return ()
        voice = Voice(spoken, language)
        today = self.now().date()
        months = weeks_by_month(expression, today.replace(day=1))
        if around_the_clock(expression):
            rows = [HoursRow(season=None, days=voice.say("days.all"), hours=voice.say("hours.around_the_clock"))]
        else:
            rows = [row for week, season in seasons(months, today.month) for row in voice.week(week, season)]
        return (*rows, *self._extra_days(office, months, today, voice))

    def calendar(self, office: Office, *, days: int = 14, language: str = DEFAULT_LANGUAGE) -> tuple[CalendarDay, ...]:
        """The openings of each of the next days, from today on."""
        voice, today = Voice(spoken=False, language=language), self.now().date()
        dates = (today + dt.timedelta(days=ahead) for ahead in range(days))
        return tuple(
            CalendarDay(
                date=date,
                openings=day,
                hours=voice.day(day),
                holiday=self._holidays.get(date),
                exception=self._exception(office, date),
            )
            for date, day in ((date, self._day(office, date)) for date in dates)
        )

    def now(self) -> dt.datetime:
        """The present moment by the city's clock."""
        return self._clock.now().astimezone(self.zone)

    def _extra_days(self, office: Office, months: dict[int, Week], today: dt.date, voice: Voice) -> Iterator[HoursRow]:
        """Single days with other hours than usual; days of one closure together."""
        name = voice.say("hours.single_days")
        closed: list[dt.date] = []
        closure: HoursException | None = None
        for date in (today + dt.timedelta(days=ahead) for ahead in range(EXTRA_DAYS)):
            day, usual = self._day(office, date), months[date.month][date.weekday()]
            exception = self._exception(office, date)
            if closure is not None and exception is not closure:
                yield HoursRow(season=name, days=voice.dates(closed[0], closed[-1]), hours=_closed(voice, closure))
                closed, closure = [], None
            if exception is not None and not day and usual:
                closed, closure = [*closed, date], exception
            elif day and (day != usual or exception is not None):
                reason = exception.reason if exception else None
                hours = voice.because(voice.day(day), reason)
                yield HoursRow(season=name, days=voice.dates(date, date), hours=hours)
        if closure is not None:
            yield HoursRow(season=name, days=voice.dates(closed[0], closed[-1]), hours=_closed(voice, closure))

    def _open(self, office: Office, now: dt.datetime, day: Day, current: Span, voice: Voice) -> str:
        if current.end is not None:
            rest = [span for span in day if span.start > current.start]
            key = "hours.open_and_later" if rest else "hours.open"
            text = voice.say(key, end=voice.until(current.end), hours=voice.spans(rest))
            return voice.remark(text, current)
        following = self._day(office, now.date() + dt.timedelta(days=1))
        if following and following[0].start == dt.time.min and following[0].end is not None:
            return voice.remark(voice.say("hours.open_overnight", end=voice.until(following[0].end)), current)
        return voice.remark(voice.say("hours.open", end=voice.until(None)), current)

    def _closed(self, office: Office, today: dt.date, voice: Voice, *, had_hours: bool) -> str:
        opens = bool(self._regular(office, today)) or parse(office.opening_hours) is None
        reason = self._reason(office, today) if opens else None
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

    def _opens_at(self, office: Office, today: dt.date, moment: dt.datetime) -> dt.datetime | None:
        for ahead in range(HORIZON_DAYS + 1):
            date = today + dt.timedelta(days=ahead)
            for start, end in joined(self._moments(date, span) for span in self._day(office, date)):
                if start > moment and start < end:
                    return start
        return None

    def _runs(self, office: Office, today: dt.date, days: int) -> list[tuple[dt.datetime, dt.datetime]]:
        """The openings from yesterday on, across midnights."""
        dates = (today + dt.timedelta(days=ahead) for ahead in range(-1, days))
        return joined(self._moments(date, span) for date in dates for span in self._day(office, date))

    def _moments(self, date: dt.date, span: Span) -> tuple[dt.datetime, dt.datetime]:
        return opening(date, span, self.zone)

    def _current(self, day: Day, now: dt.datetime) -> Span | None:
        for span in day:
            start, end = self._moments(now.date(), span)
            if start <= now < end:
                return span
        return None

    def _known(self, office: Office, date: dt.date) -> bool:
        """Whether the hours of a date are known: by the office's record, or by an exception of its own."""
        if parse(office.opening_hours) is not None:
            return True
        exception = self._exception(office, date)
        return exception is not None and exception.office is not None

    def _day(self, office: Office, date: dt.date) -> Day:
        if (exception := self._exception(office, date)) is not None:
            return exception.day
        expression = office.opening_hours or ""
        if date in self._holidays and not around_the_clock(expression):
            return openings(holiday_rules(expression), date)
        return self._regular(office, date)

    def _regular(self, office: Office, date: dt.date) -> Day:
        return openings(office.opening_hours, date)

    def _exception(self, office: Office, date: dt.date) -> HoursException | None:
        return deciding(self._exceptions(), office, date)

    def _reason(self, office: Office, date: dt.date) -> str | None:
        exception = self._exception(office, date)
        return exception.reason if exception else self._holidays.get(date)


def _closed(voice: Voice, closure: HoursException) -> str:
    return voice.because(voice.say("hours.closed"), closure.reason)
