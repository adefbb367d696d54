"""Both ends of a call without an exchange: a line that is played by the test, and Asterisk's side of an AudioSocket."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from telephony.audio import FRAME_BYTES, FRAME_MS, SILENCE
from telephony.audiosocket import AudioSocketServer, FrameReader, Kind, Limits
from telephony.errors import LineClosed
from telephony.transport import AudioFrame, Digit, Line


@dataclass
class ScriptedLine:
    """Gives what the test puts in, and keeps what is sent."""

    id: str = "6b0f1c52-0000-4000-8000-000000000001"
    sent: list[bytes] = field(default_factory=list)
    closed: bool = False
    starved: asyncio.Event = field(default_factory=asyncio.Event)
    """Whoever listens has taken everything and wants more."""
    _incoming: asyncio.Queue[AudioFrame | Digit | None] = field(default_factory=asyncio.Queue)

    async def receive(self) -> AudioFrame | Digit:
        if self._incoming.empty():
            self.starved.set()
        item = await self._incoming.get()
        if item is None:
            raise LineClosed
        return item

    def send(self, frame: bytes) -> None:
        self.sent.append(frame)

    def close(self) -> None:
        self.closed = True

    def say(self, samples: bytes) -> None:
        """Put in audio, cut into frames; all of it is there at once."""
        self.starved.clear()
        for frame in frames_of(samples):
            self._incoming.put_nowait(AudioFrame(frame))

    def press(self, symbol: str) -> None:
        self.starved.clear()
        self._incoming.put_nowait(Digit(symbol))

    def hang_up(self) -> None:
        self._incoming.put_nowait(None)


def frames_of(samples: bytes) -> list[bytes]:
    """Whole frames, the last one filled up with silence."""
    starts = range(0, len(samples), FRAME_BYTES)
    return [samples[start : start + FRAME_BYTES].ljust(FRAME_BYTES, b"\0") for start in starts]


def silence(ms: int) -> bytes:
    return SILENCE * (ms // FRAME_MS)


def packet(kind: int, payload: bytes = b"") -> bytes:
    """A frame of AudioSocket's."""
    return bytes([kind]) + len(payload).to_bytes(2, "big") + payload


class Peer:
    """Asterisk's side of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.id = uuid.uuid4()
        self.heard: list[tuple[float, bytes]] = []
        """When each frame of audio came (monotonic seconds), and its samples."""
        self.hung_up = False

    def introduce(self) -> None:
        self.writer.write(packet(Kind.ID, self.id.bytes))

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    async def say(self, frames: Iterable[bytes]) -> None:
        """Send frames of audio at their pace."""
        due = time.monotonic()
        for frame in frames:
            self.writer.write(packet(Kind.AUDIO, frame))
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def listen(self) -> None:
        """Take in what comes, until the other side closes."""
        frames = FrameReader()
        while data := await self.reader.read(65_536):
            now = time.monotonic()
            for kind, payload in frames.feed(data):
                if kind == Kind.AUDIO:
                    self.heard.append((now, payload))
                self.hung_up = self.hung_up or kind == Kind.HANGUP

    async def closed(self) -> bool:
        """Whether the other side has closed the connection; waits for it."""
        with suppress(ConnectionError):
            await self.listen()
        return True

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


@dataclass
class Exchange:
    """A server of ours and the means to call it."""

    server: AudioSocketServer
    port: int

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Peer]:
        peer = Peer(*await asyncio.open_connection("127.0.0.1", self.port))
        try:
            yield peer
        finally:
            await peer.close()

    @asynccontextmanager
    async def call(self) -> AsyncIterator[Peer]:
        """A connection that has named its call."""
        async with self.connection() as peer:
            peer.introduce()
            yield peer


@asynccontextmanager
async def exchange(
    on_call: Callable[[Line], Awaitable[None]], *, max_calls: int = 100, limits: Limits | None = None
) -> AsyncIterator[Exchange]:
    """A running server; no task of it is left afterwards."""
    before = asyncio.all_tasks()
    server = AudioSocketServer(on_call, port=0, max_calls=max_calls, limits=limits)
    port = await server.start()
    try:
        yield Exchange(server, port)
    finally:
        await server.close()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() <= before
        assert server.calls == 0
