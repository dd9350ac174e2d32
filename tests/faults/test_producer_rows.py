"""A: what happens to the producer, and to the broker under it; the other rows of A are tested with produce.py itself."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from faults import readers
from faults.damage import running
from faults.ledger import Ledger
from faults.rows import Row
from faults.soak import paced
from support.survey_env import answers
from support.waiting import until
from surveylake.config import Kafka
from surveylake.errors import TopicError
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.kafka.embedded_node import free_port
from surveylake.kafka.topic import open_topic
from surveylake.kafka.topic_creation import create_topic
from surveylake.paths import JOBS

ROWS, RATE = 6_000, 1_000
ANSWER_SECONDS = 4
"""How long a client waits for an answer before it sends again; the default is a minute."""
PAUSE_SECONDS = 3 * ANSWER_SECONDS
PATIENT = {"broker.session.timeout.ms": "120000"}
"""A broker that would hold itself for dead after the pause refuses what lay in its sockets, and nothing is there twice."""
OLD_SURVEY = 1_550_000_000_000
"""A day in 2019, in milliseconds since 1970."""
WEEK = {"retention.ms": str(7 * 86_400_000), "segment.ms": "100", "message.timestamp.type": "CreateTime"}


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """A broker that these tests may kill and pause; it looks at retention all the time."""
    often = {"log.retention.check.interval.ms": "200", "log.initial.task.delay.ms": "200"}
    with EmbeddedBroker(tmp_path_factory.mktemp("own"), free_port(), extra=often) as broker:
        yield broker


def record_count(own_broker: EmbeddedBroker, topic: str) -> int:
    """Records in the topic, by its end offsets; 0 while it has no leader yet."""
    with suppress(TopicError):
        return sum(
            end for _, end in open_topic(Kafka(bootstrap=own_broker.bootstrap), topic).bounds().values()
        )
    return 0


def retained_count(own_broker: EmbeddedBroker, topic: str) -> int:
    """Records that the broker still has, by its offsets."""
    bounds = open_topic(Kafka(bootstrap=own_broker.bootstrap), topic).bounds()
    return sum(end - first for first, end in bounds.values())


@contextmanager
def sending(own_broker: EmbeddedBroker, topic: str, *more: str) -> Iterator["subprocess.Popen[str]"]:
    """produce.py in the middle of its work."""
    create_topic(Kafka(bootstrap=own_broker.bootstrap), topic)
    command = [sys.executable, str(JOBS / "produce.py"), "--generate", str(ROWS), "--rate", str(RATE),
               "--topic", topic, "--bootstrap", own_broker.bootstrap, *more]  # fmt: skip
    with running(command) as process:
        until(lambda: record_count(own_broker, topic) > RATE / 2)
        yield process


def double_count(own_broker: EmbeddedBroker, topic: str) -> int:
    """Records beyond the first of each value."""
    values = Counter(readers.committed(own_broker.bootstrap, topic).values())
    return values.total() - len(values)


@pytest.mark.fault(
    "A2",
    injected="kill -9 of the broker while produce.py sends, restarted at once",
    expected="answers come late, none is lost; exit code 0",
)
def test_a_broker_killed_under_the_producer(own_broker: EmbeddedBroker, row: Row) -> None:
    with sending(own_broker, "killed") as process:
        own_broker.kill()
        own_broker.start()
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert f"sent {ROWS:,}, acknowledged {ROWS:,}, failed 0" in out
    assert (record_count(own_broker, "killed"), double_count(own_broker, "killed")) == (ROWS, 0)
    row.observed(f"exit 0: {ROWS:,} of {ROWS:,} acknowledged and in the topic, each once")


@pytest.mark.slow
@pytest.mark.fault(
    "A3",
    injected="the broker suspended while produce.py sends, for three times as long as it waits for an answer",
    expected="no duplicates; the same without idempotence, to show that the test sees them",
)
def test_a_broker_paused_under_the_producer(row: Row, ledger: Ledger, tmp_path: Path) -> None:
    control = {"enable.idempotence": False, "socket.timeout.ms": ANSWER_SECONDS * 1000}
    conf = tmp_path / "impatient.toml"
    conf.write_text(f'[kafka.options]\n"request.timeout.ms" = "{ANSWER_SECONDS * 1000}"\n', encoding="utf-8")
    with EmbeddedBroker(tmp_path / "kafka", free_port(), extra=PATIENT) as own_broker:
        create_topic(Kafka(bootstrap=own_broker.bootstrap), "control")
        with sending(own_broker, "paused", "--conf", str(conf)) as process, ThreadPoolExecutor(1) as pool:
            values = paced(iter(answers(ROWS)), RATE, Event())
            naive = pool.submit(ledger.send, own_broker.bootstrap, "control", values, **control)
            until(lambda: record_count(own_broker, "control") > RATE / 2)
            own_broker.pause()
            time.sleep(PAUSE_SECONDS)
            own_broker.resume()
            out, err = process.communicate(timeout=150)
            assert naive.result() == ROWS
        in_topic, twice, control_twice = (
            record_count(own_broker, "paused"),
            double_count(own_broker, "paused"),
            double_count(own_broker, "control"),
        )
    assert process.returncode == 0, err
    assert f"sent {ROWS:,}, acknowledged {ROWS:,}, failed 0" in out
    assert (in_topic, twice) == (ROWS, 0)
    assert control_twice > 0, "nothing was sent twice: the test shows nothing"
    row.observed(f"{ROWS:,} of {ROWS:,}, each once; a producer without idempotence sent records twice")


@pytest.mark.fault(
    "A9",
    injected="a topic that keeps a week, and answers of 2019",
    expected="records bear the time of sending and stay; the topic's limit is warned of",
    stock=True,
)
def test_old_answers_in_a_topic_that_forgets(own_broker: EmbeddedBroker, row: Row, ledger: Ledger) -> None:
    admin = AdminClient({"bootstrap.servers": own_broker.bootstrap})
    for creation in admin.create_topics(
        [NewTopic(name, 1, 1, config=WEEK) for name in ("event", "sent")]
    ).values():
        creation.result(20)
    ledger.send(own_broker.bootstrap, "event", answers(10), timestamp=OLD_SURVEY)
    command = [
        sys.executable,
        str(JOBS / "produce.py"),
        "--topic",
        "sent",
        "--bootstrap",
        own_broker.bootstrap,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    until(lambda: retained_count(own_broker, "event") == 0)
    row.plain_query(
        "a producer that gives records the time of the answer: all 10 are deleted by the broker at once"
    )
    assert "topic sent deletes records older than 168.0 hours" in done.stderr
    assert retained_count(own_broker, "sent") == 289
    row.observed("289 of 289 kept; note: topic sent deletes records older than 168.0 hours")
