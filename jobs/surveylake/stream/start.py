"""The start of a stream: which topic this is, which checkpoint serves, from which offsets."""

import logging
from dataclasses import dataclass

from pyspark.sql import SparkSession

from surveylake.errors import RecordsExpiredError, StorageError, TopicError, TopicReplacedError
from surveylake.kafka.topic import Bounds, TopicIdentity
from surveylake.lake import records_table, tables
from surveylake.lake import stream_checkpoint as cp
from surveylake.lake.lake_path import LakePath, lake_path
from surveylake.lake.records_table import EPOCH, LOSS
from surveylake.lake.table_ends import table_ends
from surveylake.lake.tables import RECORDS
from surveylake.stream.contract_check import note_contract, require_contract
from surveylake.stream.job import StreamJob
from surveylake.wording import examples

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Start:
    """All that a streaming query needs to go on exactly."""

    epoch: int
    checkpoint: str
    offsets: str
    """Spark's startingOffsets: used by a fresh checkpoint only"""
    table: cp.Offsets
    """what the table holds of this epoch before the query starts: partition -> next offset"""


@dataclass(frozen=True)
class StartOptions:
    """What the user allows beyond going on as before."""

    starting_offsets: str = "earliest"
    accept_new_topic: bool = False
    accept_loss: bool = False


def plan_start(
    job: StreamJob, topic: TopicIdentity, options: StartOptions, began: cp.Offsets | None = None
) -> Start:
    """Make `records` when it is missing. Returns where to go on.

    `began` is partition -> where the stream began, for a fresh checkpoint and partitions that the table has no row of.

    Raises TopicError for another topic of the same name or for expired records, ConfigError for a contract that may not go on
    with this table, StorageError when the table cannot tell.
    """
    spark, lake, path = job.spark, job.lake, job.records
    is_new = not tables.exists(spark, path)
    if is_new:
        records_table.create_records(spark, lake, job.contract, topic.pin)
    # Twice: no other stream is stopped for a contract that is refused, and a replay may have come in between.
    require_contract(spark, lake, job.contract)
    # Before anything is read of it: what another stream commits from now on is refused, what it has committed is seen.
    job.sink.take_turn()
    properties = note_contract(spark, lake, job.contract)
    epochs = records_table.epochs(properties)
    known = {} if is_new and lake.is_local else table_ends(spark, path, epochs)
    # After the table: another stream may have read on until its turn was taken, and the table would seem to be ahead.
    kept = job.topic.bounds()
    epoch = _epoch(job, epochs, topic, options)
    held = {partition: end for (of_epoch, partition), end in known.items() if of_epoch == epoch}
    table = dict(held)
    _refuse_a_shorter_topic(table, kept, topic.name)
    lost = _expired(epoch, table, kept, properties)
    _accept_loss(spark, path, lost, topic.name, options)
    table |= {p: kept[p][0] for p in table if kept[p][0] > table[p]}
    folder = lake_path(spark, lake.checkpoints) / RECORDS / f"epoch-{epoch}"
    known_ends = {**(began or {}), **table}
    from_table = cp.starting_offsets(topic.name, len(kept), known_ends) if known_ends else ""
    retired = _settle(folder, topic.name, table, held)
    first = "earliest" if retired else options.starting_offsets
    return Start(epoch, str(folder), from_table or first, table)


def put_aside(spark: SparkSession, start: Start, reason: str) -> None:
    """Rename the checkpoint, where there is one, so that the table's offsets decide."""
    folder = lake_path(spark, start.checkpoint)
    if folder.is_dir():
        _retire(folder, reason)


