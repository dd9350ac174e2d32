"""The folder of exports: no lake, home or Delta table, and locked by one process at a time."""

import logging
import os
from pathlib import Path

from surveylake.errors import ConfigError, StorageError
from surveylake.locks import FileLock, HeldError
from surveylake.paths import is_local

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
    where = str(lake)
    if is_local(where) and real.is_relative_to(Path(where).expanduser().resolve()):
        raise ConfigError(f"exports cannot go to {real}: that is the lake, {lake}", ANOTHER)
    table = next((folder for folder in (real, *real.parents) if (folder / "_delta_log").is_dir()), None)
    if table:
        raise ConfigError(f"exports cannot go to {real}: {table} is a Delta table", ANOTHER)
    if real.exists() and not real.is_dir():
        raise ConfigError(f"exports cannot go to {real}: it is not a folder", ANOTHER)
    if str(real) != os.path.abspath(out.expanduser()):
        logging.getLogger(__name__).info("%s leads to %s: the exports go there", out, real)
    return real


def hold(folder: Path) -> FileLock:
    """Lock the folder for this process. Raises StorageError while another export holds it."""
    try:
        return FileLock(folder / LOCK)
    except HeldError:
        raise StorageError(
            f"another export is writing to {folder}", "Wait until it has ended, then run this again."
        ) from None
