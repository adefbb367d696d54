"""The chat API: what the widget, the kiosk and the phone bridge talk to (prefix `/api/chat`)."""

# No `from __future__ import annotations`: the routes' types are made per instance, and FastAPI reads them at once.

import hmac
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from bot.contact import Notices, Staff
from bot.models import MAX_TEXT_LENGTH, Channel, Message, Model, State, Turn, Utterance
from bot.replies import Replies
from bot.service import ChatService, InvalidUtterance
from bot.settings import ChatSettings
from bot.sites import Site
from bot.store import Conversation, ConversationClosed, ConversationGone, TurnConflict
from bot.transcript import transcript
from core.events import Event, EventHub
from core.limits import Limiter
from core.problems import Problem

SITES = "sites"
"""Topic of what is announced or switched off."""

Rating = Literal["up", "down"] | Annotated[int, Field(ge=1, le=6)]


class NewConversation(Model):
    """Wish for a conversation."""

    site: str = Field(max_length=64)
    channel: Channel = Channel.WEB
    language: str = Field(default="de", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9-]{1,30})?$")
    caller: str | None = Field(default=None, max_length=64)


class Conversed(Model):
    """A new conversation with its token."""

    id: str
    token: str
    messages: list[Message]


class Messages(Model):
    """Messages in order; `version` rises with every new state."""

    messages: list[Message]
    state: State
    version: int


class Feedback(Model):
    """A rating of one answer (`seq`) or of the whole conversation: 1 best to 6, or thumbs."""

    rating: Rating
    comment: str | None = Field(default=None, max_length=MAX_TEXT_LENGTH)
    seq: int | None = Field(default=None, ge=1)


class Partial(Model):
    """What a caller has said so far, while the caller goes on."""

    text: str = Field(max_length=MAX_TEXT_LENGTH)


class Change(Model):
    """Another language for the messages to come, or the end of a conversation with its call."""

    language: str | None = Field(default=None, pattern=r"^[a-z]{2,3}(-[A-Za-z0-9-]{1,30})?$")
    state: Literal["closed"] | None = None


