"""One writer per lake on one machine: a lock that frees itself when its holder dies, however it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from surveylake.errors import StorageError

LOCK = ".surveylake.lock"


@contextmanager
def one_writer(lake: str, doing: str) -> Iterator[None]:
    """Hold the lake while `doing` writes to it; StorageError at once, naming the holder, when another process does.

    A lake at a URI (s3://…, hdfs://…) has no such lock: see docs/reliability.md for what is supported there.
    """
    if "://" in lake:
        yield
        return
    path = Path(lake) / LOCK
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"the lake {lake} cannot be written: {error.strerror}", "Give another folder with --lake (LAKE=)."
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise StorageError(
                f"the lake {lake} is being written by {holder}",
                "Wait for it, or stop it; two writers on one file system lose data.",
            ) from None
        file.seek(0)
        file.truncate()
        file.write(f"{doing} (process {os.getpid()})")
        file.flush()
        yield
