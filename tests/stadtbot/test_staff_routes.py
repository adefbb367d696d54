"""Every route below `/mitarbeit`, whichever room it is of: nobody gets in without session, role and token."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from httpx2 import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from core.accounts import Role
from core.gate import Entrance
from core.staff_pages import PREFIX
from stadtbot.app import Stadtbot
from stadtbot.settings import Settings

ORIGIN = "https://stadt.example"
COOKIE = "__Host-mitarbeit"
PUBLIC = {
    "/mitarbeit/anmelden",
    "/mitarbeit/anmelden/code",
    "/mitarbeit/anmelden/stadt",
    "/mitarbeit/anmelden/stadt/zurueck",
    "/mitarbeit/einrichten/{token}",
}
"""Routes for people who are not signed in; they have tests of their own."""
SAFE = {"GET", "HEAD"}
INLINE = re.compile(r'<style|<script(?![^>]* src=| type="application/json")|<[^>]+\s(on\w+|style)=')


@dataclass(frozen=True)
class StaffRoute:
    """A route with what its entrance wants."""

    method: str
    path: str
    entrances: tuple[Entrance, ...]

    @property
    def address(self) -> str:
        return re.sub(r"\{\w+(:\w+)?\}", "1", self.path)


def routes_of(routes: Sequence[BaseRoute]) -> Iterator[StaffRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            if route.path.startswith(PREFIX):
                for method in sorted(route.methods or ()):
                    yield StaffRoute(method, route.path, tuple(entrances_of(route.dependant)))
        elif isinstance(route, Mount):
            assert not route.path.startswith(PREFIX) or isinstance(route.app, StaticFiles), route.path
        elif router := getattr(route, "original_router", None):
            yield from routes_of(router.routes)


def entrances_of(dependant: Dependant) -> Iterator[Entrance]:
    if isinstance(dependant.call, Entrance):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from entrances_of(inner)


@pytest.fixture(scope="module")
def stadtbot(tmp_path_factory: pytest.TempPathFactory) -> Stadtbot:
    return Stadtbot(Settings(state_folder=Path(tmp_path_factory.mktemp("state")), _env_file=None))  # type: ignore[call-arg]


@pytest.fixture(scope="module")
def client(stadtbot: Stadtbot) -> TestClient:
    app = stadtbot.public_app()
    return TestClient(app, base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def routes(client: TestClient) -> list[StaffRoute]:
    return list(routes_of(client.app.routes))  # type: ignore[attr-defined]


@pytest.fixture
def closed(routes: list[StaffRoute]) -> list[StaffRoute]:
    """All routes but the public ones."""
    return [route for route in routes if route.path not in PUBLIC]


@pytest.fixture(scope="module")
def sign_in(stadtbot: Stadtbot) -> Callable[..., tuple[str, str]]:
    """Makes an account with roles; gives the token of a session and its token against other sites."""

    def sign_in(*roles: Role) -> tuple[str, str]:
        login = f"person{len(stadtbot.accounts.all())}"
        account = stadtbot.accounts.create(login=login, name="Amt", roles=roles, by=None)
        session, token = stadtbot.sessions.begin(account.id)
        return token, session.csrf

    return sign_in


def ask(client: TestClient, route: StaffRoute, token: str | None = None, **headers: str) -> Response:
    """Send a request without a body; event streams that open would be read no further than their headers."""
    client.cookies.clear()
    headers |= {"Cookie": f"{COOKIE}={token}"} if token else {}
    with client.stream(route.method, route.address, headers={"Origin": ORIGIN, **headers}) as response:
        assert response.status_code != HTTPStatus.OK or route.method in SAFE, route
        if response.status_code != HTTPStatus.OK:
            response.read()
        return response


def problems(answers: Iterator[tuple[StaffRoute, Response]], is_right: Callable[[Response], bool]) -> list[str]:
    return [f"{route.method} {route.path}: {answer.status_code}" for route, answer in answers if not is_right(answer)]


def is_refused(answer: Response) -> bool:
    """403 as a problem document or as a page."""
    return answer.status_code == HTTPStatus.FORBIDDEN


def test_there_are_routes(routes: list[StaffRoute]) -> None:
    paths = {route.path for route in routes}
    assert {"/mitarbeit", "/mitarbeit/konto", "/mitarbeit/konten", "/mitarbeit/protokoll"} <= paths


def test_every_route_has_one_entrance(closed: list[StaffRoute]) -> None:
    assert [route for route in closed if len(route.entrances) != 1] == []


def test_nobody_gets_in_without_a_session(client: TestClient, closed: list[StaffRoute]) -> None:
    def is_right(answer: Response) -> bool:
        location = answer.headers.get("location", "")
        to_sign_in = answer.status_code == HTTPStatus.SEE_OTHER and location.startswith("/mitarbeit/anmelden")
        return to_sign_in or answer.status_code == HTTPStatus.UNAUTHORIZED

    for token in (None, "unknown"):
        answers = ((route, ask(client, route, token)) for route in closed)
        assert problems(answers, is_right) == []


def test_nobody_gets_in_with_only_the_other_roles(
    client: TestClient, closed: list[StaffRoute], sign_in: Callable[..., tuple[str, str]]
) -> None:
    signed_in: dict[frozenset[Role], tuple[str, str]] = {}

    def answers() -> Iterator[tuple[StaffRoute, Response]]:
        for route in closed:
            (entrance,) = route.entrances
            if not entrance.roles:
                continue
            others = frozenset(Role) - frozenset(entrance.roles)
            for roles in (others, frozenset[Role]()):
                if roles not in signed_in:
                    signed_in[roles] = sign_in(*roles)
                token, csrf = signed_in[roles]
                yield route, ask(client, route, token, **{"X-CSRF-Token": csrf})

    assert problems(answers(), is_refused) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "wrong"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_nothing_is_changed_for_other_sites(
    client: TestClient, closed: list[StaffRoute], sign_in: Callable[..., tuple[str, str]], headers: dict[str, Any]
) -> None:
    token, csrf = sign_in(*Role)
    unsafe = [route for route in closed if route.method not in SAFE]
    assert unsafe
    answers = ((route, ask(client, route, token, **{"X-CSRF-Token": csrf, **headers})) for route in unsafe)
    assert problems(answers, is_refused) == []


def test_answers_are_not_kept_by_caches(client: TestClient, closed: list[StaffRoute]) -> None:
    answers = ((route, ask(client, route)) for route in closed)
    assert problems(answers, lambda answer: answer.headers["cache-control"] == "no-store") == []


def test_pages_may_not_be_framed_or_scripted(
    client: TestClient, routes: list[StaffRoute], sign_in: Callable[..., tuple[str, str]]
) -> None:
    """Every page that opens without a particular record has the closed policy and no inline script or style."""
    token, _ = sign_in(*Role)
    client.cookies.clear()
    seen = 0
    for route in routes:
        if route.method != "GET" or "{" in route.path or "/api/" in route.path or "/events" in route.path:
            continue
        answer = client.get(route.path, headers={"Cookie": f"{COOKIE}={token}"})
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        seen += 1
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy, route.path
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert not INLINE.search(answer.text), route.path
    assert seen >= 3
