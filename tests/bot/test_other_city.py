"""Whether a text asks about another city."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bot.other_cities import OtherCities

CITY_FOLDER = Path(__file__).parents[2] / "training_data" / "cities" / "jena"

ASKED = [
    "Kitaplatz Hannover",
    "Wo melde ich mich in Berlin an?",
    "Was kostet Anwohnerparken in Erfurt?",
    "Ich möchte in Leipzig einen Hund anmelden",
    "hund anmelden weimar",
    "Wohnung ummelden in Dresden",
    "parkausweis köln",
    "Parkausweis, Köln",
    "Bürgeramt Dresden Öffnungszeiten",
    "öffnungszeiten zulassungsstelle gera",
    "Wann hat das Bürgeramt in Weimar offen?",
    "Wie viel Hundesteuer zahlt man in Frankfurt am Main?",
    "Hundesteuer der Stadt Leipzig",
    "Sperrmüll für Nürnberg anmelden",
    "Wo bekomme ich in Essen einen Angelschein?",
    "Angelschein in Halle (Saale)",
    "Standesamt Halle/Saale Telefonnummer",
    "Kann ich meinen Ausweis auch in Apolda beantragen?",
    "und in Weimar?",
    "Und was kostet das in Gera?",
    "Und wie ist das in München?",
    "Wer ist im Saale-Holzland-Kreis für Hausmüll zuständig?",
    "Kfz-Zulassung Saale-Holzland-Kreis",
    "Führerschein im Landkreis Gotha umtauschen",
    "Wo kann man in Wien sein Auto anmelden?",
    "Wohnsitz anmelden Zürich",
    "Gewerbe anmelden in Bad Berka",
    "Ich suche einen Kindergarten in Rudolstadt",
    "Welche Unterlagen brauche ich für eine Heirat in Eisenach?",
    "wo ist das standesamt in suhl",
    "Gibt es in Hamburg ein Sozialticket?",
    "Müllabfuhr Ilmenau",
    "Hallo, was kostet ein Reisepass in Stuttgart?",
    "ähm wie meld ich denn in bremen mein gewerbe an",
    "Leipzig Kita Gebühren",
    "Termin Bürgerbüro Chemnitz",
    "Wo kann ich in Köln einen Ausweis bekommen?",
    "Auszug aus dem Melderegister in Bonn",
    "Ich brauche einen Termin beim Einwohnermeldeamt in Kassel.",
    "Wie hoch ist die Zweitwohnungssteuer in St. Gallen?",
]
NOT_ASKED = [
    "Ich ziehe von Berlin nach Jena",
    "Ich ziehe von Berlin weg und brauche eine neue Anmeldung",
    "Mein Führerschein wurde in München ausgestellt",
    "Führerschein in München ausgestellt, wie tausche ich ihn um?",
    "Geburtsurkunde, ich bin in Leipzig geboren",
    "Ich bin in Gera geboren, wo krieg ich meine Geburtsurkunde her?",
    "Ich komme aus Hamburg und will mich hier anmelden",
    "Ich komme aus Hamburg und möchte mich anmelden",
    "Berliner Straße gesperrt",
    "Sperrung Erfurter Straße",
    "Wer räumt in der Weimarischen Straße den Schnee?",
    "Schlagloch Naumburger Straße",
    "Weimarer Straße Parkausweis",
    "Essen auf Rädern",
    "Ich möchte Essen auf Rädern bestellen",
    "Wo gibt es günstiges Essen für Schulkinder?",
    "Zuschuss zum Essen in der Kita",
    "Wer bezahlt den Zuschuss für Essen und Fahrkarten?",
    "Turnhalle mieten",
    "Halle mieten für Hochzeit",
    "Hof",
    "Ratten im Hof",
    "Der Wohnsitz war in Bonn, wie melde ich mich an?",
    "Gewerbe von Gera nach Jena verlegen",
    "Singen im Chor",
    "Weiden fällen",
    "Bäume gießen",
    "Hagelschaden",
    "Hallenbad Öffnungszeiten",
    "Wo melde ich mich in Jena an?",
    "Ich wohne in Weimar und arbeite in Jena, wo melde ich mein Auto an?",
    "Ich bin von Dresden hierher gezogen",
    "Ich bin gerade aus Köln zugezogen, bis wann muss ich mich anmelden?",
    "Umzug von Leipzig, Auto ummelden",
    "Mein Auto ist in Erfurt zugelassen, wie melde ich es um?",
    "Auto in Hamburg gekauft und anmelden",
    "Mein Auto hat ein Kennzeichen aus Leipzig, geht das mit dem Parkausweis?",
    "Kennzeichen Leipzig behalten",
    "Wir haben in Erfurt geheiratet, wo bekomme ich die Eheurkunde?",
    "Ich ziehe nach München, muss ich mich abmelden?",
    "Abmelden wegen Umzug nach Berlin",
    "Ich studiere in Leipzig, bekomme ich Wohngeld?",
    "Mein Sohn will in Berlin studieren, bekommt er Bafög?",
    "Ich habe eine Nebenwohnung in Berlin",
    "Nebenwohnsitz in Weimar, muss ich Zweitwohnungssteuer zahlen?",
    "Standesamt I in Berlin Geburt im Ausland",
    "Punkte in Flensburg abfragen",
    "Verwaltungsgericht Gera Klage",
    "Familienkasse Suhl",
    "Botschaft in Berlin, brauche ich eine Beglaubigung?",
    "Partnerstadt Erlangen",
    "Mein Vater ist in Berlin gestorben, was muss ich tun?",
    "Ich wurde in Halle geblitzt",
    "Mein Ausweis ist in Wien gestohlen worden",
    "Was kann ich bei Ihnen tun, wenn ich in Apolda wohne?",
    "Wo kann ich heiraten, wenn ich in Berlin wohne?",
    "Führt der Zug nach Erfurt über Weimar?",
    "Familie Berlin, Hundesteuer",
    "Frau Weimar vom Standesamt sprechen",
    "Zug",
    "Was kostet ein Reisepass?",
    "Gibt es hier ein Sozialticket wie in Berlin?",
    "Ist das bei euch anders als in Leipzig?",
]


@pytest.fixture(scope="module")
def other_cities() -> OtherCities:
    city = yaml.safe_load((CITY_FOLDER / "city.yaml").read_text(encoding="utf-8"))
    return OtherCities(city["name"], city["other_cities"])


@pytest.mark.parametrize("text", ASKED)
def test_other_city_is_asked_about(other_cities: OtherCities, text: str) -> None:
    assert other_cities.asked(text)


@pytest.mark.parametrize("text", NOT_ASKED)
def test_other_city_is_at_most_mentioned(other_cities: OtherCities, text: str) -> None:
    assert not other_cities.asked(text)


def test_no_example_of_the_catalogue_is_about_another_city(other_cities: OtherCities) -> None:
    records = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in CITY_FOLDER.glob("services/*.yaml")]
    texts = [
        text
        for record in records
        for text in (record["title"], *record.get("synonyms", []), *record.get("examples", []))
    ]
    assert texts
    assert [text for text in texts if other_cities.asked(text)] == []


def test_own_city_is_no_other_city() -> None:
    text = "Was kostet Anwohnerparken in Erfurt?"
    assert not OtherCities("Erfurt").asked(text)
    assert OtherCities("Erfurt").asked(text.replace("Erfurt", "Bremen"))


def test_city_may_name_more_places(other_cities: OtherCities) -> None:
    text = "Wo melde ich mich in Neuengönna an?"
    assert not other_cities.asked(text)
    assert OtherCities("Jena", ["Neuengönna"]).asked(text)
