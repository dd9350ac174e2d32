"""What a micro-batch wrote, brought to the disk: Spark, Delta and Kafka leave that to the operating system's leisure.

A process that dies loses nothing without this; a machine that loses power loses what was not on the disk. Local lakes only.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

from surveylake.lake import log_files


class SyncBarrier:
    """Knows up to which version one table, and its streaming checkpoint, are on the disk.

    What was committed before it came may be in memory only, by whatever job: without it, what comes after cannot be read. So the
    first pass begins at the log's newest checkpoint. For files that are on the disk already that takes a few milliseconds.
    """

    def __init__(self, table: Path, checkpoint: Path) -> None:
        self._table, self._checkpoint = table, checkpoint
        self._version = -1
        self._first = True

    def sync(self) -> int:
        """Return when every commit so far, its data files and the checkpoint's newest entries are on the disk; how many commits.

        Data goes first, then the commits that name it, then the checkpoint that counts on them.
        """
        if self._first:
            self._sync_what_is_there()
            self._first = False
        commits = sorted(self._new_commits())
        for _, commit in commits:
            data = [
                self._table / unquote(a["add"]["path"]) for a in log_files.actions(commit) or [] if "add" in a
            ]
            _sync_files(data)
            _sync_folders({path.parent for path in data})
        for version, commit in commits:
            _sync_files([commit, commit.with_suffix(".crc")])
            self._version = version
        if commits:
            _sync_folders({self._table / log_files.LOG})
            self._sync_checkpoint()
        return len(commits)

    def _sync_what_is_there(self) -> None:
        """The log's newest checkpoint, from which a reader begins, and the folders down to it."""
        checkpoints = log_files.listed(self._table).checkpoints
        self._version = max(checkpoints, default=-1)
        log = self._table / log_files.LOG
        _sync_files([*checkpoints.get(self._version, []), log / log_files.POINTER])
        _sync_folders([self._table, *list(self._table.parents)[:2]])

    def _new_commits(self) -> Iterator[tuple[int, Path]]:
        version = self._version + 1
        while (commit := self._table / log_files.LOG / f"{version:020d}.json").is_file():
            yield version, commit
            version += 1

    def _sync_checkpoint(self) -> None:
        """`metadata`, and of each of its logs the entry written last."""
        folders = [
            folder
            for name in ("offsets", "commits", "sources/0")
            if (folder := self._checkpoint / name).is_dir()
        ]
        newest = [max(entries, key=lambda path: int(path.name)) for folder in folders
                  if (entries := [path for path in folder.iterdir() if path.name.isdigit()])]  # fmt: skip
        _sync_files([*newest, self._checkpoint / "metadata"])
        _sync_folders([*folders, self._checkpoint, *list(self._checkpoint.parents)[:2]])


def _sync_files(paths: Iterable[Path]) -> None:
    """Each file and Hadoop's checksum beside it: a checksum that was lost makes a sound file unreadable."""
    for path in paths:
        for each in (path, log_files.sidecar_of(path)):
            _sync(each, os.O_RDONLY)


def _sync_folders(paths: Iterable[Path]) -> None:
    """A file's name is in its folder, and not on the disk before the folder is."""
    for path in paths:
        _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return  # compacted or cleaned away meanwhile: what replaced it is synced with its own commit
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the entries of a folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
