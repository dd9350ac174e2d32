"""B: what happens to the broker, and what it then has or lacks."""

import random
import shutil
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from confluent_kafka import KafkaException, Producer
from pyspark.sql import SparkSession

from faults import readers
from faults.damage import commit_file, refused, running
from faults.disks import small_disk
from faults.ledger import Ledger
from faults.plain_query import PlainQuery
from faults.rows import Row
from faults.scenario import resume, send_and_take
from support.survey_env import SurveyEnv, answers
from support.waiting import until
from surveylake.errors import TopicError
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.kafka.embedded_node import free_port
from surveylake.kafka.topic import open_topic
from surveylake.kafka.topic_creation import create_topic
from surveylake.paths import JOBS

KILLS = 10
BATCH = 100
BATCHES = 40


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """A broker that these tests may kill, pause and damage."""
    with EmbeddedBroker(tmp_path_factory.mktemp("own"), free_port()) as broker:
        yield broker


@pytest.fixture
def own_env(
    own_broker: EmbeddedBroker, spark: SparkSession, tmp_path: Path, request: pytest.FixtureRequest
) -> SurveyEnv:
    """A topic of one partition on that broker, running whatever the test before did to it, and a lake."""
    if own_broker.running:
        own_broker.resume()
    else:
        own_broker.start()
    return SurveyEnv(
        f"T{zlib.crc32(request.node.nodeid.encode())}", own_broker.bootstrap, tmp_path, partitions=1
    )


@pytest.mark.slow
@pytest.mark.fault(
    "B1",
    injected=f"kill -9 of the broker during ingest, {KILLS} times at moments by chance, restarted each time",
    expected="the stream waits, or ends with a message and goes on when run again; every record once",
)
def test_a_broker_killed_under_the_stream(
    own_broker: EmbeddedBroker, own_env: SurveyEnv, row: Row, ledger: Ledger
) -> None:
    ledger.send(own_env.bootstrap, own_env.topic, answers(BATCH * BATCHES))
    own_env.set_stream(max_offsets_per_trigger=BATCH)
    moments = sorted(random.Random(1).sample(range(2, BATCHES), KILLS))

    def kill_now_and_then() -> None:
        for version in moments:
            until(commit_file(own_env.lake / "records", version).is_file)
            own_broker.kill()
            own_broker.start()

    runs, killing = 0, ThreadPoolExecutor(1)
    killed = killing.submit(kill_now_and_then)
    while not killed.done() or runs == 0:
        runs += 1
        try:
            own_env.take()
        except TopicError as error:
            assert error.hint
    killed.result()
    killing.shutdown()
    resume(own_env, ledger)
    row.observed(f"{KILLS} kills: {BATCH * BATCHES:,} of {BATCH * BATCHES:,}, each once")


@pytest.mark.slow
@pytest.mark.fault(
    "B2",
    injected="the broker suspended under a running stream, and before a start",
    expected="the cause is named within half a minute; the stream goes on when the broker does",
    stock=True,
)
def test_a_broker_that_hangs(
    own_broker: EmbeddedBroker, own_env: SurveyEnv, row: Row, ledger: Ledger
) -> None:
    plain_query = PlainQuery(
        SparkSession.active(), own_env.folder / "stock", own_env.bootstrap, own_env.topic
    )
    ledger.send(own_env.bootstrap, own_env.topic, answers(10))
    with running(own_env.command("--trigger", "1 second")) as process, ThreadPoolExecutor(1) as pool:
        until(commit_file(own_env.lake / "records", 1).is_file)
        own_broker.pause()
        plain = pool.submit(plain_query.run)
        assert process.stderr
        message = next((line for line in process.stderr if "gave no answer" in line), "nothing")
        assert message != "nothing", "the stream ended and had not named the cause"
        row.observed(f"running: {message}")
        row.observed(f"at a start: {refused(own_env)}")
        assert not plain.done()
        row.plain_query("has said nothing by then")
        own_broker.resume()
        ledger.send(own_env.bootstrap, own_env.topic, answers(10, start=10))
        until(lambda: len(own_env.rows()) == 20)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    readers.exactly_once(own_env.lake, ledger)
    row.observed("resumed: 20 of 20, each once, without a restart")


