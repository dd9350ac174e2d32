"""A broker that has just come back (row B8): every answer that means 'ask again' is asked again, in every question."""

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any

import pyspark
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from pyspark.sql import SparkSession

from surveylake.config import Kafka
from surveylake.errors import TopicError
from surveylake.kafka import retry
from surveylake.kafka.retry import RETRIABLE, SOON, asked
from surveylake.kafka.topic import open_topic
from surveylake.kafka.topic_creation import create_topic
from surveylake.produce import already_sent
from surveylake.runtime.jars import local_jars
from surveylake.verify import broker as proof_broker
from surveylake.verify.broker import reach

QUESTIONS = (
    "describe_topics", "describe_cluster", "create_topics", "list_offsets", "describe_configs", "alter_consumer_group_offsets",
)  # fmt: skip
COMING_BACK = (KafkaError.UNKNOWN_LEADER_EPOCH, KafkaError.FENCED_LEADER_EPOCH, KafkaError.NOT_CONTROLLER,
               KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError._TRANSPORT)  # fmt: skip
EMPTY = {0: (0, 0), 1: (0, 0)}
"""the offsets of a topic of two partitions that holds nothing"""


@pytest.fixture
def kafka(broker: str) -> Kafka:
    return Kafka(bootstrap=broker, partitions=2)


