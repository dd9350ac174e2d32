"""A standalone Spark cluster on several machines (`support.netns`), with a Kafka and an object store on machines of their own."""

import json
import os
import secrets
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support import shell
from support.driver import Driver
from support.netns import Machine, Network, network
from support.object_store import ObjectStore, Server
from surveylake.kafka.embedded_node import LOOPBACK
from surveylake.paths import JOBS, ROOT
from surveylake.runtime.java import java_environment

MASTER, WORKERS, BROKER, STORE = "master", ("first", "second"), "broker", "store"
DRIVERS = ("driver", "elsewhere")
START_SECONDS = 90
BUCKET = "cluster"
OWN_PORT, CLUSTER_PORT, HOST_PORT, MASTER_PORT, PAGES = 9090, 19092, 9092, 7077, 8080
SETTINGS = """
spark.authenticate            true
spark.authenticate.secret     {secret}
spark.network.crypto.enabled  true
spark.network.crypto.cipher   AES/GCM/NoPadding
spark.executor.memory         512m
spark.executor.cores          1
spark.cores.max               2
"""
"""What SPARK_CONF_DIR holds on every machine: docs/cluster.md, and executors so small that two jobs have one on each worker."""
A_BROKER = """
import json, sys
from pathlib import Path
from surveylake.kafka.embedded import EmbeddedBroker
folder, port, extra = sys.argv[1:]
with EmbeddedBroker(Path(folder), int(port), extra=json.loads(extra)) as broker:
    Path(folder, "answers").touch()
    broker.wait()
"""
"""A Kafka that this script ends with."""


