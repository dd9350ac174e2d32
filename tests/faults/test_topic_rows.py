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
from faults.plain_query import PlainQuery
from faults.rows import Row, brief
from faults.scenario import resume, send_and_take
from support.sessions import OPEN
from support.survey_env import SurveyEnv, answers
from support.waiting import until
from surveylake.errors import TopicError
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.kafka.embedded_node import free_port
from surveylake.kafka.topic_creation import create_topic
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
    env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger, tmp_path: Path
) -> None:
    send_and_take(env, ledger, 10)
    plain_query.run()
    env.make_topic_anew()
    second = Ledger(tmp_path / "second.jsonl")
    second.send(env.bootstrap, env.topic, answers(15, start=10))

    plain = plain_query.run()
    assert plain.error == ""
    assert plain.rows == [(0, n) for n in range(15)], "10 old rows and offsets 10 to 14 of the new topic"
    row.plain_query("status ok; offsets 0 to 9 of the new topic are lost (10 of 15)")

    row.observed(refused(env))
    readers.exactly_once(env.lake, ledger)
    env.take(accept_new_topic=True)
    readers.exactly_once(env.lake, ledger, epoch=1)
    readers.exactly_once(env.lake, second, epoch=2)
    readers.sound(env.lake, env.topic, epoch=2)
    row.observed("accepted: 10 + 15 records, each once")


@pytest.mark.fault(
    "C2",
    injected="topic deleted and made anew, with fewer records than were read",
    expected="the same refusal, the same message",
    stock=True,
)
def test_a_topic_made_anew_with_fewer_records(
    env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger, tmp_path: Path
) -> None:
    send_and_take(env, ledger, 10)
    plain_query.run()
    env.make_topic_anew()
    second = Ledger(tmp_path / "second.jsonl")
    second.send(env.bootstrap, env.topic, answers(5, start=10))

    assert LOST in plain_query.run().error
    plain = plain_query.run(failOnDataLoss="false")
    assert plain.error == ""
    assert plain.rows == [(0, n) for n in range(10)], "nothing of the new topic"
    row.plain_query(
        "stops (data may have been lost); with failOnDataLoss=false status ok and 0 of 5 new records"
    )

    message = refused(env)
    assert "was deleted and made anew" in message
    row.observed(message)
    env.take(accept_new_topic=True)
    readers.exactly_once(env.lake, second, epoch=2)
    row.observed("accepted: 10 + 5 records, each once")


@pytest.mark.fault(
    "C3",
    injected="topic deleted under a running stream",
    expected="a clean end with a message; goes on after the topic is made anew only when told",
)
def test_a_topic_deleted_under_the_stream(env: SurveyEnv, row: Row, ledger: Ledger, tmp_path: Path) -> None:
    ledger.send(env.bootstrap, env.topic, answers(10))
    with running(env.command("--trigger", "500 milliseconds")) as process:
        until(lambda: _rows(env) == 10)
        admin = env.admin()
        admin.delete_topics([env.topic])[env.topic].result()
        _, err = process.communicate(timeout=120)
    assert process.returncode == TopicError.exit_code, err
    assert f"topic {env.topic} is gone" in err
    assert "Traceback" not in err
    (message,) = [line for line in err.splitlines() if line.startswith("error: ")]
    row.observed(f"exit {process.returncode}: {brief(message.removeprefix('error: '), 240)}")
    create_topic(env.config.kafka, env.topic)
    second = Ledger(tmp_path / "second.jsonl")
    second.send(env.bootstrap, env.topic, answers(10, start=10))
    assert "was deleted and made anew" in refused(env)
    env.take(accept_new_topic=True)
    readers.exactly_once(env.lake, ledger, epoch=1)
    readers.exactly_once(env.lake, second, epoch=2)
    row.observed("made anew: refused; accepted: 10 + 10 records, each once")


@pytest.mark.fault(
    "C4",
    injected="partitions added under a running stream, and again while it is stopped",
    expected="the new partitions are read from their start",
)
def test_partitions_added(env: SurveyEnv, row: Row, ledger: Ledger) -> None:
    keys = [str(n).encode() for n in range(20)]
    ledger.send(env.bootstrap, env.topic, answers(20), keys)
    with running(env.command("--trigger", "500 milliseconds")) as process:
        until(lambda: _rows(env) == 20)
        _partitions(env, 3)
        ledger.send(env.bootstrap, env.topic, answers(20, start=20), keys)
        until(lambda: _rows(env) == 40)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    _partitions(env, 5)
    ledger.send(env.bootstrap, env.topic, answers(20, start=40), keys)
    resume(env, ledger)
    assert {partition for _, partition, _ in env.rows()} == set(range(5))
    row.observed("1, then 3, then 5 partitions: 60 records, each once")


