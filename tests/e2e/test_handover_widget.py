"""The citizen's side of the handover: who is there, waiting, a callback, notices; staff are driven over their API."""

from __future__ import annotations

import datetime as dt
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, Route, expect

from core.audit import AuditLog
from core.clock import SystemClock
from core.database import Database
from handover.notices import NoticeDraft, NoticeStore
from tests.e2e.chat_widget import ChatWidget
from tests.e2e.cutting_proxy import cutting_proxy
from tests.e2e.test_accessibility import LOOKS, assert_no_sideways_scrolling, violations
from tests.running import RunningService
from tests.staff_client import Staff, add_staff

QUESTION = "Was kostet ein Personalausweis?"
LOGIN = "amt-im-chat"
NAME = f"Frau {LOGIN}"
FIVE_SECONDS = 5_000
CALLBACK = {
    "Ihr Name": "Seltenername Quark",
    "Telefonnummer": "03641 123456",
    "Worum geht es?": "Mein Seltenanliegen",
}


class Agent:
    """A member of staff with the workspace open: hears its events in a thread."""

    def __init__(self, staff: Staff) -> None:
        self.staff = staff
        self.heard: list[tuple[str, Any]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def come(self) -> Agent:
        self._thread.start()
        self.wait_for("board", lambda _board: True)
        self.staff.come()
        return self

    def go(self) -> None:
        """End what is left of the test, and leave."""
        for entry in self.staff.board()["waiting"]:
            self.staff.claim(entry["handover"])
        for entry in self.staff.board()["mine"]:
            self.finish(entry["conversation"])
        self._stop.set()
        self.staff.come("offline")
        self._thread.join(30)
        assert not self._thread.is_alive()

    def wait_for(self, name: str, wanted: Callable[[Any], bool], *, within_s: float = 15) -> Any:
        """The first event of a name that is wanted."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            for heard, data in list(self.heard):
                if heard == name and wanted(data):
                    return data
            time.sleep(0.02)
        raise AssertionError(f"no such event {name} among {[heard for heard, _ in self.heard]}")

    def take(self, widget: ChatWidget) -> str:
        """Claim the widget's conversation; returns its id."""
        conversation = str(widget.kept["id"])
        waiting = {entry["conversation"]: entry["handover"] for entry in self.staff.board()["waiting"]}
        self.staff.claim(waiting[conversation]).raise_for_status()
        return conversation

    def say(self, conversation: str, text: str) -> None:
        self.staff.say(conversation, text).raise_for_status()

    def act(self, conversation: str, **sign: object) -> None:
        self.staff.request("POST", f"/conversations/{conversation}/activity", json=sign).raise_for_status()

    def finish(self, conversation: str, *, to_bot: bool = False) -> None:
        body = {"reason": "solved", "to_bot": to_bot}
        self.staff.request("POST", f"/conversations/{conversation}/finish", json=body).raise_for_status()

    def _listen(self) -> None:
        with self.staff.events() as events:
            for event in events:
                self.heard.append(event)
                if self._stop.is_set():
                    return


@pytest.fixture(scope="module")
def staff(staffed_service: RunningService) -> Iterator[Staff]:
    add_staff(staffed_service, LOGIN, departments=["zentrale", "buergerservice"], capacity=20)
    staff = Staff(staffed_service.url, LOGIN)
    yield staff
    staff.close()


@pytest.fixture
def agent(staff: Staff) -> Iterator[Agent]:
    """Somebody who can be reached."""
    agent = Agent(staff).come()
    yield agent
    agent.go()


@pytest.fixture
def widget(page: Page, staffed_service: RunningService) -> ChatWidget:
    """The chat, opened, with the bot's greeting."""
    return ChatWidget(page, staffed_service.url).visit().open()


def queue(widget: ChatWidget) -> None:
    """Ask for a human and wait until the service says where one stands."""
    widget.human.click()
    expect(widget.place).to_contain_text("Stelle")


def connect(widget: ChatWidget, agent: Agent) -> str:
    """A conversation with an agent; returns its id."""
    queue(widget)
    conversation = agent.take(widget)
    expect(widget.who).to_contain_text(NAME)
    return conversation


def button(widget: ChatWidget, name: str) -> Any:
    return widget.panel.get_by_role("button", name=name, exact=True)


def authors(widget: ChatWidget) -> list[str]:
    return [message["author"] for message in widget.messages]


def assert_same_as_stored(widget: ChatWidget, service: RunningService) -> list[dict[str, Any]]:
    """The list has every stored message once and in order; returns what is stored."""
    stored = widget.stored(service.url)
    expect(widget.entries).to_have_count(len(stored))
    seen = [(message["seq"], message["author"]) for message in widget.messages]
    assert seen == [(message["seq"], message["author"]) for message in stored]
    assert [seq for seq, _ in seen] == list(range(1, len(stored) + 1))
    return stored


# The whole way


def test_from_the_bot_to_a_human_and_back(widget: ChatWidget, agent: Agent) -> None:
    widget.say(QUESTION)
    queue(widget)
    expect(widget.who).to_have_text("Sie warten auf einen Menschen aus der Stadtverwaltung.")
    expect(widget.place).to_have_text("Sie sind an erster Stelle, es dauert nicht lange.")
    widget.send("Meine Nummer ist 0151 23456789.")

    conversation = agent.take(widget)
    expect(widget.who).to_have_text(f"Hier antwortet ein Mensch: {NAME}, Bürgerservice Jena.")
    expect(widget.live).to_contain_text(f"Hier antwortet ein Mensch: {NAME}, Bürgerservice Jena.")
    agent.wait_for("message", lambda data: "0151 23456789" in data["message"]["text"])

    agent.act(conversation, typing=True)
    expect(widget.panel.get_by_text(f"{NAME} schreibt …")).to_be_visible()
    agent.say(conversation, "Guten Tag.")
    agent.say(conversation, "Wie kann ich Ihnen helfen?")
    expect(widget.last).to_contain_text("Wie kann ich Ihnen helfen?")
    expect(widget.panel.get_by_text("schreibt …")).to_be_hidden()
    labels = [label.inner_text() for label in widget.page.locator("stadtbot-chat .agent .author:not(.hidden)").all()]
    assert labels == [f"{NAME} (Mensch)"], "the name stands once before what is said in one go"

    agent.wait_for("read", lambda data: data["seq"] == widget.newest)
    widget.field.press_sequentially("Ich")
    agent.wait_for("typing", lambda data: data["typing"] is True)
    agent.wait_for("typing", lambda data: data["typing"] is False)
    widget.send("Ich habe eine Frage.")
    agent.wait_for("message", lambda data: data["message"]["text"] == "Ich habe eine Frage.")
    expect(widget.last).to_contain_text("Ich habe eine Frage.")

    agent.finish(conversation, to_bot=True)
    expect(widget.who).to_have_text("Hier antwortet ein Computerprogramm.")
    expect(widget.last).to_contain_text("Hier antwortet wieder das Computerprogramm.")
    expect(widget.human).to_be_visible()
    expect(widget.say("Was kostet ein Reisepass?").get_by_role("heading")).to_have_text(re.compile("Reisepass"))


def test_own_message_on_its_way_is_not_the_agent_typing(widget: ChatWidget, agent: Agent) -> None:
    connect(widget, agent)
    held: list[Route] = []
    widget.page.route("**/messages", lambda route: held.append(route))
    widget.send("Eine Nachricht.")
    expect(widget.page.locator("stadtbot-chat .message.pending")).to_contain_text("Eine Nachricht.")
    widget.page.wait_for_timeout(600)

    expect(widget.panel.get_by_text("schreibt …")).to_be_hidden()
    held[0].continue_()
    expect(widget.page.locator("stadtbot-chat .message.pending")).to_have_count(0)


def test_agent_goes_on_typing_while_the_citizen_says_something(widget: ChatWidget, agent: Agent) -> None:
    conversation = connect(widget, agent)
    agent.act(conversation, typing=True)
    expect(widget.panel.get_by_text(f"{NAME} schreibt …")).to_be_visible()
    widget.send("Noch etwas.")
    expect(widget.last).to_contain_text("Noch etwas.")

    expect(widget.panel.get_by_text(f"{NAME} schreibt …")).to_be_visible()


def test_agent_who_leaves_is_told_of(widget: ChatWidget, agent: Agent) -> None:
    connect(widget, agent)
    agent.staff.come("offline")

    expect(widget.last).to_contain_text("abgebrochen")
    expect(widget.who).to_have_text("Sie warten auf einen Menschen aus der Stadtverwaltung.")
    expect(button(widget, "Nicht mehr warten")).to_be_visible()


def test_conversation_with_a_human_is_ended_after_a_question(widget: ChatWidget, agent: Agent) -> None:
    connect(widget, agent)
    button(widget, "Gespräch mit dem Menschen beenden").click()
    button(widget, "Weiter miteinander sprechen").click()
    expect(widget.who).to_contain_text(NAME)
    expect(button(widget, "Gespräch mit dem Menschen beenden")).to_be_focused()
    button(widget, "Gespräch mit dem Menschen beenden").click()
    button(widget, "Ja, beenden").click()

    expect(widget.who).to_have_text("Hier antwortet ein Computerprogramm.")
    expect(widget.last).to_contain_text("Sie haben das Gespräch mit einem Menschen beendet.")
    expect(widget.human).to_be_visible()


def test_agents_text_stays_text(widget: ChatWidget, agent: Agent) -> None:
    conversation = connect(widget, agent)
    agent.say(conversation, '<img src=x onerror="document.title=1"><script>document.title=2</script> [x](javascript:1)')
    said = widget.page.locator("stadtbot-chat .message.agent")

    expect(said).to_contain_text("<img src=x onerror=")
    assert said.locator("img, script, a").count() == 0
    assert widget.page.title() not in ("1", "2")


# Waiting


def test_citizen_waits_no_longer(widget: ChatWidget, agent: Agent) -> None:
    queue(widget)
    button(widget, "Nicht mehr warten").click()

    expect(widget.who).to_have_text("Hier antwortet ein Computerprogramm.")
    expect(widget.place).to_have_count(0)
    expect(widget.last).to_contain_text("Sie warten nicht mehr.")
    assert (
        widget.page.evaluate("document.querySelector('stadtbot-chat').shadowRoot.activeElement?.className") == "humans"
    )
    agent.wait_for("board", lambda board: not board["waiting"])


def test_one_press_is_one_request(widget: ChatWidget, agent: Agent) -> None:
    asked: list[str] = []
    held: list[Route] = []
    widget.page.on("request", lambda request: asked.append(request.method) if "/handover" in request.url else None)
    widget.page.route("**/handover", lambda route: held.append(route))
    for _ in range(3):
        widget.human.click(force=True)
    widget.page.wait_for_timeout(100)
    held[0].continue_()
    expect(widget.place).to_contain_text("Stelle")

    assert asked == ["POST"]
    assert authors(widget) == ["bot", "system"]


def test_reload_while_waiting_and_while_a_human_is_there(
    widget: ChatWidget, agent: Agent, staffed_service: RunningService
) -> None:
    queue(widget)
    widget.page.reload()
    expect(widget.place).to_have_text("Sie sind an erster Stelle, es dauert nicht lange.")
    conversation = agent.take(widget)
    agent.say(conversation, "Guten Tag.")
    expect(widget.last).to_contain_text("Guten Tag.")
    widget.page.reload()

    expect(widget.who).to_have_text(re.compile(NAME))
    expect(widget.page.locator("stadtbot-chat .agent .author")).to_have_text(f"{NAME} (Mensch)")
    widget.send("Da bin ich wieder.")
    agent.wait_for("message", lambda data: data["message"]["text"] == "Da bin ich wieder.")
    assert_same_as_stored(widget, staffed_service)


def test_second_tab_shows_the_same(widget: ChatWidget, agent: Agent, staffed_service: RunningService) -> None:
    """A tab that was opened from the first one has its conversation; one of the two follows, the other looks."""
    with widget.page.expect_popup() as opened:
        widget.page.evaluate("() => void open(location.href)")
    other = ChatWidget(opened.value, staffed_service.url)
    expect(other.entries).to_have_count(1)
    assert other.kept["id"] == widget.kept["id"]
    other.human.click()
    expect(other.place).to_contain_text("Stelle")
    expect(widget.who).to_have_text("Sie warten auf einen Menschen aus der Stadtverwaltung.", timeout=15_000)

    conversation = agent.take(widget)
    agent.say(conversation, "Guten Tag.")
    for tab in (widget, other):
        expect(tab.last).to_contain_text("Guten Tag.", timeout=15_000)
        expect(tab.who).to_have_text(re.compile("Hier antwortet ein Mensch"))
    widget.send("Aus dem ersten Fenster.")
    other.send("Aus dem zweiten Fenster.")
    for tab in (widget, other):
        expect(tab.page.locator("stadtbot-chat .citizen[data-seq]")).to_have_count(2, timeout=15_000)
        assert_same_as_stored(tab, staffed_service)


@pytest.mark.slow
def test_ten_cuts_lose_and_double_nothing(page: Page, agent: Agent, staffed_service: RunningService) -> None:
    """The connection is cut at random points, in answers and in requests, while both sides write."""
    random = Random(20)
    citizen: list[str] = []
    official: list[str] = []
    with cutting_proxy(staffed_service.url) as proxy:
        widget = ChatWidget(page, proxy.url).visit().open()
        conversation = connect(widget, agent)
        for _ in range(10):
            before = proxy.cuts
            cut = random.choice([proxy.cut_answers_after, proxy.cut_requests_after])
            cut(random.randrange(1, 1_200))
            while proxy.cuts == before:
                citizen.append(f"Frage {len(citizen)}")
                official.append(f"Antwort {len(official)}")
                widget.send(citizen[-1])
                agent.say(conversation, official[-1])
                widget.wait_until_settled()
        stored = assert_same_as_stored(widget, staffed_service)

        said = {author: [one["text"] for one in stored if one["author"] == author] for author in ("citizen", "agent")}
        assert said == {"citizen": citizen, "agent": official}
        heard = [data["message"]["text"] for name, data in agent.heard if name == "message"]
        agent.wait_for("message", lambda data: data["message"]["text"] == citizen[-1])
        assert [text for text in heard if text.startswith("Frage")] == citizen


# Nobody there: a callback


def fill(widget: ChatWidget, values: dict[str, str]) -> None:
    for label, value in values.items():
        widget.panel.get_by_label(label, exact=True).fill(value)


def send_callback(widget: ChatWidget) -> None:
    widget.panel.locator("form.fields").get_by_role("button", name="Rückruf vereinbaren").click()


def test_where_nobody_is_there_a_callback_is_left(widget: ChatWidget, staffed_service: RunningService) -> None:
    widget.say(QUESTION)
    widget.human.click()
    expect(widget.offer).to_contain_text("Im Chat ist gerade niemand frei.")
    expect(widget.live).to_contain_text("Im Chat ist gerade niemand frei.")
    expect(widget.problem).to_be_hidden()
    widget.offer.get_by_role("button", name="Rückruf vereinbaren").click()
    expect(widget.panel.get_by_role("heading", name="Rückruf vereinbaren")).to_be_focused()

    fill(widget, {"Telefonnummer": "12"})
    send_callback(widget)
    for label, mistake in {
        "Ihr Name": "Bitte nennen Sie Ihren Namen.",
        "Telefonnummer": "Diese Telefonnummer stimmt nicht.",
        "Worum geht es?": "Bitte schreiben Sie, worum es geht.",
    }.items():
        field = widget.panel.get_by_label(label, exact=True)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile(re.escape(mistake)))
    expect(widget.panel.get_by_label("Ihr Name")).to_be_focused()

    consent = widget.panel.get_by_role("checkbox", name=re.compile("einverstanden.*spätestens nach 30 Tagen"))
    expect(consent).to_have_accessible_description("Ohne Ihre Zustimmung dürfen wir Ihre Angaben nicht speichern.")

    fill(widget, CALLBACK)
    send_callback(widget)
    expect(consent).to_be_focused()
    consent.check()
    send_callback(widget)
    expect(widget.panel.get_by_role("heading", name="Vielen Dank")).to_be_focused()
    thanks = r"Bürgerservice Jena meldet sich bis \w+, \d+\. \w+, [\d:]+ Uhr bei Ihnen\."
    expect(widget.panel.locator(".thanks")).to_have_text(re.compile(thanks))

    button(widget, "Zurück zur Unterhaltung").click()
    expect(widget.last).to_have_text(re.compile(thanks))
    everything = repr([widget.kept, widget.messages, _rows(staffed_service, "SELECT * FROM callbacks")])
    assert not [secret for secret in ("Seltenername", "123456", "Seltenanliegen") if secret in everything]
    widget.menu("Unterhaltung beenden und löschen")
    expect(widget.panel).to_contain_text("Ihr Rückrufwunsch bleibt gespeichert, bis er erledigt ist.")


