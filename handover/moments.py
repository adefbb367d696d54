"""Moments as staff read them, by the city's clock."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from babel.dates import format_date

from core.clock import Clock
from core.i18n import DEFAULT_LANGUAGE, Phrases
from knowledge.wording import readable_time

NEAR = {-1: "yesterday", 0: "today", 1: "tomorrow"}
WEEK = 7


class Moments:
    """Says when something is or was."""

    def __init__(self, phrases: Phrases, clock: Clock, *, timezone: str) -> None:
        self._phrases = phrases
        self._clock = clock
        self.zone = ZoneInfo(timezone)

    def day(self, moment: dt.datetime) -> str:
        """`heute`, `Donnerstag` within a week, `Do., 12. März` beyond, with the year in another one."""
        date, today = moment.astimezone(self.zone).date(), self.today()
        away = (date - today).days
        if away in NEAR:
            return self._phrases.text(f"moment.{NEAR[away]}")
        if 0 < away < WEEK:
            return format_date(date, "EEEE", locale=DEFAULT_LANGUAGE)
        return format_date(date, "EE, d. MMMM" if date.year == today.year else "d. MMMM y", locale=DEFAULT_LANGUAGE)

    def at(self, moment: dt.datetime) -> str:
        """`heute, 8:30 Uhr`."""
        return self._phrases.text("moment.at", day=self.day(moment), time=self._time(moment))

    def until(self, moment: dt.datetime) -> str:
        """`heute bis 16 Uhr`."""
        return self._phrases.text("moment.until", day=self.day(moment), time=self._time(moment))

    def today(self) -> dt.date:
        """The date in the city."""
        return self._clock.now().astimezone(self.zone).date()

    def begin_of(self, date: dt.date) -> dt.datetime:
        """The first moment of a day in the city."""
        return dt.datetime.combine(date, dt.time(), self.zone)

    def _time(self, moment: dt.datetime) -> str:
        return readable_time(moment.astimezone(self.zone).time())
