"""What is heard on a line: the real detector and the real recogniser, on spoken telephone audio."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from telephony.audio import FRAME_MS, SILENCE, duration_ms
from telephony.ears import BATCH_FRAMES, Ears, Event, Heard, Partial, Pressed, Quiet, SpeechStarted
from telephony.endpointing import PROFILES, Profile
from telephony.player import Player
from telephony.recogniser import Alternative, NoRecogniser, VoskModel
from telephony.transport import Line
from telephony.vad import Vad, VadModel
from tests.telephony.lines import ScriptedLine, exchange, frames_of, silence
from tests.telephony.sip import until
from tests.telephony.voices import attenuated, mixed, noise, spoken

QUESTION = "ich möchte einen neuen personalausweis beantragen"
PROMPT = "wie melde ich meine neue wohnung an, was kostet das, und welche unterlagen brauche ich dafür"
BARGE_IN_MS = 1_200
"""An interruption is noticed within so much audio: a word has to be understood first."""


@pytest.fixture(scope="module")
def vosk(tiny_vosk_model: Path) -> VoskModel:
    return VoskModel(tiny_vosk_model)


@pytest.fixture(scope="module")
def vad() -> VadModel:
    return VadModel()


class Booth:
    """A call without a clock: whenever a frame is heard, one is played."""

    def __init__(self, ears: Ears, line: ScriptedLine, player: Player, times: dict[str, float]) -> None:
        self.ears = ears
        self.line = line
        self.player = player
        self.times = times
        self.events: list[Event] = []

    async def hear(self, samples: bytes, *, echo: tuple[int, float] | None = None) -> list[Event]:
        """The caller's next audio, and what comes of it; an echo is (delay in ms, attenuation in dB)."""
        before = len(self.events)
        frames = frames_of(samples)
        frames += [SILENCE] * (-len(frames) % BATCH_FRAMES)
        for start in range(0, len(frames), BATCH_FRAMES):
            batch = [self._pass(frame, echo) for frame in frames[start : start + BATCH_FRAMES]]
            await asyncio.sleep(0)
            self.line.say(b"".join(batch))
            await self.settle()
        return self.events[before:]

    async def press(self, symbol: str) -> list[Event]:
        before = len(self.events)
        self.line.press(symbol)
        await self.settle()
        return self.events[before:]

    async def settle(self) -> None:
        await self.line.starved.wait()
        for _ in range(3):
            await asyncio.sleep(0)

    async def play(self, samples: bytes, *, interruptible: bool = True) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield samples

        self.player.play(chunks(), interruptible=interruptible)
        for _ in range(3):
            await asyncio.sleep(0)

    def _pass(self, frame: bytes, echo: tuple[int, float] | None) -> bytes:
        self.times["player"] += FRAME_MS / 1000
        self.player.tick()
        if echo is None:
            return frame
        delay, decibels = echo
        position = len(self.line.sent) - 1 - delay // FRAME_MS
        return mixed(frame, attenuated(self.line.sent[position], decibels)) if position >= 0 else frame


@asynccontextmanager
async def booth(vad: VadModel, vosk: VoskModel | None, profile: Profile = PROFILES["open"]) -> AsyncIterator[Booth]:
    """Ears in a booth; nothing of them is left afterwards."""
    before = asyncio.all_tasks()
    times = {"ears": 50.0, "player": 0.0}
    line = ScriptedLine()
    player = Player(line, lambda: times["player"])
    player.tick()
    with ThreadPoolExecutor(1) as threads:
        ears = Ears(
            line,
            vad=Vad(vad),
            recogniser=vosk.recogniser() if vosk else NoRecogniser(),
            player=player,
            threads=threads,
            profile=profile,
            clock=lambda: times["ears"],
        )
        inside = Booth(ears, line, player, times)

        async def write_down() -> None:
            async for event in ears.events():
                inside.events.append(event)

        tasks = [asyncio.create_task(ears.run()), asyncio.create_task(write_down())]
        try:
            yield inside
        finally:
            player.stop(everything=True)
            line.hang_up()
            await asyncio.gather(*tasks)
            await asyncio.sleep(0)
            assert asyncio.all_tasks() <= before


def run(test: Callable[[], Coroutine[None, None, None]], *, within_s: float = 60) -> None:
    asyncio.run(asyncio.wait_for(test(), within_s))


def texts(events: list[Event]) -> list[str]:
    """What was understood, the first alternative of each."""
    return [event.alternatives[0].text if event.alternatives else "" for event in events if isinstance(event, Heard)]


def interruptions(events: list[Event]) -> int:
    return sum(isinstance(event, SpeechStarted) and event.interrupting for event in events)


