"""The phone's side of the chat API, against a service that is a function."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from telephony.chat import Came, ChatClient, ChatConversation, Choice, Lost, Message, Owner, Place, Site, Transfer
from telephony.errors import ConversationGone, NotAccepted, NotReachable, ServiceFailed
from telephony.recogniser import Alternative
from tests.telephony import virtual_time

GREETING = {
    "seq": 1,
    "author": "bot",
    "lang": "de",
    "text": "**Guten Tag.**",
    "speech": "Guten Tag.",
    "at": "2026-03-10",
}
ANSWER = {
    **GREETING,
    "seq": 3,
    "choices": [{"label": "Kosten", "value": "c1"}],
    "expects": "choice",
    "answer": {"kind": "service", "title": "Reisepass", "office": None},
}
Handler = Callable[[httpx.Request], httpx.Response]


class Service:
    """Gives prepared answers, and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path.endswith("/conversations"):
            return httpx.Response(201, json={"id": "c", "token": "t", "messages": [GREETING]})
        answer = self.answers.pop(0) if self.answers else httpx.Response(204)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def body(self) -> Any:
        return json.loads(self.requests[-1].content)


def problem(status: int, code: str, **members: Any) -> httpx.Response:
    return httpx.Response(status, json={"type": f"/problems/{code}", "status": status, "detail": "Nein.", **members})


async def conversation(service: Service, caller: str | None = None) -> ChatConversation:
    client = ChatClient(
        "http://service.test/", credential="secret", site="jena", transport=httpx.MockTransport(service)
    )
    return await client.start(caller=caller)


def test_a_conversation_of_the_phone_is_begun_with_the_credential() -> None:
    service = Service()
    begun = virtual_time.run(conversation(service, "0364112345"))
    assert str(service.requests[0].url) == "http://service.test/api/chat/conversations"
    assert service.requests[0].headers["Authorization"] == "Bearer secret"
    assert service.body == {"site": "jena", "channel": "phone", "language": "de", "caller": "0364112345"}
    assert begun.greeting.speech == "Guten Tag."


def test_a_withheld_number_is_not_told() -> None:
    service = Service()
    virtual_time.run(conversation(service))
    assert "caller" not in service.body


def test_alternatives_go_to_the_service_and_its_reply_comes_back() -> None:
    service = Service(
        httpx.Response(
            200, json={"state": "bot", "version": 1, "messages": [{**GREETING, "author": "citizen"}, ANSWER]}
        )
    )

    async def say() -> Message | None:
        return (await (await conversation(service)).say([Alternative("reisepass", 0.7)], client_id="a")).reply

    reply = virtual_time.run(say())
    assert service.body == {"speech": {"alternatives": [{"text": "reisepass", "confidence": 0.7}]}, "client_id": "a"}
    assert service.requests[-1].headers["Authorization"] == "Bearer t"
    assert reply == Message(3, "bot", "Guten Tag.", (Choice("Kosten", "c1"),), "choice", "service", "Reisepass")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.ConnectError("no"), ServiceFailed),
        (httpx.ReadTimeout("no"), ServiceFailed),
        (httpx.Response(500), ServiceFailed),
        (httpx.Response(502, text="<html>"), ServiceFailed),
        (httpx.Response(200, text="<html>"), ServiceFailed),
        (httpx.Response(200, json={"state": "bot"}), ServiceFailed),
        (httpx.Response(200, json=[]), ServiceFailed),
        (problem(429, "too-many-requests"), ServiceFailed),
        (problem(404, "unknown-conversation"), ConversationGone),
        (problem(409, "conversation-closed"), ConversationGone),
        (problem(401, "wrong-token"), ConversationGone),
        (problem(422, "empty-text"), NotAccepted),
    ],
)
def test_what_goes_wrong_has_a_name(answer: httpx.Response | Exception, error: type[Exception]) -> None:
    async def say() -> None:
        await (await conversation(Service(answer))).say([Alternative("a", 1)], client_id="a")

    with pytest.raises(error):
        virtual_time.run(say())


