"""The AudioSocket server on real connections: calls, and everything that is none."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.audio import FRAME_BYTES, SILENCE, Framer
from telephony.audiosocket import FrameReader, Kind, Limits
from telephony.errors import LineClosed
from telephony.transport import AudioFrame, Digit, Line
from tests.telephony.lines import Peer, exchange, frames_of, packet
from tests.telephony.sip import until

QUICK = Limits(id_s=0.2, silence_s=0.4, clogged_s=0.4)
PATTERN = bytes(range(256)) * 5


class Recorder:
    """Takes in whatever comes over a line, until it is closed."""

    def __init__(self) -> None:
        self.items: list[AudioFrame | Digit] = []
        self.ids: list[str] = []
        self.ended = asyncio.Event()

    async def __call__(self, line: Line) -> None:
        self.ids.append(line.id)
        try:
            while True:
                self.items.append(await line.receive())
        except LineClosed:
            self.ended.set()
            raise

    @property
    def audio(self) -> bytes:
        return b"".join(item.samples for item in self.items if isinstance(item, AudioFrame))

    @property
    def digits(self) -> str:
        return "".join(item.symbol for item in self.items if isinstance(item, Digit))


def within(seconds: float, test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), seconds))


def test_a_call_is_heard_and_spoken_to() -> None:
    async def echo(line: Line) -> None:
        while True:
            item = await line.receive()
            if isinstance(item, AudioFrame):
                line.send(item.samples)

    async def test() -> None:
        frames = frames_of(PATTERN)
        async with exchange(echo) as pbx, pbx.call() as peer:
            listening = asyncio.create_task(peer.listen())
            peer.write(b"".join(packet(Kind.AUDIO, frame) for frame in frames))
            await until(lambda: len(peer.heard) == len(frames))
            assert [frame for _, frame in peer.heard] == frames
            assert pbx.server.calls == 1
            peer.write(packet(Kind.HANGUP))
            await listening
            assert peer.hung_up
            await until(lambda: pbx.server.calls == 0)

    within(20, test)


def test_the_line_has_the_id_that_the_exchange_gave() -> None:
    async def test() -> None:
        recorder = Recorder()
        async with exchange(recorder) as pbx, pbx.call() as peer:
            await until(lambda: bool(recorder.ids))
            assert recorder.ids == [str(peer.id)]

    within(20, test)


def test_audio_in_pieces_of_any_size_becomes_frames_and_keys_keep_their_place() -> None:
    async def test() -> None:
        recorder = Recorder()
        async with exchange(recorder) as pbx, pbx.call() as peer:
            peer.write(packet(Kind.AUDIO, PATTERN[:1_000]) + packet(Kind.DIGIT, b"5"))
            peer.write(packet(Kind.AUDIO, b"") + packet(Kind.AUDIO, PATTERN[1_000:]) + packet(Kind.DIGIT, b"#"))
            await until(lambda: recorder.digits == "5#")
            assert recorder.audio == PATTERN
            assert all(len(item.samples) == FRAME_BYTES for item in recorder.items if isinstance(item, AudioFrame))
            assert [type(item) for item in recorder.items] == [AudioFrame] * 3 + [Digit, AudioFrame, Digit]

    within(20, test)


def test_what_is_not_known_is_skipped_and_counted() -> None:
    async def test() -> None:
        recorder = Recorder()
        async with exchange(recorder) as pbx, pbx.call() as peer:
            peer.write(packet(0x77, b"hello") + packet(0x12, bytes(65_535)) + packet(Kind.DIGIT, b"55"))
            peer.write(packet(Kind.DIGIT, b"x") + packet(Kind.ID, b"again") + packet(Kind.DIGIT, b"7"))
            await until(lambda: recorder.digits == "7")
            assert recorder.audio == b""
            assert pbx.server.counts["unknown frames"] == 5

    within(20, test)


@pytest.mark.parametrize("end", ["hangup", "error", "close", "reset", "half a frame", "half-open"])
def test_the_conversation_learns_of_every_end(end: str) -> None:
    async def test() -> None:
        recorder = Recorder()
        async with exchange(recorder, limits=QUICK) as pbx, pbx.call() as peer:
            peer.write(packet(Kind.AUDIO, SILENCE))
            await until(lambda: bool(recorder.items))
            if end == "hangup":
                peer.write(packet(Kind.HANGUP))
            elif end == "error":
                peer.write(packet(Kind.ERROR, b"\1"))
            elif end == "close":
                peer.writer.close()
            elif end == "reset":
                linger = struct.pack("ii", 1, 0)
                peer.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                peer.writer.transport.abort()
            elif end == "half a frame":
                peer.write(packet(Kind.AUDIO, SILENCE)[:100])
                peer.writer.close()
            await recorder.ended.wait()
            await until(lambda: pbx.server.calls == 0)
            assert pbx.server.counts["half-open"] == (end == "half-open")

    within(20, test)


@pytest.mark.parametrize(
    "first",
    [b"", b"GET / HTTP/1.1\r\n\r\n", packet(Kind.AUDIO, SILENCE), packet(Kind.ID, b"short"), bytes(3), b"\1\0"],
    ids=["nothing", "web", "audio", "short id", "hangup", "half"],
)
def test_who_does_not_name_a_call_is_shown_the_door(first: bytes) -> None:
    async def test() -> None:
        recorder = Recorder()
        async with exchange(recorder, limits=QUICK) as pbx, pbx.connection() as peer:
            peer.write(first)
            assert await peer.closed()
            assert recorder.ids == []

    within(20, test)


def test_a_peer_that_does_not_read_costs_a_second_of_memory_and_is_dropped() -> None:
    sent = 0
    limits = Limits(clogged_s=0.4)

    async def flood(line: Line) -> None:
        nonlocal sent
        while True:
            for _ in range(1_000):
                line.send(SILENCE)
            sent += 1_000
            await asyncio.sleep(0)
            if sent >= 60_000:
                await line.receive()

    async def test() -> None:
        before = psutil.Process().memory_info().rss
        async with exchange(flood, limits=limits) as pbx, pbx.call() as peer:
            peer.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await until(lambda: pbx.server.counts["peers that do not read"] == 1)
            await until(lambda: pbx.server.calls == 0)
            assert pbx.server.counts["frames not sent"] > 30_000
            assert psutil.Process().memory_info().rss - before < 10_000_000

    within(30, test)


def test_a_conversation_that_does_not_listen_misses_the_oldest() -> None:
    release = asyncio.Event()
    heard: list[bytes] = []

    async def slow(line: Line) -> None:
        await release.wait()
        while True:
            item = await line.receive()
            assert isinstance(item, AudioFrame)
            heard.append(item.samples)

    async def test() -> None:
        async with exchange(slow) as pbx, pbx.call() as peer:
            frames = [number.to_bytes(2, "big") * (FRAME_BYTES // 2) for number in range(400)]
            peer.write(b"".join(packet(Kind.AUDIO, frame) for frame in frames))
            await until(lambda: pbx.server.counts["frames not heard"] == 150)
            release.set()
            await until(lambda: len(heard) == 250)
            assert heard == frames[150:]

    within(20, test)


def test_more_calls_than_allowed_go_back_to_the_exchange_at_once() -> None:
    async def test() -> None:
        recorder = Recorder()
        async with exchange(recorder, max_calls=2) as pbx, pbx.call() as first, pbx.call():
            await until(lambda: pbx.server.calls == 2)
            async with pbx.call() as third:
                assert await third.closed()
            first.writer.close()
            await until(lambda: pbx.server.calls == 1)
            async with pbx.call():
                await until(lambda: pbx.server.calls == 2)
            assert pbx.server.counts["refused"] == 1

    within(20, test)


def test_a_call_that_is_there_already_is_not_taken_twice() -> None:
    async def test() -> None:
        recorder = Recorder()
        async with exchange(recorder) as pbx, pbx.call() as peer, pbx.connection() as other:
            await until(lambda: pbx.server.calls == 1)
            other.id = peer.id
            other.introduce()
            assert await other.closed()
            peer.write(packet(Kind.DIGIT, b"1"))
            await until(lambda: recorder.digits == "1")

    within(20, test)


def test_two_thousand_connections_without_a_call_exhaust_nothing() -> None:
    async def test() -> None:
        recorder = Recorder()
        async with exchange(recorder) as pbx, pbx.call() as caller:
            await until(lambda: pbx.server.calls == 1)
            files = len(os.listdir("/proc/self/fd"))
            for _ in range(20):
                peers = [Peer(*await asyncio.open_connection("127.0.0.1", pbx.port)) for _ in range(100)]
                assert len(os.listdir("/proc/self/fd")) < files + 300
                for peer in peers:
                    await peer.close()
            await until(lambda: len(os.listdir("/proc/self/fd")) <= files)
            assert pbx.server.counts["too many unnamed"] > 0
            caller.write(packet(Kind.DIGIT, b"1"))
            await until(lambda: recorder.digits == "1")

    within(60, test)


def test_one_failing_call_leaves_the_others_alone_and_no_word_of_its_caller_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said = " ".join(["Erika", "Mustermann", "0170"])

    async def fragile(line: Line) -> None:
        while True:
            item = await line.receive()
            if item == Digit("9"):
                raise ValueError(said)
            assert isinstance(item, Digit)
            line.send(SILENCE)

    async def test() -> None:
        async with exchange(fragile) as pbx, pbx.call() as broken, pbx.call() as other:
            broken.write(packet(Kind.DIGIT, b"9"))
            assert await broken.closed()
            assert broken.hung_up
            listening = asyncio.create_task(other.listen())
            other.write(packet(Kind.DIGIT, b"1"))
            await until(lambda: len(other.heard) == 1)
            listening.cancel()

    with caplog.at_level(logging.INFO):
        within(20, test)
    assert "ValueError" in caplog.text
    assert "Mustermann" not in caplog.text
    assert "0170" not in caplog.text


def test_closing_the_server_ends_its_calls() -> None:
    async def test() -> None:
        recorder = Recorder()
        async with exchange(recorder) as pbx, pbx.call() as peer, pbx.connection() as unnamed:
            await until(lambda: pbx.server.calls == 1)
            begun = time.monotonic()
            await pbx.server.close()
            assert time.monotonic() - begun < 2
            assert await peer.closed()
            assert await unnamed.closed()

    within(20, test)


packets = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=700)), max_size=12)


@given(packets, st.randoms(use_true_random=False))
def test_frames_are_found_wherever_the_stream_is_cut(sent: list[tuple[int, bytes]], draw: random.Random) -> None:
    stream = b"".join(packet(kind, payload) for kind, payload in sent)
    cuts = sorted({0, len(stream), *(draw.randint(0, len(stream)) for _ in range(6))})
    reader = FrameReader()
    found = [frame for start, end in pairwise(cuts) for frame in reader.feed(stream[start:end])]
    assert found == sent


@given(st.lists(st.binary(max_size=900), max_size=12))
def test_no_sample_is_lost_or_repeated_by_cutting_into_frames(pieces: list[bytes]) -> None:
    framer = Framer()
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    whole = b"".join(pieces)
    assert b"".join(frames) == whole[: len(frames) * FRAME_BYTES]
    rest = framer.rest() or b""
    assert (b"".join(frames) + rest)[: len(whole)] == whole
    assert len(whole) <= len(frames) * FRAME_BYTES + len(rest) < len(whole) + FRAME_BYTES
