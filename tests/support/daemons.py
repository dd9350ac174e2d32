"""Services of docker-compose.yml as processes of this machine: started, asked whether they are well, and ended."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from support.compose_file import command_of, read_compose, translated

START_SECONDS = 60


class Daemon:
    """One daemon of docker-compose.yml as a process of this machine; stopped and waited for at the end."""

    def __init__(
        self, service: str, places: dict[str, str], environment: dict[str, str], folder: Path, *more: str
    ) -> None:
        described = read_compose()["services"][service]
        command = [*command_of(described, places), *more]
        self._log = (folder / f"{service}.log").open("wb")
        self._process = subprocess.Popen(
            [found(command[0]), *command[1:]],
            env={**environment, **variables_of(service, places)}, cwd=folder,
            stdout=self._log, stderr=self._log, start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self._process

    def __exit__(self, *_: object) -> None:
        end(self._process)
        self._log.close()


def variables_of(service: str, places: dict[str, str]) -> dict[str, str]:
    """Return a service's environment, with each place replaced by one of this machine."""
    described = read_compose()["services"][service]["environment"]
    return {name: translated(value, places) for name, value in described.items()}


def end(process: subprocess.Popen[Any]) -> None:
    """End a process that this test started, and what it started, and wait for it."""
    for number, seconds in ((signal.SIGTERM, 20), (signal.SIGKILL, 20)):
        if process.poll() is None:
            os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)


def found(program: str) -> str:
    """Return the path of a program of this Python's environment."""
    path = shutil.which(program, path=str(Path(sys.executable).parent))
    assert path, program
    return path


def answers(url: str) -> bool:
    """Whether a server there is well."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True


def json_of(url: str) -> dict[str, Any]:
    """Return what a Spark daemon's page says of itself; that it is not there yet, where nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
    except (OSError, ValueError):
        # Not listening yet, or listening with its pages not in place.
        return {"status": "not there yet", "aliveworkers": 0}
    return found


def until(true: Any, folder: Path) -> None:
    """Wait until something is true. Raises AssertionError with the logs in `folder`."""
    deadline = time.monotonic() + START_SECONDS
    while not true():
        assert time.monotonic() < deadline, "\n".join(log.read_text() for log in folder.glob("*.log"))
        time.sleep(0.1)
