"""Agents' pages on conversations of their departments, `/mitarbeit/suche`: search, and reading one."""

# No `from __future__ import annotations`: FastAPI reads the routes' types at once.

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from bot.models import Author, Channel, Message
from bot.store import ConversationGone
from core.accounts import Account, Role
from core.gate import StaffGate
from core.i18n import Phrases
from core.staff_pages import PREFIX, SignedIn, StaffPages
from handover.markup import marked_words, markup
from handover.moments import Moments
from handover.views import FOUND, ConversationView, Filter, Views

SEARCH = f"{PREFIX}/suche"
DAY = dt.timedelta(days=1)
YEARS = range(2000, 2200)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchForm:
    """What is searched for, as it was typed. `errors` holds a code by the field's name."""

    text: str
    department: str
    channel: str
    first: str
    last: str
    errors: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A conversation that was found."""

    conversation: str
    at: str
    department: str
    channel: Channel
    service: str | None
    excerpt: Markup
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A message or a note."""

    author: str
    """`citizen`, `bot`, `agent`, `system` or `note`."""
    by: str
    at: str
    html: Markup
    choices: Sequence[str] = ()
    about: str = ""
    """The bot's card in short: service and aspect."""
    source: str | None = None
    candidates: Sequence[str] = ()


class SearchPages:
    """The routes and what they need."""

    def __init__(self, *, views: Views, moments: Moments, phrases: Phrases, gate: StaffGate, pages: StaffPages) -> None:
        self._views = views
        self._moments = moments
        self._phrases = phrases
        self._gate = gate
        self._pages = pages
        self.router = self._routes()

    def _routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False)
        By = Annotated[SignedIn, Depends(self._gate.page(Role.AGENT))]
        Text = Annotated[str | None, Query(max_length=200)]

        @router.get(SEARCH)
        async def search(
            request: Request,
            by: By,
            q: Text = None,
            abteilung: Text = None,
            weg: Text = None,
            von: Text = None,
            bis: Text = None,
        ) -> Response:
            form, within = self._read(q or "", abteilung or "", weg or "", von or "", bis or "")
            return await self.search(request, by, form, within if q is not None else None)

        @router.get(f"{SEARCH}/{{conversation_id}}")
        async def conversation(request: Request, by: By, conversation_id: str) -> Response:
            return await self.conversation(request, by, conversation_id)

        return router

    async def search(self, request: Request, by: SignedIn, form: SearchForm, within: Filter | None) -> Response:
        """The form, and what was found; nothing is looked up before somebody searches."""
        return self._pages.render(
            request,
            by,
            "handover/search.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK,
            form=form,
            departments=await run_in_threadpool(self._views.departments, by.account),
            channels=list(Channel),
            most=FOUND,
            hits=await run_in_threadpool(self._hits, by.account, form, within) if within else None,
        )

    async def conversation(self, request: Request, by: SignedIn, conversation_id: str) -> Response:
        """One conversation, to be read."""
        try:
            view = await run_in_threadpool(self._views.read, by.account, conversation_id)
        except ConversationGone:
            return self._pages.render(
                request, by, "handover/search_conversation.html", status=HTTPStatus.NOT_FOUND, view=None
            )
        return self._pages.render(
            request,
            by,
            "handover/search_conversation.html",
            view=view,
            since=self._moments.at(view.since),
            lines=self._lines(view),
        )

    def _read(
        self, text: str, department: str, channel: str, first: str, last: str
    ) -> tuple[SearchForm, Filter | None]:
        errors: dict[str, str] = {}
        dates = {name: _date(value, name, errors) for name, value in (("von", first), ("bis", last))}
        if dates["von"] and dates["bis"] and dates["von"] > dates["bis"]:
            errors["bis"] = "last-before-first"
        form = SearchForm(text=text, department=department, channel=channel, first=first, last=last, errors=errors)
        if errors:
            return form, None
        return form, Filter(
            department=department or None,
            channel=Channel(channel) if channel in list(Channel) else None,
            since=self._moments.begin_of(dates["von"]) if dates["von"] else None,
            until=self._moments.begin_of(dates["bis"] + DAY) if dates["bis"] else None,
        )

    def _hits(self, account: Account, form: SearchForm, within: Filter) -> list[Hit]:
        words = form.text.split()
        return [
            Hit(
                conversation=found.conversation,
                at=self._moments.at(found.at),
                department=found.department.name,
                channel=found.channel,
                service=found.service,
                excerpt=marked_words(found.excerpt, words),
                open=found.open,
            )
            for found in self._views.search(account, form.text, within=within)
        ]

    def _lines(self, view: ConversationView) -> list[Line]:
        """Messages and notes in the order of time."""
        messages = [(one.at, self._message(one, view.titles)) for one in view.messages]
        notes = [
            (note.at, Line(author="note", by=note.author, at=self._moments.at(note.at), html=_plain(note.text)))
            for note in view.notes
        ]
        return [line for _, line in sorted((*messages, *notes), key=lambda pair: pair[0])]

    def _message(self, message: Message, titles: dict[str, str]) -> Line:
        answer = message.answer
        parts: list[str] = []
        if answer and answer.title:
            parts.append(answer.title)
        if answer and answer.aspect:
            parts.append(self._views.aspect(answer.aspect))
        return Line(
            author=message.author,
            by=self._phrases.text(f"search.author.{message.author}"),
            at=self._moments.at(message.at),
            html=_plain(message.text) if message.author is Author.CITIZEN else markup(message.text),
            choices=[choice.label for choice in message.choices],
            about=", ".join(parts),
            source=answer.source_url if answer else None,
            candidates=[titles[id] for id in answer.candidates if id in titles] if answer else [],
        )


def _plain(text: str) -> Markup:
    return Markup("<p>{}</p>").format(text)


def _date(text: str, name: str, errors: dict[str, Any]) -> dt.date | None:
    if not text:
        return None
    try:
        date = dt.date.fromisoformat(text)
    except ValueError:
        date = None
    if date is None or date.year not in YEARS:
        errors[name] = "unreadable-date"
        return None
    return date