def test_callback_that_got_lost_is_sent_again_and_is_one(widget: ChatWidget, staffed_service: RunningService) -> None:
    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    before = len(_rows(staffed_service, "SELECT id FROM callbacks"))
    widget.menu("Rückruf vereinbaren")
    fill(widget, CALLBACK)
    widget.panel.get_by_role("checkbox").check()
    widget.page.route("**/callback", lose_the_answer, times=1)
    send_callback(widget)
    expect(widget.panel.get_by_role("alert")).to_contain_text(["Ihre Angaben stehen noch da."])
    expect(widget.panel.get_by_label("Ihr Name")).to_have_value(CALLBACK["Ihr Name"])
    send_callback(widget)
    expect(widget.panel.locator(".thanks")).to_be_visible()

    assert len(_rows(staffed_service, "SELECT id FROM callbacks")) == before + 1


def test_what_is_typed_for_a_callback_stays_while_the_panel_is_closed(widget: ChatWidget) -> None:
    widget.menu("Rückruf vereinbaren")
    fill(widget, CALLBACK)
    widget.panel.get_by_role("button", name="Schließen").click()
    widget.launcher.click()
    expect(widget.panel.get_by_label("Worum geht es?")).to_have_value(CALLBACK["Worum geht es?"])
    assert "Selten" not in repr(widget.kept)
    widget.page.keyboard.press("Escape")
    expect(widget.field).to_be_visible()


