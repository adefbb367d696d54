"""The demo city's catalogue keeps the rules of its editors."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from opening_hours import validate

from core.clock import FixedClock
from knowledge.answers import compose, compose_brief, compose_full, compose_office
from knowledge.catalogue import Aspect, Circumstance, Item, LifeSituation, Office, Service
from knowledge.hours import OfficeHours
from knowledge.importer import read_about, read_city
from knowledge.wording import readable_amount
from nlu.text import fold

FOLDER = Path(__file__).parents[2] / "training_data" / "cities" / "jena"
RECORDS = read_city(FOLDER)
CITY, CLOSURES = read_about(FOLDER)
OFFICES = {office.id: office for office in RECORDS.offices}
SERVICES = {service.id: service for service in RECORDS.services}

MONTHS = "(?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember)"

MOST_WORDS = 18
"""Of one sentence of a summary."""

SPOKEN_MODULES = (
    "summary",
    "full",
    "requirements",
    "documents",
    "fees",
    "deadlines",
    "duration",
    "procedure",
    "legal_basis",
    "notes",
)
UNSPEAKABLE = re.compile(r"https?:|www\.|[()\[\]§/*€]|\b(?:z\. ?B|d\. ?h|ggf|bzw|usw|ca|inkl|Abs|Nr|Std)\.")
PHONE = re.compile(r"(?<![\d,.])(?:\+\d{2}|0)\d{2,4}[ /-]\d[\d /-]*\d")

every_service = pytest.mark.parametrize("service", RECORDS.services, ids=lambda service: service.id)
every_office = pytest.mark.parametrize("office", RECORDS.offices, ids=lambda office: office.id)
every_situation = pytest.mark.parametrize("situation", RECORDS.life_situations, ids=lambda situation: situation.id)


def items(service: Service) -> list[Item]:
    return [*service.documents, *service.fees, *service.deadlines, *service.procedure]


def written(service: Service) -> Iterator[str]:
    texts = (service.summary, service.full, service.requirements, service.duration, service.notes)
    yield from filter(None, texts)
    yield from (item.text for item in items(service))
    yield from service.legal_basis


def sentences(text: str) -> list[str]:
    return [part for part in re.split(rf"(?<=[.?])\s+(?!{MONTHS})", text) if part]


def repeated(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """What stands in more than one record, with the records' ids."""
    found: dict[str, set[str]] = defaultdict(set)
    for text, record in pairs:
        found[fold(text)].add(record)
    return {text: sorted(records) for text, records in found.items() if len(records) > 1}


def normalised(number: str) -> str:
    return re.sub(r"\D", "", number)


def test_the_catalogue_is_there() -> None:
    assert len(RECORDS.services) >= 70
    assert len(RECORDS.offices) >= 35
    assert len(RECORDS.life_situations) >= 7


def test_files_are_named_after_their_records() -> None:
    for kind, records in (("services", SERVICES), ("offices", OFFICES)):
        assert {path.stem for path in (FOLDER / kind).glob("*.yaml")} == set(records)


def test_the_city_names_offices_that_there_are() -> None:
    assert {CITY.central_office, CITY.main_office} <= set(OFFICES)
    assert OFFICES[CITY.central_office].phone
    assert {closure.office for closure in CLOSURES if closure.office} <= set(OFFICES)


def test_titles_are_unique() -> None:
    assert repeated((service.title, service.id) for service in RECORDS.services) == {}


def test_a_synonym_leads_to_one_service() -> None:
    assert repeated((name, service.id) for service in RECORDS.services for name in service.synonyms) == {}


def test_a_title_is_no_other_service_s_synonym() -> None:
    titles = [(service.title, service.id) for service in RECORDS.services]
    names = [(name, service.id) for service in RECORDS.services for name in service.synonyms]
    assert repeated([*titles, *names]) == {}


def test_an_example_belongs_to_one_service() -> None:
    assert repeated((text, service.id) for service in RECORDS.services for text in service.examples) == {}


