"""One worker is one process that stays: it takes a command per line, does it, and answers with the seconds it took.

So each has its own settings and a JVM that is warm, and nothing of one runs while another is measured.
"""

import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import psutil

HERE = Path(__file__).resolve().parent
JOBS = HERE.parent / "jobs"
PEERS = HERE / "peers"
END_SECONDS = 30


def serve(**actions: Callable[..., dict[str, Any] | None]) -> None:
    """The worker's side: answer commands until the input ends. What an action returns joins its seconds."""
    # Whatever a library prints goes to the log; the answers alone go where the harness reads.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        command = json.loads(line)
        began = time.monotonic()
        try:
            found = actions[command.pop("do")](**command) or {}
            reply = {"seconds": time.monotonic() - began, **found}
        except Exception as error:
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"}
        print(json.dumps(reply), file=answers, flush=True)


class Worker:
    """The harness's side: a context manager; `do` gives a command and waits for its answer."""

    def __init__(self, name: str, log: Path, **environment: str) -> None:
        self.name, self.log = name, log
        variables = {key: value for key, value in os.environ.items() if not key.startswith("PYSPARK_")}
        variables["PYTHONPATH"] = os.pathsep.join((str(HERE), str(JOBS)))
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, str(PEERS / f"{name}.py")], env=variables | environment,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output, text=True,
            )  # fmt: skip

    def do(self, action: str, **arguments: Any) -> dict[str, Any]:
        """What the worker answers: at least `seconds`, and the `cpu` seconds of its processes, of which another's load takes
        nothing away. RuntimeError with its own words when it failed."""
        assert self._process.stdin and self._process.stdout
        before = self._cpu()
        try:
            print(json.dumps({"do": action, **arguments}), file=self._process.stdin, flush=True)
            answer: dict[str, Any] = json.loads(self._process.stdout.readline() or '{"error": "it ended"}')
        except BrokenPipeError:
            answer = {"error": "it ended"}
        if "error" in answer:
            raise RuntimeError(f"{self.name} {action}: {answer['error']} (its log: {self.log})")
        return answer | {"cpu": self._cpu() - before}

    def _cpu(self) -> float:
        """Of the worker and its JVM, since they started."""
        try:
            own = psutil.Process(self._process.pid)
            times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
        except psutil.NoSuchProcess:
            return 0.0
        return sum(found.user + found.system for found in times)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        try:
            # After a failure it may be in the middle of a command, whose answer nobody wants.
            self._process.wait(0 if failed else END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
