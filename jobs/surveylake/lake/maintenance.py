"""Fewer and larger files: compaction, and log checkpoints."""

import json
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import SparkSession

from surveylake import sql
from surveylake.lake import commits, folders
from surveylake.lake.fsync import SyncBarrier
from surveylake.paths import is_local

MIN_SIZE = "spark.databricks.delta.optimize.minFileSize"


@dataclass(frozen=True)
class Files:
    """Some data files of a table."""

    count: int
    bytes: int

    def __str__(self) -> str:
        return f"{self.count:,} file{'' if self.count == 1 else 's'} ({self.bytes / 1e6:,.1f} MB)"


@dataclass(frozen=True)
class Compaction:
    """What was taken together into what."""

    before: Files
    after: Files

    def __str__(self) -> str:
        if not self.before.count:
            return "no small files to take together"
        return f"{self.before} taken together into {self.after}"


def small_files(spark: SparkSession, path: str) -> Files | None:
    """The files that compaction would take together, from the checksum Delta leaves with each version: no Spark job runs.

    Of the version that this process saw last; None where that has no checksum. Counted by Delta's bins: a file as large as the
    limit may count as small.
    """
    snapshot = commits.last_seen(spark, path)
    said = folders.log_text(spark, path, f"{snapshot.version():020d}.crc")
    histogram = json.loads(said).get("fileSizeHistogram") if said else None
    if histogram is None:
        return None
    limit = int(spark.conf.get(MIN_SIZE) or 0)
    bins = zip(
        histogram["sortedBinBoundaries"], histogram["fileCounts"], histogram["totalBytes"], strict=True
    )
    small = [(count, size) for begin, count, size in bins if begin < limit]
    return Files(sum(count for count, _ in small), sum(size for _, size in small))


def compact(spark: SparkSession, path: str) -> Compaction:
    """Take small files together, in one commit that changes no row; sizes in conf/spark-defaults.conf. May run beside appends.

    On this machine it returns when the new files are on the disk: VACUUM may remove the old ones from now on.
    """
    barrier = SyncBarrier(Path(path), Path(path)) if is_local(path) else None
    row = spark.sql(f"OPTIMIZE delta.{sql.name(path)}").first()
    if barrier:
        barrier.sync()
    found = row["metrics"] if row else {}
    before, after = found["filesRemoved"], found["filesAdded"]
    return Compaction(
        Files(before["totalFiles"], before["totalSize"]), Files(after["totalFiles"], after["totalSize"])
    )


def checkpoint(spark: SparkSession, path: str) -> int:
    """Write a log checkpoint of the newest version unless it has one; commits before it. Delta removes expired ones with it."""
    snapshot = commits.snapshot(spark, path)
    count = int(snapshot.logSegment().deltas().size())
    if count:
        snapshot.deltaLog().checkpointAndCleanUpDeltaLog(snapshot, commits.jvm(spark).scala.Option.empty())
    return count
