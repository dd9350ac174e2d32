"""The scratch folder of this process's Java, for native libraries and spilled data; it is removed with the process.

/tmp is not the first choice: it may be full, closed to this user, or mounted noexec. Standard library only.
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
"""Native libraries take a few megabytes; what sorting a table takes is not known beforehand."""
LOCK = "lock"
SYSTEM = ("/tmp", "/var/tmp")  # noqa: S108  (a folder in them must be this user's own)
OWN = f"surveylake-{os.getuid()}"
"""This user's folder in one that all users share."""
NO_EXEC = getattr(os, "ST_NOEXEC", 0)
_handles: list[int] = []
"""Descriptors of the locks on this process's folders; its Java inherits them, and the system drops them with both."""


@cache
def folder() -> Path:
    """Create and return this process's folder. Raises SetupError, which names each candidate and its fault."""
    faults = []
    for place in _places():
        if reason := fault(place):
            faults.append(f"{place} {reason}")
            continue
        _remove_leftovers(place)
        return _create(place)
    raise SetupError(
        f"there is no place for Java's scratch files: {'; '.join(faults)}",
        f"Java loads its native parts (snappy, zstd) from there. {ELSEWHERE} It is not mounted noexec, and has 64 MB free.",
    )


def lock() -> int:
    """Return the descriptor of the folder's lock, which each child that uses the folder inherits."""
    folder()
    return _handles[-1]


def fault(place: Path) -> str:
    """Return why Java cannot use a folder for scratch files, as the words after its name; '' when it can."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            pass
        system, owner = os.statvfs(place), place.lstat().st_uid
    except OSError as error:
        return f"cannot be written: {error.strerror}"
    if place.name == OWN and owner != os.getuid():
        return f"was made by another user (number {owner})"
    if system.f_flag & NO_EXEC:
        return "is mounted noexec"
    if "," in str(place):
        return "has a comma in its path, at which Spark would cut it"
    free = system.f_bavail * system.f_frsize
    return f"has {free:,} bytes free" if free < NEEDED_BYTES else ""


def _places() -> Iterator[Path]:
    yield VAR / "tmp"
    for place in (os.environ.get("TMPDIR"), *SYSTEM):
        if place:
            yield Path(place) / OWN


def _create(place: Path) -> Path:
    while True:
        created = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=place))
        _handles.append(os.open(created / LOCK, os.O_RDWR | os.O_CREAT, 0o600))
        fcntl.flock(_handles[-1], fcntl.LOCK_EX)
        # Another process may have removed it as a leftover before the lock was held.
        if (created / LOCK).exists():
            return created
        os.close(_handles.pop())


def _remove_leftovers(place: Path) -> None:
    """Remove the folders of killed processes: those whose lock nobody holds."""
    for leftover in place.iterdir():
        try:
            handle = os.open(leftover / LOCK, os.O_RDWR)
        except OSError:
            continue  # being made, or not ours
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(leftover, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(handle)
