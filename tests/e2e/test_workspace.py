"""The agents' workspace with real browsers, citizens over HTTP."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.chat_client import Chat
from tests.e2e.cutting_proxy import cutting_proxy
from tests.e2e.staff_workspace import Conversation, Workspace
from tests.e2e.test_accessibility import violations
from tests.running import ROOT, RunningService
from tests.staff_client import add_staff, send_home

PICTURE = ROOT / "docs" / "images" / "workspace.png"

LOST = "Verbindung unterbrochen. Ich versuche es weiter."
DEPARTMENTS = ("zentrale", "buergerservice")


class Office:
    """Agents in browsers of their own and citizens, all of whom go home at the end of a test."""

    def __init__(self, service: RunningService, browser: Browser, options: dict[str, Any]) -> None:
        self.service = service
        self._browser = browser
        self._options = {"viewport": {"width": 1280, "height": 900}, "locale": "de-DE", **options}
        self._contexts: list[BrowserContext] = []
        self._chats: list[Chat] = []
        self._agents: list[str] = []
        self.errors: list[str] = []

    def page(self) -> Page:
        context = self._browser.new_context(**self._options)
        context.set_default_timeout(20_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._note)
        return page

    def add(self, *, name: str | None = None, **given: Any) -> str:
        """A new agent; gives the login."""
        login = f"agent-{uuid.uuid4().hex[:8]}"
        self._agents.append(add_staff(self.service, login, name=name, **{"departments": DEPARTMENTS, **given}))
        return login

    def agent(self, *, url: str = "", status: str | None = "Verfügbar", **given: Any) -> Workspace:
        """A new agent at the workspace."""
        return Workspace(self.page(), url or self.service.url).sign_in(self.add(**given), status=status)

    def citizen(self, question: str = "Was kostet ein Personalausweis?") -> Chat:
        """Somebody who has asked the bot something."""
        chat = Chat(self.service.url)
        self._chats.append(chat)
        chat.say(question)
        return chat

    def waiting(self, question: str = "Was kostet ein Personalausweis?") -> Chat:
        """Somebody who has asked for a human."""
        chat = self.citizen(question)
        answer = chat.request("POST", "/handover")
        answer.raise_for_status()
        assert answer.json()["state"] == "queued"
        return chat

    def close(self) -> None:
        for chat in self._chats:
            chat.request("DELETE")
            chat.close()
        for context in self._contexts:
            context.close()
        send_home(self.service, *self._agents)

    def _note(self, message: Any) -> None:
        if "Content Security" in message.text:
            self.errors.append(message.text)


@pytest.fixture
def context_options() -> dict[str, object]:
    return {}


@pytest.fixture
def office(staffed_service: RunningService, browser: Browser, context_options: dict[str, object]) -> Iterator[Office]:
    office = Office(staffed_service, browser, context_options)
    yield office
    office.close()
    assert office.errors == []


def say(chat: Chat, text: str) -> None:
    """What a citizen says to an agent."""
    chat.post({"text": text, "client_id": uuid.uuid4().hex}).raise_for_status()


def heard(chat: Chat, author: str = "agent") -> list[str]:
    """What the citizen got from somebody."""
    return [message["text"] for message in chat.messages() if message["author"] == author]


def talking(office: Office, **given: Any) -> tuple[Workspace, Chat, Conversation]:
    """An agent who has taken a citizen's conversation."""
    workspace = office.agent(**given)
    chat = office.waiting()
    return workspace, chat, workspace.claim("Personalausweis")


def expect_sent(conversation: Conversation, text: str) -> None:
    """The newest message of the agent, confirmed by the service."""
    expect(conversation.region.locator(".message.agent[data-seq]").last).to_contain_text(text)


@contextmanager
def looking(chat: Chat, url: str) -> Iterator[None]:
    """The citizen has the page open."""
    address = f"{url}/api/chat/conversations/{chat.id}/events"
    with httpx.stream("GET", address, headers={"Authorization": f"Bearer {chat.token}"}, timeout=30):
        yield


# Waiting, offers, claims


