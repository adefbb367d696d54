"""From text to samples: Piper in its own process, and espeak-ng, which is always there."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import httpx

from telephony.errors import SynthesisFailed

WORDS_PER_MINUTE = 155
"""espeak-ng's pace on the telephone."""
ESPEAK = ("espeak-ng", "-v", "de", "-b", "1", "--stdin", "--stdout")
ESPEAK_PATIENCE_S = 10.0
_ESPEAK_AT_ONCE = 4
_CONNECTIONS = 8
_CONNECT_S = 1.0
_LONGEST_ANSWER = 32_000_000


@dataclass(frozen=True)
class Speech:
    """Samples of 16 bit, little-endian, one channel."""

    samples: bytes
    rate: int
    """Hz."""


class Synthesiser(Protocol):
    """Speaks a sentence."""

    async def say(self, text: str, *, pace: float) -> Speech:
        """Speak; `pace` is 1.0 for the usual one, less for a slower one.

        Raises:
            SynthesisFailed: it cannot.
        """
        ...


class Piper:
    """The synthesis process (telephony/synthesis) as its client sees it."""

    def __init__(self, url: str, secret: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {secret}"},
            timeout=httpx.Timeout(None, connect=_CONNECT_S),
            limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
            trust_env=False,
        )

    async def say(self, text: str, *, pace: float = 1.0) -> Speech:
        """Speak; waits as long as it takes, so callers set a deadline."""
        samples = bytearray()
        try:
            async with self._http.stream("POST", "/speak", json={"text": text, "pace": pace}) as response:
                if response.status_code != httpx.codes.OK:
                    raise SynthesisFailed(f"the synthesis process answers {response.status_code}")
                rate = response.headers.get("X-Sample-Rate", "")
                if not rate.isdecimal() or not 4_000 <= int(rate) <= 96_000:
                    raise SynthesisFailed("the synthesis process names no sample rate")
                async for chunk in response.aiter_bytes():
                    samples += chunk
                    if len(samples) > _LONGEST_ANSWER:
                        raise SynthesisFailed("the synthesis process does not stop")
        except httpx.HTTPError as error:
            raise SynthesisFailed(type(error).__name__) from None
        return Speech(bytes(samples), int(rate))

    async def alive(self, *, within_s: float) -> bool:
        """Whether the process answers."""
        try:
            return (await self._http.get("/healthz", timeout=within_s)).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    async def close(self) -> None:
        await self._http.aclose()


class Espeak:
    """espeak-ng as a subprocess (it is GPL-3); the text goes through a pipe, so no list of processes shows it."""

    def __init__(self, command: Sequence[str] = ESPEAK, *, patience_s: float = ESPEAK_PATIENCE_S) -> None:
        self._command = tuple(command)
        self._patience_s = patience_s
        self._free = asyncio.Semaphore(_ESPEAK_AT_ONCE)

    async def say(self, text: str, *, pace: float = 1.0) -> Speech:
        command = (*self._command, "-s", str(round(WORDS_PER_MINUTE * pace)))
        text = text.replace("[[", "").replace("]]", "")  # would be read as phonemes
        try:
            async with self._free, asyncio.timeout(self._patience_s):
                return _from_wav(await self._output(command, text))
        except TimeoutError:
            raise SynthesisFailed("espeak-ng did not end in time") from None
        except OSError as error:
            raise SynthesisFailed(f"espeak-ng cannot be started: {type(error).__name__}") from None

    async def _output(self, command: Sequence[str], text: str) -> bytes:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            output, _ = await process.communicate(f"{text}\n".encode())
            return output
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


def _from_wav(content: bytes) -> Speech:
    """Speech of a WAV file that was written to a pipe: the sizes in its header are not true."""
    begin = content.find(b"data", 36, 256)
    if content[:4] != b"RIFF" or content[8:16] != b"WAVEfmt " or begin < 0:
        raise SynthesisFailed("espeak-ng gave no audio")
    channels, rate, _, _, bits = struct.unpack_from("<HIIHH", content, 22)
    if (channels, bits) != (1, 16) or not rate:
        raise SynthesisFailed("espeak-ng gave audio of another kind")
    return Speech(content[begin + 8 :], rate)
