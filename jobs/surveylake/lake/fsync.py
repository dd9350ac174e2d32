"""fsync of what a micro-batch wrote, for local lakes: Spark, Delta and Kafka leave that to the operating system.

Without it a process that dies loses nothing, and a machine that loses power loses what was not on the disk.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

from surveylake.lake import log_files
from surveylake.lake.hadoop_checksum import sidecar_of
from surveylake.lake.lake_path import LakePath


class SyncBarrier:
    """Keeps track of the version up to which one table and its streaming checkpoint are on the disk.

    Commits of earlier jobs may still be in memory only, and later ones cannot be read without them. So the first pass begins at
    the log's newest checkpoint. For files that are on the disk already that takes a few milliseconds.
    """

    def __init__(self, table: Path, checkpoint: Path) -> None:
        self._table, self._checkpoint = table, checkpoint
        self._version = -1
        self._first = True

    def sync(self) -> int:
        """Block until all commits, their data files and the streaming checkpoint's newest entries are fsynced.

        Data goes first, then the commits that name it, then the checkpoint that relies on them.
        Returns the number of commits synced.
        """
        if self._first:
            self._sync_log_checkpoint()
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

    def _sync_log_checkpoint(self) -> None:
        """Sync the log's newest checkpoint, from which a reader begins, and the folders down to it."""
        checkpoints = log_files.list_log(self._table).checkpoints
        self._version = max(checkpoints, default=-1)
        log = self._table / log_files.LOG
        _sync_files([*checkpoints.get(self._version, []), log / log_files.POINTER])
        _sync_folders([self._table, *list(self._table.parents)[:2]])

    def _new_commits(self) -> Iterator[tuple[int, Path]]:
        """Yield (version, commit file) of each commit after the last one synced."""
        version = self._version + 1
        while (commit := self._table / log_files.LOG / f"{version:020d}.json").is_file():
            yield version, commit
            version += 1

    def _sync_checkpoint(self) -> None:
        """Sync the checkpoint's `metadata`, and the newest entry of each of its logs."""
        folders = [
            folder
            for name in ("offsets", "commits", "sources/0")
            if (folder := self._checkpoint / name).is_dir()
        ]
        newest = [max(entries, key=lambda path: int(path.name)) for folder in folders
                  if (entries := [path for path in folder.iterdir() if path.name.isdigit()])]  # fmt: skip
        _sync_files([*newest, self._checkpoint / "metadata"])
        _sync_folders([*folders, self._checkpoint, *list(self._checkpoint.parents)[:2]])


def _sync_files(paths: Iterable[LakePath]) -> None:
    """Sync each file and Hadoop's checksum beside it: a checksum that was lost makes a sound file unreadable."""
    for path in paths:
        for file in (path, sidecar_of(path)):
            _sync(file, os.O_RDONLY)


def _sync_folders(paths: Iterable[Path]) -> None:
    """Sync folders: a file's name is on the disk only when its folder is."""
    for path in paths:
        _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: LakePath, flags: int) -> None:
    """Sync a file or folder; one that is gone is passed over."""
    try:
        descriptor = os.open(str(path), flags)
    except FileNotFoundError:
        return  # compacted or cleaned away since: what replaced it is synced with its own commit
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Block until the entries of a folder are fsynced. Raises OSError when the folder is gone."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
