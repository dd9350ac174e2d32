"""The folder of exports: no lake, home or Delta table, and locked by one process at a time."""

import fcntl
import logging
import os
from pathlib import Path

from surveylake.errors import ConfigError, StorageError

LOCK = ".surveylake.lock"
ANOTHER = "Give another folder with OUT=DIR or --out DIR."


def allowed_folder(out: Path, lake: Path | str) -> Path:
    """Return the real folder behind `out`; follows a link, and logs it. Raises ConfigError where exports must not go."""
    try:
        real = out.expanduser().resolve()
        home = Path(os.path.expanduser("~")).resolve()
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"{out} leads nowhere: {error}", ANOTHER) from error
    if home.is_relative_to(real):
        raise ConfigError(f"exports cannot go to {real}: it is the home folder, or holds it", ANOTHER)
    where = str(lake).removeprefix("file://")
    if "://" not in where and real.is_relative_to(Path(where).expanduser().resolve()):
        raise ConfigError(f"exports cannot go to {real}: that is the lake, {lake}", ANOTHER)
    table = next((folder for folder in (real, *real.parents) if (folder / "_delta_log").is_dir()), None)
    if table:
        raise ConfigError(f"exports cannot go to {real}: {table} is a Delta table", ANOTHER)
    if real.exists() and not real.is_dir():
        raise ConfigError(f"exports cannot go to {real}: it is not a folder", ANOTHER)
    if str(real) != os.path.abspath(out.expanduser()):
        logging.getLogger(__name__).info("%s leads to %s: the exports go there", out, real)
    return real


def hold(folder: Path) -> int:
    """Lock the folder for this process. Returns the file descriptor for `release`. Raises StorageError while another has it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    lock = os.open(folder / LOCK, flags, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another run may have removed the file between our open and our lock; then we have no lock.
        is_ours = os.fstat(lock).st_nlink > 0
    except BlockingIOError:
        is_ours = False
    if not is_ours:
        os.close(lock)
        raise StorageError(
            f"another export is writing to {folder}", "Wait until it has ended, then run this again."
        )
    return lock


def release(folder: Path, lock: int) -> None:
    """Release the lock; remove a folder that holds nothing else."""
    if [entry.name for entry in folder.iterdir()] == [LOCK]:
        (folder / LOCK).unlink()
        folder.rmdir()
    os.close(lock)
