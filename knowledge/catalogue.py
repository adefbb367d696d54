"""The catalogue's records, as editors write them and as the database keeps them.

They follow the modules of XZuFi and FIM. A record is general information of a city: no case, no person.
"""

from __future__ import annotations

import datetime as dt
import re
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator


class Aspect(StrEnum):
    """What a citizen can want to know about a service."""

    OVERVIEW = "overview"
    DOCUMENTS = "documents"
    FEES = "fees"
    DEADLINE = "deadline"
    DURATION = "duration"
    ONLINE = "online"
    WHERE = "where"
    HOURS = "hours"
    WHO = "who"
    ELIGIBILITY = "eligibility"
    LEGAL = "legal"
    PROCEDURE = "procedure"


class Circumstance(StrEnum):
    """A condition of the citizen that makes some items of a record apply and others not."""

    ABROAD = "abroad"
    CHILD = "child"
    COMPANY = "company"
    DAMAGED = "damaged"
    DISABILITY = "disability"
    EXPIRED = "expired"
    FIRST = "first"
    FOREIGN = "foreign"
    LOST = "lost"
    LOW_INCOME = "low_income"
    NAME_CHANGE = "name_change"
    PROXY = "proxy"
    SENIOR = "senior"
    SINGLE_PARENT = "single_parent"
    STOLEN = "stolen"
    STUDENT = "student"
    URGENT = "urgent"
    YOUNG = "young"


def _is_slug(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", value):
        raise ValueError("must be a slug: lower-case letters, digits and single hyphens")
    return value


def _is_partial_date(value: str) -> str:
    if not re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", value):
        raise ValueError("must be a date, a month or a year: 2026-02-07, 2026-02 or 2026")
    dt.date.fromisoformat((value + "-01-01")[:10])
    return value


def _is_web_address(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s<>\"']+", value):
        raise ValueError("must be an http or https address")
    return value


Slug = Annotated[str, AfterValidator(_is_slug)]
PartialDate = Annotated[str, AfterValidator(_is_partial_date)]
"""An ISO date of the precision that is known: day, month or year."""
WebAddress = Annotated[str, AfterValidator(_is_web_address)]
LeikaKey = Annotated[str, Field(pattern=r"^\d{14}$")]
RegionalKey = Annotated[str, Field(pattern=r"^\d{8,12}$")]


class Record(BaseModel):
    """Base of all records: unknown fields are errors, so a typing mistake cannot hide a fact."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Source(Record):
    """Where a fact was read, and of when it is."""

    url: WebAddress
    as_of: PartialDate | None = None


class Item(Record):
    """One entry of a list module. Without `when` it holds for everybody."""

    text: str = Field(min_length=1)
    when: list[Circumstance] = []


class Fee(Item):
    """A fee. `amount_eur` is null where a fee exists whose amount is not established; 0 means free."""

    amount_eur: float | None = Field(default=None, ge=0)


def _as_items(value: Any) -> Any:
    if isinstance(value, list):
        return [{"text": entry} if isinstance(entry, str) else entry for entry in value]
    return value


SpokenModule = Literal[
    "summary", "full", "requirements", "documents", "fees", "deadlines", "duration", "procedure", "legal_basis", "notes"
]


class Service(Record):
    """A service of the city or of another authority for its citizens (Leistung)."""

    id: Slug
    leika: LeikaKey | None = None
    title: str = Field(min_length=1)
    official_title: str | None = None
    synonyms: list[str] = []
    examples: list[str] = []
    summary: str = Field(min_length=1)
    full: str | None = None
    requirements: str | None = None
    documents: list[Item] = []
    fees: list[Fee] = []
    deadlines: list[Item] = []
    duration: str | None = None
    procedure: list[Item] = []
    legal_basis: list[str] = []
    notes: str | None = None
    forms: list[WebAddress] = []
    online_url: WebAddress | None = None
    appointment_url: WebAddress | None = None
    speech: dict[SpokenModule, str] = {}
    offices: list[Slug] = []
    areas: list[RegionalKey] = []
    translations: dict[str, dict[str, Any]] = {}
    owner: Slug | None = None
    sources: list[Source] = Field(min_length=1)
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None
    status: Literal["draft", "published", "archived"] = "published"

    @field_validator("documents", "fees", "deadlines", "procedure", mode="before")
    @classmethod
    def _plain_text_is_an_item(cls, value: Any) -> Any:
        return _as_items(value)

    @model_validator(mode="after")
    def _speech_has_a_text(self) -> Service:
        for module in self.speech:
            if not getattr(self, module):
                raise ValueError(f"speech.{module} has no text beside it")
        return self

    @property
    def as_of(self) -> str | None:
        """Date of the newest source, in the precision known."""
        return max((source.as_of for source in self.sources if source.as_of), default=None)


class Office(Record):
    """An office that answers for services (Organisationseinheit)."""

    id: Slug
    name: str = Field(min_length=1)
    of_city: bool = True
    """False for another authority: what is entered for the whole administration does not hold for it."""
    street: str | None = None
    zip: str | None = None
    city: str | None = None
    phone: str | None = None
    email: str | None = None
    opening_hours: str | None = None
    """OSM opening_hours syntax; null where the hours are not established."""
    opening_note: str | None = None
    accessibility: str | None = None
    public_transport: str | None = None
    url: WebAddress | None = None
    synonyms: list[str] = []
    sources: list[Source] = []


class LifeSituation(Record):
    """An event in a life that leads to several services, in the order in which they are due."""

    id: Slug
    title: str = Field(min_length=1)
    synonyms: list[str] = []
    examples: list[str] = []
    summary: str = Field(min_length=1)
    speech: str = Field(min_length=1)
    services: list[Slug] = Field(min_length=2)


class City(Record):
    """What holds for the whole city (`city.yaml`)."""

    name: str = Field(min_length=1)
    hotline: str = Field(min_length=1)
    hotline_hours: str | None = None
    hotline_hours_sample: bool = False
    """True where the hours are sample data of a demonstration and no fact of the city."""
    central_office: Slug
    """The office to ask where no other is responsible."""
    main_office: Slug
    """The office that people mean by "you" when they ask for opening hours."""
    regional_key: RegionalKey
    state: str = Field(pattern=r"^[A-Z]{2}$")
    timezone: str = "Europe/Berlin"
    other_cities: list[str] = []
