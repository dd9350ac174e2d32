"""What Kafka says of offsets that the table has no row of: a record, an aborted one, or none at all."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, TopicPartition

from surveylake.config import Kafka
from surveylake.errors import TopicError
from surveylake.kafka.connection import quiet_options
from surveylake.kafka.retry import AGAIN_SECONDS, passes, refusal
from surveylake.kafka.topic import Bounds, Topic, TopicIdentity, open_topic

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

    topic: Topic
    identity: TopicIdentity
    kept: Bounds
    """partition -> (first offset kept, next offset to be written; with an open transaction, the end of what is stable)"""
    compacted: bool

    def ask(self, holes: Mapping[int, Sequence[Range]]) -> dict[int, list[Answer]]:
        """What each range of offsets holds, by partition; ranges in ascending order, none overlapping."""
        unknown = {(p, hole): self._out_of_reach(p, hole) for p, of in holes.items() for hole in of}
        within = {p: [hole for hole in of if not unknown[p, hole]] for p, of in holes.items()}
        committed = self._records(within, "read_committed")
        silent = {p: [hole for hole in of if not committed[p, hole]] for p, of in within.items()}
        written = self._records(silent, "read_uncommitted")
        return {
            p: [
                Answer(hole, committed.get((p, hole), 0), written.get((p, hole), 0), unknown[p, hole])
                for hole in of
            ]
            for p, of in holes.items()
        }

    def _out_of_reach(self, partition: int, hole: Range) -> str:
        first, end = self.kept.get(partition, (0, 0))
        if hole[0] < first:
            return f"the broker keeps nothing before offset {first}"
        return f"the topic ends at offset {end}" if hole[1] >= end else ""

    def _records(self, holes: Mapping[int, Sequence[Range]], isolation: str) -> dict[tuple[int, Range], int]:
        """How many records one consumer finds in each range of each partition."""
        found = {(p, hole): 0 for p, of in holes.items() for hole in of}
        if not found:
            return found
        with self._consumer(isolation) as consumer:
            for partition, of in holes.items():
                for hole, number in self._in(consumer, partition, of):
                    found[partition, hole] = number
        return found

    def _in(self, consumer: Consumer, partition: int, holes: Sequence[Range]) -> Iterator[tuple[Range, int]]:
        """Each range of one partition with the number of its records."""
        at, offset = -NEAR, -1
        for hole in holes:
            number = 0
            if hole[0] - at >= NEAR:
                consumer.assign([TopicPartition(self.identity.name, partition, hole[0])])
                at = hole[0]
            while True:
                number += hole[0] <= offset <= hole[1]
                if max(at - 1, offset) >= hole[1]:
                    break
                at, offset = _next(consumer, at)
            yield hole, number

    @contextmanager
    def _consumer(self, isolation: str) -> Iterator[Consumer]:
        options = {
            "group.id": "surveylake-verify", "enable.auto.commit": False, "isolation.level": isolation,
            "enable.partition.eof": True, "auto.offset.reset": "error",
        }  # fmt: skip
        consumer = Consumer({**quiet_options(self.topic.kafka), **options})
        try:
            yield consumer
        finally:
            consumer.close()


def reach(kafka: Kafka, name: str) -> Broker:
    """Return the topic, where it answers. Raises TopicError saying why it does not."""
    topic = open_topic(kafka, name)
    identity = topic.identify()
    try:
        compacted = "compact" in topic.settings()["cleanup.policy"]
    except TopicError:
        compacted = True  # not allowed to ask: then compaction cannot be ruled out
    return Broker(topic, identity, topic.bounds(), compacted)


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
