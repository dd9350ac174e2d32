"""Where each partition of `records` ends: by the statistics of the table's files where they can tell, else by its rows.

A start of the stream asks this, and is not to read a table of hundreds of millions of rows for it.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from surveylake.lake import commits, end_offsets, listed_files, tables

Place = tuple[int, int]
"""Epoch and partition."""
SHAPE = (
    "numRecords bigint, minValues struct<partition: int>, maxValues struct<partition: int, `offset`: bigint>"
)


class NoStatisticsError(Exception):
    """A file of the table does not say which offsets it holds."""


@dataclass(frozen=True)
class FileEnd:
    """What is known of a file, or of all files of the same partitions: none of its rows is at or after `end`."""

    first_partition: int
    last_partition: int
    end: int
    is_whole: bool
    """no row of it was deleted, so that its last one is there"""

    @property
    def is_exact(self) -> bool:
        """Whether `end` is that of its one partition."""
        return self.is_whole and self.first_partition == self.last_partition

    def unsure(self, ends: end_offsets.Ends) -> list[int]:
        """Return the partitions that may go further in this file than these ends."""
        if self.is_exact:
            return []
        partitions = range(self.first_partition, self.last_partition + 1)
        return [partition for partition in partitions if self.end > ends.get(partition, 0)]


def table_ends(spark: SparkSession, path: str, epochs: Collection[int]) -> dict[Place, int]:
    """Return (epoch, partition) -> the offset after the last that the table holds, in that order.

    `epochs` are those that the table's properties name; a table of none is no stream's. Files have no statistics of them, so
    with several the rows are read.
    """
    if not epochs:
        return {}
    if len(epochs) == 1:
        try:
            ends = _by_statistics(spark, path)
        except NoStatisticsError:
            pass
        else:
            return {(epoch, partition): ends[partition] for epoch in epochs for partition in sorted(ends)}
    rows = tables.read(spark, path).groupBy("epoch", "partition").agg(F.max("offset").alias("last"))
    return {(r["epoch"], r["partition"]): r["last"] + 1 for r in rows.orderBy("epoch", "partition").collect()}


def _by_statistics(spark: SparkSession, path: str) -> dict[int, int]:
    """Return partition -> end. Rows are read only of files that may go further than those of one partition alone.

    Raises NoStatisticsError for a file without statistics.
    """
    newest = commits.snapshot(spark, path)
    files = list(_files(spark, newest))
    ends: dict[int, int] = {}
    for file in filter(lambda file: file.is_exact, files):
        ends[file.first_partition] = max(ends.get(file.first_partition, 0), file.end)
    if unsure := {partition for file in files for partition in file.unsure(ends)}:
        begins = {partition: ends.get(partition, 0) for partition in {*ends, *unsure}}
        rows = tables.read(spark, path, newest.version()).where(end_offsets.from_on(begins, unsure))
        for row in rows.groupBy("partition").agg(F.max("offset").alias("last")).collect():
            ends[row["partition"]] = row["last"] + 1
    return ends


def _files(spark: SparkSession, snapshot: Any) -> Iterator[FileEnd]:
    """Yield what is known of the files that have rows. Raises NoStatisticsError."""
    listed = listed_files.listed(spark, snapshot)
    if listed is None:
        yield from _by_log(DataFrame(snapshot.allFiles().toDF(), spark))
        return
    for file in commits.as_java(spark, listed):
        statistics = json.loads(file.stats() or "{}")
        if statistics.get("numRecords") != 0:
            least, most = statistics.get("minValues", {}), statistics.get("maxValues", {})
            yield _known(
                least.get("partition"),
                most.get("partition"),
                most.get("offset"),
                file.deletionVector() is None,
            )


def _by_log(files: DataFrame) -> Iterator[FileEnd]:
    """Yield the same from Delta's state of a log of many files, those of the same partitions as one."""
    known = files.select(
        F.from_json("stats", SHAPE).alias("of"), F.col("deletionVector").isNull().alias("whole")
    )
    known = known.where("of.numRecords IS DISTINCT FROM 0").selectExpr(
        "of.minValues.partition AS first", "of.maxValues.partition AS last", "of.maxValues.`offset` AS offset", "whole"
    )  # fmt: skip
    groups = known.groupBy("first", "last", "whole", F.col("offset").isNull().alias("unknown"))
    for row in groups.agg(F.max("offset").alias("offset")).collect():
        yield _known(row["first"], row["last"], row["offset"], row["whole"])


def _known(first: int | None, last: int | None, offset: int | None, is_whole: bool) -> FileEnd:
    if first is None or last is None or offset is None:
        raise NoStatisticsError
    return FileEnd(first, last, offset + 1, is_whole)
