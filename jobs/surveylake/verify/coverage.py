"""Coverage of `records`: the offsets that each partition holds, lacks, or has twice; one query for all partitions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from surveylake.lake import timestamps
from surveylake.verify.broker import Range

MOST_HOLES = 1_000_000
"""ranges that are examined; a table with more has another problem"""
MOST_DOUBLES = 1_000
WORD = 64
"""bits of a bigint"""
Place = tuple[int, int]
"""Epoch and partition."""


@dataclass(frozen=True)
class PartitionCoverage:
    """The rows of one epoch and partition in the table."""

    epoch: int
    partition: int
    first: int
    last: int
    rows: int
    distinct: int
    """different offsets among the rows"""

    @property
    def place(self) -> Place:
        """Epoch and partition."""
        return self.epoch, self.partition

    @property
    def where(self) -> str:
        """Label for messages, such as `epoch 1 partition 0`."""
        return f"epoch {self.epoch} partition {self.partition}"

    @property
    def lacking(self) -> int:
        """Number of offsets between the first and the last without a row."""
        return self.last - self.first + 1 - self.distinct


def partition_coverage(records: DataFrame) -> list[PartitionCoverage]:
    """Count the offsets of each epoch and partition exactly: every offset sets one bit, so doubles and holes show.

    The files' own statistics would be cheaper and prove less: a file that holds one offset twice and lacks another has the same
    minimum, maximum and count as a sound one. The bits of WORD offsets are one number, which Spark collects in a hash table; a
    longer bitmap would make it sort all rows first.
    Returns one coverage per epoch and partition, in that order.
    """
    word, bit = F.expr(f"`offset` DIV {WORD}"), F.expr(f"shiftleft(1L, CAST(`offset` % {WORD} AS INT))")
    words = records.groupBy("epoch", "partition", word.alias("word")).agg(
        F.bit_or(bit).alias("bits"),
        F.min("offset").alias("first"),
        F.max("offset").alias("last"),
        F.count("*").alias("rows"),
    )
    whole = words.groupBy("epoch", "partition").agg(
        F.min("first").alias("first"), F.max("last").alias("last"), F.sum("rows").alias("rows"),
        F.sum(F.bit_count("bits")).alias("distinct"),
    )  # fmt: skip
    columns = ("epoch", "partition", "first", "last", "rows", "distinct")
    return sorted(
        (PartitionCoverage(*(row[c] for c in columns)) for row in whole.collect()), key=lambda c: c.place
    )


def holes(records: DataFrame, coverages: Iterable[PartitionCoverage]) -> dict[Place, list[Range]]:
    """Return the ranges without a row between first and last offset, ascending, of each place with some; MOST_HOLES in all."""
    incomplete = [coverage for coverage in coverages if coverage.lacking]
    if not incomplete:
        return {}
    offsets = _rows_of(records, incomplete).select("epoch", "partition", "offset").distinct()
    after = F.lead("offset").over(Window.partitionBy("epoch", "partition").orderBy("offset"))
    steps = offsets.select("*", after.alias("next")).where("next > offset + 1")
    ranges: dict[Place, list[Range]] = {}
    for row in steps.orderBy("epoch", "partition", "offset").limit(MOST_HOLES).collect():
        ranges.setdefault((row["epoch"], row["partition"]), []).append((row["offset"] + 1, row["next"] - 1))
    return ranges


def doubles(records: DataFrame, coverages: Iterable[PartitionCoverage]) -> dict[Place, list[int]]:
    """Return the offsets with more than one row, ascending, of each place that has some; MOST_DOUBLES in all."""
    doubled = [coverage for coverage in coverages if coverage.rows != coverage.distinct]
    if not doubled:
        return {}
    counted = _rows_of(records, doubled).groupBy("epoch", "partition", "offset").count().where("count > 1")
    twice: dict[Place, list[int]] = {coverage.place: [] for coverage in doubled}
    for row in counted.orderBy("epoch", "partition", "offset").limit(MOST_DOUBLES).collect():
        twice[row["epoch"], row["partition"]].append(row["offset"])
    return twice


def without_time(records: DataFrame) -> list[tuple[Place, int, int]]:
    """Return (place, number, first offset) of each place that has records whose time cannot be shown.

    Files without such a record are skipped by their statistics.
    """
    by_place = records.where(timestamps.unshown("timestamp")).groupBy("epoch", "partition")
    rows = by_place.agg(F.count("*").alias("records"), F.min("offset").alias("first")).collect()
    return sorted(((row["epoch"], row["partition"]), row["records"], row["first"]) for row in rows)


def size(ranges: Sequence[Range]) -> int:
    """Return the number of offsets in ranges."""
    return sum(last - first + 1 for first, last in ranges)


def without(ranges: Sequence[Range], excluded: Sequence[Range]) -> list[Range]:
    """Return what remains of ranges without the excluded ones."""
    remaining = list(ranges)
    for first, last in excluded:
        pairs = [((a, min(b, first - 1)), (max(a, last + 1), b)) for a, b in remaining]
        remaining = [part for pair in pairs for part in dict.fromkeys(pair) if part[0] <= part[1]]
    return remaining


def _rows_of(records: DataFrame, coverages: Iterable[PartitionCoverage]) -> DataFrame:
    """Return the rows of these epochs and partitions."""
    partitions: dict[int, list[str]] = {}
    for coverage in coverages:
        partitions.setdefault(coverage.epoch, []).append(str(coverage.partition))
    terms = [
        f"(epoch = {epoch} AND partition IN ({', '.join(numbers)}))" for epoch, numbers in partitions.items()
    ]
    return records.where(" OR ".join(terms))
