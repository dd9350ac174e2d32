"""One partition's records, one after the other, as a plain consumer of committed records is given them."""

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, TopicPartition

from surveylake.errors import TopicError
from surveylake.kafka.connection import quiet_options
from surveylake.kafka.retry import AGAIN_SECONDS, passes, refusal
from surveylake.kafka.topic import Bounds, Topic
from surveylake.lake.timestamps import is_odd


@dataclass(frozen=True)
class Record:
    """A Kafka record, as it is."""

    offset: int
    stamp: int
    """Kafka's timestamp: milliseconds since 1970 by the protocol, whatever its sender meant; -1 for none"""
    key: bytes | None
    value: bytes | None


Window = list[Record]
MOST, MOST_BYTES = 20_000, 32 * 1024**2
"""records, and bytes of their values, of a window: they pass through the driver"""
SAMPLED, MOST_SAMPLED = 1_000, 100
"""newest records that are looked at, in all (one of each partition at least) and of one partition at most"""


def records_from(topic: Topic, partition: int, offset: int) -> Generator[Record, None, None]:
    """Yield every committed record from an offset to the partition's end. Raises TopicError when none comes for a while."""
    options = {
        "group.id": "surveylake-reading", "enable.auto.commit": False, "isolation.level": "read_committed",
        "enable.partition.eof": True, "auto.offset.reset": "error",
    }  # fmt: skip
    consumer, heard = Consumer({**quiet_options(topic.kafka), **options}), time.monotonic()
    try:
        consumer.assign([TopicPartition(topic.name, partition, offset)])
        while time.monotonic() - heard < AGAIN_SECONDS:
            messages = consumer.consume(1_000, timeout=0.1)
            for message in messages:
                error = message.error()
                if error is None:
                    yield Record(
                        message.offset() or 0, message.timestamp()[1], message.key(), message.value()
                    )
                elif error.code() == KafkaError._PARTITION_EOF:
                    return
                elif not passes(error):
                    raise refusal(error, f"reading partition {partition} of {topic.name}")
            heard = time.monotonic() if messages else heard
    finally:
        consumer.close()
    raise TopicError(
        f"no record of partition {partition} of {topic.name} came for {AGAIN_SECONDS:.0f} s",
        "Look at the broker.",
    )


def windows(records: Iterator[Record], calm: int) -> Iterator[Window]:
    """Yield records in parts that fit in memory, until `calm` of them in a row are sound, or there are no more."""
    window: Window = []
    held, sound = 0, 0
    for record in records:
        window.append(record)
        held += len(record.value or b"")
        sound = 0 if is_odd(record.stamp) else sound + 1
        if sound >= calm:
            break
        if len(window) >= MOST or held >= MOST_BYTES:
            yield window
            window, held = [], 0
    if window:
        yield window


def newest_values(topic: Topic, bounds: Bounds, seconds: float = 1.0) -> list[bytes]:
    """Return the values of the newest records of each partition, SAMPLED in all, as far as they come within `seconds`."""
    most = min(MOST_SAMPLED, max(1, SAMPLED // max(len(bounds), 1)))
    from_here = {
        partition: max(first, end - most) for partition, (first, end) in bounds.items() if first < end
    }
    wanted = sum(bounds[partition][1] - offset for partition, offset in from_here.items())
    if not wanted:
        return []
    options = {
        "group.id": "surveylake-scan",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
    }
    consumer = Consumer({**quiet_options(topic.kafka), **options})
    try:
        consumer.assign([TopicPartition(topic.name, part, offset) for part, offset in from_here.items()])
        messages = consumer.consume(wanted, timeout=seconds)
    finally:
        consumer.close()
    return [message.value() or b"" for message in messages if message.error() is None]
