"""WCAG 2.2 AA, and contrast as AAA wants it: by axe-core, by keyboard, by size."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.chat_widget import ChatWidget

QUESTION = "Was kostet ein Personalausweis?"
LIFE_SITUATION = "Wir bekommen ein Baby, was müssen wir machen?"
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "rules": {"color-contrast-enhanced": {"enabled": True}, "target-size": {"enabled": True}},
}

STATES: dict[str, Callable[[ChatWidget], object]] = {
    "closed": lambda widget: None,
    "open": lambda widget: widget.open(),
    "card": lambda widget: widget.open().say(QUESTION),
    "clarification": lambda widget: widget.open().say(LIFE_SITUATION),
    "menu": lambda widget: widget.open().panel.get_by_role("button", name="Menü").click(),
    "erasing": lambda widget: widget.open().menu("Unterhaltung beenden und löschen"),
}
LOOKS: dict[str, dict[str, object]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "forced": {"forced_colors": "active"},
    "narrow": {"viewport": {"width": 320, "height": 640}},
}


def violations(page: Page) -> list[str]:
    """What axe-core objects to, one line each."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


@pytest.fixture
def context_options(request: pytest.FixtureRequest) -> dict[str, object]:
    look = request.node.callspec.params.get("look", "light") if hasattr(request.node, "callspec") else "light"
    return LOOKS[look]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(widget: ChatWidget, look: str, state: str) -> None:
    STATES[state](widget)

    assert violations(widget.page) == []


@pytest.mark.parametrize("path", ["/datenschutz", "/impressum", "/barrierefreiheit"])
def test_axe_finds_nothing_on_the_other_pages(widget: ChatWidget, path: str) -> None:
    widget.visit(path)

    assert violations(widget.page) == []


def test_everything_by_keyboard(widget: ChatWidget) -> None:
    """From the page into the chat, a question, a choice, thumbs, the menu, and back to the page."""
    page = widget.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Zum Inhalt")).to_be_focused()
    widget.launcher.focus()
    page.keyboard.press("Enter")
    expect(widget.field).to_be_focused()

    def ask() -> None:
        page.keyboard.type(QUESTION)
        page.keyboard.press("Enter")

    card = widget.answer_to(ask)
    expect(widget.field).to_be_focused()
    _tab_back_to(widget, "Antwort drucken")
    _tab_back_to(widget, "Nein")
    _tab_back_to(widget, "Ja")
    page.keyboard.press("Space")
    expect(card).to_contain_text("Danke")
    _tab_back_to(widget, "Unterlagen")
    widget.answer_to(lambda: page.keyboard.press("Enter"))
    expect(widget.last.get_by_role("heading")).to_have_text("Personalausweis")

    widget.panel.get_by_role("button", name="Menü").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(widget.panel.get_by_role("button", name="Zurück zur Unterhaltung")).to_be_focused()
    page.keyboard.press("Escape")
    expect(widget.panel.get_by_role("button", name="Menü")).to_be_focused()
    page.keyboard.press("Escape")
    expect(widget.launcher).to_be_focused()


def _tab_back_to(widget: ChatWidget, name: str) -> None:
    script = "element => element.shadowRoot.activeElement?.innerText?.trim()"
    for _ in range(25):
        widget.page.keyboard.press("Shift+Tab")
        if widget.host.evaluate(script) == name:
            return
    pytest.fail(f"{name!r} cannot be reached by keyboard")


def test_every_focus_can_be_seen(widget: ChatWidget) -> None:
    widget.open().say(QUESTION)
    widget.panel.get_by_role("heading", name="Auskunft").focus()
    script = """element => {
        const focused = element.shadowRoot.activeElement;
        const style = focused && getComputedStyle(focused);
        return focused && [focused.innerText || focused.localName, style.outlineStyle, parseFloat(style.outlineWidth)];
    }"""
    seen = 0
    for _ in range(25):
        widget.page.keyboard.press("Tab")
        focused = widget.host.evaluate(script)
        if focused is None:
            break
        seen += 1
        assert focused[1:] == ["solid", 3], focused
    assert seen > 10


@pytest.mark.parametrize("look", ["narrow"])
def test_chat_over_the_whole_screen_keeps_the_focus(widget: ChatWidget, look: str) -> None:
    widget.open()
    for _ in range(12):
        widget.page.keyboard.press("Tab")
        focused = widget.page.evaluate("document.activeElement.localName")
        assert focused in ("stadtbot-chat", "body"), "the page behind the chat has the focus"


