"""What `records` holds of each partition, which offsets it lacks, which it has twice: each asked of all partitions at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from surveylake.lake import timestamps
from surveylake.verify.broker import Range

MOST_HOLES = 1_000_000
"""ranges looked into; a table with more has another trouble"""
MOST_DOUBLES = 1_000
Place = tuple[int, int]
"""Epoch and partition."""


@dataclass(frozen=True)
class PartitionCoverage:
    """What the table holds of one epoch and partition."""

    epoch: int
    partition: int
    first: int
    last: int
    rows: int
    distinct: int
    """different offsets among the rows"""

    @property
    def place(self) -> Place:
        """Which epoch and partition."""
        return self.epoch, self.partition

    @property
    def where(self) -> str:
        """How a person calls it."""
        return f"epoch {self.epoch} partition {self.partition}"

    @property
    def lacking(self) -> int:
        """How many offsets between the first and the last have no row."""
        return self.last - self.first + 1 - self.distinct


def partition_coverage(records: DataFrame) -> list[PartitionCoverage]:
    """Each epoch and partition, exactly counted: every offset sets one bit of a bitmap, so doubles and holes show.

    The files' own statistics would be cheaper, and prove less: a file that holds one offset twice and lacks another has the
    same smallest, largest and number as a sound one.
    """
    bucket, bit = F.bitmap_bucket_number("offset"), F.bitmap_construct_agg(F.bitmap_bit_position("offset"))
    buckets = records.groupBy("epoch", "partition", bucket.alias("bucket")).agg(
        bit.alias("bits"),
        F.min("offset").alias("first"),
        F.max("offset").alias("last"),
        F.count("*").alias("rows"),
    )
    whole = buckets.groupBy("epoch", "partition").agg(
        F.min("first").alias("first"), F.max("last").alias("last"), F.sum("rows").alias("rows"),
        F.sum(F.bitmap_count("bits")).alias("distinct"),
    )  # fmt: skip
    columns = ("epoch", "partition", "first", "last", "rows", "distinct")
    return sorted(
        (PartitionCoverage(*(row[c] for c in columns)) for row in whole.collect()), key=lambda c: c.place
    )


def holes(records: DataFrame, found: Iterable[PartitionCoverage]) -> dict[Place, list[Range]]:
    """The ranges between first and last offset that have no row, ascending, of each place that has some."""
    wanted = [cover for cover in found if cover.lacking]
    if not wanted:
        return {}
    there = _of(records, wanted).select("epoch", "partition", "offset").distinct()
    after = F.lead("offset").over(Window.partitionBy("epoch", "partition").orderBy("offset"))
    steps = there.select("*", after.alias("next")).where("next > offset + 1")
    ranges: dict[Place, list[Range]] = {}
    for row in steps.orderBy("epoch", "partition", "offset").limit(MOST_HOLES).collect():
        ranges.setdefault((row["epoch"], row["partition"]), []).append((row["offset"] + 1, row["next"] - 1))
    return ranges


def doubles(records: DataFrame, found: Iterable[PartitionCoverage]) -> dict[Place, list[int]]:
    """Offsets that have more than one row, ascending, of each place that has some; MOST_DOUBLES in all."""
    wanted = [cover for cover in found if cover.rows != cover.distinct]
    if not wanted:
        return {}
    counted = _of(records, wanted).groupBy("epoch", "partition", "offset").count().where("count > 1")
    twice: dict[Place, list[int]] = {cover.place: [] for cover in wanted}
    for row in counted.orderBy("epoch", "partition", "offset").limit(MOST_DOUBLES).collect():
        twice[row["epoch"], row["partition"]].append(row["offset"])
    return twice


def without_time(records: DataFrame) -> list[tuple[Place, int, int]]:
    """Each place that has records without a time that can be shown: how many, and the first offset. Files' statistics pass over
    the rest."""
    found = records.where(timestamps.unshown("timestamp")).groupBy("epoch", "partition")
    rows = found.agg(F.count("*").alias("records"), F.min("offset").alias("first")).collect()
    return sorted(((row["epoch"], row["partition"]), row["records"], row["first"]) for row in rows)


def size(ranges: Sequence[Range]) -> int:
    """How many offsets ranges hold."""
    return sum(last - first + 1 for first, last in ranges)


def without(found: Sequence[Range], known: Sequence[Range]) -> list[Range]:
    """What is left of ranges when others are taken out of them."""
    left = list(found)
    for first, last in known:
        rest = [((a, min(b, first - 1)), (max(a, last + 1), b)) for a, b in left]
        left = [part for pair in rest for part in dict.fromkeys(pair) if part[0] <= part[1]]
    return left


def _of(records: DataFrame, wanted: Iterable[PartitionCoverage]) -> DataFrame:
    """The rows of some epochs and partitions."""
    partitions: dict[int, list[str]] = {}
    for cover in wanted:
        partitions.setdefault(cover.epoch, []).append(str(cover.partition))
    terms = [f"(epoch = {epoch} AND partition IN ({', '.join(of)}))" for epoch, of in partitions.items()]
    return records.where(" OR ".join(terms))
