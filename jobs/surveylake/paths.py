"""Where files are, whichever directory a job is started from, and their checksums. Standard library only."""

import errno
import hashlib
import os
import pwd
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Literal, Protocol

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "conf"
JOBS = ROOT / "jobs"
SHARED = ROOT / "var"
"""The checkout's own folder of generated files: read by everybody, written by its owner."""
VAR_VARIABLE = "SURVEYLAKE_VAR"


def var_folder(root: Path, environment: Mapping[str, str]) -> Path:
    """Return the folder of generated files: jars, embedded Kafka, logs, scratch.

    That is $SURVEYLAKE_VAR, else ROOT/var. For a user who may not write there it is a folder named after the checkout in the
    user's cache folder. Without a cache folder it is ROOT/var again: whoever writes there reports the error.
    """
    if given := environment.get(VAR_VARIABLE):
        return Path(given).expanduser().absolute()
    in_checkout = root / "var"
    if may_write(in_checkout):
        return in_checkout
    cache = _cache_folder(environment)
    if cache is None or not may_write(cache):
        return in_checkout
    name = re.sub(r"[^A-Za-z0-9_-]", "_", root.name)[:40]
    return cache / "surveylake" / f"{name}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:8]}"


class Readable(Protocol):
    """A file that can be opened, wherever it is."""

    def open(self, mode: Literal["rb"], /) -> BufferedReader: ...


def sha256(path: Readable) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def without_scheme(path: str) -> str:
    """Return `file:///data/lake` as `/data/lake`, anything else as it is: it is this machine's file system, with its lock."""
    return re.sub(r"^file:(//)?(?=/)", "", path)


def is_local(path: str) -> bool:
    """Return whether a path is on this machine's file system, and not a URI such as `s3a://bucket/lake`."""
    return "://" not in path


@contextmanager
def new_file(path: Path, over: bool = False) -> Iterator[Path]:
    """Give a file to write, and name it `path` after the block, when it is whole. Where the block fails, nothing is left of it.

    With `over` it takes the place of a file that is there, and its rights; what is no file, such as /dev/stdout, is given itself.
    Raises FileExistsError with its `filename` where `path` is there and may not be replaced, or where PATH.part is.
    """
    if over and path.exists() and not path.is_file():
        yield path
        return
    place = Path(os.path.realpath(path)) if over else path
    part = place.with_name(f"{place.name}.part")
    if not over and os.path.lexists(place):
        raise _is_there(place)
    try:
        part.touch(exist_ok=False)
    except FileExistsError as error:
        raise _is_there(part) from error
    try:
        yield part
        if over:
            if place.exists():
                shutil.copymode(place, part)
            part.replace(place)
        else:
            _give_name(part, place)
    finally:
        part.unlink(missing_ok=True)


def _give_name(part: Path, path: Path) -> None:
    """Name a file as `path`. Raises FileExistsError where another took that name meanwhile."""
    try:
        os.link(part, path)
    except FileExistsError as error:
        raise _is_there(path) from error
    except OSError:  # a file system without hard links
        path.touch(exist_ok=False)
        try:
            part.replace(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _is_there(path: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def may_write(folder: Path) -> bool:
    """Return whether this process may write into a folder, or create it when it does not exist."""
    nearest = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    return os.path.isdir(nearest) and os.access(nearest, os.W_OK | os.X_OK)


def _cache_folder(environment: Mapping[str, str]) -> Path | None:
    """Return $XDG_CACHE_HOME, else .cache in the user's home folder; None for a user without one."""
    if (given := environment.get("XDG_CACHE_HOME", "")) and os.path.isabs(given):
        return Path(given)
    home = environment.get("HOME", "")
    if not os.path.isabs(home):
        try:
            home = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            return None
    return Path(home) / ".cache"


VAR = var_folder(ROOT, os.environ)
"""This user's generated files: jars, embedded Kafka, logs, scratch. May be deleted when nothing runs."""
ELSEWHERE = f"Set {VAR_VARIABLE} to a folder that you may write, on a disk of this machine."
