"""Fewer and larger files: compaction, and log checkpoints."""

import json
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import SparkSession

from surveylake import sql
from surveylake.config import Config
from surveylake.lake import commits as transactions
from surveylake.lake import folders, tables
from surveylake.lake.fsync import Barrier
from surveylake.lake.tables import RECORDS, Lake

MIN_SIZE = "spark.databricks.delta.optimize.minFileSize"
NEAR = 10_000
"""Records of lag that are no backlog: about what the stream takes in within one short batch."""
GROUP = "surveylake compaction"
CANCEL_SECONDS = 0.2


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
    snapshot = transactions.last_seen(spark, path)
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
    barrier = Barrier(Path(path), Path(path)) if "://" not in path else None
    row = spark.sql(f"OPTIMIZE delta.{sql.name(path)}").first()
    if barrier:
        barrier.pass_()
    found = row["metrics"] if row else {}
    before, after = found["filesRemoved"], found["filesAdded"]
    return Compaction(
        Files(before["totalFiles"], before["totalSize"]), Files(after["totalFiles"], after["totalSize"])
    )


def checkpoint(spark: SparkSession, path: str) -> int:
    """Write a log checkpoint of the newest version unless it has one; commits before it. Delta removes expired ones with it."""
    snapshot = transactions.snapshot(spark, path)
    commits = int(snapshot.logSegment().deltas().size())
    if commits:
        snapshot.deltaLog().checkpointAndCleanUpDeltaLog(
            snapshot, transactions.jvm(spark).scala.Option.empty()
        )
    return commits


class Housekeeper:
    """Compacts `records` in the background while its stream has next to nothing to do; used by the stream's own thread.

    In the stream's process it needs no lock: Delta lets a compaction and appends pass each other. On a local file system
    that holds only while both commit through one log object, which excludes its users from one another; so where Delta
    has made another in the meantime, nothing is compacted.
    """

    def __init__(self, spark: SparkSession, lake: Lake, config: Config) -> None:
        self._spark, self._path = spark, lake.table(RECORDS)
        self._pile = config.stream.compact_after_files
        self._log = transactions.log_of(spark, self._path)
        self._left = 0
        self._pool = ThreadPoolExecutor(1, "compaction")
        self._running: Future[Compaction] | None = None

    def after_batch(self, lag: int | None) -> str | None:
        """Begin a compaction if enough small files have piled up since the last; what there is to say. Takes milliseconds."""
        if self._running is not None:
            return self._outcome(self._running) if self._running.done() else None
        if not self._pile or lag is None or lag > NEAR:
            return None
        small = small_files(self._spark, self._path)
        if small is None or small.count - self._left < self._pile:
            return None
        if not self._log.equals(transactions.log_of(self._spark, self._path)):
            return None
        self._running = self._pool.submit(self._compact)
        return f"compacting {small} in the background"

    def close(self) -> None:
        """End what is under way; a compaction that is cut short has changed nothing."""
        while self._running is not None and not self._running.done():
            # Again and again: it may be between two jobs, and what is cancelled is only what runs.
            self._spark.sparkContext.cancelJobGroup(GROUP)
            wait([self._running], CANCEL_SECONDS)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _compact(self) -> Compaction:
        self._spark.sparkContext.setJobGroup(GROUP, f"compaction of {self._path}")
        return compact(self._spark, self._path)

    def _outcome(self, ended: "Future[Compaction]") -> str:
        self._running = None
        small = small_files(self._spark, self._path)
        self._left = small.count if small else 0
        error = ended.exception()
        if error is not None:
            return f"the compaction failed and changed nothing; another is tried later: {tables.first_line(error)}"
        return str(ended.result())
