"""The handover as clients meet it: the real service, citizens on two channels, and agents."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.accounts import Role
from core.database import Database
from tests.bot.test_api import problem, running_without_rasa
from tests.chat_client import Chat
from tests.handover.invariant import assert_consistent
from tests.running import RunningService
from tests.staff_client import Staff, add_staff
from tests.streams import Stream, eventually, following

HUMAN = "Ich möchte mit einem Menschen sprechen"

NewAgent = Callable[..., Staff]
NewChat = Callable[..., Chat]


@pytest.fixture(scope="module")
def signed_in(staffed_service: RunningService) -> Iterator[Callable[..., Staff]]:
    """Agents by what they are like; who is signed in stays so, since signing in is limited."""
    known: dict[tuple[int, str], Staff] = {}

    def find(number: int, **details: Any) -> Staff:
        key = number, repr(sorted(details.items()))
        if key not in known:
            login = f"agent-{uuid.uuid4().hex[:8]}"
            add_staff(staffed_service, login, **details)
            known[key] = Staff(staffed_service.url, login)
        return known[key]

    yield find
    for staff in known.values():
        staff.close()


@pytest.fixture
def new_agent(signed_in: Callable[..., Staff]) -> Iterator[NewAgent]:
    """Gives agents, each another one, who are there until the test ends."""
    given: list[Staff] = []

    def give(*, there: bool = True, **details: Any) -> Staff:
        staff = signed_in(len(given), **details)
        given.append(staff)
        if there:
            staff.come()
        return staff

    yield give
    for staff in given:
        staff.come("offline")


@pytest.fixture
def agent(new_agent: NewAgent) -> Staff:
    """Somebody of the central office."""
    return new_agent()


@pytest.fixture
def new_chat(staffed_service: RunningService) -> Iterator[NewChat]:
    """Makes conversations, which are over when the test ends."""
    made: list[Chat] = []

    def make(**how: Any) -> Chat:
        made.append(Chat(staffed_service.url, **how))
        return made[-1]

    yield make
    for chat in made:
        chat.request("DELETE")
        chat.close()


@pytest.fixture
def chat(new_chat: NewChat) -> Chat:
    return new_chat()


@pytest.fixture
def new_caller(staffed_service: RunningService, new_chat: NewChat) -> Callable[[], Chat]:
    """Makes conversations of callers, as the phone bridge does."""
    credential = (staffed_service.log.parent / "service.credential").read_text().strip()
    return lambda: new_chat(channel="phone", credential=credential, caller="03641 555123")


@pytest.fixture(autouse=True)
def consistent(staffed_service: RunningService) -> Iterator[None]:
    """Whatever a test did, ownership and handovers agree afterwards."""
    yield
    database = Database(staffed_service.database_url)
    assert_consistent(database)
    database.close()


def entry(staff: Staff, chat: Chat, part: str = "waiting") -> dict[str, Any] | None:
    """The conversation on the agent's board."""
    return next((one for one in staff.board()[part] if one["conversation"] == chat.id), None)


def take(staff: Staff, chat: Chat) -> dict[str, Any]:
    """The agent claims a conversation that waits."""
    claimed = staff.claim(eventually(lambda: entry(staff, chat))["handover"])
    assert claimed.status_code == HTTPStatus.OK, claimed.text
    return dict(claimed.json())


def state(chat: Chat) -> str:
    return str(chat.request("GET", "/messages").json()["state"])


# Citizens


def test_asking_for_a_human_and_going_back(agent: Staff, chat: Chat) -> None:
    first = chat.request("POST", "/handover").json()
    assert first["state"] == "queued"
    assert first["queue"]["position"] == 1 and "erster Stelle" in first["queue"]["text"]
    assert [message["author"] for message in first["messages"]] == ["system"]
    again = chat.request("POST", "/handover").json()
    assert (again["state"], again["messages"], again["version"]) == ("queued", [], first["version"])
    back = chat.request("DELETE", "/handover").json()
    assert back["state"] == "bot" and "Computerprogramm" in back["messages"][0]["text"]
    assert chat.say("Was kostet ein Reisepass?")["answer"]["service_id"] == "reisepass"
    assert chat.request("DELETE", "/handover").json() == {**back, "messages": []}
    assert entry(agent, chat) is None


