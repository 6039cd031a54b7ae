"""A wire to PostgreSQL that breaks when it carries a certain word."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal


class Proxy:
    """Passes bytes on between a client and a server; breaks once, at the first message that holds `word`."""

    def __init__(self, port: int, word: bytes, breaks: Literal["before", "after"]) -> None:
        self._server = ("127.0.0.1", port)
        self._word, self._breaks, self.broken = word, breaks, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.armed = False

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _pass_on(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(self._server) as server:
            threading.Thread(target=_copy, args=(server, client), daemon=True).start()
            while data := client.recv(65536):
                if self.armed and not self.broken and self._word in data:
                    self.broken += 1
                    if self._breaks == "after":
                        _cut(client)
                        server.sendall(data)
                        # The server must have read it before its client is gone.
                        time.sleep(0.3)
                    _cut(client)
                    _cut(server)
                    return
                server.sendall(data)


@contextmanager
def breaking_wire(port: int, word: bytes, breaks: Literal["before", "after"]) -> Iterator[Proxy]:
    """Give a proxy that, once `armed`, breaks the connection before or after the server was told `word`."""
    proxy = Proxy(port, word, breaks)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.close()


def _copy(origin: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := origin.recv(65536):
            target.sendall(data)


def _cut(wire: socket.socket) -> None:
    with suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)
