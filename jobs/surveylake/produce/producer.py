"""Sending records: idempotent, acknowledged by all replicas, asynchronous, and counted to the last one."""

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
"""How long a record may wait for its acknowledgement: a broker that restarts is waited for."""
STOP_SECONDS = 10
"""How long an interrupted run waits for what is on its way."""
NAMED_FAILURES = 20
log = logging.getLogger(__name__)


class AnswerProducer:
    """One topic's producer: `send` takes batches of records and answers with their tally."""

    def __init__(self, topic: Topic, source: str = "", echo: bool = False, queue: int = 200_000) -> None:
        """`source` names the file in each record's headers ('' for no headers); `queue` bounds the records in memory."""
        # Kafka refuses a batch as a whole: one larger than the topic takes would fail good records with a bad one.
        most = min(max(topic.largest_batch(), 1_000), 1_000_000_000)
        options: dict[str, Any] = {
            **quiet_options(topic.kafka), "enable.idempotence": True, "acks": "all", "compression.type": topic.kafka.compression,
            "linger.ms": 20, "batch.size": min(most, 1_000_000), "message.max.bytes": most, "batch.num.messages": 100_000,
            "message.timeout.ms": ANSWER_SECONDS * 1000,
            "queue.buffering.max.messages": queue, "queue.buffering.max.kbytes": 131_072,
            # Java's own way to choose a partition: other programs' records of a key land beside ours.
            "partitioner": "murmur2_random",
            # Successes are counted by the length of the queue, without a call into Python for each.
            "delivery.report.only.error": not echo, "error_cb": self._note_outage,
        }  # fmt: skip
        self.topic, self.echo = topic.name, echo
        self._source = source.encode()
        self._tally = DeliveryReport()
        self._named: set[int] = set()
        self._outage_told = 0.0
        self._fatal = False
        self._producer = Producer(options)

    def send(
        self,
        batches: Iterable[list[Record]],
        stop: threading.Event,
        total: int | None = None,
        rate: float = 0,
    ) -> DeliveryReport:
        """Send all batches, at most `rate` rows/s (0: as fast as they go), until `stop` is set; then wait for the answers."""
        started = time.monotonic()
        progress = Progress(f"sending to {self.topic}", total)
        try:
            for batch in batches:
                if stop.is_set() or self._fatal:
                    self._tally.stopped = True
                    break
                self._enqueue(batch, stop)
                progress.add(len(batch))
                self._keep_pace(started, rate, stop)
        finally:
            self._flush(stop)
            progress.close()
            self._tally.seconds = time.monotonic() - started
        return self._tally

    def _enqueue(self, batch: list[Record], stop: threading.Event) -> None:
        tally, produce, topic = self._tally, self._producer.produce, self.topic
        # One callback for the batch: one for each record would cost as much as sending it.
        report = partial(self._report, batch)
        named: Headers = [(SOURCE_HEADER, self._source)] if self._source else []
        for row, line, key, value in batch:
            headers: Headers = [*named, (ROW_HEADER, b"%d" % row)] if named else named
            while True:
                try:
                    produce(topic, value, key, on_delivery=report, headers=headers)
                except BufferError:
                    # The queue is full: wait until an answer makes room.
                    self._producer.poll(0.1)
                    if stop.is_set():
                        tally.stopped = True
                        return
                    continue
                except KafkaException as error:
                    self._note_failure(line, error.args[0])
                tally.sent += 1
                break
        self._producer.poll(0)

    def _keep_pace(self, started: float, rate: float, stop: threading.Event) -> None:
        """Wait until the clock has caught up with `rate`: measured from the start, so that delays do not add up."""
        while (
            rate and not stop.is_set() and (early := started + self._tally.sent / rate - time.monotonic()) > 0
        ):
            self._producer.poll(min(early, 0.2))

    def _flush(self, stop: threading.Event) -> None:
        """Wait for the answers, for a bounded time; what has none by then is dropped here and counted as unanswered."""
        end = time.monotonic() + ANSWER_SECONDS + 5
        while len(self._producer) and time.monotonic() < end:
            self._producer.flush(0.2)
            if stop.is_set():
                end = min(end, time.monotonic() + STOP_SECONDS)
                stop = threading.Event()
        self._producer.poll(0)
        self._tally.unanswered = len(self._producer)
        if self._tally.unanswered:
            failed = self._tally.failed
            self._producer.purge()
            self._producer.flush(1)
            self._tally.failed = failed
        self._tally.acknowledged = self._tally.sent - self._tally.failed - self._tally.unanswered

    def _report(self, batch: list[Record], error: KafkaError | None, message: Message) -> None:
        """A delivery report: a failure is traced to its line; acknowledgements come here only with --echo."""
        if error is None:
            if self.echo:
                self._print_echo(message)
        elif error.code() not in (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT):
            same = (message.key(), message.value())
            lines = (
                line for _, line, key, value in batch if (key, value) == same and line not in self._named
            )
            self._note_failure(next(lines, 0) if len(self._named) < NAMED_FAILURES else 0, error)

    def _note_failure(self, line: int, error: KafkaError) -> None:
        """Count a record that was not taken, and name the line of the first ones."""
        self._tally.failed += 1
        self._fatal |= error.fatal()
        if len(self._named) < NAMED_FAILURES:
            self._named.add(line)
            log.error(
                "line %d was not taken: %s",
                line,
                error.str().rpartition(": ")[2],
            )
        elif self._tally.failed == NAMED_FAILURES + 1:
            log.error("more lines were not taken; they are counted below")

    def _print_echo(self, message: Message) -> None:
        key = (message.key() or b"").decode("utf-8", "replace")
        try:
            print(f"{message.topic()} [{message.partition()}] {printable(key)}")
        except OSError:
            # The reader of the echo went away (| head); the sending goes on.
            self.echo = False
            sys.stdout = sys.stderr

    def _note_outage(self, error: KafkaError) -> None:
        now = time.monotonic()
        if error.code() == KafkaError._ALL_BROKERS_DOWN and now - self._outage_told > 10:
            self._outage_told = now
            log.warning("no broker can be reached just now; records wait up to %d s each", ANSWER_SECONDS)
        if error.fatal():
            self._fatal = True
            log.error("sending cannot go on: %s", error.str())