def test_offer_is_shown_taken_and_both_sides_talk_live(office: Office) -> None:
    workspace = office.agent()
    expect(workspace.waiting).to_have_count(0)
    expect(workspace.page.get_by_text("Gerade wartet niemand.")).to_be_visible()
    chat = office.waiting()
    entry = workspace.waiting.filter(has_text="Personalausweis")
    expect(entry).to_contain_text(re.compile(r"Für Sie, noch \d+ s"))
    expect(entry).to_contain_text("Chat")
    expect(entry).to_contain_text("Bürgerservice")
    expect(workspace.page).to_have_title(re.compile(r"^\(1\) "))

    conversation = workspace.claim("Personalausweis")
    expect(conversation.field).to_be_focused()
    expect(workspace.waiting).to_have_count(0)
    conversation.say("Guten Tag, worum geht es?")
    expect_sent(conversation, "Guten Tag, worum geht es?")
    expect(conversation.region.get_by_text("wird gesendet …")).to_have_count(0)
    assert heard(chat) == ["Guten Tag, worum geht es?"]

    say(chat, "Ich habe meinen Ausweis verloren.")
    expect(conversation.last).to_contain_text("Ich habe meinen Ausweis verloren.")
    bot = conversation.region.locator(".message.bot", has_text="46 Euro")
    bot.get_by_text("Was der Bot gefunden hat").click()
    expect(bot.get_by_text("Auskunft zu einer Leistung")).to_be_visible()


@pytest.mark.parametrize(("width", "height"), [(768, 1024), (1024, 768), (1280, 860)])
def test_pictures(office: Office, output: Path, width: int, height: int) -> None:
    """Pictures to look at, in `tests/output/`; one of them is the README's."""
    workspace, chat, conversation = talking(office, name="Bürgerservice")
    workspace.page.set_viewport_size({"width": width, "height": height})
    say(chat, "Mein alter Ausweis ist weg. Was nun?")
    conversation.say("Guten Tag. Wann haben Sie ihn verloren?")
    expect_sent(conversation, "Wann haben Sie ihn verloren?")
    say(chat, "Gestern, vermutlich im Bus.")
    expect(conversation.messages).to_contain_text("im Bus")
    office.waiting("Wie melde ich einen Hund an?")
    expect(workspace.waiting.filter(has_text="Hundesteuer")).to_be_visible()
    if width > 800:
        helps = workspace.tab("Antworten")
        helps.get_by_role("searchbox", name="Im Katalog suchen").fill("Ausweis verloren")
        helps.get_by_role("button", name="Suchen").click()
        expect(helps).to_contain_text("Ausweis verloren oder gestohlen")

    picture = output / f"workspace-{width}.png"
    workspace.page.screenshot(path=picture)

    assert workspace.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if width == 1280 and os.environ.get("STADTBOT_UPDATE_PICTURES") == "1":
        shutil.copy(picture, PICTURE)


def test_declined_offer_goes_to_a_colleague(office: Office) -> None:
    first, second = office.agent(), office.agent()
    office.waiting()
    expect(first.waiting).to_have_count(1)
    expect(second.waiting).to_have_count(1)
    for agent in (first, second):
        expect(agent.waiting).to_contain_text(re.compile("Für Sie|angeboten"))
    offered = next(one for one in (first, second) if one.waiting.get_by_role("button", name="Ablehnen").count())
    other = second if offered is first else first
    expect(other.waiting).to_contain_text("Wird gerade jemand anderem angeboten.")
    offered.waiting.get_by_role("button", name="Ablehnen").click()

    expect(other.waiting).to_contain_text("Für Sie")
    other.claim("Personalausweis")
    expect(offered.waiting).to_have_count(0)


def test_of_two_who_claim_at_once_one_gets_it(office: Office) -> None:
    """Both are on a break, so nothing is offered and both may take it."""
    agents = [office.agent(), office.agent()]
    chat = office.waiting()
    for agent in agents:
        agent.set_status("Pause")
    buttons = [agent.waiting.get_by_role("button", name="Übernehmen") for agent in agents]
    for button in buttons:
        expect(button).to_be_visible()
    for agent in agents:
        agent.page.evaluate("() => { document.querySelector('#waiting button.primary').click() }")

    for agent in agents:
        expect(agent.waiting).to_have_count(0)
    winners = [agent for agent in agents if agent.mine.get_by_role("button").count()]
    assert len(winners) == 1
    loser = next(agent for agent in agents if agent is not winners[0])
    expect(loser.sayings.get_by_role("alert")).to_have_text(re.compile("Das hat schon jemand anderes übernommen."))
    assert len([text for text in heard(chat, "system") if "hat das Gespräch übernommen" in text]) == 1


