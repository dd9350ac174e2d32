"""Questions to a real Kafka: which topic is it, how far does it reach, and one clear message when it cannot be told."""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, ConfigSource, NewTopic, ResourceType
from hypothesis import given
from hypothesis import strategies as st

from support.clock import Clock
from surveylake.config import Kafka
from surveylake.errors import ConfigError, TopicError
from surveylake.kafka import connection
from surveylake.kafka.credentials import PASSWORD_VARIABLE
from surveylake.kafka.options import client_options, spark_options
from surveylake.kafka.topic import open_topic
from surveylake.kafka.topic_creation import create_topic

CANARY = 'HUNTER2"\\x'
SCRAM = {"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "ann"}


@pytest.fixture
def kafka(broker: str) -> Kafka:
    return Kafka(bootstrap=broker, partitions=2)


@contextmanager
def a_server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Something that listens on loopback and is not Kafka."""
    server = socket.create_server(("127.0.0.1", 0))

    def attend(client: socket.socket) -> None:
        with client, suppress(OSError):
            answer(client)

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=attend, args=server.accept()[:1], daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield f"127.0.0.1:{server.getsockname()[1]}"
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def refused(kafka: Kafka, topic: str = "any", seconds: float = 10) -> TopicError:
    """The error preflight gives."""
    with pytest.raises(TopicError) as caught:
        open_topic(kafka, topic, seconds).identify()
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


def test_a_topic_is_told_by_its_ids(kafka: Kafka) -> None:
    create_topic(kafka, "told")
    found = open_topic(kafka, "told").identify()
    assert (found.name, found.partitions) == ("told", 2)
    assert len(found.cluster_id) == len(found.topic_id) == 22
    assert open_topic(kafka, "told").identify() == found


def test_a_recreated_topic_is_another_topic(kafka: Kafka) -> None:
    create_topic(kafka, "made-anew")
    before = open_topic(kafka, "made-anew").identify()
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.delete_topics(["made-anew"])["made-anew"].result()
    while "made-anew" in admin.list_topics(timeout=5).topics:
        time.sleep(0.02)
    create_topic(kafka, "made-anew")
    after = open_topic(kafka, "made-anew").identify()
    assert after.cluster_id == before.cluster_id
    assert after.topic_id != before.topic_id


def test_b15_a_name_that_differs_in_dots_only_is_named_with_what_to_write(kafka: Kafka) -> None:
    create_topic(kafka, "tea_2026.final")
    error = refused(kafka, "tea.2026_final")
    assert "topic tea_2026.final is there, and differs in '.' and '_' only" in error.message
    assert error.hint.startswith('Write topic = "tea_2026.final" in the contract')
    with pytest.raises(
        TopicError, match=r"topic tea_2026\.final is there, and to Kafka '\.' and '_' are one"
    ) as caught:
        create_topic(kafka, "tea.2026_final")
    assert "partitions" not in caught.value.hint
    assert 'topic = "tea_2026.final"' in caught.value.hint


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a topic", "letter 2 is a blank"),
        ("Küche", "letter 2 is 'ü'"),
        ("a\x1b[31m", r"letter 2 is U\+001B"),
        ("..", "'..' is no name of a topic"),
        ("", "an empty text is no name of a topic"),
        ("x" * 250, "has 249 letters at most, and this one 250"),
    ],
)
def test_b15_a_name_that_kafka_does_not_take_is_refused_with_the_letter(name: str, said: str) -> None:
    """Before any broker is asked: at this address there is none."""
    with pytest.raises(ConfigError, match=said) as caught:
        create_topic(Kafka(bootstrap="127.0.0.1:1"), name)
    assert len(caught.value.message) < 250
    assert "--topic" in caught.value.hint


def test_a_missing_topic_names_those_like_it_and_is_not_created(kafka: Kafka) -> None:
    create_topic(kafka, "Fruit-survey")
    error = refused(kafka, "fruit-surveys")
    assert (
        error.message == f"topic fruit-surveys not found at {kafka.bootstrap}; topics like it: Fruit-survey"
    )
    assert (
        "fruit-surveys"
        not in AdminClient({"bootstrap.servers": kafka.bootstrap}).list_topics(timeout=5).topics
    )


def test_no_broker_is_said_within_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert refused(Kafka(bootstrap=f"127.0.0.1:{port}")).message == f"nothing listens at 127.0.0.1:{port}"


def test_an_unknown_host_is_said_within_seconds() -> None:
    assert (
        "no.such.host.test:9092 does not resolve"
        in refused(Kafka(bootstrap="no.such.host.test:9092", insecure=True)).message
    )


def test_a_listener_that_never_answers_is_given_up_in_time() -> None:
    def swallow(client: socket.socket) -> None:
        while client.recv(4096):
            pass

    with a_server(swallow) as address:
        assert (
            f"{address} gave no answer that is Kafka's within 2 s"
            in refused(Kafka(bootstrap=address), seconds=2).message
        )


@pytest.mark.parametrize("seconds", [0.5, 2, 10])
def test_a_silent_listener_is_waited_for_no_longer_than_it_may_be(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """Of the client every wait is counted, and none is spent: how long librdkafka itself takes is not ours."""
    clock = Clock()

    class SilentClient:
        def __init__(self, options: object) -> None: ...

        def poll(self, timeout: float) -> None:
            clock.now += timeout

        def list_topics(self, timeout: float) -> None:
            clock.now += timeout
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))

    monkeypatch.setattr(connection, "AdminClient", SilentClient)
    monkeypatch.setattr(connection, "time", clock)
    error = refused(Kafka(bootstrap="127.0.0.1:1"), seconds=seconds)
    assert f"within {seconds:.0f} s" in error.message
    assert seconds <= clock.now <= seconds + 0.2


def test_tls_asked_of_a_plain_listener_names_the_protocol(kafka: Kafka) -> None:
    error = refused(kafka.model_copy(update={"options": {"security.protocol": "SSL"}}))
    assert "not in the protocol asked for" in error.message
    assert "security.protocol" in error.hint


def test_a_tls_listener_asked_in_plain_names_the_protocol() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def shake(client: socket.socket) -> None:
        context.wrap_socket(client, server_side=True).close()

    with a_server(shake) as address:
        assert "security.protocol" in refused(Kafka(bootstrap=address), seconds=4).hint


def test_a_broker_that_advertises_an_unknown_name_is_quoted(kafka: Kafka) -> None:
    host, port = kafka.bootstrap.split(":")

    def pump(source: socket.socket, target: socket.socket, rewrite: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                # Names of equal length, so that the answer's own lengths stay right.
                target.sendall(data.replace(b"127.0.0.1", b"host.test") if rewrite else data)

    def relay(client: socket.socket) -> None:
        with socket.create_connection((host, int(port))) as real:
            threading.Thread(target=pump, args=(client, real, False), daemon=True).start()
            pump(real, client, True)

    with a_server(relay) as address:
        error = refused(Kafka(bootstrap=address))
    assert error.message.startswith(
        f"{address} answered, but the cluster advertises host.test:{port}, which does not resolve"
    )


def test_failed_authentication_is_named_and_keeps_the_password(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, CANARY)
    options = {**SCRAM, "security.protocol": "SASL_PLAINTEXT"}
    error = refused(kafka.model_copy(update={"options": options}))
    assert error.message.startswith(f"authentication failed at {kafka.bootstrap}")
    assert CANARY not in error.message + error.hint


def test_a_topic_is_created_once_and_keeps_its_records(kafka: Kafka) -> None:
    assert create_topic(kafka, "created-once")[1]
    assert not create_topic(kafka, "created-once")[1]
    resource = ConfigResource(ResourceType.TOPIC, "created-once")
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    settings = admin.describe_configs([resource])[resource].result()
    assert (settings["retention.ms"].value, settings["retention.ms"].source) == (
        "-1",
        ConfigSource.DYNAMIC_TOPIC_CONFIG.value,
    )
    assert open_topic(kafka, "created-once").identify().partitions == 2


def test_a_topic_that_lets_records_expire_is_warned_of(
    kafka: Kafka, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    wish = NewTopic("forgets", 1, 1, config={"retention.ms": "3600000", "cleanup.policy": "compact,delete"})
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([wish])["forgets"].result()
    assert not create_topic(kafka, "forgets")[1]
    assert "older than 1.0 hours" in caplog.text
    assert "is compacted" in caplog.text


def test_too_many_replicas_is_said_in_one_line(kafka: Kafka) -> None:
    with pytest.raises(TopicError, match=r"replication 3: .*only 1 broker"):
        create_topic(kafka.model_copy(update={"replication": 3}), "too-many")


def test_offsets_of_an_empty_topic_are_zero(kafka: Kafka) -> None:
    create_topic(kafka, "empty")
    assert open_topic(kafka, "empty").bounds() == {0: (0, 0), 1: (0, 0)}


def test_an_open_transaction_ends_what_a_committed_reader_sees(kafka: Kafka) -> None:
    create_topic(kafka, "open")
    plain = Producer({"bootstrap.servers": kafka.bootstrap})
    plain.produce("open", b"1", partition=0)
    plain.flush(10)
    open_one = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": "open"})
    open_one.init_transactions(20)
    open_one.begin_transaction()
    open_one.produce("open", b"2", partition=0)
    open_one.flush(10)
    assert open_topic(kafka, "open").bounds()[0] == (0, 1)
    assert open_topic(kafka, "open").bounds(committed=False)[0] == (0, 2)
    open_one.abort_transaction(10)
    deadline = time.monotonic() + 10
    # The broker writes the marker that ends a transaction a moment after it has agreed to.
    while open_topic(kafka, "open").bounds()[0] != (0, 3) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert open_topic(kafka, "open").bounds()[0] == (0, 3)


def test_offsets_of_a_missing_topic_are_an_error(kafka: Kafka) -> None:
    with pytest.raises(TopicError, match="never-made"):
        open_topic(kafka, "never-made").bounds()


def test_offsets_are_mirrored_into_a_group(kafka: Kafka) -> None:
    create_topic(kafka, "mirrored")
    open_topic(kafka, "mirrored").commit_group("lag", {0: 7, 1: 9})
    open_topic(kafka, "mirrored").commit_group("lag", {0: 8})
    open_topic(kafka, "mirrored").commit_group("lag", {})
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    found = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("lag")])["lag"].result()
    assert {part.partition: part.offset for part in found.topic_partitions} == {0: 8, 1: 9}


def test_spark_reads_committed_records_and_creates_no_topic() -> None:
    assert spark_options(
        Kafka(bootstrap="h:1", insecure=True, options={"client.id": "x", "request.timeout.ms": "9"})
    ) == {
        "kafka.bootstrap.servers": "h:1",
        "kafka.isolation.level": "read_committed",
        "kafka.allow.auto.create.topics": "false",
        "kafka.max.poll.records": "20000",
        "kafka.max.partition.fetch.bytes": "4194304",
        "kafka.receive.buffer.bytes": "-1",
        "kafka.fetch.max.wait.ms": "20",
        "kafka.client.id": "x",
        "kafka.request.timeout.ms": "9",
    }


def test_one_security_block_serves_both_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, CANARY)
    ca = tmp_path / "ca.pem"
    ca.touch()
    kafka = Kafka(bootstrap="far.test:9093", options={**SCRAM, "ssl.ca.location": str(ca)})
    assert client_options(kafka) == {
        "bootstrap.servers": "far.test:9093", **SCRAM, "sasl.password": CANARY, "ssl.ca.location": str(ca),
    }  # fmt: skip
    java = spark_options(kafka)
    assert java["kafka.security.protocol"] == "SASL_SSL"
    assert java["kafka.sasl.mechanism"] == "SCRAM-SHA-512"
    assert java["kafka.ssl.truststore.type"] == "PEM"
    assert java["kafka.ssl.truststore.location"] == str(ca)
    assert java["kafka.sasl.jaas.config"] == (
        "org.apache.kafka.common.security.scram.ScramLoginModule required "
        'username="ann" password="HUNTER2\\"\\\\x";'
    )
    assert not {"kafka.sasl.password", "kafka.sasl.username", "kafka.ssl.ca.location"} & set(java)


def as_java_reads_it(text: str) -> list[str]:
    """The quoted strings of a JAAS line by the rules of java.io.StreamTokenizer."""
    found: list[str] = []
    inside: str | None = None
    letters = iter(text)
    for letter in letters:
        if inside is None:
            inside = "" if letter == '"' else None
        elif letter == '"' or letter in "\r\n":
            found.append(inside)
            inside = None
        else:
            after = next(letters) if letter == "\\" else ""
            inside += {"n": "\n", "r": "\r"}.get(after, after) if after else letter
    return found


@given(
    st.text(st.characters(blacklist_categories=["Cs"]), min_size=1),
    st.text(min_size=1, alphabet='"\\\n\r;= a'),
)
def test_no_password_breaks_out_of_its_quotes(password: str, username: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if "\0" in password:
            return
        patch.setenv(PASSWORD_VARIABLE, password)
        options = {**SCRAM, "sasl.username": username}
        line = spark_options(Kafka(bootstrap="h:1", options=options))["kafka.sasl.jaas.config"]
    assert as_java_reads_it(line) == [username, password]


@pytest.mark.parametrize(
    ("bootstrap", "options", "said"),
    [
        ("far.test:9092", {**SCRAM, "security.protocol": "SASL_PLAINTEXT"}, "unencrypted"),
        ("far.test:9092", {**SCRAM, "sasl.mechanism": "GSSAPI"}, "not supported"),
        ("far.test:9092", {"security.protocol": "SASL_SSL"}, "sasl.username"),
        ("far.test:9092", {"sasl.username": "ann"}, "without SASL"),
        ("far.test:9092", {"security.protocol": "TLS"}, "unknown"),
        ("far.test:9092", {"security.protocol": "SSL", "ssl.ca.location": "/none.pem"}, "names no file"),
        ("far.test", {}, "not a broker address"),
        ("far.test:99999", {}, "not a broker address"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    bootstrap: str, options: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, CANARY)
    for translate in (client_options, spark_options):
        with pytest.raises(ConfigError, match=said) as caught:
            translate(Kafka(bootstrap=bootstrap, options=options))
        assert CANARY not in caught.value.message + caught.value.hint


def test_a_missing_password_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    with pytest.raises(ConfigError) as caught:
        client_options(Kafka(bootstrap="far.test:9092", options=SCRAM))
    assert PASSWORD_VARIABLE in caught.value.hint
