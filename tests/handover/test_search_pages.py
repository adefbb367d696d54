from __future__ import annotations

import datetime as dt
from http import HTTPStatus

import pytest

from bot.models import Channel
from core.accounts import Role
from handover.models import End
from tests.handover.house import WORDS, House
from tests.handover.leading_site import Browser
from tests.handover.list_site import ListSite, list_site

SEARCH = "/mitarbeit/suche"
EVIL = "<script>alert(1)</script>\"'><b>"


@pytest.fixture
def site(house: House) -> ListSite:
    return list_site(house)


@pytest.fixture
def agent(site: ListSite) -> Browser:
    return site.browser(site.house.agent("agent1"))


def conversation(
    site: ListSite, text: str, *, department: str = "zentrale", channel: Channel = Channel.WEB, topic: str | None = None
) -> str:
    """One in which a citizen has said something, and waits."""
    id = site.house.conversation(channel=channel, topic=topic)
    site.house.ask(id, department=department, service=topic)
    site.house.citizen_says(id, text)
    return id


def found(browser: Browser, query: str) -> str:
    page = browser.get(f"{SEARCH}?{query}")
    assert page.status_code == HTTPStatus.OK
    return page.text


def test_only_agents_see_it(site: ListSite) -> None:
    id = conversation(site, "Hallo")
    for role in (Role.SUPERVISOR, Role.EDITOR, Role.ADMIN):
        browser = site.browser(site.account(f"other-{role}", role))
        assert browser.get(SEARCH).status_code == HTTPStatus.FORBIDDEN
        assert browser.get(f"{SEARCH}/{id}").status_code == HTTPStatus.FORBIDDEN
    assert Browser(site.app).get(f"{SEARCH}/{id}").status_code == HTTPStatus.SEE_OTHER


def test_nothing_is_looked_up_before_somebody_searches(site: ListSite, agent: Browser) -> None:
    conversation(site, "Wo ist das Fundbüro?")
    assert "Fundbüro" not in agent.get(SEARCH).text
    assert "Wo ist das Fundbüro?" in found(agent, "q=")


def test_all_the_words_must_occur(site: ListSite, agent: Browser) -> None:
    first = conversation(site, "Mein Führerschein ist weg, wo ist die Straße?")
    second = conversation(site, "Mein Führerschein ist da.")
    page = found(agent, "q=fuehrerschein STRASSE")
    assert (first in page, second in page) == (True, False)
    assert "1 Unterhaltung gefunden" in page
    assert "Dazu gibt es keine Unterhaltung." in found(agent, "q=Regenschirm")


def test_the_excerpt_shows_the_place(site: ListSite, agent: Browser) -> None:
    conversation(site, f"{'Vorher war vieles anders. ' * 20} Dann kam der Regenschirm dazu, und alles war gut.")
    page = found(agent, "q=regenschirm")
    assert "… " in page
    assert "Dann kam der <mark>Regenschirm</mark> dazu" in page


def test_filters(site: ListSite) -> None:
    browser = site.browser(site.house.agent("both", departments=["zentrale", "buergerservice"]))
    old = conversation(site, "eins")
    site.house.clock.advance(days=3)
    bureau = conversation(site, "zwei", department="buergerservice")
    phone = conversation(site, "drei", channel=Channel.PHONE)

    def ids(query: str) -> list[bool]:
        page = found(browser, query)
        return [id in page for id in (old, bureau, phone)]

    assert ids("q=") == [True, True, True]
    assert ids("q=&abteilung=buergerservice") == [False, True, False]
    assert ids("q=&weg=phone") == [False, False, True]
    assert ids("q=&von=2026-03-11") == [False, True, True]
    assert ids("q=&bis=2026-03-12") == [True, False, False]
    assert ids("q=&von=2026-03-10&bis=2026-03-10") == [True, False, False]
    assert ids("q=&abteilung=standesamt") == [False, False, False]


def test_dates_that_make_no_sense_are_named(agent: Browser) -> None:
    page = agent.get(f"{SEARCH}?q=&von=gestern")
    assert page.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Dieses Datum kann ich nicht lesen." in page.text
    assert "Der letzte Tag liegt vor dem ersten." in agent.get(f"{SEARCH}?q=&von=2026-03-10&bis=2026-03-09").text
    for far in ("9999-12-31", "0001-01-01"):
        assert "Dieses Datum kann ich nicht lesen." in agent.get(f"{SEARCH}?q=&von={far}&bis={far}").text


