"""A browser and the chat in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.chat_widget import ChatWidget
from tests.running import ROOT, RunningService

DEBIANS_CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-dev-shm-usage",
]
OUTPUT = ROOT / "tests" / "output"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's chromium, or Playwright's own where there is none.

    It ends with this folder's tests: as long as Playwright is there an event loop runs in the main thread, and no
    other test could start one.
    """
    with sync_playwright() as playwright:
        path = DEBIANS_CHROMIUM if DEBIANS_CHROMIUM.exists() else None
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context_options() -> dict[str, object]:
    """What a test may override about the browser: size, colours, contrast."""
    return {}


@pytest.fixture
def page(browser: Browser, context_options: dict[str, object]) -> Iterator[Page]:
    """A page in a fresh browser profile. Script errors and violations of a content security policy fail the test."""
    options = {"viewport": {"width": 1280, "height": 900}, "locale": "de-DE", **context_options}
    context = browser.new_context(**options)  # type: ignore[arg-type]  # a dict of keyword arguments
    context.set_default_timeout(20_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if "Content Security" in message.text else None)
    yield page
    context.close()
    if errors:
        pytest.fail("\n".join(errors))


@pytest.fixture
def widget(page: Page, service: RunningService) -> ChatWidget:
    """The chat on the demo city's page, not opened yet."""
    return ChatWidget(page, service.url).visit()


@pytest.fixture(scope="session")
def output() -> Path:
    """Where pictures go."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    return OUTPUT
