"""What Prometheus reads of the whole service: on loopback alone, and nothing about anybody."""

from __future__ import annotations

import datetime as dt
from contextlib import closing

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.models import Author, Channel, Reply
from bot.store import ConversationStore
from core.clock import FixedClock
from core.database import Database
from core.encryption import Keyring, new_key
from core.metrics import Metrics
from stadtbot.observing import observe_messages
from tests.chat_client import Chat
from tests.core.test_metrics import samples
from tests.running import RunningService

NAME = "Kunigunde Zwiebelfisch"


def scrape(service: RunningService) -> str:
    response = httpx.get(f"{service.loopback_url}/metrics")
    assert response.status_code == httpx.codes.OK
    assert response.headers["content-type"].startswith("text/plain")
    return response.text


def figures(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_conversation_is_counted_and_nobody_is_named(service: RunningService) -> None:
    before = figures(scrape(service))
    with closing(Chat(service.url)) as chat:
        chat.say("Was kostet ein Reisepass?")
        chat.say(f"Ich heiße {NAME}, meine Nummer ist 03641 987654")
        chat.request("POST", "/feedback", json={"rating": "up", "comment": NAME})
        with httpx.stream(
            "GET",
            f"{service.url}/api/chat/conversations/{chat.id}/events",
            headers={"Authorization": f"Bearer {chat.token}"},
        ) as stream:
            lines = stream.iter_lines()  # kept: the stream closes with it
            next(lines)
            text = scrape(service)
        httpx.get(f"{service.url}/{NAME}", params={"q": NAME})
        chat.request("DELETE")
    after = figures(text)

    def more(*key: str) -> float:
        return after.get(key, 0) - before.get(key, 0)

    assert more("stadtbot_messages_total", "citizen", "web") == 2
    assert more("stadtbot_messages_total", "bot", "web") == 3
    assert more("stadtbot_answers_total", "web", "service") >= 1
    assert more("stadtbot_rasa_seconds_count") == 2
    assert more("stadtbot_event_streams") == 1
    route = "/api/chat/conversations/{conversation_id}/messages"
    assert more("stadtbot_http_request_seconds_count", "POST", route, "2xx") == 2
    assert after[("stadtbot_index_ready",)] == 1
    assert after[("stadtbot_catalogue_version",)] >= 1
    for scraped in (text, scrape(service)):
        for secret in ("Kunigunde", "Zwiebelfisch", "987654", chat.id, chat.token, "127.0.0.1", "Reisepass"):
            assert secret.lower() not in scraped.lower()


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/api/metrics", "/actions"])
def test_metrics_are_not_public(service: RunningService, path: str) -> None:
    response = httpx.get(f"{service.url}{path}", follow_redirects=True)
    assert response.status_code == httpx.codes.NOT_FOUND
    assert "stadtbot_" not in response.text


def test_actions_still_need_their_secret(service: RunningService) -> None:
    body = {"next_action": "action_answer", "sender_id": "x", "tracker": {}}
    assert httpx.post(f"{service.loopback_url}/actions", json=body).status_code == httpx.codes.UNAUTHORIZED


def test_only_what_is_stored_counts(database: Database, clock: FixedClock) -> None:
    metrics = Metrics()
    observe_messages(database, metrics)
    store = ConversationStore(database, clock, Keyring([new_key()]), lifetime=dt.timedelta(days=30))
    conversation, _ = store.create(site="jena", channel=Channel.WEB, language="de")
    store.say(conversation.id, Reply(text="x", speech="x"))
    store.open_turn(conversation.id, text="x", client_id=None, body_hash="", lang="de", masked="x")
    with pytest.raises(ZeroDivisionError), database.session() as session:
        store.append_in(session, conversation.id, author=Author.AGENT, text="x")
        session.flush()
        _ = 1 // 0
    assert samples(metrics, "stadtbot_messages_total") == {("bot", "web"): 1, ("citizen", "web"): 1}
