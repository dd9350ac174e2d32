"""The files of a Delta log: which versions lie there, what is called after each, which commit is not whole. Plain Python.

Spark passes over an empty newest commit in silence, so this is asked before Spark reads. Beside the files themselves the checksum
testifies that Hadoop's local file system leaves beside each file (`.NAME.crc`).
"""

import json
import os
import re
import shutil
import struct
import zlib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from surveylake.errors import StorageError
from surveylake.wording import examples

LOG = "_delta_log"
POINTER = "_last_checkpoint"
NAME = re.compile(r"(\.?)(\d{20})\.(json|crc|checkpoint(?:\.\d{10}\.(\d{10}))?\.parquet)(\.crc)?")
READER, WRITER = 3, 7
"""the newest Delta protocol that the pinned Delta knows; what is newer than these goes by names of features"""
MEND = "Run jobs/repair.py --dry-run with the same --lake: it says what is broken, and what it would do about it."
MAGIC = b"crc\0"
"""how a checksum file of Hadoop begins"""
PARQUET = b"PAR1"
"""how a Parquet file ends"""
Action = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a log."""

    said: str
    files: tuple[Path, ...] = ()
    """without these the log no longer has this fault; empty when no file of the log is to blame"""


@dataclass(frozen=True)
class LogFiles:
    """What lies in one table's log, by version."""

    folder: Path
    commits: dict[int, Path] = field(default_factory=dict)
    checksums: dict[int, Path] = field(default_factory=dict)
    """Delta's own: what the table is at that version"""
    checkpoints: dict[int, list[Path]] = field(default_factory=dict)
    """log checkpoints of which every part is there"""
    called: dict[int, list[Path]] = field(default_factory=dict)
    """every file that is called after a version, checksums of checksums and all"""

    @property
    def newest(self) -> int:
        """The newest version a reader would find; -1 when there is none."""
        return max([*self.commits, *self.checkpoints], default=-1)

    def of(self, version: int) -> tuple[Path, ...]:
        """All that is called after a version, the commit first: who moves them leaves a witness to the end."""
        return tuple(sorted(self.called.get(version, []), key=lambda path: (path.suffix != ".json", path)))


def listed(table: Path, aside: Collection[Path] = (), since: str = "") -> LogFiles:
    """The log as it lies there, from version `since` (20 digits) on; files in `aside` are taken for gone."""
    files = LogFiles(table / LOG)
    parts: dict[int, int] = {}
    for name in sorted(name for name in os.listdir(files.folder) if name.lstrip(".") >= since):
        found = NAME.fullmatch(name)
        if not found or bool(found[1]) != bool(found[5]) or files.folder / name in aside:
            continue
        version, path = int(found[2]), files.folder / name
        files.called.setdefault(version, []).append(path)
        if not found[1] and found[3] == "json":
            files.commits[version] = path
        elif not found[1] and found[3] == "crc":
            files.checksums[version] = path
        elif not found[1]:
            files.checkpoints.setdefault(version, []).append(path)
            parts[version] = int(found[4] or 1)
    for version, number in parts.items():
        if len(files.checkpoints[version]) != number:
            del files.checkpoints[version]
    return files


def faults(files: LogFiles) -> list[Fault]:
    """What is wrong with the newest log checkpoint, with the commits after it, and after the newest version."""
    start, newest = max(files.checkpoints, default=-1), files.newest
    found = _of_checkpoint(files, start)
    if missing := [version for version in range(start + 1, newest + 1) if version not in files.commits]:
        found.append(Fault(f"commit of version {examples(missing)} is missing"))
    for version in sorted(version for version in files.commits if version > start):
        found += commit_faults(files, version)
    # What belongs to a log checkpoint is no trace of a commit: an attempt at one may end halfway.
    left = {v: files.of(v) for v in sorted(files.called, reverse=True) if v > newest}
    if gone := sorted(v for v, paths in left.items() if any(".checkpoint." not in p.name for p in paths)):
        said = f"commit of version {examples(gone)} was there and is gone: its checksum is left"
        found.append(Fault(said, tuple(path for paths in left.values() for path in paths)))
    return found


def require_whole(table: Path) -> None:
    """StorageError naming the file when what Spark would read of the log is not whole; takes a few milliseconds."""
    if not (table / LOG).is_dir():
        return
    # A busy table keeps many thousand versions; those before the newest log checkpoint are passed over at first.
    names = (name for name in os.listdir(table / LOG) if name.endswith(".parquet") and NAME.fullmatch(name))
    tail = listed(table, since=max(names, default="")[:20])
    # Looked at twice before it is believed: a folder that is listed while a commit is written may show half of it.
    if faults(tail) and (found := faults(listed(table))):
        raise StorageError(f"the log of {table} is broken: {found[0].said}", MEND)