@pytest.mark.fault(
    "C5",
    injected="records past their retention before they were read",
    expected="stops and names the ranges; --accept-loss writes them into the table's properties",
    stock=True,
)
def test_records_that_expired_unread(
    forgetful: str, env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger, tmp_path: Path
) -> None:
    env = SurveyEnv(env.topic, forgetful, tmp_path, partitions=1)
    plain_query.bootstrap = forgetful
    ledger.send(forgetful, env.topic, answers(10))
    plain_query.run()
    env.take()
    Ledger(tmp_path / "expired.jsonl").send(forgetful, env.topic, answers(10, start=10))
    _let_expire(env, 20)
    ledger.send(forgetful, env.topic, answers(5, start=20))

    assert plain_query.run().error
    plain = plain_query.run(failOnDataLoss="false")
    assert (plain.error, len(plain.rows)) == ("", 15)
    row.plain_query(
        "stops with a failed task; with failOnDataLoss=false it goes on, and nothing says that 10 are gone"
    )

    message = refused(env)
    assert "partition 0: offsets 10 to 19 (10 records)" in message
    row.observed(message)
    env.take(accept_loss=True)
    readers.exactly_once(env.lake, ledger)
    properties = DeltaTable(env.lake / "records").metadata().configuration
    assert "surveylake.loss.1.0.10-19" in properties
    row.observed("accepted: the other 15 records, each once, and the property surveylake.loss.1.0.10-19")


@pytest.mark.fault(
    "C6",
    injected="tombstones, records without a key, headers without a value; then a compacted topic",
    expected="a tombstone has its own reason; offsets that compaction took are no loss",
)
def test_tombstones_and_compaction(
    forgetful: str, env: SurveyEnv, row: Row, ledger: Ledger, tmp_path: Path
) -> None:
    ledger.send(env.bootstrap, env.topic, [*answers(2), None], [b"1", None, b"3"])
    producer = Producer({"bootstrap.servers": env.bootstrap})
    producer.produce(env.topic, answers(1)[0], headers=[("empty", None)])
    assert producer.flush(30) == 0
    env.take()
    readers.same_as_topic(env.lake, env.bootstrap, env.topic)
    rows = readers.query(env.lake, 'SELECT "offset", key, failed_rules FROM t ORDER BY 1')
    assert rows == [(0, "1", []), (1, None, []), (2, "3", ["tombstone"]), (3, None, [])]
    row.observed("tombstone rejected as `tombstone`, the others kept")

    compacted = SurveyEnv(f"{env.topic}c", forgetful, tmp_path / "compacted", partitions=1)
    _compact(compacted)
    compacted.take()
    readers.same_as_topic(compacted.lake, forgetful, compacted.topic)
    offsets = [offset for _, _, offset in compacted.rows()]
    assert len(offsets) < offsets[-1], "nothing was compacted: the test shows nothing"
    proof = proof_lake.prove(OPEN, str(compacted.lake), compacted.config, compacted.contract)
    assert proof.proved, proof.lines()
    row.observed("compacted topic: what it kept is there, and verify proves it")


