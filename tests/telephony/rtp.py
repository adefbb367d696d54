"""Audio of the tests' telephone: A-law over RTP (RFC 3550), keys by RFC 4733, a packet each 20 ms.

All times are those of `time.monotonic()`.
"""

from __future__ import annotations

import asyncio
import random
import struct
import time
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise

from tests.telephony.sound import ALAW_SILENCE, FRAME_S, FRAME_SAMPLES, RATE, from_alaw, peak_of_alaw

Address = tuple[str, int]
PCMA = 8
KEYS = 101
SYMBOLS = "0123456789*#ABCD"
KEY_FRAMES = 5
"""A key is held for 100 ms."""
LOUD = 1_000
JUMP = 2 * RATE
"""A timestamp that is this far off (samples) begins a new stream."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet of audio as it came."""

    at: float
    first: int
    samples: int
    peak: int


@dataclass(slots=True)
class Recording:
    """What one side has heard. Gaps are silence; a new stream (after a transfer) is put where its time is."""

    packets: list[Packet] = field(default_factory=list)
    alaw: bytearray = field(default_factory=bytearray)
    _source: int | None = None
    _base: int = 0

    def add(self, *, at: float, source: int, timestamp: int, payload: bytes) -> None:
        first = (timestamp - self._base) & 0xFFFFFFFF
        if source != self._source or abs(first - len(self.alaw)) > JUMP:
            elapsed = round((at - self.packets[0].at) * RATE) if self.packets else 0
            first = max(len(self.alaw), elapsed)
            self._source, self._base = source, (timestamp - first) & 0xFFFFFFFF
        self.alaw.extend(ALAW_SILENCE[:1] * (first - len(self.alaw)))
        self.alaw[first : first + len(payload)] = payload
        self.packets.append(Packet(at, first, len(payload), peak_of_alaw(payload)))

    @property
    def pcm(self) -> bytes:
        """All of it."""
        return from_alaw(bytes(self.alaw))

    @property
    def seconds(self) -> float:
        return len(self.alaw) / RATE

    def last(self, seconds: float) -> bytes:
        """PCM of the end of it; less if there is less."""
        return from_alaw(bytes(self.alaw[-round(seconds * RATE) :]))

    def between(self, begin: float, end: float = float("inf")) -> bytes:
        """PCM of what came in a span of time."""
        if not (packets := self._span(begin, end)):
            return b""
        return from_alaw(bytes(self.alaw[packets[0].first : packets[-1].first + packets[-1].samples]))

    def loud_at(self, begin: float = 0.0, end: float = float("inf"), *, peak: int = LOUD) -> float | None:
        """When something was first to be heard in a span of time."""
        return next((packet.at for packet in self._span(begin, end) if packet.peak >= peak), None)

    def last_loud_at(self, begin: float = 0.0, end: float = float("inf"), *, peak: int = LOUD) -> float | None:
        """When something was last to be heard in a span of time."""
        return next((packet.at for packet in reversed(self._span(begin, end)) if packet.peak >= peak), None)

    def gaps_ms(self, begin: float = 0.0, end: float = float("inf")) -> list[float]:
        """Time from packet to packet; 20 ms each if nothing ever stumbles."""
        packets = self._span(begin, end)
        return [1000 * (later.at - packet.at) for packet, later in pairwise(packets)]

    def _span(self, begin: float, end: float) -> list[Packet]:
        low = bisect_left(self.packets, begin, key=lambda packet: packet.at)
        return self.packets[low : bisect_left(self.packets, end, key=lambda packet: packet.at)]


class Audio(asyncio.DatagramProtocol):
    """The audio of one call, both ways."""

    def __init__(self) -> None:
        self.heard = Recording()
        self.keys_heard: list[str] = []
        self.remote: Address | None = None
        self.idle = asyncio.Event()
        self.idle.set()
        self.last_sent_at = 0.0
        self._frames: deque[bytes] = deque()
        self._keys: deque[str] = deque()
        self._key_at: int | None = None
        self._sequence = random.randrange(1 << 16)
        self._timestamp = random.randrange(1 << 32)
        self._source = random.randrange(1 << 32)
        self._transport: asyncio.DatagramTransport | None = None
        self._sending: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        if len(data) <= 12:
            return
        kind = data[1] & 0x7F
        timestamp, source = struct.unpack(">II", data[4:12])
        if kind == PCMA:
            self.heard.add(at=time.monotonic(), source=source, timestamp=timestamp, payload=data[12:])
        elif kind == KEYS and timestamp != self._key_at:
            self._key_at = timestamp
            self.keys_heard.append(SYMBOLS[data[12]])

    @property
    def port(self) -> int:
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    def play(self, alaw: bytes) -> None:
        padded = alaw + ALAW_SILENCE[: -len(alaw) % FRAME_SAMPLES]
        self._frames.extend(padded[at : at + FRAME_SAMPLES] for at in range(0, len(padded), FRAME_SAMPLES))
        self._mark()

    def press(self, symbols: str) -> None:
        self._keys.extend(symbols)
        self._mark()

    def silence(self) -> None:
        self._frames.clear()
        self._mark()

    def start(self) -> None:
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())

    async def stop(self) -> None:
        if self._transport is not None:
            self._transport.close()
        self.idle.set()
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.wait([self._sending])

    async def _send(self) -> None:
        due = time.monotonic()
        pressing: list[tuple[int, bytes]] = []
        while True:
            if not pressing and self._keys:
                pressing = self._key(self._keys.popleft())
            if pressing:
                for _ in range(3 if len(pressing) == 1 else 1):  # the end of a key is said three times
                    self._packet(KEYS, pressing[0][1], timestamp=pressing[0][0])
                pressing.pop(0)
                if not pressing:
                    self._frames.extendleft([ALAW_SILENCE] * 3)
            else:
                self._packet(PCMA, self._frames.popleft() if self._frames else ALAW_SILENCE)
            self._timestamp += FRAME_SAMPLES
            if not pressing:
                self._mark()
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _key(self, symbol: str) -> list[tuple[int, bytes]]:
        last = KEY_FRAMES + 1
        return [
            (
                self._timestamp,
                struct.pack(">BBH", SYMBOLS.index(symbol), 0x8A if n == last else 0x0A, n * FRAME_SAMPLES),
            )
            for n in range(1, last + 1)
        ]

    def _packet(self, kind: int, payload: bytes, *, timestamp: int | None = None) -> None:
        if self.remote is not None and self._transport is not None and not self._transport.is_closing():
            stamp = (self._timestamp if timestamp is None else timestamp) & 0xFFFFFFFF
            header = struct.pack(">BBHII", 0x80, kind, self._sequence, stamp, self._source)
            self._transport.sendto(header + payload, self.remote)
        self._sequence = (self._sequence + 1) & 0xFFFF

    def _mark(self) -> None:
        if self._frames or self._keys:
            self.idle.clear()
        elif not self.idle.is_set():
            self.last_sent_at = time.monotonic()
            self.idle.set()
