from __future__ import annotations

from http import HTTPStatus

import pytest

from core.accounts import Role
from handover.canned_replies import CannedReply
from tests.handover.house import House
from tests.handover.leading_site import Browser
from tests.handover.list_site import ListSite, list_site

LIST = "/mitarbeit/antworten"
EVIL = "<script>alert(1)</script>\"'><b>"
GREETING = {"title": "Gruß", "text": "Guten Tag, hier ist {name} ({amt}).", "department": ""}


@pytest.fixture
def site(house: House) -> ListSite:
    return list_site(house)


@pytest.fixture
def supervisor(site: ListSite) -> Browser:
    return site.browser(site.account("leitung", Role.SUPERVISOR))


def ids(site: ListSite) -> list[str]:
    return [reply.id or "" for reply in site.house.staffing.canned_replies.all()]


def test_agents_read_and_supervisors_and_editors_write(site: ListSite, supervisor: Browser) -> None:
    supervisor.post(LIST, GREETING)
    [id] = ids(site)
    agent = site.browser(site.house.agent("agent1"))
    page = agent.get(LIST).text
    assert "Gruß" in page
    assert "Bearbeiten" not in page
    assert "Neuer Textbaustein" not in page
    for path in (LIST, f"{LIST}/{id}", f"{LIST}/{id}/loeschen", f"{LIST}/{id}/zurueckholen"):
        assert agent.post(path, GREETING).status_code == HTTPStatus.FORBIDDEN
    for path in (f"{LIST}/neu", f"{LIST}/{id}"):
        assert agent.get(path).status_code == HTTPStatus.FORBIDDEN
    editor = site.browser(site.account("redaktion", Role.EDITOR))
    assert editor.post(f"{LIST}/{id}/loeschen").status_code == HTTPStatus.SEE_OTHER
    assert site.browser(site.account("admin", Role.ADMIN)).get(LIST).status_code == HTTPStatus.FORBIDDEN
    assert Browser(site.app).get(LIST).status_code == HTTPStatus.SEE_OTHER


def test_every_change_needs_the_pages_token(site: ListSite, supervisor: Browser) -> None:
    supervisor.post(LIST, GREETING)
    [id] = ids(site)
    supervisor.csrf = "x"
    for path in (LIST, f"{LIST}/{id}", f"{LIST}/{id}/loeschen", f"{LIST}/{id}/zurueckholen"):
        assert supervisor.post(path, GREETING).status_code == HTTPStatus.FORBIDDEN
    assert ids(site) == [id]


def test_agents_see_those_of_their_departments(site: ListSite, supervisor: Browser) -> None:
    supervisor.post(LIST, {**GREETING, "title": "Für alle"})
    supervisor.post(LIST, {**GREETING, "title": "Fürs Amt", "department": "standesamt"})
    page = site.browser(site.house.agent("agent1")).get(LIST).text
    assert "Für alle" in page
    assert "Fürs Amt" not in page
    assert "Fürs Amt" in supervisor.get(LIST).text


def test_search_and_filter(site: ListSite, supervisor: Browser) -> None:
    supervisor.post(LIST, {**GREETING, "title": "Straßensperrung"})
    supervisor.post(LIST, {**GREETING, "title": "Trauung", "department": "standesamt"})
    assert "Straßensperrung" in supervisor.get(f"{LIST}?q=STRASSE").text
    assert "Trauung" not in supervisor.get(f"{LIST}?q=STRASSE").text
    assert "Straßensperrung" not in supervisor.get(f"{LIST}?abteilung=standesamt").text
    assert "Trauung" not in supervisor.get(f"{LIST}?abteilung=alle").text
    assert "Dazu gibt es keinen Textbaustein." in supervisor.get(f"{LIST}?q=nichts").text


