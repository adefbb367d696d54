"""Measures the phone bridge: what hearing and speaking cost, and how long they take.

Callers talk to it over AudioSocket on the loopback interface, in real time; the bridge is a process of its own, so
that its processor time is its own. The recogniser is Vosk with the tests' tiny model unless a folder is given: the
times of a real model are longer, and only a real model tells of quality.

    python -m bench.voice [--model FOLDER]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from telephony.audio import SILENCE
from telephony.audiosocket import AudioSocketServer, Kind
from telephony.ears import Ears, Heard, Pressed, SpeechStarted
from telephony.player import Pace, Player
from telephony.recogniser import VoskModel
from telephony.transport import Line
from telephony.vad import Vad, VadModel
from tests.telephony.lines import Peer, frames_of, packet, silence
from tests.telephony.tiny_vosk import model_folder
from tests.telephony.voices import noise, spoken, tones

CALLS = (1, 20)
QUESTION = "ich möchte einen neuen personalausweis beantragen"
INTERRUPTION = "bitte verbinden sie mich mit einem mitarbeiter"
IDLE_S = 6
QUESTIONS = 4
"""Asked by each caller, one after the other."""
BETWEEN_MS = 1_500
PROMPT_BEFORE_INTERRUPTION_MS = 1_000
_REPLY = tones(200, 500)
_PROMPT = tones(400, 700) * 15
_PROMPT_FRAMES = frozenset(frames_of(_PROMPT))
_KEY_FOR_PROMPT = "1"


@dataclass
class Told:
    """What the bridge's process tells of itself; times are the machine's monotonic clock, which both share."""

    understood_ms: list[float] = field(default_factory=list)
    """From the noticed end of speech to what was said."""
    stopped: dict[str, float] = field(default_factory=dict)
    """When each call's prompt was interrupted."""
    right: int = 0
    wrong: int = 0
    underruns: int = 0
    restarts: int = 0


