"""`stadtbot run`: the service, its loopback listener for actions and metrics, and Rasa beside it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import time

import uvicorn

from core.backup import was_interrupted
from core.copies import held
from knowledge.errors import ModelMissing
from stadtbot.app import Stadtbot
from stadtbot.settings import Settings

log = logging.getLogger("stadtbot")


class CannotStart(RuntimeError):
    """The service cannot start; the message says what to do."""


class _Server(uvicorn.Server):
    """A uvicorn server that leaves the signals to us: two of them run in one process."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # overrides an untyped context manager
        yield


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        CannotStart: something is in the way; the message says what to do.
    """
    if was_interrupted(settings.state_folder):
        raise CannotStart("A restore was interrupted. Run `stadtbot db restore FILE` again before you start Stadtbot.")
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(held(settings.database))
        except BlockingIOError:
            raise CannotStart("A backup is being restored. Start Stadtbot when that is done.") from None
        asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    started = time.monotonic()
    listeners = [_listener(settings.host, settings.port), _listener("127.0.0.1", settings.actions_port)]
    try:
        bot = Stadtbot(settings)
    except ModelMissing as error:
        raise CannotStart(str(error)) from error
    public = _Server(_config(bot.public_app(), settings.host, settings.port, proxies=settings.trusted_proxies))
    loopback = _Server(_config(bot.loopback_app(), "127.0.0.1", settings.actions_port, proxies=""))
    rasa = bot.rasa_process()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # A part that fails takes the others along: half a service would look like one.
    async with asyncio.TaskGroup() as tasks:
        for server, listener in zip((public, loopback), listeners, strict=True):
            tasks.create_task(server.serve(sockets=[listener]))
        background = [tasks.create_task(_announce(bot, settings, started))]
        if rasa is not None:
            background.append(tasks.create_task(rasa.run()))
        await stop.wait()
        public.should_exit = loopback.should_exit = True
        for task in background:
            task.cancel()


def _listener(host: str, port: int) -> socket.socket:
    """A socket that is taken at once, so that a second service fails before it does anything.

    Raises:
        CannotStart: another program listens there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, or asyncio would leave Nagle's algorithm on: 40 ms for nothing in every answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
        return listener
    except OSError as error:
        listener.close()
        raise CannotStart(f"Cannot listen on {host}:{port}: {error.strerror}. Is Stadtbot running already?") from error


def _config(app: object, host: str, port: int, *, proxies: str) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # any ASGI application
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        timeout_graceful_shutdown=3,
        server_header=False,
    )


async def _announce(bot: Stadtbot, settings: Settings, started: float) -> None:
    """Say when the service is ready."""
    print(f"Stadtbot starts at http://{settings.host}:{settings.port} …", flush=True)
    while not (await bot.rasa.ready() and bot.knowledge.ready):  # noqa: ASYNC110 - Rasa sends no event
        await asyncio.sleep(0.3)
    print(f"Ready after {time.monotonic() - started:.0f} s: http://{settings.host}:{settings.port}", flush=True)
