"""A lake at s3a:// on a real object store: two drivers never both write one version, and a store that lets them is refused."""

import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
from deltalake import DeltaTable
from py4j import java_gateway, protocol
from py4j.protocol import Py4JJavaError
from pyarrow.fs import FileSelector
from pyspark.sql import SparkSession

from support import shell
from support.object_store import BUCKET, KEY, SECRET, ObjectStore, use
from surveylake.errors import ConfigError, StorageError
from surveylake.lake import s3
from surveylake.runtime.ivy import spark_home
from surveylake.runtime.jars import JARS, REQUIRED, local_jars
from surveylake.runtime.java_classes import LOG_STORE, java_of

pytestmark = pytest.mark.store
DELTAS_OWN = "io.delta.storage.S3SingleDriverLogStore"
VERSIONS, FEW_VERSIONS = 60, 20
EMPTY_LIST = b"<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>"


class Driver:
    """A log store in a JVM of its own, as the driver of a job has it."""

    def __init__(self, java: Any, name: str, store: str, object_store: ObjectStore) -> None:
        self.java, self.name = java, name
        self._conf = java.org.apache.hadoop.conf.Configuration()
        for key, value in {
            "endpoint": object_store.settings.endpoint, "path.style.access": "true", "endpoint.region": "us-east-1",
            "access.key": KEY, "secret.key": SECRET,
        }.items():  # fmt: skip
            self._conf.set(f"fs.s3a.{key}", value)
        self._store = getattr(java, store)(self._conf)

    def commit(self, path: str, line: str | None = None, barrier: threading.Barrier | None = None) -> bool:
        """Write one version. Returns whether it is acknowledged; False when another wrote it."""
        lines = self.java.java.util.ArrayList()
        lines.add(line or self.name)
        actions, where = lines.iterator(), self.java.org.apache.hadoop.fs.Path(path)
        if barrier:
            barrier.wait(30)
        try:
            self._store.write(where, actions, False, self._conf)
        except Py4JJavaError as error:
            assert error.java_exception.getClass().getName() == "java.nio.file.FileAlreadyExistsException"
            return False
        return True


@dataclass(frozen=True)
class Race:
    """What two drivers were told that wrote the same versions at the same moments."""

    acknowledged: int
    lost: int
    """acknowledged commits that are not in the store"""


def race(drivers: list[Driver], files: Any, name: str, versions: int) -> Race:
    """Let both write each version of the log `name` at once."""
    barrier, log = threading.Barrier(len(drivers)), f"{BUCKET}/race/{name}/_delta_log"
    paths = [f"{log}/{version:020d}.json" for version in range(versions)]
    with ThreadPoolExecutor(len(drivers)) as pool:
        answers = list(
            pool.map(lambda d: [d.commit(f"s3a://{path}", None, barrier) for path in paths], drivers)
        )
    written = [files.open_input_stream(path).read().decode().strip() for path in paths]
    lost = [
        path
        for driver, oks in zip(drivers, answers, strict=True)
        for path, ok, writer in zip(paths, oks, written, strict=True)
        if ok and writer != driver.name
    ]
    return Race(sum(map(sum, answers)), len(lost))


