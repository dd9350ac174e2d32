"""What the rows of several machines stand on: a network that can be parted, and a store that can be made slow and busy."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError

import psutil
import pytest

from faults.store_proxy import StoreProxy
from support import netns
from support.waiting import until
from surveylake.kafka.embedded_node import LOOPBACK
from surveylake.paths import JOBS

pytestmark = pytest.mark.quick
TESTS = Path(__file__).parent.parent
ASK = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=2)"
A_MAKER = """
import subprocess, time
from support.netns import network
with network("one") as net:
    print(subprocess.Popen(net["one"].command("sleep", "600")).pid, flush=True)
    time.sleep(600)
"""
COMMIT = "/bucket/lake/records/_delta_log/00000000000000000007.json"


def test_two_machines_that_are_parted_do_not_hear_each_other_and_others_do(tmp_path: Path) -> None:
    with netns.network("one", "two") as net:
        one, two = net["one"], net["two"]
        url = f"http://{one.address}:8000/"
        words = one.command(sys.executable, "-m", "http.server", "8000", "--bind", one.address)

        def heard() -> bool:
            asked = subprocess.run(
                two.command(sys.executable, "-c", ASK, url), capture_output=True, check=False
            )
            return asked.returncode == 0

        with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            try:
                until(heard)
                with net.parted("one", "two"):
                    assert not heard()
                    urllib.request.urlopen(url, timeout=2).close()  # this process is not parted from either
                assert heard()
            finally:
                one.kill()
    assert of_process(os.getpid()) == []


def test_what_a_killed_process_left_goes_with_the_next_network() -> None:
    if why := netns.refusal():
        pytest.skip(why)
    path = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{JOBS}"}
    with subprocess.Popen([sys.executable, "-c", A_MAKER], env=path, stdout=subprocess.PIPE) as maker:
        assert maker.stdout
        sleeper = int(maker.stdout.readline())
        maker.kill()
    assert of_process(maker.pid)
    assert psutil.pid_exists(sleeper)
    with netns.network("one"):
        assert of_process(maker.pid) == []
        until(lambda: not psutil.pid_exists(sleeper))


def of_process(pid: int) -> list[str]:
    """The namespaces that a process made."""
    return [path.name for path in netns.NAMESPACES.glob(f"{netns.PREFIX}{pid}-*")]


class Store(BaseHTTPRequestHandler):
    """Keeps what it is asked, and answers with the Host that it was asked as."""

    asked: list[tuple[str, str, bytes]]

    def do_PUT(self) -> None:
        self.asked.append(("PUT", self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer()

    def do_GET(self) -> None:
        self.asked.append(("GET", self.path, b""))
        self._answer()

    def _answer(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.headers["Host"].encode())

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def proxy() -> Iterator[StoreProxy]:
    Store.asked = []
    with ThreadingHTTPServer((LOOPBACK, 0), Store) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with StoreProxy(LOOPBACK, LOOPBACK, server.server_port) as running:
            yield running
        server.shutdown()


def answer(proxy: StoreProxy, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Status and content of an answer; a PUT where there is a body."""
    request = urllib.request.Request(f"{proxy.endpoint}{path}", data=body, method="PUT" if body else "GET")
    try:
        with urllib.request.urlopen(request, timeout=10) as answered:
            return answered.status, answered.read()
    except HTTPError as error:
        return error.code, error.read()


def test_a_proxy_passes_on_all_and_the_host_as_it_came(proxy: StoreProxy) -> None:
    host = proxy.endpoint.removeprefix("http://").encode()
    assert answer(proxy, "/bucket/a?b=c%2Fd", b"body") == (200, host)
    assert answer(proxy, "/bucket/a?b=c%2Fd") == (200, host)
    assert Store.asked == [("PUT", "/bucket/a?b=c%2Fd", b"body"), ("GET", "/bucket/a?b=c%2Fd", b"")]


def test_a_busy_store_refuses_the_first_of_each_kind_and_loses_the_answer_to_a_commit(
    proxy: StoreProxy,
) -> None:
    proxy.refusals = 1
    assert [answer(proxy, f"/bucket/file-{n}")[0] for n in range(3)] == [503, 200, 200]
    Store.asked.clear()
    refused, lost, done = (answer(proxy, COMMIT, b"actions") for _ in range(3))
    assert (refused[0], lost[0], done[0]) == (503, 503, 200)
    assert b"<Code>SlowDown</Code>" in refused[1]
    assert Store.asked == [("PUT", COMMIT, b"actions")] * 2, "the store made the commit whose answer was lost"
    assert proxy.lost == 1