class Standalone:
    """The running cluster. Jobs are submitted by the words of docs/cluster.md; the store and the workers can be killed."""

    def __init__(self, machines: Network, folder: Path) -> None:
        self.network, self.folder = machines, folder
        self.server = Server(_made(folder / "store"), machines[STORE])
        self._daemons: list[subprocess.Popen[bytes]] = []
        self._runs = 0
        conf = _made(folder / "conf")
        (conf / "spark-defaults.conf").write_text(
            SETTINGS.format(secret=secrets.token_urlsafe(32)), encoding="utf-8"
        )
        (conf / "spark-defaults.conf").chmod(0o600)

    @property
    def store(self) -> ObjectStore:
        return self.server.store

    @property
    def for_host(self) -> str:
        """The broker's listener for this process."""
        return f"{self.network[BROKER].address}:{HOST_PORT}"

    @property
    def for_cluster(self) -> str:
        """The broker's listener for the machines of the cluster."""
        return f"{self.network[BROKER].address}:{CLUSTER_PORT}"

    @property
    def master(self) -> str:
        return f"spark://{self.network[MASTER].address}:{MASTER_PORT}"

    def start(self) -> None:
        """Start broker, store, master and workers, and wait until all are there."""
        broker, answers = self.network[BROKER], self.folder / "broker" / "answers"
        self._daemon(broker, sys.executable, "-c", A_BROKER, str(_made(answers.parent)), str(OWN_PORT),
                     json.dumps(self._listeners()), PYTHONPATH=str(JOBS))  # fmt: skip
        self._spark(MASTER, "master.Master", "--host", self.network[MASTER].address, "--port", str(MASTER_PORT),
                    "--webui-port", str(PAGES))  # fmt: skip
        self.server.start()
        self.store.files().create_dir(BUCKET)
        self._until(lambda: self.state()["status"] == "ALIVE")
        for worker in WORKERS:
            self.start_worker(worker)
        self._until(answers.is_file)

    def start_worker(self, name: str) -> None:
        """Start a worker, and wait until the master counts both."""
        self._spark(name, "worker.Worker", self.master, "--host", self.network[name].address, "--cores", "4",
                    "--memory", "2g", "--webui-port", str(PAGES), "--work-dir", str(self.folder / f"{name}-work"))  # fmt: skip
        if name == WORKERS[-1] or self.state()["aliveworkers"]:
            self._until(lambda: self.state()["aliveworkers"] == len(WORKERS))

    def state(self) -> dict[str, Any]:
        """What the master says of itself."""
        try:
            with urllib.request.urlopen(
                f"http://{self.network[MASTER].address}:{PAGES}/json/", timeout=5
            ) as answer:
                return dict(json.load(answer))
        except (OSError, ValueError):
            return {"status": "not there yet", "aliveworkers": 0}

    @contextmanager
    def submitted(self, machine: str, *job: str | Path, ours: bool = True, **more: str) -> Iterator[Driver]:
        """Submit a job from a machine; killed at the end of the block when it still runs."""
        self._runs += 1
        here, folder = self.network[machine], self.folder / f"{machine}-{self._runs}"
        words = self._submit(here, [str(word) for word in job], ours)
        variables = {"SPARK_LOCAL_DIRS": str(folder / "scratch"), **self.store.keys, **more}
        driver = Driver(here.command(*words), folder, self._environment(here, folder / "var", **variables))
        try:
            yield driver
        finally:
            driver.kill()

    def _submit(self, here: Machine, job: list[str], ours: bool) -> list[str]:
        """The words of docs/cluster.md before a job; without our settings, and with Delta's, for one that is not ours."""
        places = {
            "spark://HOST:7077": self.master,
            "var/jars/spark/*.jar": "var/jars/spark/*.jar,var/jars/s3/*.jar",
            "spark.driver.host=THIS_HOST": f"spark.driver.host={here.address}",
        }
        page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8").replace("\\\n", "")
        (line,) = (
            line for line in page.splitlines() if line.lstrip().startswith("spark-submit --master spark://")
        )
        words = [places.get(word, word) for word in shlex.split(line)]
        assert set(places.values()) <= set(words), "docs/cluster.md submits in other words"
        words = words[: next(n for n, word in enumerate(words) if word.startswith("jobs/"))]
        if not ours:
            at = words.index("--properties-file")
            words[at : at + 3] = []
        return [*words, *job]

    def _listeners(self) -> dict[str, str]:
        """Server properties: a listener for the cluster and one for this process, beside the broker's own on loopback."""
        there = self.network[BROKER].address
        controller = {"CONTROLLER": f"{LOOPBACK}:{OWN_PORT + 1}"}
        doors = {
            "PLAINTEXT": f"{LOOPBACK}:{OWN_PORT}",
            "CLUSTER": f"{there}:{CLUSTER_PORT}",
            "HOST": f"{there}:{HOST_PORT}",
        }
        every = {**controller, **doors}
        return {
            "listeners": ",".join(f"{name}://{door}" for name, door in every.items()),
            "advertised.listeners": ",".join(f"{name}://{door}" for name, door in doors.items()),
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in every),
            "controller.quorum.voters": f"1@{controller['CONTROLLER']}",
            "inter.broker.listener.name": "PLAINTEXT",
        }

    def _spark(self, name: str, which: str, *words: str) -> None:
        launcher = str(Path(sys.executable).with_name("spark-class"))
        self._daemon(self.network[name], launcher, f"org.apache.spark.deploy.{which}", *words, SPARK_DAEMON_MEMORY="256m",
                     SPARK_MASTER_OPTS="-Dspark.master.rest.enabled=false", SPARK_LOCAL_DIRS=str(self.folder / f"{name}-scratch"))  # fmt: skip

    def _daemon(self, here: Machine, *words: str, **more: str) -> None:
        with (self.folder / f"{here.name}.log").open("ab") as log:
            self._daemons.append(subprocess.Popen(
                here.command(*words), cwd=self.folder, env=self._environment(here, self.folder / here.name / "var", **more),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True))  # fmt: skip

    def _environment(self, here: Machine, var: Path, **more: str) -> dict[str, str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return shell.environment(
            var, **java_environment(), PATH=path, SPARK_LOCAL_IP=here.address, SPARK_CONF_DIR=str(self.folder / "conf"),
            # Short-lived JVMs: the second compiler would cost more than it saves.
            JDK_JAVA_OPTIONS="-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m", **more,
        )  # fmt: skip

    def _until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not true():
            assert time.monotonic() < deadline, "\n".join(
                log.read_text() for log in self.folder.glob("*.log")
            )
            time.sleep(0.1)

    def close(self) -> None:
        """End the store; all else ends with its namespace."""
        self.server.kill()
        for machine in self.network.machines.values():
            machine.kill()
        for daemon in self._daemons:
            daemon.wait(30)


@contextmanager
def standalone(folder: Path) -> Iterator[Standalone]:
    """A running cluster, gone with the block. Skips the test where no network namespaces can be made."""
    with network(MASTER, *WORKERS, BROKER, STORE, *DRIVERS) as machines:
        cluster = Standalone(machines, folder)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.close()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
