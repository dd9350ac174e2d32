"""What a Delta table's log says, once it is whole. Read file by file: Spark would read another state in silence.

Witness besides those of deltalog.py: Delta's own version checksum (`N.crc`: transaction, number and size of the files then).
"""

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from surveylake.lake.log_files import (
    LOG,
    POINTER,
    Action,
    Fault,
    LogFiles,
    actions,
    asks_too_much,
    faults,
    listed,
    matches_checksum,
    sidecar_of,
    torn,
)
from surveylake.lake.provenance import Provenance

ReadCheckpoint = Callable[[list[Path]], Iterable[Action]]
"""Reads the add and txn actions out of a log checkpoint's Parquet files."""


@dataclass
class Log:
    """One table's log as it lies there: the newest version, what is live at it, and what is wrong."""

    table: Path
    version: int = -1
    files: dict[str, int] = field(default_factory=dict)
    """live data file, relative to the table -> bytes"""
    transactions: dict[str, int] = field(default_factory=dict)
    """streaming query id -> its newest batch in the table"""
    provenance: Provenance = field(default_factory=Provenance)
    """the newest that names a version of `records`"""
    configuration: dict[str, str] = field(default_factory=dict)
    """the table's properties"""
    found: list[Fault] = field(default_factory=list)
    """what is wrong; with anything wrong, nothing else here is to be trusted"""
    txn_id: str = ""
    """Delta's id of the newest commit's transaction"""

    @property
    def faults(self) -> list[str]:
        """What is wrong, in words."""
        return [fault.said for fault in self.found]

    def take(self, action: Action) -> None:
        """Apply one action of the log."""
        if add := action.get("add"):
            self.files[unquote(add["path"])] = int(add["size"])
        if remove := action.get("remove"):
            self.files.pop(unquote(remove["path"]), None)
        if txn := action.get("txn"):
            self.transactions[txn["appId"]] = int(txn["version"])
        if metadata := action.get("metaData"):
            self.configuration = dict(metadata.get("configuration") or {})
        if newer := asks_too_much(action.get("protocol", {})):
            self.found.append(Fault(newer))
        if info := action.get("commitInfo"):
            self.txn_id = str(info.get("txnId", ""))
            self.provenance = _provenance(action) or self.provenance


def tables_in(lake: Path) -> list[Path]:
    """Every folder of the lake that has a Delta log, by name."""
    return sorted(folder for folder in lake.iterdir() if (folder / LOG).is_dir())


def read_log(table: Path, read_checkpoint: ReadCheckpoint, aside: Collection[Path] = ()) -> Log:
    """The table's newest state, or what is wrong with its log; files in `aside` are taken for gone."""
    files = listed(table, aside)
    log = Log(table, files.newest)
    log.found += [*_pointer(files, aside), *faults(files)]
    if log.version < 0:
        log.found.append(Fault("the log is empty"))
    if not log.found:
        _state(log, files, read_checkpoint)
    if not log.found:
        log.found += _checksum(log, files)
    return log


def missing_data(log: Log, deep: bool = False) -> list[str]:
    """Live data files that are gone, or of another size; with `deep`, also those whose bytes differ from their checksum."""
    wrong = []
    for name, size in sorted(log.files.items()):
        path = log.table / name
        if not path.is_file():
            wrong.append(f"{name} is missing")
        elif path.stat().st_size != size:
            wrong.append(f"{name} has {path.stat().st_size:,} bytes instead of {size:,}")
        elif deep and not matches_checksum(path):
            wrong.append(f"{name} differs from its checksum")
    return wrong


def _pointer(files: LogFiles, aside: Collection[Path]) -> list[Fault]:
    """`_last_checkpoint`, when there is one, names a log checkpoint that is there."""
    path = files.folder / POINTER
    if not path.is_file() or path in aside:
        return []
    content = _json(path.read_bytes())
    named = content.get("version") if isinstance(content, dict) else None
    if named in files.checkpoints:
        return []
    said = f"names version {named}, of which there is no whole checkpoint"
    said = f"{POINTER} {'is empty or torn' if named is None else said}"
    return [Fault(said, _there(path, sidecar_of(path)))]


def _state(log: Log, files: LogFiles, read_checkpoint: ReadCheckpoint) -> None:
    """Take in the newest log checkpoint, then every commit after it."""
    start = max(files.checkpoints, default=-1)
    for action in read_checkpoint(files.checkpoints[start]) if start >= 0 else ():
        log.take(action)
    for version in sorted(version for version in files.commits if version >= start):
        found = actions(files.commits[version])
        if found is None and version > start:
            log.found.append(Fault(torn(files.commits[version]), files.of(version)))
            return
        for action in found or []:
            # A log checkpoint holds all that its own commit says, but for who made it and why.
            if version > start or "commitInfo" in action:
                log.take(action)
    # The provenance may be older than the log checkpoint; what a stream writes has none, and many versions.
    for version in sorted((version for version in files.commits if version < start), reverse=True):
        if log.provenance != Provenance() or log.transactions:
            break
        provenances = map(_provenance, actions(files.commits[version]) or [])
        log.provenance = next(filter(None, provenances), Provenance())


def _checksum(log: Log, files: LogFiles) -> list[Fault]:
    """The newest version is what Delta's version checksum says."""
    path = files.checksums.get(log.version)
    if path is None:
        return []
    said = _json(path.read_bytes())
    if not isinstance(said, dict):
        return [Fault(f"{path.name} is empty or torn", _there(path, sidecar_of(path)))]
    live, then = (len(log.files), sum(log.files.values())), (said["numFiles"], said["tableSizeBytes"])
    if live == then and (not log.txn_id or said.get("txnId", log.txn_id) == log.txn_id):
        return []
    differs = (
        f"version {log.version} has {live[0]} files of {live[1]:,} bytes, its checksum says "
        f"{then[0]} of {then[1]:,}: a commit was replaced"
    )
    return [Fault(differs, files.of(log.version))]


def _provenance(action: Action) -> Provenance | None:
    """Return the commit's provenance, where this action holds one that names a version of `records`."""
    provenance = Provenance.from_json(str(action.get("commitInfo", {}).get("userMetadata", "")))
    return provenance if provenance.records_version is not None else None


def _there(*paths: Path) -> tuple[Path, ...]:
    return tuple(path for path in paths if path.is_file())


def _json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
