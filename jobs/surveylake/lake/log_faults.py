"""Faults of a Delta log: an empty, torn or missing commit, a broken log checkpoint.

Spark passes over an empty newest commit in silence, so the log is examined before Spark reads it. A file's bytes are compared
with Hadoop's checksum where there is one, and parsed where there is none.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from surveylake.errors import StorageError
from surveylake.lake import hadoop_checksum
from surveylake.lake.lake_path import LakePath
from surveylake.lake.log_files import LOG, NAME, LogFiles, actions, list_log, pointed_version
from surveylake.wording import examples

MEND = "Run jobs/repair.py --dry-run with the same --lake: it says what is broken, and what it would do about it."
PARQUET = b"PAR1"
"""how a Parquet file ends"""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a log."""

    message: str
    files: tuple[LakePath, ...] = ()
    """the log without these no longer has this fault; empty when it does not lie in files of the log"""


def faults(files: LogFiles, listed_only: bool = False) -> list[Fault]:
    """Return the faults of the newest log checkpoint, of the commits after it, and of what lies after the newest version.

    With `listed_only`, those that the listing tells: a missing or an empty commit.
    """
    start, newest = max(files.checkpoints, default=-1), files.newest
    result = [] if listed_only else _checkpoint_faults(files, start)
    if missing := [version for version in range(start + 1, newest + 1) if version not in files.commits]:
        result.append(Fault(f"commit of version {examples(missing)} is missing"))
    for version in sorted(version for version in files.commits if version > start):
        result += _commit_faults(files, version, listed_only)
    # What belongs to a log checkpoint is no trace of a commit: an attempt at one may end halfway.
    later = {v: files.of(v) for v in sorted(files.by_version, reverse=True) if v > newest}
    if gone := sorted(v for v, paths in later.items() if any(".checkpoint." not in p.name for p in paths)):
        message = f"commit of version {examples(gone)} was there and is gone: its checksum is left"
        result.append(Fault(message, tuple(path for paths in later.values() for path in paths)))
    return result


def require_whole(table: LakePath) -> None:
    """Check in a few milliseconds that what Spark would read of the log is whole. Raises StorageError naming the file.

    At a URI each file is a request, and Delta itself refuses a torn commit, so only the listing is looked at there.
    """
    is_remote = not isinstance(table, Path)
    if not (table / LOG).is_dir():
        return
    # A busy table keeps many thousand versions; those before the newest log checkpoint are passed over at first.
    newest = pointed_version(table) if is_remote else _newest_checkpoint(table)
    tail = list_log(table, since=f"{newest:020d}" if newest >= 0 else "")
    # Examined twice before it is believed: a folder that is listed while a commit is written may show half of it.
    if faults(tail, is_remote) and (confirmed := faults(list_log(table), is_remote)):
        raise StorageError(f"the log of {table} is broken: {confirmed[0].message}", MEND)


def _newest_checkpoint(table: LakePath) -> int:
    """Return the newest version that a file of a log checkpoint names; -1 for none."""
    names = (path.name for path in (table / LOG).iterdir() if path.suffix == ".parquet")
    return max((int(name[:20]) for name in names if NAME.fullmatch(name)), default=-1)


def only_begun(table: LakePath) -> bool:
    """Return whether the table was cut off while it was made: its first commit is not whole, and there was no other."""
    files = list_log(table)
    first = files.commits.get(0)
    return set(files.by_version) <= {0} and (
        first is None or any(first in fault.files for fault in faults(files))
    )


def _commit_faults(files: LogFiles, version: int, listed_only: bool) -> list[Fault]:
    """Return the fault of an empty or torn commit, or of its torn checksum file; with `listed_only`, of an empty one."""
    commit = files.commits[version]
    sidecar = hadoop_checksum.sidecar_of(commit)
    if not commit.stat().st_size:
        message = f"commit {commit.name} is empty: what it added is not read, and no reader says so"
        return [Fault(message, files.of(version))]
    if listed_only:
        return []
    # Bytes that have a checksum are not parsed: this runs at every start of the stream.
    has_checksum = hadoop_checksum.recorded(commit) is not None
    if not (hadoop_checksum.matches(commit) if has_checksum else actions(commit) is not None):
        return [torn(files, version)]
    broken = not has_checksum and sidecar in files.by_version[version]
    return [Fault(f"checksum {sidecar.name} is empty or torn", (sidecar,))] if broken else []


def torn(files: LogFiles, version: int) -> Fault:
    """Return the fault of a torn commit."""
    return Fault(f"commit {files.commits[version].name} is torn", files.of(version))


def _checkpoint_faults(files: LogFiles, version: int) -> list[Fault]:
    """Return the fault of a log checkpoint with empty or torn parts; the commits before it may still tell the same."""
    parts = files.checkpoints.get(version, [])
    broken = [path.name for path in parts if not _is_parquet(path) or not hadoop_checksum.matches(path)]
    if not broken:
        return []
    whole = tuple(path for path in files.by_version[version] if ".checkpoint." in path.name)
    return [Fault(f"log checkpoint {examples(broken)} is empty or torn", whole)]


def _is_parquet(path: LakePath) -> bool:
    """Return whether a file ends as Parquet files do."""
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, len(PARQUET)), os.SEEK_END)
        return file.read() == PARQUET
