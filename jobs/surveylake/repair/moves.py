"""Quarantine of broken files: moved within the lake to a folder outside every table, and fsynced on a disk."""

from collections.abc import Iterable
from pathlib import Path

from surveylake.errors import StorageError
from surveylake.lake.fsync import sync_folder
from surveylake.lake.lake_path import LakePath
from surveylake.lake.store_errors import StoreError

FOLDER = "_repair"
AGAIN = "Check the rights of the folder, then run this again: it goes on where it stopped."


def next_folder(lake: LakePath) -> LakePath:
    """Return where the next repair moves files to: LAKE/_repair/1, then 2. They keep their paths below it."""
    folder = lake / FOLDER
    numbers = [int(path.name) for path in folder.iterdir() if path.name.isdigit()] if folder.is_dir() else []
    return folder / str(max(numbers, default=0) + 1)


def move_files(lake: LakePath, paths: Iterable[LakePath], into: LakePath) -> None:
    """Move files and folders of the lake, in order, to the same path below `into`; fsync the folders of a disk.

    An object store copies a file, and then deletes it. Raises StorageError when one cannot be moved.
    """
    touched = {Path(str(lake))}
    try:
        for path in paths:
            target = folder = into
            for name in str(path).removeprefix(f"{lake}/").split("/"):
                folder, target = target, target / name
            folder.mkdir(parents=True, exist_ok=True)
            path.rename(target)
            if isinstance(path, Path) and isinstance(lake, Path):
                parents = Path(str(target)).parents
                touched |= {path.parent, *(parent for parent in parents if lake in parent.parents)}
        for place in touched if isinstance(lake, Path) else ():
            sync_folder(place)
    except OSError as error:
        raise StorageError(
            f"{error.filename or error} cannot be put aside in {into}: {error.strerror or 'it was refused'}",
            AGAIN,
        ) from error
    except StoreError as error:
        raise StorageError(f"a file cannot be put aside in {into}: {error.message}", AGAIN) from error