@pytest.mark.slow
def test_citizen_who_comes_goes_types_and_reads_is_seen(office: Office) -> None:
    _workspace, chat, conversation = talking(office)
    head = conversation.region.get_by_role("banner").or_(conversation.region.locator("header"))
    with looking(chat, office.service.url):
        expect(head).to_contain_text("ist da")
        chat.request("POST", "/activity", json={"typing": True})
        expect(head).to_contain_text("schreibt …")
        chat.request("POST", "/activity", json={"typing": False})
        expect(head).not_to_contain_text("schreibt …")
        conversation.say("Guten Tag")
        expect_sent(conversation, "Guten Tag")
        expect(conversation.region.get_by_text("gelesen", exact=True)).to_have_count(0)
        chat.request("POST", "/activity", json={"read": chat.messages()[-1]["seq"]})
        expect(conversation.region.get_by_text("gelesen", exact=True)).to_be_visible()
    expect(head).to_contain_text("hat die Seite verlassen", timeout=40_000)


# Several conversations


def test_conversations_side_by_side_keep_apart(office: Office) -> None:
    workspace = office.agent()
    passport, move = office.waiting("Was kostet ein Reisepass?"), office.waiting("Was kostet ein Personalausweis?")
    first = workspace.claim("Reisepass")
    first.field.fill("halb fertig")
    workspace.claim("Personalausweis")
    expect(workspace.active.field).to_have_value("")
    workspace.page.get_by_role("button", name="Nebeneinander").click()
    left, right = workspace.conversation(1), workspace.conversation(2)
    expect(left.field).to_have_value("halb fertig")
    right.say("An den zweiten")
    left.say("An die erste")
    expect_sent(right, "An den zweiten")
    expect_sent(left, "An die erste")

    assert heard(passport) == ["An die erste"]
    assert heard(move) == ["An den zweiten"]


def test_message_in_a_conversation_that_is_not_shown_is_counted(office: Office) -> None:
    workspace = office.agent()
    first = office.waiting("Was kostet ein Reisepass?")
    workspace.claim("Reisepass")
    office.waiting("Was kostet ein Personalausweis?")
    workspace.claim("Personalausweis")
    say(first, "Sind Sie noch da?")

    entry = workspace.mine.filter(has_text="Reisepass")
    expect(entry).to_contain_text("1 ungelesen")
    expect(entry).to_contain_text("Sind Sie noch da?")
    expect(workspace.page).to_have_title(re.compile(r"^\(1\) "))
    expect(workspace.page.locator("#live")).to_have_text("Neue Nachricht in Unterhaltung 1: Sind Sie noch da?")
    workspace.open("Reisepass")
    expect(entry).not_to_contain_text("ungelesen")
    expect(workspace.page).not_to_have_title(re.compile(r"^\("))


def test_long_conversation_does_not_jump_while_somebody_reads_above(office: Office) -> None:
    workspace, chat, conversation = talking(office)
    for number in range(12):
        say(chat, f"Zeile {number} " + "und noch viel mehr dazu " * 8)
    expect(conversation.last).to_contain_text("Zeile 11")
    conversation.messages.evaluate("list => { list.scrollTop = 0 }")
    expect(workspace.mine).not_to_contain_text("ungelesen")
    say(chat, "Eine neue Frage")

    expect(conversation.region.get_by_role("button", name="Neue Nachrichten")).to_be_visible()
    expect(workspace.mine).to_contain_text("1 ungelesen")
    assert conversation.messages.evaluate("list => list.scrollTop") == 0
    conversation.act("Neue Nachrichten")
    expect(workspace.mine).not_to_contain_text("ungelesen")


# Helps


