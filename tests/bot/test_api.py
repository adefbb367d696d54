"""The chat API as a client meets it: the real service with a real Rasa behind it."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.chat_client import Chat
from tests.running import RunningService, free_port, running_service


@pytest.fixture
def chat(service: RunningService) -> Iterator[Chat]:
    chat = Chat(service.url)
    yield chat
    chat.close()


def problem(response: httpx.Response, status: HTTPStatus, code: str) -> dict[str, Any]:
    """The response's problem document, after checking that it is the expected one."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["type"] == f"/problems/{code}"
    assert body["detail"].endswith((".", "?")) or "0" in body["detail"]
    return body


def stored_text(*urls: str) -> str:
    """Every value of every table, and every byte of the files behind them."""
    found = []
    for url in urls:
        path = Path(url.removeprefix("sqlite:///"))
        connection = sqlite3.connect(path)
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found += [repr(connection.execute(f"SELECT * FROM {table}").fetchall()) for table in tables]
        connection.close()
    return "".join(found)


def test_first_message_discloses_a_machine(chat: Chat) -> None:
    assert "Computerprogramm" in chat.greeting["text"]
    assert chat.greeting["author"] == "bot"
    assert chat.greeting["seq"] == 1
    assert chat.greeting["at"].endswith(("Z", "+00:00"))


def test_answer_comes_with_source_and_date(chat: Chat) -> None:
    answer = chat.say("Was kostet ein Personalausweis?")["answer"]
    assert answer["kind"] == "service"
    assert answer["service_id"] == "personalausweis"
    assert answer["aspect"] == "fees"
    assert answer["source_url"].startswith("https://")
    assert answer["as_of"]
    assert answer["office"]["name"] == "Bürgerservice Jena"
    assert "fees" in answer["aspects"]


def test_same_client_id_gives_the_same_result(chat: Chat) -> None:
    body = {"text": "Was kostet ein Reisepass?", "client_id": "a"}
    first, second = chat.post(body), chat.post(body)
    assert first.status_code == HTTPStatus.OK
    assert first.json() == second.json()
    problem(chat.post({"text": "anders", "client_id": "a"}), HTTPStatus.UNPROCESSABLE_ENTITY, "client-id-reused")
    assert len(chat.messages()) == 3


def test_same_client_id_at_the_same_time_gives_the_same_result(chat: Chat) -> None:
    body = {"text": "Was kostet ein Reisepass?", "client_id": "a"}
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: chat.post(body), range(5)))
    assert {answer.status_code for answer in answers} == {HTTPStatus.OK}
    assert len({answer.text for answer in answers}) == 1
    assert [message["seq"] for message in chat.messages()] == [1, 2, 3]


@pytest.mark.parametrize(
    "text", ["/ask_human", '/ask_service{"aspect": "fees"}', " \n//start_over", "/", "\u200b/greet", "@@/deny"]
)
def test_intents_cannot_be_injected(service: RunningService, chat: Chat, text: str) -> None:
    chat.say("Was kostet ein Reisepass?")
    chat.say(text)
    tracker = httpx.get(f"{service.rasa_url}/conversations/{chat.id}/tracker").json()
    assert not tracker["latest_message"]["text"].startswith("/")
    assert "RegexMessageHandler" not in [entity["extractor"] for entity in tracker["latest_message"]["entities"]]


@pytest.mark.parametrize("text", ["", "   ", "\u200b\u200e", "\x00\x07"])
def test_nothing_said_is_a_clear_error(chat: Chat, text: str) -> None:
    problem(chat.post({"text": text}), HTTPStatus.UNPROCESSABLE_ENTITY, "empty-text")
    assert len(chat.messages()) == 1


def test_too_long_a_text_is_a_clear_error(chat: Chat) -> None:
    problem(chat.post({"text": "a" * 2001}), HTTPStatus.UNPROCESSABLE_ENTITY, "text-too-long")
    assert chat.say("a " * 1000)["author"] == "bot"


def test_invisible_characters_do_not_get_into_the_store(chat: Chat) -> None:
    chat.say("Was\u202e kostet\u200b ein\x07 Reise\u00adpass?")
    assert chat.messages()[1]["text"] == "Was kostet ein Reisepass?"


