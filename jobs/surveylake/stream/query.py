"""The streaming query: topic -> rows with verdicts -> `records`, and what it logs while it runs."""

import logging
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from shutil import disk_usage
from typing import Any

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming.query import StreamingQuery

from surveylake import wording
from surveylake.errors import StorageError, SurveylakeError, TopicError
from surveylake.kafka.options import spark_options
from surveylake.kafka.partition_reader import newest_values
from surveylake.kafka.topic import Bounds, Topic
from surveylake.lake import commits, timestamps
from surveylake.lake.fsync import SyncBarrier
from surveylake.lake.lake_path import lake_path
from surveylake.runtime.session_setting import session_setting
from surveylake.signals import stop_signals
from surveylake.stream import batch_size
from surveylake.stream.batch_progress import Intake, Taken, end_offsets, lag, progress_line
from surveylake.stream.housekeeping import Housekeeper
from surveylake.stream.job import StreamJob
from surveylake.stream.sink import not_in_table
from surveylake.stream.start import Start
from surveylake.validate import fast_path
from surveylake.validate.pipeline import validated

log = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 10.0
SPEAK_SECONDS = 1.0
"""Batches may be shorter; nobody reads faster."""
COUNT_SECONDS = 30.0
LOOK_SECONDS = 0.2
AVAILABLE_NOW = "available-now"
"""The trigger of a query that takes all there is and ends."""
PAYS = 10_000_000
"""Records from which on it pays to have Java compile all that Spark can generate, in a process that ends after them: fewer
are judged in less CPU time by the smaller code (`few` in pipeline.py). On two cores the larger code had made up for its
compilation after some 25 million."""
SHARED_EXPRESSIONS = "spark.sql.subexpressionElimination.enabled"
"""Spark computes once what a row needs twice. In a wide survey that is little, and each task looks for it in all columns."""
FULL = "No space left on device"
PLANNED_BY_ANOTHER = "CONCURRENT_STREAM_LOG_UPDATE"
"""Spark's error class when the checkpoint has an entry already that this query was about to write."""
STOP_SECONDS = 120.0
"""A batch in progress is given this long to finish after SIGTERM or Ctrl-C; it is safe to abandon after that."""


class PlannedByAnother(StorageError):  # noqa: N818 - the name says what happened
    """A stream that this one replaced has written to the checkpoint, not knowing it yet: the next start goes on from it."""


class OtherLayout(Exception):  # noqa: N818 - the name says what happened
    """Most of the newest messages are laid out otherwise than the query was made for: it ended after its batch."""


def batch_limit(job: StreamJob, waiting: int, bounds: Bounds, newest: Sequence[bytes]) -> int:
    """Return records per micro-batch: by what this lake's last batches measured, or by the topic's `newest` values.

    `waiting` are the records that the table does not hold yet.
    """
    most, seconds = job.config.stream.max_offsets_per_trigger, job.config.stream.batch_seconds
    if waiting <= batch_size.fewest(len(bounds)):
        return most  # whatever the limit, it is one batch
    batches = batch_size.batches_of(lake_path(job.spark, job.records))
    size = 0.0 if batches or not newest else sum(map(len, newest)) / len(newest)
    files = min(len(bounds), commits.most_tasks(job.spark))
    limit = batch_size.limit(batches, seconds, len(bounds), files, most, size)
    log.info("%s records wait: up to %s per micro-batch", f"{waiting:,}", f"{limit:,}")
    return limit


def _waiting(start: Start, bounds: Bounds) -> int:
    """Return the number of records that the table does not hold yet."""
    return sum(end - max(first, start.table.get(p, first)) for p, (first, end) in bounds.items())


def kafka_rows(spark: SparkSession, topic: Topic, start: Start, limit: int) -> DataFrame:
    """Return the topic as a stream of rows for `validated`: coordinates, epoch, key as text and the raw value."""
    reader = (
        spark.readStream.format("kafka")
        .options(**spark_options(topic.kafka))
        .option("subscribe", topic.name)
        .option("startingOffsets", start.offsets)
        .option("failOnDataLoss", "true")
        .option("maxOffsetsPerTrigger", limit)
    )
    return as_rows(reader.load(), start.epoch)


def as_rows(arriving: DataFrame, epoch: int) -> DataFrame:
    """Return Kafka's records as rows for `validated`: any key a text, any time one that can be shown."""
    # A key may be any bytes; a text that is not UTF-8 would make the column unreadable outside Spark.
    key = F.make_valid_utf8(F.col("key").cast("string")).alias("key")
    time = F.expr(timestamps.shown("timestamp")).alias("timestamp")
    return arriving.select("topic", "partition", "offset", time, F.lit(epoch).alias("epoch"), key, "value")


def start_query(job: StreamJob, start: Start, trigger: str) -> StreamingQuery:
    """Start writing `records`, one Delta commit per micro-batch. `trigger` is 'available-now' or an interval ('5 seconds')."""
    bounds = job.topic.bounds()
    waiting, ends = _waiting(start, bounds), trigger == AVAILABLE_NOW
    is_over = ends and not waiting
    newest = [] if is_over else newest_values(job.topic, bounds)
    arriving = kafka_rows(job.spark, job.topic, start, batch_limit(job, waiting, bounds, newest))
    job.watch.learn(newest)
    limit = job.config.stream.max_message_bytes
    few = ends and waiting < PAYS and not job.process_stays
    rows = validated(not_in_table(arriving, start.table), job.contract, limit, job.watch.layout, few)
    writer = rows.writeStream.foreachBatch(job.sink).queryName(f"{job.contract.name} records")
    writer = writer.option("checkpointLocation", start.checkpoint)
    writer = (
        writer.trigger(availableNow=True)
        if trigger == AVAILABLE_NOW
        else writer.trigger(processingTime=trigger)
    )
    job.sink.detach()
    is_wide = fast_path.is_wide(job.contract, job.watch.layout)
    with session_setting(job.spark, SHARED_EXPRESSIONS, "false") if is_wide else nullcontext():
        query = writer.start()
    job.sink.attach(query)
    return query