def test_answer_of_the_catalogue_is_found_and_inserted(office: Office) -> None:
    workspace, chat, conversation = talking(office)
    answers = workspace.tab("Antworten")
    expect(answers.get_by_role("searchbox", name="Im Katalog suchen")).to_have_value("Was kostet ein Personalausweis?")
    answers.get_by_role("searchbox", name="Im Katalog suchen").fill("Was kostet ein Reisepass?")
    answers.get_by_role("button", name="Suchen").click()
    answers.get_by_role("button", name=re.compile("Einfügen Reisepass, Kosten")).click()

    expect(conversation.field).to_have_value(re.compile(r"Euro.*\n\nQuelle: https://", re.DOTALL))
    expect(conversation.field).to_be_focused()
    conversation.field.press("Enter")
    expect_sent(conversation, "Quelle: https://")
    assert "Quelle: https://" in heard(chat)[0]


def test_canned_reply_is_found_by_slash_and_its_gaps_are_filled(office: Office) -> None:
    workspace, chat, conversation = talking(office, name="Frau Beispiel")
    conversation.field.press("/")
    picker = workspace.dialog("Textbausteine")
    workspace.page.keyboard.type("begrüßung")
    expect(picker.get_by_role("listitem")).to_have_count(1)
    workspace.page.keyboard.press("Enter")

    expect(picker).to_be_hidden()
    expect(conversation.field).to_have_value(re.compile(r"hier ist Frau Beispiel von der Stadt Jena \(Bürgerservice"))
    conversation.field.press("Enter")
    expect_sent(conversation, "Frau Beispiel")
    assert "{" not in heard(chat)[0]


def test_gap_that_nothing_fills_is_not_sent(office: Office) -> None:
    workspace = office.agent()
    chat = office.waiting("Guten Tag")
    conversation = workspace.claim("Anliegen noch offen")
    conversation.act("Textbausteine")
    workspace.dialog("Textbausteine").get_by_role("button", name="Auskunft zur Leistung").click()
    assert conversation.field.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)") == (
        "{leistung}"
    )
    conversation.field.press("Enter")
    expect(conversation.region.get_by_role("alert")).to_have_text("Bitte füllen Sie die Lücke {leistung} aus.")
    workspace.page.keyboard.type("Reisepass")
    conversation.field.press("Enter")
    expect_sent(conversation, "Zu „Reisepass“")
    assert len(heard(chat)) == 1


def test_facts_of_a_conversation(office: Office) -> None:
    workspace, _chat, _conversation = talking(office)
    facts = workspace.tab("Gespräch")

    for text in ("Chat", "Stadt Jena", "Deutsch", "Bürgerservice", "Personalausweis", "keine Übergabe"):
        expect(facts).to_contain_text(text)


# Handing on and ending


def test_note_and_conversation_go_to_a_colleague(office: Office) -> None:
    workspace, chat, conversation = talking(office)
    colleague = office.agent(name="Herr Kollege")
    notes = workspace.tab("Notizen")
    notes.get_by_role("textbox", name="Neue Notiz").fill("Wartet auf Antwort vom Standesamt")
    notes.get_by_role("button", name="Notiz speichern").click()
    expect(notes.get_by_role("listitem")).to_contain_text("Wartet auf Antwort vom Standesamt")
    conversation.act("Weitergeben")
    dialog = workspace.dialog("Unterhaltung weitergeben")
    dialog.get_by_role("button", name="Weitergeben").click()
    expect(dialog.get_by_role("alert")).to_have_text("Bitte wählen Sie aus, wohin die Unterhaltung geht.")
    dialog.get_by_role("radio", name="Herr Kollege").check()
    dialog.get_by_role("textbox", name="Notiz dazu").fill("Bitte weitermachen")
    dialog.get_by_role("button", name="Weitergeben").click()
    expect(workspace.mine.get_by_role("button")).to_have_count(0)
    expect(workspace.sayings).to_contain_text("Weitergegeben: Herr Kollege.")

    taken = colleague.claim("Personalausweis")
    notes = colleague.tab("Notizen")
    expect(notes.get_by_role("listitem")).to_have_count(2)
    expect(notes).to_contain_text("Bitte weitermachen")
    taken.say("Hier geht es weiter")
    expect_sent(taken, "Hier geht es weiter")
    assert heard(chat) == ["Hier geht es weiter"]
    assert not any("Standesamt" in message["text"] for message in chat.messages())


