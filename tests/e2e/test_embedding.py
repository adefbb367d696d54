"""The chat on another site: one script tag, a strict content security policy, no third party, little weight."""

from __future__ import annotations

import gzip
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.chat_widget import ChatWidget
from tests.running import ROOT, RunningService, running_service

MODULES = sorted((ROOT / "bot" / "widget").glob("*.js"))
PAGE = """<!doctype html>
<html lang="de"><head><meta charset="utf-8"><title>Eine andere Website</title>
<script type="module" src="{service}/widget/stadtbot.js" data-site="jena"></script></head>
<body><main><h1>Eine andere Website</h1></main></body></html>"""
POLICY = (
    "default-src 'self'; script-src 'self' {service}; connect-src 'self' {service}; style-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


class _Site(ThreadingHTTPServer):
    """A website that knows of the chat nothing but its address."""

    service = ""
    daemon_threads = True

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Pages(BaseHTTPRequestHandler):
    server: _Site

    def do_GET(self) -> None:
        body = PAGE.format(service=self.server.service).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", POLICY.format(service=self.server.service))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing to the terminal."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A site, and the service that knows it."""

    site: str
    service: str


@pytest.fixture(scope="module")
def embedded(service: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """A second replica of the service, whose city allows one more origin: that of a site on another port."""
    site = _Site(("127.0.0.1", 0), _Pages)
    thread = threading.Thread(target=site.serve_forever, daemon=True)
    thread.start()
    city = _city_with_origin(tmp_path_factory.mktemp("city"), site.origin)
    replica = running_service(
        tmp_path_factory.mktemp("replica"),
        STADTBOT_RASA_URL=service.rasa_url,
        STADTBOT_DATABASE_URL=service.database_url,
        STADTBOT_RASA_DATABASE_URL=service.rasa_database_url,
        STADTBOT_CITY_FOLDER=str(city),
    )
    with replica as running:
        site.service = running.url
        yield Embedded(site.origin, running.url)
    site.shutdown()
    site.server_close()
    thread.join()


def _city_with_origin(folder: Path, origin: str) -> Path:
    city = folder / "jena"
    shutil.copytree(ROOT / "training_data" / "cities" / "jena", city)
    sites = city / "sites.toml"
    changed = re.sub(r"^origins = \[", f'origins = ["{origin}", ', sites.read_text(), count=1, flags=re.MULTILINE)
    sites.write_text(changed)
    return city


def test_one_script_tag_under_a_strict_policy(page: Page, embedded: Embedded) -> None:
    """The `page` fixture fails the test for any violation of the policy."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    widget = ChatWidget(page, embedded.site).visit().open()
    expect(widget.say("Was kostet ein Personalausweis?").get_by_role("heading")).to_have_text("Personalausweis")
    widget.menu("Schrift größer")
    widget.panel.get_by_role("button", name="Zurück zur Unterhaltung").click()
    before = widget.messages
    page.reload()
    expect(widget.entries).to_have_count(len(before))

    assert widget.messages == before
    assert page.locator("stadtbot-chat").count() == 1
    assert page.locator("stadtbot-chat [style]").count() == 0
    assert {_origin(url) for url in requests} <= {embedded.site, embedded.service}


def test_site_that_is_not_allowed_gets_nothing(page: Page, embedded: Embedded, service: RunningService) -> None:
    """`localhost` is another origin than 127.0.0.1: its pages must not even load the script."""
    page.goto(embedded.site.replace("127.0.0.1", "localhost"))
    assert not page.evaluate("() => Boolean(customElements.get('stadtbot-chat'))")


def test_legal_links_lead_to_the_service(page: Page, embedded: Embedded) -> None:
    widget = ChatWidget(page, embedded.site).visit().open()
    widget.panel.get_by_role("button", name="Menü").click()

    link = widget.panel.get_by_role("link", name="Datenschutz")
    assert link.get_attribute("href") == f"{embedded.service}/datenschutz"


def test_page_may_have_the_element_itself(page: Page, service: RunningService) -> None:
    html = '<!doctype html><stadtbot-chat site="jena" label="Noch Fragen?"></stadtbot-chat>'
    html += '<script type="module" src="/widget/stadtbot.js"></script>'
    page.route("**/eigene-seite", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{service.url}/eigene-seite")

    expect(page.get_by_role("button", name="Noch Fragen?")).to_be_visible()
    assert page.locator("stadtbot-chat").count() == 1


def test_demo_page_asks_no_third_party(page: Page, service: RunningService) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    ChatWidget(page, service.url).visit().open().say("Was kostet ein Personalausweis?")

    assert {_origin(url) for url in requests} == {service.url}


def test_weight() -> None:
    sizes = {module.name: len(gzip.compress(module.read_bytes())) for module in MODULES}

    assert sizes["stadtbot.js"] <= 5_000
    assert sum(sizes.values()) <= 40_000


def test_only_the_launcher_is_loaded_before_the_chat_is_opened(page: Page, service: RunningService) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    ChatWidget(page, service.url).visit()

    assert [url for url in requests if "/widget/" in url] == [f"{service.url}/widget/stadtbot.js"]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
