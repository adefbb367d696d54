from __future__ import annotations

import asyncio
import datetime as dt
from http import HTTPStatus

import pytest

from core.accounts import Role
from handover.models import Status
from handover.telling import STAFF
from tests.handover.house import House
from tests.handover.leading_site import Browser
from tests.handover.list_site import ListSite, list_site

LIST = "/mitarbeit/rueckrufe"
PERSONAL = ("Ada Muster", "491234", "Mein Pass")
EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'


@pytest.fixture
def site(house: House) -> ListSite:
    return list_site(house)


@pytest.fixture
def agent(site: ListSite) -> Browser:
    return site.browser(site.house.agent("agent1"))


@pytest.fixture
def colleague(site: ListSite) -> Browser:
    return site.browser(site.house.agent("agent2"))


def shown(browser: Browser) -> str:
    page = browser.get(LIST)
    assert page.status_code == HTTPStatus.OK
    return page.text


def test_only_agents_see_it(site: ListSite) -> None:
    id = site.callback().id
    for role in (Role.SUPERVISOR, Role.EDITOR, Role.ADMIN):
        browser = site.browser(site.account(f"other-{role}", role))
        assert browser.get(LIST).status_code == HTTPStatus.FORBIDDEN
        assert browser.post(f"{LIST}/{id}/uebernehmen").status_code == HTTPStatus.FORBIDDEN
    assert Browser(site.app).get(LIST).status_code == HTTPStatus.SEE_OTHER


@pytest.mark.parametrize(
    "act", ["uebernehmen", "zurueckgeben", "nicht-erreicht", "bemerkung", "weitergeben", "erledigt", "oeffnen"]
)
def test_every_act_needs_the_pages_token(site: ListSite, agent: Browser, act: str) -> None:
    id = site.callback().id
    agent.csrf = "something else"
    assert agent.post(f"{LIST}/{id}/{act}").status_code == HTTPStatus.FORBIDDEN
    assert site.house.staffing.callbacks.get(id).taken_by is None


def test_who_is_to_be_called_is_shown_to_who_makes_the_call(site: ListSite, agent: Browser, colleague: Browser) -> None:
    id = site.callback(email="ada@muster.example").id
    for browser in (agent, colleague):
        page = shown(browser)
        assert "Reisepass" in page
        assert "heute bis 12 Uhr" in page
        assert not any(word in page for word in (*PERSONAL, "ada@"))

    taken = agent.post(f"{LIST}/{id}/uebernehmen")
    assert taken.headers["location"] == f"{LIST}?neu=uebernommen"
    page = shown(agent)
    assert all(word in page for word in PERSONAL)
    assert 'href="tel:03641491234"' in page
    assert 'href="mailto:ada@muster.example"' in page
    page = shown(colleague)
    assert "Agent1 ruft zurück." in page
    assert not any(word in page for word in (*PERSONAL, "ada@"))

    agent.post(f"{LIST}/{id}/zurueckgeben")
    assert not any(word in shown(agent) for word in PERSONAL)


def test_the_second_who_takes_it_is_told(site: ListSite, agent: Browser, colleague: Browser) -> None:
    id = site.callback().id
    agent.post(f"{LIST}/{id}/uebernehmen")
    refused = colleague.post(f"{LIST}/{id}/uebernehmen")
    assert refused.status_code == HTTPStatus.CONFLICT
    assert "Das hat schon jemand anderes übernommen." in refused.text
    assert not any(word in refused.text for word in PERSONAL)


def test_one_of_a_colleague_who_is_not_there_can_be_taken_over(
    site: ListSite, agent: Browser, colleague: Browser
) -> None:
    id = site.callback().id
    first, second = (site.house.accounts.by_login(login) for login in ("agent1", "agent2"))
    assert first and second
    agent.post(f"{LIST}/{id}/uebernehmen")
    assert "Trotzdem übernehmen" not in shown(colleague)
    refused = colleague.post(f"{LIST}/{id}/uebernehmen", {"statt": first.id})
    assert refused.status_code == HTTPStatus.CONFLICT

    site.house.clock.advance(minutes=2)
    site.house.staffing.agents.set_status(first.id, Status.OFFLINE)
    assert "Trotzdem übernehmen" in shown(colleague)
    colleague.post(f"{LIST}/{id}/uebernehmen", {"statt": first.id})
    assert site.house.staffing.callbacks.get(id).taken_by == second.id


def test_what_is_late_is_said_in_words(site: ListSite, agent: Browser) -> None:
    site.callback(due_in_h=1)
    assert "überfällig" not in shown(agent)
    site.house.clock.advance(hours=2)
    assert '<span class="badge bad overdue">überfällig</span>' in shown(agent)
    site.house.clock.advance(days=1)
    assert "gestern bis 11 Uhr" in shown(agent)


def test_an_attempt_is_noted_with_its_remark(site: ListSite, agent: Browser, colleague: Browser) -> None:
    id = site.callback().id
    agent.post(f"{LIST}/{id}/uebernehmen")
    agent.post(f"{LIST}/{id}/nicht-erreicht", {"remark": "Ab 15 Uhr wieder da"})
    page = shown(colleague)
    assert "1 Versuch" in page
    assert "Ab 15 Uhr wieder da" not in page
    colleague.post(f"{LIST}/{id}/uebernehmen")
    assert "Ab 15 Uhr wieder da" in shown(colleague)
    colleague.post(f"{LIST}/{id}/bemerkung", {"remark": ""})
    assert "Ab 15 Uhr wieder da" not in shown(colleague)


