"""What is heard of what is said, with the real player and a voice of silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from telephony.audio import BYTES_PER_MS
from telephony.ears import Partial, Pressed, Quiet, SpeechStarted
from telephony.inbox import Inbox
from telephony.mouth import Said, SpokenMouth
from telephony.player import Player
from tests.telephony import virtual_time
from tests.telephony.lines import ScriptedLine

SENTENCE_MS = 1_000


@dataclass
class SilentVoice:
    """A second for each sentence."""

    spoken: list[tuple[str, float, bool]] = field(default_factory=list)

    async def speak(self, text: str, *, pace: float = 1.0, keep: bool = True) -> AsyncIterator[bytes]:
        self.spoken.append((text, pace, keep))
        for _ in range(2):
            await asyncio.sleep(0.02)
            yield bytes(SENTENCE_MS // 2 * BYTES_PER_MS)


class Scene:
    """A mouth on a line that is open."""

    def __init__(self) -> None:
        self.inbox: Inbox[Any] = Inbox()
        self.voice = SilentVoice()
        self.line = ScriptedLine()

    async def __aenter__(self) -> Scene:
        self.player = Player(self.line, clock=asyncio.get_running_loop().time)
        self.player.caller_is_there()
        self.mouth = SpokenMouth(self.voice, self.player, self.inbox)
        self._events: asyncio.Queue[Any] = asyncio.Queue()
        self._tasks = [
            asyncio.create_task(self.player.run()),
            asyncio.create_task(self.inbox.listen(self._told())),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    def tell(self, event: Any) -> None:
        self._events.put_nowait(event)

    async def _told(self) -> AsyncIterator[Any]:
        while True:
            yield await self._events.get()


async def interrupted(event: Any, *, after_s: float, interruptible: bool = True) -> tuple[Said, Scene]:
    async with Scene() as scene:
        saying = asyncio.create_task(scene.mouth.say("Eins. Zwei. Drei.", interruptible=interruptible))
        await asyncio.sleep(after_s)
        scene.tell(event)
        return await saying, scene


def test_what_is_said_is_heard_sentence_by_sentence() -> None:
    async def say() -> Scene:
        async with Scene() as scene:
            assert await scene.mouth.say("Es kostet 3 €. Gut.") == Said(True)
            return scene

    scene = virtual_time.run(say())
    assert [text for text, _, _ in scene.voice.spoken] == ["Es kostet drei Euro.", "Gut."]
    assert len(scene.line.sent) >= 2 * SENTENCE_MS // 20


def test_a_key_interrupts_and_the_rest_is_known() -> None:
    said, _ = virtual_time.run(interrupted(Pressed("#"), after_s=1.5))
    assert said == Said(False, Pressed("#"), "Zwei. Drei.")


def test_the_end_of_a_sentence_that_was_almost_heard_counts() -> None:
    said, _ = virtual_time.run(interrupted(SpeechStarted(True), after_s=2.2))
    assert said.rest == "Drei."


def test_half_words_and_silence_interrupt_nothing() -> None:
    for event in (Partial("äh", stable=True), Quiet(7_000)):
        said, _ = virtual_time.run(interrupted(event, after_s=1.0))
        assert said == Said(True)


def test_what_may_not_be_interrupted_is_heard_and_the_key_is_kept() -> None:
    said, scene = virtual_time.run(interrupted(Pressed("0"), after_s=1.0, interruptible=False))
    assert said == Said(True)
    assert scene.inbox.interrupting == Pressed("0")


def test_who_has_spoken_already_does_not_hear_the_next_prompt() -> None:
    async def say() -> tuple[Said, Scene]:
        async with Scene() as scene:
            scene.tell(Pressed("0"))
            await asyncio.sleep(0.1)
            return await scene.mouth.say("Eins. Zwei."), scene

    said, scene = virtual_time.run(say())
    assert said == Said(False, Pressed("0"), "Eins. Zwei.")
    assert scene.voice.spoken == []


def test_slowly_and_in_private() -> None:
    async def say() -> Scene:
        async with Scene() as scene:
            scene.mouth.slow_down()
            await scene.mouth.say("Eins.", private=True)
            await scene.mouth.drained()
            return scene

    assert virtual_time.run(say()).voice.spoken == [("Eins.", 0.8, False)]


def test_nothing_has_to_drain_before_anything_was_said() -> None:
    async def drain() -> None:
        async with Scene() as scene:
            async with asyncio.timeout(0.01):
                await scene.mouth.drained()

    virtual_time.run(drain())
