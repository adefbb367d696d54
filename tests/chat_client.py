"""A citizen's client of the chat API, as small as tests and measurements need it."""

from __future__ import annotations

import uuid
from typing import Any

import httpx


class Chat:
    """One conversation over HTTP."""

    def __init__(
        self, url: str, *, site: str = "jena", channel: str = "web", credential: str = "", caller: str | None = None
    ) -> None:
        self._http = httpx.Client(base_url=f"{url}/api/chat", timeout=30)
        wish = {"site": site, "channel": channel, "language": "de", **({"caller": caller} if caller else {})}
        shown = {"Authorization": f"Bearer {credential}"} if credential else {}
        created = self._http.post("/conversations", json=wish, headers=shown)
        if created.is_error:
            self._http.close()
        created.raise_for_status()
        body = created.json()
        self.id: str = body["id"]
        self.token: str = body["token"]
        self.greeting: dict[str, Any] = body["messages"][0]
        self.last: dict[str, Any] = self.greeting
        self._http.headers["Authorization"] = f"Bearer {self.token}"
        self.events_url = f"{url}/api/chat/conversations/{self.id}/events"

    @property
    def headers(self) -> dict[str, str]:
        """What opens the conversation."""
        return {"Authorization": f"Bearer {self.token}"}

    def post(self, body: dict[str, Any]) -> httpx.Response:
        """One utterance; the raw response."""
        return self._http.post(f"/conversations/{self.id}/messages", json=body)

    def say(self, text: str) -> dict[str, Any]:
        """Say something; gives the bot's reply."""
        return self._reply({"text": text})

    def choose(self, label: str) -> dict[str, Any]:
        """Take the offered choice of this label; gives the bot's reply."""
        values = {choice["label"]: choice["value"] for choice in self.last["choices"]}
        if label not in values:
            raise LookupError(f"{label!r} is not offered, but {sorted(values)}")
        return self._reply({"choice": values[label]})

    def messages(self, after: int = 0) -> list[dict[str, Any]]:
        """What is stored."""
        response = self._http.get(f"/conversations/{self.id}/messages", params={"after": after})
        response.raise_for_status()
        return list(response.json()["messages"])

    def request(self, method: str, path: str = "", **arguments: Any) -> httpx.Response:
        """Any other request on the conversation."""
        return self._http.request(method, f"/conversations/{self.id}{path}", **arguments)

    def close(self) -> None:
        self._http.close()

    def _reply(self, body: dict[str, Any]) -> dict[str, Any]:
        response = self.post({**body, "client_id": uuid.uuid4().hex})
        response.raise_for_status()
        self.last = response.json()["messages"][-1]
        if self.last["author"] != "bot":
            raise AssertionError("the bot said nothing")
        return self.last
