"""What callers hear of a text, and what they hear when the good voice fails."""

from __future__ import annotations

import asyncio
import math
import os
import stat
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import pytest

from telephony.audio import FRAME_BYTES, duration_ms
from telephony.errors import SynthesisFailed
from telephony.loudness import LOUDNESS_DB, PEAK_DB, telephone_audio
from telephony.recogniser import VoskModel
from telephony.synthesiser import ESPEAK, Espeak, Piper, Speech
from telephony.voice import BREATH_MS, PAUSE_MS, Voice
from tests.telephony.lines import frames_of, silence
from tests.telephony.sound import loudness, tone
from tests.telephony.synthesis_server import SynthesisServer

RATE = 22_050
LONG = (
    "Wenn Sie einen Personalausweis beantragen möchten, brauchen Sie Ihren alten Ausweis und ein Foto aus einer "
    "zertifizierten Stelle."
)


@dataclass
class Scripted:
    """A synthesiser that notes what it is asked and does as it is told."""

    seconds: float = 1.0
    error: SynthesisFailed | None = None
    hold: asyncio.Event | None = None
    asked: list[str] = field(default_factory=list)
    paces: list[float] = field(default_factory=list)
    cancelled: int = 0

    async def say(self, text: str, *, pace: float = 1.0) -> Speech:
        self.asked.append(text)
        self.paces.append(pace)
        try:
            if self.hold is not None:
                await self.hold.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        time_axis = np.arange(int(self.seconds * RATE)) / RATE
        return Speech((8_000 * np.sin(2 * np.pi * 300 * time_axis)).astype("<i2").tobytes(), RATE)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def level(pcm: bytes) -> float:
    """RMS in dB below full scale."""
    return 20 * math.log10(max(loudness(pcm), 0.01) / 32_768)


async def heard(chunks: AsyncIterator[bytes]) -> list[bytes]:
    return [chunk async for chunk in chunks]


def test_sentences_come_one_by_one_as_whole_frames_with_pauses() -> None:
    async def test() -> None:
        chunks = await heard(Voice(Scripted(), fallback=Scripted()).speak("Das kostet 37,00 €. Ja! Bis 12 Uhr."))
        assert len(chunks) == 3
        assert all(len(chunk) % FRAME_BYTES == 0 for chunk in chunks)
        first, second, last = map(duration_ms, chunks)
        assert first == second == last + PAUSE_MS
        assert abs(last - 1_000) <= 40
        assert level(chunks[0][-PAUSE_MS * 16 :]) < -60

    asyncio.run(test())


def test_texts_are_spoken_as_people_say_them() -> None:
    async def test() -> None:
        synthesiser = Scripted()
        await heard(Voice(synthesiser).speak("Die Gebühr beträgt 37,00 € (§ 1 Abs. 2)."))
        assert "dreißig Euro" in synthesiser.asked[0]
        assert not any(sign in synthesiser.asked[0] for sign in "€§()0123456789")

    asyncio.run(test())


def test_nothing_to_say() -> None:
    async def test() -> None:
        synthesiser = Scripted()
        assert await heard(Voice(synthesiser).speak("  \n ")) == []
        assert synthesiser.asked == []

    asyncio.run(test())


def test_a_long_first_sentence_is_begun_early() -> None:
    async def test() -> None:
        synthesiser = Scripted()
        chunks = await heard(Voice(synthesiser).speak(LONG))
        assert synthesiser.asked[0] == "Wenn Sie einen Personalausweis beantragen möchten,"
        assert " ".join(synthesiser.asked) == LONG
        assert duration_ms(chunks[0]) - duration_ms(chunks[1]) == BREATH_MS

    asyncio.run(test())


def test_the_next_sentence_is_synthesised_while_one_is_played() -> None:
    async def test() -> None:
        synthesiser = Scripted()
        speech = Voice(synthesiser).speak("Eins. Zwei. Drei.")
        await anext(speech)
        await asyncio.sleep(0)
        assert synthesiser.asked == ["Eins.", "Zwei."]
        synthesiser.hold = asyncio.Event()
        await anext(speech)
        await asyncio.sleep(0)
        await speech.aclose()  # type: ignore[attr-defined]
        assert synthesiser.asked == ["Eins.", "Zwei.", "Drei."]
        assert synthesiser.cancelled == 1
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(test())


