"""Event streams that are read in a thread, as browsers do, and that can be cut."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that has come."""

    name: str
    data: Any
    id: str | None = None


class Stream:
    """Everything that has come so far, in order."""

    def __init__(self) -> None:
        self.events: list[Happened] = []
        self._came = threading.Condition()
        self._ended = False

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]

    def of(self, name: str) -> list[Any]:
        """The data of all events of a name."""
        return [event.data for event in list(self.events) if event.name == name]

    def until(self, name: str, wanted: Callable[[Any], bool] = lambda _: True, *, within_s: float = 15) -> Any:
        """The data of the first event of a name that is as wanted, which may have come already."""
        with self._came:
            found = self._came.wait_for(
                lambda: next((one for one in self.events if one.name == name and wanted(one.data)), None), within_s
            )
        assert found is not None, f"no such event {name!r} among {self.names}"
        return found.data

    def ends(self, *, within_s: float = 15) -> bool:
        """Whether the server ends the stream in time."""
        with self._came:
            return bool(self._came.wait_for(lambda: self._ended, within_s))

    def read(self, lines: Iterator[str]) -> None:
        fields: dict[str, str] = {}
        with contextlib.suppress(httpx.TransportError, httpx.StreamError):
            for line in lines:
                name, _, value = line.partition(":")
                if line and name:
                    fields[name] = fields.get(name, "") + value.removeprefix(" ")
                elif not line and "data" in fields:
                    self._add(Happened(fields.get("event", "message"), json.loads(fields["data"]), fields.get("id")))
                if not line:
                    fields = {}
        with self._came:
            self._ended = True
            self._came.notify_all()

    def _add(self, event: Happened) -> None:
        with self._came:
            self.events.append(event)
            self._came.notify_all()


@contextmanager
def following(url: str, headers: Mapping[str, str], cookies: httpx.Cookies | None = None) -> Iterator[Stream]:
    """A stream that is read from now on; it is cut at the end."""
    stream = Stream()
    with (
        httpx.Client(timeout=httpx.Timeout(10, read=90), cookies=cookies) as client,
        client.stream("GET", url, headers=dict(headers)) as response,
    ):
        response.raise_for_status()
        reader = threading.Thread(target=stream.read, args=(response.iter_lines(),))
        reader.start()
        try:
            yield stream
        finally:
            with contextlib.suppress(OSError):
                response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
            reader.join(10)
            assert not reader.is_alive()


def eventually(check: Callable[[], Any], *, within_s: float = 15) -> Any:
    """The first result of a check that counts as true."""
    begun = time.monotonic()
    while time.monotonic() - begun < within_s:
        if found := check():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")