def test_conversation_goes_to_another_department(office: Office) -> None:
    workspace, _chat, conversation = talking(office, departments=("buergerservice",))
    central = office.agent(departments=("zentrale",))
    expect(central.waiting).to_have_count(0)
    conversation.act("Weitergeben")
    dialog = workspace.dialog("Unterhaltung weitergeben")
    dialog.get_by_role("radio", name=re.compile("^Stadtverwaltung Jena, Zentrale")).check()
    dialog.get_by_role("button", name="Weitergeben").click()

    expect(central.waiting).to_contain_text("dringend")
    central.claim("Personalausweis")
    expect(central.active.region.locator("header")).to_contain_text("Zentrale")


def test_conversation_is_ended_with_reason_and_tags(office: Office) -> None:
    workspace, chat, conversation = talking(office)
    conversation.act("Beenden")
    dialog = workspace.dialog("Unterhaltung beenden")
    dialog.get_by_role("radio", name="An andere Stelle verwiesen").check()
    dialog.get_by_role("checkbox", name="Antwort fehlt im Katalog").check()
    with workspace.page.expect_request("**/finish") as sent:
        dialog.get_by_role("button", name="Unterhaltung beenden").click()

    assert sent.value.post_data_json == {"to_bot": False, "reason": "forwarded", "tags": ["answer_missing"]}
    expect(workspace.mine.get_by_role("button")).to_have_count(0)
    expect(workspace.page.get_by_text("Hier erscheint die Unterhaltung")).to_be_visible()
    assert chat.post({"text": "Noch etwas"}).status_code == httpx.codes.CONFLICT


def test_conversation_goes_back_to_the_bot(office: Office) -> None:
    workspace, chat, conversation = talking(office)
    conversation.act("Beenden")
    workspace.dialog("Unterhaltung beenden").get_by_role("button", name="Zurück an den Bot").click()
    expect(workspace.mine.get_by_role("button")).to_have_count(0)

    assert "46 Euro" in chat.say("Was kostet ein Personalausweis?")["text"]


def test_citizen_who_goes_back_to_the_bot_is_lost_and_the_draft_is_not(office: Office) -> None:
    workspace, chat, conversation = talking(office)
    conversation.field.fill("Das wollte ich noch sagen")
    chat.request("DELETE", "/handover").raise_for_status()

    expect(conversation.region.get_by_text("Diese Unterhaltung ist nicht mehr bei Ihnen.")).to_be_visible()
    expect(conversation.field).to_have_value("Das wollte ich noch sagen")
    expect(conversation.messages).to_contain_text("Sie haben das Gespräch mit einem Menschen beendet.")
    conversation.act("Schließen")
    expect(workspace.page.get_by_text("Hier erscheint die Unterhaltung")).to_be_visible()


def test_message_that_is_refused_comes_back_with_the_reason(office: Office) -> None:
    workspace, chat, conversation = talking(office)
    workspace.page.route("**/messages", lambda route: (chat.request("DELETE", "/handover"), route.continue_()))
    conversation.say("Zu spät")

    expect(conversation.field).to_have_value("Zu spät")
    expect(conversation.region.get_by_role("alert")).to_have_text(re.compile("^Nicht gesendet: Diese Unterhaltung"))
    assert heard(chat) == []


def test_agent_who_goes_gives_conversations_back(office: Office) -> None:
    workspace, chat, _conversation = talking(office)
    office.agent(status="Verfügbar")
    workspace.strip.get_by_role("radio", name="Abgemeldet").check()
    dialog = workspace.dialog("Abmelden")
    dialog.get_by_role("button", name="Abbrechen").click()
    expect(workspace.strip.get_by_role("radio", name="Verfügbar")).to_be_checked()
    workspace.strip.get_by_role("radio", name="Abgemeldet").check()
    dialog.get_by_role("button", name="Abmelden und zurückgeben").click()

    expect(workspace.mine.get_by_role("button")).to_have_count(0)
    expect(workspace.strip.get_by_role("radio", name="Abgemeldet")).to_be_checked()
    assert "ganz vorn in der Warteschlange" in heard(chat, "system")[-1]


# On the phone


