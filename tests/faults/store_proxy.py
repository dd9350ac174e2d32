"""An HTTP proxy before an object store: answers late, and answers 503 before or after the store has done what it was asked."""

import re
import threading
import time
from collections import Counter
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Self

BUSY = b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>'
HOP_BY_HOP = {"connection", "transfer-encoding", "expect", "keep-alive"}
NUMBERS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")
COMMIT = re.compile(r"/_delta_log/\d{20}\.json$")
Moment = Literal["before", "after"]


class StoreProxy:
    """Passes requests on as they come (S3 signs the Host header), from `host` to the store at `address`:`port`.

    While `refusals` is not 0, so many requests of each kind are answered 503, and so many commits after they were made. A kind
    is the method and the path without its numbers. Every answer waits for `delay` seconds.
    """

    def __init__(self, host: str, address: str, port: int) -> None:
        self.delay, self.refusals, self.passed = 0.0, 0, 0
        self.refused: Counter[str] = Counter()
        """kind, or `lost PATH` -> how often the answer was 503"""
        self._lock = threading.Lock()
        proxy = self

        class Handler(_Handler):
            def setup(self) -> None:
                self.proxy, self.store = proxy, HTTPConnection(address, port)
                super().setup()

        self._server = ThreadingHTTPServer((host, 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://{host}:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def lost(self) -> int:
        """Commits that the store made and that were answered 503."""
        return sum(count for kind, count in self.refused.items() if kind.startswith("lost "))

    def refuses(self, method: str, path: str) -> Moment | None:
        """Whether this request is answered 503, and when: before the store hears of it or after it has done it."""
        name, _, question = path.partition("?")
        kind = f"{method} {NUMBERS.sub('N', name)}{' list' if 'list-type' in question else ''}"
        with self._lock:
            if self.refused[kind] < self.refusals:
                self.refused[kind] += 1
                return "before"
            table = name.partition("/_delta_log/")[0]
            if method == "PUT" and COMMIT.search(name) and self.refused[f"lost {table}"] < self.refusals:
                self.refused[f"lost {table}"] += 1
                return "after"
            self.passed += 1
            return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: StoreProxy
    store: HTTPConnection

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        refused = self.proxy.refuses(self.command, self.path)
        if refused == "before":
            self._answer(503, [("Content-Type", "application/xml")], BUSY)
            return
        self.store.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.store.putheader(name, value)
        self.store.endheaders(body or None)
        answer = self.store.getresponse()
        content = answer.read()
        time.sleep(self.proxy.delay)
        if refused == "after":
            self._answer(503, [("Content-Type", "application/xml")], BUSY)
        else:
            self._answer(answer.status, answer.getheaders(), content)

    def _answer(self, code: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(code)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP | ({"content-length"} if self.command != "HEAD" else set()):
                self.send_header(name, value)
        if self.command != "HEAD" and code != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        self._pass_on()

    def do_HEAD(self) -> None:
        self._pass_on()

    def do_PUT(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def do_DELETE(self) -> None:
        self._pass_on()

    def finish(self) -> None:
        super().finish()
        self.store.close()

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""
