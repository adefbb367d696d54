"""Asterisk's AudioSocket: a server that gives every call a `Line`.

A frame is a kind, a length (16 bit, network order) and as many bytes. The connection's first frame names the call.
Asterisk neither paces what it is sent nor waits for a peer that sends nothing for two seconds: see telephony.player.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
import traceback
import uuid
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum

from telephony.audio import FRAME_BYTES, Framer
from telephony.errors import LineClosed
from telephony.transport import AudioFrame, Digit, Line

logger = logging.getLogger(__name__)

_KEYS = frozenset("0123456789*#ABCD")
_HEADER = 3


class Kind(IntEnum):
    """What a frame is."""

    HANGUP = 0x00
    ID = 0x01
    DIGIT = 0x03
    AUDIO = 0x10
    ERROR = 0xFF


_AUDIO_HEADER = bytes([Kind.AUDIO]) + FRAME_BYTES.to_bytes(2, "big")
_HANGUP = bytes([Kind.HANGUP, 0, 0])


@dataclass(frozen=True)
class Limits:
    """How long and how much a connection may keep us waiting."""

    id_s: float = 2.0
    """Until a new connection must have named its call."""
    dead_s: float = 5.0
    """Without an acknowledgement of what we send all the time: the peer's machine or the way to it is gone."""
    silence_s: float = 20.0
    """Without any frame. A telephone on hold, or one that does not send silence, is no reason to end a call sooner."""
    clogged_s: float = 5.0
    """With a full write buffer: the peer does not read."""
    unnamed: int = 64
    """Connections that have not named their call; the oldest makes room for a new one."""
    received: int = 250
    """Frames that wait for the call's conversation; then the oldest is dropped."""
    unsent_bytes: int = 16_000
    """One second in the write buffer; then frames are dropped."""


class FrameReader:
    """Finds the frames in a stream of bytes."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Kind and payload of the frames that are complete now; keeps less than one frame, which is 64 KiB at most."""
        data = self._rest + data if self._rest else data
        frames = []
        start = 0
        while len(data) - start >= _HEADER:
            end = start + _HEADER + int.from_bytes(data[start + 1 : start + _HEADER], "big")
            if end > len(data):
                break
            frames.append((data[start], data[start + _HEADER : end]))
            start = end
        self._rest = data[start:]
        return frames


