"""Compaction in the background of a stream that has next to nothing to do."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event

from pyspark.sql import SparkSession

from surveylake.config import Config
from surveylake.lake import commits
from surveylake.lake.compaction import Compaction, Files, compact
from surveylake.lake.maintenance import small_files
from surveylake.lake.tables import RECORDS, Lake
from surveylake.wording import first_line

NEAR = 10_000
"""Records of lag that are no backlog: about what the stream takes in within one short batch."""

GROUP = "surveylake compaction"

CANCEL_SECONDS = 0.2


class Housekeeper:
    """Compacts `records` in the background while its stream has next to nothing to do; used by the stream's own thread.

    In the stream's process it needs no lock: Delta lets a compaction and appends pass each other. On a local file system
    that holds only while both commit through one log object, which excludes its users from one another; so where Delta
    has made another in the meantime, nothing is compacted.
    """

    def __init__(self, spark: SparkSession, lake: Lake, config: Config) -> None:
        self._spark, self._path = spark, lake.table(RECORDS)
        self._pile = config.stream.compact_after_files
        self._log = commits.log_of(spark, self._path)
        self._left = 0
        self._pool = ThreadPoolExecutor(1, "compaction")
        self._running: Future[Compaction] | None = None
        self._stopping = Event()

    def after_batch(self, lag: int | None) -> str | None:
        """Begin a compaction if enough small files have piled up since the last; what there is to say. Takes milliseconds."""
        if self._running is not None:
            return self._outcome(self._running) if self._running.done() else None
        if not self._pile or lag is None or lag > NEAR:
            return None
        small = self._small()
        if small is None or small.count - self._left < self._pile:
            return None
        if not self._log.equals(commits.log_of(self._spark, self._path)):
            return None
        self._running = self._pool.submit(self._compact)
        return f"compacting {small} in the background"

    def close(self) -> None:
        """End what is under way; a compaction that is cut short has changed nothing."""
        self._stopping.set()
        while self._running is not None and not self._running.done():
            # Again and again: it may be between two jobs, and what is cancelled is only what runs.
            self._spark.sparkContext.cancelJobGroup(GROUP)
            wait([self._running], CANCEL_SECONDS)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _small(self) -> Files | None:
        """Return the small files; None where nobody knows, or the store does not answer: no reason to end a stream."""
        try:
            return small_files(self._spark, self._path)
        except commits.FAILURES:
            return None

    def _compact(self) -> Compaction:
        self._spark.sparkContext.setJobGroup(GROUP, f"compaction of {self._path}")
        return compact(self._spark, self._path, self._stopping.is_set)

    def _outcome(self, ended: "Future[Compaction]") -> str:
        self._running = None
        small = self._small()
        self._left = small.count if small else 0
        error = ended.exception()
        if error is not None:
            return f"the compaction failed and changed nothing; another is tried later: {first_line(error)}"
        return str(ended.result())
