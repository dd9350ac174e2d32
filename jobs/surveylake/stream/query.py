"""The streaming query: topic -> judged rows -> `records`, and what it says while it runs."""

import logging
import re
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage
from typing import Any

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming.query import StreamingQuery

from surveylake import wording
from surveylake.config import Config
from surveylake.contract.model import Contract
from surveylake.errors import StorageError, SurveylakeError, TopicError
from surveylake.kafka import topic
from surveylake.kafka.partition_reader import mean_message_bytes
from surveylake.lake import commits, timestamps
from surveylake.lake.fsync import SyncBarrier
from surveylake.lake.tables import RECORDS, Lake
from surveylake.signals import stop_signals
from surveylake.stream import batch_size
from surveylake.stream.batch_progress import Intake, Taken, end_offsets, lag, progress_line
from surveylake.stream.housekeeping import Housekeeper
from surveylake.stream.sink import DeltaSink, not_held
from surveylake.stream.start import Start
from surveylake.validate.pipeline import validated

log = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 10.0
SPEAK_SECONDS = 1.0
"""Batches may be shorter; nobody reads faster."""
COUNT_SECONDS = 30.0
LOOK_SECONDS = 0.2
FULL = "No space left on device"
STOP_SECONDS = 120.0
"""A batch in progress is given this long to finish after SIGTERM or Ctrl-C; it is safe to abandon after that."""


def batch_limit(spark: SparkSession, lake: Lake, config: Config, contract: Contract, start: Start) -> int:
    """Records per micro-batch: what this lake's last batches measured, or a guess from the topic's newest messages."""
    most, seconds = config.stream.max_offsets_per_trigger, config.stream.batch_seconds
    bounds = topic.offset_bounds(config.kafka, contract.topic)
    waiting = sum(end - max(first, start.table.get(p, first)) for p, (first, end) in bounds.items())
    if waiting <= batch_size.fewest(len(bounds)):
        return most  # whatever the limit, it is one batch
    batches = batch_size.batches_of(Path(lake.table(RECORDS))) if lake.is_local else []
    size = 0.0 if batches else mean_message_bytes(config.kafka, contract.topic)
    files = min(len(bounds), commits.most_tasks(spark))
    limit = batch_size.limit(batches, seconds, len(bounds), files, most, size)
    log.info("%s records wait: up to %s per micro-batch", f"{waiting:,}", f"{limit:,}")
    return limit


def kafka_rows(
    spark: SparkSession, config: Config, contract: Contract, start: Start, limit: int
) -> DataFrame:
    """The topic as a stream of rows for `validated`: coordinates, epoch, key as text and the raw value."""
    reader = (
        spark.readStream.format("kafka")
        .options(**topic.spark_options(config.kafka))
        .option("subscribe", contract.topic)
        .option("startingOffsets", start.offsets)
        .option("failOnDataLoss", "true")
        .option("maxOffsetsPerTrigger", limit)
    )
    return as_rows(reader.load(), start.epoch)


def as_rows(arriving: DataFrame, epoch: int) -> DataFrame:
    """Kafka's records as rows for `validated`: any key a text, any time one that can be shown."""
    # A key may be any bytes; a text that is not UTF-8 would make the column unreadable outside Spark.
    key = F.make_valid_utf8(F.col("key").cast("string")).alias("key")
    time = F.expr(timestamps.shown("timestamp")).alias("timestamp")
    return arriving.select("topic", "partition", "offset", time, F.lit(epoch).alias("epoch"), key, "value")


def landing(spark: SparkSession, lake: Lake) -> DeltaSink:
    """The sink of a run's queries."""
    return DeltaSink(spark, lake.table(RECORDS), shared=not lake.is_local)


@dataclass(frozen=True)
class Running:
    """A streaming query and the sink it writes to."""

    query: StreamingQuery
    landing: DeltaSink


def start_query(
    spark: SparkSession, lake: Lake, config: Config, contract: Contract, start: Start, trigger: str, landing: DeltaSink
) -> Running:  # fmt: skip
    """Start writing `records`: one Delta commit per micro-batch. `trigger` is 'available-now' or an interval ('5 seconds')."""
    arriving = kafka_rows(spark, config, contract, start, batch_limit(spark, lake, config, contract, start))
    rows = validated(not_held(arriving, start.table), contract, config.stream.max_message_bytes)
    writer = rows.writeStream.foreachBatch(landing).queryName(f"{contract.name} records")
    writer = writer.option("checkpointLocation", start.checkpoint)
    writer = (
        writer.trigger(availableNow=True)
        if trigger == "available-now"
        else writer.trigger(processingTime=trigger)
    )
    query = writer.start()
    landing.of(query)
    return Running(query, landing)


