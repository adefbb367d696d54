"""A TCP proxy that loses the connection when and where a test wants it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

CHUNK = 4096
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes closing a reset: the other side sees a broken connection, not a finished one."""


class CuttingProxy:
    """Forwards everything to a port until it is told to cut.

    `cut_answers_after(n)` resets all connections when n more bytes have come from the service, in the middle of
    whatever they belong to; `cut_requests_after(n)` does it on the way there. `refuse` turns new connections away.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._left: dict[str, int | None] = {"answers": None, "requests": None}
        self.refuse = False
        self._refuse_after_cut = False
        self.cuts = 0
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def cut_answers_after(self, count: int, *, then_refuse: bool = False) -> None:
        self._refuse_after_cut = then_refuse
        self._arm("answers", count)

    def cut_requests_after(self, count: int) -> None:
        self._arm("requests", count)

    def cut_now(self) -> None:
        """Reset every connection."""
        with self._lock:
            self._cut()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_now()
        self._accepting.join()

    def _arm(self, direction: str, count: int) -> None:
        with self._lock:
            self._left[direction] = count

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            if self.refuse:
                _reset(client)
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            with self._lock:
                self._open |= {client, server}
            for source, sink, direction in ((client, server, "requests"), (server, client, "answers")):
                threading.Thread(target=self._forward, args=(source, sink, direction), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, direction: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                with self._lock:
                    left = self._left[direction]
                    if left is not None and len(data) >= left:
                        sink.sendall(data[:left])
                        self._left[direction] = None
                        self._cut()
                        return
                    if left is not None:
                        self._left[direction] = left - len(data)
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def _cut(self) -> None:
        self.cuts += 1
        self.refuse = self.refuse or self._refuse_after_cut
        self._refuse_after_cut = False
        for connection in self._open:
            _reset(connection)
        self._open.clear()


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextlib.contextmanager
def cutting_proxy(url: str) -> Iterator[CuttingProxy]:
    """A proxy before the service at a loopback address."""
    proxy = CuttingProxy(int(url.rsplit(":", 1)[1]))
    try:
        yield proxy
    finally:
        proxy.close()