def test_answer_that_names_the_office_offers_a_callback_while_the_bot_answers(widget: ChatWidget, agent: Agent) -> None:
    agent.staff.come("away")
    answer = widget.say("Ich möchte mit einem Menschen sprechen")
    answer.get_by_role("button", name="Rückruf vereinbaren").click()
    expect(widget.panel.get_by_role("heading", name="Rückruf vereinbaren")).to_be_focused()
    widget.page.keyboard.press("Escape")
    expect(answer.get_by_role("button", name="Rückruf vereinbaren")).to_be_focused()
    agent.staff.come()
    queue(widget)

    expect(answer.get_by_role("button", name="Rückruf vereinbaren")).to_be_hidden()


def test_callback_instead_of_waiting(widget: ChatWidget, agent: Agent) -> None:
    queue(widget)
    button(widget, "Lieber zurückrufen lassen").click()
    expect(widget.panel).to_contain_text("Ist Ihr Wunsch notiert, warten Sie nicht mehr")
    fill(widget, CALLBACK)
    widget.panel.get_by_role("checkbox").check()
    send_callback(widget)
    expect(widget.panel.locator(".thanks")).to_be_visible()
    button(widget, "Zurück zur Unterhaltung").click()

    expect(widget.human).to_be_visible()
    expect(widget.who).to_have_text("Hier antwortet ein Computerprogramm.")