def test_the_preview_fills_the_gaps_and_saves_nothing(site: ListSite, supervisor: Browser) -> None:
    page = supervisor.post(LIST, {**GREETING, "department": "standesamt", "preview": "1"})
    assert "Guten Tag, hier ist Leitung (Standesamt)." in page.text
    assert "Guten Tag, hier ist {name} ({amt}).</textarea>" in page.text
    assert ids(site) == []


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("title", " ", "Bitte füllen Sie dieses Feld aus."),
        ("title", "x" * 121, "Dieser Text ist zu lang."),
        ("text", "", "Bitte füllen Sie dieses Feld aus."),
        ("text", "x" * 2001, "Dieser Text ist zu lang."),
        ("text", "Hallo {vorname}", "In geschweiften Klammern steht eine Lücke, die es nicht gibt."),
        ("department", "nirgends", "Diese Stelle gibt es nicht."),
    ],
)
def test_mistakes_are_named_and_nothing_typed_is_lost(
    site: ListSite, supervisor: Browser, field: str, value: str, sentence: str
) -> None:
    page = supervisor.post(LIST, {**GREETING, "title": "Mein Titel", field: value})
    assert page.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert sentence in page.text
    assert field == "title" or "Mein Titel" in page.text
    assert ids(site) == []


def test_who_changes_what_was_changed_meanwhile_sees_both(site: ListSite, supervisor: Browser) -> None:
    supervisor.post(LIST, GREETING)
    [id] = ids(site)
    supervisor.post(f"{LIST}/{id}", {**GREETING, "text": "Von der einen.", "version": "1"})
    preview = supervisor.post(f"{LIST}/{id}", {**GREETING, "text": "x", "version": "1", "preview": "1"})
    assert 'name="version" value="1"' in preview.text
    conflict = supervisor.post(f"{LIST}/{id}", {**GREETING, "text": "Von dem anderen.", "version": "1"})
    assert conflict.status_code == HTTPStatus.CONFLICT
    assert "Von der einen." in conflict.text
    assert "Von dem anderen.</textarea>" in conflict.text
    assert 'name="version" value="2"' in conflict.text
    saved = supervisor.post(f"{LIST}/{id}", {**GREETING, "text": "Von dem anderen.", "version": "2"})
    assert saved.status_code == HTTPStatus.SEE_OTHER
    assert site.house.staffing.canned_replies.get(id).text == "Von dem anderen."


def test_what_was_deleted_meanwhile_can_be_saved_anew(site: ListSite, supervisor: Browser) -> None:
    supervisor.post(LIST, GREETING)
    [id] = ids(site)
    supervisor.post(f"{LIST}/{id}/loeschen")
    conflict = supervisor.post(f"{LIST}/{id}", {**GREETING, "version": "1"})
    assert conflict.status_code == HTTPStatus.CONFLICT
    assert "inzwischen gelöscht" in conflict.text
    assert f'action="{LIST}"' in conflict.text
    assert supervisor.get(f"{LIST}/{id}").status_code == HTTPStatus.CONFLICT


def test_deleting_can_be_undone(site: ListSite, supervisor: Browser) -> None:
    supervisor.post(LIST, GREETING)
    [id] = ids(site)
    deleted = supervisor.post(f"{LIST}/{id}/loeschen")
    page = supervisor.get(deleted.headers["location"]).text
    assert "„Gruß“ ist gelöscht." in page
    assert f'action="{LIST}/{id}/zurueckholen"' in page
    back = supervisor.post(f"{LIST}/{id}/zurueckholen")
    assert "wieder da" in supervisor.get(back.headers["location"]).text
    assert ids(site) == [id]
    supervisor.post(f"{LIST}/{id}/loeschen")
    site.house.clock.advance(days=1)
    assert supervisor.post(f"{LIST}/{id}/zurueckholen").status_code == HTTPStatus.CONFLICT


def test_nothing_that_is_typed_becomes_html(site: ListSite, supervisor: Browser) -> None:
    reply = CannedReply(title=EVIL, text=f"{EVIL} {{name}}")
    leader = site.house.accounts.by_login("leitung")
    assert leader
    id = site.house.staffing.canned_replies.put(reply, leader).id
    for page in (
        supervisor.get(LIST),
        supervisor.get(f"{LIST}?q={EVIL}"),
        supervisor.get(f"{LIST}/{id}"),
        supervisor.post(f"{LIST}/{id}", {"title": EVIL, "text": EVIL, "version": "1", "preview": "1"}),
        supervisor.post(f"{LIST}/{id}", {"title": EVIL, "text": EVIL, "version": "7"}),
        supervisor.get(supervisor.post(f"{LIST}/{id}/loeschen").headers["location"]),
    ):
        assert "<script>alert" not in page.text
        assert "<b>" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text
