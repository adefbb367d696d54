"""The phone bridge: every line that the exchange connects becomes a call, with ears, a mouth and a conversation.

One process holds all calls. What takes time (recognition, detection of speech, resampling) runs in a few threads; the
voice is a process of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from nlu.speech import sentences, speakable
from telephony.audiosocket import AudioSocketServer
from telephony.call import Call, Caller
from telephony.chat import ChatClient
from telephony.ears import Ears
from telephony.errors import PbxRefused, PbxUnreachable
from telephony.inbox import Inbox
from telephony.mouth import SpokenMouth
from telephony.pbx import Pbx
from telephony.phrases import Phrases
from telephony.player import Player
from telephony.recogniser import NoRecogniser, Recogniser, VoskModel
from telephony.settings import TelephonySettings
from telephony.synthesis_process import SynthesisProcess
from telephony.transport import Line
from telephony.vad import Vad, VadModel
from telephony.voice import Voice

log = logging.getLogger(__name__)

VOICE_READY_WITHIN_S = 60.0


class Bridge:
    """Everything that calls share. `run()` serves until it is cancelled."""

    def __init__(self, settings: TelephonySettings) -> None:
        """Load the models.

        Raises:
            ModelMissing: a model that the settings name is not there.
            SettingsInvalid: the service's credential or the hold sound cannot be read.
        """
        self._settings = settings
        self._phrases = Phrases(names=settings.names())
        self._vad = VadModel()
        self._recogniser = VoskModel(settings.recognition.model) if settings.recognition.model else None
        self._threads = ThreadPoolExecutor(settings.bridge.threads, thread_name_prefix="hearing")
        self._synthesis = _synthesis(settings)
        self._voice = Voice(self._synthesis, threads=self._threads)
        self._hold_sound = settings.hold_sound()
        service = settings.service
        self._chat = ChatClient(
            service.url,
            credential=service.shown(),
            site=service.site,
            answer_within_s=service.answer_within.total_seconds(),
            lost_after_s=service.lost_after.total_seconds(),
        )
        self.pbx = Pbx(settings.pbx)
        self.server = AudioSocketServer(
            self._hold_call,
            host=settings.bridge.host,
            port=settings.bridge.port,
            max_calls=settings.bridge.max_calls,
        )

    async def run(self, *, ready: asyncio.Event | None = None) -> None:
        """Serve calls until cancelled; then end them all.

        Args:
            ready: is set as soon as calls are taken.

        Raises:
            PbxRefused: the exchange does not accept our name and password.
            OSError: the port is taken.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                if self._synthesis is not None:
                    tasks.create_task(self._synthesis.run())
                tasks.create_task(self.pbx.run())
                await self._get_ready()
                await self.server.start()
                if ready is not None:
                    ready.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    await self.server.close()
        except* PbxRefused as refused:
            raise refused.exceptions[0] from None
        finally:
            await self.pbx.close()
            await self._chat.close()
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _get_ready(self) -> None:
        """Speak what is always the same once, so that a caller does not wait for it."""
        if self._synthesis is not None and not await self._synthesis.ready(within_s=VOICE_READY_WITHIN_S):
            log.warning("The voice is not ready; espeak-ng speaks until it is.")
        fixed = [sentence for text in self._phrases.fixed() for sentence in sentences(speakable(text))]
        await self._voice.prerender(fixed)

    async def _hold_call(self, line: Line) -> None:
        """One call, from its first frame to its last."""
        known = await self.pbx.call_of(line.id)
        inbox: Inbox[Any] = Inbox()
        player = Player(line)
        ears = Ears(line, vad=Vad(self._vad), recogniser=self._new_recogniser(), player=player, threads=self._threads)
        mouth = SpokenMouth(self._voice, player, inbox, hold_sound=self._hold_sound)
        caller = Caller(line.id, number=known.caller, mode=known.mode) if known is not None else Caller(line.id)
        call = Call(
            caller,
            chat=self._chat,
            ears=ears,
            mouth=mouth,
            inbox=inbox,
            pbx=self.pbx,
            phrases=self._phrases,
            profiles=self._settings.profiles(),
            topics=self._settings.topics(),
            manners=self._settings.manners(),
        )
        async with _beside(ears.run(), player.run()):
            try:
                await call.run()
            except Exception as error:  # a caller must not end in silence; the error's values may be a caller's words
                where = "".join(traceback.format_tb(error.__traceback__))
                log.error("A conversation ended with %s:\n%s", type(error).__name__, where)
                with contextlib.suppress(PbxUnreachable, PbxRefused):
                    await self.pbx.to_staff_queue(line.id)

    def _new_recogniser(self) -> Recogniser:
        return self._recogniser.recogniser() if self._recogniser is not None else NoRecogniser()


@asynccontextmanager
async def _beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Lets works go on as long as the context lasts."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _synthesis(settings: TelephonySettings) -> SynthesisProcess | None:
    voice = settings.voice
    return SynthesisProcess(voice.model, workers=voice.workers, threads=voice.threads) if voice.model else None