def forget_half_made(table: Path) -> None:
    """Remove what a kill leaves while a table is made: a log without any commit, which Delta takes for foreign files.

    Without a commit there never was a row, so nothing is lost; any trace of one, and the folder stays as it is.
    """
    if (table / LOG).is_dir() and os.listdir(table) == [LOG] and not listed(table).called:
        shutil.rmtree(table / LOG)


def only_begun(table: Path) -> bool:
    """Whether a power loss came while the table was made: its first commit is not whole, and no other was ever there."""
    files = listed(table)
    first = files.commits.get(0)
    return set(files.called) <= {0} and (
        first is None or any(first in fault.files for fault in faults(files))
    )


def matches_checksum(path: Path) -> bool:
    """Whether a file's bytes are what Hadoop wrote down beside it (CRC-32 of every 512 bytes); True where nothing testifies."""
    kept = _testimony(path)
    if kept is None:
        return True
    step, sums = struct.unpack(">i", kept[4:8])[0], []
    with path.open("rb") as file:
        while block := file.read(step):
            sums.append(zlib.crc32(block))
    return kept[8:] == struct.pack(f">{len(sums)}I", *sums)


def sidecar_of(path: Path) -> Path:
    """Where Hadoop keeps a file's checksum."""
    return path.with_name(f".{path.name}.crc")


def actions(commit: Path) -> list[Action] | None:
    """The actions of a commit; None when a line of it is not one."""
    try:
        read = [json.loads(line) for line in commit.read_bytes().splitlines()]
    except ValueError:
        return None
    return read if all(isinstance(action, dict) for action in read) else None


def keeps_every_commit(table: Path) -> bool:
    """Whether every commit is still in the log; Delta removes those that are older than a table's retention."""
    return 0 in listed(table).commits


def newer_protocol(table: Path) -> str:
    """That the table asks for a newer Delta protocol than the pinned one, in words; empty when no commit that is left says so."""
    for _, commit in sorted(listed(table).commits.items(), reverse=True):
        for action in actions(commit) or []:
            if asked := action.get("protocol"):
                return asks_too_much(asked)
    return ""


def asks_too_much(protocol: Action) -> str:
    """That a table with this protocol is for a newer Delta, in words; empty when it is not."""
    reader, writer = int(protocol.get("minReaderVersion", 1)), int(protocol.get("minWriterVersion", 1))
    if reader <= READER and writer <= WRITER:
        return ""
    return (
        f"it asks for version {reader} of the Delta protocol to read it and {writer} to write it;"
        f" this Delta knows {READER} and {WRITER}"
    )


def torn(commit: Path) -> str:
    """How it is said of a commit."""
    return f"commit {commit.name} is torn"


def _of_checkpoint(files: LogFiles, version: int) -> list[Fault]:
    """Empty or torn parts of a log checkpoint; the commits before it may still tell the same."""
    parts = files.checkpoints.get(version, [])
    if not (bad := [path.name for path in parts if not _ends(path, PARQUET) or not matches_checksum(path)]):
        return []
    whole = tuple(path for path in files.called[version] if ".checkpoint." in path.name)
    return [Fault(f"log checkpoint {examples(bad)} is empty or torn", whole)]


def commit_faults(files: LogFiles, version: int) -> list[Fault]:
    """A commit that is empty or torn, or its checksum that is."""
    commit = files.commits[version]
    sidecar = sidecar_of(commit)
    if not commit.stat().st_size:
        said = f"commit {commit.name} is empty: what it added is not read, and no reader says so"
        return [Fault(said, files.of(version))]
    # Where a checksum speaks for the bytes they are not parsed: this runs at every start of the stream.
    known = _testimony(commit) is not None
    if not (matches_checksum(commit) if known else actions(commit) is not None):
        return [Fault(torn(commit), files.of(version))]
    broken = not known and sidecar in files.called[version]
    return [Fault(f"checksum {sidecar.name} is empty or torn", (sidecar,))] if broken else []


def _ends(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, len(magic)), os.SEEK_END)
        return file.read() == magic


def _testimony(path: Path) -> bytes | None:
    """The checksum file beside a file; None when there is none, or one without head, which Hadoop passes over too."""
    sidecar = sidecar_of(path)
    kept = sidecar.read_bytes() if sidecar.is_file() else b""
    return kept if kept[:4] == MAGIC and len(kept) >= 8 else None
