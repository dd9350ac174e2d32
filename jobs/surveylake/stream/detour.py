"""The stream, and the way around records that Spark cannot read for their timestamp: none of them stops the survey.

Spark's Kafka source fails at such a record each time that it reads it, and has no way to pass it. So its
partition is taken in here, in commits of the same table: by Spark what comes before it, by a plain consumer itself and some
after it, all judged alike. The table is the truth: a fresh checkpoint goes on from its offsets.
"""

import json
import logging
from contextlib import closing
from threading import Event

from pyspark.sql import DataFrame

from surveylake.errors import TopicError
from surveylake.kafka.options import spark_options
from surveylake.kafka.partition_reader import Window, records_from, windows
from surveylake.kafka.topic import TopicIdentity
from surveylake.lake import commits, records_table, stream_checkpoint, tables, timestamps
from surveylake.lake.lake_path import lake_path
from surveylake.lake.table_ends import table_ends
from surveylake.lake.timestamps import Misstamped
from surveylake.runtime import java_exit
from surveylake.signals import stop_signals
from surveylake.stream import query
from surveylake.stream.batch_progress import Intake, Taken
from surveylake.stream.job import StreamJob
from surveylake.stream.start import Start, StartOptions, plan_start, put_aside
from surveylake.validate.pipeline import validated
from surveylake.wording import counted, examples

log = logging.getLogger(__name__)
CALM = 1_000
"""Sound records after which Spark is let at the partition again; twice as many each time that it meets another odd one there."""
REASON = "its next batch holds a record that Spark cannot read"
"""for putting a checkpoint aside"""
READ_AS = "offset bigint, stamp bigint, key binary, value binary"
DISTURBED = 3
"""Times in one run that streams which were replaced may write to the checkpoint. Each is refused at its next commit, and ends."""
NOTED = 100
"""of a commit's odd stamps, that its note holds"""


def stream(job: StreamJob, identity: TopicIdentity, options: StartOptions, trigger: str) -> Taken:
    """Run the query to its end, around what it cannot read. Returns what was taken in.

    Raises TopicError and StorageError as `plan_start` and `follow` do.
    """
    intake, met, began, disturbed = Intake(job), list[Misstamped](), dict[int, int](), 0
    while True:
        try:
            with job.stopwatch.timed("table"):
                plan = plan_start(job, identity, options, began)
            with job.stopwatch.timed("query"):
                running = query.start_query(job, plan, trigger)
            with query.stopped_by_failure(running):
                return query.follow(job, running, plan, intake)
        except commits.FAILURES as error:
            if job.lake.is_local or java_exit.out_of_memory(error):
                raise
            # Outside the query too the store is asked, and may not answer: then it is named.
            raise query.explained(job, error) from error
        except query.OtherLayout:
            began = _began(job, plan)
            continue
        except query.PlannedByAnother as error:
            disturbed += 1
            if disturbed > DISTURBED:
                raise
            log.warning("another stream wrote to the checkpoint; this one goes on: %s", error.message)
            continue
        except Misstamped as odd:
            _refuse_twice(met, odd)
            met.append(odd)
        # The topic may be another one by now: then `plan_start` decides.
        before, identity = identity, job.topic.identify()
        began = {}
        if identity.pin == before.pin:
            began = _began(job, plan)
            with stop_signals() as stop:
                go_around(job, plan, met, stop)
            if stop.is_set():
                return intake.count()


def go_around(job: StreamJob, start: Start, met: list[Misstamped], stop: Event) -> None:
    """Take in the partition of the record met last, until its stamps are sound again, and put the checkpoint aside.

    Where the table has rows, the checkpoint goes first: a process that is killed in between leaves none that says less than the
    table. Where it has none, the checkpoint alone knows where the stream began, and goes last.
    Raises TopicError or StorageError with the cause when the rows cannot be added; LakeLockedError when another writer has
    replaced this one.
    """
    odd = met[-1]
    job.sink.require_turn()
    begin = _begin(job, start, odd.partition)
    calm = CALM * 2 ** (sum(each.partition == odd.partition for each in met) - 1)
    if start.table:
        put_aside(job.spark, start, REASON)
    while begin <= odd.offset:  # else it is in the table, and only the checkpoint asked for it again
        try:
            _take_in(job, start, begin, odd, calm, stop)
            break
        except commits.FAILURES as error:
            # Spark reads a range in several tasks: the record that it names first need not be the first one.
            earlier = timestamps.misstamped(error)
            if earlier is None or not begin <= earlier.offset < odd.offset:
                raise query.explained(job, error) from error
            odd = earlier
    if not start.table:
        put_aside(job.spark, start, REASON)


