"""Where the stream goes on: which topic this is, which checkpoint serves, from which offsets."""

import logging
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import SparkSession

from surveylake.contract.model import Contract
from surveylake.errors import StorageError, TopicError
from surveylake.kafka.topic import TopicIdentity
from surveylake.lake import folders, records_table, tables
from surveylake.lake import stream_checkpoint as cp
from surveylake.lake.records_table import EPOCH, LOSS, OffsetRange
from surveylake.lake.tables import RECORDS, Lake
from surveylake.paths import is_local
from surveylake.wording import examples

log = logging.getLogger(__name__)
Kept = dict[int, tuple[int, int]]
"""Partition -> (first offset the broker keeps, next offset to be written)."""


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
    spark: SparkSession, lake: Lake, contract: Contract, topic: TopicIdentity, kept: Kept, wishes: StartOptions,
    began: cp.Offsets | None = None,
) -> Start:  # fmt: skip
    """Make `records` when it is missing, and say where to go on.

    `began` is partition -> where the stream began, for a fresh checkpoint and partitions that the table has no row of.

    Raises TopicError for another topic of the same name or for expired records, StorageError when the table cannot tell.
    """
    path = lake.table(RECORDS)
    identity = f"{topic.cluster_id}/{topic.topic_id}"
    is_new = not tables.exists(spark, path)
    if is_new:
        records_table.create_records(spark, lake, contract, identity)
    records_table.check_columns(spark, lake, contract)
    properties = tables.properties(spark, path)
    known = [] if is_new else records_table.offset_ranges(tables.read(spark, path))
    read_before = {r.epoch: r.topic for r in known}
    epoch = _epoch(spark, path, properties, identity, topic.name, read_before, wishes)
    ranges = [r for r in known if r.epoch == epoch]
    table = {r.partition: r.last + 1 for r in ranges}
    _refuse_a_shorter_topic(table, kept, topic.name)
    lost = _expired(epoch, table, kept, properties)
    _accept_loss(spark, path, lost, topic.name, wishes)
    table |= {p: kept[p][0] for p in table if kept[p][0] > table[p]}
    folder = Path(lake.checkpoints) / RECORDS / f"epoch-{epoch}"
    known_ends = {**(began or {}), **table}
    from_table = cp.starting_offsets(topic.name, len(kept), known_ends) if known_ends else ""
    if not lake.is_local:
        where = f"{lake.checkpoints}/{RECORDS}/epoch-{epoch}"
        return Start(epoch, where, from_table or wishes.starting_offsets, table)
    retired = _settle(folder, topic.name, table, ranges)
    first = "earliest" if retired else wishes.starting_offsets
    return Start(epoch, str(folder), from_table or first, table)


def put_aside(spark: SparkSession, start: Start, reason: str) -> None:
    """Give the checkpoint another name, where there is one, so that the table's offsets decide."""
    if not is_local(start.checkpoint):
        folders.retire(spark, start.checkpoint)
    elif Path(start.checkpoint).is_dir():
        _retire(Path(start.checkpoint), reason)


def _epoch(
    spark: SparkSession,
    path: str,
    properties: dict[str, str],
    identity: str,
    name: str,
    read_before: dict[int, str],
    wishes: StartOptions,
) -> int:
    """The epoch of this topic in the table; a new one when the user accepts it. `read_before` is epoch -> topic's name."""
    epochs = {
        int(key.removeprefix(EPOCH)): value for key, value in properties.items() if key.startswith(EPOCH)
    }
    if not epochs:
        raise StorageError(
            f"{path} does not say which topic it was read from",
            "This project did not make it: choose another lake.",
        )
    latest = max(epochs)
    if epochs[latest] == identity:
        return latest
    if not wishes.accept_new_topic:
        (was_cluster, was_topic), (cluster, topic) = epochs[latest].split("/", 1), identity.split("/", 1)
        if (was_name := read_before.get(latest, name)) != name:
            what = f"this is topic {name}, and the table holds topic {was_name}"
        elif was_cluster == cluster:
            what = f"topic {name} was deleted and made anew"
        else:
            what = f"this is another Kafka cluster with a topic {name}"
        raise TopicError(
            f"{what}: {path} was read from topic id {was_topic} on cluster {was_cluster}, this is {topic} on {cluster}",
            "If its records shall join this table, add --accept-new-topic (a new epoch, read from the start);"
            " else choose another --lake.",
        )
    tables.set_property(spark, path, f"{EPOCH}{latest + 1}", identity)
    log.info("topic %s begins epoch %d of %s", name, latest + 1, path)
    return latest + 1


def _refuse_a_shorter_topic(table: cp.Offsets, kept: Kept, name: str) -> None:
    """TopicError when the broker has less than was read before."""
    behind = {p: (end, table[p] - 1) for p, (_, end) in kept.items() if p in table and end < table[p]}
    said = [f"partition {p} ends at {end} but {last} was read" for p, (end, last) in behind.items()]
    said += [f"partition {p} is gone" for p in sorted(set(table) - set(kept))]
    if said:
        raise TopicError(
            f"topic {name} lost records that were read before: {examples(said)}",
            "The broker's data was damaged or rolled back: restore it, or make the topic anew and run with --accept-new-topic.",
        )


def _expired(epoch: int, table: cp.Offsets, kept: Kept, properties: dict[str, str]) -> dict[str, str]:
    """Table property -> words, for each range that expired before it was read and was not accepted yet."""
    gone = {p: (table[p], first - 1) for p, (first, _) in kept.items() if p in table and first > table[p]}
    named = {
        f"{LOSS}{epoch}.{p}.{first}-{last}": f"partition {p}: offsets {first} to {last} ({last - first + 1} records)"
        for p, (first, last) in gone.items()
    }
    return {key: words for key, words in named.items() if key not in properties}


def _accept_loss(
    spark: SparkSession, path: str, lost: dict[str, str], name: str, wishes: StartOptions
) -> None:
    """TopicError that names what expired unread; with accept_loss the table's properties record it instead."""
    if lost and not wishes.accept_loss:
        raise TopicError(
            f"topic {name} no longer has records that were not read yet, by retention or deletion: "
            f"{examples(list(lost.values()))}",
            "Restore them if you can. To go on without them, run again with --accept-loss: the table will record the ranges.",
        )
    if lost:
        tables.set_properties(spark, path, dict.fromkeys(lost, "accepted"))
        log.info("accepted as lost: %s", examples(list(lost.values())))


def _settle(folder: Path, topic: str, table: cp.Offsets, ranges: list[OffsetRange]) -> bool:
    """Keep the checkpoint when it and the table agree; put it aside (True) when not, so that the table's offsets decide."""
    try:
        found = cp.read_checkpoint(folder, topic)
        if found is not None and cp.agrees(found, table):
            return False
        reason = "it says other offsets than the table" if found is not None else ""
    except cp.Unusable as error:
        reason = str(error)
    retired = folder.is_dir() and bool(reason)
    if retired:
        _retire(folder, reason)
    if table:
        ends = examples([f"{r.partition}: {r.last + 1}" for r in ranges])
        log.info("going on from the offsets in the table (partition: next offset) %s", ends)
    return retired


def _retire(folder: Path, reason: str) -> None:
    log.info("checkpoint %s is put aside as %s: %s", folder, cp.retire(folder).name, reason)
