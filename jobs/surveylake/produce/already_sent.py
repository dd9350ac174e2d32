"""A scan of the topic for records that were sent before, by the producer's headers: the file, and the row in it."""

import logging
import time
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from surveylake.errors import TopicError
from surveylake.kafka.connection import quiet_options
from surveylake.kafka.retry import AGAIN_SECONDS, passes, refusal
from surveylake.kafka.topic import Topic
from surveylake.progress import Progress

SOURCE_HEADER = "source"
"""Header of a record: sha256 (hex) over the file's rows as they are sent, which does not depend on line ends."""
ROW_HEADER = "line"
"""Header of a record: the row's number in that file, from 0, in decimal digits."""
log = logging.getLogger(__name__)


@dataclass
class ScanResult:
    """The records of a topic by their headers."""

    records: dict[str, int] = field(default_factory=dict)
    """source -> number of records; '' for records without a source"""
    rows: bytearray = field(default_factory=bytearray)
    """1 at the number of each row of the requested source that is in the topic"""
    expired: int = 0
    """expired records, of which nothing is known"""

    @property
    def count(self) -> int:
        """Number of rows of the requested source that are in the topic."""
        return self.rows.count(1)


def scan(topic: Topic, source: str = "", rows: int = 0) -> ScanResult:
    """Read the headers of every committed record once, for all sources and for the `rows` rows of `source`.

    Raises TopicError when the topic does not answer.
    """
    bounds = topic.bounds()
    result = ScanResult(rows=bytearray(rows), expired=sum(first for first, _ in bounds.values()))
    remaining = {partition: end for partition, (first, end) in bounds.items() if end > first}
    if not remaining:
        return result
    options = {"group.id": "surveylake-scan", "enable.auto.commit": False, "enable.auto.offset.store": False,
               "isolation.level": "read_committed", "enable.partition.eof": True}  # fmt: skip
    consumer = Consumer({**quiet_options(topic.kafka), **options})
    progress = Progress(
        f"looking what {topic.name} holds", sum(end - bounds[part][0] for part, end in remaining.items())
    )
    try:
        consumer.assign([TopicPartition(topic.name, part, bounds[part][0]) for part in remaining])
        _read(consumer, remaining, result, source.encode(), progress)
    finally:
        progress.close()
        consumer.close()
    return result


def _read(
    consumer: Consumer, remaining: dict[int, int], result: ScanResult, source: bytes, progress: Progress
) -> None:
    """Consume until each partition in `remaining` (partition -> end offset) is read to its end, past control records."""
    last_message = time.monotonic()
    while remaining:
        messages = [
            message
            for message in consumer.consume(10_000, timeout=0.1)
            if (error := message.error()) is None or not passes(error)
        ]
        if messages:
            last_message = time.monotonic()
        elif time.monotonic() - last_message > AGAIN_SECONDS:
            raise TopicError(
                f"no record came for {AGAIN_SECONDS:.0f} s while reading the topic", "Look at the broker."
            )
        for message in messages:
            _take(message, remaining, result, source)
        progress.add(len(messages))


def _take(message: Message, remaining: dict[int, int], result: ScanResult, source: bytes) -> None:
    """Add a record, or the end of a partition; a partition that is read to its end is removed from `remaining`."""
    error = message.error()
    if error is None:
        _add(message, result, source)
    elif error.code() != KafkaError._PARTITION_EOF:
        raise refusal(error, "reading the topic to see what it holds")
    partition, offset = message.partition(), message.offset()
    if partition in remaining and (error is not None or (offset or 0) + 1 >= remaining[partition]):
        del remaining[partition]


def _add(message: Message, result: ScanResult, source: bytes) -> None:
    """Add a record's headers to the result."""
    headers = dict(message.headers() or ())
    record_source = headers.get(SOURCE_HEADER)
    name = record_source.decode("ascii", "replace") if isinstance(record_source, bytes) else ""
    result.records[name] = result.records.get(name, 0) + 1
    row = headers.get(ROW_HEADER)
    if (
        record_source == source
        and isinstance(row, bytes)
        and row.isdigit()
        and len(row) < 12
        and int(row) < len(result.rows)
    ):
        result.rows[int(row)] = 1
