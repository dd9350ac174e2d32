"""What Kafka says of offsets that the table has no row of: a record, an aborted one, or none at all."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import ConfigResource, ResourceType

from surveylake import topic as topics
from surveylake.asking import AGAIN_SECONDS, LONGEST, asked, passes, refusal
from surveylake.config import Kafka
from surveylake.connection import connect, quiet_options
from surveylake.errors import TopicError

NEAR = 10_000
"""offsets: a hole this near ahead is reached by reading on; seeking throws away what was fetched"""
Range = tuple[int, int]
"""First and last offset, both included."""


@dataclass(frozen=True)
class Answer:
    """What the broker says of one range of offsets."""

    hole: Range
    committed: int = 0
    """records a consumer of committed records is given: the table should have them"""
    aborted: int = 0
    """records of transactions that were aborted: nobody should have them"""
    unknown: str = ""
    """why the broker could not tell; then the counts mean nothing"""

    @property
    def empty(self) -> int:
        """Offsets that hold no record: the ends of transactions, or records that compaction removed."""
        return self.hole[1] - self.hole[0] + 1 - self.committed - self.aborted


@dataclass(frozen=True)
class Broker:
    """A topic on a Kafka that answered."""

    kafka: Kafka
    identity: topics.TopicIdentity
    kept: dict[int, Range]
    """partition -> (first offset kept, next offset to be written; with an open transaction, the end of what is stable)"""
    compacted: bool

    def ask(self, partition: int, holes: Sequence[Range]) -> list[Answer]:
        """What each range of offsets holds; ranges in ascending order, none overlapping."""
        first, end = self.kept.get(partition, (0, 0))
        unknown = {hole: _out_of_reach(hole, first, end) for hole in holes}
        ranges = [hole for hole in holes if not unknown[hole]]
        committed = self._records(partition, ranges, "read_committed")
        silent = [hole for hole in ranges if not committed[hole]]
        written = self._records(partition, silent, "read_uncommitted")
        return [Answer(hole, committed.get(hole, 0), written.get(hole, 0), unknown[hole]) for hole in holes]

    def _records(self, partition: int, holes: Sequence[Range], isolation: str) -> dict[Range, int]:
        """How many records a consumer finds in each range."""
        found = dict.fromkeys(holes, 0)
        if not holes:
            return found
        with self._consumer(isolation) as consumer:
            at, offset = -NEAR, -1
            for hole in holes:
                if hole[0] - at >= NEAR:
                    consumer.assign([TopicPartition(self.identity.name, partition, hole[0])])
                    at = hole[0]
                while True:
                    found[hole] += hole[0] <= offset <= hole[1]
                    if max(at - 1, offset) >= hole[1]:
                        break
                    at, offset = _next(consumer, at)
        return found

    @contextmanager
    def _consumer(self, isolation: str) -> Iterator[Consumer]:
        options = {
            "group.id": "surveylake-verify", "enable.auto.commit": False, "isolation.level": isolation,
            "enable.partition.eof": True, "auto.offset.reset": "error",
        }  # fmt: skip
        consumer = Consumer({**quiet_options(self.kafka), **options})
        try:
            yield consumer
        finally:
            consumer.close()


def reach(kafka: Kafka, name: str) -> Broker:
    """The topic, where it answers; TopicError saying why it does not."""
    identity = topics.preflight(kafka, name)
    admin, _ = connect(kafka)
    resource = ConfigResource(ResourceType.TOPIC, name)
    try:
        settings = asked(
            lambda: admin.describe_configs([resource])[resource].result(LONGEST),
            f"asking for the settings of {name}",
        )
        compacted = "compact" in str(settings["cleanup.policy"].value)
    except TopicError:
        compacted = True  # not allowed to ask: then compaction cannot be ruled out
    return Broker(kafka, identity, topics.offset_bounds(kafka, name), compacted)


def _out_of_reach(hole: Range, first: int, end: int) -> str:
    if hole[0] < first:
        return f"the broker keeps nothing before offset {first}"
    return f"the topic ends at offset {end}" if hole[1] >= end else ""


def _next(consumer: Consumer, at: int) -> tuple[int, int]:
    """The position after, and the offset of, the next record; at the end of the partition its end, and offset -1."""
    deadline = time.monotonic() + AGAIN_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        message = consumer.poll(left)
        error = message.error() if message is not None else None
        if message is None or (error is not None and passes(error)):
            continue
        offset = message.offset()
        if error is None:
            assert offset is not None
            return offset + 1, offset
        if error.code() == KafkaError._PARTITION_EOF:
            return (at if offset in (None, OFFSET_INVALID) else max(at, offset)), -1
        raise refusal(error, "reading what the table lacks") from KafkaException(error)
    raise TopicError(
        f"no records came within {AGAIN_SECONDS:.0f} s", "Look at the broker, then run this again."
    )
