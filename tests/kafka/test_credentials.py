"""A Kafka that asks who one is: one [kafka] block logs both clients in, and each verb needs the rights that docs/kafka.md lists."""

import base64
import json
import re
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AclOperation, ResourceType
from pyarrow import parquet
from pyspark.sql import SparkSession

import produce
import stream
import verify
from support import shell
from support.survey_env import SURVEY, answers
from support.tls_broker import PASSWORD, SECRET, TlsBroker
from surveylake.config import Kafka
from surveylake.kafka.credentials import KEY_PASSWORD_VARIABLE, PASSWORD_VARIABLE
from surveylake.kafka.options import client_options, spark_options
from surveylake.kafka.topic import open_topic
from surveylake.kafka.topic_creation import create_topic
from surveylake.runtime.process_log import LEVEL_VARIABLE

pytestmark = pytest.mark.integration
SAMPLE = SURVEY.with_suffix(".sample.csv")


@pytest.fixture(scope="module")
def tls_broker(tmp_path_factory: pytest.TempPathFactory, kept_classes: None) -> Iterator[TlsBroker]:
    with TlsBroker(tmp_path_factory.mktemp("secured")) as running:
        running.add_scram_user("sam")
        yield running


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    monkeypatch.setenv(KEY_PASSWORD_VARIABLE, PASSWORD)


@pytest.mark.parametrize(
    ("listener", "user"), [("SECURE", "ann"), ("SCRAM", "sam"), ("MUTUAL", "mia"), ("OAUTH", "olga")]
)
def test_one_block_logs_both_clients_in(
    tls_broker: TlsBroker, spark: SparkSession, monkeypatch: pytest.MonkeyPatch, listener: str, user: str
) -> None:
    if listener == "OAUTH":
        monkeypatch.setenv(PASSWORD_VARIABLE, SECRET)
    topic, kafka = f"by-{listener}", tls_broker.at(listener, user)
    tls_broker.allow(user, topic, AclOperation.CREATE, AclOperation.WRITE, AclOperation.READ)
    assert create_topic(kafka, topic)[1]
    producer = Producer(client_options(kafka))
    for value in answers(5):
        producer.produce(topic, value)
    assert producer.flush(20) == 0
    assert open_topic(kafka, topic).bounds() == {0: (0, 5)}
    reader = spark.read.format("kafka").options(**spark_options(kafka)).option("subscribe", topic)
    assert reader.load().count() == 5


RIGHTS = {
    "produce, a topic to be made": {AclOperation.CREATE, AclOperation.WRITE},
    "produce": {AclOperation.WRITE, AclOperation.READ},
    "stream": {AclOperation.READ},
}
"""Verb -> all that its user needs on the topic. With READ or WRITE comes DESCRIBE."""
LESS = [(verb, lacking) for verb, rights in RIGHTS.items() for lacking in sorted(rights, key=str)]


class Verb:
    """A verb run by a user who may do this with a topic of the test's own, and nothing else."""

    def __init__(self, tls_broker: TlsBroker, name: str, rights: set[AclOperation], folder: Path) -> None:
        self.topic = f"rights-{zlib.crc32(str(folder).encode())}"
        self.name, self.user = name, f"user-of-{self.topic}"
        tls_broker.add_scram_user(self.user)
        tls_broker.allow(self.user, self.topic, *rights)
        if "made" not in name:
            create_topic(Kafka(bootstrap=tls_broker.broker.bootstrap, partitions=1), self.topic)
        self.survey, self.conf, self.lake = folder / "s.toml", folder / "conf.toml", folder / "lake"
        text = SURVEY.read_text("utf-8").replace('topic = "Food"', f'topic = "{self.topic}"')
        self.survey.write_text(text, "utf-8")
        write_conf(self.conf, tls_broker.at("SCRAM", self.user), "lag")

    def run(self) -> int:
        """The verb's exit code."""
        words = ["--survey", str(self.survey), "--conf", str(self.conf)]
        if self.name.startswith("produce"):
            return produce.main([str(SAMPLE), *words])
        return (stream if self.name == "stream" else verify).main([*words, "--lake", str(self.lake)])


def write_conf(path: Path, kafka: Kafka, group: str = "") -> None:
    """A conf file with one [kafka] block."""
    lines = "".join(f"{json.dumps(key)} = {json.dumps(value)}\n" for key, value in kafka.options.items())
    head = f'[kafka]\nbootstrap = "{kafka.bootstrap}"\npartitions = 1\nconsumer_group = "{group}"\n'
    path.write_text(f"{head}[kafka.options]\n{lines}", "utf-8")


@pytest.mark.parametrize(("name", "lacking"), LESS, ids=[f"{verb}-{right.name}" for verb, right in LESS])
def test_one_right_less_is_named(
    tls_broker: TlsBroker,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    name: str,
    lacking: AclOperation,
) -> None:
    assert Verb(tls_broker, name, RIGHTS[name] - {lacking}, tmp_path).run() == 5
    printed = capfd.readouterr().err
    assert lacking.name in printed.partition("next:")[0]
    assert "HUNTER2" not in printed


@pytest.mark.parametrize("name", ["produce, a topic to be made", "produce"])
def test_these_rights_are_enough_to_send(tls_broker: TlsBroker, tmp_path: Path, name: str) -> None:
    assert Verb(tls_broker, name, RIGHTS[name], tmp_path).run() == 0