def _epoch(job: StreamJob, epochs: dict[int, str], topic: TopicIdentity, options: StartOptions) -> int:
    """Return the epoch of this topic in the table; a new one when the user accepts it.

    Raises StorageError for a table without any, TopicReplacedError for another topic.
    """
    if not epochs:
        raise StorageError(
            f"{job.records} does not say which topic it was read from",
            "This project did not make it: choose another lake.",
        )
    latest = max(epochs)
    if epochs[latest] == topic.pin:
        return latest
    if not options.accept_new_topic:
        was_cluster, was_topic = epochs[latest].split("/", 1)
        was_name = records_table.topic_name(job.spark, job.lake, latest)
        if was_name not in (None, topic.name):
            what = f"this is topic {topic.name}, and the table holds topic {was_name}"
        elif was_cluster == topic.cluster_id:
            what = f"topic {topic.name} was deleted and made anew"
        else:
            what = f"this is another Kafka cluster with a topic {topic.name}"
        raise TopicReplacedError(
            f"{what}: {job.records} was read from topic id {was_topic} on cluster {was_cluster},"
            f" this is {topic.topic_id} on {topic.cluster_id}",
            "If its records shall join this table, add --accept-new-topic (a new epoch, read from the start);"
            " else choose another --lake.",
        )
    tables.set_property(job.spark, job.records, f"{EPOCH}{latest + 1}", topic.pin)
    log.info("topic %s begins epoch %d of %s", topic.name, latest + 1, job.records)
    return latest + 1


def _refuse_a_shorter_topic(table: cp.Offsets, kept: Bounds, name: str) -> None:
    """Raise TopicError when the broker has less than was read before."""
    behind = {p: (end, table[p] - 1) for p, (_, end) in kept.items() if p in table and end < table[p]}
    said = [f"partition {p} ends at {end} but {last} was read" for p, (end, last) in behind.items()]
    said += [f"partition {p} is gone" for p in sorted(set(table) - set(kept))]
    if said:
        raise TopicError(
            f"topic {name} lost records that were read before: {examples(said)}",
            "The broker's data was damaged or rolled back: restore it, or make the topic anew and run with --accept-new-topic.",
        )


def _expired(epoch: int, table: cp.Offsets, kept: Bounds, properties: dict[str, str]) -> dict[str, str]:
    """Return table property -> words, for each range that expired before it was read and was not accepted yet."""
    gone = {p: (table[p], first - 1) for p, (first, _) in kept.items() if p in table and first > table[p]}
    named = {
        f"{LOSS}{epoch}.{p}.{first}-{last}": f"partition {p}: offsets {first} to {last} ({last - first + 1} records)"
        for p, (first, last) in gone.items()
    }
    return {key: words for key, words in named.items() if key not in properties}


def _accept_loss(
    spark: SparkSession, path: str, lost: dict[str, str], name: str, options: StartOptions
) -> None:
    """Record in the table's properties what expired unread, if that is accepted. Raises RecordsExpiredError if not."""
    if lost and not options.accept_loss:
        raise RecordsExpiredError(
            f"topic {name} no longer has records that were not read yet, by retention or deletion: "
            f"{examples(list(lost.values()))}",
            "Restore them if you can. To go on without them, run again with --accept-loss: the table will record the ranges.",
        )
    if lost:
        tables.set_properties(spark, path, dict.fromkeys(lost, "accepted"))
        log.info("accepted as lost: %s", examples(list(lost.values())))


def _settle(folder: LakePath, topic: str, table: cp.Offsets, held: cp.Offsets) -> bool:
    """Keep a checkpoint that agrees with the table, rename any other. Returns whether it was renamed: then the table decides.

    `held` is what the table holds, `table` where the stream goes on: after losses that were accepted.
    """
    try:
        checkpoint = cp.read_checkpoint(folder, topic)
        if checkpoint is not None and cp.agrees(checkpoint, table):
            return False
        reason = "it says other offsets than the table" if checkpoint is not None else ""
    except cp.Unusable as error:
        reason = str(error)
    retired = folder.is_dir() and bool(reason)
    if retired:
        _retire(folder, reason)
    if table:
        ends = examples([f"{partition}: {end}" for partition, end in held.items()])
        log.info("going on from the offsets in the table (partition: next offset) %s", ends)
    return retired


def _retire(folder: LakePath, reason: str) -> None:
    log.info("checkpoint %s is put aside as %s: %s", folder, cp.retire(folder).name, reason)