@pytest.mark.fault(
    "B3",
    injected="broker stopped and started on another port",
    expected="the new address is enough; the stream goes on where it was",
)
def test_a_broker_that_moved(
    own_broker: EmbeddedBroker, own_env: SurveyEnv, row: Row, ledger: Ledger
) -> None:
    send_and_take(own_env, ledger, 10)
    own_broker.stop()
    own_broker.port = free_port()
    own_broker.start()
    message = refused(own_env)
    row.observed(f"with the old address {message}")
    own_env.config = own_env.config.at(own_broker.bootstrap)
    ledger.send(own_env.bootstrap, own_env.topic, answers(10, start=10))
    resume(own_env, ledger)
    assert not list(own_env.checkpoint.parent.glob("*.retired-*"))
    row.observed("with the new one 20 of 20, each once, under the same checkpoint")


def cut(log: Path) -> None:
    """Half of the file, its last batches, is gone."""
    with log.open("rb+") as file:
        file.truncate(log.stat().st_size // 2)


def flip(log: Path) -> None:
    """One bit in the middle of the file is another."""
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)


@pytest.mark.fault(
    "B8",
    injected="broker killed, its log of the topic cut short, or a bit in it flipped, and started again",
    expected="Kafka drops what fails its checksum; the loss is reported and not passed over",
    stock=True,
)
@pytest.mark.parametrize("damage", [cut, flip])
def test_a_damaged_broker_log(
    own_broker: EmbeddedBroker, own_env: SurveyEnv, row: Row, ledger: Ledger, damage: Callable[[Path], None]
) -> None:
    plain_query = PlainQuery(
        SparkSession.active(), own_env.folder / "stock", own_env.bootstrap, own_env.topic
    )
    for start in range(0, 10, 2):
        ledger.send(own_env.bootstrap, own_env.topic, answers(2, start))
    own_env.take()
    plain_query.run()
    own_broker.kill()
    damage(own_broker.data / "log" / f"{own_env.topic}-0" / f"{0:020d}.log")
    own_broker.start()
    left = len(readers.committed(own_env.bootstrap, own_env.topic))
    assert left < 10
    message = refused(own_env)
    assert "lost records that were read before" in message
    row.observed(message)
    readers.exactly_once(own_env.lake, ledger)
    row.plain_query(plain_query.run().error or "status ok")


@pytest.mark.fault(
    "B9",
    injected="the broker's data wiped, the topic made anew under a new cluster id, as many records again",
    expected="refused: another cluster; --accept-new-topic begins a new epoch",
    stock=True,
)
def test_a_broker_that_forgot_everything(spark: SparkSession, row: Row, tmp_path: Path) -> None:
    first, second = Ledger(tmp_path / "first.jsonl"), Ledger(tmp_path / "second.jsonl")
    with EmbeddedBroker(tmp_path / "kafka", free_port()) as broker:
        env = SurveyEnv("wiped", broker.bootstrap, tmp_path, partitions=1)
        plain_query = PlainQuery(spark, tmp_path / "stock", broker.bootstrap, "wiped")
        first.send(broker.bootstrap, "wiped", answers(10))
        env.take()
        plain_query.run()
        broker.kill()
        shutil.rmtree(broker.data)
        broker.start()
        create_topic(env.config.kafka, "wiped")
        second.send(broker.bootstrap, "wiped", answers(10, start=10))
        plain = plain_query.run()
        assert (plain.error, len(plain.rows)) == ("", 10)
        row.plain_query("status ok; 0 of the 10 new records are taken in")
        message = refused(env)
        assert "this is another Kafka cluster" in message
        row.observed(message)
        env.take(accept_new_topic=True)
    readers.exactly_once(env.lake, first, epoch=1)
    readers.exactly_once(env.lake, second, epoch=2)
    row.observed("accepted: 10 + 10 records, each once")


def fill(broker: EmbeddedBroker, _: str) -> Callable[[], None]:
    """Leave no byte free on the broker's disk; answers with what frees it."""
    filler = broker.data.parent / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filler.unlink