def measure_audio(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """Figures by number of calls."""
    return {f"voice_{calls}_calls": _measure(folder or model_folder(), calls) for calls in CALLS}


def _measure(folder: Path, calls: int) -> dict[str, Any]:
    with _bridge(folder) as (port, pid, results):
        figures = asyncio.run(_callers(port, psutil.Process(pid), calls))
        told = results()
    heard_at = figures.pop("heard_at")
    silenced = [heard_at[line] - when for line, when in told.stopped.items() if line in heard_at]
    return {
        **figures,
        "understood_after_end_ms": _summary(told.understood_ms),
        "stop_to_silence_ms": _summary([max(0.0, seconds) * 1000 for seconds in silenced]),
        "questions": told.right + told.wrong,
        "questions_right": told.right,
        "underruns": told.underruns,
        "clock_restarts": told.restarts,
        "load": round(os.getloadavg()[0], 1),
    }


# The callers.


async def _callers(port: int, bridge: psutil.Process, calls: int) -> dict[str, Any]:
    await _warm_up(port)
    before = bridge.memory_info().rss
    peers = [Peer(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(calls)]
    listening = [asyncio.create_task(peer.listen()) for peer in peers]
    for peer in peers:
        peer.introduce()
    room = noise(IDLE_S * 1000, amplitude=60)  # -55 dB
    idle = await _cpu(bridge, [_say(peer, room, delay=index) for index, peer in enumerate(peers)])
    latencies: list[float] = []
    question = [_ask(peer, latencies, delay=index) for index, peer in enumerate(peers)]
    speaking = await _cpu(bridge, question)
    memory = bridge.memory_info().rss - before
    spoke_at = await asyncio.gather(*(_interrupt(peer, delay=index) for index, peer in enumerate(peers)))
    gaps = [
        (later - earlier) * 1000
        for peer in peers
        for (earlier, _), (later, _) in zip(peer.heard, peer.heard[1:], strict=False)
    ]
    silent_at = {str(peer.id): max(when for when, frame in peer.heard if frame in _PROMPT_FRAMES) for peer in peers}
    interruptions = [(silent_at[str(peer.id)] - when) * 1000 for peer, when in zip(peers, spoke_at, strict=True)]
    for peer in peers:
        await peer.close()
    for task in listening:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return {
        "cpu_idle_call_percent": round(idle / calls, 2),
        "cpu_speaking_call_percent": round(speaking / calls, 2),
        "memory_per_call_mb": round(memory / calls / 2**20, 2),
        "speech_end_to_reply_ms": _summary(latencies),
        "interruption_to_silence_ms": _summary(interruptions),
        "frame_gap_ms": _summary(gaps),
        "heard_at": silent_at,
    }


async def _warm_up(port: int) -> None:
    """The first call of all loads what is loaded when it is needed."""
    peer = Peer(*await asyncio.open_connection("127.0.0.1", port))
    listening = asyncio.create_task(peer.listen())
    peer.introduce()
    await peer.say(frames_of(spoken(QUESTION) + silence(BETWEEN_MS)))
    await peer.close()
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening


async def _say(peer: Peer, samples: bytes, *, delay: int) -> None:
    await asyncio.sleep(delay * 0.007)  # telephones do not send in step
    await peer.say(frames_of(samples))


async def _ask(peer: Peer, latencies: list[float], *, delay: int) -> None:
    """Ask several times; the time from the last frame of speech to the first one of the reply."""
    await asyncio.sleep(delay * 0.2)  # nor do people speak in chorus
    for _ in range(QUESTIONS):
        await peer.say(frames_of(spoken(QUESTION)))
        ended = time.monotonic()
        await peer.say(frames_of(silence(BETWEEN_MS)))
        replies = [when for when, frame in peer.heard if when > ended and frame != SILENCE]
        if replies:
            latencies.append((replies[0] - ended) * 1000)


async def _interrupt(peer: Peer, *, delay: int) -> float:
    """Speak while a prompt is played; when the first word began."""
    await asyncio.sleep(delay * 0.2)
    peer.write(packet(Kind.DIGIT, _KEY_FOR_PROMPT.encode()))
    await peer.say(frames_of(silence(PROMPT_BEFORE_INTERRUPTION_MS)))
    began = time.monotonic()
    await peer.say(frames_of(spoken(INTERRUPTION) + silence(BETWEEN_MS)))
    return began


async def _cpu(process: psutil.Process, work: Sequence[Any]) -> float:
    """Percent of one core that the process takes during the work."""
    used, begun = sum(process.cpu_times()[:2]), time.monotonic()
    await asyncio.gather(*work)
    return float(100 * (sum(process.cpu_times()[:2]) - used) / (time.monotonic() - begun))


def _summary(values: Sequence[float]) -> dict[str, float]:
    if len(values) < 2:
        return {"p50": round(values[0], 1), "runs": 1} if values else {"runs": 0}
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {
        "p50": round(cuts[49], 1),
        "p95": round(cuts[94], 1),
        "p99": round(cuts[98], 1),
        "max": round(max(values), 1),
        "runs": len(values),
    }


# The bridge.


@contextmanager
def _bridge(folder: Path) -> Iterator[tuple[int, int, Any]]:
    """A bridge in a process of its own: its port, its process id, and how to ask for what it tells and end it."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, folder))
    process.start()
    try:
        port = ours.recv()

        def results() -> Told:
            ours.send("stop")
            told: Told = ours.recv()
            return told

        assert process.pid is not None
        yield port, process.pid, results
    finally:
        process.join(timeout=10)
        process.kill()


def _serve(pipe: Connection, folder: Path) -> None:
    asyncio.run(_serve_until_told(pipe, folder))


async def _serve_until_told(pipe: Connection, folder: Path) -> None:
    told = Told()
    vad, vosk, threads = VadModel(), VoskModel(folder), ThreadPoolExecutor(2)

    async def on_call(line: Line) -> None:
        player = Player(line)
        ears = Ears(line, vad=Vad(vad), recogniser=vosk.recogniser(), player=player, threads=threads)
        running = asyncio.create_task(player.run())
        try:
            await asyncio.gather(ears.run(), _converse(line, ears, player, told))
        finally:
            _add(told, player.pace)
            running.cancel()

    server = AudioSocketServer(on_call, port=0)
    pipe.send(await server.start())
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    await server.close()
    pipe.send(told)


async def _converse(line: Line, ears: Ears, player: Player, told: Told) -> None:
    async for event in ears.events():
        if isinstance(event, SpeechStarted) and event.interrupting:
            player.stop()
            told.stopped[line.id] = time.monotonic()
        elif isinstance(event, Heard):
            told.understood_ms.append((time.monotonic() - event.ended_at) * 1000)
            right = bool(event.alternatives) and event.alternatives[0].text in (QUESTION, INTERRUPTION)
            told.right += right
            told.wrong += not right
            player.play(_chunks([_REPLY]))
        elif isinstance(event, Pressed):
            player.play(_chunks([_PROMPT]))


async def _chunks(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def _add(told: Told, pace: Pace) -> None:
    told.underruns += pace.underruns
    told.restarts += pace.restarts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a folder with a Vosk model")
    print(json.dumps(measure_audio(parser.parse_args().model), indent=2))