def test_read_is_enough_to_stream_and_to_verify(
    tls_broker: TlsBroker,
    spark: SparkSession,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And where the consumer group may not be written, its name and the reason are told; the records are taken in."""
    verb = Verb(tls_broker, "stream", RIGHTS["stream"], tmp_path)
    plain = Producer({"bootstrap.servers": tls_broker.broker.bootstrap})
    for value in answers(3):
        plain.produce(verb.topic, value)
    assert plain.flush(20) == 0
    assert verb.run() == 0
    assert "stream: 3 records" in capfd.readouterr().out
    assert "consumer group lag: this user may not" in caplog.text
    caplog.clear()
    tls_broker.allow(verb.user, "lag", AclOperation.READ, kind=ResourceType.GROUP)
    assert verb.run() == 0
    assert "consumer group" not in caplog.text
    verb.name = "verify"
    assert verb.run() == 0
    assert "(without a broker)" not in capfd.readouterr().out
    write_conf(verb.conf, tls_broker.at("SCRAM", "sam"))
    assert verb.run() == 0
    assert "this user may not DESCRIBE it, and so neither READ" in capfd.readouterr().out


DEBUG_LINES = (
    rb" DEBUG \[.* org\.apache\.kafka\.clients\.consumer",
    rb" INFO .*ConsumerConfig",
    rb" DEBUG \[.* org\.apache\.kafka\.common\.security",
    rb" DEBUG \[.* org\.apache\.spark\.sql",
    rb" DEBUG surveylake\.librdkafka: SASL",
)
"""Of each client one line that it says at this level only."""


def everything_in(folder: Path) -> dict[str, bytes]:
    """Path -> content of every file; of Parquet, whose pages are compressed, the rows as text too."""
    left = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    rows = {f"rows of {path}": repr(parquet.read_table(path, partitioning=None).to_pylist()).encode()
            for path in left if path.endswith(".parquet")}  # fmt: skip
    return left | rows


def watched(words: list[str], var: Path, **variables: str) -> dict[str, bytes]:
    """What a command printed, and every command line of the machine while it ran. AssertionError when it failed."""
    lines = b""
    with shell.started(words, var, **variables) as process, ThreadPoolExecutor(1) as pool:
        ended = pool.submit(process.communicate)
        while not ended.done():
            lines += shell.command_lines()
            wait([ended], timeout=1)
        printed, complained = ended.result()
    assert process.returncode == 0, complained
    shell.until_java_ended(var)
    assert b"jobs/run.py" in lines
    assert b"org.apache.spark.deploy.SparkSubmit" in lines
    return {"printed": printed.encode(), "complained": complained.encode(), "/proc": lines}


def require_everything_said(left: dict[str, bytes]) -> None:
    """Raise AssertionError where something was not searched: a kind of file that is not there, or a client without DEBUG."""
    for place in ("/var/log/run-", "/eventlog_", "/_delta_log/", "/_checkpoint", "/out/", "rows of "):
        assert any(place in path for path in left), place
    logged = b"".join(text for path, text in left.items() if "/var/log/" in path)
    for said in DEBUG_LINES:
        assert re.search(said, logged), said
    assert not [path for path in left if path.endswith(".log.2")], "the first lines may have been rolled away"


@pytest.mark.parametrize(("listener", "user"), [("SCRAM", "sam"), ("OAUTH", "olga")])
def test_no_secret_is_found_in_anything_that_a_run_leaves(
    tls_broker: TlsBroker, tmp_path: Path, listener: str, user: str
) -> None:
    """Everything is logged, from DEBUG on, by librdkafka, Spark, Delta and Kafka's Java client."""
    topic, password = f"canary-{listener}", SECRET if listener == "OAUTH" else PASSWORD
    tls_broker.allow(user, topic, *RIGHTS["produce, a topic to be made"], AclOperation.READ)
    certificate, key = tls_broker.client_certificate(user)
    files = {"ssl_certificate_location": str(certificate), "ssl_key_location": str(key)}
    kafka = tls_broker.at(listener, user, **files)
    write_conf(tmp_path / "conf.toml", kafka)
    survey = tmp_path / "s.toml"
    survey.write_text(SURVEY.read_text("utf-8").replace('topic = "Food"', f'topic = "{topic}"'), "utf-8")
    words = shell.command(
        "run", "--input", SAMPLE, "--survey", survey, "--conf", tmp_path / "conf.toml", "--bootstrap", kafka.bootstrap,
        "--lake", tmp_path / "lake", "--out", tmp_path / "out",
    )  # fmt: skip
    events = {"enabled": "true", "compress": "false", "dir": tmp_path.as_uri()}
    variables = {PASSWORD_VARIABLE: password, KEY_PASSWORD_VARIABLE: PASSWORD, LEVEL_VARIABLE: "debug",
                 "PYSPARK_SUBMIT_ARGS": " ".join(f"--conf spark.eventLog.{key}={value}" for key, value in events.items())}  # fmt: skip
    tls_broker.tokens.signatures.clear()
    left = watched(words, tmp_path / "var", **variables) | everything_in(tmp_path)
    require_everything_said(left)
    tokens = tls_broker.tokens.signatures
    assert bool(tokens) == (listener == "OAUTH")
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    marks = ["HUNTER2", basic, key.read_text().splitlines()[10], *tokens]
    assert [path for path, text in left.items() for mark in marks if mark.encode() in text] == []