def test_call_is_put_through_to_the_extension(office: Office) -> None:
    workspace = office.agent(extension="4711")
    credential = (office.service.log.parent / "service.credential").read_text().strip()
    trusted = {"Authorization": f"Bearer {credential}"}
    body = {"site": "jena", "channel": "phone", "language": "de", "caller": "+493641555123"}
    call = httpx.post(f"{office.service.url}/api/chat/conversations", json=body, headers=trusted).json()
    caller = {"Authorization": f"Bearer {call['token']}"}
    address = f"{office.service.url}/api/chat/conversations/{call['id']}"
    spoken = {"speech": {"alternatives": [{"text": "was kostet ein personalausweis", "confidence": 0.9}]}}
    httpx.post(f"{address}/messages", json=spoken, headers=caller).raise_for_status()
    httpx.post(f"{address}/handover", headers=caller).raise_for_status()
    try:
        expect(workspace.waiting).to_contain_text("Telefon")
        conversation = workspace.claim("Telefon")
        through = conversation.region.get_by_text("Der Anruf wird zu Ihrer Nebenstelle 4711 durchgestellt.")
        expect(through).to_be_visible()
        expect(conversation.field).to_be_hidden()
        expect(conversation.messages).to_contain_text("was kostet ein personalausweis")
        expect(workspace.tab("Gespräch")).to_contain_text("555123")
    finally:
        httpx.delete(address, headers=caller)


# Reload, lost connections, sessions that end


def test_reload_keeps_everything(office: Office) -> None:
    workspace, chat, conversation = talking(office)
    conversation.say("Vor dem Neuladen")
    say(chat, "Antwort darauf")
    expect(conversation.last).to_contain_text("Antwort darauf")
    before = conversation.shown
    workspace.page.reload()
    expect(workspace.connection).to_have_text("Verbunden")

    expect(workspace.active.last).to_contain_text("Antwort darauf")
    assert workspace.active.shown == before
    expect(workspace.strip.get_by_role("radio", name="Verfügbar")).to_be_checked()
    assert workspace.page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])").count("Neuladen") == 0


CUTS = random.Random(20).sample(range(1, 2_500), 10)


