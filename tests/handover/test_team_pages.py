from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import pytest

from core.accounts import Role
from handover.models import Status
from tests.handover.house import House
from tests.handover.leading_site import Browser
from tests.handover.list_site import ListSite, list_site

TEAM = "/mitarbeit/team"
EVIL = "<script>alert(1)</script>\"'><b>"


@pytest.fixture
def site(house: House) -> ListSite:
    return list_site(house)


@pytest.fixture
def supervisor(site: ListSite) -> Browser:
    return site.browser(site.account("leitung", Role.SUPERVISOR))


def wish(**fields: Any) -> dict[str, Any]:
    return {"departments": ["zentrale"], "extension": "", "capacity": "3", **fields}


def test_only_supervisors_see_it(site: ListSite) -> None:
    agent = site.house.agent("agent1")
    others = [site.account(f"other-{role}", role) for role in (Role.EDITOR, Role.ADMIN)]
    for account in (agent, *others):
        browser = site.browser(account)
        assert browser.get(TEAM).status_code == HTTPStatus.FORBIDDEN
        assert browser.get(f"{TEAM}/{agent.id}").status_code == HTTPStatus.FORBIDDEN
        assert browser.post(f"{TEAM}/{agent.id}", wish()).status_code == HTTPStatus.FORBIDDEN
    assert Browser(site.app).get(TEAM).status_code == HTTPStatus.SEE_OTHER


def test_a_change_needs_the_pages_token(site: ListSite, supervisor: Browser) -> None:
    agent = site.house.agent("agent1")
    supervisor.csrf = "x"
    assert supervisor.post(f"{TEAM}/{agent.id}", wish(capacity="9")).status_code == HTTPStatus.FORBIDDEN
    assert site.house.staffing.agents.get(agent.id).capacity == 3


def test_a_new_account_works_for_the_central_office(site: ListSite, supervisor: Browser) -> None:
    site.account("neu", Role.AGENT)
    page = supervisor.get(TEAM).text
    assert "Neu" in page
    assert "Zentrale" in page
    assert [agent.departments for agent in site.house.staffing.agents.all()] == [frozenset({"zentrale"})]


def test_departments_extension_and_capacity_are_set(site: ListSite, supervisor: Browser) -> None:
    agent = site.house.agent("agent1")
    changed = supervisor.post(
        f"{TEAM}/{agent.id}", wish(departments=["zentrale", "buergerservice"], extension="49 12", capacity="10")
    )
    page = supervisor.get(changed.headers["location"]).text
    assert "Gespeichert: Agent1." in page
    assert "Bürgerservice" in page
    found = site.house.staffing.agents.get(agent.id)
    assert (found.departments, found.extension, found.capacity) == (
        frozenset({"zentrale", "buergerservice"}),
        "4912",
        10,
    )
    [entry] = [entry for entry in site.house.audit.entries() if entry.actor_login == "leitung"]
    assert (entry.act, entry.subject) == ("agent_assigned", "agent1")
    assert entry.details == {"departments": ["buergerservice", "zentrale"], "extension": "4912", "capacity": 10}


@pytest.mark.parametrize(
    "extension", ["SIP/100&exit", "10,20", "10\n20", "12-34", "${X}", "１２", "1" * 33, "abc", "10;rm"]
)
def test_nothing_else_gets_into_what_is_dialled(site: ListSite, supervisor: Browser, extension: str) -> None:
    agent = site.house.agent("agent1", extension="11")
    refused = supervisor.post(f"{TEAM}/{agent.id}", wish(extension=extension))
    if extension == "10\n20":  # a blank like any other
        assert site.house.staffing.agents.get(agent.id).extension == "1020"
        return
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Eine Nebenstelle hat höchstens 32 Ziffern oder * # +." in refused.text
    assert site.house.staffing.agents.get(agent.id).extension == "11"
    with pytest.raises(ValueError, match="dialled"):
        site.house.staffing.agents.assign(agent.id, departments=["zentrale"], extension=extension, capacity=3, by=None)


