"""Answers as citizens read and hear them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from core.clock import FixedClock
from knowledge.answers import OfficeAnswer, compose, compose_brief, compose_full, compose_office
from knowledge.catalogue import Aspect, Circumstance, Office, Service, Source
from knowledge.hours import OfficeHours
from knowledge.models import AspectAnswer
from knowledge.wording import legible, readable_amount, readable_date, speakable, spoken_phone

TUESDAY_MORNING = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)

CENTRAL = Office(id="zentrale", name="Zentrale der Stadt", phone="03641 49-0")
DESK = Office(
    id="schalter",
    name="Schalter (Erdgeschoss)",
    street="Marktgasse 1",
    zip="07743",
    city="Jena",
    phone="03641 49-3800",
    email="schalter@stadt.example",
    opening_hours="Mo,Fr 08:30-13:00; Tu 08:30-18:00; We 09:00-13:00; Th 08:30-16:00",
    opening_note="Kommen Sie bitte mit Termin. Samstags ist nur der Empfang besetzt.",
    accessibility="Der Eingang hat keine Stufen",
    sources=[Source(url="https://stadt.example/schalter", as_of="2026-03")],
)
MUTE = Office(id="archiv", name="Archiv")
OFFICES = {office.id: office for office in (CENTRAL, DESK, MUTE)}


def licence(**changes: Any) -> Service:
    """An invented service with an entry in every module."""
    record: dict[str, Any] = {
        "id": "drachenschein",
        "leika": "99000000000001",
        "title": "Drachenschein",
        "official_title": "Drachenschein beantragen",
        "summary": "Den Drachenschein bekommen Sie am Schalter.",
        "full": "Der Drachenschein gilt für einen Drachen.",
        "notes": "Bringen Sie den Drachen nicht mit.",
        "requirements": "Sie wohnen in der Stadt.",
        "documents": [
            "Ausweis",
            "Foto des Drachens",
            {"text": "Einverständnis der Eltern (bei Kindern)", "when": ["child"]},
            {"text": "Verlustmeldung (bei Verlust)", "when": ["lost", "stolen"]},
        ],
        "fees": [
            {"text": "27,60 Euro für Erwachsene", "amount_eur": 27.6},
            {"text": "5 Euro für Kinder", "amount_eur": 5, "when": ["child"]},
        ],
        "deadlines": ["Beantragen Sie ihn, bevor der Drache schlüpft."],
        "duration": "Das dauert etwa 2 Wochen.",
        "procedure": ["Buchen Sie einen Termin.", "Kommen Sie mit dem Ausweis vorbei."],
        "legal_basis": ["§ 1 DrachenG"],
        "speech": {"fees": "Erwachsene zahlen 27 Euro 60.", "summary": "Den Schein gibt es am Schalter."},
        "online_url": "https://stadt.example/drachen",
        "appointment_url": "https://stadt.example/termin",
        "forms": ["https://stadt.example/antrag.pdf"],
        "offices": ["schalter"],
        "sources": [
            {"url": "https://stadt.example/alt", "as_of": "2025"},
            {"url": "https://stadt.example/neu", "as_of": "2026-05-29"},
        ],
    }
    return Service.model_validate({**record, **changes})


def bare(**changes: Any) -> Service:
    """A service of which hardly anything is known."""
    record = {
        "id": "nebelhorn",
        "title": "Nebelhorn",
        "summary": "Sie melden ein Nebelhorn an.",
        "sources": [{"url": "https://stadt.example/horn"}],
    }
    return Service.model_validate({**record, **changes})


def ask(service: Service, aspect: Aspect, *circumstances: Circumstance) -> AspectAnswer:
    return compose(service, aspect, circumstances=circumstances, offices=OFFICES, hours=hours(), central_office=CENTRAL)


def brief(service: Service, aspect: Aspect = Aspect.OVERVIEW) -> AspectAnswer:
    return compose_brief(service, aspect, offices=OFFICES, hours=hours(), central_office=CENTRAL)


def full(service: Service) -> AspectAnswer:
    return compose_full(service, offices=OFFICES, hours=hours(), central_office=CENTRAL)


def ask_office(office: Office, aspect: Aspect | None = None) -> OfficeAnswer:
    return compose_office(office, hours=hours(), central_office=CENTRAL, aspect=aspect)


def hours() -> OfficeHours:
    return OfficeHours(FixedClock(TUESDAY_MORNING))


class TestAspects:
    def test_overview_is_the_summary(self) -> None:
        answer = ask(licence(), Aspect.OVERVIEW)
        assert answer.text == "Den Drachenschein bekommen Sie am Schalter."
        assert answer.known

    def test_documents_for_nobody_in_particular_put_the_general_ones_first(self) -> None:
        answer = ask(licence(), Aspect.DOCUMENTS)
        assert answer.text == (
            "Diese Unterlagen brauchen Sie:\n\n- Ausweis\n- Foto des Drachens\n"
            "- Einverständnis der Eltern (bei Kindern)\n- Verlustmeldung (bei Verlust)"
        )

    def test_one_entry_is_a_sentence(self) -> None:
        assert ask(licence(documents=["Ausweis"]), Aspect.DOCUMENTS).text == "Sie brauchen: Ausweis."
        fee = [{"text": "etwa 31 Euro für alle", "amount_eur": 31}]
        assert ask(licence(fees=fee), Aspect.FEES).text == "Etwa 31 Euro für alle."
        assert ask(licence(), Aspect.DEADLINE).text == "Beantragen Sie ihn, bevor der Drache schlüpft."

    def test_procedure_is_numbered(self) -> None:
        answer = ask(licence(), Aspect.PROCEDURE)
        assert answer.text.endswith("1. Buchen Sie einen Termin.\n2. Kommen Sie mit dem Ausweis vorbei.")

    def test_duration_and_eligibility_are_the_record_s_own_words(self) -> None:
        assert ask(licence(), Aspect.DURATION).text == "Das dauert etwa 2 Wochen."
        assert ask(licence(), Aspect.ELIGIBILITY).text == "Sie wohnen in der Stadt."

    def test_legal_basis_is_spoken_without_signs(self) -> None:
        answer = ask(licence(), Aspect.LEGAL)
        assert "§ 1 DrachenG" in answer.text
        assert answer.speech == "Das steht hier: Paragraf 1 DrachenG."

    def test_online_links_the_service_and_does_not_read_the_address_aloud(self) -> None:
        answer = ask(licence(), Aspect.ONLINE)
        assert "[Online beantragen](https://stadt.example/drachen)" in answer.text
        assert answer.speech == "Ja, dafür gibt es einen Online-Dienst im Internet."

    def test_where_names_address_and_accessibility_with_a_map(self) -> None:
        answer = ask(licence(), Aspect.WHERE)
        assert answer.text.startswith("**Schalter (Erdgeschoss)**, Marktgasse 1, 07743 Jena.")
        assert "Barrierefreiheit: Der Eingang hat keine Stufen." in answer.text
        assert answer.speech.startswith("Schalter, Erdgeschoss: Marktgasse 1, Jena.")
        assert "https://www.openstreetmap.org/search?query=Marktgasse+1%2C+07743+Jena" in [
            action.url for action in answer.actions
        ]

    def test_hours_say_today_then_the_week_then_the_note(self) -> None:
        answer = ask(licence(), Aspect.HOURS)
        assert answer.text.startswith("**Schalter (Erdgeschoss)**: heute bis 18 Uhr geöffnet.\n\n- Montag und Freitag:")
        assert answer.text.endswith("Samstags ist nur der Empfang besetzt.")

    def test_hours_are_spoken_in_three_rows_with_an_offer_of_more(self) -> None:
        speech = ask(licence(), Aspect.HOURS).speech
        assert "Mittwoch: 9 Uhr bis 13 Uhr. Kommen Sie bitte mit Termin. Möchten Sie mehr hören?" in speech
        assert "Donnerstag" not in speech

    def test_who_names_the_office_with_its_number(self) -> None:
        answer = ask(licence(), Aspect.WHO)
        assert answer.text.startswith("Zuständig ist: **Schalter (Erdgeschoss)**, Telefon 03641 49-3800.")
        assert "Telefon 0 36 41, 49, 38 00" in answer.speech

    def test_several_offices_are_all_named(self) -> None:
        text = ask(licence(offices=["schalter", "archiv"]), Aspect.WHO).text
        assert "Schalter" in text
        assert "Archiv" in text

    @pytest.mark.parametrize("aspect", list(Aspect))
    def test_every_answer_is_fit_for_being_read_aloud(self, aspect: Aspect) -> None:
        for service in (licence(), bare(), licence(speech={})):
            assert not re.search(r"https?:|[()\[\]§*/]|z\. ?B\.", ask(service, aspect, Circumstance.CHILD).speech)


class TestFees:
    def test_the_record_s_spoken_form_is_spoken(self) -> None:
        assert ask(licence(), Aspect.FEES).speech == "Erwachsene zahlen 27 Euro 60."

    def test_without_one_amounts_are_spoken_all_the_same(self) -> None:
        assert "27 Euro 60 für Erwachsene." in ask(licence(speech={}), Aspect.FEES).speech

    def test_a_fee_without_amount_says_so(self) -> None:
        text = ask(licence(fees=["Gebühr für den Schein"]), Aspect.FEES).text
        assert text == "Gebühr für den Schein. Die Höhe steht nicht in meinem Katalog."

    def test_a_fee_whose_text_lacks_its_amount_is_given_it(self) -> None:
        fees = [{"text": "für Erwachsene", "amount_eur": 27.6}, {"text": "für Riesen", "amount_eur": 30}]
        assert "- 27,60 Euro: für Erwachsene\n- 30 Euro: für Riesen" in ask(licence(fees=fees), Aspect.FEES).text

    def test_what_is_free_is_called_free(self) -> None:
        fees = [{"text": "kostenlos", "amount_eur": 0}]
        assert ask(licence(fees=fees), Aspect.FEES).text == "Das ist kostenlos."


class TestCircumstances:
    def test_entries_of_the_case_come_first_and_other_cases_stay_out(self) -> None:
        answer = ask(licence(), Aspect.DOCUMENTS, Circumstance.CHILD)
        assert answer.text == (
            "Für ein Kind gilt:\n\n- Einverständnis der Eltern (bei Kindern)\n\n"
            "Allgemein gilt:\n\n- Ausweis\n- Foto des Drachens"
        )

    def test_they_are_spoken(self) -> None:
        answer = ask(licence(), Aspect.FEES, Circumstance.CHILD)
        assert answer.speech == "Für ein Kind gilt: 5 Euro für Kinder. Allgemein gilt: 27 Euro 60 für Erwachsene."

    def test_more_than_three_entries_are_offered_not_read(self) -> None:
        record = licence(documents=["A", "B", "C", {"text": "D (bei Kindern)", "when": ["child"]}])
        speech = ask(record, Aspect.DOCUMENTS, Circumstance.CHILD).speech
        assert speech == "Für ein Kind gilt: D, bei Kindern. Möchten Sie mehr hören?"

    def test_several_cases_at_once(self) -> None:
        text = ask(licence(), Aspect.DOCUMENTS, Circumstance.CHILD, Circumstance.LOST).text
        assert text.startswith("In diesem Fall gilt:")
        assert text.index("Verlustmeldung") < text.index("Allgemein gilt:")

    def test_a_case_of_which_the_record_says_nothing_is_owned_up_to(self) -> None:
        answer = ask(licence(), Aspect.DOCUMENTS, Circumstance.ABROAD)
        assert answer.text == (
            "Zu diesem Fall steht in meinem Katalog nichts Eigenes. Allgemein gilt:\n\n- Ausweis\n- Foto des Drachens"
        )
        assert answer.speech.startswith("Zu diesem Fall steht in meinem Katalog nichts Eigenes.")

    def test_a_record_that_is_about_the_case_answers_it(self) -> None:
        record = licence(examples=["Mein Drachenschein ist abgelaufen, was nun?"])
        assert ask(record, Aspect.DOCUMENTS, Circumstance.EXPIRED).text.startswith("Diese Unterlagen brauchen Sie:")

    def test_only_entries_of_other_cases_are_shown_rather_than_nothing(self) -> None:
        record = licence(fees=[{"text": "5 Euro für Kinder", "amount_eur": 5, "when": ["child"]}])
        assert "5 Euro für Kinder." in ask(record, Aspect.FEES, Circumstance.ABROAD).text

    def test_the_overview_adds_what_holds_for_the_case(self) -> None:
        text = ask(licence(), Aspect.OVERVIEW, Circumstance.LOST).text
        assert text == (
            "Den Drachenschein bekommen Sie am Schalter.\n\nBei Verlust gilt:\n\n- Verlustmeldung (bei Verlust)"
        )


class TestUnknown:
    @pytest.mark.parametrize("aspect", [Aspect.FEES, Aspect.DOCUMENTS, Aspect.DURATION, Aspect.LEGAL, Aspect.DEADLINE])
    def test_a_missing_aspect_names_the_office_to_ask(self, aspect: Aspect) -> None:
        answer = ask(bare(offices=["schalter"]), aspect)
        assert not answer.known
        assert answer.text == (
            "Das weiß ich leider nicht. Fragen Sie bitte: **Schalter (Erdgeschoss)**, Telefon 03641 49-3800."
        )
        assert answer.actions[-1].url == "tel:03641493800"

    def test_an_office_without_a_number_is_reached_by_the_central_office(self) -> None:
        answer = ask(bare(offices=["archiv"]), Aspect.FEES)
        assert "**Archiv**" in answer.text
        assert answer.text.endswith("Die Zentrale hilft Ihnen weiter: Telefon 03641 49-0.")
        assert answer.office is not None
        assert answer.office.phone is None
        assert (answer.actions[-1].label, answer.actions[-1].url) == ("Zentrale anrufen", "tel:03641490")

    def test_without_an_office_the_central_office_answers(self) -> None:
        answer = ask(bare(), Aspect.FEES)
        assert answer.text.endswith("Fragen Sie bitte: **Zentrale der Stadt**, Telefon 03641 49-0.")

    def test_an_office_that_is_gone_is_skipped(self) -> None:
        assert ask(bare(offices=["weg"]), Aspect.WHO).text.startswith("Zuständig ist: **Zentrale der Stadt**")

    @pytest.mark.parametrize(
        ("aspect", "beginning"),
        [
            (Aspect.ONLINE, "Einen Online-Dienst kenne ich dafür leider nicht."),
            (Aspect.WHERE, "Die Anschrift steht leider nicht in meinem Katalog."),
            (Aspect.HOURS, "Die Öffnungszeiten stehen leider nicht in meinem Katalog."),
        ],
    )
    def test_what_is_missing_is_said(self, aspect: Aspect, beginning: str) -> None:
        answer = ask(bare(offices=["archiv"]), aspect)
        assert not answer.known
        assert answer.text.startswith(beginning)


class TestFurniture:
    def test_the_newest_source_is_named_with_its_own_date(self) -> None:
        answer = ask(licence(), Aspect.FEES)
        assert (answer.source_url, answer.as_of) == ("https://stadt.example/neu", "2026-05-29")

    def test_hours_have_the_office_s_source(self) -> None:
        answer = ask(licence(), Aspect.HOURS)
        assert (answer.source_url, answer.as_of) == ("https://stadt.example/schalter", "2026-03")

    def test_a_source_without_a_date_has_none(self) -> None:
        assert ask(bare(), Aspect.OVERVIEW).as_of is None

    def test_the_office_line_knows_today(self) -> None:
        office = ask(licence(), Aspect.FEES).office
        assert office is not None
        assert (office.id, office.hours_today) == ("schalter", "heute bis 18 Uhr geöffnet")

    def test_actions_start_with_the_online_service(self) -> None:
        answer = ask(licence(), Aspect.DOCUMENTS)
        assert [action.kind for action in answer.actions] == ["online", "appointment", "form"]
        assert answer.actions[0].label == "Online beantragen"

    def test_only_what_can_be_answered_is_offered(self) -> None:
        assert ask(bare(), Aspect.OVERVIEW).aspects == (Aspect.WHO, Aspect.OVERVIEW)
        aspects = ask(licence(), Aspect.OVERVIEW).aspects
        assert aspects[:3] == (Aspect.DOCUMENTS, Aspect.FEES, Aspect.PROCEDURE)
        assert set(aspects) == set(Aspect)

    def test_every_offered_aspect_is_known(self) -> None:
        for service in (licence(), bare(), bare(offices=["archiv"])):
            assert all(ask(service, aspect).known for aspect in ask(service, Aspect.OVERVIEW).aspects)


class TestLongerAndShorter:
    def test_full_text_comes_with_the_notes(self) -> None:
        assert full(licence()).text == (
            "Der Drachenschein gilt für einen Drachen.\n\nBringen Sie den Drachen nicht mit."
        )

    def test_where_there_is_no_more_that_is_said(self) -> None:
        assert full(bare()).text.endswith("Mehr steht dazu nicht in meinem Katalog.")

    def test_a_brief_answer_ends_with_a_next_step(self) -> None:
        assert brief(licence()).text == "Den Schein gibt es am Schalter.\n\nDafür gibt es einen Online-Dienst."
        assert brief(licence(online_url=None)).text.endswith("Buchen Sie dafür einen Termin.")
        assert brief(bare(offices=["schalter"])).text.endswith("Telefon 03641 49-3800.")

    def test_a_brief_aspect_is_its_spoken_form_in_figures(self) -> None:
        assert brief(licence(), Aspect.FEES).text.startswith("Erwachsene zahlen 27,60 Euro.")

    def test_a_brief_answer_to_what_is_unknown_names_the_office_once(self) -> None:
        assert brief(bare(), Aspect.FEES).text.count("Zentrale der Stadt") == 1


class TestOffices:
    def test_an_office_in_short(self) -> None:
        answer = ask_office(DESK)
        assert answer.text == (
            "**Schalter (Erdgeschoss)**\n\n- heute bis 18 Uhr geöffnet\n- Marktgasse 1, 07743 Jena\n"
            "- Telefon 03641 49-3800\n- E-Mail: schalter@stadt.example"
        )
        assert answer.speech == (
            "Schalter, Erdgeschoss. Heute bis 18 Uhr geöffnet. Marktgasse 1, Jena. Telefon 0 36 41, 49, 38 00."
        )
        assert (answer.source_url, answer.as_of) == ("https://stadt.example/schalter", "2026-03")

    def test_hours(self) -> None:
        assert "- Mittwoch: 9 bis 13 Uhr" in ask_office(DESK, Aspect.HOURS).text

    def test_address(self) -> None:
        assert "Marktgasse 1" in ask_office(DESK, Aspect.WHERE).text

    def test_telephone(self) -> None:
        assert ask_office(DESK, Aspect.WHO).text.startswith("**Schalter (Erdgeschoss)**, Telefon 03641 49-3800.")

    @pytest.mark.parametrize("aspect", [None, Aspect.HOURS, Aspect.WHERE, Aspect.WHO])
    def test_an_office_of_which_nothing_is_known_leads_to_the_central_office(self, aspect: Aspect | None) -> None:
        answer = ask_office(MUTE, aspect)
        assert "Archiv" in answer.text
        assert "03641 49-0" in answer.text
        assert answer.source_url is None


class TestWording:
    @pytest.mark.parametrize(
        ("partial", "words"), [("2026-05-29", "29. Mai 2026"), ("2026-05", "Mai 2026"), ("2026", "2026")]
    )
    def test_dates_are_as_precise_as_they_are_known(self, partial: str, words: str) -> None:
        assert readable_date(partial) == words

    @pytest.mark.parametrize(
        ("euros", "words"), [(46.0, "46 Euro"), (27.6, "27,60 Euro"), (1200.0, "1.200 Euro"), (0, "kostenlos")]
    )
    def test_amounts(self, euros: float, words: str) -> None:
        assert readable_amount(euros) == words

    @pytest.mark.parametrize(
        ("number", "spoken"),
        [
            ("03641 49-3800", "0 36 41, 49, 38 00"),
            ("0800 4 5555 00", "08 00, 4, 55 55, 00"),
            ("+49 30 4050", "plus 49, 30, 40 50"),
        ],
    )
    def test_telephone_numbers_are_spoken_in_pairs(self, number: str, spoken: str) -> None:
        assert spoken_phone(number) == spoken

    @pytest.mark.parametrize(
        ("text", "spoken"),
        [
            ("Foto (bei Kindern), z. B. digital", "Foto, bei Kindern, zum Beispiel digital"),
            ("§§ 1 und 2 PStG", "Paragrafen 1 und 2 PStG"),
            ("ab 08:30 Uhr", "ab 8 Uhr 30"),
            ("Ausweis/Pass", "Ausweis oder Pass"),
            ("7,05 Euro", "7 Euro 5"),
            ("Mehr auf [der Seite](https://stadt.example) und https://stadt.example/x", "Mehr auf der Seite und"),
            ("Rufen Sie 03641 49-3800 an.", "Rufen Sie 0 36 41, 49, 38 00 an."),
            ("Zahlen Sie bis 15. Mai 2026.", "Zahlen Sie bis 15. Mai 2026."),
        ],
    )
    def test_written_texts_are_made_speakable(self, text: str, spoken: str) -> None:
        assert speakable(text) == spoken

    def test_spoken_amounts_are_written_in_figures_again(self) -> None:
        assert legible("Das kostet 27 Euro 60, nicht 28 Euro.") == "Das kostet 27,60 Euro, nicht 28 Euro."