def follow(
    running: Running, intake: Intake, lake: Lake, config: Config, contract: Contract, start: Start
) -> Taken:
    """Wait until the query ends by itself, or by SIGTERM or Ctrl-C after its batch; say how it goes; what was taken so far.

    After each micro-batch, in this order: what it wrote is on the disk, lag tools see its offsets, its line is said.
    Raises TopicError or StorageError with Spark's cause when the query fails, Misstamped for a record it cannot read.
    """
    barrier, spark = _barrier(lake, config, start), SparkSession.active()
    query, seen, spoke, counted = running.query, -1, time.monotonic(), time.monotonic()
    with stop_signals() as stop, closing(Housekeeper(spark, lake, config)) as housekeeper:
        while not _ended(running, lake, contract):
            if stop.is_set():
                _finish(running)
                break
            batch, now = query.lastProgress, time.monotonic()
            fresh = batch is not None and batch["batchId"] != seen
            if not fresh and now - spoke < HEARTBEAT_SECONDS:
                continue
            seen = batch["batchId"] if batch is not None else seen
            _settle(batch, barrier, config, contract)
            if not fresh or now - spoke > SPEAK_SECONDS:
                spoke = now
                behind = lag(batch, config, contract)
                log.info(progress_line(batch, behind, contract.topic))
                if said := housekeeper.after_batch(behind):
                    log.info(said)
            if intake.behind and now - counted > COUNT_SECONDS:
                log.info("so far: %s", intake.count().line())
                counted = time.monotonic()
    _settle(query.lastProgress, barrier, config, contract)
    return intake.count()


def _barrier(lake: Lake, config: Config, start: Start) -> SyncBarrier | None:
    """The durability barrier, where it is wished and the lake is on this machine."""
    if not config.stream.durable or not lake.is_local:
        return None
    return SyncBarrier(Path(lake.table(RECORDS)), Path(start.checkpoint))


def _settle(batch: Any, barrier: SyncBarrier | None, config: Config, contract: Contract) -> None:
    """Bring what was committed to the disk; only what is there is shown to lag tools."""
    if barrier:
        barrier.sync()
    _mirror(batch, config, contract)


def _mirror(batch: Any, config: Config, contract: Contract) -> None:
    """Show the committed offsets to lag tools, in the consumer group of the configuration; the table alone decides."""
    ends = end_offsets(batch, contract)
    if not config.kafka.consumer_group or not ends:
        return
    try:
        topic.commit_group(config.kafka, config.kafka.consumer_group, contract.topic, ends)
    except TopicError as error:
        log.warning("%s (%s)", error.message, error.hint)


def _ended(running: Running, lake: Lake, contract: Contract) -> bool:
    try:
        return bool(running.query.awaitTermination(LOOK_SECONDS))  # type: ignore[arg-type]
    except StreamingQueryException as error:
        if running.landing.misstamped:
            raise running.landing.misstamped from error
        raise explained(error, running.landing.failure, lake, contract) from error


def explained(error: BaseException, cause: str, lake: Lake, contract: Contract) -> SurveylakeError:
    """Spark's failure of a streaming query as one of ours: what happened, and what to do. `cause` is the sink's, if any."""
    cause = cause or wording.innermost(error)
    again = "Nothing taken in so far is lost or double: run the same command again once the cause is gone."
    if "UnknownTopicOrPartition" in cause:
        cause = f"topic {contract.topic} is gone, or some of its partitions: {cause}"
    if FULL in cause and lake.is_local:
        cause = f"{lake.root} has {disk_usage(lake.root).free:,} bytes left: {cause}"
    # By the classes' names: a lake's path may hold the word too.
    kind = (
        TopicError
        if re.search(r"\borg\.apache\.(spark\.sql\.)?kafka|KAFKA_DATA_LOSS", f"{error}{cause}")
        else StorageError
    )
    return kind(f"the stream stopped: {cause}", again)


def _finish(running: Running) -> None:
    """Let the batch in progress be committed, then stop the query."""
    log.info("stopping: the batch in progress is finished first")
    running.landing.between.wait(STOP_SECONDS)
    running.query.stop()