@pytest.mark.parametrize("extension", ["12", "*21#", "+493641490"])
def test_what_telephones_dial_is_taken(site: ListSite, supervisor: Browser, extension: str) -> None:
    agent = site.house.agent("agent1")
    supervisor.post(f"{TEAM}/{agent.id}", wish(extension=extension))
    assert site.house.staffing.agents.get(agent.id).extension == extension


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"departments": []}, "Bitte wählen Sie mindestens eine Abteilung."),
        ({"departments": ["standesamt"]}, "Bitte wählen Sie mindestens eine Abteilung."),
        ({"capacity": "0"}, "Bitte wählen Sie eine Zahl von 1 bis 10."),
        ({"capacity": "11"}, "Bitte wählen Sie eine Zahl von 1 bis 10."),
        ({"capacity": "viele"}, "Bitte wählen Sie eine Zahl von 1 bis 10."),
    ],
)
def test_mistakes_are_named(site: ListSite, supervisor: Browser, fields: dict[str, Any], sentence: str) -> None:
    agent = site.house.agent("agent1", departments=["buergerservice"])
    refused = supervisor.post(f"{TEAM}/{agent.id}", wish(extension="77", **fields))
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert sentence in refused.text
    assert 'value="77"' in refused.text
    assert site.house.staffing.agents.get(agent.id).departments == frozenset({"buergerservice"})


def test_departments_without_anybody_are_named(site: ListSite, supervisor: Browser) -> None:
    site.house.agent("agent1")
    page = supervisor.get(TEAM).text
    assert "Für diese Abteilungen ist niemand eingetragen." in page
    site.house.agent("agent2", departments=["buergerservice"])
    assert "Für diese Abteilungen" not in supervisor.get(TEAM).text


def test_who_is_there_is_shown_and_nothing_of_their_work(site: ListSite, supervisor: Browser) -> None:
    agent = site.house.agent("agent1")
    site.house.with_agent(agent)
    site.house.staffing.agents.set_status(agent.id, Status.AVAILABLE, note="bis 12 Uhr")
    page = supervisor.get(TEAM).text
    assert "verfügbar" in page
    assert "bis 12 Uhr" in page
    [row] = [row for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL) if "agent1" in row]
    cells = [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(r"<td>(.*?)</td>", row, re.DOTALL)]
    assert cells[:4] == ["Zentrale", "–", "3", "verfügbar bis 12 Uhr"]
    site.house.clock.advance(minutes=2)
    assert "nicht da" in supervisor.get(TEAM).text


def test_who_is_no_agent_cannot_be_changed(site: ListSite, supervisor: Browser) -> None:
    editor = site.account("redaktion", Role.EDITOR)
    agent = site.house.agent("agent1")
    site.house.accounts.change(agent.id, by=None, active=False)
    for id in (editor.id, agent.id, "nobody"):
        assert supervisor.get(f"{TEAM}/{id}").status_code == HTTPStatus.NOT_FOUND
        assert supervisor.post(f"{TEAM}/{id}", wish()).status_code == HTTPStatus.NOT_FOUND
    assert "redaktion" not in supervisor.get(TEAM).text


def test_nothing_that_is_typed_becomes_html(site: ListSite, supervisor: Browser) -> None:
    account = site.account("evil", Role.AGENT, name=EVIL)
    site.house.staffing.agents.enrol(account.id, departments=["zentrale"])
    site.house.staffing.agents.set_status(account.id, Status.AVAILABLE, note=EVIL)
    for page in (
        supervisor.get(TEAM),
        supervisor.get(f"{TEAM}/{account.id}"),
        supervisor.post(f"{TEAM}/{account.id}", wish(extension=EVIL, capacity=EVIL)),
        supervisor.get(f"{TEAM}?neu={account.id}"),
    ):
        assert "<script>alert" not in page.text
        assert "<b>" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text