def test_who_cannot_be_put_through_is_told_in_spoken_words() -> None:
    async def ask() -> None:
        service = Service(problem(409, "not-reachable", speech="Gerade ist niemand da."))
        await (await conversation(service)).request_human()

    with pytest.raises(NotReachable) as error:
        virtual_time.run(ask())
    assert error.value.speech == "Gerade ist niemand da."


def test_a_place_in_the_queue() -> None:
    queue = {
        "position": 2,
        "wait_minutes": 3,
        "text": "Sie sind an 2. Stelle.",
        "speech": "Sie sind an zweiter Stelle.",
    }
    service = Service(httpx.Response(200, json={"state": "queued", "version": 2, "messages": [], "queue": queue}))

    async def ask() -> Place | None:
        return (await (await conversation(service)).request_human()).place

    assert virtual_time.run(ask()) == Place(2, "Sie sind an zweiter Stelle.")
    assert (service.requests[-1].method, service.requests[-1].url.path[-9:]) == ("POST", "/handover")


def test_a_callback_that_is_not_taken_names_its_fields() -> None:
    async def leave() -> None:
        service = Service(problem(422, "invalid-callback", fields={"phone": "Falsch."}))
        await (await conversation(service)).call_back(name="Anruf", phone="1", concern="x", client_id="a")

    with pytest.raises(NotAccepted) as error:
        virtual_time.run(leave())
    assert error.value.fields == {"phone"}


def test_warming_and_closing() -> None:
    service = Service()

    async def warm_and_close() -> None:
        begun = await conversation(service)
        await begun.warm("was kostet")
        await begun.close()

    virtual_time.run(warm_and_close())
    assert [(request.method, json.loads(request.content)) for request in service.requests[1:]] == [
        ("POST", {"text": "was kostet"}),
        ("PATCH", {"state": "closed"}),
    ]


def streamed(*parts: str) -> httpx.Response:
    async def body() -> AsyncIterator[bytes]:
        for part in parts:
            yield part.encode()

    return httpx.Response(200, content=body())


def sse(name: str, data: Any, number: int | None = None) -> str:
    return "".join([f"id: {number}\n" if number else "", f"event: {name}\ndata: {json.dumps(data)}\n\n"])


def test_events_become_what_the_phone_needs() -> None:
    stream = streamed(
        ": ping\n\n",
        sse("state", {"state": "queued", "version": 2}),
        sse("site", {"site": "jena", "channel": "phone", "bot": False, "notice": {"text": "T", "speech": "S"}}),
        sse("typing", {"author": "bot", "typing": True}),
        sse("message", ANSWER, 3)[:40],
        sse("message", ANSWER, 3)[40:],
        sse("queue", {"position": 1, "wait_minutes": 1, "text": "T", "speech": "S"}),
        sse("transfer", {"extension": "101"}),
        sse("state", {"state": "closed"}),
    )

    async def follow() -> list[Any]:
        return [event async for event in (await conversation(Service(stream))).events()]

    assert virtual_time.run(follow()) == [
        Owner("queued"),
        Site(bot=False, notice="S"),
        Came(Message.read(ANSWER)),
        Place(1, "S"),
        Transfer("101"),
        Owner("closed"),
    ]


def test_a_stream_that_breaks_is_taken_up_again() -> None:
    service = Service(
        streamed(sse("message", ANSWER, 3)),
        httpx.ConnectError("no"),
        httpx.Response(503),
        streamed(sse("state", {"state": "closed"})),
    )

    async def follow() -> list[Any]:
        return [event async for event in (await conversation(service)).events()]

    assert virtual_time.run(follow()) == [Came(Message.read(ANSWER)), Owner("closed")]
    assert [request.headers.get("Last-Event-ID") for request in service.requests[1:]] == [None, "3", "3", "3"]


def test_a_service_that_stays_away_is_told_once() -> None:
    service = Service(*[httpx.ConnectError("no") for _ in range(12)], problem(404, "unknown-conversation"))

    async def follow() -> list[Any]:
        begun = asyncio.get_running_loop().time()
        events = [
            (event, asyncio.get_running_loop().time() - begun) async for event in (await conversation(service)).events()
        ]
        return events

    found = virtual_time.run(follow())
    assert [event for event, _ in found] == [Lost(), Owner("closed")]
    assert 10 <= found[0][1] < 16
