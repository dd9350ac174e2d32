"""Where files are, whichever directory a job is started from, and their checksums. Standard library only."""

import hashlib
import os
import pwd
import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "conf"
JOBS = ROOT / "jobs"
SHARED = ROOT / "var"
"""What set-up left in the checkout: read by everybody who uses it, written by who may."""
VAR_VARIABLE = "SURVEYLAKE_VAR"


def var_folder(root: Path, environment: Mapping[str, str]) -> Path:
    """The folder for what the project makes for itself: jars, embedded Kafka, logs, scratch.

    $SURVEYLAKE_VAR goes first. Then comes ROOT/var. Where this user may not write there, it is a folder of the user's own cache
    folder, named after the checkout. Returns ROOT/var too when there is no cache folder either: who writes there says why not.
    """
    if given := environment.get(VAR_VARIABLE):
        return Path(given).expanduser().absolute()
    own = root / "var"
    if may_write(own):
        return own
    cache = _cache_folder(environment)
    if cache is None or not may_write(cache):
        return own
    name = re.sub(r"[^A-Za-z0-9_-]", "_", root.name)[:40]
    return cache / "surveylake" / f"{name}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:8]}"


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def may_write(folder: Path) -> bool:
    """Whether this process may write there; for a folder that is not there, whether it may make it."""
    nearest = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    return os.path.isdir(nearest) and os.access(nearest, os.W_OK | os.X_OK)


def _cache_folder(environment: Mapping[str, str]) -> Path | None:
    """The user's own, by the variables that name it, else by the system's list of users; None for a user without a home."""
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
"""What the project makes for itself and may be deleted when nothing runs: jars, embedded Kafka, logs, scratch."""
ELSEWHERE = f"Set {VAR_VARIABLE} to a folder that you may write, on a disk of this machine."
