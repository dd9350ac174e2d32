"""A standalone Spark cluster on this machine: a master, and two workers that each have a core of their own."""

import json
import os
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Self

import psutil
from pyspark.find_spark_home import _find_spark_home

from surveylake.kafka.embedded_node import LOOPBACK, free_port
from surveylake.runtime.jars import local_jars
from surveylake.runtime.java import java_environment

WORKERS = 2
START_SECONDS, END_SECONDS = 60, 20
EXECUTORS = 2
"""that a worker has room for; one works at a time"""
EXECUTOR_MEMORY_MB = 1024


class Standalone:
    """The running cluster, a context manager. `folder` holds its logs and its event logs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port, self._page = free_port(), free_port()
        self._daemons: list[subprocess.Popen[bytes]] = []
        (folder / "no-conf").mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        try:
            self._start(
                "master",
                "master.Master",
                "--host",
                LOOPBACK,
                "--port",
                str(self._port),
                "--webui-port",
                str(self._page),
            )
            self._await(0)
            for core in range(WORKERS):
                worker = self._start(
                    f"worker-{core}", "worker.Worker", self._url, "--host", LOOPBACK, "--webui-port", str(free_port()),
                    "--cores", str(EXECUTORS), "--memory", f"{EXECUTORS * EXECUTOR_MEMORY_MB}m",
                    "--work-dir", str(self._folder / f"worker-{core}"),
                )  # fmt: skip
                # Its executors inherit it.
                psutil.Process(worker.pid).cpu_affinity([core])
            self._await(WORKERS)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in self._daemons:
            try:
                daemon.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def events(self, workers: int) -> Path:
        """Return the folder of the event logs of the application that has so many workers."""
        return self._folder / f"events-{workers}"

    def driver(self, workers: int) -> dict[str, str]:
        """Return the environment of a driver whose executors, one core each, are on so many workers."""
        events, jars = self.events(workers), os.pathsep.join(str(jar) for jar in local_jars("spark"))
        events.mkdir(exist_ok=True)
        settings = {
            "spark.cores.max": workers,
            "spark.executor.cores": 1,
            "spark.executor.memory": f"{EXECUTOR_MEMORY_MB}m",
            "spark.executor.extraClassPath": jars,
            "spark.default.parallelism": WORKERS,
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": events.as_uri(),
            "spark.eventLog.compress": "false",
            "spark.eventLog.rolling.enabled": "false",
        }
        words = [f"--conf {key}={value}" for key, value in settings.items()]
        return {"PYSPARK_SUBMIT_ARGS": " ".join([f"--master {self._url}", *words, "pyspark-shell"])}

    @property
    def _url(self) -> str:
        return f"spark://{LOOPBACK}:{self._port}"

    def _start(self, name: str, which: str, *words: str) -> "subprocess.Popen[bytes]":
        environment = os.environ | java_environment() | {
            "SPARK_CONF_DIR": str(self._folder / "no-conf"), "SPARK_LOCAL_IP": LOOPBACK, "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_LOCAL_DIRS": str(self._folder / "scratch"), "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false",
        }  # fmt: skip
        launcher = str(Path(_find_spark_home(), "bin", "spark-class"))
        with (self._folder / f"{name}.log").open("ab") as log:
            daemon = subprocess.Popen(
                [launcher, f"org.apache.spark.deploy.{which}", *words],
                env=environment, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self._daemons.append(daemon)
        return daemon

    def _await(self, workers: int) -> None:
        """Wait until the master answers, and counts so many workers. RuntimeError when a daemon ended, or when time is up."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"http://{LOOPBACK}:{self._page}/json/", timeout=5) as answer:
                    if json.load(answer)["aliveworkers"] == workers:
                        return
            except (OSError, ValueError):
                pass
            ended = [daemon for daemon in self._daemons if daemon.poll() is not None]
            if ended or time.monotonic() > deadline:
                raise RuntimeError(f"the standalone cluster did not start: see the logs in {self._folder}")
            time.sleep(0.1)
