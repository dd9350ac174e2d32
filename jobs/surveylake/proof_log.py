"""Is a Delta table's log whole? Read file by file in plain Python: Spark passes over an empty newest commit in silence.

Witnesses used, none of which a reader consults: the checksum that Hadoop's local file system leaves beside each file
(`.NAME.crc`), and Delta's own version checksum (`N.crc`: transaction, number and size of the files at that version).
"""

import json
import re
import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from surveylake.proof import some

LOG = "_delta_log"
VERSION_FILE = re.compile(r"(\d{20})\.(json|crc|checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet)")
SIDECAR = re.compile(r"\.(\d{20})\.json\.crc")
Action = dict[str, Any]
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
    note: Action = field(default_factory=dict)
    """the newest note that names a version of `records`"""
    configuration: dict[str, str] = field(default_factory=dict)
    """the table's properties; empty when they are in a log checkpoint only"""
    faults: list[str] = field(default_factory=list)
    txn_id: str = ""
    """Delta's id of the newest commit's transaction"""

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
        if info := action.get("commitInfo"):
            self.txn_id = str(info.get("txnId", ""))
            note = _json(str(info.get("userMetadata", "")))
            self.note = note if isinstance(note, dict) and "records_version" in note else self.note


def tables_in(lake: Path) -> list[Path]:
    """Every folder of the lake that has a Delta log, by name."""
    return sorted(folder for folder in lake.iterdir() if (folder / LOG).is_dir())


def read_log(table: Path, read_checkpoint: ReadCheckpoint) -> Log:
    """The table's newest state; its `faults` say what is wrong, and with any of them the state is not to be trusted."""
    log = Log(table)
    listed: dict[str, dict[int, list[Path]]] = {"json": {}, "crc": {}, "checkpoint": {}}
    expected: dict[int, int] = {}
    for path in sorted((table / LOG).iterdir()):
        if found := VERSION_FILE.fullmatch(path.name):
            listed[found[2].split(".")[0]].setdefault(int(found[1]), []).append(path)
            expected[int(found[1])] = int(found[4] or 1)
    whole = [version for version, parts in listed["checkpoint"].items() if len(parts) == expected[version]]
    log.version = max([*listed["json"], *whole], default=-1)
    _pointer(log, whole)
    start = _from_checkpoint(log, listed["checkpoint"], whole, read_checkpoint)
    if log.version < 0:
        log.faults.append("the log is empty")
    _commits(log, {version: paths[0] for version, paths in listed["json"].items()}, start)
    _newest(log, sorted(listed["crc"]))
    return log


def missing_data(log: Log, deep: bool = False) -> list[str]:
    """Live data files that are gone, or of another size; with `deep`, also those whose bytes differ from their checksum."""
    faults = []
    for name, size in sorted(log.files.items()):
        path = log.table / name
        if not path.is_file():
            faults.append(f"{name} is missing")
        elif path.stat().st_size != size:
            faults.append(f"{name} has {path.stat().st_size:,} bytes instead of {size:,}")
        elif deep and not matches_checksum(path):
            faults.append(f"{name} differs from its checksum")
    return faults


def matches_checksum(path: Path) -> bool:
    """Whether a file's bytes are what Hadoop wrote down beside it (CRC-32 of every 512 bytes); True where it wrote nothing."""
    sidecar = path.with_name(f".{path.name}.crc")
    if not sidecar.is_file():
        return True
    kept = sidecar.read_bytes()
    if kept[:4] != b"crc\0" or len(kept) < 8:
        return False
    step, count = struct.unpack(">i", kept[4:8])[0], (len(kept) - 8) // 4
    sums = []
    with path.open("rb") as file:
        while block := file.read(step):
            sums.append(zlib.crc32(block))
    return sums == list(struct.unpack(f">{count}I", kept[8:]))


def _pointer(log: Log, whole: list[int]) -> None:
    """`_last_checkpoint`, when there is one, names a checkpoint that is there."""
    path = log.table / LOG / "_last_checkpoint"
    if path.is_file():
        content = _json(path.read_text(encoding="utf-8", errors="replace"))
        named = content.get("version") if isinstance(content, dict) else None
        if named is None:
            log.faults.append("_last_checkpoint is empty or torn")
        elif named not in whole:
            log.faults.append(
                f"_last_checkpoint names version {named}, of which there is no whole checkpoint"
            )


def _from_checkpoint(log: Log, parts: dict[int, list[Path]], whole: list[int], read: ReadCheckpoint) -> int:
    """Take in the newest whole log checkpoint; the first version to read after it."""
    if not whole:
        return 0
    newest = max(whole)
    bad = [path.name for path in parts[newest] if not path.stat().st_size or not matches_checksum(path)]
    if bad:
        log.faults.append(f"log checkpoint {some(bad)} is empty or torn")
        return newest + 1
    for action in read(parts[newest]):
        log.take(action)
    return newest + 1


def _commits(log: Log, commits: dict[int, Path], start: int) -> None:
    """Take in every commit from version `start` on: all there, none empty, none torn."""
    missing = [version for version in range(start, log.version + 1) if version not in commits]
    if missing:
        log.faults.append(f"commit of version {some(missing)} is missing")
    for version in sorted(version for version in commits if version >= start):
        path = commits[version]
        actions = [_json(line) for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
        if not actions:
            log.faults.append(
                f"commit {path.name} is empty: what it added is not read, and no reader says so"
            )
        elif not all(isinstance(action, dict) for action in actions) or not matches_checksum(path):
            log.faults.append(f"commit {path.name} is torn")
        else:
            for action in actions:
                log.take(action)


def _newest(log: Log, checksums: list[int]) -> None:
    """No trace of a version after the newest, and the newest is what its version checksum says."""
    folder = log.table / LOG
    traces = {int(found[1]) for path in folder.iterdir() if (found := SIDECAR.fullmatch(path.name))} | set(
        checksums
    )
    if gone := sorted(version for version in traces if version > log.version):
        log.faults.append(f"commit of version {some(gone)} was there and is gone: its checksum is left")
    if log.version not in checksums or log.faults:
        return
    said = _json((folder / f"{log.version:020d}.crc").read_text(encoding="utf-8", errors="replace"))
    if not isinstance(said, dict):
        log.faults.append(f"{log.version:020d}.crc is empty or torn")
        return
    live = (len(log.files), sum(log.files.values()))
    if live != (said["numFiles"], said["tableSizeBytes"]) or said.get("txnId", log.txn_id) != log.txn_id:
        log.faults.append(
            f"version {log.version} has {live[0]} files of {live[1]:,} bytes, its checksum says "
            f"{said['numFiles']} of {said['tableSizeBytes']:,}: a commit was replaced"
        )


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
