"""Files put aside within the lake, outside every table, where they can be fetched back from; on disk when it is done."""

from collections.abc import Iterable
from pathlib import Path

from surveylake.errors import StorageError
from surveylake.lake.fsync import sync_folder

ASIDE = "_repair"


def next_folder(lake: Path) -> Path:
    """Where the next repair puts things: LAKE/_repair/1, then 2; each keeps the paths they had in the lake."""
    there = [int(path.name) for path in (lake / ASIDE).glob("*") if path.name.isdigit()]
    return lake / ASIDE / str(max(there, default=0) + 1)


def put_aside(lake: Path, paths: Iterable[Path], into: Path) -> None:
    """Move files and folders of the lake, in order, to the same path below `into`. StorageError when one cannot be moved."""
    changed = {lake}
    try:
        for path in paths:
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
