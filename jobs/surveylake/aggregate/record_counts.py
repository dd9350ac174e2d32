"""The table `records` at one version: how much of each partition it holds, and with what verdict."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from surveylake import wording
from surveylake.aggregate import people
from surveylake.contract.model import Contract
from surveylake.errors import StorageError
from surveylake.lake import commits, end_offsets, table_history, tables
from surveylake.lake.records_table import OffsetRange
from surveylake.lake.tables import RECORDS, RESPONSES, Lake
from surveylake.paths import is_local
from surveylake.wording import examples

ENDS = "ends"
"""In a note: epoch -> partition -> the offset after the last that was taken; keys are texts, as JSON has them."""


@dataclass(frozen=True)
class RecordCounts:
    """What `records` holds at one version."""

    version: int
    records: DataFrame
    offsets: tuple[OffsetRange, ...]
    """by epoch and partition"""
    verdicts: dict[tuple[str, ...], int]
    """failed rules -> records"""
    read_from: int | None = None
    """the newer version whose rows up to the same offsets these are, where the version itself is gone"""

    @property
    def accepted(self) -> int:
        """Records that failed no rule."""
        return self.verdicts.get((), 0)

    @property
    def by_rule(self) -> dict[str, int]:
        """Reason -> records, the most frequent first; a record that fails two rules counts in both."""
        found: dict[str, int] = {}
        for failed, count in self.verdicts.items():
            for rule in failed:
                found[rule] = found.get(rule, 0) + count
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    @property
    def how(self) -> str:
        """How it was read, in words for after the version's number; empty when it was the version itself."""
        if self.read_from is None:
            return ""
        return f" (which is gone: read from version {self.read_from}, up to the same offsets)"


def held(records: DataFrame, version: int) -> RecordCounts:
    """Every record's coordinates and verdict, read once."""
    ranges: dict[tuple[str, int, int], OffsetRange] = {}
    verdicts: dict[tuple[str, ...], int] = {}
    for row in people.verdicts(records).collect():
        where, failed = (row["topic"], row["epoch"], row["partition"]), tuple(row["failed_rules"])
        known = ranges.get(where, OffsetRange(*where, row["first"], row["last"], 0))
        first, last = min(known.first, row["first"]), max(known.last, row["last"])
        ranges[where] = OffsetRange(*where, first, last, known.records + row["records"])
        verdicts[failed] = verdicts.get(failed, 0) + row["records"]
    ordered = sorted(ranges.values(), key=lambda found: (found.epoch, found.partition))
    return RecordCounts(version, records, tuple(ordered), verdicts)


def at_version(spark: SparkSession, lake: Lake, version: int) -> RecordCounts:
    """What `records` held at a version, read from the newest version that has the same rows.

    VACUUM may have removed the files of older ones. Raises StorageError when the log or the files are gone.
    """
    path = lake.table(RECORDS)
    try:
        same = table_history.same_rows(spark, path, version)
        # Looked at first where that is quick: Spark finds it too, and prints a trace for each file.
        gone = _missing(spark, path, same) if is_local(path) and same < tables.version(spark, path) else []
        if not gone:
            return held(tables.read(spark, path, same), version)
        said, cause = f"its data is gone, {examples(gone)}", None
    except commits.FAILURES as error:
        said, cause = wording.first_line(error), error
    raise StorageError(
        f"version {version} of {path} cannot be read: {said}",
        "Its log or its files were removed. Run jobs/aggregate.py without --version, then jobs/export.py.",
    ) from cause


def _missing(spark: SparkSession, path: str, version: int) -> list[str]:
    files = commits.files_at(spark, path, version)
    return sorted(file for file in files if not Path(path, file).is_file())


def noted(spark: SparkSession, lake: Lake, note: dict[str, Any]) -> RecordCounts:
    """What `records` held at the version that a note names.

    Where that version is gone, the note's offsets say which rows of the newest version these were; `read_from` names it then.
    Whether their verdicts are the same since is for the caller to find out: `require_the_same`. Raises StorageError.
    """
    version, path = int(note["records_version"]), lake.table(RECORDS)
    try:
        return at_version(spark, lake, version)
    except StorageError:
        newest = tables.version(spark, path)
        if ENDS not in note or newest == version:
            raise
    until = {int(e): {int(p): end for p, end in of.items()} for e, of in note[ENDS].items()}
    rows = tables.read(spark, path, newest).where(end_offsets.before_by_epoch(until))
    return replace(held(rows, version), read_from=newest)


def require_the_same(spark: SparkSession, lake: Lake, contract: Contract, seen: RecordCounts) -> None:
    """Raise StorageError when the rows that stand in for a version that is gone were judged again since `responses` was made.

    Where the log still tells that `records` only grew, nothing is compared; else each participant's answer is.
    """
    path = lake.table(RECORDS)
    if table_history.change(spark, path, seen.version, tables.version(spark, path)) != "other":
        return
    published = tables.read(spark, lake.table(RESPONSES))
    then, now = (
        people.digest(frame, contract.key) for frame in (published, people.latest(seen.records, contract))
    )
    if then != now:
        raise StorageError(
            f"version {seen.version} of {path}{seen.how} was judged again since {RESPONSES} was made from it",
            "Run jobs/aggregate.py, then this again.",
        )
