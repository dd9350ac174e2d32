"""The state of a Delta table by its log, read file by file: from a broken log Spark would read another state in silence.

Beyond what lake/log_faults.py checks, the state is compared with Delta's version checksum (`N.crc`), which has the id of the
transaction and the number and size of the files. While they are few it lists them, and small tables are read by that list.
"""

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from surveylake.lake import hadoop_checksum
from surveylake.lake.hadoop_checksum import sidecar_of
from surveylake.lake.lake_path import LakePath
from surveylake.lake.log_faults import Fault, faults, torn
from surveylake.lake.log_files import LOG, POINTER, Action, LogFiles, actions, asks_too_much, list_log
from surveylake.lake.provenance import Provenance

ReadCheckpoint = Callable[[list[LakePath]], Iterable[Action]]
"""Reads the add and txn actions out of a log checkpoint's Parquet files."""


@dataclass
class Log:
    """The newest state of one table by its log, and the log's faults."""

    table: LakePath
    version: int = -1
    files: dict[str, int] = field(default_factory=dict)
    """live data file, relative to the table -> size in bytes"""
    batch_by_query: dict[str, int] = field(default_factory=dict)
    """streaming query id -> its newest batch in the table"""
    provenance: Provenance = field(default_factory=Provenance)
    """the newest that names a version of `records`"""
    configuration: dict[str, str] = field(default_factory=dict)
    """the table's properties"""
    schema: str = ""
    """the table's columns, as Spark's JSON; empty where the log was not read so far"""
    faults: list[Fault] = field(default_factory=list)
    """with any fault, the rest of the state is not to be trusted"""
    txn_id: str = ""
    """Delta's id of the newest commit's transaction"""

    @property
    def messages(self) -> list[str]:
        """The message of each fault."""
        return [fault.message for fault in self.faults]

    def take(self, action: Action) -> None:
        """Apply one action of the log."""
        if add := action.get("add"):
            self.files[unquote(add["path"])] = int(add["size"])
        if remove := action.get("remove"):
            self.files.pop(unquote(remove["path"]), None)
        if txn := action.get("txn"):
            self.batch_by_query[txn["appId"]] = int(txn["version"])
        if metadata := action.get("metaData"):
            self.configuration = dict(metadata.get("configuration") or {})
            self.schema = str(metadata.get("schemaString", ""))
        if newer := asks_too_much(action.get("protocol", {})):
            self.faults.append(Fault(newer))
        if info := action.get("commitInfo"):
            self.txn_id = str(info.get("txnId", ""))
            self.provenance = _provenance(action) or self.provenance


def tables_in(lake: LakePath) -> list[LakePath]:
    """Return every folder of the lake that has a Delta log, sorted by name."""
    return sorted(folder for folder in lake.iterdir() if (folder / LOG).is_dir())


def read_log(table: LakePath, read_checkpoint: ReadCheckpoint, excluded: Collection[LakePath] = ()) -> Log:
    """Read the table's newest state, or the faults of its log, as if the `excluded` files were gone."""
    files = list_log(table, excluded)
    log = Log(table, files.newest)
    log.faults += [*_pointer_faults(files, excluded), *faults(files)]
    if log.version < 0:
        log.faults.append(Fault("the log is empty"))
    if not log.faults:
        _read_state(log, files, read_checkpoint)
    if not log.faults:
        log.faults += _checksum_faults(log, files)
    return log


def missing_data(log: Log, deep: bool = False) -> list[str]:
    """Return a message for each live data file that is missing or of another size.

    With `deep`, also for those whose bytes differ from their checksum.
    """
    messages = []
    # One listing tells of all files: on an object store each question is a request.
    listed = {path.name: path for path in log.table.iterdir()} if log.files else {}
    for name, size in sorted(log.files.items()):
        path = listed.get(name) or log.table / name
        if not path.is_file():
            messages.append(f"{name} is missing")
        elif path.stat().st_size != size:
            messages.append(f"{name} has {path.stat().st_size:,} bytes instead of {size:,}")
        elif deep and not hadoop_checksum.matches(path):
            messages.append(f"{name} differs from its checksum")
    return messages


def _pointer_faults(files: LogFiles, excluded: Collection[LakePath]) -> list[Fault]:
    """Return the fault of a `_last_checkpoint` that names no whole log checkpoint."""
    path = files.folder / POINTER
    if not path.is_file() or path in excluded:
        return []
    content = _json(path.read_bytes())
    version = content.get("version") if isinstance(content, dict) else None
    if version in files.checkpoints:
        return []
    reason = f"names version {version}, of which there is no whole checkpoint"
    reason = "is empty or torn" if version is None else reason
    return [Fault(f"{POINTER} {reason}", _with_sidecar(path))]


def _read_state(log: Log, files: LogFiles, read_checkpoint: ReadCheckpoint) -> None:
    """Apply the newest log checkpoint, then every commit after it."""
    start = max(files.checkpoints, default=-1)
    for action in read_checkpoint(files.checkpoints[start]) if start >= 0 else ():
        log.take(action)
    for version in sorted(version for version in files.commits if version >= start):
        commit = actions(files.commits[version])
        if commit is None and version > start:
            log.faults.append(torn(files, version))
            return
        for action in commit or []:
            # A log checkpoint has all that its own commit has, except who made it and why.
            if version > start or "commitInfo" in action:
                log.take(action)
    # The provenance may be older than the log checkpoint; what a stream writes has none, and many versions.
    for version in sorted((version for version in files.commits if version < start), reverse=True):
        if log.provenance != Provenance() or log.batch_by_query:
            break
        provenances = map(_provenance, actions(files.commits[version]) or [])
        log.provenance = next(filter(None, provenances), Provenance())


def _checksum_faults(log: Log, files: LogFiles) -> list[Fault]:
    """Return the fault of a newest version that differs from its version checksum."""
    path = files.checksums.get(log.version)
    if path is None:
        return []
    checksum = _json(path.read_bytes())
    if not isinstance(checksum, dict):
        return [Fault(f"{path.name} is empty or torn", _with_sidecar(path))]
    number, size = len(log.files), sum(log.files.values())
    expected_number, expected_size = checksum["numFiles"], checksum["tableSizeBytes"]
    same_transaction = not log.txn_id or checksum.get("txnId", log.txn_id) == log.txn_id
    if (number, size) == (expected_number, expected_size) and same_transaction:
        listed = checksum.get("allFiles")
        if listed is None or {unquote(add["path"]): int(add["size"]) for add in listed} == log.files:
            return []
        message = f"the checksum of version {log.version} lists other files than the log"
        return [Fault(message, _with_sidecar(path))]
    message = (
        f"version {log.version} has {number} files of {size:,} bytes, its checksum says "
        f"{expected_number} of {expected_size:,}: a commit was replaced"
    )
    return [Fault(message, files.of(log.version))]


def _provenance(action: Action) -> Provenance | None:
    """Return the commit's provenance, where this action holds one that names a version of `records`."""
    provenance = Provenance.from_json(str(action.get("commitInfo", {}).get("userMetadata", "")))
    return provenance if provenance.records_version is not None else None


def _with_sidecar(path: LakePath) -> tuple[LakePath, ...]:
    """Return a file, and Hadoop's checksum of it where there is one."""
    return tuple(file for file in (path, sidecar_of(path)) if file.is_file())


def _json(text: str | bytes) -> Any:
    """Parse JSON. Returns None for what is not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None
