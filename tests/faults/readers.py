"""The invariants, checked without surveylake's code: by deltalake, DuckDB and a plain consumer.

I1 every acknowledged record once, at its offset, with its bytes; I2 no offset twice, no hole; I3 accepted or rejected with a
reason; I4 checkpoint and table agree; I5 the log is sound and its files are there; I6 another run changes nothing.
"""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from confluent_kafka import Consumer, TopicPartition
from deltalake import DeltaTable

from faults.ledger import Ack, Ledger

Place = tuple[int, int]
"""Partition and offset."""
ASK_SECONDS = 20.0


def query(lake: Path, sql: str, name: str = "records") -> list[tuple[Any, ...]]:
    """Query a table of the lake, named `t` in the SQL, by DuckDB."""
    with duckdb.connect() as database:
        database.register("t", DeltaTable(lake / name).to_pyarrow_table())
        return database.sql(sql).fetchall()


def stored(lake: Path, epoch: int | None = None) -> list[tuple[int, int, str]]:
    """Return partition, offset and sha256 of the raw value ('' for a tombstone) of every record, of one epoch or of all."""
    which = "" if epoch is None else f"WHERE epoch = {epoch}"
    rows = query(lake, f'SELECT partition, "offset", value FROM t {which} ORDER BY ALL')
    return [(p, o, "" if value is None else hashlib.sha256(value).hexdigest()) for p, o, value in rows]


def committed(bootstrap: str, topic: str, isolation: str = "read_committed") -> dict[Place, str]:
    """Read the topic by a plain consumer. Returns place -> sha256 of the value, '' for a tombstone."""
    options = {"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False,
               "isolation.level": isolation, "auto.offset.reset": "earliest", "enable.partition.eof": True}  # fmt: skip
    consumer = Consumer(options)
    partitions = list(consumer.list_topics(topic, timeout=ASK_SECONDS).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    sha_by_place, ended = {}, set()
    while len(ended) < len(partitions):
        message = consumer.poll(ASK_SECONDS)
        assert message is not None, f"the broker gave nothing within {ASK_SECONDS:.0f} s"
        if message.error():
            ended.add(message.partition())
            continue
        value = message.value()
        sha = "" if value is None else hashlib.sha256(value).hexdigest()
        sha_by_place[message.partition(), message.offset()] = sha
    consumer.close()
    return sha_by_place


def missing(ledger: Ledger, lake: Path, epoch: int | None = None) -> list[Ack]:
    """Return the acknowledged records that are not in the table with those bytes."""
    rows = set(stored(lake, epoch))
    return [ack for ack in ledger.entries() if (ack.partition, ack.offset, ack.sha) not in rows]


def check(ledger: Ledger, lake: Path, epoch: int | None = None) -> list[str]:
    """Return the violations of I1 to I3, for a topic that only the ledger's producer wrote to."""
    rows = stored(lake, epoch)
    acks = {(ack.partition, ack.offset, ack.sha) for ack in ledger.entries()}
    places = [row[:2] for row in rows]
    bad_verdicts = query(
        lake, "SELECT count(*) FROM t WHERE accepted IS NULL OR accepted <> (len(failed_rules) = 0)"
    )
    faults = {
        "acknowledged and missing": sorted(acks - set(rows)),
        "never acknowledged": sorted(set(rows) - acks),
        "twice": [place for place, count in Counter(places).items() if count > 1],
        "neither accepted nor rejected": [] if bad_verdicts == [(0,)] else bad_verdicts,
    }
    return [f"{what}: {len(cases)}, such as {cases[0]}" for what, cases in faults.items() if cases]


def exactly_once(lake: Path, ledger: Ledger, epoch: int | None = None) -> None:
    """Assert I1, I2, I3: every acknowledged record in `records` once with its bytes, nothing else, each with a verdict."""
    assert check(ledger, lake, epoch) == []


def same_as_topic(lake: Path, bootstrap: str, topic: str, epoch: int | None = None) -> None:
    """Assert I2 against the broker: the table holds every committed record of the topic once."""
    rows = stored(lake, epoch)
    assert len(rows) == len({row[:2] for row in rows}), "an offset is there twice"
    assert {row[:2]: row[2] for row in rows} == committed(bootstrap, topic)


def log_is_sound(table: Path) -> None:
    """Assert I5: versions without a gap, every commit whole JSON, every live file there with its size."""
    commits = sorted((table / "_delta_log").glob(f"{'[0-9]' * 20}.json"))
    versions = [int(path.stem) for path in commits]
    assert versions == list(range(versions[0], versions[-1] + 1)), "a version is missing"
    for path in commits:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert lines, f"{path.name} is empty"
        for line in lines:
            json.loads(line)
    assert DeltaTable(table).version() == versions[-1]
    for action in pa.table(DeltaTable(table).get_add_actions()).to_pylist():
        name, size = action["path"], action["size_bytes"]
        assert (table / name).stat().st_size == size, f"{name} has another size"


def checkpoint_agrees(lake: Path, topic: str, epoch: int = 1) -> None:
    """Assert I4: the newest commit of the checkpoint is the table's transaction, or one behind it; its end is the table's end."""
    folder = lake / "_checkpoints" / "records" / f"epoch-{epoch}"
    query_id = json.loads((folder / "metadata").read_text())["id"]
    done = max(int(path.name) for path in (folder / "commits").iterdir() if path.name.isdigit())
    batch = DeltaTable(lake / "records").transaction_version(query_id)
    if batch is None:  # a fresh checkpoint that found nothing new has no transaction yet
        batch = done
    assert batch in (done, done + 1), f"checkpoint at batch {done}, table at {batch}"
    lines = (folder / "offsets" / str(batch)).read_text().splitlines()
    ends = {int(p): end for p, end in json.loads(lines[2])[topic].items() if end > 0}
    table_ends = query(
        lake, f'SELECT partition, max("offset") + 1 FROM t WHERE epoch = {epoch} GROUP BY partition'
    )
    assert ends == dict(table_ends)


def sound(lake: Path, topic: str, epoch: int = 1) -> None:
    """Assert I4 and I5."""
    for table in lake.glob("*/_delta_log"):
        log_is_sound(table.parent)
    checkpoint_agrees(lake, topic, epoch)


def state(lake: Path) -> dict[str, tuple[int, str]]:
    """Return table -> (version, digest of its rows in any order); I6 is that another run leaves this as it is."""
    tables = {}
    for log in sorted(lake.glob("*/_delta_log")):
        name = log.parent.name
        digest = query(
            lake, "SELECT md5(string_agg(r, '' ORDER BY r)) FROM (SELECT CAST(t AS varchar) r FROM t)", name
        )
        tables[name] = (DeltaTable(log.parent).version(), str(digest[0][0]))
    return tables