def test_what_is_said_often_is_synthesised_once() -> None:
    async def test() -> None:
        synthesiser = Scripted()
        voice = Voice(synthesiser)
        first = await heard(voice.speak("Guten Tag. Wie kann ich Ihnen helfen?"))
        again = await heard(voice.speak("Wie kann ich Ihnen helfen? Guten Tag."))
        assert len(synthesiser.asked) == 2
        assert sorted(map(bytes.rstrip, first)) == sorted(map(bytes.rstrip, again))
        await heard(voice.speak("Guten Tag.", pace=0.8))
        assert synthesiser.paces == [1.0, 1.0, 0.8]
        assert (voice.counts.synthesised, voice.counts.cached) == (3, 2)

    asyncio.run(test())


def test_what_belongs_to_one_caller_is_forgotten() -> None:
    async def test() -> None:
        synthesiser = Scripted()
        voice = Voice(synthesiser)
        for _ in range(2):
            await heard(voice.speak("Ihre Nummer ist 03641 123.", keep=False))
        assert len(synthesiser.asked) == 2

    asyncio.run(test())


def test_memory_is_bounded_and_prompts_stay() -> None:
    async def test() -> None:
        synthesiser = Scripted()
        voice = Voice(synthesiser, cache_bytes=40_000)  # two sentences of a second
        assert await voice.prerender(["Guten Tag.", "Auf Wiederhören. Danke."]) == 3
        for text in ("Eins.", "Zwei.", "Eins.", "Drei."):
            await heard(voice.speak(text))
        synthesiser.asked.clear()
        for text in ("Guten Tag.", "Danke.", "Eins.", "Drei."):
            await heard(voice.speak(text))
        assert synthesiser.asked == []
        await heard(voice.speak("Zwei."))
        assert synthesiser.asked == ["Zwei."]

    asyncio.run(test())


def test_pace_has_bounds() -> None:
    async def test() -> None:
        synthesiser = Scripted()
        for pace in (0.0, 100.0):
            await heard(Voice(synthesiser).speak("Ja.", pace=pace))
        assert synthesiser.paces == [0.5, 2.0]

    asyncio.run(test())


def test_a_broken_voice_is_replaced_and_tried_again_later() -> None:
    async def test() -> None:
        clock, broken, fallback = Clock(), Scripted(error=SynthesisFailed("broken")), Scripted()
        voice = Voice(broken, fallback=fallback, clock=clock)
        assert len(await heard(voice.speak("Eins. Zwei. Drei."))) == 3
        assert broken.asked == ["Eins."]
        assert fallback.asked == ["Eins.", "Zwei.", "Drei."]
        clock.now += 2.1
        await heard(voice.speak("Vier. Fünf."))
        assert broken.asked == ["Eins.", "Vier."]
        clock.now += 2.1  # it has failed twice: now it is left alone for longer
        await heard(voice.speak("Sechs."))
        assert broken.asked == ["Eins.", "Vier."]
        clock.now += 3.0
        broken.error = None
        await heard(voice.speak("Sieben. Acht. Eins."))
        assert broken.asked == ["Eins.", "Vier.", "Sieben.", "Acht.", "Eins."]
        assert fallback.asked[-1] == "Sechs."

    asyncio.run(test())


def test_while_one_call_tries_the_voice_others_do_not_wait() -> None:
    async def test() -> None:
        clock, slow, fallback = Clock(), Scripted(error=SynthesisFailed("broken")), Scripted()
        voice = Voice(slow, fallback=fallback, clock=clock)
        await heard(voice.speak("Eins."))
        slow.hold, slow.error = asyncio.Event(), None
        clock.now += 3
        trying = asyncio.create_task(heard(voice.speak("Zwei.")))
        await asyncio.sleep(0.05)
        assert len(await heard(voice.speak("Drei."))) == 1
        assert fallback.asked == ["Eins.", "Drei."]
        slow.hold.set()
        await trying
        assert slow.asked == ["Eins.", "Zwei."]

    asyncio.run(test())


