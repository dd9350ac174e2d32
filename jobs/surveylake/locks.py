"""One owner per folder: a hold that ends with its processes, and that names who has it."""

import fcntl
import os
import time
from pathlib import Path
from typing import IO

from surveylake.errors import StorageError
from surveylake.paths import ELSEWHERE, VAR_VARIABLE

LEFTOVER_SECONDS = 15
"""How long to wait for a child whose owner died: its watcher ends it after 10 s at the latest."""


class FolderLock:
    """An exclusive hold on a folder by this process, and on its behalf by one child, who inherits `fileno`.

    Two locks: `lock` is the owner's alone, `lock.child` is the child's too and so outlives an owner who was killed. The
    system drops each with its last process; files left behind mean nothing. Raises StorageError when the folder cannot
    be written, at once when an owner lives, and after 15 s when only a child does; both are named.
    """

    def __init__(self, folder: Path, what: str) -> None:
        self._folder, self._what = folder, what
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._owner: IO[str] = (folder / "lock").open("a+", encoding="utf-8")
            self._child: IO[str] = (folder / "lock.child").open("a+", encoding="utf-8")
        except OSError as error:
            raise StorageError(f"{folder} cannot be written: {error.strerror}", ELSEWHERE) from error
        if not _taken(self._owner):
            self._refuse()
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while not _taken(self._child):
            if time.monotonic() > deadline:
                self._refuse()
            time.sleep(0.05)
        self.note_child(0)

    def fileno(self) -> int:
        """The descriptor the child inherits (`pass_fds`)."""
        return self._child.fileno()

    def note_child(self, pid: int) -> None:
        """Write down who holds the folder, for the message another one gets."""
        self._owner.truncate(0)
        self._owner.write(f"{os.getpid()} {pid}\n")
        self._owner.flush()

    def release(self) -> None:
        """Let go of the folder; a child that lives on keeps it."""
        self._child.close()
        self._owner.close()

    def _refuse(self) -> None:
        self._owner.seek(0)
        owner, child = [*self._owner.read().split(), "?", "?"][:2]
        self.release()
        raise StorageError(
            f"another {self._what} runs on {self._folder} (process {child}, started by process {owner})",
            f"use that one, or stop process {owner} (or {child} where {owner} is gone), or choose another folder:"
            f" another lake, {VAR_VARIABLE}=DIR, or for jobs/broker.py --data DIR",
        )


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
