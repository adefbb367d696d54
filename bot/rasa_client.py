"""The service's side of Rasa: asking it for a reply, and erasing what it keeps of a conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

import httpx
from sqlalchemy import bindparam, create_engine, inspect, text

from bot.models import Reply

DEADLINE_S = 5.0
"""How long a citizen's message may wait for Rasa."""


class RasaFailure(RuntimeError):
    """Rasa gave no usable reply: it is down, too slow, or an action failed."""


class RasaClient:
    """Talks to one Rasa server."""

    def __init__(
        self, url: str, *, deadline_s: float = DEADLINE_S, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._deadline_s = deadline_s
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=16)
        self._http = httpx.AsyncClient(base_url=url, timeout=deadline_s, limits=limits, transport=transport)

    async def reply(self, *, sender: str, text: str, metadata: Mapping[str, Any]) -> Reply:
        """Rasa's reply to one message.

        Raises:
            RasaFailure: there is none. An empty list counts as none: Rasa answers so when an action has failed.
        """
        body = {"sender": sender, "message": text, "metadata": dict(metadata)}
        try:
            async with asyncio.timeout(self._deadline_s):
                response = await self._http.post("/webhooks/rest/webhook", json=body)
            response.raise_for_status()
            messages = response.json()
            if not isinstance(messages, list) or len(messages) != 1:
                raise RasaFailure("expected exactly one message")
            return Reply.model_validate(messages[0]["custom"])
        except (httpx.HTTPError, TimeoutError, ValueError, KeyError, TypeError) as error:
            # The error's text may quote the reply and with it the citizen; its type says enough.
            raise RasaFailure(type(error).__name__) from None

    async def ready(self) -> bool:
        """Whether a model is loaded and can answer."""
        try:
            response = await self._http.get("/status")
            return response.status_code == httpx.codes.OK and bool(response.json().get("model_file"))
        except (httpx.HTTPError, ValueError):
            return False

    async def close(self) -> None:
        await self._http.aclose()


class RasaTracker:
    """Rasa's own record of conversations (its table `events`), as far as the service must erase in it."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url)

    def erase(self, senders: Collection[str]) -> None:
        """Delete every row of these conversations."""
        if not senders or not inspect(self._engine).has_table("events"):
            return
        statement = text("DELETE FROM events WHERE sender_id IN :senders")
        with self._engine.begin() as connection:
            if self._engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            connection.execute(statement.bindparams(bindparam("senders", expanding=True)), {"senders": list(senders)})

    def senders(self) -> set[str]:
        """The conversations of which there are rows."""
        if not inspect(self._engine).has_table("events"):
            return set()
        with self._engine.connect() as connection:
            return set(connection.scalars(text("SELECT DISTINCT sender_id FROM events")))

    def close(self) -> None:
        self._engine.dispose()