def test_a_slow_voice_is_replaced_in_time() -> None:
    async def test() -> None:
        slow, fallback = Scripted(hold=asyncio.Event()), Scripted()
        begun = time.monotonic()
        assert len(await heard(Voice(slow, fallback=fallback, deadline_s=0.1).speak("Eins. Zwei."))) == 2
        assert time.monotonic() - begun < 2
        assert slow.cancelled == 1
        assert fallback.asked == ["Eins.", "Zwei."]

    asyncio.run(test())


def test_a_mute_voice_is_replaced() -> None:
    async def test() -> None:
        fallback = Scripted()
        assert len(await heard(Voice(Scripted(seconds=0.0), fallback=fallback).speak("Eins."))) == 1
        assert fallback.asked == ["Eins."]

    asyncio.run(test())


def test_prompts_are_not_kept_in_the_voice_of_the_fallback() -> None:
    async def test() -> None:
        clock, broken = Clock(), Scripted(error=SynthesisFailed("broken"))
        voice = Voice(broken, fallback=Scripted(), clock=clock)
        assert await voice.prerender(["Guten Tag."]) == 0
        broken.error = None
        clock.now += 3
        await heard(voice.speak("Guten Tag."))
        assert broken.asked == ["Guten Tag.", "Guten Tag."]

    asyncio.run(test())


def test_neither_voice_speaks() -> None:
    async def test() -> None:
        broken = Scripted(error=SynthesisFailed("broken"))
        missing = Espeak(["/no/such/espeak-ng"])
        with pytest.raises(SynthesisFailed):
            await heard(Voice(broken, fallback=missing).speak("Eins."))
        with pytest.raises(SynthesisFailed):
            await heard(Voice(None, fallback=missing).speak("Eins."))

    asyncio.run(test())


# --- espeak-ng ---------------------------------------------------------------------------------------------------


def test_espeak_is_the_voice_where_there_is_no_other() -> None:
    async def test() -> None:
        voice = Voice(None)
        (chunk,) = await heard(voice.speak("Was kostet ein Reisepass?"))
        assert 1_000 < duration_ms(chunk) < 3_000
        assert await heard(voice.speak("Was kostet ein Reisepass?")) == [chunk]
        assert voice.counts.cached == 1
        slower = await heard(voice.speak("Was kostet ein Reisepass?", pace=0.7))
        assert duration_ms(slower[0]) > 1.2 * duration_ms(chunk)

    asyncio.run(test())


def test_espeak_is_understood(tiny_vosk_model: Path) -> None:
    audio = b"".join(asyncio.run(heard(Voice(None).speak("Ich habe meinen Personalausweis verloren."))))
    recogniser = VoskModel(tiny_vosk_model).recogniser()
    for frame in frames_of(silence(300) + audio + silence(500)):
        recogniser.accept(frame)
    assert recogniser.finish()[0].text == "ich habe meinen personalausweis verloren"