def test_a_question_is_heard_from_its_beginning_to_its_end(vad: VadModel, vosk: VoskModel) -> None:
    async def test() -> None:
        async with booth(vad, vosk) as inside:
            events = await inside.hear(silence(1_000) + spoken(QUESTION) + silence(1_500))
            assert events[0] == SpeechStarted(interrupting=False)
            heard = events[-1]
            assert isinstance(heard, Heard)
            assert heard.alternatives[0].text == QUESTION
            assert heard.alternatives[0].confidence > 0.9
            assert heard.ended_at == 50.0
            assert 700 <= heard.trailing_ms < 800
            partials = [event for event in events if isinstance(event, Partial)]
            assert [partial.text for partial in partials if not partial.stable][-1] == QUESTION
            assert partials[-1] == Partial(QUESTION, stable=True)
            assert len(partials) == len(set(partials))

    run(test)


def test_the_question_decides_how_long_is_waited(vad: VadModel, vosk: VoskModel) -> None:
    async def test() -> None:
        two_parts = spoken("null drei sechs") + silence(900) + spoken("vier eins acht") + silence(1_600)
        async with booth(vad, vosk) as inside:
            assert texts(await inside.hear(silence(500) + two_parts)) == ["null drei sechs", "vier eins acht"]
            inside.ears.expect(PROFILES["number"])
            assert texts(await inside.hear(silence(500) + two_parts)) == ["null drei sechs vier eins acht"]
            inside.ears.expect(dataclasses.replace(PROFILES["yes_no"], complete=frozenset({"ja"})))
            assert texts(await inside.hear(silence(500) + spoken("ja") + silence(400))) == ["ja"]

    run(test)


def test_a_key_is_an_event_and_drops_what_was_being_said(vad: VadModel, vosk: VoskModel) -> None:
    async def test() -> None:
        async with booth(vad, vosk) as inside:
            await inside.hear(silence(300) + spoken("was kostet das"))
            assert await inside.press("5") == [Pressed("5")]
            assert texts(await inside.hear(silence(1_500))) == []
            assert await inside.press("*") == [Pressed("*")]

    run(test)


def test_silence_is_told_of_but_not_while_we_speak(vad: VadModel, vosk: VoskModel) -> None:
    async def test() -> None:
        profile = Profile(trailing=700, patience=1_000)
        async with booth(vad, vosk, profile) as inside:
            assert [event for event in await inside.hear(silence(2_500)) if isinstance(event, Quiet)] != []
            await inside.play(spoken(PROMPT))
            assert await inside.hear(silence(2_000)) == []
            inside.player.stop()
            (quiet,) = await inside.hear(silence(1_500))
            assert isinstance(quiet, Quiet)
            assert 1_000 <= quiet.ms < 1_200
            await inside.hear(silence(400))
            inside.ears.expect(profile)
            assert await inside.hear(silence(900)) == []

    run(test)


def test_a_caller_interrupts_with_a_word(vad: VadModel, vosk: VoskModel) -> None:
    async def test() -> None:
        async with booth(vad, vosk) as inside:
            await inside.play(spoken(PROMPT))
            assert await inside.hear(silence(800)) == []
            events = await inside.hear(spoken("was kostet ein reisepass")[: BARGE_IN_MS * 16])
            assert interruptions(events) == 1
            inside.player.stop()
            rest = spoken("was kostet ein reisepass")[BARGE_IN_MS * 16 :]
            assert texts(await inside.hear(rest + silence(1_200))) == ["was kostet ein reisepass"]

    run(test)


@pytest.mark.parametrize(
    "sound",
    [
        noise(1_500),
        (noise(40, amplitude=8_000) + silence(400)) * 4,
        noise(250, amplitude=5_000) + silence(250) + noise(250, amplitude=5_000),
    ],
    ids=["noise", "clicks", "coughs"],
)
def test_small_noises_do_not_interrupt(vad: VadModel, vosk: VoskModel, sound: bytes) -> None:
    async def test() -> None:
        async with booth(vad, vosk) as inside:
            await inside.play(spoken(PROMPT))
            await inside.hear(silence(600))
            assert await inside.hear(sound + silence(1_000)) == []

    run(test)


def test_nobody_interrupts_what_has_hardly_begun_or_must_be_heard(vad: VadModel, vosk: VoskModel) -> None:
    async def test() -> None:
        async with booth(vad, vosk) as inside:
            await inside.hear(silence(300) + spoken("hallo"))
            await inside.play(spoken(PROMPT))
            assert interruptions(await inside.hear(silence(200))) == 0
            inside.player.stop()
            await inside.hear(silence(1_000))
            await inside.play(spoken(PROMPT), interruptible=False)
            await inside.hear(silence(600))
            assert await inside.hear(spoken("was kostet das") + silence(1_000)) == []

    run(test)


