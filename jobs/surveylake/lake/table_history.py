"""What a table's commits say: the provenance of its rows, and whether its rows changed since a version."""

import json
from collections.abc import Collection, Iterator
from typing import Any, Literal
from urllib.parse import unquote

from pyspark.sql import SparkSession

from surveylake.lake import folders, tables
from surveylake.lake.provenance import Provenance

Change = Literal["same", "grown", "other"]
"""How the rows of two versions differ: the same rows, in whatever files; grown, by a stream's appends only; or any other way,
also when the log no longer has the commits."""


def provenance_of(spark: SparkSession, path: str, at: int | None = None) -> Provenance:
    """Return the provenance in the newest commit that changed rows, up to version `at`; an empty one when that commit has none.

    Compaction and changes of settings are passed over.
    """
    newest = tables.version(spark, path) if at is None else at
    for actions in _commits(spark, path, range(newest, -1, -1)):
        info: dict[str, Any] = next(
            (action["commitInfo"] for action in actions or [] if "commitInfo" in action), {}
        )
        if actions is None or _change(actions) != "same" or "userMetadata" in info:
            return Provenance.from_json(info.get("userMetadata") or "{}")
    return Provenance()


def metrics_of(spark: SparkSession, path: str) -> dict[str, Any]:
    """Return the operation metrics of the newest commit."""
    for actions in _commits(spark, path, range(tables.version(spark, path), -1, -1)):
        for action in actions or []:
            if "commitInfo" in action:
                return dict(action["commitInfo"].get("operationMetrics", {}))
        break
    return {}


def change(spark: SparkSession, path: str, since: int, until: int) -> Change:
    """Return how the rows of version `until` differ from those of version `since`."""
    total: Change = "same" if since <= until else "other"
    for actions in _commits(spark, path, range(since + 1, until + 1)):
        step = "other" if actions is None else _change(actions)
        if step == "other":
            return step
        total = step if step == "grown" else total
    return total


def same_rows(spark: SparkSession, path: str, version: int) -> int:
    """Return the newest version with the same rows as `version`: VACUUM removes files that were compacted since."""
    for actions in _commits(spark, path, range(version + 1, tables.version(spark, path) + 1)):
        if actions is None or _change(actions) != "same":
            break
        version += 1
    return version


def replaced_since(spark: SparkSession, path: str, version: int, since: int) -> set[str]:
    """Return the files that this version or an earlier one replaced at `since` (ms since 1970) or later.

    The search ends where the log no longer has the commits.
    """
    replaced: set[str] = set()
    for actions in _commits(spark, path, range(version, -1, -1)):
        removed = [action["remove"] for action in actions or [] if "remove" in action]
        replaced |= {unquote(file["path"]) for file in removed if file.get("deletionTimestamp", 0) >= since}
        if _before(actions or [], since):
            break
    return replaced


def unnamed_since(spark: SparkSession, path: str, files: Collection[str], since: int) -> set[str]:
    """Return those of the files that no commit of `since` (ms since 1970) or later has added or replaced, nor the one before.

    Reads no more commits than it takes to find all of them.
    """
    unnamed, commits = set(files), _commits(spark, path, range(tables.version(spark, path), -1, -1))
    while unnamed and (actions := next(commits, None)) is not None:
        unnamed -= {
            unquote(each[kind]["path"]) for each in actions for kind in ("add", "remove") if kind in each
        }
        if _before(actions, since):
            break
    return unnamed


def _before(actions: list[dict[str, Any]], since: int) -> bool:
    """Return whether a commit says that it was made before `since` (ms since 1970)."""
    return any(
        action["commitInfo"].get("timestamp", 0) < since for action in actions if "commitInfo" in action
    )


def _change(actions: list[dict[str, Any]]) -> Change:
    """Return what one commit did. Compaction marks its files as no change of data; a stream's commit has a `txn` action."""
    if any(action["remove"].get("dataChange", True) for action in actions if "remove" in action):
        return "other"
    if not any(action["add"]["dataChange"] for action in actions if "add" in action):
        return "same"
    return "grown" if any("txn" in action for action in actions) else "other"


def _commits(spark: SparkSession, path: str, versions: range) -> Iterator[list[dict[str, Any]] | None]:
    """Yield the actions of each version's commit; None, then nothing more, where the log no longer has it."""
    for version in versions:
        text = folders.log_text(spark, path, f"{version:020d}.json")
        if text is None:
            yield None
            return
        yield [json.loads(line) for line in text.splitlines() if line]
