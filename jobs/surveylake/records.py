"""The table `records` at one version: how much of each partition it holds, and with what verdict."""

from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from surveylake import aggregates, history, tables
from surveylake.findings import OffsetRange
from surveylake.tables import RECORDS, Lake


@dataclass(frozen=True)
class Held:
    """What `records` holds at one version."""

    version: int
    records: DataFrame
    offsets: tuple[OffsetRange, ...]
    """by epoch and partition"""
    verdicts: dict[tuple[str, ...], int]
    """failed rules -> records"""

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


def records_at(spark: SparkSession, lake: Lake, version: int) -> DataFrame:
    """The rows of `records` at a version, read from the newest version that has the same: VACUUM may have removed the files
    of older ones."""
    path = lake.table(RECORDS)
    return tables.read(spark, path, history.same_rows(spark, path, version))


def held(records: DataFrame, version: int) -> Held:
    """Every record's coordinates and verdict, read once."""
    ranges: dict[tuple[str, int, int], OffsetRange] = {}
    verdicts: dict[tuple[str, ...], int] = {}
    for row in aggregates.verdicts(records).collect():
        where, failed = (row["topic"], row["epoch"], row["partition"]), tuple(row["failed_rules"])
        known = ranges.get(where, OffsetRange(*where, row["first"], row["last"], 0))
        first, last = min(known.first, row["first"]), max(known.last, row["last"])
        ranges[where] = OffsetRange(*where, first, last, known.records + row["records"])
        verdicts[failed] = verdicts.get(failed, 0) + row["records"]
    ordered = sorted(ranges.values(), key=lambda found: (found.epoch, found.partition))
    return Held(version, records, tuple(ordered), verdicts)