def test_new_answers_are_announced_even_when_they_are_the_same(widget: ChatWidget) -> None:
    widget.open()
    live = widget.page.locator("stadtbot-chat [aria-live=polite] p")
    widget.host.evaluate("""element => {
        self.announced = [];
        const live = element.shadowRoot.querySelector('div[aria-live=polite]');
        new MutationObserver((changes) => changes.forEach(({ addedNodes }) =>
            addedNodes.forEach((node) => announced.push(node.textContent)))).observe(live, { childList: true });
    }""")
    widget.say(QUESTION)
    widget.say(QUESTION)
    announced = widget.page.evaluate("() => announced")

    assert len(announced) == 2
    assert announced[0] == announced[1]
    assert announced[0].startswith("Auskunft: Personalausweis: ")
    assert "46 Euro" in announced[0]
    expect(live.last).to_have_attribute("lang", "de")


def test_choices_are_announced_with_their_numbers(widget: ChatWidget) -> None:
    widget.open().say(LIFE_SITUATION)

    expect(widget.page.locator("stadtbot-chat div[aria-live=polite] p").last).to_contain_text("Zur Auswahl: 1. ")


def test_log_does_not_speak_beside_the_announcer(widget: ChatWidget) -> None:
    widget.open()

    expect(widget.panel.get_by_role("log", name="Unterhaltung")).to_have_attribute("aria-live", "off")


def assert_no_sideways_scrolling(widget: ChatWidget) -> None:
    """Neither the page nor anything in the chat is wider than its room."""
    script = """element => [...element.shadowRoot.querySelectorAll('.log, .menu, .panel, .foot')]
        .concat(document.scrollingElement)
        .filter((node) => node.scrollWidth > node.clientWidth + 1).map((node) => node.className || node.localName)"""
    assert widget.host.evaluate(script) == []


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("width", "height"), [(320, 640), (320, 256)])
def test_reflow_at_320_pixels_and_at_400_percent(widget: ChatWidget, state: str, width: int, height: int) -> None:
    """1280 × 1024 at 400 % is 320 × 256."""
    widget.page.set_viewport_size({"width": width, "height": height})
    STATES[state](widget)

    assert_no_sideways_scrolling(widget)


def test_everything_can_be_reached_at_400_percent(widget: ChatWidget) -> None:
    widget.page.set_viewport_size({"width": 320, "height": 256})
    widget.open()
    expect(widget.panel.get_by_role("heading", name="Auskunft")).to_be_focused()
    card = widget.say(QUESTION)
    expect(card.get_by_role("heading")).to_be_in_viewport()
    for target in (card.get_by_role("button", name="Antwort drucken"), widget.field):
        target.scroll_into_view_if_needed()
        expect(target).to_be_in_viewport(ratio=0.9)


def test_text_size(widget: ChatWidget) -> None:
    widget.open().say(QUESTION)
    before = widget.last.evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
    widget.menu("Schrift größer")
    for _ in range(6):
        widget.panel.get_by_role("button", name="Schrift größer").click(force=True)
    widget.panel.get_by_role("button", name="Zurück zur Unterhaltung").click()

    assert widget.last.evaluate("node => parseFloat(getComputedStyle(node).fontSize)") == 2 * before
    assert_no_sideways_scrolling(widget)
    widget.page.reload()
    expect(widget.last).to_be_visible()
    assert widget.last.evaluate("node => parseFloat(getComputedStyle(node).fontSize)") == 2 * before


@pytest.mark.parametrize("look", ["narrow"])
def test_targets_are_large_enough_for_a_thumb(widget: ChatWidget, look: str) -> None:
    """44 px, except for links inside a sentence."""
    widget.open().say(QUESTION)
    script = """element => [...element.shadowRoot.querySelectorAll('button, textarea, a.primary, a.action, a.phone')]
        .filter((node) => node.checkVisibility())
        .map((node) => [node.innerText || node.localName, node.getBoundingClientRect()])
        .filter(([, box]) => box.height < 44 || (box.width < 44))
        .map(([name, box]) => `${name} ${box.width} × ${box.height}`)"""
    assert widget.host.evaluate(script) == []


def test_nothing_moves_by_itself(widget: ChatWidget) -> None:
    widget.open().say(QUESTION)
    script = """element => [...element.shadowRoot.querySelectorAll('*')].filter((node) => {
        const style = getComputedStyle(node);
        return style.animationName !== 'none' || parseFloat(style.transitionDuration) > 0;
    }).length"""
    assert widget.host.evaluate(script) == 0


def test_text_spacing_of_the_reader_breaks_nothing(widget: ChatWidget) -> None:
    """WCAG 1.4.12."""
    widget.page.set_viewport_size({"width": 320, "height": 640})
    widget.open().say(QUESTION)
    widget.host.evaluate("""element => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(`
            * { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
            p { margin-bottom: 2em !important }`);
        element.shadowRoot.adoptedStyleSheets = [...element.shadowRoot.adoptedStyleSheets, sheet];
    }""")

    assert_no_sideways_scrolling(widget)


def test_right_to_left_page_gets_the_chat_on_its_own_side(widget: ChatWidget) -> None:
    widget.page.evaluate("() => document.documentElement.dir = 'rtl'")
    box = widget.launcher.bounding_box()

    assert box and box["x"] < 100
