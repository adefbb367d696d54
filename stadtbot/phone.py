"""`stadtbot phone`: the phone bridge, until Ctrl+C."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path

from telephony.bridge import Bridge
from telephony.errors import PbxRefused, TelephonyError
from telephony.settings import TelephonySettings


class CannotServe(RuntimeError):
    """The bridge cannot start or go on; the message says what to do."""


def serve(file: Path) -> None:
    """Take calls until SIGINT or SIGTERM.

    Raises:
        CannotServe: settings, a model or the exchange are not as they should be.
    """
    try:
        settings = TelephonySettings.read(file)
        asyncio.run(_serve(settings))
    except TelephonyError as error:
        raise CannotServe(str(error)) from error
    except OSError as error:
        raise CannotServe(f"Calls cannot be taken: {error.strerror}. Does a bridge run already?") from error


async def _serve(settings: TelephonySettings) -> None:
    ready, stop = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    bridge = asyncio.create_task(Bridge(settings).run(ready=ready))
    waiting = [asyncio.create_task(event.wait()) for event in (ready, stop)]
    print("The telephone starts …", flush=True)
    await asyncio.wait({bridge, *waiting}, return_when=asyncio.FIRST_COMPLETED)
    if ready.is_set():
        print(f"Takes calls at {settings.bridge.host}:{settings.bridge.port}.", flush=True)
        await asyncio.wait({bridge, waiting[1]}, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    if not bridge.done():
        bridge.cancel()
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await bridge
    except PbxRefused:
        raise PbxRefused(
            "The exchange refuses name or password of its manager interface ([pbx] in the file)."
        ) from None
