"""The phone's side of the chat API: one conversation per call, over HTTP like the widget's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol, Self

import httpx

from telephony.errors import ConversationGone, NotAccepted, NotReachable, ServiceFailed
from telephony.recogniser import Alternative

CONNECT_S = 2.0
HEARTBEAT_S = 40.0
"""An event stream that is silent for so long is dead: the service sends a sign of life every 15 seconds."""
RECONNECT_S = 0.5
RECONNECT_AT_MOST_S = 4.0
GONE = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT})


@dataclass(frozen=True)
class Choice:
    """One of the replies that a message offers."""

    label: str
    value: str


@dataclass(frozen=True)
class Message:
    """A message as far as the phone needs it; `kind` and `title` are the answer's."""

    seq: int
    author: str
    speech: str
    choices: tuple[Choice, ...] = ()
    expects: str = "open"
    kind: str | None = None
    title: str | None = None

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        answer = data.get("answer") or {}
        return cls(
            seq=int(data["seq"]),
            author=str(data["author"]),
            speech=str(data.get("speech") or data["text"]),
            choices=tuple(Choice(str(one["label"]), str(one["value"])) for one in data.get("choices") or ()),
            expects=str(data.get("expects") or "open"),
            kind=answer.get("kind"),
            title=answer.get("title"),
        )


@dataclass(frozen=True)
class Place:
    """Where the caller stands in the queue."""

    position: int
    speech: str


@dataclass(frozen=True)
class Turn:
    """What an utterance or a wish has brought: who owns the conversation now, and what was said."""

    state: str
    messages: tuple[Message, ...] = ()
    place: Place | None = None

    @property
    def reply(self) -> Message | None:
        """What is to be spoken: the last message that is not the caller's own."""
        return next((message for message in reversed(self.messages) if message.author != "citizen"), None)


@dataclass(frozen=True)
class Came:
    """A message has come, not necessarily in answer to something."""

    message: Message


@dataclass(frozen=True)
class Owner:
    """Who owns the conversation: `bot`, `queued`, `agent`, `closed`."""

    state: str


@dataclass(frozen=True)
class Transfer:
    """An agent has taken the call and waits for it at this extension."""

    extension: str | None


@dataclass(frozen=True)
class Site:
    """Whether the bot may answer, and what the city announces."""

    bot: bool
    notice: str | None


@dataclass(frozen=True)
class Lost:
    """Nothing has been heard of the service for too long."""


ServiceEvent = Came | Owner | Place | Transfer | Site | Lost


class Conversation(Protocol):
    """What a call needs of its conversation. Everything may raise ServiceFailed."""

    @property
    def greeting(self) -> Message:
        """The first message."""
        ...

    async def say(self, alternatives: Sequence[Alternative], *, client_id: str) -> Turn:
        """Say something; saying it again with the same id changes nothing.

        Raises:
            NotAccepted: there was nothing in it.
        """
        ...

    async def choose(self, value: str, *, client_id: str) -> Turn:
        """Take a choice.

        Raises:
            NotAccepted: it is not offered.
        """
        ...

    async def warm(self, text: str) -> None:
        """Let the search begin while the caller is still speaking."""
        ...

    async def request_human(self) -> Turn:
        """Wait for a human.

        Raises:
            NotReachable: there is none.
        """
        ...

    async def back_to_bot(self) -> Turn:
        """Wait no more."""
        ...

    async def call_back(self, *, name: str, phone: str, concern: str, client_id: str) -> str:
        """Leave a callback, to which the caller has agreed; returns what to say then.

        Raises:
            NotAccepted: something about it is wrong.
        """
        ...

    def events(self) -> AsyncIterator[ServiceEvent]:
        """What the service tells, until the conversation is closed."""
        ...

    async def close(self) -> None:
        """End the conversation with its call."""
        ...


