"""What a micro-batch says of itself while the stream runs, and what a whole run took in."""

import json
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import functions as F

from surveylake.errors import TopicError
from surveylake.kafka.topic import Topic
from surveylake.lake import commits
from surveylake.stream.job import StreamJob

log = logging.getLogger(__name__)


@dataclass
class Taken:
    """What one run of the stream took in; counts of records."""

    received: int = 0
    accepted: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    """reason -> records; a record with two reasons counts in both"""

    @property
    def rejected(self) -> int:
        """Records taken and not accepted."""
        return self.received - self.accepted

    def line(self) -> str:
        """Return `289 records (accepted 288, rejected 1: out_of_range:Age 1)`."""
        why = ", ".join(f"{reason} {count:,}" for reason, count in self.failed.most_common())
        return f"{self.received:,} records (accepted {self.accepted:,}, rejected {self.rejected:,}{': ' + why if why else ''})"


def progress_line(batch: Any, behind: int | None, name: str) -> str:
    """Return `batch 3: 120,000 records, 81,000 rows/s, lag 40,000 records`; `behind` is the lag, None where it cannot be told."""
    if batch is None:
        return f"waiting for records in topic {name}"
    line = f"batch {batch['batchId']}: {batch['numInputRows']:,} records, {batch['processedRowsPerSecond']:,.0f} rows/s"
    return line if behind is None else f"{line}, lag {behind:,} records"


def lag(topic: Topic, batch: Any) -> int | None:
    """Return the records in the topic that are not in the table yet; None when that cannot be told now, and why in the log."""
    read = end_offsets(batch, topic.name)
    try:
        bounds = topic.bounds()
    except TopicError as error:
        log.warning(error.message)
        return None
    return sum(max(0, end - read.get(p, first)) for p, (first, end) in bounds.items()) if read else None


def end_offsets(batch: Any, topic: str) -> dict[int, int]:
    """Return partition -> next offset after a batch; empty when its progress does not say."""
    text = batch["sources"][0]["endOffset"] if batch is not None and batch["sources"] else None
    ends = json.loads(text) if isinstance(text, str) else text
    of_topic = ends.get(topic, {}) if isinstance(ends, dict) else {}
    return {int(partition): int(offset) for partition, offset in of_topic.items()}


class Intake:
    """Counts what one run of the stream added to `records`, each record once, however long it runs."""

    def __init__(self, job: StreamJob) -> None:
        self._spark, self._path, self._sink = job.spark, job.records, job.sink
        self._taken = Taken()

    @property
    def behind(self) -> bool:
        """Whether files came since the last count."""
        return not self._sink.files.empty()

    def count(self) -> Taken:
        """Return all that was taken up to now. Call this before the files can be vacuumed.

        Only files that came since the last count are read, and of them only where a record was rejected: Parquet's statistics
        skip the rest.
        """
        waiting, taken = self._sink.files, self._taken
        files = [waiting.get() for _ in range(waiting.qsize())]
        if not files:
            return taken
        received = sum(int(file.numLogicalRecords().get()) for file in files)
        rejected = commits.rows_of(self._spark, self._path, files).where("NOT accepted")
        taken.received += received
        taken.accepted += received
        for row in rejected.groupBy("failed_rules").agg(F.count("*").alias("records")).collect():
            taken.accepted -= row["records"]
            taken.failed.update(dict.fromkeys(row["failed_rules"], row["records"]))
        return taken