def test_asking_for_a_human_twice_at_once(agent: Staff, chat: Chat) -> None:
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: chat.request("POST", "/handover"), range(5)))
    assert {answer.status_code for answer in answers} == {HTTPStatus.OK}
    assert {answer.json()["state"] for answer in answers} == {"queued"}
    assert len(chat.messages()) == 2


def test_typed_wish_for_a_human_is_granted_at_once(agent: Staff, chat: Chat) -> None:
    turn = chat.post({"text": HUMAN}).json()
    assert turn["state"] == "queued"
    assert [message["author"] for message in turn["messages"]] == ["citizen", "system"]


def test_where_nobody_is_left_it_is_said_when_and_how(new_agent: NewAgent, new_chat: NewChat) -> None:
    new_agent().come("away")
    body = problem(new_chat().request("POST", "/handover"), HTTPStatus.CONFLICT, "not-reachable")
    assert "rufen wir Sie zurück" in body["detail"]
    assert "niemand" in new_chat().say(HUMAN)["text"]


def test_bot_is_silent_while_somebody_waits_or_talks(agent: Staff, chat: Chat) -> None:
    chat.request("POST", "/handover")
    for _ in range(2):
        turn = chat.post({"text": "Was kostet ein Reisepass?"}).json()
        assert [message["author"] for message in turn["messages"]] == ["citizen"]
        if turn["state"] == "queued":
            take(agent, chat)
    assert [message["author"] for message in chat.messages() if message["author"] == "bot"] == ["bot"]


