"""One file per process, in var/log, for what is no news to a user: Spark's and Java's own lines, and traces.

SURVEYLAKE_LOG_FILE names another file, SURVEYLAKE_LOG_LEVEL how much Spark says (default: warn). Standard library only.
"""

import logging
import os
import re
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

from surveylake.paths import JOBS, VAR

FILE_VARIABLE = "SURVEYLAKE_LOG_FILE"
KEPT = 50
"""Files of ended processes in var/log: older ones go when another is begun."""
NAME = re.compile(r"[a-z]+-\d{8}-\d{6}-(\d+)\.log")
END_BYTES = 200_000
OURS = ("surveylake", "__main__", *(path.stem for path in JOBS.glob("*.py")))
"""Loggers whose lines a user reads. What the libraries say beside them goes to the file."""


@cache
def path() -> Path:
    """This process's file: the one that SURVEYLAKE_LOG_FILE names, else one in var/log, else a temporary one.

    It is made when something is written to it. Returns /dev/null where no file can be made.
    """
    if given := os.environ.get(FILE_VARIABLE):
        file = Path(given).expanduser().absolute()
        if os.access(file if file.exists() else file.parent, os.W_OK):
            return file
    verb = Path(sys.argv[0]).stem if Path(sys.argv[0]).parent.resolve() == JOBS else "surveylake"
    folder = VAR / "log"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            _forget_old(folder)
            return folder / f"{verb}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    try:
        handle, name = tempfile.mkstemp(prefix=f"surveylake-{verb}-", suffix=".log")
        os.close(handle)
        return Path(name)
    except OSError:
        return Path(os.devnull)


@cache
def _begin() -> int:
    """How long the file was before this process wrote to it: one that the user names may have been there."""
    return path().stat().st_size if path().is_file() else 0


def opened() -> IO[bytes]:
    """The file, open at its end, for a process whose output it takes."""
    _begin()
    try:
        return path().open("ab")
    except OSError:
        return open(os.devnull, "ab")


def keep_trace(error: BaseException) -> Path:
    """Write an exception's trace down. Returns the file."""
    with opened() as file:
        file.write("".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace"))
    return path()


def end() -> str:
    """The last of what this process's Spark and Java said; '' when nothing."""
    try:
        with path().open("rb") as file:
            file.seek(max(_begin(), file.seek(0, os.SEEK_END) - END_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def listen() -> None:
    """Have Python's own loggers and warnings sorted: ours to the terminal, the others' to the file."""
    root = logging.getLogger()
    if root.handlers:  # a notebook's or a test's own
        return
    console, file = logging.StreamHandler(), logging.FileHandler(path(), encoding="utf-8", delay=True)
    console.addFilter(_is_ours)
    file.addFilter(lambda record: not _is_ours(record))
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    file.setLevel(logging.WARNING)
    for handler in (console, file):
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in OURS


def _forget_old(folder: Path) -> None:
    """Remove all but the newest files of processes that have ended."""
    ended = [
        file
        for file in folder.iterdir()
        if (found := NAME.fullmatch(file.name)) and not _lives(int(found[1]))
    ]
    for file in sorted(ended, key=lambda file: file.name.split("-")[1:3])[: -KEPT or None]:
        file.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