@pytest.mark.parametrize(
    "body",
    [{}, {"text": "a", "choice": "b"}, {"text": 3}, {"text": "a", "other": 1}, {"speech": {"alternatives": []}}, []],
)
def test_malformed_requests_get_a_problem_document(chat: Chat, body: Any) -> None:
    problem(chat.post(body), HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request")


def test_wrong_encoding_gets_a_problem_document(chat: Chat) -> None:
    response = chat.request(
        "POST", "/messages", content=b'{"text": "Stra\xdfe"}', headers={"Content-Type": "application/json"}
    )
    assert response.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
    assert response.headers["content-type"].startswith("application/problem+json")


def test_huge_request_is_refused(chat: Chat) -> None:
    problem(chat.post({"text": "a" * 200_000}), HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request-too-large")


def test_choice_that_was_never_offered(chat: Chat) -> None:
    problem(chat.post({"choice": "nonsense"}), HTTPStatus.UNPROCESSABLE_ENTITY, "unknown-choice")


def test_old_choices_stay_valid(chat: Chat) -> None:
    chat.say("Was kostet ein Personalausweis?")
    documents = next(choice for choice in chat.last["choices"] if choice["label"] == "Unterlagen")
    chat.say("Was kostet ein Reisepass?")
    reply = chat.post({"choice": documents["value"]}).json()["messages"][-1]
    assert reply["answer"]["service_id"] == "personalausweis"
    assert reply["answer"]["aspect"] == "documents"


def test_speech_is_answered_like_text(chat: Chat) -> None:
    alternatives = [{"text": "was kostet ein reisepass", "confidence": 0.8}]
    messages = chat.post({"speech": {"alternatives": alternatives}}).json()["messages"]
    assert messages[0]["text"] == "was kostet ein reisepass"
    assert messages[1]["answer"]["service_id"] == "reisepass"
    assert "(" not in messages[1]["speech"]


def test_unknown_conversation_and_wrong_token(service: RunningService, chat: Chat) -> None:
    base = f"{service.url}/api/chat/conversations"
    headers = {"Authorization": f"Bearer {chat.token}"}
    problem(httpx.get(f"{base}/{'0' * 32}/messages", headers=headers), HTTPStatus.NOT_FOUND, "unknown-conversation")
    problem(httpx.get(f"{base}/{chat.id}/messages"), HTTPStatus.UNAUTHORIZED, "wrong-token")
    other = Chat(service.url)
    headers = {"Authorization": f"Bearer {other.token}"}
    problem(httpx.get(f"{base}/{chat.id}/messages", headers=headers), HTTPStatus.UNAUTHORIZED, "wrong-token")
    other.close()


def test_unknown_site(service: RunningService) -> None:
    response = httpx.post(f"{service.url}/api/chat/conversations", json={"site": "atlantis", "channel": "web"})
    problem(response, HTTPStatus.NOT_FOUND, "unknown-site")
    problem(httpx.get(f"{service.url}/api/chat/sites/atlantis"), HTTPStatus.NOT_FOUND, "unknown-site")


@pytest.mark.parametrize("channel", ["phone", "kiosk"])
def test_channels_of_later_need_more_than_a_wish(service: RunningService, channel: str) -> None:
    response = httpx.post(f"{service.url}/api/chat/conversations", json={"site": "jena", "channel": channel})
    problem(response, HTTPStatus.FORBIDDEN, "channel-not-available")


def test_where_nobody_can_be_reached_a_callback_is_offered(chat: Chat) -> None:
    body = problem(chat.request("POST", "/handover"), HTTPStatus.CONFLICT, "not-reachable")
    assert "03641 49-0" in body["detail"] and "rufen wir Sie zurück" in body["detail"]
    assert chat.request("DELETE", "/handover").json()["state"] == "bot"


def test_everything_that_is_wrong_with_a_callback_is_told_at_once(chat: Chat) -> None:
    wish = {"name": " ", "concern": "", "consent": False}
    body = problem(chat.request("POST", "/callback", json=wish), HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-callback")
    assert set(body["fields"]) == {"name", "concern", "reach", "consent"}


def test_site_tells_what_the_widget_needs(service: RunningService) -> None:
    body = httpx.get(f"{service.url}/api/chat/sites/jena").json()
    assert set(body) >= {"texts", "look", "legal", "notice", "bot", "reachability", "hotline"}
    assert all(url.startswith("http") for url in body["legal"].values())
    assert body["texts"]


def test_foreign_origins_are_kept_out(service: RunningService) -> None:
    url = f"{service.url}/api/chat/conversations"
    wish = {"site": "jena", "channel": "web"}
    problem(
        httpx.post(url, json=wish, headers={"Origin": "https://evil.example"}),
        HTTPStatus.FORBIDDEN,
        "origin-not-allowed",
    )
    allowed = httpx.post(url, json=wish, headers={"Origin": "https://www.jena.de"})
    assert allowed.headers["access-control-allow-origin"] == "https://www.jena.de"
    other = httpx.get(f"{service.url}/api/chat/sites/jena", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers


def test_personal_data_is_masked_before_the_first_write(service: RunningService, chat: Chat) -> None:
    reply = chat.say(
        "Ich heiße Sabine Mustermann, 0176 12345678, sabine.mustermann@example.org. Perso verloren, was nun?"
    )
    assert reply["author"] == "bot"
    mine = chat.messages()[1]["text"]
    assert "Mustermann" not in mine
    assert "Perso verloren" in mine
    everywhere = stored_text(service.database_url, service.rasa_database_url) + service.log.read_text()
    for secret in ("Mustermann", "12345678", "example.org"):
        assert secret not in everywhere


def test_what_is_said_gets_into_no_log(service: RunningService, chat: Chat) -> None:
    chat.say("Xylophonquark im Rathaus")
    chat.request("GET", "/messages", params={"after": "Xylophonquark"})
    assert "Xylophonquark" not in service.log.read_text()


def test_emergency_is_answered_at_once(chat: Chat) -> None:
    reply = chat.say("Hilfe, bei uns brennt es!")
    assert reply["answer"]["kind"] == "emergency"
    assert "112" in reply["text"]
    assert reply["answer"]["actions"][0]["url"] == "tel:112"


def test_feedback_on_answers_of_the_bot_only(chat: Chat) -> None:
    seq = chat.say("Was kostet ein Reisepass?")["seq"]
    ok = chat.request("POST", "/feedback", json={"rating": "up", "seq": seq})
    assert ok.status_code == HTTPStatus.NO_CONTENT
    assert chat.request("POST", "/feedback", json={"rating": 2, "comment": "gut"}).status_code == HTTPStatus.NO_CONTENT
    problem(
        chat.request("POST", "/feedback", json={"rating": "up", "seq": seq - 1}),
        HTTPStatus.NOT_FOUND,
        "unknown-message",
    )
    for rating in (0, 7, "sideways", None):
        response = chat.request("POST", "/feedback", json={"rating": rating, "seq": seq})
        problem(response, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request")


def test_transcript_is_readable(chat: Chat) -> None:
    chat.say("Was kostet ein Reisepass?")
    transcript = chat.request("GET", "/transcript").text
    assert "Was kostet ein Reisepass?" in transcript
    assert "Computerprogramm" in transcript
    assert "Quelle: https://" in transcript


def test_language_of_the_site_only(chat: Chat) -> None:
    assert chat.request("PATCH", json={"language": "de"}).status_code == HTTPStatus.NO_CONTENT
    problem(chat.request("PATCH", json={"language": "tlh"}), HTTPStatus.UNPROCESSABLE_ENTITY, "language-not-available")


def test_erasing_leaves_nothing_in_any_store(service: RunningService, chat: Chat) -> None:
    chat.say("Seltenwortquark Personalausweis")
    assert "Seltenwortquark" in stored_text(service.database_url)
    assert "Seltenwortquark" in stored_text(service.rasa_database_url)
    assert chat.request("DELETE").status_code == HTTPStatus.NO_CONTENT
    assert "Seltenwortquark" not in stored_text(service.database_url, service.rasa_database_url)
    problem(chat.request("GET", "/messages"), HTTPStatus.NOT_FOUND, "unknown-conversation")
    problem(chat.post({"text": "noch da?"}), HTTPStatus.NOT_FOUND, "unknown-conversation")


class Listener:
    """Collects the events of a conversation in a thread until enough messages came."""

    def __init__(
        self, chat: Chat, service: RunningService, *, until_seq: int, last_event_id: str | None = None
    ) -> None:
        self.messages: list[dict[str, Any]] = []
        self.states: list[str] = []
        self._headers = {"Authorization": f"Bearer {chat.token}"}
        if last_event_id:
            self._headers["Last-Event-ID"] = last_event_id
        self._url = f"{service.url}/api/chat/conversations/{chat.id}/events"
        self._until = until_seq
        self._connected = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        assert self._connected.wait(10)

    def join(self) -> list[int]:
        self._thread.join(20)
        assert not self._thread.is_alive(), "the events did not come"
        return [message["seq"] for message in self.messages]

    def _listen(self) -> None:
        event: dict[str, str] = {}
        with httpx.stream("GET", self._url, headers=self._headers, timeout=20) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            for line in response.iter_lines():
                if line:
                    name, _, value = line.partition(":")
                    event[name] = value.strip()
                    continue
                if event.get("event") == "state":
                    self.states.append(json.loads(event["data"])["state"])
                    self._connected.set()
                if event.get("event") == "message":
                    self.messages.append(json.loads(event["data"]))
                    assert event["id"] == str(self.messages[-1]["seq"])
                    if self.messages[-1]["seq"] >= self._until:
                        return
                event = {}


def test_events_bring_what_the_answers_bring(service: RunningService, chat: Chat) -> None:
    listener = Listener(chat, service, until_seq=5)
    chat.say("Was kostet ein Reisepass?")
    chat.say("Und welche Unterlagen brauche ich?")
    assert listener.join() == [1, 2, 3, 4, 5]
    assert listener.states == ["bot"]
    assert listener.messages == chat.messages()


def test_whoever_follows_learns_first_who_is_there_and_what_is_announced(service: RunningService, chat: Chat) -> None:
    url = f"{service.url}/api/chat/conversations/{chat.id}/events"
    with httpx.stream("GET", url, headers={"Authorization": f"Bearer {chat.token}"}, timeout=20) as response:
        lines = response.iter_lines()
        events = [(next(lines), json.loads(next(lines).removeprefix("data:")), next(lines)) for _ in range(2)]

    assert events[0] == ("event: state", {"state": "bot", "version": 0}, "")
    assert events[1] == ("event: site", {"site": "jena", "channel": "web", "notice": None, "bot": True}, "")


def test_texts_of_the_widget_name_the_days_that_a_callback_is_kept(service: RunningService) -> None:
    texts = httpx.get(f"{service.url}/api/chat/sites/jena").json()["texts"]
    assert "spätestens nach 30 Tagen" in texts["callback.consent"]
    assert "{site}" in texts["title"], "the widget fills in what only it knows"


def test_events_resume_after_the_last_one(service: RunningService, chat: Chat) -> None:
    chat.say("Was kostet ein Reisepass?")
    assert Listener(chat, service, until_seq=3, last_event_id="1").join() == [2, 3]


def test_two_listeners_get_the_same(service: RunningService, chat: Chat) -> None:
    listeners = [Listener(chat, service, until_seq=3) for _ in range(2)]
    chat.say("Was kostet ein Reisepass?")
    assert [listener.join() for listener in listeners] == [[1, 2, 3], [1, 2, 3]]


def test_conversations_do_not_mix(service: RunningService) -> None:
    def converse(number: int) -> tuple[str, str | None]:
        chat = Chat(service.url)
        service_id = ("reisepass", "hundesteuer")[number % 2]
        chat.say({"reisepass": "Was kostet ein Reisepass?", "hundesteuer": "Was kostet die Hundesteuer?"}[service_id])
        follow_up = chat.say("Und welche Unterlagen brauche ich?")["answer"]["service_id"]
        chat.close()
        return service_id, follow_up

    with ThreadPoolExecutor(6) as pool:
        for expected, got in pool.map(converse, range(12)):
            assert got == expected


@pytest.mark.slow
def test_without_rasa_there_is_a_sentence_and_help_in_emergencies(tmp_path: Path) -> None:
    with running_without_rasa(tmp_path) as url:
        chat = Chat(url)
        reply = chat.say("Was kostet ein Reisepass?")
        assert "03641 49-0" in reply["text"]
        assert reply["answer"]["kind"] == "abstain"
        assert chat.say("Ich will nicht mehr leben")["answer"]["kind"] == "emergency"
        assert [message["seq"] for message in chat.messages()] == [1, 2, 3, 4, 5]
        assert httpx.get(f"{url}/healthz").status_code == HTTPStatus.OK
        ready = httpx.get(f"{url}/readyz")
        assert ready.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert ready.json()["rasa"] is False
        chat.close()


@pytest.mark.slow
def test_limits_hold_for_one_client(tmp_path: Path) -> None:
    settings = {"STADTBOT_CHAT__CONVERSATIONS_LIMIT": "2/hour", "STADTBOT_CHAT__MESSAGES_LIMIT": "3/minute"}
    with running_without_rasa(tmp_path, **settings) as url:
        chat = Chat(url)
        for _ in range(3):
            assert chat.post({"text": "Hallo"}).status_code == HTTPStatus.OK
        limited = chat.post({"text": "Hallo"})
        problem(limited, HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests")
        assert 0 < int(limited.headers["Retry-After"]) <= 60
        chat.close()
        Chat(url).close()
        wish = {"site": "jena", "channel": "web"}
        created = httpx.post(f"{url}/api/chat/conversations", json=wish)
        problem(created, HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests")
        forwarded = {"X-Forwarded-For": "203.0.113.7"}
        assert (
            httpx.post(f"{url}/api/chat/conversations", json=wish, headers=forwarded).status_code == HTTPStatus.CREATED
        )


@contextmanager
def running_without_rasa(folder: Path, **settings: str) -> Iterator[str]:
    """Address of a service whose Rasa does not answer."""
    with running_service(folder, STADTBOT_RASA_URL=f"http://127.0.0.1:{free_port()}", **settings) as running:
        yield running.url