class Unready:
    """Kafka's answers while it comes back: each admin question is refused with each of some codes before it is really asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, codes: tuple[int, ...]) -> None:
        self.refused: list[str] = []
        self._codes = codes
        for name in QUESTIONS:
            monkeypatch.setattr(AdminClient, name, self._unready(name, getattr(AdminClient, name)))

    def _unready(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        left = list(self._codes)

        def ask(*args: Any, **more: Any) -> Any:
            answer = real(*args, **more) if not left else None
            if not left:
                left.extend(self._codes)
                return answer
            self.refused.append(name)
            no: Future[Any] = Future()
            no.set_exception(KafkaException(KafkaError(left.pop(0))))
            if name == "describe_cluster":
                return no
            keys = args[1].topic_names if name == "describe_topics" else args[1]
            return {getattr(key, "topic", key) if name == "create_topics" else
                    getattr(key, "group_id", key): no for key in keys}  # fmt: skip

        return ask


@pytest.mark.parametrize(
    ("question", "answer", "names"),
    [
        (
            lambda kafka: open_topic(kafka, "back").identify().partitions,
            2,
            ["describe_topics", "describe_cluster"],
        ),
        (lambda kafka: create_topic(kafka, "back-anew")[1], True, ["create_topics"]),
        (lambda kafka: open_topic(kafka, "back").largest_batch(), 1_048_588, ["describe_configs"]),
        (lambda kafka: open_topic(kafka, "back").bounds(), EMPTY, ["describe_topics", "list_offsets"]),
        (
            lambda kafka: open_topic(kafka, "back").open_transactions(),
            {},
            ["describe_topics", "list_offsets"],
        ),
        (
            lambda kafka: open_topic(kafka, "back").commit_group("g", {0: 1}),
            None,
            ["alter_consumer_group_offsets"],
        ),
        (
            lambda kafka: reach(kafka, "back").kept,
            EMPTY,
            ["describe_cluster", "describe_configs", "list_offsets"],
        ),
    ],
    ids=["preflight", "create", "largest", "offsets", "open", "group", "verify"],
)
def test_b8_every_question_is_asked_again_while_the_broker_comes_back(
    kafka: Kafka,
    monkeypatch: pytest.MonkeyPatch,
    question: Callable[[Kafka], object],
    answer: object,
    names: list[str],
) -> None:
    create_topic(kafka, "back")
    unready = Unready(monkeypatch, COMING_BACK)
    assert question(kafka) == answer
    for name in names:
        assert unready.refused.count(name) >= len(COMING_BACK)


def test_b8_an_error_of_one_partition_in_a_groups_answer_is_asked_again(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_topic(kafka, "back-group")
    real, left = AdminClient.alter_consumer_group_offsets, [KafkaError.UNSTABLE_OFFSET_COMMIT]

    class Part:
        def __init__(self, error: KafkaError | None) -> None:
            self.error = error

    def half_done(self: AdminClient, wishes: list[Any], **more: Any) -> dict[str, Any]:
        if not left:
            return real(self, wishes, **more)
        done: Future[Any] = Future()
        done.set_result(type("Told", (), {"topic_partitions": [Part(None), Part(KafkaError(left.pop()))]}))
        return {"g": done}

    monkeypatch.setattr(AdminClient, "alter_consumer_group_offsets", half_done)
    open_topic(kafka, "back-group").commit_group("g", {0: 0, 1: 0})
    assert not left


def test_b8_a_question_that_stays_refused_says_for_how_long_it_was_asked() -> None:
    def ask() -> None:
        raise KafkaException(KafkaError(KafkaError.UNKNOWN_LEADER_EPOCH))

    with pytest.raises(TopicError, match=r"asking, asked again for [1-9] s: Leader epoch is newer") as caught:
        asked(ask, "asking", seconds=1.2)
    assert caught.value.hint
    assert retry.code_of(caught.value) == KafkaError.UNKNOWN_LEADER_EPOCH


@pytest.mark.parametrize("code", [KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.TOPIC_ALREADY_EXISTS, KafkaError._ALL_BROKERS_DOWN])  # fmt: skip
def test_b8_what_will_not_pass_is_asked_once(code: int) -> None:
    asks = []

    def ask() -> None:
        asks.append(1)
        raise KafkaException(KafkaError(code))

    with pytest.raises(TopicError):
        asked(ask, "asking")
    assert len(asks) == 1


def test_b8_silence_is_not_asked_again_since_it_was_waited_for() -> None:
    def ask() -> None:
        raise FutureTimeout

    with pytest.raises(TopicError, match="no answer within 10 s"):
        asked(ask, "asking")


def test_b8_the_codes_are_those_that_kafkas_own_client_calls_retriable(spark: SparkSession) -> None:
    """By the protocol's table in the broker's own jar: a newer Kafka with another list fails here."""
    java: Any = spark._jvm
    jars = [*local_jars("broker"), *Path(pyspark.__path__[0], "jars").glob("slf4j-api-*.jar")]
    urls = spark.sparkContext._gateway.new_array(java.java.net.URL, len(jars))  # type: ignore[union-attr]
    for number, jar in enumerate(jars):
        urls[number] = java.java.io.File(str(jar.absolute())).toURI().toURL()
    loader = java.java.net.URLClassLoader(urls, None)
    table = loader.loadClass("org.apache.kafka.common.protocol.Errors").getEnumConstants()
    kind = loader.loadClass("org.apache.kafka.common.errors.RetriableException")
    known = {error.code() for error in table if kind.isInstance(error.exception())}
    assert known == RETRIABLE
    assert {74, 75} <= known


class Telling:
    """A consumer that is told so many times that the leader is not sure before records come."""

    told: list[int]

    def __new__(cls, options: dict[str, Any]) -> Any:
        real = Consumer(options)

        class Told:
            def __init__(self, code: int) -> None:
                self.code = code

            def error(self) -> KafkaError:
                return KafkaError(self.code)

            def partition(self) -> int:
                return 0

            def offset(self) -> int:
                return 0

        class Unsure:
            def consume(self, most: int, timeout: float) -> list[Any]:
                return [Told(cls.told.pop())] if cls.told else real.consume(most, timeout)

            def poll(self, timeout: float) -> Any:
                return Told(cls.told.pop()) if cls.told else real.poll(timeout)

            def __getattr__(self, name: str) -> Any:
                return getattr(real, name)

        return Unsure()


def test_b8_a_reader_that_is_told_the_leader_is_not_sure_reads_on(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_topic(kafka, "back-records")
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for number in range(5):
        producer.produce(
            "back-records",
            b"{}",
            partition=0,
            headers={already_sent.SOURCE_HEADER: b"s", already_sent.ROW_HEADER: b"%d" % number},
        )
    assert producer.flush(30) == 0
    codes = [KafkaError.UNKNOWN_LEADER_EPOCH, KafkaError.FENCED_LEADER_EPOCH, KafkaError._TRANSPORT]
    for module in (already_sent, proof_broker):
        monkeypatch.setattr(module, "Consumer", Telling)
    Telling.told = list(codes)
    assert already_sent.scan(open_topic(kafka, "back-records"), "s", 5).count == 5
    assert not Telling.told
    Telling.told = list(codes)
    assert [answer.committed for answer in reach(kafka, "back-records").ask({0: [(1, 3)]})[0]] == [3]
    assert not Telling.told
    Telling.told = [KafkaError.TOPIC_AUTHORIZATION_FAILED]
    with pytest.raises(TopicError, match="may not"):
        already_sent.scan(open_topic(kafka, "back-records"))


def test_b8_what_a_librdkafka_client_calls_broken_off_is_among_them() -> None:
    assert {KafkaError._TRANSPORT, *RETRIABLE} <= SOON
    assert KafkaError._PARTITION_EOF not in SOON
