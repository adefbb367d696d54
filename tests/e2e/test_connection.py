"""A lost connection loses and doubles nothing: the list in the browser is the one in the database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.chat_widget import ChatWidget
from tests.e2e.cutting_proxy import CuttingProxy, cutting_proxy
from tests.running import RunningService

LOST = "Verbindung unterbrochen. Ich versuche es weiter."


@pytest.fixture
def proxy(service: RunningService) -> Iterator[CuttingProxy]:
    with cutting_proxy(service.url) as proxy:
        yield proxy


@pytest.fixture
def widget(page: Page, proxy: CuttingProxy) -> ChatWidget:
    """The chat, reached through the proxy."""
    return ChatWidget(page, proxy.url).visit().open()


def assert_same_as_stored(widget: ChatWidget, service: RunningService, said: list[str]) -> None:
    """The list has every stored message once and in order, and every utterance was stored once."""
    widget.wait_until_settled()
    stored = widget.stored(service.url)
    expect(widget.entries).to_have_count(len(stored))
    shown = widget.messages
    assert [message["seq"] for message in shown] == [message["seq"] for message in stored]
    assert [message["seq"] for message in stored] == list(range(1, len(stored) + 1))
    assert [message["text"] for message in stored if message["author"] == "citizen"] == said
    assert [message["text"] for message in shown if message["author"] == "citizen"] == said


@pytest.mark.parametrize("after", [1, 9, 40, 170, 260, 420, 700, 1_200, 2_500])
def test_answer_is_cut_in_its_middle(
    widget: ChatWidget, proxy: CuttingProxy, service: RunningService, after: int
) -> None:
    said = ["Was kostet ein Personalausweis?", "Welche Unterlagen brauche ich?"]
    cuts = proxy.cuts
    for text in said:
        proxy.cut_answers_after(after)
        widget.send(text)
        widget.wait_until_settled()

    assert proxy.cuts > cuts
    assert_same_as_stored(widget, service, said)


@pytest.mark.parametrize("after", [1, 60, 300, 620])
def test_request_is_cut_in_its_middle(
    widget: ChatWidget, proxy: CuttingProxy, service: RunningService, after: int
) -> None:
    proxy.cut_requests_after(after)
    widget.send("Was kostet ein Personalausweis?")

    assert_same_as_stored(widget, service, ["Was kostet ein Personalausweis?"])


def test_what_happened_while_the_connection_was_lost_comes_afterwards(
    widget: ChatWidget, proxy: CuttingProxy, service: RunningService
) -> None:
    widget.say("Was kostet ein Personalausweis?")
    proxy.refuse = True
    proxy.cut_now()
    expect(widget.banner).to_have_text(LOST)
    elsewhere = "Wie lange dauert das?"
    assert widget.ask_service(service.url, "/messages", "POST", json={"text": elsewhere}).is_success
    widget.send("Und wo ist das?")
    expect(widget.field).to_have_value("")
    proxy.refuse = False
    expect(widget.banner).to_be_hidden(timeout=40_000)

    assert_same_as_stored(widget, service, ["Was kostet ein Personalausweis?", elsewhere, "Und wo ist das?"])


def test_messages_from_elsewhere_come_by_event(widget: ChatWidget, service: RunningService) -> None:
    text = "Was kostet ein Personalausweis?"
    widget.ask_service(service.url, "/messages", "POST", json={"text": text})

    expect(widget.last.get_by_role("heading")).to_have_text("Personalausweis")
    assert_same_as_stored(widget, service, [text])


def test_reload_while_an_utterance_is_on_its_way(
    widget: ChatWidget, proxy: CuttingProxy, service: RunningService
) -> None:
    proxy.cut_answers_after(1, then_refuse=True)
    widget.send("Was kostet ein Personalausweis?")
    expect(widget.banner).to_have_text(LOST)
    proxy.refuse = False
    widget.page.reload()
    expect(widget.last.get_by_role("heading")).to_have_text("Personalausweis")

    assert_same_as_stored(widget, service, ["Was kostet ein Personalausweis?"])


def test_service_that_is_away_at_the_beginning_is_tried_again(
    page: Page, proxy: CuttingProxy, service: RunningService
) -> None:
    widget = ChatWidget(page, proxy.url).visit()
    with page.expect_response("**/widget/panel.js"):
        page.evaluate("() => import('/widget/panel.js').then(() => true)")
    proxy.refuse = True
    proxy.cut_now()
    widget.launcher.click()
    expect(widget.banner).to_contain_text("Die Auskunft ist gerade nicht erreichbar. Ich versuche es weiter.")
    proxy.refuse = False
    widget.panel.get_by_role("button", name="Jetzt versuchen").click()

    expect(widget.entries).to_have_count(1)
    expect(widget.banner).to_be_hidden()


def test_two_windows_share_one_stream(widget: ChatWidget, service: RunningService) -> None:
    """The second window of the browser takes the stream over; both stay up to date."""
    other = ChatWidget(widget.page.context.new_page(), widget.url).visit().open()
    widget.ask_service(service.url, "/messages", "POST", json={"text": "Was kostet ein Reisepass?"})
    other.ask_service(service.url, "/messages", "POST", json={"text": "Was kostet ein Personalausweis?"})

    expect(other.last.get_by_role("heading")).to_have_text("Personalausweis")
    expect(widget.last.get_by_role("heading")).to_have_text("Reisepass", timeout=15_000)
    locks = widget.page.evaluate("async () => (await navigator.locks.query()).held.length")
    assert locks == 1


FRAMES = (
    'event: message\nid: 2\ndata: {"a": "ä"}\n\n'
    ": ping\n\n"
    'event: state\r\ndata: {"state":\r\ndata: "bot"}\r\n\r\n'
    'id: 3\ndata: {"half"'
)


def test_events_cut_anywhere_are_whole_or_not_there(page: Page, service: RunningService) -> None:
    page.goto(f"{service.url}/impressum")
    script = """async (text) => {
        const { serverEvents } = await import('/widget/stream.js');
        const bytes = new TextEncoder().encode(text);
        const read = async (chunks) => {
            const start = (stream) => { chunks.forEach((chunk) => stream.enqueue(chunk)); stream.close(); };
            const body = new ReadableStream({ start });
            const events = [];
            for await (const event of serverEvents(body)) events.push(event);
            return JSON.stringify(events);
        };
        const whole = await read([bytes]);
        for (let at = 0; at <= bytes.length; at += 1) {
            if (await read([bytes.slice(0, at), bytes.slice(at)]) !== whole) return `split at ${at}`;
            const part = await read([bytes.slice(0, at)]);
            const expected = JSON.parse(whole).slice(0, JSON.parse(part).length);
            if (JSON.stringify(expected) !== part) return `cut at ${at}`;
        }
        return JSON.parse(whole);
    }"""
    assert page.evaluate(script, FRAMES) == [
        {"name": "message", "id": "2", "data": {"a": "ä"}},
        {"name": "state", "id": "", "data": {"state": "bot"}},
    ]
