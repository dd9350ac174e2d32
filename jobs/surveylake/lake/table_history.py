"""What a table's commits say: the provenance of its rows, and whether its rows changed since a version."""

import json
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import unquote

from pyspark.sql import SparkSession

from surveylake.lake import folders, tables
from surveylake.lake.provenance import Provenance

Change = Literal["same", "grown", "other"]
"""Of the rows between two versions: the same, whatever files they lie in; some more, by a stream and nothing else; or other,
which is also said when the log no longer tells."""


def provenance_of(spark: SparkSession, path: str) -> Provenance:
    """Return the provenance in the newest commit that changed rows; an empty one when that commit has none.

    Compaction and changes of settings are passed over.
    """
    for actions in _commits(spark, path, range(tables.version(spark, path), -1, -1)):
        info: dict[str, Any] = next(
            (action["commitInfo"] for action in actions or [] if "commitInfo" in action), {}
        )
        if actions is None or _change(actions) != "same" or "userMetadata" in info:
            return Provenance.from_json(info.get("userMetadata") or "{}")
    return Provenance()


def metrics_of(spark: SparkSession, path: str) -> dict[str, Any]:
    """What the newest commit counted of itself."""
    for actions in _commits(spark, path, range(tables.version(spark, path), -1, -1)):
        for action in actions or []:
            if "commitInfo" in action:
                return dict(action["commitInfo"].get("operationMetrics", {}))
        break
    return {}


def change(spark: SparkSession, path: str, since: int, until: int) -> Change:
    """What happened to the rows after version `since`, up to and with version `until`."""
    found: Change = "same" if since <= until else "other"
    for actions in _commits(spark, path, range(since + 1, until + 1)):
        what = "other" if actions is None else _change(actions)
        if what == "other":
            return what
        found = what if what == "grown" else found
    return found


def same_rows(spark: SparkSession, path: str, version: int) -> int:
    """The newest version that has the same rows as `version`: VACUUM removes files that were compacted since."""
    for actions in _commits(spark, path, range(version + 1, tables.version(spark, path) + 1)):
        if actions is None or _change(actions) != "same":
            break
        version += 1
    return version


def replaced_since(spark: SparkSession, path: str, version: int, since: int) -> set[str]:
    """The files that were replaced at a time (ms since 1970) or later, by this version or one before, as far as the log tells."""
    found: set[str] = set()
    for actions in _commits(spark, path, range(version, -1, -1)):
        removed = [action["remove"] for action in actions or [] if "remove" in action]
        found |= {unquote(each["path"]) for each in removed if each.get("deletionTimestamp", 0) >= since}
        if any(
            action["commitInfo"].get("timestamp", 0) < since
            for action in actions or []
            if "commitInfo" in action
        ):
            break
    return found


def _change(actions: list[dict[str, Any]]) -> Change:
    """What one commit did. Compaction marks its files as no change of data; a stream's commit says which batch it is."""
    if any(action["remove"].get("dataChange", True) for action in actions if "remove" in action):
        return "other"
    if not any(action["add"]["dataChange"] for action in actions if "add" in action):
        return "same"
    return "grown" if any("txn" in action for action in actions) else "other"


def _commits(spark: SparkSession, path: str, versions: range) -> Iterator[list[dict[str, Any]] | None]:
    """The actions of each version's commit; None, and no more, where the log no longer keeps it."""
    for version in versions:
        text = folders.log_text(spark, path, f"{version:020d}.json")
        if text is None:
            yield None
            return
        yield [json.loads(line) for line in text.splitlines() if line]
