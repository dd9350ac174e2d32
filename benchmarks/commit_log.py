"""A Delta table's commits, from the plain files of its log: when each became visible and which files it added."""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote


@dataclass(frozen=True)
class Added:
    """One data file that a commit added."""

    path: Path
    size: int
    rows: int


@dataclass(frozen=True)
class Commit:
    """One version that added rows. `time` is when its file was written, seconds since 1970."""

    version: int
    time: float
    files: tuple[Added, ...]

    @property
    def rows(self) -> int:
        """Rows that came with it."""
        return sum(file.rows for file in self.files)


def commits(table: Path, after: int = -1) -> list[Commit]:
    """The versions past `after` that brought new rows, in order; those that only rearranged files are left out."""
    found = []
    for path in sorted((table / "_delta_log").glob("[0-9]*.json")):
        version = int(path.stem)
        if version <= after:
            continue
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        adds = [line["add"] for line in lines if "add" in line and line["add"]["dataChange"]]
        if adds:
            files = tuple(
                Added(table / unquote(add["path"]), add["size"], json.loads(add["stats"])["numRecords"])
                for add in adds
            )
            found.append(Commit(version, path.stat().st_mtime, files))
    return found
