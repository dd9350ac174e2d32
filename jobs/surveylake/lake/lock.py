"""One writer per lake on one machine: a lock that ends with its holder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from surveylake.errors import LakeLockedError, StorageError
from surveylake.locks import FileLock, HeldError
from surveylake.paths import is_local

LOCK = ".surveylake.lock"


@contextmanager
def one_writer(lake: str, doing: str) -> Iterator[None]:
    """Hold the lake while the block, called `doing`, writes to it.

    A lake that did not exist is removed afterwards if nothing was written into it. A lake at a URI (s3://…, hdfs://…) has no
    lock: docs/reliability.md says what is supported there. Raises LakeLockedError, which names the holder, at once when another
    process holds the lake; StorageError when it cannot be written.
    """
    if not is_local(lake):
        yield
        return
    folder = Path(lake).expanduser()
    is_new = not folder.exists()
    try:
        lock = FileLock(folder / LOCK, f"{doing} (process {os.getpid()})")
    except HeldError as error:
        raise LakeLockedError(
            f"the lake {folder} is being written by {error.holder or 'another process'}",
            "Wait for it, or stop it; two writers on one file system lose data.",
        ) from None
    except OSError as error:
        raise StorageError(
            f"the lake {folder} cannot be written: {error.strerror}",
            "Give another folder with --lake (LAKE=).",
        ) from error
    try:
        yield
    finally:
        lock.release(remove_empty=is_new)
