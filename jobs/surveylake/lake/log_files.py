"""The files of a Delta log, read in plain Python: the versions that lie there, and the actions of each commit."""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from surveylake.lake.hadoop_path import HadoopPath
from surveylake.lake.lake_path import LakePath, remove_tree

LOG = "_delta_log"
POINTER = "_last_checkpoint"
NAME = re.compile(r"(\.?)(\d{20})\.(json|crc|checkpoint(?:\.\d{10}\.(\d{10}))?\.parquet)(\.crc)?")
"""(dot of a checksum file, version, kind, number of parts of a log checkpoint, ending of a checksum file)"""
READER, WRITER = 3, 7
"""the newest Delta protocol that the pinned Delta knows; newer ones are lists of named features"""
Action = dict[str, Any]


@dataclass(frozen=True)
class LogFiles:
    """The files of one table's log, by version."""

    folder: LakePath
    commits: dict[int, LakePath] = field(default_factory=dict)
    checksums: dict[int, LakePath] = field(default_factory=dict)
    """Delta's version checksums (`N.crc`): the size of the table at that version"""
    checkpoints: dict[int, list[LakePath]] = field(default_factory=dict)
    """log checkpoints that have all their parts"""
    by_version: dict[int, list[LakePath]] = field(default_factory=dict)
    """every file whose name carries the version, Hadoop's checksum files too"""

    @property
    def newest(self) -> int:
        """The newest version a reader would find; -1 when there is none."""
        return max([*self.commits, *self.checkpoints], default=-1)

    def of(self, version: int) -> tuple[LakePath, ...]:
        """Return every file whose name carries the version, the commit first.

        Whoever moves them in this order and is interrupted leaves files that tell of the commit.
        """
        return tuple(
            sorted(self.by_version.get(version, []), key=lambda path: (path.suffix != ".json", path))
        )


def list_log(table: LakePath, excluded: Collection[LakePath] = (), since: str = "") -> LogFiles:
    """List a table's log from version `since` (20 digits) on, as if the `excluded` files were gone."""
    files = LogFiles(table / LOG)
    expected_parts: dict[int, int] = {}
    for path in sorted(_listed(files.folder, since)):
        match = NAME.fullmatch(path.name)
        if not match or bool(match[1]) != bool(match[5]) or path in excluded:
            continue
        version, kind = int(match[2]), match[3]
        files.by_version.setdefault(version, []).append(path)
        if match[1]:
            continue
        if kind == "json":
            files.commits[version] = path
        elif kind == "crc":
            files.checksums[version] = path
        else:
            files.checkpoints.setdefault(version, []).append(path)
            expected_parts[version] = int(match[4] or 1)
    for version, number in expected_parts.items():
        if len(files.checkpoints[version]) != number:
            del files.checkpoints[version]
    return files


def _listed(folder: LakePath, since: str) -> Iterator[LakePath]:
    """Yield the files of a log from a name on. At a URI each costs some calls of Java, so the JVM leaves the others out."""
    if since and isinstance(folder, HadoopPath):
        return folder.listed_from(since)
    return (path for path in folder.iterdir() if path.name.lstrip(".") >= since)


def pointed_version(table: LakePath) -> int:
    """Return the version of the log checkpoint that `_last_checkpoint` names; -1 without one."""
    try:
        return int(json.loads((table / LOG / POINTER).read_bytes())["version"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return -1


def actions(commit: LakePath) -> list[Action] | None:
    """Return the actions of a commit; None when it is damaged, or a line of it is not a JSON object."""
    try:
        values = [json.loads(line) for line in commit.read_bytes().splitlines()]
    except ValueError:
        return None
    return values if all(isinstance(value, dict) for value in values) else None


def keeps_every_commit(table: LakePath) -> bool:
    """Return whether every commit is still in the log; Delta removes those older than a table's retention."""
    return 0 in list_log(table).commits


def forget_half_made(table: LakePath) -> None:
    """Remove a log without any commit, which a kill leaves while a table is made and Delta takes for foreign files.

    Without a commit there never was a row, so nothing is lost. With a trace of one the folder stays as it is.
    """
    log = table / LOG
    if log.is_dir() and [path.name for path in table.iterdir()] == [LOG] and not list_log(table).by_version:
        remove_tree(log)


def newer_protocol(table: LakePath) -> str:
    """Return the message for a table whose newest protocol is newer than the pinned Delta's.

    Empty when it is not, or when no remaining commit names a protocol.
    """
    for _, commit in sorted(list_log(table).commits.items(), reverse=True):
        for action in actions(commit) or []:
            if protocol := action.get("protocol"):
                return asks_too_much(protocol)
    return ""


def asks_too_much(protocol: Action) -> str:
    """Return the message for a protocol newer than the pinned Delta's; empty when it is not newer."""
    reader, writer = int(protocol.get("minReaderVersion", 1)), int(protocol.get("minWriterVersion", 1))
    if reader <= READER and writer <= WRITER:
        return ""
    return (
        f"it asks for version {reader} of the Delta protocol to read it and {writer} to write it;"
        f" this Delta knows {READER} and {WRITER}"
    )
