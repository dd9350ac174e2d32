"""Answers cross a network unencrypted only where somebody said so: by --insecure, INSECURE=1, or insecure = true."""

import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pyspark.sql import SparkSession

import produce
import run
import stream
import verify
from support.survey_env import SURVEY
from surveylake.config import Kafka
from surveylake.errors import ConfigError, InputError, StorageError, TopicError
from surveylake.kafka.connection import connect
from surveylake.kafka.credentials import PASSWORD_VARIABLE
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.kafka.embedded_node import LOOPBACK, free_port

FAR = "far.test:9092"
NOBODY = "0.0.0.0:1"
"""Not loopback by its name, and nothing listens: known at once, where a name that does not resolve takes seconds."""
VERBS = {"produce": produce.main, "stream": stream.main, "verify": verify.main, "run": run.main}
AFTER = {
    "produce": TopicError.exit_code,
    "stream": TopicError.exit_code,
    "verify": StorageError.exit_code,
    "run": InputError.exit_code,
}
"""Verb -> how it ends where plaintext is allowed: nobody listens, there is no lake, there is no CSV."""
PASSWORD = "HUNTER2"


def ended(verb: str, folder: Path, *words: str, bootstrap: str = FAR) -> int:
    """The exit code of a verb that is given a broker, no lake, and for `run` a CSV that is not there."""
    more = {"produce": [], "run": ["--lake", str(folder / "lake"), "--input", str(folder / "none.csv")]}
    lake = more.get(verb, ["--lake", str(folder / "lake")])
    return VERBS[verb](["--survey", str(SURVEY), "--bootstrap", bootstrap, *lake, *words])


def conf(folder: Path, text: str) -> list[str]:
    """The words that name a conf file of this text."""
    path = folder / "conf.toml"
    path.write_text(text, "utf-8")
    return ["--conf", str(path)]


@pytest.mark.parametrize("bootstrap", [FAR, "192.0.2.7:9092", f"127.0.0.1:9092,{FAR}", "[2001:db8::1]:9092"])
@pytest.mark.parametrize("verb", VERBS)
def test_plaintext_to_another_machine_is_refused_with_the_way_out(
    verb: str, bootstrap: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(verb, tmp_path, bootstrap=bootstrap) == 2
    said, _, hint = capsys.readouterr().err.partition("  next: ")
    assert "answers would cross the network unencrypted" in said
    for way in ("SASL_SSL", "--insecure", "INSECURE=1", "insecure = true"):
        assert way in hint


@pytest.mark.parametrize("by", ["argument", "conf"])
@pytest.mark.parametrize("verb", VERBS)
def test_plaintext_to_another_machine_can_be_allowed(
    verb: str, by: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--insecure"] if by == "argument" else conf(tmp_path, "[kafka]\ninsecure = true\n")
    assert ended(verb, tmp_path, bootstrap=NOBODY) == 2
    assert "unencrypted" in capsys.readouterr().err
    assert ended(verb, tmp_path, *words, bootstrap=NOBODY) == AFTER[verb]
    assert "unencrypted" not in capsys.readouterr().err


@pytest.mark.parametrize("verb", VERBS)
def test_a_password_is_never_sent_unencrypted_to_another_machine(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    options = '"security.protocol" = "sasl_plaintext"\n"sasl.mechanism" = "PLAIN"\n"sasl.username" = "ann"\n'
    words = conf(tmp_path, f"[kafka]\ninsecure = true\n[kafka.options]\n{options}")
    assert ended(verb, tmp_path, *words, "--insecure") == 2
    printed = capsys.readouterr().err
    assert "SASL_PLAINTEXT would send the password unencrypted" in printed
    assert PASSWORD not in printed


def own_address() -> str:
    """An address of this machine that is not loopback. Skips the test where there is none."""
    for known in psutil.net_if_addrs().values():
        for one in known:
            if one.family == socket.AF_INET and not one.address.startswith("127."):
                return one.address
    pytest.skip("this machine has no address but loopback")


class FarBroker:
    """A broker that answers at an address other than loopback too, and whose loopback listeners send clients on to there."""

    def __init__(self, folder: Path, address: str) -> None:
        names = ("PLAINTEXT", "CONTROLLER", "LOOP", "FAR", "SASL", "SASLFAR")
        at = {name: f"{address if 'FAR' in name else LOOPBACK}:{free_port()}" for name in names}
        told = at | {"LOOP": at["FAR"], "SASL": at["SASLFAR"]}
        self.far, self.loop, self.sasl, self.sasl_far = at["FAR"], at["LOOP"], at["SASL"], at["SASLFAR"]
        jaas = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_ann="{PASSWORD}";'
        self.broker = EmbeddedBroker(folder, int(at["PLAINTEXT"].rpartition(":")[2]), extra={
            "listeners": ",".join(f"{name}://{place}" for name, place in at.items()),
            "advertised.listeners": ",".join(f"{name}://{told[name]}" for name in names if name != "CONTROLLER"),
            "controller.quorum.voters": f"1@{at['CONTROLLER']}",
            "listener.security.protocol.map": ",".join(
                f"{name}:{'SASL_' if 'SASL' in name else ''}PLAINTEXT" for name in names
            ),
            "inter.broker.listener.name": "PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.sasl.plain.sasl.jaas.config": jaas,
            "listener.name.saslfar.plain.sasl.jaas.config": jaas,
        })  # fmt: skip


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory, kept_classes: None) -> Iterator[FarBroker]:
    made = FarBroker(tmp_path_factory.mktemp("far") / "kafka", own_address())
    with made.broker:
        yield made


def test_insecure_sends_reads_and_verifies_at_an_address_that_is_not_loopback(
    far: FarBroker, spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("produce", "stream", "verify"):
        assert ended(verb, tmp_path, bootstrap=far.far) == 2
        assert ended(verb, tmp_path, "--insecure", bootstrap=far.far) == 0
    printed = capsys.readouterr().out
    assert "stream: 289 records" in printed
    assert "(without a broker)" not in printed


def test_a_cluster_that_sends_clients_on_to_another_machine_is_refused_too(
    far: FarBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=f"^{far.far}: answers would cross the network unencrypted"):
        connect(Kafka(bootstrap=far.loop))
    assert connect(Kafka(bootstrap=far.loop, insecure=True))
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    options = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "ann"}
    with pytest.raises(ConfigError, match=f"^{far.sasl_far}: SASL_PLAINTEXT would send the password"):
        connect(Kafka(bootstrap=far.sasl, options=options, insecure=True))
