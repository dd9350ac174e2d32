"""Kill points: the states that a kill -9 can leave, as copies of a folder around each rename of a process.

What a killed process has written stays, for the page cache is the system's. So the folder between two calls is what a kill at
that moment leaves. strace stops the process after each rename, and one run shows all states.
"""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

RENAMES = "rename,renameat,renameat2"
BEGUN = re.compile(r'(\d+) +rename\w*\([^"]*"([^"]*)",[^"]*"([^"]*)"')
ENDED = re.compile(r"(\d+) +(?:<\.\.\. )?rename\w*\b.*\) += 0")
STOPPED = re.compile(r"\d+ +--- SIGSTOP ")
TURN_SECONDS = 0.002
Visit = Callable[[Path, Path], None]
"""Called with (source, target) of a rename while the process is stopped."""


@dataclass(frozen=True)
class State:
    """The folder as a kill at one moment would leave it."""

    moment: str
    """the rename that was the last to be done, or the next to be done: `after commits/0`, `before commits/0`"""
    folder: Path


@contextmanager
def standing_still(pid: int, root: Path, visit: Visit) -> Iterator[None]:
    """In the block, stop the process after each rename below `root` until `visit` returns.

    Skips the test where processes cannot be traced. The process may be killed by `visit`.
    """
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    log = root.parent / f"{root.name}.strace"
    command = [
        "strace",
        "-f",
        "-o",
        str(log),
        "-e",
        f"trace={RENAMES}",
        "-e",
        f"inject={RENAMES}:signal=STOP",
        "-e",
        "signal=STOP",
    ]
    tracer = subprocess.Popen([*command, "-p", str(pid)], stderr=subprocess.PIPE, text=True)
    assert tracer.stderr
    if " attached" not in (answer := tracer.stderr.readline()):
        pytest.skip(f"processes cannot be traced here: {answer.strip()}")
    over = threading.Event()
    watching = threading.Thread(target=_watch, args=(pid, root, log, visit, over))
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
        # On SIGTERM strace may wait for ever for a thread of a process that was just killed.
        tracer.kill()
        tracer.communicate()
        _go_on(pid)


def _watch(pid: int, root: Path, log: Path, visit: Visit, over: threading.Event) -> None:
    """Follow the log of strace, and visit the renames whenever the process is stopped."""
    begun: dict[str, tuple[Path, Path]] = {}
    done: list[tuple[Path, Path]] = []
    stops, line = 0, ""
    with log.open(encoding="utf-8", errors="replace") as lines:
        while not over.is_set():
            # strace writes a call in two parts, before it and after it.
            line = (line if not line.endswith("\n") else "") + lines.readline()
            if line and not line.endswith("\n"):
                continue
            if match := BEGUN.match(line):
                begun[match[1]] = (Path(match[2]), Path(match[3]))
            if match := ENDED.match(line):
                done.append(begun[match[1]])
            stops += bool(STOPPED.match(line))
            if line or not stops or not _is_still(pid):
                time.sleep(0 if line else TURN_SECONDS)
                continue
            for renamed in done:
                if root in renamed[1].parents:
                    visit(*renamed)
            done, stops = [], 0
            _go_on(pid)


def _is_still(pid: int) -> bool:
    """Return whether every thread of the process is stopped."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return all((one / "stat").read_text().rpartition(")")[2].split()[0] in "Tt" for one in threads)
    except OSError:
        return False


def _go_on(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        return


@contextmanager
def every_state(pid: int, root: Path, into: Path) -> Iterator[list[State]]:
    """Yield a list, and fill it with the states of `root` around each rename of the process in the block."""
    states: list[State] = []
    into.mkdir()

    def keep(source: Path, target: Path) -> None:
        name = f"{len(states):03d}"
        after = State(f"after {target.relative_to(root)}", into / f"{name}-after")
        before = State(f"before {target.relative_to(root)}", into / f"{name}-before")
        _copy(root, after.folder)
        _copy(root, before.folder)
        moved = before.folder / source.relative_to(root)
        moved.parent.mkdir(parents=True, exist_ok=True)
        (before.folder / target.relative_to(root)).rename(moved)
        older = states[-1].folder / target.relative_to(root) if states else None
        if older is not None and older.is_file():
            shutil.copy2(older, before.folder / target.relative_to(root))
        states.extend([before, after])

    with standing_still(pid, root, keep):
        yield states


def _copy(root: Path, to: Path) -> None:
    shutil.copytree(root, to, symlinks=True)