# The end


def test_agent_closes_and_the_citizen_rates(widget: ChatWidget, agent: Agent, staffed_service: RunningService) -> None:
    conversation = connect(widget, agent)
    agent.finish(conversation)
    expect(widget.page.locator("stadtbot-chat .ended")).to_contain_text("Die Stadtverwaltung hat das Gespräch beendet.")
    expect(widget.last).to_contain_text("Die Stadtverwaltung hat das Gespräch beendet.")
    expect(widget.who).to_have_text("Hier antwortet niemand mehr.")
    grades = widget.panel.get_by_role("group", name="Wie zufrieden waren Sie?")
    expect(grades.get_by_role("radio")).to_have_count(6)
    grades.get_by_role("radio", name="1 sehr gut").focus()
    widget.page.keyboard.press("Space")
    widget.page.keyboard.press("ArrowRight")
    widget.panel.get_by_label("Möchten Sie etwas dazu sagen?").fill("Schnelle Hilfe.")
    button(widget, "Bewertung senden").click()
    expect(widget.panel.get_by_text("Danke für Ihre Rückmeldung.")).to_be_focused()

    rated = _rows(
        staffed_service, f"SELECT seq, rating, comment FROM feedback WHERE conversation_id = '{conversation}'"
    )
    assert rated == [(0, "2", "Schnelle Hilfe.")]
    button(widget, "Neue Unterhaltung").click()
    expect(widget.entries).to_have_count(1)
    expect(widget.who).to_have_text("Hier antwortet ein Computerprogramm.")


