"""A Piper voice behind a loopback address. Runs in an environment of its own and imports nothing of the project.

    python server.py VOICE.onnx [--port 0] [--workers 2] [--threads 2] < SECRET

The first line of its input is the secret that every request must show as `Authorization: Bearer …`; the first line of
its output is `{"port": …, "rate": …}`, written when the voice is loaded. It ends with the process that started it.

    POST /speak {"text": …, "pace": 1.0} -> 16-bit little-endian samples, one channel, sentence by sentence, in chunks;
                                            `X-Sample-Rate` holds Hz. A response that is cut short has failed.
    GET /healthz                         -> 200 while requests are answered

Texts are neither kept nor logged. piper-tts is GPL-3.0-or-later: it is imported here and nowhere else.
"""

from __future__ import annotations

import argparse
import ctypes
import hmac
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any

import onnxruntime
from piper import PiperVoice, SynthesisConfig
from piper.config import PiperConfig

LONGEST_TEXT = 2_000
"""Characters."""
LONGEST_BODY = 16_384
"""Bytes."""
PACES = (0.5, 2.0)
CONNECTIONS = 64
IDLE_S = 60.0
QUEUE_S = 20.0
"""How long a request may wait for a worker."""
PR_SET_PDEATHSIG = 1


class Speaker:
    """One voice, spoken by a bounded number of threads at a time."""

    def __init__(self, model: Path, *, workers: int, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads leave the cores alone
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        config = PiperConfig.from_dict(json.loads(Path(f"{model}.json").read_text(encoding="utf-8")))
        self._voice = PiperVoice(session=session, config=config)
        self._free = threading.BoundedSemaphore(workers)
        self.rate: int = config.sample_rate
        self._length = config.length_scale

    def speak(self, text: str, pace: float) -> Iterator[bytes]:
        """Each sentence's samples.

        Raises:
            TimeoutError: all workers are busy.
        """
        if not self._free.acquire(timeout=QUEUE_S):
            raise TimeoutError
        try:
            config = SynthesisConfig(length_scale=self._length / pace)
            # Double brackets would be read as phonemes.
            for chunk in self._voice.synthesize(text.replace("[[", "").replace("]]", ""), config):
                yield (chunk.audio_float_array * 32_767).astype("<i2").tobytes()
        finally:
            self._free.release()


class Handler(BaseHTTPRequestHandler):
    """One connection; requests follow each other on it."""

    protocol_version = "HTTP/1.1"
    server_version = "synthesis"
    sys_version = ""
    timeout = IDLE_S
    wbufsize = -1
    disable_nagle_algorithm = True

    def __init__(self, *arguments: Any, speaker: Speaker, secret: str) -> None:
        self._speaker = speaker
        self._secret = f"Bearer {secret}".encode()
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self._answer(HTTPStatus.OK if self.path == "/healthz" else HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LONGEST_BODY:
            self.close_connection = True  # what follows is not read
            return self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE if length else HTTPStatus.LENGTH_REQUIRED)
        body = self.rfile.read(int(length))
        if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), self._secret):
            return self._answer(HTTPStatus.UNAUTHORIZED)
        if self.path != "/speak":
            return self._answer(HTTPStatus.NOT_FOUND)
        request = _request(body)
        if request is None:
            return self._answer(HTTPStatus.UNPROCESSABLE_ENTITY)
        self._stream(self._speaker.speak(*request))

    def _stream(self, sentences: Iterator[bytes]) -> None:
        """Send sentences; what fails before the first one is an error, what fails later cuts the response short."""
        try:
            samples = next(sentences, None)
        except TimeoutError:
            return self._answer(HTTPStatus.SERVICE_UNAVAILABLE)
        except Exception as error:  # whatever the runtime raises may quote the text: only its kind is told
            _complain(error)
            return self._answer(HTTPStatus.INTERNAL_SERVER_ERROR)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("X-Sample-Rate", str(self._speaker.rate))
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            while samples is not None:
                if samples:  # an empty chunk would be the last one
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(samples), samples))
                    self.wfile.flush()
                samples = next(sentences, None)
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True
        except Exception as error:
            _complain(error)
            self.close_connection = True
        finally:
            sentences.close()  # type: ignore[attr-defined]

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log nothing."""


class Server(ThreadingHTTPServer):
    """Refuses connections beyond a number, so that nobody can fill the process with threads."""

    daemon_threads = True
    request_queue_size = CONNECTIONS

    def __init__(self, port: int, handler: Any) -> None:
        self._room = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__(("127.0.0.1", port), handler)

    def process_request(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """A peer that is gone is no error, and of others only the kind is told."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            _complain(error)


def _request(body: bytes) -> tuple[str, float] | None:
    """Text and pace, if they are what they should be."""
    try:
        content = json.loads(body)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    text, pace = content.get("text"), content.get("pace", 1.0)
    if not isinstance(text, str) or not 0 < len(text.strip()) <= len(text) <= LONGEST_TEXT or "\0" in text:
        return None
    if not isinstance(pace, int | float) or isinstance(pace, bool) or not PACES[0] <= pace <= PACES[1]:
        return None
    return text, float(pace)


def _complain(error: BaseException) -> None:
    print(type(error).__name__, file=sys.stderr, flush=True)


def _end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent is gone; at once, if it already is."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("the parent is gone")


def main() -> None:
    parser = argparse.ArgumentParser(description="A Piper voice behind a loopback address.")
    parser.add_argument("voice", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--parent", type=int, default=os.getppid())
    options = parser.parse_args()
    _end_with(options.parent)
    logging.disable()  # Piper's own messages quote what is spoken
    secret = sys.stdin.readline().strip()
    if not secret:
        raise SystemExit("a secret is expected on the standard input")
    try:
        speaker = Speaker(options.voice, workers=options.workers, threads=options.threads)
        for _ in speaker.speak("Guten Tag.", 1.0):  # the first inference is a slow one
            pass
    except Exception as error:  # a voice that is broken in any way cannot be served
        _complain(error)
        raise SystemExit(1) from None
    server = Server(options.port, partial(Handler, speaker=speaker, secret=secret))
    print(json.dumps({"port": server.server_address[1], "rate": speaker.rate}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
