"""Exclusive locks on files: the system ends them with their processes, and whoever is refused learns who holds one."""

import fcntl
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from surveylake.errors import StorageError
from surveylake.paths import ELSEWHERE, VAR_VARIABLE

POLL_SECONDS = 0.05
LEFTOVER_SECONDS = 15
"""How long to wait for a child whose owner died: its watcher ends it after 10 s at the latest."""


class HeldError(Exception):
    """Another process holds the lock; `holder` is the name that it wrote, '' when it wrote none."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


class FileLock:
    """An exclusive flock on a file, held from the constructor to `release`.

    The file and its folder are created when missing. A process that inherits `fileno` (`pass_fds`) holds the lock too: the
    system drops it with the last of them. A file left behind means nothing.
    """

    def __init__(self, path: Path, holder: str = "", wait_seconds: float = 0) -> None:
        """Take the lock and, if given, write `holder` into the file.

        Raises HeldError when another process still holds it after `wait_seconds`, OSError when the file cannot be opened.
        """
        self._path = path
        deadline = time.monotonic() + wait_seconds
        while not self._take(deadline):
            pass
        if holder:
            self.write(holder)

    def write(self, holder: str) -> None:
        """Replace the holder's name in the file."""
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, holder.encode(), 0)

    def read(self) -> str:
        """Return the holder's name, which may be that of an earlier one."""
        return os.pread(self._handle, 4096, 0).decode("utf-8", "replace").strip()

    def fileno(self) -> int:
        """Return the descriptor that a child inherits."""
        return self._handle

    def release(self, remove_empty: bool = False) -> None:
        """Drop the lock. With `remove_empty`, first remove the folder if it contains nothing but the lock file."""
        folder = self._path.parent
        try:
            if remove_empty and folder.exists() and os.listdir(folder) == [self._path.name]:
                self._path.unlink()
                folder.rmdir()
        finally:
            os.close(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _take(self, deadline: float) -> bool:
        """Lock the file. Returns False when another process removed it between the opening and the locking."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        is_current = False
        try:
            while not _flock(self._handle):
                if time.monotonic() >= deadline:
                    raise HeldError(self.read())
                time.sleep(POLL_SECONDS)
            is_current = self._is_current()
        finally:
            if not is_current:
                os.close(self._handle)
        return is_current

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._handle), self._path.stat())
        except FileNotFoundError:
            return False


class FolderLock:
    """A lock on a folder for this process and for one child of it, which inherits `fileno`.

    Two files: `lock` is the owner's alone; `lock.child` is the child's too, and so outlives an owner that was killed.
    Raises StorageError, which names both: at once while an owner lives, after 15 s while only a child does. Raises
    StorageError when the folder cannot be written.
    """

    def __init__(self, folder: Path, what: str) -> None:
        try:
            with ExitStack() as stack:
                self._owner = stack.enter_context(FileLock(folder / "lock"))
                child = FileLock(folder / "lock.child", wait_seconds=LEFTOVER_SECONDS)
                self._child = stack.enter_context(child)
                self._both = stack.pop_all()
        except OSError as error:
            raise StorageError(f"{folder} cannot be written: {error.strerror}", ELSEWHERE) from error
        except HeldError as error:
            owner, process = [*error.holder.split(), "?", "?"][:2]
            raise StorageError(
                f"another {what} runs on {folder} (process {process}, started by process {owner})",
                f"use that one, or stop process {owner} (or {process} where {owner} is gone), or choose another folder:"
                f" another lake, {VAR_VARIABLE}=DIR, or for jobs/broker.py --data DIR",
            ) from None
        self.note_child(0)

    def fileno(self) -> int:
        """Return the descriptor that the child inherits (`pass_fds`)."""
        return self._child.fileno()

    def note_child(self, pid: int) -> None:
        """Write this process's id and the child's into both files, for the message that another process gets."""
        for lock in (self._owner, self._child):
            lock.write(f"{os.getpid()} {pid}\n")

    def release(self) -> None:
        """Drop both locks; a child that lives on keeps its own."""
        self._both.close()


def _flock(handle: int) -> bool:
    """Lock an open file. Returns whether nobody else had it locked."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
