"""The room's front door: finds services and offices, answers from their records, keeps outcomes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from core.clock import Clock
from core.database import Database
from core.i18n import DEFAULT_LANGUAGE
from knowledge.answers import OfficeAnswer, compose, compose_brief, compose_full, compose_office
from knowledge.catalogue import Aspect, Circumstance, LifeSituation, Office, Service
from knowledge.embedding import CachedEmbedder, Embedder, StaticEmbedder, embedder_of
from knowledge.errors import UnknownRecord
from knowledge.hours import OfficeHours
from knowledge.hours_exceptions import HoursExceptionStore
from knowledge.importer import read_about, read_city
from knowledge.index import Index, IndexHolder, Kind
from knowledge.models import AspectAnswer, Candidate, SearchResult
from knowledge.search import SERVICES_AND_SITUATIONS, Search
from knowledge.settings import KnowledgeSettings
from knowledge.store import Catalogue, CatalogueStore, OutcomeStore, QuestionOutcome


class Knowledge:
    """Everything that the rooms above ask of the catalogue. Safe for threads."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        city_folder: Path,
        settings: KnowledgeSettings | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        """Read the city's folder and import what the database does not have yet. `refresh` builds the index.

        Args:
            database: holds the catalogue; it is the truth after the first import.
            clock: the time.
            city_folder: the city's folder of records.
            settings: the defaults if not given.
            embedder: the model; the one of the settings if not given.

        Raises:
            ImportFailed: the folder has mistakes.
            ModelMissing: the model of the settings is not on this machine.
        """
        settings = settings or KnowledgeSettings()
        self.city, exceptions = read_about(city_folder)
        self.hours_exceptions = HoursExceptionStore(database, clock)
        self.hours_exceptions.import_once(exceptions)
        self.hours = OfficeHours(
            clock, state=self.city.state, timezone=self.city.timezone, exceptions=self.hours_exceptions.current
        )
        self._clock = clock
        self._zone = ZoneInfo(self.city.timezone)
        self.catalogue_store = CatalogueStore(database, clock)
        self.outcomes = OutcomeStore(database, clock, dt.timedelta(days=settings.outcome_days))
        records = read_city(city_folder)
        self.catalogue_store.import_missing(records.services, records.offices, records.life_situations)
        self._embedder = embedder or embedder_of(settings)
        self._holder = self._make_holder(database)
        self._search = Search(self._holder, settings.search, clock)

    # The index

    @property
    def ready(self) -> bool:
        """Whether there is an index to search."""
        return self._holder.ready

    def refresh(self) -> bool:
        """Build and swap the index if the catalogue has changed; returns whether it had. May take minutes."""
        return self._holder.refresh()

    def _make_holder(self, database: Database) -> IndexHolder:
        if isinstance(self._embedder, StaticEmbedder):
            return IndexHolder(self.catalogue_store, lambda catalogue: Index(catalogue, self._embedder))
        cached = CachedEmbedder(self._embedder, database)

        def build(catalogue: Catalogue) -> Index:
            index = Index(catalogue, self._embedder, passages_by=cached)
            index.vectors(self.city.name)  # loads the model, which a catalogue that is cached whole has not needed yet
            return index

        # A slow model may need minutes for its first index: until then words alone answer.
        return IndexHolder(self.catalogue_store, build, build_first=lambda catalogue: Index(catalogue, None))

    # Finding

    def find(
        self, text: str, *, current: str | None = None, kinds: Collection[Kind] = SERVICES_AND_SITUATIONS
    ) -> SearchResult:
        """What a text is about; a text without a topic of its own is about the current service."""
        return self._search.find(text, current=current, kinds=kinds)

    def warm(self, text: str) -> None:
        """Compare a text with the catalogue ahead of the question, so that `find` has a slow model behind it."""
        if self.ready and not isinstance(self._embedder, StaticEmbedder):
            self._search.find(text)

    def alternatives(self, text: str) -> tuple[Candidate, ...]:
        """Services that a text may mean, best first, up to four."""
        return self._search.alternatives(text)

    def find_office(self, text: str) -> Candidate | None:
        """The office that a text names, or nothing."""
        return self._search.find_office(text)

    # Records

    def service(self, id: str) -> Service | None:
        """A service that is published and valid today."""
        index = self._holder.index
        entry = index.entry("service", id)
        today = self._clock.now().astimezone(self._zone).date()
        return index.catalogue.services[id] if entry is not None and entry.is_valid(today) else None

    def office(self, id: str) -> Office | None:
        return self._catalogue.offices.get(id)

    def offices(self) -> tuple[Office, ...]:
        """All offices, in the order of their ids."""
        return tuple(self._catalogue.offices.values())

    def life_situation(self, id: str) -> LifeSituation | None:
        return self._catalogue.life_situations.get(id)

    def office_of(self, service_id: str | None) -> Office:
        """The office that answers for a service; the central office without a service or an office of its own."""
        service = self.service(service_id) if service_id else None
        ids = [*service.offices, service.owner] if service else []
        return next((office for id in ids if id and (office := self.office(id))), self.central_office)

    @property
    def central_office(self) -> Office:
        """The office to ask where no other is responsible."""
        return self._known_office(self.city.central_office)

    def public_contacts(self) -> frozenset[str]:
        """Names, numbers and addresses of the offices: they are public and never masked."""
        offices = self.offices()
        details = (
            (office.name, office.phone, office.email, office.street, " ".join(filter(None, (office.zip, office.city))))
            for office in offices
        )
        return frozenset({self.city.hotline, *(detail for office in details for detail in office if detail)})

    # Answering

    def answer(
        self,
        service_id: str,
        aspect: Aspect,
        *,
        circumstances: Sequence[Circumstance] = (),
        language: str = DEFAULT_LANGUAGE,
    ) -> AspectAnswer:
        """One aspect of a service.

        Raises:
            UnknownRecord: there is no such public service.
        """
        return compose(
            self._known_service(service_id),
            aspect,
            circumstances=circumstances,
            offices=self._catalogue.offices,
            hours=self.hours,
            central_office=self.central_office,
            language=language,
        )

    def answer_in_full(self, service_id: str, *, language: str = DEFAULT_LANGUAGE) -> AspectAnswer:
        """All that the record's text says of a service.

        Raises:
            UnknownRecord: there is no such public service.
        """
        return compose_full(
            self._known_service(service_id),
            offices=self._catalogue.offices,
            hours=self.hours,
            central_office=self.central_office,
            language=language,
        )

    def answer_in_brief(self, service_id: str, aspect: Aspect, *, language: str = DEFAULT_LANGUAGE) -> AspectAnswer:
        """One aspect in fewer words.

        Raises:
            UnknownRecord: there is no such public service.
        """
        return compose_brief(
            self._known_service(service_id),
            aspect,
            offices=self._catalogue.offices,
            hours=self.hours,
            central_office=self.central_office,
            language=language,
        )

    def answer_office(
        self, office_id: str, *, aspect: Aspect | None = None, language: str = DEFAULT_LANGUAGE
    ) -> OfficeAnswer:
        """Where an office is, when it is open or how it is reached.

        Raises:
            UnknownRecord: there is no such office.
        """
        return compose_office(
            self._known_office(office_id),
            hours=self.hours,
            central_office=self.central_office,
            aspect=aspect,
            language=language,
        )

    # Outcomes

    def record_outcome(self, outcome: QuestionOutcome) -> int:
        """Keep what became of a question; its text must be masked. Returns the outcome's id."""
        return self.outcomes.add(outcome)

    def expire_outcomes(self) -> int:
        """Remove the outcomes whose time is over; returns how many."""
        return self.outcomes.expire()

    @property
    def _catalogue(self) -> Catalogue:
        """The records of the index; while the first index is being built those of the store."""
        return self._holder.index.catalogue if self._holder.ready else self.catalogue_store.load()

    def _known_service(self, id: str) -> Service:
        service = self.service(id)
        if service is None:
            raise UnknownRecord("service", id)
        return service

    def _known_office(self, id: str) -> Office:
        office = self.office(id)
        if office is None:
            raise UnknownRecord("office", id)
        return office