def fail_writes(broker: EmbeddedBroker, topic: str) -> Callable[[], None]:
    """Let every write into the topic's log fail (EIO), by strace; it ends with the broker."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    calls = "write,writev,pwrite64"
    command = [
        "strace",
        "-qq",
        "-f",
        "-o",
        "/dev/null",
        "-e",
        f"trace={calls}",
        "-e",
        f"inject={calls}:error=EIO",
    ]
    log = broker.data / "log" / f"{topic}-0" / f"{0:020d}.log"
    tracer = subprocess.Popen([*command, "-P", str(log), "-p", str(broker.pid)], stderr=subprocess.DEVNULL)
    return lambda: tracer.wait(30) and None


@pytest.mark.slow
@pytest.mark.parametrize(
    "break_disk",
    [
        pytest.param(fill, marks=pytest.mark.fault("B6", injected="the broker's disk full while produce.py sends", expected="nothing acknowledged is lost; it goes on when there is room")),
        pytest.param(fail_writes, marks=pytest.mark.fault("B7", injected="writes to the topic's log fail (EIO) while produce.py sends", expected="the broker is said to be gone; nothing acknowledged is lost")),
    ],
)  # fmt: skip
def test_a_broker_that_cannot_write(
    spark: SparkSession,
    row: Row,
    tmp_path: Path,
    break_disk: Callable[[EmbeddedBroker, str], Callable[[], None]],
) -> None:
    rows = 40_000
    with (
        small_disk(tmp_path / "disk", 100),
        EmbeddedBroker(tmp_path / "disk" / "kafka", free_port()) as broker,
    ):
        env = SurveyEnv("hurt", broker.bootstrap, tmp_path, partitions=1)
        command = [sys.executable, str(JOBS / "produce.py"), "--generate", str(rows), "--rate", "4000",
                   "--topic", "hurt", "--bootstrap", broker.bootstrap]  # fmt: skip
        with running(command) as process:
            until(lambda: open_topic(env.config.kafka, "hurt").bounds()[0][1] > 1_000)
            heal = break_disk(broker, "hurt")
            until(lambda: not broker.running)
            message = refused(env)
            heal()
            broker.kill()
            broker.start()
            out, err = process.communicate(timeout=150)
        assert process.returncode == 0, err
        assert f"sent {rows:,}, acknowledged {rows:,}, failed 0" in out
        env.take()
        readers.same_as_topic(env.lake, env.bootstrap, "hurt")
        assert len(env.rows()) == rows
    row.observed(
        f"Kafka ends itself; stream.py: {message}; produce.py waits, and after a restart {rows:,} of {rows:,}, each once"
    )


def transactional(env: SurveyEnv, name: str = "bank") -> Producer:
    """A producer of transactions, its first one begun."""
    producer = Producer({"bootstrap.servers": env.bootstrap, "transactional.id": f"{env.topic}-{name}"})
    producer.init_transactions(30)
    producer.begin_transaction()
    return producer


def write(producer: Producer, env: SurveyEnv, start: int, count: int = 5) -> None:
    for value in answers(count, start):
        producer.produce(env.topic, value)
    assert producer.flush(30) == 0


@pytest.mark.fault(
    "B11",
    injected="a transaction aborted, and one of a producer that was fenced off by another",
    expected="their records never arrive",
    stock=True,
)
def test_an_aborted_transaction(env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger) -> None:
    ledger.send(env.bootstrap, env.topic, answers(10))
    aborted, fenced = transactional(env), transactional(env, "fenced")
    write(aborted, env, 100)
    aborted.abort_transaction(30)
    write(fenced, env, 200)
    Producer(
        {"bootstrap.servers": env.bootstrap, "transactional.id": f"{env.topic}-fenced"}
    ).init_transactions(30)
    with pytest.raises(KafkaException, match=r"fenced|epoch"):
        fenced.commit_transaction(30)
    send_and_take(env, ledger, 10, start=10)
    readers.exactly_once(env.lake, ledger)
    readers.same_as_topic(env.lake, env.bootstrap, env.topic)
    row.observed("20 of 20 committed records, none of the 10 others")
    plain = plain_query.run()
    assert (plain.error, len(plain.rows)) == ("", 30)
    row.plain_query("status ok; all 10 records that were never committed are in its table")


@pytest.mark.quick
@pytest.mark.fault(
    "B11",
    injected="a transaction left open",
    expected="what comes after it is said to wait; it is taken in when the transaction ends",
)
def test_an_open_transaction(
    env: SurveyEnv, row: Row, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.send(env.bootstrap, env.topic, answers(10))
    producer = transactional(env)
    write(producer, env, 100)
    ledger.send(env.bootstrap, env.topic, answers(10, start=10))
    with caplog.at_level("WARNING"):
        env.take()
    message = [text for text in caplog.messages if "wait for a transaction" in text]
    partitions = {p for p, _ in readers.committed(env.bootstrap, env.topic, "read_uncommitted")}
    assert 1 <= len(message) <= len(partitions)
    row.observed(message[0])
    producer.commit_transaction(30)
    caplog.clear()
    env.take()
    assert not [text for text in caplog.messages if "transaction" in text]
    readers.same_as_topic(env.lake, env.bootstrap, env.topic)
    assert len(env.rows()) == 25
    assert readers.missing(ledger, env.lake) == []
    row.observed("after it ended 25 of 25, each once")