def test_what_could_not_be_said_any_more_is_given_back(widget: ChatWidget, agent: Agent) -> None:
    conversation = connect(widget, agent)
    widget.page.route("**/messages", lambda route: route.abort())
    widget.send("Eins")
    widget.send("Zwei")
    agent.finish(conversation)
    widget.page.unroute("**/messages")
    button(widget, "Neue Unterhaltung").click()

    expect(widget.field).to_have_value("Eins\nZwei")


# Notices and the switch


class Editor:
    """Whoever sets a notice."""

    id = "test"
    login = "test"


@contextmanager
def noticed(service: RunningService, **draft: Any) -> Iterator[Callable[[], None]]:
    """A notice that another process has set; gives what ends it."""
    database = Database(service.database_url)
    store = NoticeStore(database, SystemClock(), AuditLog(database, SystemClock()))
    ends_at = SystemClock().now() + dt.timedelta(hours=1)
    id = store.add(NoticeDraft(comment="Test", ends_at=ends_at, **draft), by=Editor())
    ended: list[int] = []

    def end() -> None:
        if not ended:
            ended.append(id)
            store.end(id, by=Editor())

    yield end
    end()
    database.close()


def test_notice_comes_and_goes_in_the_open_panel(widget: ChatWidget, staffed_service: RunningService) -> None:
    with noticed(staffed_service, text="Das **Rathaus** bleibt heute zu.") as end:
        expect(widget.notices).to_have_text("Das Rathaus bleibt heute zu.", timeout=FIVE_SECONDS)
        expect(widget.live).to_contain_text("Das Rathaus bleibt heute zu.")
        end()
        expect(widget.notices).to_be_hidden(timeout=FIVE_SECONDS)


