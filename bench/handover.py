"""Measures the handover: how long a message is under way between citizen and agent, and what cut connections lose.

Fifty citizens talk to ten agents at the same time. Every message carries a number that is looked for at the other
side; nothing of it is a person's.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.timing import percentiles
from core.accounts import Role
from tests.e2e.cutting_proxy import CuttingProxy, cutting_proxy
from tests.running import RunningService, running_service
from tests.staff_client import Staff, add_staff, open_always

CONVERSATIONS = 50
AGENTS = 10
ROUNDS = 8
"""Messages that each side of each conversation says."""
PAUSE_S = 5.0
"""Between two messages of one side: people read and type."""
RECONNECTS = 1_000
CUT_CONVERSATIONS = 20


@dataclass
class Side:
    """One end of a conversation: what it has heard, by sequence number, and when."""

    heard: dict[int, str] = field(default_factory=dict)
    times: Counter[int] = field(default_factory=Counter)
    arrivals: dict[str, float] = field(default_factory=dict)
    in_order: bool = True

    def hear(self, message: dict[str, Any]) -> None:
        seq = message["seq"]
        self.times[seq] += 1
        self.in_order = self.in_order and seq > max(self.heard, default=0)
        self.heard[seq] = message["text"]
        self.arrivals.setdefault(message["text"], time.perf_counter())


@dataclass
class Talk:
    """A conversation and its two ends."""

    id: str
    token: str
    agent: httpx.AsyncClient
    citizen_side: Side = field(default_factory=Side)
    agent_side: Side = field(default_factory=Side)

    @property
    def path(self) -> str:
        return f"/api/chat/conversations/{self.id}"

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Stage:
    """Citizens and agents on a service, over whatever address leads to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        limits = httpx.Limits(max_connections=500, max_keepalive_connections=200)
        self.citizens = httpx.AsyncClient(base_url=url, timeout=30, limits=limits)
        self.agents: dict[str, httpx.AsyncClient] = {}
        self.talks: dict[str, Talk] = {}
        self.reconnects = 0
        self._following: list[asyncio.Task[None]] = []

    def sign_in(self, login: str) -> None:
        """A member of staff comes to work."""
        staff = Staff(self.url, login)
        staff.come()
        client = httpx.AsyncClient(base_url=self.url, timeout=30, cookies=staff.cookies, headers=staff.headers)
        self.agents[login] = client
        staff.close()

    async def connect(self, count: int) -> None:
        """Begin conversations, ask for a human in each, and let the agents take them evenly."""
        self._following += [asyncio.create_task(self._at_work(client)) for client in self.agents.values()]
        await asyncio.sleep(0.5)
        clients = list(self.agents.values())
        for number in range(count):
            created = await self.citizens.post("/api/chat/conversations", json={"site": "jena"})
            body = created.json()
            talk = Talk(body["id"], body["token"], clients[number % len(clients)])
            (await self.citizens.post(f"{talk.path}/handover", headers=talk.authorization)).raise_for_status()
            self.talks[talk.id] = talk
            await self._claim(talk)
            self._following.append(asyncio.create_task(self._in_chat(talk)))
        await asyncio.sleep(1)

    async def say(self, talk: Talk, *, citizen: bool, text: str) -> float:
        """Say something until it is taken; gives the moment when it was said first."""
        body = {"text": text, "client_id": uuid.uuid4().hex}
        said_at = time.perf_counter()
        while True:
            try:
                if citizen:
                    path, headers = f"{talk.path}/messages", talk.authorization
                    response = await self.citizens.post(path, json=body, headers=headers)
                else:
                    response = await talk.agent.post(f"/mitarbeit/api/conversations/{talk.id}/messages", json=body)
                response.raise_for_status()
                return said_at
            except httpx.TransportError:
                await asyncio.sleep(0.05)

    async def close(self) -> None:
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)
        for client in (self.citizens, *self.agents.values()):
            await client.aclose()

    async def _claim(self, talk: Talk) -> None:
        board = (await talk.agent.get("/mitarbeit/api/board")).json()
        mine = next(one for one in board["waiting"] if one["conversation"] == talk.id)
        for _ in range(100):
            taken = await talk.agent.post(f"/mitarbeit/api/handovers/{mine['handover']}/claim")
            if taken.is_success:
                return
            await self._decline_all(mine["handover"], talk.agent)
            await asyncio.sleep(0.05)
        raise RuntimeError(f"cannot be claimed: {taken.text}")

    async def _decline_all(self, handover: str, wanted: httpx.AsyncClient) -> None:
        for client in self.agents.values():
            if client is not wanted:
                await client.post(f"/mitarbeit/api/handovers/{handover}/decline")

    async def _in_chat(self, talk: Talk) -> None:
        side = talk.citizen_side
        while True:
            headers = {**talk.authorization, "Last-Event-ID": str(max(side.heard, default=0))}
            async for name, data in self._events(self.citizens, f"{talk.path}/events", headers):
                if name == "message":
                    side.hear(data)
            self.reconnects += 1
            await asyncio.sleep(random.uniform(0.01, 0.1))

    async def _at_work(self, client: httpx.AsyncClient) -> None:
        while True:
            mine = [talk for talk in self.talks.values() if talk.agent is client]
            cursor = " ".join(f"{talk.id}:{max(talk.agent_side.heard, default=0)}" for talk in mine)
            async for name, data in self._events(client, "/mitarbeit/api/events", {"Last-Event-ID": cursor}):
                if name == "message" and data["conversation"] in self.talks:
                    self.talks[data["conversation"]].agent_side.hear(data["message"])
            self.reconnects += 1
            await asyncio.sleep(random.uniform(0.01, 0.1))

    async def _events(
        self, client: httpx.AsyncClient, path: str, headers: dict[str, str]
    ) -> AsyncIterator[tuple[str, Any]]:
        try:
            async with client.stream("GET", path, headers=headers, timeout=60) as response:
                response.raise_for_status()
                name, data = "message", ""
                async for line in response.aiter_lines():
                    if line.startswith("event:"):
                        name = line[6:].strip()
                    elif line.startswith("data:"):
                        data += line[5:].strip()
                    elif not line and data:
                        yield name, json.loads(data)
                        name, data = "message", ""
        except httpx.TransportError:
            return