def script(folder: Path, content: str) -> list[str]:
    """A program in espeak-ng's place."""
    file = folder / "espeak-ng"
    file.write_text(f"#!/bin/sh\n{content}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return [str(file)]


def test_no_list_of_processes_and_no_file_shows_the_text(tmp_path: Path) -> None:
    command = script(tmp_path, f'echo "$@" > {tmp_path}/arguments; env > {tmp_path}/env; exec {" ".join(ESPEAK)}')
    asyncio.run(heard(Voice(None, fallback=Espeak(command)).speak("Mein Name ist Ottilie.")))
    assert (tmp_path / "arguments").read_text() == "-s 155\n"
    assert "Ottilie" not in (tmp_path / "env").read_text()


@pytest.mark.parametrize(
    "content", ["exit 1", "cat", "echo RIFF", "kill -9 $$", "head -c 100 /dev/zero", "exec 0<&-; exec 1>&-; sleep 0.1"]
)
def test_an_espeak_that_fails_is_a_failure(tmp_path: Path, content: str) -> None:
    with pytest.raises(SynthesisFailed):
        asyncio.run(Espeak(script(tmp_path, content)).say("Ja." * 1_000))


def test_an_espeak_that_hangs_is_ended(tmp_path: Path) -> None:
    async def test() -> None:
        hanging = Espeak(script(tmp_path, "exec sleep 600"), patience_s=0.2)
        with pytest.raises(SynthesisFailed):
            await hanging.say("Ja.")
        speaking = asyncio.create_task(Espeak(script(tmp_path, "exec sleep 600")).say("Ja."))
        await asyncio.sleep(0.2)
        assert len(psutil.Process().children()) == children + 1
        speaking.cancel()
        await asyncio.wait({speaking})
        assert len(psutil.Process().children()) == children

    children = len(psutil.Process().children())
    asyncio.run(test())


def test_nothing_is_left_behind() -> None:
    async def test() -> None:
        for _ in range(5):
            await asyncio.gather(*(heard(Voice(None).speak("Guten Tag.")) for _ in range(4)))

    asyncio.run(test())
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
    asyncio.run(test())
    patience = time.monotonic() + 5
    while threading.active_count() > threads and time.monotonic() < patience:
        time.sleep(0.01)  # who waited for the last process ends a moment after it
    assert threading.active_count() <= threads
    assert len(os.listdir("/proc/self/fd")) <= files


# --- with the real process ---------------------------------------------------------------------------------------


def test_piper_speaks_and_espeak_takes_over_when_it_is_gone(synthesis: SynthesisServer) -> None:
    async def test() -> None:
        piper, gone = Piper(synthesis.url, synthesis.secret), Piper("http://127.0.0.1:1", "x")
        wrong = Piper(synthesis.url, "wrong")
        for client, by_piper in ((piper, 2), (gone, 0), (wrong, 0)):
            voice = Voice(client)
            begun = time.monotonic()
            assert len(await heard(voice.speak("Guten Tag. Was kostet das?"))) == 2
            assert time.monotonic() - begun < 3
            assert (voice.counts.synthesised, voice.counts.by_fallback) == (by_piper, 2 - by_piper)
            await client.close()

    asyncio.run(test())


# --- loudness ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 48_000])
@pytest.mark.parametrize("amplitude", [900, 5_000, 32_000])
def test_everything_is_equally_loud(rate: int, amplitude: float) -> None:
    wave = amplitude * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    audio = telephone_audio(wave.astype("<i2").tobytes(), rate)
    assert level(audio[FRAME_BYTES : len(audio) // 2]) == pytest.approx(LOUDNESS_DB, abs=0.5)


def test_pauses_do_not_make_speech_louder() -> None:
    speech = tone(440, 1.0)
    with_pause = telephone_audio(speech + silence(3_000) + speech, 8_000)
    without = telephone_audio(speech + speech, 8_000)
    assert level(with_pause[3_200:9_600]) == pytest.approx(level(without[3_200:9_600]), abs=0.3)


def test_peaks_are_limited_without_distorting_what_is_around_them() -> None:
    wave = 1_000 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 8_000)
    wave[8_000] = 32_000
    audio = np.frombuffer(telephone_audio(wave.astype("<i2").tobytes(), 8_000), "<i2")
    assert np.abs(audio).max() <= 32_768 * 10 ** (PEAK_DB / 20) + 1
    assert level(audio[2_000:4_000].tobytes()) == pytest.approx(LOUDNESS_DB, abs=1)


def test_silence_around_speech_is_cut() -> None:
    audio = telephone_audio(silence(700) + tone(440, 1.0) + silence(900), 8_000)
    assert 1_000 <= duration_ms(audio) <= 1_100
    assert level(audio[: 2 * FRAME_BYTES]) > -30


@pytest.mark.parametrize("samples", [b"", b"\0", bytes(20_000), np.array([1, -1] * 4_000, "<i2").tobytes()])
def test_nothing_audible_is_nothing(samples: bytes) -> None:
    assert telephone_audio(samples, 16_000) == b""
