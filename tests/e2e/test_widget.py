"""What a citizen can do in the chat, with the real service behind it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, Route, expect

from tests.e2e.chat_widget import ChatWidget
from tests.running import RunningService

QUESTION = "Was kostet ein Personalausweis?"


def test_nothing_is_stored_or_asked_before_the_chat_is_opened(widget: ChatWidget) -> None:
    requests: list[str] = []
    widget.page.on("request", lambda request: requests.append(request.url))
    widget.visit("/impressum")

    assert widget.page.evaluate("[sessionStorage.length, localStorage.length, document.cookie]") == [0, 0, ""]
    assert not [url for url in requests if "/api/" in url]

    widget.open()
    assert set(widget.kept) == {"open", "id", "token", "pending"}


def test_greeting_tells_that_a_machine_talks(widget: ChatWidget) -> None:
    widget.open()

    expect(widget.last).to_contain_text("Computerprogramm")
    expect(widget.panel.get_by_text("Hier antwortet ein Computerprogramm.")).to_be_visible()


def test_question_gets_a_card(widget: ChatWidget) -> None:
    card = widget.open().say(QUESTION)

    expect(card.get_by_role("heading")).to_have_text("Personalausweis")
    expect(card).to_contain_text("46 Euro für Personen ab 24 Jahren")
    expect(card).to_contain_text("Bürgerservice")
    expect(card).to_contain_text("Quelle: buerger.thueringen.de")
    expect(card).to_contain_text("Stand: 29. Mai 2026")
    assert widget.last.locator("a.phone").get_attribute("href") == "tel:03641493800"


def test_aspect_button_answers_about_the_same_service(widget: ChatWidget) -> None:
    card = widget.open().say(QUESTION)
    follow_up = widget.answer_to(card.get_by_role("button", name="Unterlagen").click)

    expect(follow_up.get_by_role("heading")).to_have_text("Personalausweis")
    expect(follow_up).to_contain_text("bisheriger Ausweis oder Reisepass")
    assert [message["text"] for message in widget.messages if message["author"] == "citizen"][-1] == "Unterlagen"


def test_clarification_by_button(widget: ChatWidget) -> None:
    asked = widget.open().say("Wir bekommen ein Baby, was müssen wir machen?")
    choice = asked.locator(".choice").nth(1)
    label = choice.locator("span").last.inner_text()
    answer = widget.answer_to(choice.click)

    expect(answer.get_by_role("heading")).to_have_text(label)


def test_clarification_by_typed_number(widget: ChatWidget) -> None:
    asked = widget.open().say("Wir bekommen ein Baby, was müssen wir machen?")
    expect(asked.locator(".choice .number").first).to_have_text("1.")
    label = asked.locator(".choice").first.locator("span").last.inner_text()
    answer = widget.say("1")

    expect(answer.get_by_role("heading")).to_have_text(label)


def test_old_choices_stay_usable(widget: ChatWidget) -> None:
    widget.open().say(QUESTION)
    widget.say("Was kostet ein Reisepass?")
    first = widget.page.locator("stadtbot-chat .card").first
    answer = widget.answer_to(first.get_by_role("button", name="Unterlagen").click)

    expect(answer.get_by_role("heading")).to_have_text("Personalausweis")


def test_thumbs_are_stored_and_can_be_changed(widget: ChatWidget, service: RunningService) -> None:
    card = widget.open().say(QUESTION)
    helpful = card.get_by_role("group", name="War das hilfreich?")
    helpful.get_by_role("button", name="Ja").click()
    expect(helpful).to_contain_text("Danke")
    helpful.get_by_role("button", name="Nein").click()

    expect(helpful.get_by_role("button", name="Nein")).to_have_attribute("aria-pressed", "true")
    expect(helpful.get_by_role("button", name="Ja")).to_have_attribute("aria-pressed", "false")
    rows = _rows(service, "SELECT seq, rating FROM feedback WHERE conversation_id = :id", widget.kept["id"])
    assert rows == [(widget.newest, "down")]


def test_way_to_a_human_is_always_there(widget: ChatWidget) -> None:
    widget.open()
    widget.human.click()

    expect(widget.offer.get_by_role("link", name="03641 49-0")).to_have_attribute("href", "tel:03641490")
    expect(widget.offer.get_by_role("button", name="Rückruf vereinbaren")).to_be_visible()
    assert [message["author"] for message in widget.messages] == ["bot"]


def test_emergency_shows_the_number_as_a_call(widget: ChatWidget) -> None:
    answer = widget.open().say("Hilfe, hier brennt es!")

    assert answer.get_by_role("link", name="112").get_attribute("href") == "tel:112"


def test_tile_of_the_page_opens_the_chat_with_its_question(widget: ChatWidget) -> None:
    tile = widget.page.get_by_role("button", name="Reisepass")
    answer = widget.answer_to(tile.click)
    expect(answer.get_by_role("heading")).to_have_text(re.compile("Reisepass"))

    widget.field.press("Escape")
    expect(widget.panel).to_be_hidden()
    expect(tile).to_be_focused()


def test_question_field_of_the_page_asks_the_chat(widget: ChatWidget) -> None:
    widget.page.get_by_label("Ihre Frage an die Stadt").fill(QUESTION)
    answer = widget.answer_to(widget.page.get_by_role("button", name="Fragen", exact=True).click)

    expect(answer.get_by_role("heading")).to_have_text("Personalausweis")


def test_new_conversation_begins_afresh(widget: ChatWidget) -> None:
    widget.open().say(QUESTION)
    former = widget.kept["id"]
    widget.menu("Neue Unterhaltung")
    expect(widget.entries).to_have_count(1)

    assert widget.kept["id"] != former
    expect(widget.field).to_be_focused()


def test_end_and_erase(widget: ChatWidget, service: RunningService) -> None:
    widget.open().say(QUESTION)
    former = widget.kept["id"]
    widget.menu("Unterhaltung beenden und löschen")
    widget.panel.get_by_role("button", name="Nicht löschen").click()
    widget.panel.get_by_role("button", name="Unterhaltung beenden und löschen").click()
    widget.panel.get_by_role("button", name="Jetzt löschen").click()

    expect(widget.panel).to_contain_text("Die Unterhaltung ist gelöscht.")
    expect(widget.entries).to_have_count(0)
    assert not widget.kept["token"]
    assert _rows(service, "SELECT seq FROM messages WHERE conversation_id = :id", former) == []

    widget.panel.get_by_role("button", name="Neue Unterhaltung").click()
    expect(widget.entries).to_have_count(1)


def test_reload_keeps_the_conversation(widget: ChatWidget) -> None:
    widget.open().say(QUESTION)
    before = widget.messages
    widget.page.reload()
    expect(widget.panel).to_be_visible()
    expect(widget.entries).to_have_count(len(before))

    assert widget.messages == before
    expect(widget.say("Und welche Unterlagen brauche ich?").get_by_role("heading")).to_have_text("Personalausweis")


def test_closing_keeps_the_conversation(widget: ChatWidget) -> None:
    widget.open().say(QUESTION)
    before = widget.messages
    widget.panel.get_by_role("button", name="Schließen").click()
    expect(widget.launcher).to_be_focused()
    widget.page.reload()
    widget.open()
    expect(widget.entries).to_have_count(len(before))

    assert widget.messages == before


def test_vanished_conversation_gives_the_text_back_and_offers_a_new_one(
    widget: ChatWidget, service: RunningService
) -> None:
    widget.page.route("**/events", lambda route: route.abort())
    widget.open()
    widget.ask_service(service.url, "", "DELETE")
    widget.send("Meine mühsam getippte Frage")
    widget.panel.get_by_role("button", name="Neue Unterhaltung").click()

    expect(widget.entries).to_have_count(1)
    expect(widget.field).to_have_value("Meine mühsam getippte Frage")


def test_conversation_erased_elsewhere_is_offered_anew(widget: ChatWidget, service: RunningService) -> None:
    widget.open()
    widget.ask_service(service.url, "", "DELETE")

    expect(widget.panel.get_by_role("button", name="Neue Unterhaltung")).to_be_visible()


def test_refusal_of_the_service_is_shown(widget: ChatWidget) -> None:
    widget.open()
    detail = "Das waren sehr viele Nachrichten."
    answers = iter([429])

    def refuse_once(route: Route) -> None:
        status = next(answers, None)
        if status is None:
            route.continue_()
        else:
            body = f'{{"type": "/problems/too-many-requests", "status": 429, "detail": "{detail}"}}'
            headers = {"Retry-After": "1", "Content-Type": "application/problem+json"}
            route.fulfill(status=status, body=body, headers=headers)

    widget.page.route("**/messages", refuse_once)
    widget.send(QUESTION)
    expect(widget.problem).to_have_text(detail)
    expect(widget.last.get_by_role("heading")).to_have_text("Personalausweis")
    expect(widget.problem).to_be_hidden()


def test_slow_answer_is_shown_to_be_on_its_way(widget: ChatWidget) -> None:
    widget.open()
    held: list[Route] = []
    widget.page.route("**/messages", lambda route: held.append(route))
    widget.send(QUESTION)
    own = widget.page.locator("stadtbot-chat .message.citizen")

    expect(widget.panel.get_by_text("schreibt …")).to_be_visible()
    expect(own).to_have_text(re.compile(re.escape(QUESTION)))
    widget.answer_to(lambda: held[0].continue_())
    expect(widget.panel.get_by_text("schreibt …")).to_be_hidden()
    expect(own).to_have_count(1)


def test_text_that_is_too_long_is_counted_and_kept(widget: ChatWidget) -> None:
    widget.open()
    widget.field.fill("a" * 1_950)
    expect(widget.panel).to_contain_text("Noch 50 Zeichen möglich")
    widget.field.fill("ä" * 2_003)
    expect(widget.panel).to_contain_text("3 Zeichen zu viel")
    widget.field.press("Enter")

    expect(widget.entries).to_have_count(1)
    expect(widget.field).to_have_value("ä" * 2_003)


def test_shift_and_enter_begins_a_new_line(widget: ChatWidget) -> None:
    widget.open()
    widget.field.press_sequentially("Eins")
    height = widget.field.bounding_box()
    widget.field.press("Shift+Enter")
    widget.field.press_sequentially("Zwei")

    expect(widget.field).to_have_value("Eins\nZwei")
    taller = widget.field.bounding_box()
    assert height and taller and taller["height"] > height["height"]


def test_conversation_and_answer_can_be_saved(widget: ChatWidget) -> None:
    card = widget.open().say(QUESTION)
    with widget.page.expect_download() as answer:
        card.get_by_role("button", name="Antwort speichern").click()
    with widget.page.expect_download() as conversation:
        widget.menu("Unterhaltung speichern")

    saved = answer.value.path().read_text()
    assert "Personalausweis" in saved and "46 Euro" in saved and "29. Mai 2026" in saved
    assert re.fullmatch(r"unterhaltung-\d{4}-\d\d-\d\d\.txt", conversation.value.suggested_filename)
    text = conversation.value.path().read_text()
    assert QUESTION in text and "46 Euro" in text


def test_conversation_and_answer_can_be_printed(page: Page, service: RunningService) -> None:
    page.add_init_script(
        "self.print = () => top.dispatchEvent(new CustomEvent('printed', {detail: document.body.innerText}))"
    )
    page.add_init_script("self.papers = []; addEventListener('printed', (event) => papers.push(event.detail))")
    widget = ChatWidget(page, service.url).visit().open()
    card = widget.say(QUESTION)
    card.get_by_role("button", name="Antwort drucken").click()
    page.wait_for_function("() => papers.length === 1")
    widget.menu("Unterhaltung drucken")
    page.wait_for_function("() => papers.length === 2")

    answer, conversation = page.evaluate("papers")
    assert "46 Euro" in answer and QUESTION not in answer
    assert "46 Euro" in conversation and QUESTION in conversation


def test_legal_pages_are_linked(widget: ChatWidget) -> None:
    widget.open()
    widget.panel.get_by_role("button", name="Menü").click()

    for name, path in {
        "Datenschutz": "/datenschutz",
        "Impressum": "/impressum",
        "Barrierefreiheit": "/barrierefreiheit",
    }.items():
        link = widget.panel.get_by_role("link", name=name)
        assert link.get_attribute("href") == f"{widget.url}{path}"
        with widget.page.context.expect_page() as opened:
            link.click()
        expect(opened.value.get_by_role("heading", level=1)).to_have_text(name)
        opened.value.close()


def test_what_citizens_type_never_becomes_markup(widget: ChatWidget) -> None:
    widget.open().say('<img src=x onerror="document.title=1"> **fett** [x](javascript:alert(1))')
    own = widget.page.locator("stadtbot-chat .message.citizen").last

    expect(own).to_contain_text("<img src=x")
    assert own.locator("img, a, strong").count() == 0


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("Eins **zwei** drei", "<p>Eins <strong>zwei</strong> drei</p>"),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("Erst:\n1. a\n2. b", "<p>Erst:</p><ol><li>a</li><li>b</li></ol>"),
        ("Eins\nzwei\n\ndrei", "<p>Eins<br>zwei</p><p>drei</p>"),
        ("<b>x</b> & <script>", "<p>&lt;b&gt;x&lt;/b&gt; &amp; &lt;script&gt;</p>"),
        ("[böse](javascript:alert(1)) [x](data:text/html,y)", "<p><span>böse</span>) <span>x</span></p>"),
        ("[Anruf](tel:115)", '<p><a href="tel:115">Anruf</a></p>'),
    ],
)
def test_markdown_subset(page: Page, service: RunningService, text: str, markup: str) -> None:
    page.goto(f"{service.url}/impressum")
    script = """async (text) => {
        const { markdown } = await import('/widget/markdown.js');
        return markdown(text, 'neu').map((node) => node.outerHTML).join('');
    }"""
    assert page.evaluate(script, text) == markup


@pytest.mark.parametrize("accent", ["#00529e", "#ffd500", "#e3000f", "#7fba00", "#111111", "#eeeeee", "#c0ffee"])
def test_any_accent_gives_legible_colours(page: Page, service: RunningService, accent: str) -> None:
    page.goto(f"{service.url}/impressum")
    found = page.evaluate("async (accent) => (await import('/widget/look.js')).shades(accent)", accent)

    assert _contrast(found["--accent-text"], "#ffffff") >= 7
    assert _contrast(found["--accent-text-dark"], "#2a2e32") >= 7
    assert _contrast(found["--on-accent"].replace("#fff", "#ffffff", 1), accent) >= 4.5


def _contrast(first: str, second: str) -> float:
    """Contrast ratio by WCAG 2.2, computed apart from the widget's own."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _rows(service: RunningService, statement: str, conversation_id: str) -> list[tuple[object, ...]]:
    engine = sa.create_engine(service.database_url)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(sa.text(statement), {"id": conversation_id})]
    engine.dispose()
    return rows


def test_no_module_parses_markup_or_sets_inline_style() -> None:
    modules = (Path(__file__).resolve().parents[2] / "bot" / "widget").glob("*.js")
    for module in modules:
        source = module.read_text()
        for forbidden in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            ".style.",
            'style="',
            "eval(",
            "document.write",
        ):
            assert forbidden not in source, f"{module.name} uses {forbidden}"