@pytest.fixture
def plain_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Java's errors as py4j has them: once a session was open, PySpark asks that session's own JVM about those of any other."""
    monkeypatch.setattr(java_gateway, "get_return_value", protocol.get_return_value)


@pytest.fixture(scope="module")
def javas(object_store: ObjectStore) -> Iterator[list[Any]]:
    """Two JVMs with the jars of a driver, without Spark."""
    class_path = [*(spark_home() / "jars").glob("*.jar"), *local_jars("spark"), *local_jars("s3")]
    with ExitStack() as stack:
        yield [stack.enter_context(java_of(class_path)) for _ in range(2)]


def drivers(javas: list[Any], store: str, object_store: ObjectStore) -> list[Driver]:
    return [Driver(java, f"driver {n}", store, object_store) for n, java in enumerate(javas)]


@pytest.mark.usefixtures("plain_errors")
def test_two_drivers_that_commit_at_once_lose_nothing_they_were_promised(
    javas: list[Any], object_store: ObjectStore
) -> None:
    both = drivers(javas, LOG_STORE.name, object_store)
    assert race(both, object_store.files(), "ours", VERSIONS) == Race(acknowledged=VERSIONS, lost=0)


@pytest.mark.usefixtures("plain_errors")
def test_with_deltas_own_log_store_they_do(javas: list[Any], object_store: ObjectStore) -> None:
    """The race of the test above is one that a store can lose."""
    both = drivers(javas, DELTAS_OWN, object_store)
    assert race(both, object_store.files(), "deltas", FEW_VERSIONS).lost > 0


@pytest.mark.usefixtures("plain_errors")
def test_a_commit_whose_answer_was_lost_is_ones_own_and_another_is_not(
    javas: list[Any], object_store: ObjectStore
) -> None:
    first, second = drivers(javas, LOG_STORE.name, object_store)
    path = f"s3a://{BUCKET}/again/_delta_log/0.json"
    assert first.commit(path, "one")
    assert first.commit(path, "one")
    assert not second.commit(path, "two")
    assert object_store.files().open_input_stream(path.removeprefix("s3a://")).read() == b"one\n"


@pytest.mark.usefixtures("plain_errors")
def test_a_file_system_that_cannot_create_only_if_absent_is_refused(
    javas: list[Any], object_store: ObjectStore, tmp_path: Path
) -> None:
    java = javas[0]
    store = getattr(java, LOG_STORE.name)(java.org.apache.hadoop.conf.Configuration())
    path = java.org.apache.hadoop.fs.Path((tmp_path / "0.json").as_uri())
    with pytest.raises(Py4JJavaError, match="cannot create a file only if it is absent"):
        store.write(
            path, java.java.util.ArrayList().iterator(), False, java.org.apache.hadoop.conf.Configuration()
        )
    assert not list(tmp_path.iterdir())


class Careless(BaseHTTPRequestHandler):
    """A store that takes every object, whatever its headers ask."""

    protocol_version = "HTTP/1.1"
    changes: list[tuple[str, str, str]]
    """of each request that changes something: method, key, and what it asks to be absent"""
    tokens: set[str]
    """the session tokens of all requests"""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._note()
        self._answer(200)

    def do_HEAD(self) -> None:
        self._answer(404)

    def do_GET(self) -> None:
        self._answer(200, EMPTY_LIST)

    def do_DELETE(self) -> None:
        self._note()
        self._answer(204)

    def _note(self) -> None:
        self.changes.append((self.command, self.path, self.headers.get("If-None-Match", "")))

    def _answer(self, code: int, body: bytes = b"") -> None:
        self.tokens.add(self.headers.get("x-amz-security-token", ""))
        self.send_response(code)
        self.send_header("ETag", '"d41d8cd98f00b204e9800998ecf8427e"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def careless_store() -> Iterator[int]:
    """Where such a store listens."""
    Careless.changes, Careless.tokens = [], set()
    with ThreadingHTTPServer(("127.0.0.1", 0), Careless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_a_store_that_creates_a_key_twice_is_refused(spark: SparkSession, careless_store: int) -> None:
    endpoint = f"http://127.0.0.1:{careless_store}"
    with pytest.raises(StorageError, match=f"{endpoint}.* created one key twice") as raised:
        s3.check(spark, use(spark, "careless", endpoint), writes=True)
    assert "If-None-Match" in raised.value.hint


def test_a_probe_creates_one_key_twice_and_removes_it_and_that_is_all(
    spark: SparkSession, careless_store: int
) -> None:
    """Hadoop's own delete would create one object more: the marker of the key's folder."""
    with pytest.raises(StorageError):
        s3.check(spark, use(spark, "thorough", f"http://127.0.0.1:{careless_store}"), writes=True)
    key = Careless.changes[0][1]
    assert key.startswith("/thorough/lake/_probe/")
    assert Careless.changes == [("PUT", key, "*"), ("PUT", key, "*"), ("DELETE", key, "")]


def test_a_store_that_refuses_passes_and_no_key_is_left(
    spark: SparkSession, object_store: ObjectStore
) -> None:
    files = object_store.files()
    files.create_dir("probed")
    s3.check(spark, use(spark, "probed", object_store.settings.endpoint), writes=True)
    assert files.get_file_info(FileSelector("probed", recursive=True)) == []


def test_a_store_that_does_not_answer_is_named(spark: SparkSession) -> None:
    quick = {"attempts.maximum": "1", "retry.limit": "1", "retry.interval": "1ms"}
    with pytest.raises(StorageError, match="cannot be written at http") as raised:
        s3.check(spark, use(spark, "nowhere", "http://127.0.0.1:9", **quick), writes=True)
    assert "AWS_ACCESS_KEY_ID" in raised.value.hint


def test_a_session_with_another_log_store_does_not_write(spark: SparkSession) -> None:
    spark.conf.set(s3.SETTING, DELTAS_OWN)
    try:
        with pytest.raises(ConfigError, match=DELTAS_OWN):
            s3.check(spark, "s3a://lakes/lake", writes=True)
    finally:
        spark.conf.unset(s3.SETTING)


def test_a_session_token_in_the_environment_goes_with_every_request(
    careless_store: int, tmp_path: Path, kept_classes: None
) -> None:
    store = ObjectStore(careless_store)
    words = shell.command("quarantine", "--lake", "s3a://lakes/lake", "--conf", store.conf(tmp_path))
    done = shell.run(words, tmp_path / "var", **store.keys, AWS_SESSION_TOKEN="for-an-hour")
    assert "there is no table records in s3a://lakes/lake" in done.stderr
    assert Careless.tokens == {"for-an-hour"}


def test_without_the_jars_the_command_that_fetches_them_is_named(kept_classes: None, tmp_path: Path) -> None:
    for which in REQUIRED:
        (tmp_path / "jars").mkdir(exist_ok=True)
        (tmp_path / "jars" / which).symlink_to(JARS / which)
    done = shell.run(shell.command("quarantine", "--lake", "s3a://lakes/lake"), tmp_path)
    assert done.returncode == 3, done.stderr
    assert "make setup STORE=s3" in done.stderr


def test_the_sample_goes_from_csv_to_report_with_its_lake_in_the_store(
    object_store: ObjectStore, tmp_path: Path
) -> None:
    """And the secret key is in no command line, log or event log meanwhile."""
    lake, out, events = f"s3a://{BUCKET}/sample", tmp_path / "out", tmp_path / "events"
    events.mkdir()
    words = shell.command("run", "--lake", lake, "--out", out, "--conf", object_store.conf(tmp_path))
    submit = f"--conf spark.eventLog.enabled=true --conf spark.eventLog.compress=false --conf spark.eventLog.dir={events.as_uri()}"
    with shell.started(words, tmp_path / "var", **object_store.keys, PYSPARK_SUBMIT_ARGS=submit) as process:
        printed = None
        while printed is None:
            assert not [p.pid for p in psutil.process_iter(["cmdline"]) if SECRET in str(p.info["cmdline"])]
            with suppress(subprocess.TimeoutExpired):
                printed, complained = process.communicate(timeout=1)
    assert process.returncode == 0, complained
    assert "289 records (accepted 288, rejected 1: out_of_range:Age 1)" in printed
    records, responses = (
        DeltaTable(f"{lake}/{name}", storage_options=object_store.options).to_pyarrow_table()
        for name in ("records", "responses")
    )
    offsets = set(zip(records["partition"].to_pylist(), records["offset"].to_pylist(), strict=True))
    assert len(offsets) == records.num_rows == 289
    assert responses.num_rows == 288
    assert len((out / "responses.csv").read_text(encoding="utf-8").splitlines()) == 1 + 288
    shell.until_java_ended(tmp_path / "var")
    kept = [
        path
        for folder in (events, tmp_path / "var" / "log", out)
        for path in folder.rglob("*")
        if path.is_file()
    ]
    assert any(path.is_relative_to(events) for path in kept)
    assert not [
        path for path in kept if SECRET.encode() in path.read_bytes() + (printed + complained).encode()
    ]
