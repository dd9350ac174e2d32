"""One writer per lake on one machine: a lock that frees itself when its holder dies, however it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from surveylake.errors import StorageError
from surveylake.paths import is_local

LOCK = ".surveylake.lock"


@contextmanager
def one_writer(lake: str, doing: str) -> Iterator[None]:
    """Hold the lake while `doing` writes to it; StorageError at once, naming the holder, when another process does.

    A lake that was not there and into which nothing was written is not there afterwards. A lake at a URI (s3://…, hdfs://…)
    has no such lock: see docs/reliability.md for what is supported there.
    """
    if not is_local(lake):
        yield
        return
    folder = Path(lake)
    is_new = not folder.exists()
    with _held(folder) as file:
        file.seek(0)
        file.truncate()
        file.write(f"{doing} (process {os.getpid()})")
        file.flush()
        try:
            yield
        finally:
            if is_new:
                _forget_if_empty(folder)


def _held(folder: Path) -> IO[str]:
    """The folder's lock file, locked."""
    path = folder / LOCK
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = path.open("a+", encoding="utf-8")
        except OSError as error:
            raise StorageError(
                f"the lake {folder} cannot be written: {error.strerror}",
                "Give another folder with --lake (LAKE=).",
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with file:
                file.seek(0)
                holder = file.read().strip() or "another process"
            raise StorageError(
                f"the lake {folder} is being written by {holder}",
                "Wait for it, or stop it; two writers on one file system lose data.",
            ) from None
        # Between the two another process may have found the lake empty and removed it, and this file with it.
        if _is(file, path):
            return file
        file.close()


def _is(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _forget_if_empty(folder: Path) -> None:
    """Remove the lake when it holds nothing but its lock; somebody may have removed it already."""
    if folder.exists() and [path.name for path in folder.iterdir()] == [LOCK]:
        (folder / LOCK).unlink()
        folder.rmdir()
