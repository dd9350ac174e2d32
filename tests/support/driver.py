"""A job that was submitted to a cluster, as a process that can be asked, waited for and killed."""

import os
import signal
import subprocess
from pathlib import Path

import psutil

from surveylake.paths import ROOT


class Driver:
    """A job submitted to the cluster from one of its machines, what it prints kept in files."""

    def __init__(self, words: list[str], folder: Path, environment: dict[str, str]) -> None:
        folder.mkdir(parents=True)
        self._out, self._err = folder / "out", folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                words, cwd=ROOT, env=environment, stdout=out, stderr=err, start_new_session=True
            )

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in (self._out, self._err))

    def kill(self) -> None:
        """End Java and Python at once, as a power cut would."""
        if not self.ended:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(30)

    def terminate(self) -> None:
        """Ask Java to end with SIGTERM, as a service manager asks spark-submit."""
        self._process.terminate()

    def wait(self, seconds: float) -> int:
        """Wait for its end. Returns the exit code. Raises TimeoutExpired."""
        return self._process.wait(seconds)

    def python(self) -> int:
        """The process id of its Python, which messages name."""
        (child,) = (
            one
            for one in psutil.Process(self._process.pid).children(recursive=True)
            if "python" in one.name()
        )
        return child.pid
