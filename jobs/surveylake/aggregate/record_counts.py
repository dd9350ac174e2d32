"""The records at one version of `records`, counted by partition and by verdict."""

from dataclasses import dataclass, replace
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from surveylake import wording
from surveylake.aggregate import people
from surveylake.contract.model import Contract
from surveylake.errors import StorageError
from surveylake.lake import commits, end_offsets, table_history, tables
from surveylake.lake.provenance import Provenance
from surveylake.lake.records_table import OffsetRange
from surveylake.lake.tables import RECORDS, RESPONSES, Lake
from surveylake.paths import is_local
from surveylake.wording import examples


@dataclass(frozen=True)
class RecordCounts:
    """The records of one version, and how many there are."""

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
        counts: dict[str, int] = {}
        for failed, count in self.verdicts.items():
            for rule in failed:
                counts[rule] = counts.get(rule, 0) + count
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def how(self) -> str:
        """Words for after the version's number, on the version that was read in its place; empty when it was read itself."""
        if self.read_from is None:
            return ""
        return f" (which is gone: read from version {self.read_from}, up to the same offsets)"


def count(records: DataFrame, version: int) -> RecordCounts:
    """Count the records of a version by partition and by verdict, in one reading."""
    ranges: dict[tuple[str, int, int], OffsetRange] = {}
    verdicts: dict[tuple[str, ...], int] = {}
    for row in people.verdicts(records).collect():
        where, failed = (row["topic"], row["epoch"], row["partition"]), tuple(row["failed_rules"])
        so_far = ranges.get(where, OffsetRange(*where, row["first"], row["last"], 0))
        first, last = min(so_far.first, row["first"]), max(so_far.last, row["last"])
        ranges[where] = OffsetRange(*where, first, last, so_far.records + row["records"])
        verdicts[failed] = verdicts.get(failed, 0) + row["records"]
    ordered = sorted(ranges.values(), key=lambda each: (each.epoch, each.partition))
    return RecordCounts(version, records, tuple(ordered), verdicts)


def at_version(spark: SparkSession, lake: Lake, version: int) -> RecordCounts:
    """Count the records of a version. Reads the newest version that has the same rows.

    VACUUM may have removed the files of older ones. Raises StorageError when the log or the files are gone.
    """
    path = lake.table(RECORDS)
    try:
        same = table_history.same_rows(spark, path, version)
        # Looked at first where that is quick: Spark finds it too, and prints a trace for each file.
        missing = _missing(spark, path, same) if is_local(path) and same < tables.version(spark, path) else []
        if not missing:
            return count(tables.read(spark, path, same), version)
        message, cause = f"its data is gone, {examples(missing)}", None
    except commits.FAILURES as error:
        message, cause = wording.first_line(error), error
    raise StorageError(
        f"version {version} of {path} cannot be read: {message}",
        "Its log or its files were removed. Run jobs/aggregate.py without --version, then jobs/export.py.",
    ) from cause


def _missing(spark: SparkSession, path: str, version: int) -> list[str]:
    files = commits.files_at(spark, path, version)
    return sorted(file for file in files if not Path(path, file).is_file())


def at_provenance(spark: SparkSession, lake: Lake, provenance: Provenance) -> RecordCounts:
    """Count the records of the version that a provenance names.

    Where VACUUM removed that version, reads the rows of the newest version before the provenance's ends; `read_from` is then
    that version. Does not compare their verdicts: see `require_the_same`. Raises StorageError.
    """
    version, path = provenance.records_version, lake.table(RECORDS)
    assert version is not None
    try:
        return at_version(spark, lake, version)
    except StorageError:
        newest = tables.version(spark, path)
        if provenance.ends is None or newest == version:
            raise
    rows = tables.read(spark, path, newest).where(end_offsets.before_by_epoch(provenance.ends))
    return replace(count(rows, version), read_from=newest)


def require_the_same(
    spark: SparkSession, lake: Lake, contract: Contract, counts: RecordCounts, responses_version: int
) -> None:
    """Raise StorageError when rows read in place of a removed version were validated again since `responses` was made.

    Where the log still shows that `records` only grew, compares nothing; else compares a digest of every participant's answer.
    """
    path = lake.table(RECORDS)
    if table_history.change(spark, path, counts.version, tables.version(spark, path)) != "other":
        return
    published = tables.read(spark, lake.table(RESPONSES), responses_version)
    then, now = (
        people.digest(frame, contract.key) for frame in (published, people.latest(counts.records, contract))
    )
    if then != now:
        raise StorageError(
            f"version {counts.version} of {path}{counts.how} was judged again since {RESPONSES} was made from it",
            "Run jobs/aggregate.py, then this again.",
        )