class Chat(Protocol):
    """Where conversations come from."""

    async def start(self, *, caller: str | None) -> Conversation:
        """A new conversation.

        Raises:
            ServiceFailed: there is none.
        """
        ...


class ChatClient:
    """The chat API for all calls of this process."""

    def __init__(
        self,
        url: str,
        *,
        credential: str,
        site: str,
        answer_within_s: float = 8.0,
        lost_after_s: float = 10.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """
        Args:
            url: where the service is.
            credential: what allows us to begin conversations of the phone.
            site: the city's site by key.
            answer_within_s: how long to wait for an answer.
            lost_after_s: how long an event stream may be interrupted.
            transport: another way to the service, for tests.
        """
        self._credential = credential
        self._site = site
        self.lost_after_s = lost_after_s
        self._http = httpx.AsyncClient(
            base_url=f"{url.rstrip('/')}/api/chat",
            timeout=httpx.Timeout(answer_within_s, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=50),
            transport=transport or httpx.AsyncHTTPTransport(limits=_UNLIMITED, retries=1),
            trust_env=False,
        )

    async def start(self, *, caller: str | None) -> ChatConversation:
        """
        Raises:
            ServiceFailed: the service does not answer, or refuses our credential.
        """
        wish = {"site": self._site, "channel": "phone", "language": "de", **({"caller": caller} if caller else {})}
        body = await self.request("POST", "/conversations", token=self._credential, json=wish)
        try:
            greeting = Message.read(body["messages"][0])
            return ChatConversation(self, id=str(body["id"]), token=str(body["token"]), greeting=greeting)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ServiceFailed("nonsense from the service") from error

    async def request(self, method: str, path: str, *, token: str, json: Any = None) -> Any:
        """The body of an answer.

        Raises:
            ServiceFailed: no answer, an error of the service's, or nonsense.
            ConversationGone: it does not know the conversation.
            NotReachable: nobody is there.
            NotAccepted: it does not take what was sent.
        """
        headers = {"Authorization": f"Bearer {token}"}
        try:
            response = await self._http.request(method, path, json=json, headers=headers)
            body = response.json() if response.content else {}
        except (httpx.HTTPError, ValueError) as error:
            raise ServiceFailed(type(error).__name__) from error
        if response.is_error:
            raise _error(response.status_code, body)
        return body

    def stream(self, path: str, *, token: str, last_id: str | None) -> Any:
        """An event stream, as a context manager that gives the response."""
        headers = {"Authorization": f"Bearer {token}", **({"Last-Event-ID": last_id} if last_id else {})}
        return self._http.stream("GET", path, headers=headers, timeout=httpx.Timeout(HEARTBEAT_S, connect=CONNECT_S))

    async def close(self) -> None:
        await self._http.aclose()


@dataclass
class ChatConversation:
    """One call's conversation."""

    client: ChatClient
    id: str
    token: str
    greeting: Message
    _last_id: str | None = field(default=None)

    async def say(self, alternatives: Sequence[Alternative], *, client_id: str) -> Turn:
        speech = {"alternatives": [{"text": one.text, "confidence": one.confidence} for one in alternatives]}
        return await self._turn("POST", "/messages", {"speech": speech, "client_id": client_id})

    async def choose(self, value: str, *, client_id: str) -> Turn:
        return await self._turn("POST", "/messages", {"choice": value, "client_id": client_id})

    async def warm(self, text: str) -> None:
        await self._request("POST", "/partials", {"text": text})

    async def request_human(self) -> Turn:
        return await self._turn("POST", "/handover")

    async def back_to_bot(self) -> Turn:
        return await self._turn("DELETE", "/handover")

    async def call_back(self, *, name: str, phone: str, concern: str, client_id: str) -> str:
        wish = {"name": name, "phone": phone, "concern": concern, "consent": True, "client_id": client_id}
        body = await self._request("POST", "/callback", wish)
        return str(body["speech"])

    async def close(self) -> None:
        await self._request("PATCH", "", {"state": "closed"})

    async def events(self) -> AsyncIterator[ServiceEvent]:
        """What the service tells; a stream that breaks is taken up again where it broke."""
        clock = asyncio.get_running_loop().time
        heard_at, told, pause, closed = clock(), False, RECONNECT_S, False
        while True:
            try:
                async for event in self._stream():
                    heard_at, told, pause = clock(), False, RECONNECT_S
                    closed = event == Owner("closed")
                    yield event
            except ConversationGone:
                yield Owner("closed")
                return
            except ServiceFailed:
                pass
            if closed:
                return
            if not told and clock() - heard_at >= self.client.lost_after_s:
                told = True
                yield Lost()
            await asyncio.sleep(pause)
            pause = min(2 * pause, RECONNECT_AT_MOST_S)

    async def _stream(self) -> AsyncIterator[ServiceEvent]:
        """The events of one connection.

        Raises:
            ServiceFailed: it broke.
            ConversationGone: there is nothing to follow.
        """
        try:
            async with self.client.stream(f"{self._path}/events", token=self.token, last_id=self._last_id) as response:
                if response.is_error:
                    raise _error(response.status_code, {})
                async for name, data, event_id in _server_events(response.aiter_lines()):
                    self._last_id = event_id or self._last_id
                    if (event := _event(name, data)) is not None:
                        yield event
        except (httpx.HTTPError, httpx.StreamError, ValueError, KeyError, TypeError) as error:
            raise ServiceFailed(type(error).__name__) from error

    async def _turn(self, method: str, path: str, body: Any = None) -> Turn:
        answer = await self._request(method, path, body)
        try:
            messages = tuple(Message.read(message) for message in answer["messages"])
            place = _place(answer["queue"]) if answer.get("queue") else None
            return Turn(state=str(answer["state"]), messages=messages, place=place)
        except (KeyError, TypeError, ValueError) as error:
            raise ServiceFailed("nonsense from the service") from error

    async def _request(self, method: str, path: str, body: Any = None) -> Any:
        return await self.client.request(method, f"{self._path}{path}", token=self.token, json=body)

    @property
    def _path(self) -> str:
        return f"/conversations/{self.id}"


_UNLIMITED = httpx.Limits(max_connections=None, max_keepalive_connections=50)


def _error(status: int, body: Any) -> Exception:
    """What an answer that is none stands for."""
    problem = body if isinstance(body, dict) else {}
    code = str(problem.get("type", "")).rpartition("/")[2]
    if code == "not-reachable":
        return NotReachable(str(problem.get("speech") or ""))
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return NotAccepted(code, frozenset(problem.get("fields") or ()))
    if status in GONE:
        return ConversationGone(code or str(status))
    return ServiceFailed(code or str(status))


def _event(name: str, data: Any) -> ServiceEvent | None:
    """An event of the stream, if it concerns the phone."""
    match name:
        case "message":
            return Came(Message.read(data))
        case "state":
            return Owner(str(data["state"]))
        case "queue":
            return _place(data)
        case "transfer":
            return Transfer(str(data["extension"]) if data["extension"] else None)
        case "site":
            notice = data.get("notice") or {}
            return Site(bot=bool(data["bot"]), notice=notice.get("speech") or notice.get("text"))
        case _:
            return None


def _place(data: Mapping[str, Any]) -> Place:
    return Place(position=int(data["position"]), speech=str(data.get("speech") or data["text"]))


async def _server_events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, Any, str | None]]:
    """Name, data and id of each event of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    fields: dict[str, list[str]] = {}
    async for line in lines:
        if not line:
            if "data" in fields:
                name, event_id = fields.get("event", ["message"])[-1], fields.get("id", [None])[-1]
                yield name, json.loads("\n".join(fields["data"])), event_id
            fields = {}
            continue
        name, _, value = line.partition(":")
        if name:
            fields.setdefault(name, []).append(value.removeprefix(" "))