@every_service
class TestService:
    def test_its_references_resolve(self, service: Service) -> None:
        assert service.offices
        assert {*service.offices, *filter(None, [service.owner])} <= set(OFFICES)

    def test_it_can_be_found_by_synonyms_and_examples(self, service: Service) -> None:
        assert len(service.synonyms) >= 3
        assert len(service.examples) >= 3

    def test_every_text_has_its_spoken_form(self, service: Service) -> None:
        assert [module for module in SPOKEN_MODULES if getattr(service, module)] == [
            module for module in SPOKEN_MODULES if module in service.speech
        ]

    def test_its_speech_can_be_read_aloud(self, service: Service) -> None:
        unfit = {name: found[0] for name, text in service.speech.items() if (found := UNSPEAKABLE.search(text))}
        assert unfit == {}

    def test_its_speech_is_short(self, service: Service) -> None:
        assert {name: text for name, text in service.speech.items() if len(sentences(text)) > 4} == {}

    def test_its_summary_is_plain(self, service: Service) -> None:
        assert len(sentences(service.summary)) <= 3
        assert [line for line in sentences(service.summary) if len(line.split()) > MOST_WORDS] == []

    def test_it_does_not_shout(self, service: Service) -> None:
        assert [text for text in [*written(service), *service.speech.values()] if "!" in text] == []

    def test_its_fees_say_their_amounts(self, service: Service) -> None:
        for fee in service.fees:
            if fee.amount_eur == 0:
                assert re.search(r"kostenlos|kostenfrei|gebührenfrei|keine Gebühr|nichts|0 Euro", fee.text), fee.text
            elif fee.amount_eur is not None:
                assert re.search(rf"(?<![\d,.]){re.escape(readable_amount(fee.amount_eur))}\b", fee.text), fee.text

    def test_it_has_no_telephone_number_but_the_offices_own(self, service: Service) -> None:
        known = {normalised(number) for office in RECORDS.offices for number in phones(office)}
        found = {normalised(number) for text in written(service) for number in PHONE.findall(text)}
        assert found <= known

    def test_it_answers_every_aspect_in_every_case(self, service: Service) -> None:
        if service.status != "published":
            pytest.skip("not published")
        for aspect in Aspect:
            for case in ((), *((one,) for one in Circumstance)):
                answer = compose(
                    service,
                    aspect,
                    circumstances=case,
                    offices=OFFICES,
                    hours=HOURS,
                    central_office=OFFICES[CITY.central_office],
                )
                assert answer.text and answer.speech
                assert answer.source_url
                assert not UNSPEAKABLE.search(answer.speech), answer.speech
                assert "None" not in answer.text + answer.speech
                assert answer.known or "ragen Sie bitte" in answer.text

    def test_it_has_a_longer_and_a_shorter_form(self, service: Service) -> None:
        kit = {"offices": OFFICES, "hours": HOURS, "central_office": OFFICES[CITY.central_office]}
        assert compose_full(service, **kit).text  # type: ignore[arg-type]
        assert compose_brief(service, **kit).text  # type: ignore[arg-type]


@every_office
class TestOffice:
    def test_its_hours_can_be_read(self, office: Office) -> None:
        assert office.opening_hours is None or validate(office.opening_hours)

    def test_it_answers(self, office: Office) -> None:
        for aspect in (None, Aspect.HOURS, Aspect.WHERE, Aspect.WHO):
            answer = compose_office(office, hours=HOURS, central_office=OFFICES[CITY.central_office], aspect=aspect)
            assert office.name in answer.text or not office.street
            assert not UNSPEAKABLE.search(answer.speech), answer.speech
            assert "None" not in answer.text + answer.speech

    def test_its_note_is_for_citizens(self, office: Office) -> None:
        assert not re.search(r"nicht (?:gefunden|belegt|geprüft)|OSM|Seite vor|laut Meldung", office.opening_note or "")

    def test_it_names_no_office_twice(self, office: Office) -> None:
        assert len(set(office.synonyms)) == len(office.synonyms)


def test_a_synonym_leads_to_one_office() -> None:
    assert repeated((name, office.id) for office in RECORDS.offices for name in office.synonyms) == {}


@every_situation
class TestLifeSituation:
    def test_it_leads_to_services_that_are_answered(self, situation: LifeSituation) -> None:
        assert {SERVICES[service].status for service in situation.services} == {"published"}
        assert len(set(situation.services)) == len(situation.services)

    def test_its_speech_can_be_read_aloud(self, situation: LifeSituation) -> None:
        assert not UNSPEAKABLE.search(situation.speech)


def phones(office: Office) -> list[str]:
    return [*([office.phone] if office.phone else []), *PHONE.findall(office.opening_note or "")]


HOURS = OfficeHours(
    FixedClock(dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)),
    state=CITY.state,
    timezone=CITY.timezone,
    exceptions=lambda: CLOSURES,
)