@pytest.mark.slow
@pytest.mark.parametrize("after", CUTS)
def test_connection_that_is_cut_loses_doubles_and_turns_round_nothing(office: Office, after: int) -> None:
    with cutting_proxy(office.service.url) as proxy:
        workspace, chat, conversation = talking(office, url=proxy.url)
        cuts = proxy.cuts
        proxy.cut_answers_after(after)
        for number in range(4):
            conversation.say(f"Vom Amt {number}")
            say(chat, f"Von draußen {number}")
            if number == 1:
                proxy.cut_requests_after(after // 4)
        expect(workspace.connection).to_have_text("Verbunden", timeout=40_000)
        expect(conversation.region.get_by_text("wird gesendet …")).to_have_count(0, timeout=40_000)
        stored = chat.messages()
        expect(conversation.region.locator(".message[data-seq]")).to_have_count(len(stored), timeout=40_000)

        assert proxy.cuts > cuts
        assert [message["seq"] for message in conversation.shown] == [message["seq"] for message in stored]
        assert heard(chat) == [f"Vom Amt {number}" for number in range(4)]
        assert heard(chat, "citizen")[-4:] == [f"Von draußen {number}" for number in range(4)]


def test_lost_connection_is_said_and_what_was_written_is_sent_afterwards(office: Office) -> None:
    with cutting_proxy(office.service.url) as proxy:
        workspace, chat, conversation = talking(office, url=proxy.url)
        proxy.refuse = True
        proxy.cut_now()
        expect(workspace.connection).to_have_text(LOST)
        conversation.say("Trotzdem geschrieben")
        expect(conversation.region.get_by_text("wird gesendet …")).to_be_visible()
        say(chat, "Inzwischen gesagt")
        proxy.refuse = False

        expect(workspace.connection).to_have_text("Verbunden", timeout=40_000)
        expect(conversation.messages).to_contain_text("Inzwischen gesagt")
        expect(conversation.region.get_by_text("wird gesendet …")).to_have_count(0)
        assert heard(chat) == ["Trotzdem geschrieben"]


@pytest.mark.slow
def test_session_that_ends_keeps_the_draft_until_the_next_sign_in(office: Office) -> None:
    login = office.add()
    workspace = Workspace(office.page(), office.service.url).sign_in(login)
    chat = office.waiting()
    conversation = workspace.claim("Personalausweis")
    other = workspace.page.context.new_page()
    other.goto(f"{office.service.url}/mitarbeit/konto")
    other.get_by_role("button", name="Abmelden", exact=True).click()
    conversation.say("Nach dem Abmelden")
    workspace.page.evaluate("() => dispatchEvent(new Event('online'))")
    expect(conversation.region.get_by_text("wird gesendet …")).to_be_visible()
    workspace.page.context.set_offline(True)
    workspace.page.context.set_offline(False)
    expect(workspace.connection).to_contain_text("Ihre Anmeldung ist abgelaufen.", timeout=60_000)
    expect(workspace.page.get_by_role("link", name="Wieder anmelden")).to_be_visible()

    Workspace(other, office.service.url).sign_in(login, status=None)
    workspace.page.evaluate("() => dispatchEvent(new Event('focus'))")
    expect(workspace.connection).to_have_text("Verbunden", timeout=40_000)
    expect(conversation.region.get_by_text("wird gesendet …")).to_have_count(0, timeout=40_000)
    assert heard(chat) == ["Nach dem Abmelden"]


# What people write is never markup

EVIL = '<img src=x onerror="window.cracked=1"><script>window.cracked=1</script>[x](javascript:window.cracked=1)'


def test_nothing_that_people_write_becomes_markup(office: Office) -> None:
    workspace, chat, conversation = talking(office, name=f"Frau {EVIL}"[:80])
    workspace.strip.get_by_role("textbox", name="Notiz zum Status").fill(EVIL)
    workspace.strip.get_by_role("textbox", name="Notiz zum Status").press("Enter")
    say(chat, EVIL)
    expect(conversation.last).to_contain_text("<img src=x")
    conversation.say(EVIL)
    expect(conversation.last).to_contain_text("<img src=x")
    notes = workspace.tab("Notizen")
    notes.get_by_role("textbox", name="Neue Notiz").fill(EVIL)
    notes.get_by_role("button", name="Notiz speichern").click()
    expect(notes.get_by_role("listitem")).to_contain_text("<img src=x")
    conversation.act("Textbausteine")
    workspace.page.keyboard.press("Escape")

    assert workspace.page.evaluate("window.cracked") is None
    assert workspace.page.locator("main img").count() == 0
    assert workspace.page.locator("main a[href^='javascript']").count() == 0


# By keyboard, for everybody, at every size


def test_a_whole_conversation_by_keyboard_alone(office: Office) -> None:
    workspace = Workspace(office.page(), office.service.url).sign_in(office.add(), status=None)
    page = workspace.page
    expect(workspace.strip.get_by_role("radio", name="Abgemeldet")).to_be_checked()
    workspace.strip.get_by_role("radio", name="Abgemeldet").focus()
    with page.expect_response("**/presence"):
        page.keyboard.press("ArrowRight")
    expect(workspace.strip.get_by_role("radio", name="Verfügbar")).to_be_checked()
    chat = office.waiting()
    expect(workspace.waiting).to_contain_text("Für Sie")
    page.keyboard.press("Alt+w")
    conversation = workspace.active
    expect(conversation.field).to_be_focused()
    page.keyboard.type("Guten Tag")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("zweite Zeile")
    page.keyboard.press("Enter")
    expect_sent(conversation, "zweite Zeile")
    page.keyboard.press("Alt+a")
    search = workspace.aside.get_by_role("searchbox", name="Im Katalog suchen")
    expect(search).to_be_focused()
    page.keyboard.type("Was kostet ein Reisepass?")
    page.keyboard.press("Enter")
    insert = workspace.aside.get_by_role("button", name=re.compile("Einfügen Reisepass, Kosten"))
    expect(insert).to_be_visible()
    press_until(page, "Tab", lambda: insert.evaluate("node => node === document.activeElement"))
    page.keyboard.press("Enter")
    expect(conversation.field).to_be_focused()
    page.keyboard.press("Enter")
    expect_sent(conversation, "Quelle")
    page.keyboard.press("Alt+Shift+?")
    expect(workspace.dialog("Tastenkürzel")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+1")
    expect(conversation.field).to_be_focused()
    page.keyboard.press("Alt+b")
    dialog = workspace.dialog("Unterhaltung beenden")
    expect(dialog).to_be_visible()
    end = dialog.get_by_role("button", name="Unterhaltung beenden")
    press_until(page, "Tab", lambda: end.evaluate("node => node === document.activeElement"))
    page.keyboard.press("Enter")
    expect(workspace.mine.get_by_role("button")).to_have_count(0)
    assert len(heard(chat)) == 2
    assert "Guten Tag\nzweite Zeile" in heard(chat)[0]


def press_until(page: Page, key: str, there: Callable[[], bool]) -> None:
    for _ in range(60):
        page.keyboard.press(key)
        if there():
            return
    pytest.fail("cannot be reached by keyboard")


LOOKS: dict[str, dict[str, object]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "forced": {"forced_colors": "active"},
    "tablet": {"viewport": {"width": 768, "height": 1024}, "has_touch": True},
    "narrow": {"viewport": {"width": 320, "height": 640}},
}


class TestForEverybody:
    @pytest.fixture(params=LOOKS)
    def context_options(self, request: pytest.FixtureRequest) -> dict[str, object]:
        return LOOKS[request.param]

    def test_axe_finds_nothing_and_nothing_is_cut_off(self, office: Office) -> None:
        workspace = office.agent()
        page = workspace.page
        found = {"empty": violations(page)}
        chat = office.waiting()
        office.waiting("Was kostet ein Reisepass?")
        conversation = workspace.claim("Personalausweis")
        say(chat, "Eine Frage")
        conversation.say("Eine Antwort")
        expect(conversation.messages).to_contain_text("Eine Frage")
        found["talking"] = violations(page)
        for tab in ("Antworten", "Notizen", "Gespräch"):
            workspace.tab(tab)
            found[tab] = violations(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        workspace.aside.get_by_role("button", name="Schließen").click()
        for act, title in (("Weitergeben", "Unterhaltung weitergeben"), ("Beenden", "Unterhaltung beenden")):
            conversation.act(act)
            expect(workspace.dialog(title)).to_be_visible()
            found[title] = violations(page)
            page.keyboard.press("Escape")
        conversation.act("Textbausteine")
        found["replies"] = violations(page)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Tasten").click()
        found["help"] = violations(page)
        page.keyboard.press("Escape")
        chat.request("DELETE", "/handover").raise_for_status()
        expect(conversation.region.get_by_role("button", name="Schließen")).to_be_visible()
        found["lost"] = violations(page)

        assert {state: objections for state, objections in found.items() if objections} == {}


# Sound and notifications


def test_notification_tells_of_an_offer_without_anything_about_a_person(office: Office) -> None:
    login = office.add()
    page = office.page()
    page.context.grant_permissions(["notifications"])
    page.add_init_script("""
        window.told = [];
        window.Notification = class extends EventTarget {
            static permission = 'granted';
            static requestPermission = async () => 'granted';
            constructor(text, options) { super(); window.told.push(text + (options?.body ?? '')); }
            close() {}
        };
        document.hasFocus = () => false;
    """)
    workspace = Workspace(page, office.service.url).sign_in(login)
    workspace.page.get_by_role("button", name="Benachrichtigungen").click()
    expect(workspace.page.get_by_role("button", name="Benachrichtigungen")).to_have_attribute("aria-pressed", "true")
    chat = office.waiting()
    expect(workspace.waiting).to_have_count(1)
    workspace.claim("Personalausweis")
    say(chat, "Mein Name ist geheim")
    expect(workspace.active.last).to_contain_text("geheim")

    assert page.evaluate("window.told") == ["Neue Anfrage: Bürgerservice Jena", "Neue Nachricht in Unterhaltung 1"]


def test_nothing_is_kept_in_the_browser_but_choices(office: Office) -> None:
    workspace, _chat, conversation = talking(office)
    conversation.field.fill("Ein Entwurf")
    kept = json.loads(workspace.page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})"))

    assert set(kept) <= {
        "stadtbot-desk-open",
        "stadtbot-desk-aside",
        "stadtbot-desk-side-by-side",
        "stadtbot-desk-sound",
        "stadtbot-desk-notify",
    }
    assert "Entwurf" not in str(kept)