def test_other_departments_conversations_are_neither_found_nor_shown(site: ListSite, agent: Browser) -> None:
    id = conversation(site, "Wir heiraten", department="buergerservice")
    assert id not in found(agent, "q=heiraten")
    for unknown in (id, "nirgends"):
        page = agent.get(f"{SEARCH}/{unknown}")
        assert page.status_code == HTTPStatus.NOT_FOUND
        assert "gehört nicht zu Ihren Abteilungen" in page.text
        assert "Wir heiraten" not in page.text


def test_nobodys_work_can_be_looked_up(site: ListSite, agent: Browser) -> None:
    """The system's messages name agents; they are not searched."""
    account = site.house.agent("colleague")
    site.house.with_agent(account)
    assert "Dazu gibt es keine Unterhaltung." in found(agent, "q=Nachricht")


def test_a_conversation_handed_over_twice_is_found_once(site: ListSite, agent: Browser) -> None:
    id = conversation(site, "Wo ist das Fundbüro?")
    site.house.staffing.store.back_to_bot(id, end=End.CANCELLED, words=WORDS)
    site.house.ask(id)
    assert found(agent, "q=fundbuero").count(f"{SEARCH}/{id}") == 1


def test_reading_what_is_over_is_in_the_audit_log(site: ListSite, agent: Browser) -> None:
    id = conversation(site, "Was kostet ein Pass?", topic="reisepass")
    account = site.house.accounts.by_login("agent1")
    assert account
    site.house.staffing.store.add_note(id, author="Frau A", text="Ruft noch einmal an")
    assert "Was kostet ein Pass?" in agent.get(f"{SEARCH}/{id}").text
    assert site.acts() == []

    site.house.staffing.store.back_to_bot(id, end=End.CANCELLED, words=WORDS)
    page = agent.get(f"{SEARCH}/{id}").text
    assert "Was kostet ein Pass?" in page
    assert "Ruft noch einmal an" in page
    assert "Notiz von Frau A" in page
    assert "Reisepass" in page
    assert site.acts() == [("conversation_read", "agent1", id)]


def test_the_conversation_of_a_callback_is_shown_to_who_makes_the_call(site: ListSite, agent: Browser) -> None:
    callback = site.callback()
    account = site.house.accounts.by_login("agent1")
    assert account
    path = f"{SEARCH}/{callback.conversation_id}"
    site.house.citizen_says(callback.conversation_id or "", "Wer ruft mich an?")
    assert agent.get(path).status_code == HTTPStatus.NOT_FOUND
    site.house.staffing.callbacks.take(callback.id, account)
    assert "Wer ruft mich an?" in agent.get(path).text
    assert ("conversation_read", "agent1", callback.conversation_id) in site.acts()
    site.house.staffing.callbacks.give_back(callback.id, account, tried=False)
    assert agent.get(path).status_code == HTTPStatus.NOT_FOUND


def test_an_erased_conversation_is_gone(site: ListSite, agent: Browser) -> None:
    id = conversation(site, "Bitte löschen")
    site.house.conversations.erase(id)
    assert id not in found(agent, "q=")
    assert agent.get(f"{SEARCH}/{id}").status_code == HTTPStatus.NOT_FOUND


def test_nothing_that_was_said_becomes_html(site: ListSite, agent: Browser) -> None:
    id = conversation(site, f"{EVIL} **fett** [x](javascript:alert(1))")
    account = site.house.accounts.by_login("agent1")
    assert account
    handover = site.house.staffing.store.of(id)
    assert handover
    site.house.staffing.store.claim(handover.id, account, words=WORDS)
    site.house.agent_says(id, account, EVIL)
    site.house.staffing.store.add_note(id, author=EVIL, text=EVIL)
    for page in (agent.get(f"{SEARCH}/{id}").text, found(agent, f"q={EVIL}"), found(agent, "q=script")):
        assert "<script>alert" not in page
        assert "<b>" not in page
        assert 'href="javascript' not in page
        assert "alert(1)" in page


def test_periods_begin_at_the_citys_midnight(site: ListSite, agent: Browser) -> None:
    site.house.clock.advance(hours=14, minutes=30)  # 23:30 UTC: half past midnight in the city
    id = conversation(site, "Nachts")
    assert site.house.clock.now() == dt.datetime(2026, 3, 10, 23, 30, tzinfo=dt.UTC)
    assert id in found(agent, "q=&von=2026-03-11")
    assert id not in found(agent, "q=&bis=2026-03-10")
