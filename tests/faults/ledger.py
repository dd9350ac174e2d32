"""What Kafka acknowledged, written down where a crash cannot reach it: the other side of the account of a lake."""

import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import duckdb
from confluent_kafka import KafkaError, Message, Producer
from deltalake import DeltaTable

SETTLE_SECONDS = 0.2
"""How long an acknowledgement may wait to be written down: one fsync for all that came in meanwhile."""
ANSWER_SECONDS = 300
"""How long a record waits for its acknowledgement: longer than any broker of a test is away."""

ACCOUNT = """
WITH acked AS (
  SELECT j->>0 AS topic, (j->>1)::INT AS part, (j->>2)::BIGINT AS place, j->>4 AS sha
  FROM (SELECT json AS j FROM read_json_objects($ledger, format = 'newline_delimited'))
), held AS (
  SELECT topic, partition AS part, "offset" AS place, coalesce(sha256(value), '') AS sha
  FROM read_parquet($files) WHERE epoch = $epoch
), matched AS (
  SELECT count(held.place) AS times, bool_and(held.sha = acked.sha) AS same
  FROM acked LEFT JOIN held USING (topic, part, place) GROUP BY topic, part, place
)
SELECT count(*), count(*) FILTER (times = 1), count(*) FILTER (times = 0), count(*) FILTER (times > 1),
  count(*) FILTER (times > 0 AND NOT same) FROM matched"""


@dataclass(frozen=True)
class Ack:
    """One acknowledged record: where Kafka put it, its number in its ledger, and the sha256 of its value ('' for none)."""

    topic: str
    partition: int
    offset: int
    seq: int
    sha: str


@dataclass(frozen=True)
class Account:
    """A ledger held against a lake; all but `acked` and `found` must be 0 in a sound one. Counts of records."""

    acked: int
    found: int
    missing: int
    doubled: int
    altered: int

    @property
    def balanced(self) -> bool:
        """Whether every acknowledged record is there exactly once with its bytes."""
        return (self.found, self.missing, self.doubled, self.altered) == (self.acked, 0, 0, 0)


def digest(value: bytes | None) -> str:
    """The sha256 of a value in hexadecimal digits; '' for a record without one."""
    return "" if value is None else hashlib.sha256(value).hexdigest()


class Ledger:
    """A file with one JSON line per acknowledged record, each on disk before it counts.

    A line torn by a kill is dropped when the file is opened again: its record was acknowledged and is not claimed. Records
    without an answer are indeterminate: they may be in the topic or not.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.run_id, self.sent = path, uuid.uuid4().hex, 0
        self._unsettled: list[Ack] = []
        self._settled_at = time.monotonic()
        whole = _whole_lines(path)
        path.touch()
        os.truncate(path, len(whole))
        self.settled = self._earlier = whole.count(b"\n")
        """acknowledged records on disk"""

    @property
    def indeterminate(self) -> int:
        """Records sent through this object whose acknowledgement is not on disk."""
        return self.sent - (self.settled - self._earlier)

    def send(
        self,
        bootstrap: str,
        topic: str,
        values: Iterable[bytes | None],
        keys: Iterable[bytes | None] | None = None,
        timestamp: int | None = None,
        **options: Any,
    ) -> int:
        """Send the values as they come, each once and in order; how many were acknowledged and written down.

        `timestamp` is in milliseconds since 1970 for all of them; `options` are librdkafka's, over ours.
        """
        producer = Producer({
            "bootstrap.servers": bootstrap, "enable.idempotence": True, "acks": "all", "log_level": 0,
            "message.timeout.ms": ANSWER_SECONDS * 1000, "reconnect.backoff.max.ms": 500, "linger.ms": 5,
            **options,
        })  # fmt: skip
        before, stamp = self.settled, {} if timestamp is None else {"timestamp": timestamp}
        try:
            for value, key in zip(values, repeat(None) if keys is None else keys, strict=keys is not None):
                self._produce(producer, topic, value, key, stamp)
                self._settle(SETTLE_SECONDS)
        finally:
            producer.flush(ANSWER_SECONDS)
            self._settle(0)
        return self.settled - before

    def entries(self) -> list[Ack]:
        """All that is written down, in the order of the acknowledgements."""
        return list(self)

    def __iter__(self) -> Iterator[Ack]:
        return (Ack(*json.loads(line)) for line in _whole_lines(self.path).splitlines())

    def against(self, lake: Path, epoch: int = 1) -> Account:
        """The account of one epoch of `lake`/records: Delta's log read by delta-rs, its files by DuckDB, no Spark in it."""
        files = DeltaTable(lake / "records").file_uris()
        with duckdb.connect() as db:
            counted = db.execute(
                ACCOUNT, {"ledger": str(self.path), "files": files, "epoch": epoch}
            ).fetchone()
        return Account(*map(int, counted or ()))

    def _produce(
        self, producer: Producer, topic: str, value: bytes | None, key: bytes | None, stamp: dict[str, int]
    ) -> None:
        seq, sha = self._earlier + self.sent, digest(value)
        headers = [("run_id", self.run_id), ("seq", str(seq)), ("sha256", sha)]

        def report(error: KafkaError | None, message: Message) -> None:
            if error is None:
                self._unsettled.append(Ack(topic, message.partition(), message.offset(), seq, sha))

        while True:
            try:
                producer.produce(topic, value, key, on_delivery=report, headers=headers, **stamp)
            except BufferError:
                producer.poll(0.1)
                continue
            break
        self.sent += 1
        producer.poll(0)

    def _settle(self, after: float) -> None:
        """Write down what was acknowledged, when the last time is `after` seconds ago."""
        now = time.monotonic()
        if now - self._settled_at < after:
            return
        lines = [json.dumps([a.topic, a.partition, a.offset, a.seq, a.sha]) + "\n" for a in self._unsettled]
        with self.path.open("ab") as file:
            file.write("".join(lines).encode())
            file.flush()
            os.fsync(file.fileno())
        self.settled += len(lines)
        self._unsettled.clear()
        self._settled_at = now


def _whole_lines(path: Path) -> bytes:
    """The file up to its last line end."""
    content = path.read_bytes() if path.exists() else b""
    return content[: content.rfind(b"\n") + 1]
