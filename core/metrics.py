"""Figures about the service for Prometheus: counts and times, and no label that names a person or a conversation.

The logic knows nothing of them: observers beside it count.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, PlatformCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import event
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.database import Database

log = logging.getLogger(__name__)

MEDIA_TYPE = CONTENT_TYPE_LATEST
REQUEST_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1.0, 2.5, 5.0, 10.0)
RASA_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1.0, 2.5, 5.0)
DATABASE_BUCKETS_S = (0.0005, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "none"
EVENT_STREAM = b"text/event-stream"

CONTEXT = 4
"""Place of the execution's context among the arguments of SQLAlchemy's events."""

Source = Callable[[], Mapping[tuple[str, ...], float]]
"""Gives the present values by their labels' values; asked at every scrape, in a thread."""


class Metrics:
    """The figures of one service, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._requests = Histogram(
            "stadtbot_http_request_seconds",
            "Time until a request was answered, of an event stream until it began.",
            ["route", "method", "status"],
            buckets=REQUEST_BUCKETS_S,
            registry=self._registry,
        )
        self._streams = Gauge("stadtbot_event_streams", "Event streams that are open.", registry=self._registry)
        self._messages = Counter(
            "stadtbot_messages", "Messages that were stored.", ["channel", "author"], registry=self._registry
        )
        self._answers = Counter(
            "stadtbot_answers", "Answers of the bot that were stored.", ["kind", "channel"], registry=self._registry
        )
        self._rasa = Histogram(
            "stadtbot_rasa_seconds",
            "Time that Rasa took for a reply.",
            buckets=RASA_BUCKETS_S,
            registry=self._registry,
        )
        self._rasa_failures = Counter(
            "stadtbot_rasa_failures", "Questions to which Rasa gave no usable reply.", registry=self._registry
        )
        self._database = Histogram(
            "stadtbot_database_statement_seconds",
            "Time that a statement took in the database, waiting for locks included.",
            buckets=DATABASE_BUCKETS_S,
            registry=self._registry,
        )

    def count_request(self, *, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request by its route's template, never by its path."""
        known = method if method in METHODS else "other"
        self._requests.labels(route, known, f"{status // 100}xx").observe(seconds)

    def stream_opened(self) -> None:
        self._streams.inc()

    def stream_closed(self) -> None:
        self._streams.dec()

    def count_message(self, *, channel: str, author: str) -> None:
        self._messages.labels(channel, author).inc()

    def count_answer(self, *, kind: str, channel: str) -> None:
        self._answers.labels(kind, channel).inc()

    def observe_rasa(self, seconds: float, *, ok: bool) -> None:
        self._rasa.observe(seconds)
        if not ok:
            self._rasa_failures.inc()

    def gauge_source(self, name: str, help: str, labels: Sequence[str], source: Source) -> None:
        """Show what a function counts at the time of a scrape.

        Args:
            name: without the prefix `stadtbot_`.
            help: what the figure means.
            labels: names of the labels, none for a single figure.
            source: gives the values; while it fails the figure is missing and the others are not.
        """
        self._registry.register(_Asked(f"stadtbot_{name}", help, labels, source))

    def watch_database(self, database: Database) -> None:
        """Time its statements and show how many connections are in use."""

        def begin(*arguments: Any) -> None:
            arguments[CONTEXT]._stadtbot_begun = time.perf_counter()

        def end(*arguments: Any) -> None:
            self._database.observe(time.perf_counter() - arguments[CONTEXT]._stadtbot_begun)

        event.listen(database.engine, "before_cursor_execute", begin)
        event.listen(database.engine, "after_cursor_execute", end)
        pool = database.engine.pool
        if hasattr(pool, "checkedout"):
            used = pool.checkedout
            self.gauge_source("database_connections", "Connections that are in use.", [], lambda: {(): used()})

    def exposition(self) -> bytes:
        """All figures in Prometheus's text format. Asks the sources, so it may wait for the database."""
        return generate_latest(self._registry)


class _Asked(Collector):
    """A gauge whose values a function gives."""

    def __init__(self, name: str, help: str, labels: Sequence[str], source: Source) -> None:
        self._name = name
        self._help = help
        self._labels = labels
        self._source = source

    def describe(self) -> Iterable[Metric]:
        return [GaugeMetricFamily(self._name, self._help, labels=self._labels)]

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(self._name, self._help, labels=self._labels)
        try:
            values = self._source()
        except Exception as error:  # one figure that cannot be had must not hide the others
            log.warning("no figure for %s: %s", self._name, type(error).__name__)
            return []
        for labels, value in values.items():
            family.add_metric(labels, value)
        return [family]


class RequestMetrics:
    """ASGI middleware that counts requests and open event streams."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status, streams, root = time.perf_counter(), 500, False, str(scope.get("root_path", ""))

        def count() -> None:
            self._metrics.count_request(
                route=_route(scope, root), method=scope["method"], status=status, seconds=time.perf_counter() - begun
            )

        async def watched(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status = message["status"]
                if _is_stream(message):
                    streams = True
                    self._metrics.stream_opened()
                    count()
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            if streams:
                self._metrics.stream_closed()
            else:
                count()


def _is_stream(start: Message) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(EVENT_STREAM) for name, value in start["headers"])


def _route(scope: Scope, root: str) -> str:
    """The template of the route that answered; for mounted files that of their folder."""
    path = getattr(scope.get("route"), "path", None)
    if path is not None:
        return str(path)
    mounted = str(scope.get("root_path", ""))
    return f"{mounted}/*" if mounted != root else NO_ROUTE
