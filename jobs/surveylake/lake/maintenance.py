"""Maintenance of a table: the small files it has, and log checkpoints."""

import json

from pyspark.sql import SparkSession

from surveylake.lake import commits, folders
from surveylake.lake.compaction import MIN_SIZE, Files


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


def checkpoint(spark: SparkSession, path: str) -> int:
    """Write a log checkpoint of the newest version unless it has one; Delta removes expired commits with it.

    Returns the number of commits since the log checkpoint before; 0 when nothing was written.
    """
    snapshot = commits.snapshot(spark, path)
    count = int(snapshot.logSegment().deltas().size())
    if count:
        snapshot.deltaLog().checkpointAndCleanUpDeltaLog(snapshot, commits.jvm(spark).scala.Option.empty())
    return count
