"""What the workspace's scripts talk to (prefix `/mitarbeit/api`)."""

# No `from __future__ import annotations`: the routes' types are made per instance, and FastAPI reads them at once.

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from bot.models import MAX_TEXT_LENGTH, Message, Model
from bot.store import ConversationClosed, ConversationGone, ConversationStore, TurnConflict
from core.accounts import Account, Role
from core.events import Event, EventHub
from core.gate import StaffGate
from core.i18n import Phrases
from core.problems import Problem
from core.staff_pages import SignedIn
from handover.attendance import GLANCE, Attendance
from handover.canned_replies import CannedReply, CannedReplyStore
from handover.errors import EmptyText, HandoverError, UnknownHandover
from handover.models import Reason, Status, Tag
from handover.telling import STAFF
from handover.views import AnswerView, Board, ConversationView, Found, Views
from handover.workspace import Workspace

BOARD_EVERY_S = 0.15
"""However much happens, a workspace gets no more boards than one in this time."""
CHECK_EVERY_S = 30.0
"""How often an event stream asks whether its session goes on."""


class SessionView(Model):
    """Who is signed in, and the token that the session's requests carry."""

    account: str
    csrf: str


class Presence(Model):
    """An agent's status, with a word for colleagues."""

    status: Status
    note: str | None = Field(default=None, max_length=120)


class Said(Model):
    """What an agent says; `client_id` is the same when it is sent again."""

    text: str = Field(max_length=MAX_TEXT_LENGTH)
    client_id: str = Field(min_length=1, max_length=48)


class Activity(Model):
    """Whether the agent types, and the number of the newest message that was seen."""

    typing: bool | None = None
    read: int | None = Field(default=None, ge=1)


class NoteText(Model):
    """A note for colleagues."""

    text: str = Field(max_length=MAX_TEXT_LENGTH)


class Transfer(Model):
    """Where a conversation goes on: a department, or a colleague (of that department)."""

    department: str | None = Field(default=None, max_length=100)
    colleague: str | None = Field(default=None, max_length=32)


class Finish(Model):
    """How a conversation ends; `to_bot` leaves it open for the bot."""

    to_bot: bool = False
    reason: Reason
    tags: list[Tag] = Field(default_factory=list)


