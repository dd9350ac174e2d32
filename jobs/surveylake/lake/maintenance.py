"""Maintenance of a table: compaction of small files, and log checkpoints."""

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
    """The files that one compaction replaced, and the files it wrote."""

    before: Files
    after: Files

    def __str__(self) -> str:
        if not self.before.count:
            return "no small files to take together"
        return f"{self.before} taken together into {self.after}"


def small_files(spark: SparkSession, path: str) -> Files | None:
    """Return the files that compaction would merge, from Delta's version checksum: no Spark job runs.

    They are those of the version that this process saw last. They are counted by Delta's bins of sizes, so a file as large as
    the limit may count as small. Returns None where that version has no checksum.
    """
    snapshot = commits.last_seen(spark, path)
    text = folders.log_text(spark, path, f"{snapshot.version():020d}.crc")
    histogram = json.loads(text).get("fileSizeHistogram") if text else None
    if histogram is None:
        return None
    limit = int(spark.conf.get(MIN_SIZE) or 0)
    bins = zip(
        histogram["sortedBinBoundaries"], histogram["fileCounts"], histogram["totalBytes"], strict=True
    )
    small = [(count, size) for begin, count, size in bins if begin < limit]
    return Files(sum(count for count, _ in small), sum(size for _, size in small))


def compact(spark: SparkSession, path: str) -> Compaction:
    """OPTIMIZE: merge small files in one commit that changes no row. May run beside appends.

    The sizes are in conf/spark-defaults.conf. In a local lake the new files are fsynced before it returns, since VACUUM may
    remove the old ones from then on.
    """
    barrier = SyncBarrier(Path(path), Path(path)) if is_local(path) else None
    row = spark.sql(f"OPTIMIZE delta.{sql.name(path)}").first()
    if barrier:
        barrier.sync()
    metrics = row["metrics"] if row else {}
    before, after = metrics["filesRemoved"], metrics["filesAdded"]
    return Compaction(
        Files(before["totalFiles"], before["totalSize"]), Files(after["totalFiles"], after["totalSize"])
    )


def checkpoint(spark: SparkSession, path: str) -> int:
    """Write a log checkpoint of the newest version unless it has one; Delta removes expired commits with it.

    Returns the number of commits since the log checkpoint before; 0 when nothing was written.
    """
    snapshot = commits.snapshot(spark, path)
    count = int(snapshot.logSegment().deltas().size())
    if count:
        snapshot.deltaLog().checkpointAndCleanUpDeltaLog(snapshot, commits.jvm(spark).scala.Option.empty())
    return count