class ChatApi:
    """The routes and what they need."""

    def __init__(
        self,
        *,
        service: ChatService,
        sites: dict[str, Site],
        replies: Replies,
        staff: Staff,
        notices: Notices,
        events: EventHub,
        limiter: Limiter,
        settings: ChatSettings,
        credential: str,
        client_of: Callable[[Request], str],
    ) -> None:
        """
        Args:
            service: the conversations.
            sites: the city's websites by key.
            replies: the texts.
            staff: who takes over, and when.
            notices: what is announced or switched off.
            events: wakes event streams.
            limiter: counts what a client does.
            settings: limits and times.
            credential: what the phone bridge and kiosks show to begin conversations of their channels.
            client_of: the address for which a request is counted.
        """
        self._service = service
        self._sites = sites
        self._replies = replies
        self._staff = staff
        self._notices = notices
        self._events = events
        self._limiter = limiter
        self._settings = settings
        self._credential = credential
        self._client_of = client_of
        self._streams: Counter[str] = Counter()
        self.router = self._routes()

    def _routes(self) -> APIRouter:
        router = APIRouter(prefix="/api/chat")
        router.get("/sites/{site}")(self.site)
        router.post("/conversations", status_code=HTTPStatus.CREATED)(self.create)
        Owned = Annotated[Conversation, Depends(self.authenticated)]
        Followed = Annotated[Conversation, Depends(self._followed)]

        @router.post("/conversations/{conversation_id}/messages")
        async def say(request: Request, conversation: Owned, utterance: Utterance, token: Token) -> Turn:
            return await self.say(request, conversation, utterance, token)

        @router.get("/conversations/{conversation_id}/messages")
        async def messages(conversation: Owned, after: Annotated[int, Query(ge=0)] = 0) -> Messages:
            self._staff.seen(conversation.id)
            found = await self._service.messages(conversation.id, after=after)
            return Messages(messages=found, state=conversation.state, version=conversation.version)

        @router.get("/conversations/{conversation_id}/transcript", response_class=PlainTextResponse)
        async def get_transcript(conversation: Owned) -> PlainTextResponse:
            found = await self._service.messages(conversation.id, after=0)
            return PlainTextResponse(transcript(found, self._replies))

        @router.get("/conversations/{conversation_id}/events", response_class=EventSourceResponse)
        async def events(
            conversation: Followed, last_event_id: Annotated[str | None, Header()] = None
        ) -> AsyncIterator[ServerSentEvent]:
            with self._stream(conversation.id):
                async for event in self._follow(conversation, after=_sequence(last_event_id)):
                    yield event

        @router.post("/conversations/{conversation_id}/partials", status_code=HTTPStatus.NO_CONTENT)
        async def hear(conversation: Owned, partial: Partial) -> Response:
            return await self.hear(conversation, partial)

        @router.post("/conversations/{conversation_id}/feedback", status_code=HTTPStatus.NO_CONTENT)
        async def rate(conversation: Owned, feedback: Feedback) -> Response:
            return await self.rate(conversation, feedback)

        @router.patch("/conversations/{conversation_id}", status_code=HTTPStatus.NO_CONTENT)
        async def change(conversation: Owned, wish: Change) -> Response:
            return await self.change(conversation, wish)

        @router.delete("/conversations/{conversation_id}", status_code=HTTPStatus.NO_CONTENT)
        async def erase(conversation: Owned) -> Response:
            await self._service.erase(conversation.id)
            return Response(status_code=HTTPStatus.NO_CONTENT)

        return router

    async def site(self, request: Request, site: str, language: str = "de") -> dict[str, Any]:
        """Texts, look and legal links of a site, what is announced there, and whether humans can be reached."""
        known = self._site(site)
        contact = await run_in_threadpool(self._staff.contact)
        base = str(request.base_url).rstrip("/")
        legal = {name: f"{base}{url}" if url.startswith("/") else url for name, url in known.legal.model_dump().items()}
        return {
            "site": site,
            "name": known.name,
            "languages": known.languages,
            "texts": self._replies.widget_texts(language),
            "look": known.look.model_dump(),
            "legal": legal,
            **self._notices.current(site=site, channel=Channel.WEB).as_told(),
            "hotline": {"phone": self._replies.phrase("hotline.phone"), "label": self._replies.phrase("hotline.label")},
            "reachability": {"open": contact.open, "text": contact.text},
        }

    async def change(self, conversation: Conversation, wish: Change) -> Response:
        """Change the language, or close the conversation; the phone bridge does so with the call, anybody else may."""
        if wish.language is not None:
            if wish.language not in self._sites[conversation.site].languages:
                raise self._problem(HTTPStatus.UNPROCESSABLE_ENTITY, "language-not-available")
            await self._service.set_language(conversation.id, wish.language)
        if wish.state is not None:
            await self._service.hang_up(conversation.id)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def create(
        self,
        request: Request,
        wish: NewConversation,
        origin: Annotated[str, Header()] = "",
        authorization: Annotated[str, Header()] = "",
    ) -> Conversed:
        """A new conversation; the first message tells that a machine is talking."""
        site = self._site(wish.site)
        own = str(request.base_url).rstrip("/")
        if origin and origin != own and origin not in site.origins:
            raise self._problem(HTTPStatus.FORBIDDEN, "origin-not-allowed")
        trusted = hmac.compare_digest(_token(authorization).encode(), self._credential.encode())
        if not trusted and (wish.channel is not Channel.WEB or wish.caller is not None):
            raise self._problem(HTTPStatus.FORBIDDEN, "channel-not-available")
        if not trusted:
            self._count(request, "conversations", self._settings.conversations_limit)
        language = wish.language if wish.language in site.languages else site.languages[0]
        conversation, token, messages = await self._service.start(
            site=wish.site, channel=wish.channel, language=language, caller=wish.caller
        )
        return Conversed(id=conversation.id, token=token, messages=messages)

    async def say(self, request: Request, conversation: Conversation, utterance: Utterance, token: str) -> Turn:
        """Say something and get everything that is newly stored for it."""
        self.count(request, conversation, "messages", self._settings.messages_limit)
        try:
            return await self._service.say(conversation, utterance, token=token)
        except InvalidUtterance as error:
            raise self._problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.code) from None
        except TurnConflict:
            raise self._problem(HTTPStatus.UNPROCESSABLE_ENTITY, "client-id-reused") from None
        except ConversationClosed:
            raise self._problem(HTTPStatus.CONFLICT, "conversation-closed") from None
        except ConversationGone:
            raise self._problem(HTTPStatus.NOT_FOUND, "unknown-conversation") from None

    async def hear(self, conversation: Conversation, partial: Partial) -> Response:
        """Begin to search for what a caller is still saying; nothing of it is stored."""
        if conversation.channel is not Channel.PHONE:
            raise self._problem(HTTPStatus.FORBIDDEN, "channel-not-available")
        if conversation.state is State.BOT:
            await self._service.warm(partial.text)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def rate(self, conversation: Conversation, feedback: Feedback) -> Response:
        """Take a rating; a later one replaces it."""
        try:
            await self._service.rate(
                conversation.id, seq=feedback.seq or 0, rating=str(feedback.rating), comment=feedback.comment
            )
        except LookupError:
            raise self._problem(HTTPStatus.NOT_FOUND, "unknown-message") from None
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def authenticated(
        self,
        request: Request,
        conversation_id: Annotated[str, Path(max_length=64)],
        authorization: Annotated[str, Header()] = "",
    ) -> Conversation:
        """The conversation whose bearer token the request carries."""
        try:
            conversation = await self._service.authenticate(conversation_id, _token(authorization))
        except ConversationGone:
            raise self._problem(HTTPStatus.NOT_FOUND, "unknown-conversation") from None
        if conversation is None:
            self._count(request, "reads", self._settings.reads_limit)
            raise self._problem(HTTPStatus.UNAUTHORIZED, "wrong-token", headers={"WWW-Authenticate": "Bearer"})
        if request.method == "GET":
            self.count(request, conversation, "reads", self._settings.reads_limit)
        return conversation

    async def _followed(
        self,
        request: Request,
        conversation_id: Annotated[str, Path(max_length=64)],
        authorization: Annotated[str, Header()] = "",
    ) -> Conversation:
        conversation = await self.authenticated(request, conversation_id, authorization)
        if self._streams[conversation.id] >= self._settings.streams_per_conversation:
            raise self._problem(HTTPStatus.TOO_MANY_REQUESTS, "too-many-streams")
        return conversation

    async def _follow(self, conversation: Conversation, *, after: int) -> AsyncIterator[ServerSentEvent]:
        with self._events.subscribe(conversation.id, SITES) as queue:
            at_once = await self._at_once(conversation)
            for event in at_once:
                yield ServerSentEvent(event=event.name, data=event.data)
            is_over = any(event.data.get("state") == State.CLOSED for event in at_once)
            event = Event("message")
            while True:
                if event.name == "state":
                    event = await self._state(conversation.id)
                for message in await self._service.messages(conversation.id, after=after):
                    after = message.seq
                    yield ServerSentEvent(event="message", id=str(message.seq), data=message)
                if event.name != "message" and _reaches(event, conversation):
                    yield ServerSentEvent(event=event.name, data=event.data)
                if is_over or event.data.get("state") == State.CLOSED:
                    return
                event = await queue.get()
                while event.name == "message" and not queue.empty():
                    event = queue.get_nowait()

    async def _at_once(self, conversation: Conversation) -> list[Event]:
        """What whoever follows a conversation has to know first."""
        who = await self._staff.joined(conversation.id)
        notice = self._notices.current(site=conversation.site, channel=conversation.channel)
        site = {"site": conversation.site, "channel": conversation.channel, **notice.as_told()}
        return [await self._state(conversation.id), Event("site", site), *who]

    async def _state(self, conversation_id: str) -> Event:
        """Who owns a conversation now: of two changes the one that is told last need not be the later one."""
        try:
            current = await self._service.current(conversation_id)
        except ConversationGone:
            return Event("state", {"state": State.CLOSED})
        return Event("state", {"state": current.state, "version": current.version})

    @contextmanager
    def _stream(self, conversation_id: str) -> Iterator[None]:
        self._streams[conversation_id] += 1
        try:
            yield
        finally:
            self._streams[conversation_id] -= 1
            if not self._streams[conversation_id]:
                del self._streams[conversation_id]
            self._staff.left(conversation_id)

    def _site(self, key: str) -> Site:
        try:
            return self._sites[key]
        except KeyError:
            raise self._problem(HTTPStatus.NOT_FOUND, "unknown-site") from None

    def count(self, request: Request, conversation: Conversation, name: str, limit: str) -> None:
        """Count what a citizen does; the phone bridge and kiosks speak for many at one address.

        Raises:
            Problem: 429, it was too much.
        """
        if conversation.channel is Channel.WEB:
            self._count(request, name, limit)

    def _count(self, request: Request, name: str, limit: str) -> None:
        self._limiter.hit(
            limit, client=self._client_of(request), name=name, detail=self._replies.phrase("problem.too-many-requests")
        )

    def _problem(
        self, status: HTTPStatus, code: str, *, headers: dict[str, str] | None = None, **values: str
    ) -> Problem:
        return Problem(status, code, self._replies.phrase(f"problem.{code}", **values), headers=headers)


def _reaches(event: Event, conversation: Conversation) -> bool:
    """Whether an event of all sites is for the one of a conversation; others are for it alone."""
    here = {"site": conversation.site, "channel": conversation.channel}
    return event.name != "site" or all(event.data[name] == value for name, value in here.items())


def _token(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def bearer_token(authorization: Annotated[str, Header()] = "") -> str:
    """The token of a request's `Authorization` header, empty without one."""
    return _token(authorization)


Token = Annotated[str, Depends(bearer_token)]


def _sequence(last_event_id: str | None) -> int:
    return int(last_event_id) if last_event_id and last_event_id.isdecimal() and len(last_event_id) < 10 else 0
