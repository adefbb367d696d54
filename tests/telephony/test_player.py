"""What the caller hears and when, by a clock that the test moves; and once by the real one."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from telephony.audio import FRAME_BYTES, FRAME_MS, SILENCE
from telephony.errors import SynthesisFailed
from telephony.player import LINGER_FRAMES, Player
from telephony.transport import Line
from tests.telephony.lines import ScriptedLine, exchange, silence

A, B, C = (bytes([value, 0]) * (FRAME_BYTES // 2) for value in (1, 2, 3))


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Studio:
    """A player, its line and its clock."""

    def __init__(self) -> None:
        self.line = ScriptedLine()
        self.clock = Clock()
        self.player = self.new_player()
        self.player.caller_is_there()

    def new_player(self) -> Player:
        """One whose clock has just begun."""
        self.player = Player(self.line, self.clock)
        self.clock.now += self.player.tick()
        return self.player

    async def run(self, ms: int) -> list[bytes]:
        """Let so much time pass; what the caller has heard in it."""
        before = len(self.line.sent)
        end = self.clock.now + ms / 1000
        while self.clock.now < end - 1e-9:
            for _ in range(3):
                await asyncio.sleep(0)  # those who fetch audio have their turn
            self.clock.now += self.player.tick()
        return self.line.sent[before:]


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def test_silence_is_sent_from_the_first_moment() -> None:
    async def test() -> None:
        assert await Studio().run(1_000) == [SILENCE] * 50

    asyncio.run(test())


def test_what_is_played_is_heard_from_its_first_to_its_last_sample_and_in_order() -> None:
    async def test() -> None:
        studio = Studio()
        first = studio.player.play(chunks(A * 2 + B[:100], B[100:]))
        second = studio.player.play(chunks(C + b"\7\0"))
        heard = await studio.run(200)
        last = b"\7\0".ljust(FRAME_BYTES, b"\0")
        assert heard[:5] == [A, A, B, C, last]
        assert set(heard[5:]) == {SILENCE}
        assert await first.finished()
        assert await second.finished()
        assert (first.heard_ms, second.heard_ms) == (60, 40)
        assert second.started_at is not None and first.started_at is not None
        assert second.started_at - first.started_at == pytest.approx(0.06)

    asyncio.run(test())


def test_nothing_is_said_before_the_caller_is_there_but_not_for_ever() -> None:
    async def test() -> None:
        studio = Studio()
        studio.new_player()
        studio.player.play(chunks(A))
        assert await studio.run(300) == [SILENCE] * 15
        studio.player.caller_is_there()
        assert (await studio.run(60))[0] == A
        silent = Studio()
        silent.new_player()
        silent.player.play(chunks(A))
        assert A in await silent.run(1_100)

    asyncio.run(test())


def test_stop_silences_from_the_next_frame_on() -> None:
    async def test() -> None:
        studio = Studio()
        playing, waiting = studio.player.play(chunks(A * 100)), studio.player.play(chunks(B * 10))
        assert set(await studio.run(400)) == {A}
        assert studio.player.stop() == (80 + 10) * FRAME_MS
        assert set(await studio.run(400)) == {SILENCE}
        assert not await playing.finished()
        assert not await waiting.finished()
        assert playing.heard_ms == 400
        assert waiting.started_at is None
        assert not studio.player.busy

    asyncio.run(test())


def test_what_must_be_heard_is_not_stopped() -> None:
    async def test() -> None:
        studio = Studio()
        notice = studio.player.play(chunks(A * 10), interruptible=False)
        studio.player.play(chunks(B * 10))
        await studio.run(40)
        studio.player.stop()
        assert await studio.run(200) == [A] * 8 + [SILENCE] * 2
        assert await notice.finished()
        last = studio.player.play(chunks(A * 10), interruptible=False)
        studio.player.stop(everything=True)
        assert not await last.finished()

    asyncio.run(test())


def test_a_late_chunk_leaves_a_gap_that_is_counted() -> None:
    async def test() -> None:
        studio = Studio()
        arrives = asyncio.Event()

        async def late() -> AsyncIterator[bytes]:
            yield A
            await arrives.wait()
            yield B

        playback = studio.player.play(late())
        assert await studio.run(80) == [A, SILENCE, SILENCE, SILENCE]
        arrives.set()
        assert (await studio.run(60))[0] == B
        assert studio.player.pace.underruns == 3
        assert await playback.finished()
        assert playback.heard_ms == 40

    asyncio.run(test())


def test_a_source_that_fails_tells_whoever_waits_and_lets_the_next_one_speak() -> None:
    async def test() -> None:
        studio = Studio()

        async def failing() -> AsyncIterator[bytes]:
            yield A
            raise SynthesisFailed

        broken, apology = studio.player.play(failing()), studio.player.play(chunks(B))
        assert (await studio.run(60))[:2] == [A, B]
        with pytest.raises(SynthesisFailed):
            await broken.finished()
        assert await apology.finished()

    asyncio.run(test())


def test_an_endless_source_is_fetched_only_a_little_ahead() -> None:
    async def test() -> None:
        studio = Studio()
        fetched = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal fetched
            while True:
                fetched += 1
                yield A

        studio.player.play(endless())
        await studio.run(1_000)
        assert fetched < 350
        studio.player.stop()
        await studio.run(100)
        done = fetched
        await studio.run(1_000)
        assert fetched == done

    asyncio.run(test())


def test_the_hold_sound_goes_round_and_makes_way() -> None:
    async def test() -> None:
        studio = Studio()
        studio.player.hold(A + B)
        assert await studio.run(100) == [A, B, A, B, A]
        studio.player.play(chunks(C))
        assert (await studio.run(100))[:4] == [C, B, A, B]
        assert not studio.player.busy
        studio.player.hold(b"")
        assert set(await studio.run(100)) == {SILENCE}

    asyncio.run(test())


def test_drained_waits_until_the_last_word_has_reached_the_ear() -> None:
    async def test() -> None:
        studio = Studio()
        studio.player.play(chunks(A * 5))
        drained = asyncio.create_task(studio.player.drained())
        await studio.run(5 * FRAME_MS + 100)
        assert not drained.done()
        await studio.run(LINGER_FRAMES * FRAME_MS)
        await asyncio.sleep(0)
        assert drained.done()

    asyncio.run(test())


def test_whoever_still_speaks_after_the_call_is_not_kept_waiting() -> None:
    async def test() -> None:
        player = Player(ScriptedLine())
        running = asyncio.create_task(player.run())
        speaking = player.play(chunks(A * 500), interruptible=False)
        await asyncio.sleep(0.05)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        assert not await speaking.finished()
        assert not await player.play(chunks(B)).finished()
        await player.drained()

    asyncio.run(asyncio.wait_for(test(), 5))


@pytest.mark.parametrize(("late_ms", "frames"), [(30, 2), (50, 3), (500, 1), (5_000, 1)])
def test_a_short_delay_is_caught_up_and_a_long_one_is_not(late_ms: int, frames: int) -> None:
    async def test() -> None:
        studio = Studio()
        await studio.run(100)
        before = len(studio.line.sent)
        studio.clock.now += late_ms / 1000
        studio.player.tick()
        assert len(studio.line.sent) - before == frames
        assert studio.player.pace.restarts == (late_ms > 60)

    asyncio.run(test())


def test_the_pace_over_a_real_connection() -> None:
    """Two seconds at 50 frames a second; a loaded machine may be late, but the clock does not drift."""

    async def on_call(line: Line) -> None:
        player = Player(line)
        running = asyncio.create_task(player.run())
        player.play(chunks(A * 50))
        try:
            while True:
                await line.receive()
                player.caller_is_there()
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    async def test() -> None:
        async with exchange(on_call) as pbx, pbx.call() as peer:
            listening = asyncio.create_task(peer.listen())
            begun = time.monotonic()
            await peer.say([silence(20)] * 100)
            elapsed = time.monotonic() - begun
            assert len(peer.heard) == pytest.approx(elapsed * 50, abs=6)
            assert [frame for _, frame in peer.heard].count(A) == 50
            listening.cancel()

    asyncio.run(test())
