"""The log file of a process, in var/log: the lines of Spark, Java and the libraries, and the traces of errors.

SURVEYLAKE_LOG_FILE names another file, SURVEYLAKE_LOG_LEVEL the level of Spark and of Kafka's clients (default: warn).
Standard library only.
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

FILE_VARIABLE, LEVEL_VARIABLE = "SURVEYLAKE_LOG_FILE", "SURVEYLAKE_LOG_LEVEL"
MOST_FILES = 50
"""Files of ended processes in var/log: older ones are removed when another is created."""
NAME = re.compile(r"[a-z]+-\d{8}-\d{6}-(\d+)\.log")
END_BYTES = 200_000
OURS = ("surveylake", "__main__", *(path.stem for path in JOBS.glob("*.py")))
"""Loggers whose lines go to the terminal; those of the libraries go to the file."""


@cache
def path() -> Path:
    """Return this process's file: the one that SURVEYLAKE_LOG_FILE names, else one in var/log, else a temporary one.

    The first write creates it. Where no file can be created it is /dev/null.
    """
    if named := os.environ.get(FILE_VARIABLE):
        file = Path(named).expanduser().absolute()
        if os.access(file if file.exists() else file.parent, os.W_OK):
            return file
    verb = Path(sys.argv[0]).stem if Path(sys.argv[0]).parent.resolve() == JOBS else "surveylake"
    folder = VAR / "log"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            _remove_old(folder)
            return folder / f"{verb}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    try:
        handle, name = tempfile.mkstemp(prefix=f"surveylake-{verb}-", suffix=".log")
        os.close(handle)
        return Path(name)
    except OSError:
        return Path(os.devnull)


@cache
def _start_size() -> int:
    """Return the size in bytes that the file had before this process wrote to it."""
    return path().stat().st_size if path().is_file() else 0


def open_log() -> IO[bytes]:
    """Open the file for appending, as the output of a child. Returns /dev/null where that fails."""
    _start_size()
    try:
        return path().open("ab")
    except OSError:
        return open(os.devnull, "ab")


def write_trace(error: BaseException) -> Path:
    """Append an exception's trace to the file. Returns its path."""
    with open_log() as file:
        file.write("".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace"))
    return path()


def tail() -> str:
    """Return the last 200 kB that this process's Spark and Java wrote; '' when they wrote nothing."""
    try:
        with path().open("rb") as file:
            file.seek(max(_start_size(), file.seek(0, os.SEEK_END) - END_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def configure() -> None:
    """Send the project's own log lines to the terminal, those of libraries and Python's warnings to the file."""
    root = logging.getLogger()
    if root.handlers:  # a notebook's or a test's own
        return
    console, file = logging.StreamHandler(), _file_handler()
    console.addFilter(_is_ours)
    file.addFilter(lambda record: not _is_ours(record))
    file.setLevel(logging.WARNING)
    for handler in (console, file):
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)


def is_debug() -> bool:
    """Return whether SURVEYLAKE_LOG_LEVEL asks for everything that Spark and Kafka's clients have to say."""
    return os.environ.get(LEVEL_VARIABLE, "").lower() in ("debug", "trace", "all")


@cache
def take_all(logger: logging.Logger) -> None:
    """Send all lines of a logger to the file, from DEBUG on."""
    logger.addHandler(_file_handler())
    logger.setLevel(logging.DEBUG)


def _file_handler() -> logging.Handler:
    handler = logging.FileHandler(path(), encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    return handler


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in OURS


def _remove_old(folder: Path) -> None:
    """Remove all but the newest files of ended processes."""
    ended = [
        file
        for file in folder.iterdir()
        if (match := NAME.fullmatch(file.name)) and not _is_alive(int(match[1]))
    ]
    for file in sorted(ended, key=lambda file: file.name.split("-")[1:3])[: -MOST_FILES or None]:
        file.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
