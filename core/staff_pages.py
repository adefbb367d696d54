"""The frame of every page that staff see: layout, navigation by role, texts, and the headers that keep it closed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from starlette.types import Scope

from core.accounts import Account, Role
from core.i18n import Phrases, UnknownPhrase
from core.sessions import StaffSession

FOLDER = Path(__file__).parent / "pages"
PREFIX = "/mitarbeit"
HOME = PREFIX
SIGN_IN = f"{PREFIX}/anmelden"
ZONE = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who is at the other end, and in which session."""

    account: Account
    session: StaffSession


@dataclass(frozen=True, slots=True, kw_only=True)
class NavEntry:
    """A page in the navigation, for accounts with one of the roles (for all without any)."""

    label: str
    href: str
    roles: frozenset[Role] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRoom:
    """Templates and texts of another room: `render(…, "name/page.html")` finds them."""

    name: str
    templates: Path
    phrases: Phrases


class StaffFiles(StaticFiles):
    """Scripts and styles of the pages; the browser asks each time whether they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def core_phrases() -> Phrases:
    """The texts of this room."""
    return Phrases(Path(__file__).parent / "locale")


@dataclass(frozen=True, kw_only=True)
class StaffPages:
    """Renders pages. `city` is in every title, `rooms` and `nav` come from the rooms above."""

    city: str
    rooms: Sequence[StaffRoom] = ()
    nav: Sequence[NavEntry] = ()
    phrases: Phrases = field(default_factory=core_phrases)

    def __post_init__(self) -> None:
        folders = {room.name: FileSystemLoader(room.templates) for room in self.rooms}
        loader = ChoiceLoader([FileSystemLoader(FOLDER), PrefixLoader(folders)])
        environment = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        environment.filters["moment"] = _moment
        object.__setattr__(self, "_environment", environment)
        object.__setattr__(self, "_phrases", {room.name: room.phrases for room in self.rooms})

    _environment: Environment = field(init=False, repr=False)
    _phrases: Mapping[str, Phrases] = field(init=False, repr=False)

    def mount(self, app: FastAPI) -> None:
        """Serve scripts and styles at `/mitarbeit/static`."""
        app.mount(f"{PREFIX}/static", StaffFiles(directory=FOLDER / "static"), name="staff-static")

    def text(self, key: str, **values: object) -> str:
        """One of this room's texts."""
        return self.phrases.text(key, **values)

    def render(
        self,
        request: Request,
        signed_in: SignedIn | None,
        template: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None,
        form_origins: Sequence[str] = (),
        **context: Any,
    ) -> HTMLResponse:
        """A page.

        Args:
            request: the request.
            signed_in: who looks at it, if someone is signed in.
            template: `page.html` of this room or `room/page.html` of another one. It extends `base.html` and gets
                `t` (texts of its room, then of this one), `account`, `csrf`, `nav`, `path`, `city` and the context.
            status: of the response.
            headers: more headers.
            form_origins: where else the page's forms may lead, by way of a redirection.
            context: what the template needs besides.
        """
        account = signed_in.account if signed_in else None
        values = {
            "t": self._texts_of(template),
            "account": account,
            "csrf": signed_in.session.csrf if signed_in else "",
            "nav": [entry for entry in self.nav if account and account.has(*entry.roles)],
            "path": request.url.path,
            "city": self.city,
            **context,
        }
        html = self._environment.get_template(template).render(values)
        return HTMLResponse(html, status_code=status, headers={**_headers(form_origins), **(headers or {})})

    def home(self, account: Account) -> str:
        """The page on which an account begins: the first one that it may see."""
        return next((entry.href for entry in self.nav if account.has(*entry.roles)), f"{PREFIX}/konto")

    def _texts_of(self, template: str) -> Callable[..., str]:
        phrases = self._phrases.get(template.partition("/")[0])

        def text(key: str, **values: object) -> str:
            try:
                return (phrases or self.phrases).text(key, **values)
            except UnknownPhrase:
                return self.phrases.text(key, **values)

        return text


def own_entries(phrases: Phrases) -> list[NavEntry]:
    """The pages of this room that have a place in the navigation."""
    supervision = frozenset({Role.SUPERVISOR, Role.ADMIN})
    return [
        NavEntry(label=phrases.text("nav.audit"), href=f"{PREFIX}/protokoll", roles=supervision),
        NavEntry(label=phrases.text("nav.accounts"), href=f"{PREFIX}/konten", roles=frozenset({Role.ADMIN})),
    ]


def _moment(moment: dt.datetime) -> str:
    """A moment as it is shown to staff."""
    return moment.astimezone(ZONE).strftime("%d.%m.%Y, %H:%M:%S")


def _headers(form_origins: Sequence[str]) -> dict[str, str]:
    """Headers of a page; `Referrer-Policy: same-origin` because `no-referrer` would take the forms their `Origin`."""
    targets = " ".join(("'self'", *form_origins))
    return {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            f"form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
        ),
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
