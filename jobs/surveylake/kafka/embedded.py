"""An Apache Kafka of one's own: one KRaft node on loopback, its data kept, gone when this process is gone."""

import logging
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from surveylake.errors import SetupError
from surveylake.kafka import embedded_node
from surveylake.locks import FolderLock
from surveylake.runtime import foreign_settings, java_options, limits, scratch
from surveylake.runtime.class_archive import ClassArchive

LOG = logging.getLogger(__name__)
START_SECONDS = 60
STOP_SECONDS = 20
WATCHER = """read _; kill -TERM "$1" || exit 0
i=0; while kill -0 "$1" && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done; kill -KILL "$1" """
"""A shell that waits for the end of its input, which comes when our process ends, however it ends, and then ends Kafka."""


class EmbeddedBroker:
    """Kafka on 127.0.0.1 with its data in `data`; a context manager.

    The cluster id is made with the folder and stays with it. When `port` is taken another one is used and logged: ask
    `bootstrap`. `heap` is Java's -Xmx; `extra` are server properties that go before ours.
    """

    def __init__(
        self, data: Path, port: int = 9092, heap: str = "256m", extra: dict[str, str] | None = None
    ) -> None:
        self.data, self.port, self.heap, self.extra = data.resolve(), port, heap, dict(extra or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self._lock: FolderLock | None = None
        self._archive: ClassArchive | None = None

    @property
    def bootstrap(self) -> str:
        """Where clients connect, such as '127.0.0.1:9092'."""
        return f"{embedded_node.LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the running broker. Raises SetupError when it was not started."""
        if self._process is None:
            raise SetupError("the embedded Kafka is not running", "call start() first")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there; it may be suspended."""
        return self._process is not None and self._process.poll() is None

    @property
    def cluster_id(self) -> str:
        """The id of this data folder's cluster, the same over restarts; '' before the first start."""
        return embedded_node.cluster_id(self.data)

    @property
    def log(self) -> Path:
        """What Kafka says, since its last start; that of the start before is in broker.log.1."""
        return self.data / "broker.log"

    def start(self) -> Self:
        """Start Kafka and wait until it answers.

        Raises SetupError (no Java, no jars, Kafka ended or did not answer; with the last lines of its log) and
        StorageError (the folder cannot be written, or another broker holds it).
        """
        limits.check()
        jars = embedded_node.class_path()
        if self._lock:
            raise SetupError(f"this embedded Kafka runs already (process {self.pid})", "stop it first")
        self._lock = FolderLock(self.data, "embedded Kafka")
        try:
            self._archive = ClassArchive("kafka", jars)
            self.port = self._choose_port()
            embedded_node.write_properties(self.data, self.port, embedded_node.free_port(), self.extra)
            if not self.cluster_id:
                tool = embedded_node.java_command(self.data, self.heap, jars, "kafka.tools.StorageTool")
                embedded_node.format_storage(self.data, embedded_node.new_cluster_id(), tool)
            self._launch(jars)
            self._await_answer()
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """Ask Kafka to close its files and end, and wait for it; after 20 s it is killed. Stopping twice is nothing."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            # One that is suspended would not hear it.
            self._process.send_signal(signal.SIGCONT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                LOG.warning("the embedded Kafka did not end within %d s and is killed", STOP_SECONDS)
        self._end(whole=True)

    def kill(self) -> None:
        """End Kafka with SIGKILL, as a power cut would."""
        self._end(whole=False)

    def pause(self) -> None:
        """Suspend Kafka: its connections stay, nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused Kafka go on."""
        os.kill(self.pid, signal.SIGCONT)

    def restart(self) -> Self:
        """Stop and start on the same data, and the same port where it is still free."""
        self.stop()
        return self.start()

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for Kafka to end by itself: its exit code, or None when `timeout` seconds went by."""
        try:
            return self._process.wait(timeout) if self._process else None
        except subprocess.TimeoutExpired:
            return None

    def __enter__(self) -> Self:
        return self if self._process else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _choose_port(self) -> int:
        if embedded_node.is_free(self.port):
            return self.port
        port = embedded_node.free_port()
        LOG.warning("port %d is taken: the embedded Kafka listens on %d", self.port, port)
        return port

    def _launch(self, jars: list[Path]) -> None:
        """Start Kafka and its watcher, both in sessions of their own: Ctrl-C must reach us first, and us alone."""
        assert self._archive and self._lock
        java, *rest = embedded_node.java_command(self.data, self.heap, jars, "kafka.Kafka")
        command = [java, *self._archive.options(), *rest, "server.properties"]
        if self.log.exists():
            self.log.replace(self.log.with_name("broker.log.1"))
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                command, cwd=self.data, env=java_options.environment(os.environ), stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True, pass_fds=[self._lock.fileno(), scratch.lock()],
            )  # fmt: skip
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", WATCHER, "watcher", str(self._process.pid)], cwd="/", stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self._lock.note_child(self._process.pid)

    def _await_answer(self) -> None:
        """Return when our broker, and no other that may sit on the port, answers and takes topics."""
        assert self._process
        # Refused connections are what is expected at first: librdkafka would print each.
        client = AdminClient(
            {
                "bootstrap.servers": self.bootstrap,
                "reconnect.backoff.ms": 20,
                "reconnect.backoff.max.ms": 100,
                "log_level": 0,
            }
        )
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                seen = client.list_topics(timeout=0.5)
            except KafkaException:
                continue
            if seen.brokers and seen.cluster_id == self.cluster_id:
                return
            time.sleep(0.02)
        code = self._process.poll()
        what = f"did not answer within {START_SECONDS} s" if code is None else f"ended with code {code}"
        raise SetupError(
            f"the embedded Kafka {what}; its last lines:\n{embedded_node.last_lines(self.log)}",
            f"{foreign_settings.unset_hint(foreign_settings.JAVA)} Its log: {self.log}".strip(),
        )

    def _end(self, whole: bool) -> None:
        for child in (self._process, self._watcher):
            if child is not None:
                child.kill()
                child.wait()
                if child.stdin:
                    child.stdin.close()
        in_order = self._process is not None and self._process.returncode in (0, 128 + signal.SIGTERM)
        if self._archive:
            self._archive.keep(whole and in_order)
        if self._lock:
            self._lock.release()
        self._process = self._watcher = self._lock = self._archive = None
