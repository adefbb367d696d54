from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.staticfiles import StaticFiles
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from core.database import Database
from core.metrics import Metrics, RequestMetrics


def samples(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The samples of a name by their labels' values, in the order of the labels' names."""
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
        if sample.name == name
    }


REQUESTS = "stadtbot_http_request_seconds_count"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def client(metrics: Metrics, tmp_path: Path) -> TestClient:
    app = FastAPI()

    @app.get("/things/{thing}")
    def thing(thing: str) -> str:
        if thing == "bad":
            raise RuntimeError("bad")
        return thing

    @app.get("/events")
    def events() -> StreamingResponse:
        def body() -> Iterator[str]:
            yield f"open: {samples(metrics, 'stadtbot_event_streams')[()]}"

        return StreamingResponse(body(), media_type="text/event-stream")

    app.mount("/files", StaticFiles(directory=tmp_path))
    app.add_middleware(RequestMetrics, metrics=metrics)
    return TestClient(app, raise_server_exceptions=False)


def test_requests_are_counted_by_template(client: TestClient, metrics: Metrics) -> None:
    for path in ("/things/secret-1", "/things/secret-2", "/things/bad", "/secret-3", "/files/secret-4"):
        client.get(path)
    client.request("SECRET5", "/things/1")
    assert samples(metrics, REQUESTS) == {
        ("GET", "/things/{thing}", "2xx"): 2,
        ("GET", "/things/{thing}", "5xx"): 1,
        ("other", "/things/{thing}", "4xx"): 1,
        ("GET", "none", "4xx"): 1,
        ("GET", "/files/*", "4xx"): 1,
    }
    assert "secret" not in metrics.exposition().decode().lower()


def test_streams_are_counted_while_they_are_open(client: TestClient, metrics: Metrics) -> None:
    assert client.get("/events").text == "open: 1.0"
    assert samples(metrics, "stadtbot_event_streams") == {(): 0}
    assert samples(metrics, REQUESTS) == {("GET", "/events", "2xx"): 1}


def test_each_service_has_figures_of_its_own(metrics: Metrics) -> None:
    other = Metrics()
    metrics.count_message(channel="web", author="bot")
    assert samples(metrics, "stadtbot_messages_total") == {("bot", "web"): 1}
    assert samples(other, "stadtbot_messages_total") == {}


def test_a_source_that_fails_hides_no_other(metrics: Metrics) -> None:
    def fail() -> dict[tuple[str, ...], float]:
        raise OSError("the database is away")

    metrics.gauge_source("broken", "x", [], fail)
    metrics.gauge_source("waiting", "x", ["department"], lambda: {("amt",): 3})
    assert samples(metrics, "stadtbot_waiting") == {("amt",): 3}
    assert samples(metrics, "stadtbot_broken") == {}
    assert samples(metrics, "process_open_fds")


def test_statements_are_timed(database: Database, metrics: Metrics) -> None:
    metrics.watch_database(database)
    with database.reading() as session:
        session.execute(sa.text("SELECT 1"))
        assert samples(metrics, "stadtbot_database_connections") == {(): 1}
    assert samples(metrics, "stadtbot_database_connections") == {(): 0}
    assert samples(metrics, "stadtbot_database_statement_seconds_count")[()] >= 1
