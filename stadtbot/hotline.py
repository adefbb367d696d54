"""When the city's staff can be reached by telephone, until the handover room knows better."""

from __future__ import annotations

from bot.contact import Contact
from bot.replies import Replies
from knowledge.catalogue import City, Office
from knowledge.hours import OfficeHours


class Hotline:
    """Reachability by the hotline's hours alone."""

    def __init__(self, city: City, hours: OfficeHours, replies: Replies) -> None:
        self._office = Office(id="hotline", name=city.name, phone=city.hotline, opening_hours=city.hotline_hours)
        self._hours = hours
        self._replies = replies

    def contact(self) -> Contact:
        """Whether the hotline is open now, and when it is."""
        today = self._hours.today(self._office)
        if today is None:
            return self._contact("contact.unknown", open_now=False)
        open_now = bool(self._hours.is_open(self._office))
        return self._contact(
            "contact.open" if open_now else "contact.closed", open_now=open_now, hours=f"{today[0].upper()}{today[1:]}."
        )

    def _contact(self, key: str, *, open_now: bool, **values: str) -> Contact:
        reply = self._replies.say(key, values=values)
        return Contact(open_now, reply.text, reply.speech)