ROUTES = [
    ("POST", "/handover", None),
    ("DELETE", "/handover", None),
    ("POST", "/callback", {"name": "N", "phone": "03641 490", "concern": "C", "consent": True}),
    ("POST", "/activity", {"typing": True}),
    ("GET", "/events", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_routes_of_citizens_need_the_token_of_the_conversation(
    staffed_service: RunningService, new_chat: NewChat, method: str, path: str, body: Any
) -> None:
    chat, other = new_chat(), new_chat()
    base = f"{staffed_service.url}/api/chat/conversations"
    arguments = {"json": body} if body else {}
    problem(httpx.request(method, f"{base}/{chat.id}{path}", **arguments), HTTPStatus.UNAUTHORIZED, "wrong-token")
    problem(
        httpx.request(method, f"{base}/{chat.id}{path}", headers=other.headers, **arguments),
        HTTPStatus.UNAUTHORIZED,
        "wrong-token",
    )
    problem(
        httpx.request(method, f"{base}/{'0' * 32}{path}", headers=chat.headers, **arguments),
        HTTPStatus.NOT_FOUND,
        "unknown-conversation",
    )


def test_closed_conversation_asks_for_nobody(agent: Staff, chat: Chat) -> None:
    assert chat.request("PATCH", json={"state": "closed"}).status_code == HTTPStatus.NO_CONTENT
    problem(chat.request("POST", "/handover"), HTTPStatus.CONFLICT, "conversation-closed")
    problem(chat.post({"text": "Hallo"}), HTTPStatus.CONFLICT, "conversation-closed")
    assert chat.request("DELETE", "/handover").json()["state"] == "closed"


@pytest.mark.parametrize("body", [{"read": 0}, {"typing": "maybe"}, {"other": 1}, []])
def test_signs_of_life_that_are_none(chat: Chat, body: Any) -> None:
    problem(chat.request("POST", "/activity", json=body), HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request")


@pytest.mark.slow
def test_one_address_cannot_go_on_for_ever_but_the_phone_bridge_can(tmp_path: Path) -> None:
    settings = {"STADTBOT_HANDOVER__CALLBACKS_LIMIT": "2/hour", "STADTBOT_HANDOVER__MESSAGES_LIMIT": "3/minute"}
    with running_without_rasa(tmp_path, **settings) as url:
        credential = (tmp_path / "service.credential").read_text().strip()
        chat, call = Chat(url), Chat(url, channel="phone", credential=credential)
        wish = {"name": "N", "phone": "03641 490", "concern": "C", "consent": True}
        for path, body, allowed in (("/callback", wish, 2), ("/activity", {"typing": True}, 3), ("/handover", None, 3)):
            for _ in range(allowed):
                answer = chat.request("POST", path, json=body)
                assert answer.is_success or answer.status_code == HTTPStatus.CONFLICT
            limited = chat.request("POST", path, json=body)
            problem(limited, HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests")
            for _ in range(allowed + 1):
                assert call.request("POST", path, json=body).status_code != HTTPStatus.TOO_MANY_REQUESTS
        chat.close()
        call.close()


# What citizens are told, and in which order


def test_citizen_reads_the_message_before_the_new_state(agent: Staff, chat: Chat) -> None:
    with following(chat.events_url, chat.headers) as stream:
        stream.until("message")
        chat.request("POST", "/handover")
        stream.until("queue", lambda queue: queue["position"] == 1)
        take(agent, chat)
        stream.until("state", lambda told: told["state"] == "agent")
        agent.say(chat.id, "Guten Tag.").raise_for_status()
        stream.until("message", lambda message: message["text"] == "Guten Tag.")
        agent.request("POST", f"/conversations/{chat.id}/finish", json={"reason": "solved"}).raise_for_status()
        stream.until("state", lambda told: told["state"] == "closed")
        assert stream.ends()
    assert [message["seq"] for message in stream.of("message")] == [1, 2, 3, 4, 5]
    for name in ("queued", "agent", "closed"):
        at = next(i for i, one in enumerate(stream.events) if one.name == "state" and one.data["state"] == name)
        before = [one for one in stream.events[:at] if one.name == "message"]
        assert before[-1].data["author"] == "system"
    names = [told["agent"]["name"] for told in stream.of("presence") if told["agent"]]
    assert names == [agent.board()["me"]["name"]]


def test_place_is_told_only_when_it_has_changed(agent: Staff, new_chat: NewChat) -> None:
    first, second = new_chat(), new_chat()
    first.request("POST", "/handover")
    with following(second.events_url, second.headers) as stream:
        second.request("POST", "/handover")
        stream.until("queue", lambda queue: queue["position"] == 2)
        first.request("DELETE")
        stream.until("queue", lambda queue: queue["position"] == 1)
        second.post({"text": "Ich warte."})
        stream.until("message", lambda message: message["text"] == "Ich warte.")
    assert [queue["position"] for queue in stream.of("queue")] == [2, 1]


def test_typing_and_reading_are_seen_on_the_other_side(
    staffed_service: RunningService, agent: Staff, chat: Chat
) -> None:
    chat.request("POST", "/handover")
    take(agent, chat)
    with following(chat.events_url, chat.headers) as citizen, at_work(staffed_service, agent) as staff:
        staff.until("board", lambda board: board["mine"])
        agent.request("POST", f"/conversations/{chat.id}/activity", json={"typing": True})
        assert citizen.until("typing") == {"author": "agent", "typing": True}
        chat.request("POST", "/activity", json={"typing": True, "read": 3})
        assert staff.until("typing") == {"conversation": chat.id, "typing": True}
        assert staff.until("read") == {"conversation": chat.id, "seq": 3}


# Callers


def test_call_from_the_first_word_to_the_transfer_and_the_end(
    new_agent: NewAgent, new_caller: Callable[[], Chat]
) -> None:
    mute = new_agent(capacity=9)
    staff = new_agent(extension="321")
    call = new_caller()
    alternatives = [{"text": "was kostet ein reisepass", "confidence": 0.9}]
    assert call.post({"speech": {"alternatives": alternatives}}).json()["messages"][1]["answer"]["service_id"]
    with following(call.events_url, call.headers) as bridge:
        wish = call.post({"speech": {"alternatives": [{"text": HUMAN.lower(), "confidence": 0.7}]}}).json()
        assert wish["state"] == "queued"
        assert "bleiben Sie am Telefon" in wish["messages"][-1]["speech"]
        assert "erster Stelle" in bridge.until("queue")["speech"]
        refused = mute.claim(eventually(lambda: entry(staff, call))["handover"])
        assert refused.status_code == HTTPStatus.CONFLICT
        view = take(staff, call)
        assert view["caller"] == "03641 555123"
        assert "was kostet ein reisepass" in [message["text"] for message in view["messages"]]
        assert bridge.until("transfer") == {"extension": "321"}
        bridge.until("state", lambda told: told["state"] == "agent")
        assert bridge.names.index("transfer") < len(bridge.names) - 1 - bridge.names[::-1].index("state")
        assert call.request("PATCH", json={"state": "closed"}).status_code == HTTPStatus.NO_CONTENT
        assert bridge.ends()
    assert entry(staff, call, "mine") is None
    assert staff.say(call.id, "Hallo?").status_code == HTTPStatus.CONFLICT


@pytest.mark.parametrize("owner", ["bot", "queued", "agent", "closed"])
def test_caller_hangs_up(new_agent: NewAgent, new_caller: Callable[[], Chat], owner: str) -> None:
    staff, call = new_agent(extension="321"), new_caller()
    if owner in ("queued", "agent"):
        assert call.request("POST", "/handover").json()["state"] == "queued"
    if owner == "agent":
        take(staff, call)
    for _ in range(2 if owner == "closed" else 1):
        assert call.request("PATCH", json={"state": "closed"}).status_code == HTTPStatus.NO_CONTENT
    assert state(call) == "closed"
    problem(call.post({"text": "Hallo"}), HTTPStatus.CONFLICT, "conversation-closed")
    assert entry(staff, call) is None and entry(staff, call, "mine") is None


def test_caller_is_not_promised_an_agent_without_a_telephone(agent: Staff, new_caller: Callable[[], Chat]) -> None:
    call = new_caller()
    body = problem(call.request("POST", "/handover"), HTTPStatus.CONFLICT, "not-reachable")
    assert "jetzt jemand" not in body["detail"]
    turn = call.post({"text": HUMAN}).json()
    assert turn["state"] == "bot" and "jetzt jemand" not in turn["messages"][-1]["speech"]
    assert "zurück" in turn["messages"][-1]["speech"]


@pytest.mark.parametrize("credential", ["", "wrong"])
def test_calls_begin_with_the_credential_only(staffed_service: RunningService, credential: str) -> None:
    wish = {"site": "jena", "channel": "phone", "caller": "03641 555123"}
    headers = {"Authorization": f"Bearer {credential}"} if credential else {}
    answer = httpx.post(f"{staffed_service.url}/api/chat/conversations", json=wish, headers=headers)
    problem(answer, HTTPStatus.FORBIDDEN, "channel-not-available")


# Agents


def test_of_two_agents_who_claim_at_once_one_gets_it(new_agent: NewAgent, chat: Chat) -> None:
    agents = [new_agent(), new_agent()]
    chat.request("POST", "/handover")
    handover = eventually(lambda: entry(agents[0], chat))["handover"]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda staff: staff.claim(handover), agents))
    assert sorted(answer.status_code for answer in answers) == [HTTPStatus.OK, HTTPStatus.CONFLICT]
    loser = next(answer for answer in answers if answer.status_code == HTTPStatus.CONFLICT)
    problem(loser, HTTPStatus.CONFLICT, "already-taken")


def test_what_is_sent_again_is_said_once(agent: Staff, chat: Chat) -> None:
    chat.request("POST", "/handover")
    take(agent, chat)
    first, second = agent.say(chat.id, "Guten Tag.", "a"), agent.say(chat.id, "Guten Tag.", "a")
    assert first.json() == second.json()
    problem(agent.say(chat.id, "Anderes.", "a"), HTTPStatus.UNPROCESSABLE_ENTITY, "client-id-reused")
    problem(agent.say(chat.id, " \u200b ", "b"), HTTPStatus.UNPROCESSABLE_ENTITY, "empty-text")
    chat.request("DELETE", "/handover")
    assert agent.say(chat.id, "Guten Tag.", "a").json() == first.json()
    problem(agent.say(chat.id, "Noch etwas.", "c"), HTTPStatus.CONFLICT, "not-yours")
    assert [message["text"] for message in chat.messages()].count("Guten Tag.") == 1


def test_conversation_that_is_erased_under_the_agents_hands(
    staffed_service: RunningService, agent: Staff, chat: Chat
) -> None:
    chat.request("POST", "/handover")
    take(agent, chat)
    with at_work(staffed_service, agent) as stream:
        stream.until("board", lambda board: board["mine"])
        chat.request("DELETE")
        stream.until("board", lambda board: not board["mine"])
    problem(agent.say(chat.id, "Hallo?"), HTTPStatus.NOT_FOUND, "unknown-conversation")
    answer = agent.request("POST", f"/conversations/{chat.id}/notes", json={"text": "Weg."})
    assert answer.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
    for act, body in (("transfer", {"department": "zentrale"}), ("finish", {"reason": "solved"})):
        answer = agent.request("POST", f"/conversations/{chat.id}/{act}", json=body)
        assert answer.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT), act


def test_other_departments_conversations_are_neither_shown_nor_taken(new_agent: NewAgent, chat: Chat) -> None:
    staff, stranger = new_agent(), new_agent(departments=["buergerservice"])
    chat.post({"text": "Xylophonquark im Rathaus"})
    chat.request("POST", "/handover")
    handover = eventually(lambda: entry(staff, chat))["handover"]
    assert entry(stranger, chat) is None
    for answer in (
        stranger.request("GET", f"/conversations/{chat.id}"),
        stranger.request("POST", f"/conversations/{chat.id}/notes", json={"text": "Neugier"}),
        stranger.claim(handover),
        stranger.say(chat.id, "Hallo"),
    ):
        assert answer.is_client_error and "Xylophonquark" not in answer.text
    assert chat.id not in stranger.request("GET", "/conversations", params={"q": "Xylophonquark"}).text
    assert chat.id in staff.request("GET", "/conversations", params={"q": "Xylophonquark"}).text


STAFF_ROUTES = [
    ("GET", "/board"),
    ("GET", "/events"),
    ("GET", "/session"),
    ("GET", "/conversations"),
    ("GET", "/conversations/1"),
    ("GET", "/answers?q=Pass"),
    ("GET", "/replies"),
    ("PUT", "/presence"),
    ("POST", "/handovers/1/claim"),
    ("POST", "/handovers/1/decline"),
    ("POST", "/conversations/1/messages"),
    ("POST", "/conversations/1/activity"),
    ("POST", "/conversations/1/notes"),
    ("POST", "/conversations/1/transfer"),
    ("POST", "/conversations/1/finish"),
]


def test_agents_routes_are_for_agents_only(staffed_service: RunningService, new_agent: NewAgent) -> None:
    supervisor = add_supervisor(staffed_service)
    agent = new_agent(there=False)
    for method, path in STAFF_ROUTES:
        anonymous = httpx.request(method, f"{staffed_service.url}/mitarbeit/api{path}")
        problem(anonymous, HTTPStatus.UNAUTHORIZED, "not-signed-in")
        problem(supervisor.request(method, path), HTTPStatus.FORBIDDEN, "role-missing")
        if method != "GET":
            forged = agent.request(method, path, headers={"X-CSRF-Token": "wrong"})
            problem(forged, HTTPStatus.FORBIDDEN, "csrf")
            foreign = agent.request(method, path, headers={"Origin": "https://evil.example"})
            problem(foreign, HTTPStatus.FORBIDDEN, "other-site")
    supervisor.close()


def add_supervisor(service: RunningService) -> Staff:
    login = f"leitung-{uuid.uuid4().hex[:8]}"
    add_staff(service, login, Role.SUPERVISOR)
    return Staff(service.url, login)


def at_work(service: RunningService, staff: Staff, known: str = "") -> Any:
    """The agent's event stream, from a cursor on."""
    return following(f"{service.url}/mitarbeit/api/events", {"Last-Event-ID": known}, staff.cookies)


def seqs(stream: Stream, chat: Chat) -> list[int]:
    return [data["message"]["seq"] for data in stream.of("message") if data["conversation"] == chat.id]


def test_agents_stream_resumes_without_loss_or_duplicate(
    staffed_service: RunningService, agent: Staff, new_chat: NewChat
) -> None:
    chat, other = new_chat(), new_chat()
    for one in (chat, other):
        one.request("POST", "/handover")
        take(agent, one)
    known: dict[str, int] = {}
    received: dict[str, list[int]] = {chat.id: [], other.id: []}
    for number in range(6):
        cursor = " ".join(f"{conversation}:{seq}" for conversation, seq in known.items())
        with at_work(staffed_service, agent, cursor) as stream:
            for one in (chat, other):
                one.post({"text": f"Nummer {number}"})
                stream.until("message", lambda data, one=one: data["conversation"] == one.id)
            if number % 2:
                chat.post({"text": f"gleich danach {number}"})
        for one in (chat, other):
            received[one.id] += seqs(stream, one)
            known[one.id] = received[one.id][-1]
        chat.post({"text": f"dazwischen {number}"})
    with at_work(staffed_service, agent, " ".join(f"{key}:{seq}" for key, seq in known.items())) as stream:
        last = chat.messages()[-1]["seq"]
        stream.until("message", lambda data: data["message"]["seq"] == last)
    received[chat.id] += seqs(stream, chat)
    for one in (chat, other):
        assert received[one.id] == [message["seq"] for message in one.messages()]


def test_agents_stream_brings_the_whole_conversation_that_was_claimed(
    staffed_service: RunningService, agent: Staff, chat: Chat
) -> None:
    chat.say("Was kostet ein Reisepass?")
    with at_work(staffed_service, agent) as stream:
        stream.until("board")
        chat.request("POST", "/handover")
        waiting = stream.until("board", lambda board: any(one["conversation"] == chat.id for one in board["waiting"]))
        assert waiting["mine"] == []
        take(agent, chat)
        stream.until("message", lambda data: "übernommen" in data["message"]["text"])
        assert seqs(stream, chat) == [message["seq"] for message in chat.messages()]


def test_handing_on_to_a_colleague(staffed_service: RunningService, new_agent: NewAgent, chat: Chat) -> None:
    first, second, third = new_agent(), new_agent(there=False), new_agent(there=False)
    chat.request("POST", "/handover")
    take(first, chat)
    second.come()
    third.come()
    colleague = second.board()["me"]["id"]
    with at_work(staffed_service, second) as stream:
        stream.until("board")
        moved = first.request("POST", f"/conversations/{chat.id}/transfer", json={"colleague": colleague})
        assert moved.status_code == HTTPStatus.NO_CONTENT
        assert stream.until("offered")["conversation"] == chat.id
    waiting = entry(third, chat)
    assert waiting is not None and waiting["offered_to_other"] and not waiting["claimable"]
    problem(third.claim(waiting["handover"]), HTTPStatus.CONFLICT, "already-taken")
    assert take(second, chat)["mine"]
    problem(first.say(chat.id, "Noch da?"), HTTPStatus.CONFLICT, "not-yours")


@pytest.mark.parametrize("to", [{}, {"department": "mars"}, {"department": "standesamt"}, {"colleague": "nobody"}])
def test_handing_on_to_where_nobody_is(agent: Staff, chat: Chat, to: dict[str, str]) -> None:
    chat.request("POST", "/handover")
    take(agent, chat)
    code = "unknown-colleague" if "colleague" in to else "unknown-department"
    problem(agent.request("POST", f"/conversations/{chat.id}/transfer", json=to), HTTPStatus.CONFLICT, code)
    assert state(chat) == "agent"


def test_agent_who_goes_leaves_nobody_behind(new_agent: NewAgent, chat: Chat) -> None:
    first, second = new_agent(), new_agent(there=False)
    chat.request("POST", "/handover")
    take(first, chat)
    second.come()
    first.come("offline")
    assert state(chat) == "queued"
    waiting = eventually(lambda: entry(second, chat))
    assert waiting["urgent"]


@pytest.mark.slow
def test_agents_stream_ends_with_the_session(staffed_service: RunningService) -> None:
    login = f"agent-{uuid.uuid4().hex[:8]}"
    add_staff(staffed_service, login)
    staff = Staff(staffed_service.url, login)
    with at_work(staffed_service, staff) as stream:
        stream.until("board")
        url = f"{staffed_service.url}/mitarbeit/abmelden"
        left = httpx.post(url, headers=staff.headers, cookies=staff.cookies)
        assert left.status_code == HTTPStatus.SEE_OTHER
        assert stream.ends(within_s=40)
    problem(staff.request("GET", "/board"), HTTPStatus.UNAUTHORIZED, "not-signed-in")
    staff.close()