def _refuse_twice(met: list[Misstamped], odd: Misstamped) -> None:
    """Raise TopicError for a record that was met before in this run."""
    if any((each.partition, each.offset) == (odd.partition, odd.offset) for each in met):
        raise TopicError(
            f"Spark cannot read partition {odd.partition} offset {odd.offset}, which is stamped {odd.stamp},"
            " and it could not be taken in otherwise",
            "Run the same command again; if it says this again, delete the topic's records up to and with that"
            " offset (kafka-delete-records) and run with --accept-loss: the table records the range.",
        ) from odd


def _take_in(job: StreamJob, start: Start, begin: int, odd: Misstamped, calm: int, stop: Event) -> None:
    """Add the rows of one partition from `begin` to where the stamps are sound again, or until it shall stop."""
    limit, arriving = job.config.stream.max_message_bytes, None
    if begin < odd.offset:
        arriving = _by_spark(job, odd.partition, begin, odd.offset)
    with closing(records_from(job.topic, odd.partition, odd.offset)) as records:
        for window in windows(records, calm):
            read = _frame(job, odd.partition, window)
            arriving = read if arriving is None else arriving.unionByName(read)
            odd_ones = {record.offset: record.stamp for record in window if timestamps.is_odd(record.stamp)}
            note = {"misstamped": _note(odd.partition, odd_ones)}
            rows = validated(
                query.as_rows(arriving, start.epoch), job.contract, limit, job.watch.layout, few=True
            )
            job.sink.add(rows, note)
            _say(odd.partition, odd_ones)
            arriving = None
            if stop.is_set():
                return


def _began(job: StreamJob, start: Start) -> dict[int, int]:
    """Return partition -> offset at which the stream began, as far as its checkpoint can be asked."""
    return stream_checkpoint.first_offsets(lake_path(job.spark, start.checkpoint), job.topic.name)


def _begin(job: StreamJob, start: Start, partition: int) -> int:
    """Return the offset that the table lacks next; without a row of the partition, the offset at which the stream began."""
    epochs = records_table.epochs(tables.properties(job.spark, job.records))
    end = table_ends(job.spark, job.records, epochs).get((start.epoch, partition))
    if end is not None:
        return max(end, start.table.get(partition, 0))
    kept = job.topic.bounds()
    return _began(job, start).get(partition, kept[partition][0])


def _by_spark(job: StreamJob, partition: int, begin: int, end: int) -> DataFrame:
    """Return the partition's records from an offset to before another, as Kafka's source gives them."""
    name = job.topic.name
    bounds = {
        option: json.dumps({name: {str(partition): offset}})
        for option, offset in (("startingOffsets", begin), ("endingOffsets", end))
    }
    reader = job.spark.read.format("kafka").options(**spark_options(job.topic.kafka), **bounds)
    reader = reader.option("assign", json.dumps({name: [partition]})).option("failOnDataLoss", "true")
    source = reader.option("minPartitions", commits.most_tasks(job.spark)).load()
    return source.select("topic", "partition", "offset", "timestamp", "key", "value")


def _frame(job: StreamJob, partition: int, window: Window) -> DataFrame:
    """Return records that a plain consumer was given in the columns of Kafka's source."""
    rows = [(record.offset, record.stamp, record.key, record.value) for record in window]
    frame = job.spark.createDataFrame(rows, READ_AS).coalesce(1)
    where = (f"'{job.topic.name}' AS topic", f"{partition} AS partition")
    time = f"{timestamps.of_milliseconds('stamp')} AS timestamp"
    return frame.selectExpr(*where, "offset", time, "key", "value")


def _note(partition: int, odd_ones: dict[int, int]) -> dict[str, object]:
    """Return what a commit keeps of stamps that the table cannot hold: the first of them, and how many there were."""
    first = dict(list(odd_ones.items())[:NOTED])
    return {"partition": partition, "records": len(odd_ones), "stamps": first}


def _say(partition: int, odd_ones: dict[int, int]) -> None:
    if odd_ones:
        named = examples([f"offset {offset} is stamped {stamp}" for offset, stamp in odd_ones.items()])
        log.warning(
            "partition %d: %s taken in without a time, since their stamps are no milliseconds since 1970: %s",
            partition, counted(len(odd_ones), "record"), named,
        )  # fmt: skip
