"""B12 and B13: passwords, certificates and permissions of a real broker."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AclOperation
from pyspark.sql import SparkSession

from faults import readers
from faults.damage import refused
from faults.ledger import Ledger
from faults.rows import Row
from support.survey_env import SurveyEnv, answers
from support.tls_broker import PASSWORD, TlsBroker
from surveylake.errors import TopicError
from surveylake.kafka.credentials import PASSWORD_VARIABLE
from surveylake.kafka.topic import open_topic

PLAIN = {"security_protocol": "PLAINTEXT"}
TLS_ONLY = {"security_protocol": "SSL"}


@pytest.fixture(scope="module")
def tls_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsBroker]:
    tls = TlsBroker(tmp_path_factory.mktemp("secured"))
    with tls:
        yield tls


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)


@pytest.mark.fault(
    "B12",
    injected="wrong password, expired certificate, certificate of another host, unknown authority, TLS to a plain port and the reverse",
    expected="one message for each, within seconds, the password in none",
)
@pytest.mark.parametrize(
    ("listener", "options", "message"),
    [
        ("SECURE", {"password": "wrong"}, "authentication failed"),
        ("EXPIRED", {}, "certificate"),
        ("ELSEWHERE", {}, "certificate"),
        ("SECURE", {"ca": "other"}, "certificate"),
        ("SECURE", PLAIN, "not in the protocol asked for|no answer that is Kafka's|ended the connection"),
        ("PLAINTEXT", {}, "not in the protocol asked for"),
    ],
    ids=["password", "expired", "host", "authority", "plain-to-tls", "tls-to-plain"],
)
def test_what_is_wrong_with_the_connection_is_named(
    tls_broker: TlsBroker,
    row: Row,
    monkeypatch: pytest.MonkeyPatch,
    listener: str,
    options: dict[str, Any],
    message: str,
) -> None:
    given = dict(options)
    wrong = given.pop("password", PASSWORD)
    monkeypatch.setenv(PASSWORD_VARIABLE, f"{PASSWORD}{wrong}" if wrong == "wrong" else wrong)
    if given.get("ca"):
        given["ca"] = tls_broker.other_ca
    with pytest.raises(TopicError, match=message) as error:
        open_topic(tls_broker.at(listener, **given), "any").identify()
    assert "HUNTER2" not in error.value.message + error.value.hint
    row.observed(error.value.message)


@pytest.mark.fault(
    "B13",
    injected="a user without any permission, and one that may DESCRIBE the topic and not READ it",
    expected="the missing permission is named; with it, all is taken in",
)
def test_a_missing_permission_is_named(
    tls_broker: TlsBroker, spark: SparkSession, row: Row, ledger: Ledger, tmp_path: Path
) -> None:
    env = SurveyEnv("guarded", tls_broker.broker.bootstrap, tmp_path, partitions=1)
    ledger.send(env.bootstrap, env.topic, answers(10))
    tls_broker.allow("dora", env.topic, AclOperation.DESCRIBE)
    tls_broker.allow("ann", env.topic, AclOperation.DESCRIBE, AclOperation.READ)
    for user, lacks in (
        ("nobody", "asking for topic guarded: this user may not"),
        ("dora", "this user may not READ"),
    ):
        env.config = env.config.model_copy(update={"kafka": tls_broker.at("SECURE", user)})
        message = refused(env)
        assert lacks in message
        assert "HUNTER2" not in message
        row.observed(message)
    env.config = env.config.model_copy(update={"kafka": tls_broker.at("SECURE", "ann")})
    env.take()
    readers.exactly_once(env.lake, ledger)
    row.observed("with DESCRIBE and READ: 10 of 10, over TLS")