def measure(folder: Path) -> dict[str, dict[str, Any]]:
    """Milliseconds from the moment of sending to the other side's screen, and what a thousand reconnects lose."""
    limits = {"STADTBOT_HANDOVER__MESSAGES_LIMIT": "100000/minute"}
    with running_service(folder, **limits) as service:
        for number in range(AGENTS):
            capacity = CONVERSATIONS // AGENTS
            add_staff(service, f"agent{number}", Role.AGENT, departments=("zentrale",), capacity=capacity)
        open_always(service, "zentrale")
        time.sleep(1.1)
        latency = asyncio.run(_latency(service))
    return latency


async def _latency(service: RunningService) -> dict[str, dict[str, Any]]:
    stage = Stage(service.url)
    for number in range(AGENTS):
        stage.sign_in(f"agent{number}")
    try:
        await stage.connect(CONVERSATIONS)
        sent: list[tuple[Side, str, float, bool]] = []

        async def talk_to_each_other(talk: Talk) -> None:
            await asyncio.sleep(random.uniform(0, PAUSE_S))
            for number in range(ROUNDS):
                for citizen in (True, False):
                    text = f"{'Frage' if citizen else 'Antwort'} {number} {talk.id[:6]}"
                    side = talk.agent_side if citizen else talk.citizen_side
                    sent.append((side, text, await stage.say(talk, citizen=citizen, text=text), citizen))
                    await asyncio.sleep(PAUSE_S * random.uniform(0.4, 0.6))

        await asyncio.gather(*(talk_to_each_other(talk) for talk in stage.talks.values()))
        await asyncio.sleep(2)
        times: dict[bool, list[float]] = {True: [], False: []}
        for side, text, said_at, citizen in sent:
            times[citizen].append((side.arrivals[text] - said_at) * 1000)
        return {
            "citizen_to_agent": percentiles(times[True]),
            "agent_to_citizen": percentiles(times[False]),
        }
    finally:
        await stage.close()


def measure_reconnects(folder: Path) -> dict[str, Any]:
    """Messages lost, doubled or out of order while every connection is reset again and again."""
    limits = {"STADTBOT_HANDOVER__MESSAGES_LIMIT": "100000/minute"}
    with running_service(folder, **limits) as service:
        for number in range(AGENTS):
            add_staff(service, f"agent{number}", Role.AGENT, departments=("zentrale",), capacity=CUT_CONVERSATIONS)
        open_always(service, "zentrale")
        time.sleep(1.1)
        with cutting_proxy(service.url) as proxy:
            return asyncio.run(_reconnects(proxy))


async def _reconnects(proxy: CuttingProxy) -> dict[str, Any]:
    stage = Stage(proxy.url)
    for number in range(AGENTS):
        stage.sign_in(f"agent{number}")
    try:
        await stage.connect(CUT_CONVERSATIONS)
        over = asyncio.Event()
        said: Counter[str] = Counter()

        async def talk_on(talk: Talk) -> None:
            number = 0
            while not over.is_set():
                for citizen in (True, False):
                    text = f"{number} {citizen} {talk.id}"
                    await stage.say(talk, citizen=citizen, text=text)
                    said[text] += 1
                number += 1
                await asyncio.sleep(random.uniform(0.2, 0.8))

        talking = [asyncio.create_task(talk_on(talk)) for talk in stage.talks.values()]
        while stage.reconnects < RECONNECTS:
            await asyncio.sleep(random.uniform(0.3, 1.2))
            await asyncio.to_thread(proxy.cut_now)
        over.set()
        await asyncio.gather(*talking)
        await asyncio.sleep(3)
        sides = [side for talk in stage.talks.values() for side in (talk.citizen_side, talk.agent_side)]
        heard = Counter(text for side in sides for text in side.heard.values() if text in said)
        return {
            "reconnects": stage.reconnects,
            "messages": len(said),
            "lost": sum(heard[text] < 2 for text in said),
            "doubled": sum(heard[text] > 2 for text in said)
            + sum(n > 1 for side in sides for n in side.times.values()),
            "out_of_order": sum(not side.in_order for side in sides),
        }
    finally:
        await stage.close()
