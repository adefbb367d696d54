"""Words for opening hours, written or spoken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from babel.dates import get_day_names, get_month_names

from knowledge.openings import Day, Span, Week, consecutive
from knowledge.wording import phrase, readable_day, readable_list, readable_time

_WORKING_DAYS = range(5)


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


@dataclass(frozen=True, slots=True)
class Voice:
    """Says hours in one language."""

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

    def remark(self, text: str, span: Span) -> str:
        """The text with what the opening has to say besides: its comment, and why it is open."""
        if span.note:
            text = f"{text}, {span.note}"
        return self.say("hours.because", hours=text, reason=span.reason) if span.reason else text

    def opening(self, today: dt.date, date: dt.date, start: dt.time) -> str:
        ahead = (date - today).days
        key = "opening.tomorrow" if ahead == 1 else "opening.weekday" if ahead < 7 else "opening.date"
        return self.say(
            key, weekday=self.weekday(date.weekday()), date=readable_day(date, self.language), time=self.time(start)
        )

    def week(self, week: Week, season: tuple[int, ...]) -> Iterator[HoursRow]:
        """The rows of one weekly pattern; closed weekends are not mentioned."""
        months = get_month_names("wide", locale=self.language)
        name = None if len(season) == 12 else self._runs(season, {month: months[month] for month in season}, 12)
        for day in sorted(dict.fromkeys(week), key=lambda day: not day):
            same = [weekday for weekday in range(7) if week[weekday] == day and (day or weekday in _WORKING_DAYS)]
            if same:
                days = self._runs(same, {weekday: self.weekday(weekday) for weekday in same}, 7)
                yield HoursRow(season=name, days=days, hours=self.day(day))

    def day(self, day: Day) -> str:
        """The openings of a day with their comments, or that it is closed."""
        if not day:
            return self.say("hours.closed")
        hours = readable_list(map(self.span, day), self.language)
        notes = readable_list(dict.fromkeys(span.note for span in day if span.note), self.language)
        return f"{hours}, {notes}" if notes else hours

    def because(self, hours: str, reason: str | None) -> str:
        return self.say("hours.because", hours=hours, reason=reason) if reason else hours

    def dates(self, first: dt.date, last: dt.date) -> str:
        """`24. Dezember`, or `24. Dezember bis 31. Dezember`."""
        names = [readable_day(date, self.language) for date in (first, last)]
        return names[0] if first == last else self.say("days.range", first=names[0], last=names[1])

    def weekday(self, weekday: int) -> str:
        return str(get_day_names("wide", locale=self.language)[weekday])

    def _runs(self, numbers: Iterable[int], names: dict[int, str], cycle: int) -> str:
        """`Montag bis Donnerstag und Samstag`: three or more in a row are a range."""
        parts: list[str] = []
        for run in consecutive(numbers, cycle):
            ends = [names[run[0]], names[run[-1]]]
            parts += [self.say("days.range", first=ends[0], last=ends[1])] if len(run) > 2 else [names[n] for n in run]
        return readable_list(parts, self.language)
