"""The streaming query: topic -> judged rows -> `records`, and what it says while it runs."""

import json
import logging
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming.query import StreamingQuery

from surveylake import tables, topic
from surveylake.config import Config
from surveylake.contract import Contract
from surveylake.errors import StorageError, SurveylakeError, TopicError
from surveylake.resume import Start
from surveylake.tables import RECORDS, Lake
from surveylake.transforms import judged

log = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 10.0
LOOK_SECONDS = 0.2
STOP_SECONDS = 120.0
"""A batch in progress is given this long to finish after SIGTERM or Ctrl-C; it is safe to abandon after that."""


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
        """`289 records (accepted 288, rejected 1: out_of_range:Age 1)`."""
        why = ", ".join(f"{reason} {count:,}" for reason, count in self.failed.most_common())
        return f"{self.received:,} records (accepted {self.accepted:,}, rejected {self.rejected:,}{': ' + why if why else ''})"


def kafka_rows(spark: SparkSession, config: Config, contract: Contract, start: Start) -> DataFrame:
    """The topic as a stream of rows for `judged`: coordinates, epoch, key as text and the raw value."""
    reader = (
        spark.readStream.format("kafka")
        .options(**topic.spark_options(config.kafka))
        .option("subscribe", contract.topic)
        .option("startingOffsets", start.offsets)
        .option("failOnDataLoss", "true")
        .option("maxOffsetsPerTrigger", config.stream.max_offsets_per_trigger)
    )
    epoch, key = F.lit(start.epoch).alias("epoch"), F.col("key").cast("string").alias("key")
    return reader.load().select("topic", "partition", "offset", "timestamp", epoch, key, "value")


def start_query(
    spark: SparkSession, lake: Lake, config: Config, contract: Contract, start: Start, trigger: str
) -> StreamingQuery:
    """Start writing `records`: one Delta commit per micro-batch. `trigger` is 'available-now' or an interval ('5 seconds')."""
    rows = judged(kafka_rows(spark, config, contract, start), contract, config.stream.max_message_bytes)
    writer = rows.writeStream.format("delta").outputMode("append").queryName(f"{contract.name} records")
    writer = writer.option("checkpointLocation", start.checkpoint)
    writer = (
        writer.trigger(availableNow=True)
        if trigger == "available-now"
        else writer.trigger(processingTime=trigger)
    )
    return writer.start(lake.table(RECORDS))


def follow(
    spark: SparkSession, query: StreamingQuery, lake: Lake, config: Config, contract: Contract, start: Start
) -> Taken:
    """Wait until the query ends by itself, or by SIGTERM or Ctrl-C after its batch; say how it goes; what it took.

    Raises TopicError or StorageError with Spark's cause when the query fails.
    """
    seen, spoke, counted = -1, time.monotonic(), time.monotonic()
    with _stop_signals() as stop:
        while not _ended(query):
            if stop.is_set():
                _finish(query)
                break
            batch, now = query.lastProgress, time.monotonic()
            fresh = batch is not None and batch["batchId"] != seen
            if not fresh and now - spoke < HEARTBEAT_SECONDS:
                continue
            spoke, seen = now, batch["batchId"] if batch is not None else seen
            log.info(_progress_line(batch, config, contract))
            _mirror(batch, config, contract)
            if fresh and now - counted > HEARTBEAT_SECONDS:
                log.info("so far: %s", _counted(spark, lake, start).line())
                counted = time.monotonic()
    _mirror(query.lastProgress, config, contract)
    return _counted(spark, lake, start)


def _mirror(batch: Any, config: Config, contract: Contract) -> None:
    """Show the committed offsets to lag tools, in the consumer group of the configuration; the table alone decides."""
    ends = _end_offsets(batch, contract)
    if not config.kafka.consumer_group or not ends:
        return
    try:
        topic.commit_group(config.kafka, config.kafka.consumer_group, contract.topic, ends)
    except TopicError as error:
        log.warning("%s (%s)", error.message, error.hint)


def _ended(query: StreamingQuery) -> bool:
    try:
        return bool(query.awaitTermination(LOOK_SECONDS))  # type: ignore[arg-type]
    except StreamingQueryException as error:
        raise explained(error) from error


def explained(error: BaseException) -> SurveylakeError:
    """Spark's failure of a streaming query as one of ours: what happened, and what to do."""
    text = str(error)
    first = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
    cause = next(
        (line.strip() for line in text.splitlines() if "Caused by" in line or "KAFKA_DATA_LOSS" in line), ""
    )
    said = f"the stream stopped: {first} {cause}".strip()
    again = "Nothing taken in so far is lost or double: run the same command again once the cause is gone."
    if "kafka" in text.lower():
        return TopicError(said, again)
    return StorageError(said, again)


def _finish(query: StreamingQuery) -> None:
    """Let the batch in progress end, then stop the query."""
    log.info("stopping: the batch in progress is finished first")
    batch, deadline = _batch_id(query), time.monotonic() + STOP_SECONDS
    while (
        query.isActive
        and query.status["isTriggerActive"]
        and _batch_id(query) == batch
        and time.monotonic() < deadline
    ):
        if _ended(query):
            return
    query.stop()


def _batch_id(query: StreamingQuery) -> int:
    progress = query.lastProgress
    return int(progress["batchId"]) if progress is not None else -1


def _progress_line(batch: Any, config: Config, contract: Contract) -> str:
    """`batch 3: 120,000 records, 81,000 rows/s, lag 40,000 records`."""
    if batch is None:
        return f"waiting for records in topic {contract.topic}"
    line = f"batch {batch['batchId']}: {batch['numInputRows']:,} records, {batch['processedRowsPerSecond']:,.0f} rows/s"
    lag = _lag(batch, config, contract)
    return line if lag is None else f"{line}, lag {lag:,} records"


def _lag(batch: Any, config: Config, contract: Contract) -> int | None:
    """Records in the topic that are not in the table yet; None when that cannot be told now."""
    read = _end_offsets(batch, contract)
    try:
        bounds = topic.offset_bounds(config.kafka, contract.topic) if read else {}
    except TopicError:
        return None
    return sum(max(0, end - read.get(p, first)) for p, (first, end) in bounds.items()) if read else None


def _end_offsets(batch: Any, contract: Contract) -> dict[int, int]:
    """Partition -> next offset after a batch; empty when it does not say."""
    said = batch["sources"][0]["endOffset"] if batch is not None and batch["sources"] else None
    ends = json.loads(said) if isinstance(said, str) else said
    found = ends.get(contract.topic, {}) if isinstance(ends, dict) else {}
    return {int(partition): int(offset) for partition, offset in found.items()}


def _counted(spark: SparkSession, lake: Lake, start: Start) -> Taken:
    """Count what the table did not hold before, reading the verdicts only; earlier files are skipped by their statistics."""
    taken = Taken()
    rows = tables.read(spark, lake.table(RECORDS)).where(F.col("epoch") == start.epoch)
    new = ~F.col("partition").isin(list(start.table)) if start.table else F.lit(True)
    for partition, offset in start.table.items():
        new = new | ((F.col("partition") == partition) & (F.col("offset") >= offset))
    for row in rows.where(new).groupBy("failed_rules").count().collect():
        taken.received += row["count"]
        taken.accepted += row["count"] if not row["failed_rules"] else 0
        taken.failed.update(dict.fromkeys(row["failed_rules"], row["count"]))
    return taken


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set while the block runs."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    earlier = {s: signal.signal(s, lambda *_: stop.set()) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
