"""The ledger of acknowledged records, fsynced outside the lake, against which a lake is counted."""

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
"""the longest that an acknowledgement waits for its fsync, which is shared by all that arrive until then"""
ANSWER_SECONDS = 300
"""the longest that a record waits for its acknowledgement: longer than any test's broker is away"""

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
    """One acknowledged record: its place in Kafka, its number in the ledger, the sha256 of its value ('' for none)."""

    topic: str
    partition: int
    offset: int
    seq: int
    sha: str


@dataclass(frozen=True)
class Account:
    """A ledger compared with a lake, in records; in a sound lake all but `acked` and `found` are 0."""

    acked: int
    found: int
    missing: int
    doubled: int
    altered: int

    @property
    def balanced(self) -> bool:
        """Whether every acknowledged record is in the lake exactly once with its bytes."""
        return (self.found, self.missing, self.doubled, self.altered) == (self.acked, 0, 0, 0)


def digest(value: bytes | None) -> str:
    """Return the sha256 of a value in hexadecimal digits; '' for a record without a value."""
    return "" if value is None else hashlib.sha256(value).hexdigest()


class Ledger:
    """A file with one JSON line per acknowledged record, each fsynced before it counts.

    A line torn by a kill is dropped when the file is opened again: its record is not claimed. Records without an
    acknowledgement are indeterminate: they may be in the topic or not.
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
        """Send the values, each once and in order. Returns how many were acknowledged and written to the ledger.

        `timestamp` is in milliseconds since 1970 for all of them; `options` are librdkafka's, and override ours.
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
        """Return all entries, in the order of the acknowledgements."""
        return list(self)

    def __iter__(self) -> Iterator[Ack]:
        return (Ack(*json.loads(line)) for line in _whole_lines(self.path).splitlines())

    def against(self, lake: Path, epoch: int = 1) -> Account:
        """Compare with one epoch of `lake`/records: Delta's log is read by delta-rs, its files by DuckDB, without Spark."""
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
        """Write new acknowledgements to the ledger, if the last write is `after` seconds ago."""
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
    """Return the file up to its last line end."""
    content = path.read_bytes() if path.exists() else b""
    return content[: content.rfind(b"\n") + 1]
