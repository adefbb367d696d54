"""What citizens can do about humans over the chat API: ask for one, go back, leave a callback."""

# No `from __future__ import annotations`: the routes' types are made per instance, and FastAPI reads them at once.

import datetime as dt
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import Field, ValidationError
from starlette.concurrency import run_in_threadpool

from bot.api import ChatApi
from bot.models import Message, Model, State
from bot.service import ChatService
from bot.store import Conversation, ConversationGone
from core.i18n import Phrases
from core.problems import Problem
from handover.callback_desk import CallbackDesk
from handover.desk import Desk
from handover.models import CallbackWish
from handover.settings import HandoverSettings


class Queued(Model):
    """A conversation after its citizen asked for a human, or went back; `queue` as in the event of this name."""

    state: State
    version: int
    messages: list[Message]
    queue: dict[str, Any] | None = None


class Noted(Model):
    """A callback that was taken. `due_at`: until then the office gets in touch."""

    text: str
    speech: str
    due_at: dt.datetime
    messages: list[Message]


class Activity(Model):
    """Signs of life: whether the citizen types, and the number of the newest message that was seen."""

    typing: bool | None = None
    read: int | None = Field(default=None, ge=1)


class CitizenApi:
    """The routes, below those of the chat API and with its tokens."""

    def __init__(
        self,
        *,
        chat: ChatApi,
        service: ChatService,
        desk: Desk,
        callbacks: CallbackDesk,
        phrases: Phrases,
        settings: HandoverSettings,
    ) -> None:
        self._chat = chat
        self._service = service
        self._desk = desk
        self._callbacks = callbacks
        self._phrases = phrases
        self._settings = settings
        self.router = self._routes()

    def _routes(self) -> APIRouter:
        router = APIRouter(prefix="/api/chat/conversations/{conversation_id}")
        Owned = Annotated[Conversation, Depends(self._chat.authenticated)]

        @router.post("/handover")
        async def request_human(request: Request, conversation: Owned) -> Queued:
            return await self.request_human(request, conversation)

        @router.delete("/handover")
        async def back_to_bot(request: Request, conversation: Owned) -> Queued:
            return await self.back_to_bot(request, conversation)

        @router.post("/callback", status_code=HTTPStatus.CREATED)
        async def call_back(request: Request, conversation: Owned, body: Annotated[dict[str, Any], Body()]) -> Noted:
            return await self.call_back(request, conversation, body)

        @router.post("/activity", status_code=HTTPStatus.NO_CONTENT)
        async def active(request: Request, conversation: Owned, activity: Activity) -> Response:
            self._chat.count(request, conversation, "activity", self._settings.messages_limit)
            await self._desk.active(conversation.id, typing=activity.typing, read=activity.read)
            return Response(status_code=HTTPStatus.NO_CONTENT)

        return router

    async def request_human(self, request: Request, conversation: Conversation) -> Queued:
        """Wait for a human; asking twice changes nothing. 409 with what to do instead where nobody can be reached."""
        self._chat.count(request, conversation, "handovers", self._settings.messages_limit)
        if conversation.state is State.CLOSED:
            raise self._problem(HTTPStatus.CONFLICT, "conversation-closed")
        if conversation.state is State.BOT and await self._requested(conversation) is None:
            current = await self._service.current(conversation.id)
            if current.state is State.BOT:
                contact = await run_in_threadpool(self._desk.contact_about, conversation.id)
                detail = self._phrases.text("problem.not-reachable", contact=contact.text)
                raise Problem(HTTPStatus.CONFLICT, "not-reachable", detail, speech=contact.speech)
        return await self._queued(conversation)

    async def back_to_bot(self, request: Request, conversation: Conversation) -> Queued:
        """Talk to the bot again; nothing happens where it has the conversation."""
        self._chat.count(request, conversation, "handovers", self._settings.messages_limit)
        try:
            await self._desk.cancel(conversation.id)
        except ConversationGone:
            raise self._problem(HTTPStatus.NOT_FOUND, "unknown-conversation") from None
        return await self._queued(conversation)

    async def call_back(self, request: Request, conversation: Conversation, body: dict[str, Any]) -> Noted:
        """Note a callback. What is personal in it never becomes a message and is never masked."""
        self._chat.count(request, conversation, "callbacks", self._settings.callbacks_limit)
        try:
            wish = CallbackWish.model_validate(body)
        except ValidationError as error:
            raise self._invalid(error, body) from None
        noted = await self._callbacks.take(conversation, wish)
        messages = await self._service.messages(conversation.id, after=conversation.last_seq)
        return Noted(text=noted.text, speech=noted.speech, due_at=noted.due_at, messages=messages)

    async def _requested(self, conversation: Conversation) -> int | None:
        try:
            return await self._desk.request(conversation.id)
        except ConversationGone:
            raise self._problem(HTTPStatus.NOT_FOUND, "unknown-conversation") from None

    async def _queued(self, conversation: Conversation) -> Queued:
        current = await self._service.current(conversation.id)
        place = await self._desk.place(conversation.id) if current.state is State.QUEUED else None
        messages = await self._service.messages(conversation.id, after=conversation.last_seq)
        return Queued(
            state=current.state, version=current.version, messages=messages, queue=place.data if place else None
        )

    def _invalid(self, error: ValidationError, body: dict[str, Any]) -> Problem:
        """Which fields are wrong, in words; never what stands in them."""
        fields = {}
        errors = error.errors(include_input=False, include_context=False)
        for name in [str(entry["loc"][0]) for entry in errors if entry["loc"]] + _lacking(body):
            key = f"problem.callback.{name}"
            fields[name] = self._phrases.text(key if name in CALLBACK_FIELDS else "problem.invalid-callback")
        detail = " ".join(dict.fromkeys(fields.values()))
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-callback", detail, fields=fields)

    def _problem(self, status: HTTPStatus, code: str, **values: str) -> Problem:
        return Problem(status, code, self._phrases.text(f"problem.{code}", **values))


def _lacking(body: dict[str, Any]) -> list[str]:
    """What a wish needs that is no matter of one field, or no error of it."""
    reachable = any(str(body.get(name) or "").strip() for name in ("phone", "email"))
    return [*([] if reachable else ["reach"]), *([] if body.get("consent") else ["consent"])]


CALLBACK_FIELDS = frozenset({"name", "phone", "email", "concern", "consent", "reach"})
"""What can be wrong with a callback."""