def follow(job: StreamJob, query: StreamingQuery, start: Start, intake: Intake) -> Taken:
    """Wait until the query ends, by itself or by SIGTERM or Ctrl-C after its batch. Returns what was taken in so far.

    After each micro-batch, in this order: what it wrote is on the disk, lag tools see its offsets, its line is logged.
    Raises TopicError or StorageError with Spark's cause when the query fails, Misstamped for a record it cannot read,
    PlannedByAnother and OtherLayout when a new start would go on.
    """
    barrier = _barrier(job, start)
    last, spoke, counted = -1, time.monotonic(), time.monotonic()
    with stop_signals() as stop, closing(Housekeeper(job.spark, job.lake, job.config)) as housekeeper:
        while not _ended(job, query):
            if stop.is_set():
                _finish(job, query)
                break
            batch, now = query.lastProgress, time.monotonic()
            fresh = batch is not None and batch["batchId"] != last
            if not fresh and now - spoke < HEARTBEAT_SECONDS:
                continue
            last = batch["batchId"] if batch is not None else last
            _settle(job, batch, barrier)
            if not fresh or now - spoke > SPEAK_SECONDS:
                spoke = now
                behind = lag(job.topic, batch)
                log.info(progress_line(batch, behind, job.topic.name))
                if message := housekeeper.after_batch(behind):
                    log.info(message)
            if fresh and job.watch.sees_another(job.topic):
                log.info("the newest messages are laid out otherwise: the query starts anew, made for them")
                _finish(job, query)
                _settle(job, query.lastProgress, barrier)
                raise OtherLayout
            if intake.behind and now - counted > COUNT_SECONDS:
                log.info("so far: %s", intake.count().line())
                counted = time.monotonic()
    _settle(job, query.lastProgress, barrier)
    with job.stopwatch.timed("count"):
        return intake.count()


@contextmanager
def stopped_by_failure(query: StreamingQuery) -> Iterator[None]:
    """Stop the query where the block fails: nothing may write to the lake once its lock is given back."""
    try:
        yield
    except BaseException:
        with suppress(Exception):
            query.stop()
        raise


def _barrier(job: StreamJob, start: Start) -> SyncBarrier | None:
    """Return the durability barrier, where it is wished and the lake is on this machine."""
    if not job.config.stream.durable or not job.lake.is_local:
        return None
    return SyncBarrier(Path(job.records), Path(start.checkpoint))


def _settle(job: StreamJob, batch: Any, barrier: SyncBarrier | None) -> None:
    """Bring what was committed to the disk; only what is there is shown to lag tools."""
    if barrier:
        barrier.sync()
    _show_to_lag_tools(job, batch)


def _show_to_lag_tools(job: StreamJob, batch: Any) -> None:
    """Mirror the committed offsets into the consumer group of the configuration; the table alone decides."""
    ends, group = end_offsets(batch, job.topic.name), job.config.kafka.consumer_group
    if not group or not ends:
        return
    try:
        job.topic.commit_group(group, ends)
    except TopicError as error:
        log.warning("%s (%s)", error.message, error.hint)


def _ended(job: StreamJob, query: StreamingQuery) -> bool:
    """Return whether the query has ended. Raises what ended it when it failed."""
    try:
        return bool(query.awaitTermination(LOOK_SECONDS))  # type: ignore[arg-type]
    except StreamingQueryException as error:
        if special := job.sink.misstamped or job.sink.refusal:
            raise special from error
        failure = explained(job, error, job.sink.failure)
        if PLANNED_BY_ANOTHER in f"{error}{failure.message}":
            raise job.sink.successor() or PlannedByAnother(failure.message, failure.hint) from error
        raise failure from error


def explained(job: StreamJob, error: BaseException, cause: str = "") -> SurveylakeError:
    """Return Spark's failure of a streaming query as one of ours, with what to do next. `cause` is the sink's, if any."""
    cause = cause or wording.innermost(error)
    again = "Nothing taken in so far is lost or double: run the same command again once the cause is gone."
    if "UnknownTopicOrPartition" in cause:
        cause = f"topic {job.topic.name} is gone, or some of its partitions: {cause}"
    if FULL in cause and job.lake.is_local:
        cause = f"{job.lake.root} has {disk_usage(job.lake.root).free:,} bytes left: {cause}"
    # By the classes' names: a lake's path may hold the word too.
    kind = (
        TopicError
        if re.search(r"\borg\.apache\.(spark\.sql\.)?kafka|KAFKA_DATA_LOSS", f"{error}{cause}")
        else StorageError
    )
    return kind(f"the stream{_at_a_store(job)} stopped: {cause}", again)


def _at_a_store(job: StreamJob) -> str:
    """Return which lake and which store a message is about; nothing for a lake on this machine."""
    if job.lake.is_local:
        return ""
    endpoint = job.config.store.endpoint
    return f" into {job.lake.root}{f' at {endpoint}' if endpoint else ''}"


def _finish(job: StreamJob, query: StreamingQuery) -> None:
    """Let the batch in progress be committed, then stop the query."""
    log.info("stopping: the batch in progress is finished first")
    job.sink.between.wait(STOP_SECONDS)
    query.stop()
