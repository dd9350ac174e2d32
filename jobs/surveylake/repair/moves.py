"""Quarantine of broken files: moved within the lake to a folder outside every table, and fsynced."""

from collections.abc import Iterable
from pathlib import Path

from surveylake.errors import StorageError
from surveylake.lake.fsync import sync_folder
from surveylake.lake.lake_path import LakePath

FOLDER = "_repair"


def next_folder(lake: Path) -> Path:
    """Return where the next repair moves files to: LAKE/_repair/1, then 2. They keep their paths below it."""
    numbers = [int(path.name) for path in (lake / FOLDER).glob("*") if path.name.isdigit()]
    return lake / FOLDER / str(max(numbers, default=0) + 1)


def move_files(lake: Path, paths: Iterable[LakePath], into: Path) -> None:
    """Move files and folders of the lake, in order, to the same path below `into`; fsync the folders.

    Raises StorageError when one cannot be moved.
    """
    changed = {lake}
    try:
        for path in map(Path, map(str, paths)):
            target = into / path.relative_to(lake)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
            changed |= {path.parent, *(parent for parent in target.parents if lake in parent.parents)}
        for folder in changed:
            sync_folder(folder)
    except OSError as error:
        raise StorageError(
            f"{error.filename} cannot be put aside in {into}: {error.strerror}",
            "Check the rights of the folder, then run this again: it goes on where it stopped.",
        ) from error