@pytest.mark.parametrize("act", ["bemerkung", "nicht-erreicht", "zurueckgeben", "weitergeben"])
def test_a_remark_that_is_too_long_is_not_lost(site: ListSite, agent: Browser, act: str) -> None:
    id = site.callback().id
    agent.post(f"{LIST}/{id}/uebernehmen")
    refused = agent.post(f"{LIST}/{id}/{act}", {"remark": "lang " * 500, "department": "buergerservice"})
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Dieser Text ist zu lang." in refused.text
    assert "lang lang lang" in refused.text
    assert site.house.staffing.callbacks.get(id).remark == ""


def test_done_and_undone(site: ListSite, agent: Browser) -> None:
    id = site.callback().id
    agent.post(f"{LIST}/{id}/uebernehmen")
    done = agent.post(f"{LIST}/{id}/erledigt")
    page = agent.get(done.headers["location"]).text
    assert "Die persönlichen Angaben werden gelöscht: heute, 10:15 Uhr." in page
    assert "Rückgängig" in page
    assert not any(word in page for word in PERSONAL)
    agent.post(f"{LIST}/{id}/oeffnen")
    assert all(word in shown(agent) for word in PERSONAL)

    agent.post(f"{LIST}/{id}/erledigt")
    site.house.clock.advance(minutes=15)
    site.house.staffing.expire()
    page = agent.get(f"{LIST}?erledigt={id}").text
    assert "Persönliche Angaben sind gelöscht." in page
    assert "Rückgängig" not in page
    assert "Wieder öffnen" not in page
    assert agent.post(f"{LIST}/{id}/oeffnen").status_code == HTTPStatus.CONFLICT


def test_another_department_gets_it(site: ListSite, agent: Browser) -> None:
    bureau = site.browser(site.house.agent("bureau", departments=["buergerservice"]))
    id = site.callback().id
    assert "Reisepass" not in shown(bureau)
    agent.post(f"{LIST}/{id}/uebernehmen")
    refused = agent.post(f"{LIST}/{id}/weitergeben", {"department": "standesamt"})
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    agent.post(f"{LIST}/{id}/weitergeben", {"department": "buergerservice", "remark": "Bitte mit Termin"})
    assert "Reisepass" not in shown(agent)
    bureau.post(f"{LIST}/{id}/uebernehmen")
    assert "Bitte mit Termin" in shown(bureau)


def test_other_departments_callbacks_cannot_be_touched(site: ListSite, agent: Browser) -> None:
    site.house.agent("bureau", departments=["buergerservice"])
    id = site.callback(department="buergerservice").id
    for act in ("uebernehmen", "erledigt", "bemerkung", "weitergeben"):
        refused = agent.post(f"{LIST}/{id}/{act}", {"department": "zentrale"})
        assert refused.status_code == HTTPStatus.CONFLICT
    assert site.house.staffing.callbacks.get(id).taken_by is None


def test_the_central_office_looks_after_departments_without_agents(site: ListSite, agent: Browser) -> None:
    id = site.callback(department="buergerservice").id
    assert "Bürgerservice" in shown(agent)
    assert agent.post(f"{LIST}/{id}/uebernehmen").status_code == HTTPStatus.SEE_OTHER


def test_the_conversation_is_linked_while_it_is_there(site: ListSite, agent: Browser) -> None:
    callback = site.callback()
    agent.post(f"{LIST}/{callback.id}/uebernehmen")
    link = f'href="/mitarbeit/suche/{callback.conversation_id}"'
    assert link in shown(agent)
    site.house.conversations.erase(callback.conversation_id or "")
    assert link not in shown(agent)


def test_nothing_that_citizens_or_agents_write_becomes_html(site: ListSite) -> None:
    account = site.account("evil", Role.AGENT, name=f"Eva {EVIL}"[:90])
    browser = site.browser(account)
    id = site.callback(name=EVIL, concern=EVIL).id
    shown(browser)
    browser.post(f"{LIST}/{id}/uebernehmen")
    browser.post(f"{LIST}/{id}/bemerkung", {"remark": EVIL})
    page = shown(browser)
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    site.house.clock.advance(minutes=2)
    assert "<script>alert" not in shown(site.browser(site.house.agent("agent1")))


def test_the_workspaces_are_told(site: ListSite, agent: Browser) -> None:
    id = site.callback().id

    async def listen() -> list[str]:
        with site.house.events.subscribe(STAFF) as queue:
            await asyncio.to_thread(agent.post, f"{LIST}/{id}/uebernehmen")
            return [queue.get_nowait().name for _ in range(queue.qsize())]

    assert asyncio.run(listen()) == ["board"]


def test_the_page_says_when_data_are_erased(site: ListSite, agent: Browser) -> None:
    id = site.callback().id
    assert "werden 15 Minuten nach „Erledigt“ gelöscht, spätestens nach 30 Tagen" in shown(agent)
    agent.post(f"{LIST}/{id}/uebernehmen")
    assert "Wird gelöscht: Do., 9. April, 11 Uhr." in shown(agent)
    expires = site.house.staffing.callbacks.get(id).expires_at
    assert expires == site.house.clock.now() + dt.timedelta(days=30)
