"""What a topic holds already, told by the headers that the producer writes: which file, and which of its rows."""

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
"""sha256 (hex) over the file's parsed rows: the same answers, whatever the line ends."""
ROW_HEADER = "line"
"""The row's number in that file, from 0, in decimal digits."""
log = logging.getLogger(__name__)


@dataclass
class Sent:
    """What a scan of a topic found."""

    records: dict[str, int] = field(default_factory=dict)
    """source -> records; '' for records that no file is named for"""
    rows: bytearray = field(default_factory=bytearray)
    """of the source asked for: 1 at the number of each row that is in the topic"""
    expired: int = 0
    """records no longer kept, so that nothing is known of them"""

    @property
    def count(self) -> int:
        """Rows of the source asked for that are in the topic."""
        return self.rows.count(1)


def sources(topic: Topic) -> dict[str, int]:
    """Return which files the topic's records come from: source -> records, '' for those without the header."""
    return scan(topic).records


def scan(topic: Topic, source: str = "", rows: int = 0) -> Sent:
    """Read every committed record's headers once: all sources, and which of the `rows` rows of `source` are there."""
    bounds = topic.bounds()
    found = Sent(rows=bytearray(rows), expired=sum(first for first, _ in bounds.values()))
    left = {partition: end for partition, (first, end) in bounds.items() if end > first}
    if not left:
        return found
    options = {"group.id": "surveylake-scan", "enable.auto.commit": False, "enable.auto.offset.store": False,
               "isolation.level": "read_committed", "enable.partition.eof": True}  # fmt: skip
    consumer = Consumer({**quiet_options(topic.kafka), **options})
    progress = Progress(
        f"looking what {topic.name} holds", sum(end - bounds[part][0] for part, end in left.items())
    )
    try:
        consumer.assign([TopicPartition(topic.name, part, bounds[part][0]) for part in left])
        _read(consumer, left, found, source.encode(), progress)
    finally:
        progress.close()
        consumer.close()
    return found


def _read(consumer: Consumer, left: dict[int, int], found: Sent, source: bytes, progress: Progress) -> None:
    """Consume until each partition in `left` is read to its end offset, which a control record may stand at."""
    heard = time.monotonic()
    while left:
        messages = [
            message
            for message in consumer.consume(10_000, timeout=0.1)
            if (error := message.error()) is None or not passes(error)
        ]
        if messages:
            heard = time.monotonic()
        elif time.monotonic() - heard > AGAIN_SECONDS:
            raise TopicError(
                f"no record came for {AGAIN_SECONDS:.0f} s while reading the topic", "Look at the broker."
            )
        for message in messages:
            _take(message, left, found, source)
        progress.add(len(messages))


def _take(message: Message, left: dict[int, int], found: Sent, source: bytes) -> None:
    """Note a record, or that a partition has ended; a partition that is read to its end leaves `left`."""
    error = message.error()
    if error is None:
        _note(message, found, source)
    elif error.code() != KafkaError._PARTITION_EOF:
        raise refusal(error, "reading the topic to see what it holds")
    partition, offset = message.partition(), message.offset()
    if partition in left and (error is not None or (offset or 0) + 1 >= left[partition]):
        del left[partition]


def _note(message: Message, found: Sent, source: bytes) -> None:
    headers = dict(message.headers() or ())
    of = headers.get(SOURCE_HEADER)
    name = of.decode("ascii", "replace") if isinstance(of, bytes) else ""
    found.records[name] = found.records.get(name, 0) + 1
    row = headers.get(ROW_HEADER)
    if (
        of == source
        and isinstance(row, bytes)
        and row.isdigit()
        and len(row) < 12
        and int(row) < len(found.rows)
    ):
        found.rows[int(row)] = 1