class AudioSocketLine(asyncio.Protocol):
    """One connection; a `Line` as soon as it has named its call."""

    def __init__(self, server: AudioSocketServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._reader = FrameReader()
        self._framer = Framer()
        self._received: deque[AudioFrame | Digit] = deque()
        self._news = asyncio.Event()
        self._id = ""
        self._ended = False
        self.since = self.heard_at = server.clock()
        self._clogged_at: float | None = None
        self._closing_at: float | None = None

    @property
    def id(self) -> str:
        return self._id

    async def receive(self) -> AudioFrame | Digit:
        while not self._received:
            if self._ended:
                raise LineClosed
            self._news.clear()
            await self._news.wait()
        return self._received.popleft()

    def send(self, frame: bytes) -> None:
        if self._transport is None or self._ended or self._clogged_at is not None:
            self._server.counts["frames not sent"] += 1
            return
        self._transport.write(_AUDIO_HEADER + frame)

    def close(self) -> None:
        if self._transport is not None and self._closing_at is None:
            self._closing_at = self._server.clock()
            if not self._transport.is_closing():
                self._transport.write(_HANGUP)
                self._transport.close()
        self._end()

    def abort(self, reason: str) -> None:
        """Drop the connection at once."""
        self._server.counts[reason] += 1
        if self._transport is not None:
            self._transport.abort()
        self._end()

    def overdue(self, now: float, limits: Limits) -> str | None:
        """Why the connection should be dropped now."""
        if self._closing_at is not None:
            return "not closed in time" if now - self._closing_at > limits.clogged_s else None
        if not self._id:
            return "not named in time" if now - self.since > limits.id_s else None
        if self._clogged_at is not None and now - self._clogged_at > limits.clogged_s:
            return "peers that do not read"
        return "half-open" if now - self.heard_at > limits.silence_s else None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=self._server.limits.unsent_bytes)
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self._server.limits.dead_s * 1000))
        self._server.connected(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._end()
        self._server.disconnected(self)

    def pause_writing(self) -> None:
        self._clogged_at = self._server.clock()

    def resume_writing(self) -> None:
        self._clogged_at = None

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._server.clock()
        for kind, payload in self._reader.feed(data):
            if self._ended:
                break
            if not self._id:
                self._name(kind, payload)
            elif kind == Kind.AUDIO:
                for frame in self._framer.feed(payload):
                    self._take(AudioFrame(frame))
            elif kind == Kind.DIGIT:
                self._press(payload)
            elif kind in (Kind.HANGUP, Kind.ERROR):
                self.close()
            else:
                self._server.counts["unknown frames"] += 1

    def _name(self, kind: int, payload: bytes) -> None:
        if kind != Kind.ID or len(payload) != 16:
            self.abort("not named first")
            return
        self._id = str(uuid.UUID(bytes=payload))
        if not self._server.named(self):
            self.close()

    def _press(self, payload: bytes) -> None:
        symbol = payload.decode("ascii", "replace")
        if symbol in _KEYS:
            self._take(Digit(symbol))
        else:
            self._server.counts["unknown frames"] += 1

    def _take(self, item: AudioFrame | Digit) -> None:
        if len(self._received) >= self._server.limits.received:
            self._received.popleft()
            self._server.counts["frames not heard"] += 1
        self._received.append(item)
        self._news.set()

    def _end(self) -> None:
        self._ended = True
        self._news.set()


class AudioSocketServer:
    """Listens for Asterisk; every call is a task of its own that runs `on_call`.

    A call over `max_calls`, or one that is there already, is closed at once: the dialplan goes on without us.
    """

    def __init__(
        self,
        on_call: Callable[[Line], Awaitable[None]],
        *,
        host: str = "127.0.0.1",
        port: int = 9092,
        max_calls: int = 100,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_call = on_call
        self._host = host
        self._port = port
        self._max_calls = max_calls
        self.limits = limits or Limits()
        self.clock = clock
        self.counts: Counter[str] = Counter()
        """What went other than it should, for the metrics."""
        self._unnamed: dict[AudioSocketLine, None] = {}
        self._lines: dict[str, AudioSocketLine] = {}
        self._closing: set[AudioSocketLine] = set()
        self._calls: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None

    @property
    def calls(self) -> int:
        """How many calls there are now."""
        return len(self._lines)

    async def serve(self) -> None:
        """Serve until cancelled; then end all calls."""
        await self.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()

    async def start(self) -> int:
        """Start listening; returns the port."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: AudioSocketLine(self), self._host, self._port, backlog=512)
        self._sweeper = asyncio.create_task(self._sweep())
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Stop listening, close all connections, and wait until every call's task has ended."""
        if self._listener is None or self._sweeper is None:
            return
        self._listener.close()
        self._sweeper.cancel()
        for line in (*self._unnamed, *self._lines.values()):
            line.close()
        for task in self._calls:
            task.cancel()
        await asyncio.gather(self._sweeper, *self._calls, return_exceptions=True)
        for line in [*self._unnamed, *self._lines.values(), *self._closing]:
            line.abort("closed with us")
        await self._listener.wait_closed()

    def connected(self, line: AudioSocketLine) -> None:
        """A peer has connected and has yet to name its call."""
        self._unnamed[line] = None
        if len(self._unnamed) > self.limits.unnamed:
            oldest = next(iter(self._unnamed))
            oldest.abort("too many unnamed")
            self._unnamed.pop(oldest)

    def named(self, line: AudioSocketLine) -> bool:
        """The peer has named its call; whether we take it."""
        self._unnamed.pop(line, None)
        if len(self._lines) >= self._max_calls or line.id in self._lines:
            self.counts["refused"] += 1
            self._closing.add(line)
            return False
        self._lines[line.id] = line
        task = asyncio.create_task(self._run(line))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return True

    def disconnected(self, line: AudioSocketLine) -> None:
        """The connection is gone."""
        self._unnamed.pop(line, None)
        self._closing.discard(line)
        if self._lines.get(line.id) is line:
            del self._lines[line.id]

    async def _run(self, line: AudioSocketLine) -> None:
        try:
            await self._on_call(line)
        except LineClosed:
            pass
        except Exception as error:  # one call's failure must not reach the others; its values may be a caller's words
            where = "".join(traceback.format_tb(error.__traceback__))
            logger.error("A call ended with %s:\n%s", type(error).__name__, where)
            self.counts["failed"] += 1
        finally:
            line.close()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(min(0.25, self.limits.id_s / 4))
            now = self.clock()
            for line in [*self._unnamed, *self._lines.values(), *self._closing]:
                if reason := line.overdue(now, self.limits):
                    line.abort(reason)
