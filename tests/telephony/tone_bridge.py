"""A bridge that only hums: the least that can be on the other end of AudioSocket, for tests of the exchange's side."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.telephony.pbx_server import HOST, PbxServer
from tests.telephony.sound import FRAME_S, FRAME_SAMPLES, tone

HUM_HERTZ = 440
FRAME_BYTES = 2 * FRAME_SAMPLES


@dataclass(slots=True)
class Line:
    """A call that has come to the bridge."""

    id: str
    writer: asyncio.StreamWriter
    keys: list[str] = field(default_factory=list)
    heard: bytearray = field(default_factory=bytearray)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def crash(self) -> None:
        """The bridge's process dies."""
        self.writer.transport.abort()

    def stumble(self) -> None:
        """The connection ends within a frame."""
        self.say(b"\x10\x01\x40ab")
        self.writer.close()

    def say(self, frame: bytes) -> None:
        self.writer.write(frame)


@dataclass(slots=True)
class ToneBridge:
    """All calls so far."""

    lines: asyncio.Queue[Line] = field(default_factory=asyncio.Queue)

    async def line(self, *, within_s: float = 5.0) -> Line:
        """The next call."""
        async with asyncio.timeout(within_s):
            return await self.lines.get()


@asynccontextmanager
async def tone_bridge(asterisk: PbxServer) -> AsyncIterator[ToneBridge]:
    """Listens where the exchange looks for the bridge."""
    bridge = ToneBridge()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await _talk(bridge, reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(serve, HOST, asterisk.bridge_port)
    try:
        yield bridge
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await server.wait_closed()
        await asyncio.sleep(0)


async def _talk(bridge: ToneBridge, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(3)
    line = Line(str(uuid.UUID(bytes=await reader.readexactly(16))), writer)
    bridge.lines.put_nowait(line)
    humming = asyncio.create_task(_hum(line))
    try:
        while True:
            header = await reader.readexactly(3)
            payload = await reader.readexactly(int.from_bytes(header[1:], "big"))
            if header[0] == 0x03:
                line.keys.append(payload.decode())
            elif header[0] == 0x10:
                line.heard += payload
    finally:
        line.ended.set()
        humming.cancel()
        await asyncio.wait([humming])


async def _hum(line: Line) -> None:
    hum = tone(HUM_HERTZ, 1.0)
    due = time.monotonic()
    at = 0
    while not line.writer.is_closing():
        line.say(b"\x10" + FRAME_BYTES.to_bytes(2, "big") + hum[at : at + FRAME_BYTES])
        at = (at + FRAME_BYTES) % len(hum)
        due += FRAME_S
        await asyncio.sleep(max(0.0, due - time.monotonic()))