@pytest.mark.quick
@pytest.mark.fault("C7", injected="an empty topic", expected="said, and no failure", stock=True)
def test_an_empty_topic(
    env: SurveyEnv, plain_query: PlainQuery, row: Row, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plain_query.run().error == ""
    row.plain_query("empty topic: ends without a word")
    env.take()
    message = capsys.readouterr().out.splitlines()[-1]
    assert "0 records" in message
    row.observed(f"empty topic: {message.replace(str(env.lake), 'lake')}")


@pytest.mark.fault(
    "C7", injected="a topic that is not there", expected="not found, with names like it", stock=True
)
def test_a_missing_topic(env: SurveyEnv, plain_query: PlainQuery, row: Row) -> None:
    plain_query.topic = f"{env.topic}x"
    row.plain_query(f"missing topic: {plain_query.run().error}")
    assert plain_query.run().error
    env.contract = env.contract.model_copy(update={"topic": f"{env.topic}x"})
    message = refused(env)
    assert "not found" in message
    assert f"topics like it: {env.topic}" in message
    row.observed(f"missing topic: {message.replace(env.topic, 'TOPIC')}")


@pytest.mark.fault(
    "C8",
    injected="a misspelt topic at a broker that makes topics when they are named (auto.create.topics.enable)",
    expected="never made",
    stock=True,
)
def test_a_misspelt_topic_is_never_made(
    forgetful: str, env: SurveyEnv, plain_query: PlainQuery, row: Row, tmp_path: Path
) -> None:
    env = SurveyEnv(env.topic, forgetful, tmp_path, partitions=1)
    typo = f"{env.topic}typo"
    env.contract = env.contract.model_copy(update={"topic": typo})
    row.observed(refused(env).replace(typo, "TYPO"))
    assert typo not in env.admin().list_topics(timeout=10).topics
    plain_query.bootstrap, plain_query.topic = forgetful, typo
    error = plain_query.run().error
    was_made = typo in env.admin().list_topics(timeout=10).topics
    row.plain_query(f"{'makes the topic; ' if was_made else 'does not make it; '}{error or 'status ok'}")


@pytest.mark.fault(
    "C9",
    injected="the contract names another topic, same lake and checkpoint",
    expected="refused, with both names",
    stock=True,
)
def test_another_topic_on_an_old_checkpoint(
    env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger
) -> None:
    send_and_take(env, ledger, 10)
    plain_query.run()
    other = f"{env.topic}other"
    create_topic(env.config.kafka, other)
    Ledger(env.folder / "other.jsonl").send(env.bootstrap, other, answers(5))
    plain_query.topic = other
    plain = plain_query.run()
    row.plain_query(plain.error or f"status ok, {len(plain.rows)} rows of two topics in one table")

    before = readers.state(env.lake)
    first, env.contract = env.contract, env.contract.model_copy(update={"topic": other})
    message = refused(env)
    assert other in message
    assert f"the table holds topic {env.topic}:" in message
    row.observed(message.replace(other, "OTHER"))
    assert readers.state(env.lake) == before
    env.contract = first
    env.take()
    readers.exactly_once(env.lake, ledger)


def _rows(env: SurveyEnv) -> int:
    """What is in the table now; 0 while there is none."""
    return len(env.rows()) if (env.lake / "records" / "_delta_log" / f"{0:020d}.json").is_file() else 0


def _partitions(env: SurveyEnv, count: int) -> None:
    admin = env.admin()
    admin.create_partitions([NewPartitions(env.topic, count)])[env.topic].result()
    until(lambda: len(admin.list_topics(timeout=10).topics[env.topic].partitions) == count)


def _earliest(admin: AdminClient, topic: str) -> int:
    part = TopicPartition(topic, 0)
    return int(admin.list_offsets({part: OffsetSpec.earliest()})[part].result().offset)


def _let_expire(env: SurveyEnv, end: int) -> None:
    """Set a retention of one second, wait until the broker keeps nothing before `end`, and take the setting back."""
    admin = env.admin()
    _alter(admin, env.topic, "1000")
    until(lambda: _earliest(admin, env.topic) == end)
    _alter(admin, env.topic, "-1")


def _alter(admin: AdminClient, topic: str, retention: str) -> None:
    entry = ConfigEntry("retention.ms", retention, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result()


def _compact(env: SurveyEnv) -> None:
    """Make the env's topic a compacted one: 5 keys written 20 times over, and wait until the cleaner has been there."""
    admin = env.admin()
    admin.delete_topics([env.topic])[env.topic].result()
    until(lambda: env.topic not in admin.list_topics(timeout=10).topics)
    settings = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01", "segment.ms": "1000"}
    admin.create_topics([NewTopic(env.topic, 1, 1, config=settings)])[env.topic].result()
    until(lambda: env.topic in admin.list_topics(timeout=10).topics)
    ledger = Ledger(env.folder / "compacted.jsonl")
    sent = 0

    def has_holes() -> bool:
        nonlocal sent
        ledger.send(env.bootstrap, env.topic, answers(5, start=sent), [str(n).encode() for n in range(5)])
        sent += 5
        return len(readers.committed(env.bootstrap, env.topic)) < sent

    until(has_holes)
