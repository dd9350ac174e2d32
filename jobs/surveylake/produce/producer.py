"""The producer of records: idempotent, asynchronous, acknowledged by all replicas, and with every record counted."""

import logging
import sys
import threading
import time
from collections.abc import Iterable
from functools import partial
from typing import Any, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from surveylake.kafka.connection import quiet_options
from surveylake.kafka.topic import Topic
from surveylake.produce.already_sent import ROW_HEADER, SOURCE_HEADER
from surveylake.produce.delivery import DeliveryReport, Record
from surveylake.progress import Progress
from surveylake.wording import printable

Headers: TypeAlias = list[tuple[str, str | bytes | None]]

ANSWER_SECONDS = 120
"""the longest that a record waits for its acknowledgement: enough for a broker to restart"""
STOP_SECONDS = 10
"""the longest that an interrupted run waits for records in flight"""
NAMED_FAILURES = 20
log = logging.getLogger(__name__)


class AnswerProducer:
    """The producer of one topic."""

    def __init__(self, topic: Topic, source: str = "", echo: bool = False, queue: int = 200_000) -> None:
        """`source` names the file in each record's headers ('' for no headers); `queue` is the most records in memory."""
        # Kafka refuses a batch as a whole: one larger than the topic takes would fail good records with a bad one.
        most = min(max(topic.largest_batch(), 1_000), 1_000_000_000)
        options: dict[str, Any] = {
            **quiet_options(topic.kafka), "enable.idempotence": True, "acks": "all", "compression.type": topic.kafka.compression,
            "linger.ms": 20, "batch.size": min(most, 1_000_000), "message.max.bytes": most, "batch.num.messages": 100_000,
            "message.timeout.ms": ANSWER_SECONDS * 1000,
            "queue.buffering.max.messages": queue, "queue.buffering.max.kbytes": 131_072,
            # Java's default partitioner: other programs' records of a key go to the same partition as ours.
            "partitioner": "murmur2_random",
            # Successes are counted by the length of the queue, without a Python call for each.
            "delivery.report.only.error": not echo, "error_cb": self._note_outage,
        }  # fmt: skip
        self.topic, self.echo = topic.name, echo
        self._source = source.encode()
        self._delivery = DeliveryReport()
        self._named: set[int] = set()
        self._last_outage = 0.0
        self._fatal = False
        self._producer = Producer(options)

    def send(
        self,
        chunks: Iterable[list[Record]],
        stop: threading.Event,
        total: int | None = None,
        rate: float = 0,
    ) -> DeliveryReport:
        """Send all chunks, at most `rate` rows/s (0: no limit), until `stop` is set; then wait for acknowledgements.

        `total` is the number of rows, for the progress line.
        """
        started = time.monotonic()
        progress = Progress(f"sending to {self.topic}", total)
        try:
            for chunk in chunks:
                if stop.is_set() or self._fatal:
                    self._delivery.stopped = True
                    break
                self._enqueue(chunk, stop)
                progress.add(len(chunk))
                self._keep_pace(started, rate, stop)
        finally:
            self._flush(stop)
            progress.close()
            self._delivery.seconds = time.monotonic() - started
        return self._delivery

    def _enqueue(self, chunk: list[Record], stop: threading.Event) -> None:
        """Hand the records to the client, and wait while its queue is full."""
        delivery, produce, topic = self._delivery, self._producer.produce, self.topic
        # One callback for the chunk: one for each record would cost as much as sending it.
        report = partial(self._report, chunk)
        source_header: Headers = [(SOURCE_HEADER, self._source)] if self._source else []
        for row, line, key, value in chunk:
            headers: Headers = [*source_header, (ROW_HEADER, b"%d" % row)] if source_header else []
            while True:
                try:
                    produce(topic, value, key, on_delivery=report, headers=headers)
                except BufferError:
                    # The queue is full: wait until an acknowledgement makes room.
                    self._producer.poll(0.1)
                    if stop.is_set():
                        delivery.stopped = True
                        return
                    continue
                except KafkaException as error:
                    self._note_failure(line, error.args[0])
                delivery.sent += 1
                break
        self._producer.poll(0)

    def _keep_pace(self, started: float, rate: float, stop: threading.Event) -> None:
        """Wait until `rate` allows the next row; it is measured from the start, so that delays do not add up."""
        while (
            rate
            and not stop.is_set()
            and (early := started + self._delivery.sent / rate - time.monotonic()) > 0
        ):
            self._producer.poll(min(early, 0.2))

    def _flush(self, stop: threading.Event) -> None:
        """Wait for acknowledgements, for a bounded time; records without one are dropped and counted as unacknowledged."""
        end = time.monotonic() + ANSWER_SECONDS + 5
        while len(self._producer) and time.monotonic() < end:
            self._producer.flush(0.2)
            if stop.is_set():
                end = min(end, time.monotonic() + STOP_SECONDS)
                stop = threading.Event()
        self._producer.poll(0)
        self._delivery.unacknowledged = len(self._producer)
        if self._delivery.unacknowledged:
            failed = self._delivery.failed
            self._producer.purge()
            self._producer.flush(1)
            self._delivery.failed = failed
        self._delivery.acknowledged = (
            self._delivery.sent - self._delivery.failed - self._delivery.unacknowledged
        )

    def _report(self, chunk: list[Record], error: KafkaError | None, message: Message) -> None:
        """Callback for a delivery report: trace a failure to its line; acknowledgements are reported only with --echo."""
        if error is None:
            if self.echo:
                self._print_echo(message)
        elif error.code() not in (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT):
            same = (message.key(), message.value())
            lines = (
                line for _, line, key, value in chunk if (key, value) == same and line not in self._named
            )
            self._note_failure(next(lines, 0) if len(self._named) < NAMED_FAILURES else 0, error)

    def _note_failure(self, line: int, error: KafkaError) -> None:
        """Count a failed record, and log the line of the first NAMED_FAILURES ones."""
        self._delivery.failed += 1
        self._fatal |= error.fatal()
        if len(self._named) < NAMED_FAILURES:
            self._named.add(line)
            log.error(
                "line %d was not taken: %s",
                line,
                error.str().rpartition(": ")[2],
            )
        elif self._delivery.failed == NAMED_FAILURES + 1:
            log.error("more lines were not taken; they are counted below")

    def _print_echo(self, message: Message) -> None:
        """Print topic, partition and key of an acknowledged record."""
        key = (message.key() or b"").decode("utf-8", "replace")
        try:
            print(f"{message.topic()} [{message.partition()}] {printable(key)}")
        except OSError:
            # The reader of the echo is gone (| head); sending goes on.
            self.echo = False
            sys.stdout = sys.stderr

    def _note_outage(self, error: KafkaError) -> None:
        """Callback for errors of the client: log an outage at most every 10 s, and end the sending at a fatal error."""
        now = time.monotonic()
        if error.code() == KafkaError._ALL_BROKERS_DOWN and now - self._last_outage > 10:
            self._last_outage = now
            log.warning("no broker can be reached just now; records wait up to %d s each", ANSWER_SECONDS)
        if error.fatal():
            self._fatal = True
            log.error("sending cannot go on: %s", error.str())
