"""An office in words: its address, its hours, its telephone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote_plus

from knowledge.catalogue import Office
from knowledge.hours import OfficeHours
from knowledge.hours_voice import HoursRow
from knowledge.models import Action, OfficeLine
from knowledge.wording import phrase, sentence, speakable, spoken_phone

SPOKEN_ITEMS = 3
"""More entries of a list are not read aloud without asking."""

_MAP = "https://www.openstreetmap.org/search?query="


@dataclass(frozen=True, slots=True)
class Draft:
    """A text and how it is said. An unknown one still needs the office to ask."""

    text: str
    speech: str
    known: bool = True

    def then(self, other: Draft) -> Draft:
        """Both, the other as a paragraph of its own."""
        return Draft(f"{self.text}\n\n{other.text}", f"{self.speech} {other.speech}", self.known)

    def and_then(self, other: Draft) -> Draft:
        """Both in one paragraph."""
        return Draft(f"{self.text} {other.text}", f"{self.speech} {other.speech}", self.known)


class Counter:
    """One office, as citizens come to it."""

    def __init__(self, office: Office, hours: OfficeHours, central: Office, language: str) -> None:
        self.office = office
        self._hours = hours
        self._central = central
        self._language = language

    @property
    def address(self) -> str | None:
        """Street and town; None where the street is not known."""
        if not self.office.street:
            return None
        town = " ".join(filter(None, (self.office.zip, self.office.city)))
        return ", ".join(filter(None, (self.office.street, town)))

    @property
    def spoken_address(self) -> str | None:
        """The address without its postcode."""
        if not self.office.street:
            return None
        return speakable(", ".join(filter(None, (self.office.street, self.office.city))))

    @property
    def has_hours(self) -> bool:
        return self._hours.today(self.office) is not None

    def line(self) -> OfficeLine:
        today = self._hours.today(self.office, language=self._language)
        return OfficeLine(id=self.office.id, name=self.office.name, phone=self.office.phone, hours_today=today)

    def map(self) -> tuple[Action, ...]:
        if not self.address:
            return ()
        return (Action(kind="map", label=self._say("action.map"), url=_MAP + quote_plus(self.address)),)

    def call(self) -> tuple[Action, ...]:
        """The telephone, or the central office's; empty where neither has one."""
        phone = self.office.phone or self._central.phone
        if not phone:
            return ()
        label = self._say("action.call" if self.office.phone else "action.call_central")
        return (Action(kind="call", label=label, url="tel:" + "".join(c for c in phone if c.isdigit() or c == "+")),)

    def where(self) -> Draft:
        """The address with the way there."""
        if not self.address:
            return self._unknown("where.unknown")
        name, said = self.office.name, self.spoken_address
        draft = Draft(
            self._say("where.address", office=name, address=self.address),
            self._say("where.address", spoken=True, office=speakable(name), address=said),
        )
        for key, text in (("transport", self.office.public_transport), ("accessibility", self.office.accessibility)):
            if text:
                draft = draft.then(self._both(f"where.{key}", text=sentence(text)))
        return draft

    def hours(self) -> Draft:
        """Today, the whole week and the note."""
        today = self.today()
        note = self._note()
        if today is None:
            unknown = self._unknown("hours.unknown")
            return unknown.then(note) if note else unknown
        written, spoken = (
            self._hours.week(self.office, spoken=spoken, language=self._language) for spoken in (False, True)
        )
        text = "\n\n".join([today.text, _table(written), *([note.text] if note else [])])
        return Draft(text, f"{today.speech} {self._spoken_hours(spoken, note)}")

    def today(self) -> Draft | None:
        """What holds today, as a sentence; None where the hours are not known."""
        written, spoken = (
            self._hours.today(self.office, spoken=spoken, language=self._language) for spoken in (False, True)
        )
        if written is None or spoken is None:
            return None
        name = self.office.name
        return Draft(
            self._say("hours.today", office=name, today=written),
            self._say("hours.today", spoken=True, office=speakable(name), today=spoken),
        )

    def contact(self) -> Draft:
        """Name and telephone number as a part of a sentence."""
        key = "contact.phone" if self.office.phone else "contact"
        return self._both(key, phone=self.office.phone, office=self.office.name)

    def reach(self, key: str = "contact.sentence") -> Draft:
        """Name, telephone number and e-mail address; the central office's number where it has none.

        Args:
            key: phrase around the contact.
        """
        draft = self._around_contact(key)
        if self.office.email:
            draft = Draft(f"{draft.text}\n\n{self._say('contact.email', email=self.office.email)}", draft.speech)
        return draft

    def card(self) -> Draft:
        """All in short: today, address, telephone and e-mail address."""
        office = self.office
        today = [self._hours.today(office, spoken=spoken, language=self._language) for spoken in (False, True)]
        phone, email = office.phone, office.email
        written = [
            today[0],
            self.address,
            self._say("contact.phone_only", phone=phone) if phone else None,
            self._say("contact.email", email=email) if email else None,
        ]
        spoken = [
            today[1],
            self.spoken_address,
            self._say("contact.phone_only", phone=spoken_phone(phone)) if phone else None,
        ]
        lines = "\n".join(f"- {line}" for line in written if line)
        told = " ".join(sentence(part) for part in (speakable(office.name), *spoken) if part)
        draft = Draft(f"**{office.name}**\n\n{lines}" if lines else f"**{office.name}**", told)
        central = self._central.phone
        return draft if phone or not central else draft.then(self._both("ask.central", phone=central))

    def ask(self) -> Draft:
        """The sentence that sends the citizen here."""
        return self._around_contact("ask")

    def _around_contact(self, key: str) -> Draft:
        contact = self.contact()
        draft = Draft(self._say(key, contact=contact.text), self._say(key, spoken=True, contact=contact.speech))
        if self.office.phone or not self._central.phone:
            return draft
        return draft.and_then(self._both("ask.central", phone=self._central.phone))

    def _note(self) -> Draft | None:
        note = self.office.opening_note
        return Draft(note, sentence(speakable(note))) if note else None

    def _spoken_hours(self, rows: Sequence[HoursRow], note: Draft | None) -> str:
        """Three rows of the present season at most, and the first sentence of the note."""
        spoken = [sentence(row.text) for row in rows if row.season == rows[0].season][:SPOKEN_ITEMS]
        first, _, rest = (note.speech if note else "").partition(". ")
        cut = bool(rest) or len(spoken) < len(rows)
        more = self._say("more", spoken=True)
        return " ".join([*spoken, *([sentence(first)] if first else []), *([more] if cut else [])])

    def _unknown(self, key: str) -> Draft:
        draft = self._both(key)
        return Draft(draft.text, draft.speech, known=False)

    def _both(self, key: str, *, phone: str | None = None, **values: str) -> Draft:
        spoken = {name: speakable(value) for name, value in values.items()}
        return Draft(
            self._say(key, spoken=False, phone=phone, **values),
            self._say(key, spoken=True, phone=spoken_phone(phone or ""), **spoken),
        )

    def _say(self, key: str, *, spoken: bool = False, **values: object) -> str:
        return phrase(key, spoken=spoken, language=self._language, **values)


def _table(rows: Sequence[HoursRow]) -> str:
    blocks = []
    for season, group in groupby(rows, key=lambda row: row.season):
        lines = "\n".join(f"- {row.text}" for row in group)
        blocks.append(f"**{season}**\n\n{lines}" if season else lines)
    return "\n\n".join(blocks)
