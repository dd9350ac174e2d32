"""A TCP proxy before a broker: slow, silent or broken, as a network is."""

import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Self

CHUNK = 4096
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER that ends a connection with RST."""


class Proxy:
    """Passes on what comes, from `port` to the target's; each chunk waits `delay` seconds, and none passes while `silent`."""

    def __init__(self, target: int) -> None:
        self.target, self.delay, self.passed, self.broken = target, 0.0, 0, 0
        self._open = threading.Event()
        self._open.set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self.port: int = self._server.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self._open.set()
        self.reset()

    def reset(self) -> None:
        """Break every connection, at both ends, in the middle of whatever is on its way."""
        for pair in list(self._pairs):
            self.broken += 1
            self._end(pair)

    def silence(self) -> None:
        """Connections stay and nothing passes, as when a cable is pulled."""
        self._open.clear()

    def speak(self) -> None:
        """Let pass again, what was held back first."""
        self._open.set()

    def _end(self, pair: tuple[socket.socket, socket.socket]) -> None:
        self._pairs.discard(pair)
        for end in pair:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                end.shutdown(socket.SHUT_RD)  # wakes who waits for it
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                try:
                    pair = client, socket.create_connection(("127.0.0.1", self.target), timeout=10)
                except OSError:
                    client.close()
                    continue
                pair[1].settimeout(None)
                self._pairs.add(pair)
                for source, sink in (pair, pair[::-1]):
                    threading.Thread(target=self._pump, args=(pair, source, sink), daemon=True).start()

    def _pump(
        self, pair: tuple[socket.socket, socket.socket], source: socket.socket, sink: socket.socket
    ) -> None:
        with suppress(OSError):
            while chunk := source.recv(CHUNK):
                self._open.wait()
                time.sleep(self.delay)
                sink.sendall(chunk)
                self.passed += len(chunk)
        self._end(pair)
