from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.clock import FixedClock
from knowledge.catalogue import Service
from knowledge.evaluation import Standing
from knowledge.index import Index
from knowledge.models import Outcome
from knowledge.search import SERVICES, Search
from knowledge.store import Catalogue
from tests.knowledge.samples import HashingEmbedder, catalogue, service


def search_in(*more: Service, clock: FixedClock) -> Search:
    return Search(Standing(Index(catalogue(*more), HashingEmbedder())), clock=clock)


@pytest.fixture
def search(clock: FixedClock) -> Search:
    return search_in(clock=clock)


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("Was kostet ein Perso?", "personalausweis"),
        ("Hundesteuer für meinen Hund", "hundesteuer"),
        ("hundesteuher", "hundesteuer"),
        ("KINDERREISEPASS", "reisepass"),
        ("Gibt es einen Zuschuss zur Miete?", "wohngeld"),
        ("spermüll", "sperrmuell"),
    ],
)
def test_a_clear_question_has_one_answer(search: Search, text: str, id: str) -> None:
    found = search.find(text)
    assert (found.outcome, [candidate.id for candidate in found.candidates]) == (Outcome.SURE, [id])
    assert 0 < found.candidates[0].score <= 1


def test_a_word_of_several_services_is_asked_back(search: Search) -> None:
    found = search.find("Führerschein")
    assert found.outcome is Outcome.UNSURE
    assert {candidate.id for candidate in found.candidates[:2]} == {"fuehrerschein-b", "fuehrerschein-umtausch"}
    assert 2 <= len(found.candidates) <= 4


def test_an_event_leads_to_its_life_situation(search: Search) -> None:
    found = search.find("Wir kriegen im Mai ein Baby, was müssen wir alles erledigen?")
    assert found.outcome is Outcome.UNSURE
    assert (found.candidates[0].kind, found.candidates[0].id) == ("life_situation", "geburt")


@pytest.mark.parametrize(
    "text", ["Wie wird das Wetter in Paris?", "Waffenbesitzkarte", "asdf jklö", "", "?!", "Was kostet das?"]
)
def test_what_is_not_in_the_catalogue_is_not_answered(search: Search, text: str) -> None:
    assert search.find(text).outcome is Outcome.NOTHING
    assert search.find(text).candidates == ()


@pytest.mark.parametrize(
    "text", ["Und was kostet das?", "Und für mein Kind?", "Wo muss ich hin?", "Brauche ich einen Termin?"]
)
def test_a_text_without_topic_is_about_the_current_service(search: Search, text: str) -> None:
    found = search.find(text, current="wohngeld")
    assert (found.outcome, found.candidates[0].id) == (Outcome.SURE, "wohngeld")


def test_a_text_with_a_topic_leaves_the_current_service(search: Search) -> None:
    found = search.find("Nein, ich meinte den Reisepass", current="personalausweis")
    assert (found.outcome, found.candidates[0].id) == (Outcome.SURE, "reisepass")


def test_the_current_service_settles_a_doubt(search: Search) -> None:
    found = search.find("Und was kostet der Führerschein?", current="fuehrerschein-umtausch")
    assert found.candidates[0].id == "fuehrerschein-umtausch"


def test_an_unknown_current_service_is_no_answer(search: Search) -> None:
    assert search.find("Und was kostet das?", current="einhornschein").outcome is Outcome.NOTHING


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_what_is_not_published_is_not_found(clock: FixedClock, status: str) -> None:
    search = search_in(service("jagdschein", "Jagdschein", status=status), clock=clock)
    assert "jagdschein" not in {candidate.id for candidate in search.find("Jagdschein").candidates}
    assert search.find("Was kostet das?", current="jagdschein").outcome is Outcome.NOTHING


def test_a_record_is_found_on_its_days_only(clock: FixedClock) -> None:
    today = clock.now().date()
    seasonal = service("jagdschein", "Jagdschein", valid_from=today, valid_until=today)
    search = search_in(seasonal, clock=clock)
    assert search.find("Jagdschein").outcome is Outcome.SURE
    clock.advance(days=1)
    assert search.find("Jagdschein").outcome is not Outcome.SURE
    clock.advance(days=-2)
    assert search.find("Jagdschein").outcome is not Outcome.SURE


def test_a_day_begins_at_the_citys_midnight(clock: FixedClock) -> None:
    clock.moment = dt.datetime(2026, 3, 10, 23, 30, tzinfo=dt.UTC)
    search = search_in(service("jagdschein", "Jagdschein", valid_from=dt.date(2026, 3, 11)), clock=clock)
    assert search.find("Jagdschein").outcome is Outcome.SURE


def test_kinds_limit_what_is_found(search: Search) -> None:
    text = "Wir kriegen im Mai ein Baby, was müssen wir alles erledigen?"
    assert all(candidate.kind == "service" for candidate in search.find(text, kinds=SERVICES).candidates)


@pytest.mark.parametrize(
    ("text", "id"),
    [("Telefonnummer vom Standesamt", "standesamt"), ("Wann hat die Bibliothek offen?", "buecherei")],
)
def test_a_named_office_is_found(search: Search, text: str, id: str) -> None:
    office = search.find_office(text)
    assert office is not None
    assert (office.kind, office.id) == ("office", id)


@pytest.mark.parametrize("text", ["Wann habt ihr heute offen?", "Öffnungszeiten vom Zoo", "Was kostet ein Perso?", ""])
def test_without_a_named_office_there_is_none(search: Search, text: str) -> None:
    assert search.find_office(text) is None


def test_alternatives_are_services_best_first(search: Search) -> None:
    found = search.alternatives("Führerschein")
    assert 2 <= len(found) <= 4
    assert {candidate.id for candidate in found[:2]} == {"fuehrerschein-b", "fuehrerschein-umtausch"}
    assert [candidate.score for candidate in found] == sorted((candidate.score for candidate in found), reverse=True)


@pytest.mark.parametrize(
    "text",
    [
        "'; SELECT * FROM users; -- Was kostet die Hundesteuer",
        "[Name], wohnhaft [Adresse]: Was kostet die Hundesteuer?",
        "<i>Hundesteuer</i>",
        "Ähm, ja, Entschuldigung, ich meinte eigentlich die Hundesteuer",
        "Gestern waren wir mit Freunden im Zirkus und haben Zuckerwatte gegessen. "
        "Die Trompeter spielten Walzer, und ein Clown jonglierte mit Melonen, Tellern und Fackeln. "
        "Danach regnete es, und unser Fahrrad hatte einen Platten. Was kostet die Hundesteuer?",
    ],
)
def test_noise_around_a_named_topic_does_not_hide_it(search: Search, text: str) -> None:
    found = search.find(text)
    assert (found.outcome, found.candidates[0].id) == (Outcome.SURE, "hundesteuer")


def test_an_empty_catalogue_answers_nothing(clock: FixedClock) -> None:
    search = Search(Standing(Index(Catalogue(), HashingEmbedder())), clock=clock)
    assert search.find("Perso").outcome is Outcome.NOTHING
    assert search.find_office("Standesamt") is None
    assert search.alternatives("Perso") == ()


def test_threads_get_the_same_answers(search: Search) -> None:
    texts = ["Perso", "hab jetzt nen Hund", "Führerschein", "spermüll", "Wetter"] * 20
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(search.find, texts)) == [search.find(text) for text in texts]