class StaffApi:
    """The routes and what they need."""

    def __init__(
        self,
        *,
        gate: StaffGate,
        workspace: Workspace,
        views: Views,
        conversations: ConversationStore,
        canned_replies: CannedReplyStore,
        workspaces: Attendance,
        events: EventHub,
        phrases: Phrases,
    ) -> None:
        self._gate = gate
        self._workspace = workspace
        self._views = views
        self._conversations = conversations
        self._canned_replies = canned_replies
        self._workspaces = workspaces
        self._events = events
        self._phrases = phrases
        self.router = self._routes()

    def install(self, app: FastAPI) -> None:
        """Serve the routes, and answer the room's errors with problem documents."""
        app.include_router(self.router)

        @app.exception_handler(HandoverError)
        async def _refused(_request: Request, error: HandoverError) -> Response:
            return self._problem(_status(error), error.code).response()

        @app.exception_handler(ConversationGone)
        async def _gone(_request: Request, _error: ConversationGone) -> Response:
            return self._problem(HTTPStatus.NOT_FOUND, "unknown-conversation").response()

        @app.exception_handler(ConversationClosed)
        async def _closed(_request: Request, _error: ConversationClosed) -> Response:
            return self._problem(HTTPStatus.CONFLICT, "conversation-closed").response()

        @app.exception_handler(TurnConflict)
        async def _conflict(_request: Request, _error: TurnConflict) -> Response:
            return self._problem(HTTPStatus.UNPROCESSABLE_ENTITY, "client-id-reused").response()

    def _routes(self) -> APIRouter:
        router = APIRouter(prefix="/mitarbeit/api")
        Agent = Annotated[SignedIn, Depends(self._gate.api(Role.AGENT))]
        nothing = HTTPStatus.NO_CONTENT

        @router.get("/session", response_model=SessionView)
        async def session(agent: Agent) -> SessionView:
            return SessionView(account=agent.account.id, csrf=agent.session.csrf)

        @router.get("/board", response_model=Board)
        async def board(agent: Agent) -> Board:
            return await run_in_threadpool(self._views.board, agent.account)

        @router.get("/events", response_class=EventSourceResponse)
        async def events(agent: Agent, last_event_id: Annotated[str, Header()] = "") -> AsyncIterator[ServerSentEvent]:
            with self._at_work(agent.account):
                async for event in self._follow(agent, _cursor(last_event_id)):
                    yield event

        @router.put("/presence", status_code=nothing)
        async def presence(agent: Agent, wish: Presence) -> Response:
            await run_in_threadpool(self._views.agent, agent.account)
            await self._workspace.set_status(agent.account, wish.status, note=wish.note)
            return Response(status_code=nothing)

        @router.post("/handovers/{handover_id}/claim")
        async def claim(agent: Agent, handover_id: str) -> ConversationView:
            handover = await self._workspace.claim(agent.account, handover_id)
            return await run_in_threadpool(self._views.conversation, agent.account, handover.conversation_id)

        @router.post("/handovers/{handover_id}/decline", status_code=nothing)
        async def decline(agent: Agent, handover_id: str) -> Response:
            await self._workspace.decline(agent.account, handover_id)
            return Response(status_code=nothing)

        @router.get("/conversations")
        async def search(agent: Agent, q: Annotated[str, Query(max_length=200)] = "") -> list[Found]:
            return await run_in_threadpool(self._views.search, agent.account, q)

        @router.get("/conversations/{conversation_id}")
        async def conversation(agent: Agent, conversation_id: str) -> ConversationView:
            return await run_in_threadpool(self._views.read, agent.account, conversation_id)

        @router.post("/conversations/{conversation_id}/messages")
        async def say(agent: Agent, conversation_id: str, said: Said) -> Message:
            return await self._workspace.say(agent.account, conversation_id, text=said.text, client_id=said.client_id)

        @router.post("/conversations/{conversation_id}/activity", status_code=nothing)
        async def active(agent: Agent, conversation_id: str, activity: Activity) -> Response:
            await self._workspace.active(agent.account, conversation_id, typing=activity.typing, read=activity.read)
            return Response(status_code=nothing)

        @router.post("/conversations/{conversation_id}/notes", status_code=nothing)
        async def note(agent: Agent, conversation_id: str, written: NoteText) -> Response:
            await run_in_threadpool(self._views.conversation, agent.account, conversation_id)
            await self._workspace.add_note(agent.account, conversation_id, written.text)
            return Response(status_code=nothing)

        @router.post("/conversations/{conversation_id}/transfer", status_code=nothing)
        async def transfer(agent: Agent, conversation_id: str, to: Transfer) -> Response:
            await self._workspace.transfer(
                agent.account, conversation_id, department=to.department, colleague=to.colleague
            )
            return Response(status_code=nothing)

        @router.post("/conversations/{conversation_id}/finish", status_code=nothing)
        async def finish(agent: Agent, conversation_id: str, end: Finish) -> Response:
            await self._workspace.finish(
                agent.account, conversation_id, to_bot=end.to_bot, reason=end.reason, tags=end.tags
            )
            return Response(status_code=nothing)

        @router.get("/answers")
        async def answers(
            agent: Agent, q: Annotated[str, Query(min_length=1, max_length=MAX_TEXT_LENGTH)]
        ) -> list[AnswerView]:
            return await run_in_threadpool(self._views.answers, q)

        @router.get("/replies")
        async def replies(agent: Agent) -> list[CannedReply]:
            known = await run_in_threadpool(self._views.agent, agent.account)
            return await run_in_threadpool(self._canned_replies.all, known.departments)

        return router

    # Live

    async def _follow(self, agent: SignedIn, after: dict[str, int]) -> AsyncIterator[ServerSentEvent]:
        """First the board, then the messages of the agent's conversations behind the cursor, then whatever happens."""
        with self._events.subscribe(STAFF) as queue:
            board = await run_in_threadpool(self._views.board, agent.account)
            yield ServerSentEvent(event="board", data=board)
            async for message in self._news(board, after):
                yield message
            loop = asyncio.get_running_loop()
            board_at, check_at, stale = loop.time(), loop.time() + CHECK_EVERY_S, False
            look_at = math.inf  # when it is certain whether a citizen who has left stays away
            while True:
                mine = {one.conversation for one in board.mine}
                listed = mine | {one.conversation for one in board.waiting}
                fresh = set()
                wake_at = min(check_at, look_at, board_at + BOARD_EVERY_S if stale else math.inf)
                for event in await _next(queue, wake_at - loop.time()):
                    if event.name == "message":
                        fresh.add(event.data["conversation"])
                        stale = stale or event.data["conversation"] in listed - mine
                    elif event.name == "board":
                        stale = True
                    elif _concerns(event, agent.account, mine):
                        yield ServerSentEvent(event=event.name, data=event.data)
                    if event.name == "presence" and event.data["conversation"] in listed:
                        stale, look_at = True, loop.time() + GLANCE.total_seconds() + 1
                # First what was said: the next board may say that a conversation has come to its end with it.
                for conversation_id in fresh & mine:
                    async for message in self._messages(conversation_id, after):
                        yield message
                if loop.time() >= look_at:
                    stale, look_at = True, math.inf
                if stale and loop.time() >= board_at + BOARD_EVERY_S:
                    board = await run_in_threadpool(self._views.board, agent.account)
                    yield ServerSentEvent(event="board", data=board)
                    async for message in self._news(board, after):
                        yield message
                    board_at, stale = loop.time(), False
                if loop.time() >= check_at:
                    check_at = loop.time() + CHECK_EVERY_S
                    if not await self._gate.still(agent):
                        return

    async def _news(self, board: Board, after: dict[str, int]) -> AsyncIterator[ServerSentEvent]:
        """What a board has that was not sent yet."""
        for one in board.mine:
            if one.last_seq > after.get(one.conversation, 0):
                async for message in self._messages(one.conversation, after):
                    yield message

    async def _messages(self, conversation_id: str, after: dict[str, int]) -> AsyncIterator[ServerSentEvent]:
        found = await run_in_threadpool(
            self._conversations.messages, conversation_id, after=after.get(conversation_id, 0)
        )
        for message in found:
            after[conversation_id] = message.seq
            data = {"conversation": conversation_id, "message": message.model_dump(mode="json")}
            yield ServerSentEvent(event="message", data=data)

    @contextmanager
    def _at_work(self, account: Account) -> Iterator[None]:
        self._workspaces.joined(account.id)
        try:
            yield
        finally:
            self._workspaces.left(account.id)

    def _problem(self, status: HTTPStatus, code: str) -> Problem:
        return Problem(status, code, self._phrases.text(f"problem.{code}"))