def test_bot_that_is_switched_off_leaves_the_way_to_humans(
    widget: ChatWidget, agent: Agent, staffed_service: RunningService
) -> None:
    with noticed(staffed_service, silences_bot=True) as end:
        expect(widget.who).to_have_text("Das Computerprogramm ist gerade ausgeschaltet.", timeout=FIVE_SECONDS)
        expect(widget.notices).to_contain_text("Der digitale Auskunftsdienst ist gerade ausgeschaltet.")
        expect(widget.say(QUESTION)).to_contain_text("ausgeschaltet")
        connect(widget, agent)
        end()
        expect(widget.notices).to_be_hidden(timeout=FIVE_SECONDS)


def test_panel_opened_while_the_bot_is_off(page: Page, agent: Agent, staffed_service: RunningService) -> None:
    with noticed(staffed_service, silences_bot=True):
        time.sleep(1.1)  # the service looks at notices once a second
        widget = ChatWidget(page, staffed_service.url).visit().open()
        expect(widget.who).to_have_text("Das Computerprogramm ist gerade ausgeschaltet.")
        connect(widget, agent)


# For everybody


def walk(widget: ChatWidget, agent: Agent) -> Iterator[str]:
    """Goes through everything that can be seen, one after the other; gives the name of each."""
    agent.staff.come("away")
    expect(widget.notices).to_be_visible(timeout=FIVE_SECONDS)
    yield "notice"
    widget.human.click()
    expect(widget.offer).to_be_visible()
    yield "nobody"
    widget.offer.get_by_role("button").click()
    yield "callback"
    send_callback(widget)
    expect(widget.panel.get_by_label("Ihr Name")).to_have_attribute("aria-invalid", "true")
    yield "mistakes"
    widget.page.keyboard.press("Escape")
    agent.staff.come()
    queue(widget)
    yield "queued"
    conversation = agent.take(widget)
    agent.say(conversation, "Guten Tag.")
    expect(widget.last).to_contain_text("Guten Tag.")
    agent.act(conversation, typing=True)
    expect(widget.panel.get_by_text("schreibt …")).to_be_visible()
    yield "agent"
    button(widget, "Gespräch mit dem Menschen beenden").click()
    yield "leaving"
    agent.finish(conversation)
    expect(button(widget, "Neue Unterhaltung")).to_be_visible()
    yield "closed"
    widget.panel.get_by_role("radio", name="2").check(force=True)
    expect(button(widget, "Bewertung senden")).to_be_visible()
    yield "rating"
    widget.menu("Rückruf vereinbaren")
    fill(widget, CALLBACK)
    widget.panel.get_by_role("checkbox").check()
    send_callback(widget)
    expect(widget.panel.locator(".thanks")).to_be_visible()
    yield "thanks"