@pytest.mark.parametrize("echo", [(40, 10.0), (160, 14.0), (300, 25.0)], ids=str)
def test_our_own_voice_coming_back_does_not_interrupt(vad: VadModel, vosk: VoskModel, echo: tuple[int, float]) -> None:
    async def test() -> None:
        prompt = spoken(PROMPT)
        async with booth(vad, vosk) as inside:
            await inside.play(prompt)
            assert await inside.hear(silence(duration_ms(prompt) + 1_500), echo=echo) == []

    run(test)


@pytest.mark.parametrize("echo", [(40, 14.0), (160, 20.0)], ids=str)
def test_a_caller_interrupts_through_an_echo(vad: VadModel, vosk: VoskModel, echo: tuple[int, float]) -> None:
    async def test() -> None:
        async with booth(vad, vosk) as inside:
            await inside.play(spoken(PROMPT))
            assert await inside.hear(silence(1_200), echo=echo) == []
            events = await inside.hear(
                spoken("bitte verbinden sie mich mit einem mitarbeiter", voice="de+f2"), echo=echo
            )
            assert interruptions(events) == 1

    run(test)


def test_without_a_recogniser_speech_is_noticed_but_interrupts_nothing(vad: VadModel) -> None:
    async def test() -> None:
        async with booth(vad, None) as inside:
            events = await inside.hear(silence(300) + spoken(QUESTION) + silence(1_200))
            assert events[0] == SpeechStarted(interrupting=False)
            assert texts(events) == [""]
            await inside.play(spoken(PROMPT))
            await inside.hear(silence(500))
            assert await inside.hear(spoken("was kostet das") + silence(800)) == []
            assert await inside.press("1") == [Pressed("1")]

    run(test)


def test_a_telephone_that_sends_no_silence_is_silent_all_the_same(vad: VadModel, vosk: VoskModel) -> None:
    async def test() -> None:
        async with booth(vad, vosk) as inside:
            await inside.hear(silence(500) + spoken("was kostet das"))
            assert texts(inside.events) == []
            for _ in range(2):
                inside.times["ears"] += 0.7
                await asyncio.sleep(0.7)  # the ears wait for audio by the real clock
            await until(lambda: bool(texts(inside.events)))
            assert texts(inside.events) == ["was kostet das"]

    run(test)


class SlowRecogniser(NoRecogniser):
    """Is still at it when the caller has hung up."""

    def __init__(self) -> None:
        self.closed = False
        self.used_after_close = False

    def accept(self, samples: bytes) -> None:
        time.sleep(0.3)
        self.used_after_close = self.closed

    def partial(self) -> str:
        self.used_after_close = self.used_after_close or self.closed
        return "ja"

    def finish(self) -> list[Alternative]:
        return []

    def close(self) -> None:
        self.closed = True


def test_who_hangs_up_in_the_middle_of_a_word_frees_the_recogniser_when_it_is_done(vad: VadModel) -> None:
    async def test() -> None:
        line, recogniser = ScriptedLine(), SlowRecogniser()
        with ThreadPoolExecutor(1) as threads:
            ears = Ears(line, vad=Vad(vad), recogniser=recogniser, player=Player(line), threads=threads)
            running = asyncio.create_task(ears.run())
            line.say(spoken(QUESTION))
            await asyncio.sleep(0.2)
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            assert [event async for event in ears.events()] == []
            await until(lambda: recogniser.closed)
        assert not recogniser.used_after_close

    run(test)


def test_a_call_over_a_real_connection(vad: VadModel, vosk: VoskModel) -> None:
    """A prompt is interrupted, and silent soon after; the question is understood."""
    events: list[Event] = []
    stopped: list[float] = []

    async def on_call(line: Line) -> None:
        player = Player(line)
        with ThreadPoolExecutor(2) as threads:
            ears = Ears(line, vad=Vad(vad), recogniser=vosk.recogniser(), player=player, threads=threads)

            async def prompt() -> AsyncIterator[bytes]:
                yield spoken(PROMPT) * 3

            async def listen() -> None:
                player.play(prompt())
                async for event in ears.events():
                    events.append(event)
                    if isinstance(event, SpeechStarted) and event.interrupting:
                        player.stop()
                        stopped.append(time.monotonic())

            running = asyncio.create_task(player.run())
            try:
                await asyncio.gather(ears.run(), listen())
            finally:
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running

    async def test() -> None:
        async with exchange(on_call) as pbx:
            async with pbx.call() as peer:
                listening = asyncio.create_task(peer.listen())
                await peer.say(frames_of(silence(1_000) + spoken(QUESTION) + silence(1_500)))
                await until(lambda: bool(texts(events)))
                listening.cancel()
                assert stopped
                assert max(when for when, frame in peer.heard if frame != SILENCE) - stopped[0] < 0.15
            await until(lambda: pbx.server.calls == 0)
        assert texts(events) == [QUESTION]
        assert interruptions(events) == 1

    run(test)