async def _next(queue: asyncio.Queue[Event], timeout_s: float) -> list[Event]:
    """The events that are there; waits for one, but not for ever. A queue that was full may have lost some."""
    try:
        events = [await asyncio.wait_for(queue.get(), max(0.0, timeout_s))]
    except TimeoutError:
        return []
    if queue.full():
        events.append(Event("board"))
    while not queue.empty():
        events.append(queue.get_nowait())
    return events


def _concerns(event: Event, account: Account, mine: set[str]) -> bool:
    agent, conversation = event.data.get("agent"), event.data.get("conversation")
    return account.id == agent if agent is not None else conversation in mine


def _cursor(last_event_id: str) -> dict[str, int]:
    """What a workspace has already: `conversation:number` pairs, separated by blanks."""
    cursor = {}
    for pair in last_event_id.split()[:50]:
        conversation, _, seq = pair.partition(":")
        if seq.isdecimal() and len(seq) < 10:
            cursor[conversation] = int(seq)
    return cursor


def _status(error: HandoverError) -> HTTPStatus:
    if isinstance(error, UnknownHandover):
        return HTTPStatus.NOT_FOUND
    return HTTPStatus.UNPROCESSABLE_ENTITY if isinstance(error, EmptyText) else HTTPStatus.CONFLICT