SIZES = [(320, 640), (768, 1024), (1280, 860)]


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_in_any_state(
    browser: Browser, agent: Agent, staffed_service: RunningService, output: Any, look: str
) -> None:
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, "locale": "de-DE", **LOOKS[look]})  # type: ignore[arg-type]
    page = context.new_page()
    found: dict[str, list[str]] = {}
    with noticed(staffed_service, text="Das Rathaus bleibt heute zu."):
        widget = ChatWidget(page, staffed_service.url).visit().open()
        for state in walk(widget, agent):
            found[state] = violations(page)
            page.screenshot(path=output / f"handover-{look}-{state}.png")
    context.close()

    assert {state: wrong for state, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(("width", "height"), [*SIZES, (320, 256)])
def test_every_state_fits(
    page: Page, agent: Agent, staffed_service: RunningService, output: Any, width: int, height: int
) -> None:
    """Nothing scrolls sideways, at 400 % neither; what can be pressed is large enough for a thumb."""
    page.set_viewport_size({"width": width, "height": height})
    small = """element => [...element.shadowRoot.querySelectorAll('button, textarea, input, .grade, a.primary')]
        .filter((node) => node.checkVisibility() && node.type !== 'checkbox' && node.type !== 'radio')
        .map((node) => [node.innerText || node.id, node.getBoundingClientRect()])
        .filter(([, box]) => box.height < 44 || box.width < 40)
        .map(([name, box]) => `${name} ${box.width} x ${box.height}`)"""
    with noticed(staffed_service, text="Das Rathaus bleibt heute zu. Bitte kommen Sie an einem anderen Tag."):
        widget = ChatWidget(page, staffed_service.url).visit().open()
        for state in walk(widget, agent):
            page.screenshot(path=output / f"handover-{width}x{height}-{state}.png")
            assert_no_sideways_scrolling(widget)
            assert widget.host.evaluate(small) == [], state


def test_by_keyboard_alone(widget: ChatWidget, agent: Agent) -> None:
    page = widget.page
    expect(widget.field).to_be_focused()
    _tab_to(widget, "Mit einem Menschen sprechen")
    page.keyboard.press("Enter")
    expect(widget.place).to_contain_text("Stelle")
    _tab_to(widget, "Nicht mehr warten")
    page.keyboard.press("Enter")
    expect(widget.human).to_be_visible()
    _tab_to(widget, "Mit einem Menschen sprechen")
    page.keyboard.press("Space")
    expect(widget.place).to_contain_text("Stelle")
    conversation = agent.take(widget)
    expect(widget.who).to_contain_text(NAME)
    _tab_to(widget, "Gespräch mit dem Menschen beenden")
    page.keyboard.press("Enter")
    _tab_to(widget, "Weiter miteinander sprechen")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(widget.field).to_be_focused()
    page.keyboard.type("Ohne Maus")
    page.keyboard.press("Enter")
    agent.wait_for("message", lambda data: data["message"]["text"] == "Ohne Maus")
    agent.finish(conversation)
    expect(button(widget, "Neue Unterhaltung")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(widget.panel.get_by_role("radio", checked=True)).to_have_count(1)


def _tab_to(widget: ChatWidget, name: str) -> None:
    script = "element => element.shadowRoot.activeElement?.innerText?.trim()"
    for _ in range(8):
        widget.page.keyboard.press("Tab")
        if widget.host.evaluate(script) == name:
            return
    pytest.fail(f"{name!r} cannot be reached by keyboard")


def _rows(service: RunningService, statement: str) -> list[tuple[object, ...]]:
    engine = sa.create_engine(service.database_url)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(sa.text(statement))]
    engine.dispose()
    return rows
