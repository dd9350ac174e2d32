"""C: what happens to a topic during its life."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)
from deltalake import DeltaTable

from faults import readers
from faults.damage import refused, running
from faults.ledger import Ledger
from faults.plain_query import Stock
from faults.rows import Row, brief
from support.survey_env import Town, answers, until
from surveylake.errors import TopicError
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.kafka.embedded_node import free_port
from surveylake.kafka.topic import create_topic
from surveylake.verify import proof as proof_lake

SHORT_LIFE = {
    "auto.create.topics.enable": "true",
    "log.initial.task.delay.ms": "500",
    "log.retention.check.interval.ms": "200",
    "log.cleaner.backoff.ms": "200",
}
"""A broker that looks at retention and compaction all the time, and makes a topic when one is named."""

LOST = "Some data may have been lost"
"""What Spark says when it notices."""


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedBroker(tmp_path_factory.mktemp("forgetful"), free_port(), extra=SHORT_LIFE) as broker:
        yield broker.bootstrap


@pytest.mark.quick
@pytest.mark.fault(
    "C1",
    injected="topic deleted and made anew, with more records than were read",
    expected="refused; --accept-new-topic reads it from the start as a new epoch",
    stock=True,
)
def test_a_topic_made_anew_with_more_records(
    town: Town, stock: Stock, row: Row, ledger: Ledger, tmp_path: Path
) -> None:
    ledger.send(town.bootstrap, town.topic, answers(10))
    stock.run()
    town.take()
    town.make_topic_anew()
    second = Ledger(tmp_path / "second.jsonl")
    second.send(town.bootstrap, town.topic, answers(15, start=10))

    plain = stock.run()
    assert plain.error == ""
    assert plain.rows == [(0, n) for n in range(15)], "10 old rows and offsets 10 to 14 of the new topic"
    row.stock("status ok; offsets 0 to 9 of the new topic are lost (10 of 15)")

    row.observed(refused(town))
    readers.exactly_once(town.lake, ledger)
    town.take(accept_new_topic=True)
    readers.exactly_once(town.lake, ledger, epoch=1)
    readers.exactly_once(town.lake, second, epoch=2)
    readers.sound(town.lake, town.topic, epoch=2)
    row.observed("accepted: 10 + 15 records, each once")


@pytest.mark.fault(
    "C2",
    injected="topic deleted and made anew, with fewer records than were read",
    expected="the same refusal, the same message",
    stock=True,
)
def test_a_topic_made_anew_with_fewer_records(
    town: Town, stock: Stock, row: Row, ledger: Ledger, tmp_path: Path
) -> None:
    ledger.send(town.bootstrap, town.topic, answers(10))
    stock.run()
    town.take()
    town.make_topic_anew()
    second = Ledger(tmp_path / "second.jsonl")
    second.send(town.bootstrap, town.topic, answers(5, start=10))

    assert LOST in stock.run().error
    plain = stock.run(failOnDataLoss="false")
    assert plain.error == ""
    assert plain.rows == [(0, n) for n in range(10)], "nothing of the new topic"
    row.stock("stops (data may have been lost); with failOnDataLoss=false status ok and 0 of 5 new records")

    said = refused(town)
    assert "was deleted and made anew" in said
    row.observed(said)
    town.take(accept_new_topic=True)
    readers.exactly_once(town.lake, second, epoch=2)
    row.observed("accepted: 10 + 5 records, each once")


@pytest.mark.fault(
    "C3",
    injected="topic deleted under a running stream",
    expected="a clean end with a message; goes on after the topic is made anew only when told",
)
def test_a_topic_deleted_under_the_stream(town: Town, row: Row, ledger: Ledger, tmp_path: Path) -> None:
    ledger.send(town.bootstrap, town.topic, answers(10))
    with running(town.command("--trigger", "500 milliseconds")) as process:
        until(lambda: _rows(town) == 10)
        admin = town.admin()
        admin.delete_topics([town.topic])[town.topic].result()
        _, err = process.communicate(timeout=120)
    assert process.returncode == TopicError.exit_code, err
    assert f"topic {town.topic} is gone" in err
    assert "Traceback" not in err
    (said,) = [line for line in err.splitlines() if line.startswith("error: ")]
    row.observed(f"exit {process.returncode}: {brief(said.removeprefix('error: '), 240)}")
    create_topic(town.config.kafka, town.topic)
    second = Ledger(tmp_path / "second.jsonl")
    second.send(town.bootstrap, town.topic, answers(10, start=10))
    assert "was deleted and made anew" in refused(town)
    town.take(accept_new_topic=True)
    readers.exactly_once(town.lake, ledger, epoch=1)
    readers.exactly_once(town.lake, second, epoch=2)
    row.observed("made anew: refused; accepted: 10 + 10 records, each once")


@pytest.mark.fault(
    "C4",
    injected="partitions added under a running stream, and again while it is stopped",
    expected="the new partitions are read from their start",
)
def test_partitions_added(town: Town, row: Row, ledger: Ledger) -> None:
    keys = [str(n).encode() for n in range(20)]
    ledger.send(town.bootstrap, town.topic, answers(20), keys)
    with running(town.command("--trigger", "500 milliseconds")) as process:
        until(lambda: _rows(town) == 20)
        _partitions(town, 3)
        ledger.send(town.bootstrap, town.topic, answers(20, start=20), keys)
        until(lambda: _rows(town) == 40)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    _partitions(town, 5)
    ledger.send(town.bootstrap, town.topic, answers(20, start=40), keys)
    town.take()
    readers.exactly_once(town.lake, ledger)
    readers.sound(town.lake, town.topic)
    assert {partition for _, partition, _ in town.rows()} == set(range(5))
    row.observed("1, then 3, then 5 partitions: 60 records, each once")


@pytest.mark.fault(
    "C5",
    injected="records past their retention before they were read",
    expected="stops and names the ranges; --accept-loss writes them into the table's properties",
    stock=True,
)
def test_records_that_expired_unread(
    forgetful: str, town: Town, stock: Stock, row: Row, ledger: Ledger, tmp_path: Path
) -> None:
    town = Town(town.topic, forgetful, tmp_path, partitions=1)
    stock.bootstrap = forgetful
    ledger.send(forgetful, town.topic, answers(10))
    stock.run()
    town.take()
    Ledger(tmp_path / "expired.jsonl").send(forgetful, town.topic, answers(10, start=10))
    _let_expire(town, 20)
    ledger.send(forgetful, town.topic, answers(5, start=20))

    assert stock.run().error
    plain = stock.run(failOnDataLoss="false")
    assert (plain.error, len(plain.rows)) == ("", 15)
    row.stock(
        "stops with a failed task; with failOnDataLoss=false it goes on, and nothing says that 10 are gone"
    )

    said = refused(town)
    assert "partition 0: offsets 10 to 19 (10 records)" in said
    row.observed(said)
    town.take(accept_loss=True)
    readers.exactly_once(town.lake, ledger)
    properties = DeltaTable(town.lake / "records").metadata().configuration
    assert "surveylake.loss.1.0.10-19" in properties
    row.observed("accepted: the other 15 records, each once, and the property surveylake.loss.1.0.10-19")


@pytest.mark.fault(
    "C6",
    injected="tombstones, records without a key, headers without a value; then a compacted topic",
    expected="a tombstone has its own reason; offsets that compaction took are no loss",
)
def test_tombstones_and_compaction(
    forgetful: str, town: Town, row: Row, ledger: Ledger, tmp_path: Path
) -> None:
    ledger.send(town.bootstrap, town.topic, [*answers(2), None], [b"1", None, b"3"])
    producer = Producer({"bootstrap.servers": town.bootstrap})
    producer.produce(town.topic, answers(1)[0], headers=[("empty", None)])
    assert producer.flush(30) == 0
    town.take()
    readers.same_as_topic(town.lake, town.bootstrap, town.topic)
    found = readers.query(town.lake, 'SELECT "offset", key, failed_rules FROM t ORDER BY 1')
    assert found == [(0, "1", []), (1, None, []), (2, "3", ["tombstone"]), (3, None, [])]
    row.observed("tombstone rejected as `tombstone`, the others kept")

    compacted = Town(f"{town.topic}c", forgetful, tmp_path / "compacted", partitions=1)
    _compact(compacted)
    compacted.take()
    readers.same_as_topic(compacted.lake, forgetful, compacted.topic)
    offsets = [offset for _, _, offset in compacted.rows()]
    assert len(offsets) < offsets[-1], "nothing was compacted: the test shows nothing"
    proof = proof_lake.prove(str(compacted.lake), compacted.config, compacted.contract)
    assert proof.proved, proof.lines()
    row.observed("compacted topic: what it kept is there, and verify proves it")


@pytest.mark.quick
@pytest.mark.fault("C7", injected="an empty topic", expected="said, and no failure", stock=True)
def test_an_empty_topic(town: Town, stock: Stock, row: Row, capsys: pytest.CaptureFixture[str]) -> None:
    assert stock.run().error == ""
    row.stock("empty topic: ends without a word")
    town.take()
    said = capsys.readouterr().out.splitlines()[-1]
    assert "0 records" in said
    row.observed(f"empty topic: {said.replace(str(town.lake), 'lake')}")


@pytest.mark.fault(
    "C7", injected="a topic that is not there", expected="not found, with names like it", stock=True
)
def test_a_missing_topic(town: Town, stock: Stock, row: Row) -> None:
    stock.topic = f"{town.topic}x"
    row.stock(f"missing topic: {stock.run().error}")
    assert stock.run().error
    town.contract = town.contract.model_copy(update={"topic": f"{town.topic}x"})
    said = refused(town)
    assert "not found" in said
    assert f"topics like it: {town.topic}" in said
    row.observed(f"missing topic: {said.replace(town.topic, 'TOPIC')}")


@pytest.mark.fault(
    "C8",
    injected="a misspelt topic at a broker that makes topics when they are named (auto.create.topics.enable)",
    expected="never made",
    stock=True,
)
def test_a_misspelt_topic_is_never_made(
    forgetful: str, town: Town, stock: Stock, row: Row, tmp_path: Path
) -> None:
    town = Town(town.topic, forgetful, tmp_path, partitions=1)
    typo = f"{town.topic}typo"
    town.contract = town.contract.model_copy(update={"topic": typo})
    row.observed(refused(town).replace(typo, "TYPO"))
    assert typo not in town.admin().list_topics(timeout=10).topics
    stock.bootstrap, stock.topic = forgetful, typo
    error = stock.run().error
    made = typo in town.admin().list_topics(timeout=10).topics
    row.stock(f"{'makes the topic; ' if made else 'does not make it; '}{error or 'status ok'}")


@pytest.mark.fault(
    "C9",
    injected="the contract names another topic, same lake and checkpoint",
    expected="refused, with both names",
    stock=True,
)
def test_another_topic_on_an_old_checkpoint(town: Town, stock: Stock, row: Row, ledger: Ledger) -> None:
    ledger.send(town.bootstrap, town.topic, answers(10))
    stock.run()
    town.take()
    other = f"{town.topic}other"
    create_topic(town.config.kafka, other)
    Ledger(town.folder / "other.jsonl").send(town.bootstrap, other, answers(5))
    stock.topic = other
    plain = stock.run()
    row.stock(plain.error or f"status ok, {len(plain.rows)} rows of two topics in one table")

    before = readers.state(town.lake)
    first, town.contract = town.contract, town.contract.model_copy(update={"topic": other})
    said = refused(town)
    assert other in said
    assert f"the table holds topic {town.topic}:" in said
    row.observed(said.replace(other, "OTHER"))
    assert readers.state(town.lake) == before
    town.contract = first
    town.take()
    readers.exactly_once(town.lake, ledger)


def _rows(town: Town) -> int:
    """What is in the table now; 0 while there is none."""
    return len(town.rows()) if (town.lake / "records" / "_delta_log" / f"{0:020d}.json").is_file() else 0


def _partitions(town: Town, count: int) -> None:
    admin = town.admin()
    admin.create_partitions([NewPartitions(town.topic, count)])[town.topic].result()
    until(lambda: len(admin.list_topics(timeout=10).topics[town.topic].partitions) == count)


def _earliest(admin: AdminClient, topic: str) -> int:
    part = TopicPartition(topic, 0)
    return int(admin.list_offsets({part: OffsetSpec.earliest()})[part].result().offset)


def _let_expire(town: Town, end: int) -> None:
    """Set a retention of one second, wait until the broker keeps nothing before `end`, and take the setting back."""
    admin = town.admin()
    _alter(admin, town.topic, "1000")
    until(lambda: _earliest(admin, town.topic) == end)
    _alter(admin, town.topic, "-1")


def _alter(admin: AdminClient, topic: str, retention: str) -> None:
    entry = ConfigEntry("retention.ms", retention, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result()


def _compact(town: Town) -> None:
    """Make the town's topic a compacted one: 5 keys written 20 times over, and wait until the cleaner has been there."""
    admin = town.admin()
    admin.delete_topics([town.topic])[town.topic].result()
    until(lambda: town.topic not in admin.list_topics(timeout=10).topics)
    settings = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01", "segment.ms": "1000"}
    admin.create_topics([NewTopic(town.topic, 1, 1, config=settings)])[town.topic].result()
    until(lambda: town.topic in admin.list_topics(timeout=10).topics)
    ledger = Ledger(town.folder / "compacted.jsonl")
    sent = 0

    def has_holes() -> bool:
        nonlocal sent
        ledger.send(town.bootstrap, town.topic, answers(5, start=sent), [str(n).encode() for n in range(5)])
        sent += 5
        return len(readers.committed(town.bootstrap, town.topic)) < sent

    until(has_holes)
