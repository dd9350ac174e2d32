"""Where this process's Java unpacks native parts and keeps what does not fit into memory: a folder that goes with it.

/tmp is not asked first: it may be full, closed to this user, or mounted so that nothing in it can be run. Standard library only.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from surveylake.errors import SetupError
from surveylake.paths import ELSEWHERE, VAR

NEEDED_BYTES = 64 << 20
"""Native parts take a few megabytes; what sorting a table takes, nobody knows before."""
LOCK = "lock"
SYSTEM = ("/tmp", "/var/tmp")  # noqa: S108  (a folder in them must be this user's own)
OWN = f"surveylake-{os.getuid()}"
"""This user's folder in a place that all users share."""
NO_EXEC = getattr(os, "ST_NOEXEC", 0)
_held: list[int] = []
"""Descriptors of the locks on folders that this process made; inherited by its Java, and freed by the system with both."""


@cache
def folder() -> Path:
    """A folder of this process's own. SetupError names each place that was looked at, and what is wrong with it."""
    faults = []
    for place in _places():
        if wrong := fault(place):
            faults.append(f"{place} {wrong}")
            continue
        _sweep(place)
        return _made(place)
    raise SetupError(
        f"there is no place for Java's scratch files: {'; '.join(faults)}",
        f"Java loads its native parts (snappy, zstd) from there. {ELSEWHERE} It is not mounted noexec, and has 64 MB free.",
    )


def lock() -> int:
    """The descriptor that says the folder is in use, to be inherited by whoever else uses it."""
    folder()
    return _held[-1]


def fault(place: Path) -> str:
    """What keeps Java from using a folder for scratch files, in words that follow its name; '' when nothing does."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            pass
        there, owner = os.statvfs(place), place.lstat().st_uid
    except OSError as error:
        return f"cannot be written: {error.strerror}"
    if place.name == OWN and owner != os.getuid():
        return f"was made by another user (number {owner})"
    if there.f_flag & NO_EXEC:
        return "is mounted noexec"
    if "," in str(place):
        return "has a comma in its path, at which Spark would cut it"
    free = there.f_bavail * there.f_frsize
    return f"has {free:,} bytes free" if free < NEEDED_BYTES else ""


def _places() -> Iterator[Path]:
    yield VAR / "tmp"
    for place in (os.environ.get("TMPDIR"), *SYSTEM):
        if place:
            yield Path(place) / OWN


def _made(place: Path) -> Path:
    while True:
        made = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=place))
        _held.append(os.open(made / LOCK, os.O_RDWR | os.O_CREAT, 0o600))
        fcntl.flock(_held[-1], fcntl.LOCK_EX)
        # Another process may have taken it for a leftover before the lock was held.
        if (made / LOCK).exists():
            return made
        os.close(_held.pop())


def _sweep(place: Path) -> None:
    """Remove what processes left behind that were killed: folders whose lock nobody holds."""
    for left in place.iterdir():
        try:
            handle = os.open(left / LOCK, os.O_RDWR)
        except OSError:
            continue  # being made, or not ours
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(handle)
