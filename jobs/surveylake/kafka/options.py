"""One block of Kafka options in the names of both clients: librdkafka's for ours, Java's for Spark's."""

import ipaddress
import os
from pathlib import Path

from surveylake.config import Kafka
from surveylake.errors import ConfigError

PASSWORD_VARIABLE = "SURVEYLAKE_SASL_PASSWORD"  # noqa: S105 - the name, not the password
LOGIN_MODULES = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT")
LIBRDKAFKA_NAMES = {
    "request.timeout.ms": "socket.timeout.ms",
    "fetch.max.wait.ms": "fetch.wait.max.ms",
    "receive.buffer.bytes": "socket.receive.buffer.bytes",
}
"""Options of the conf file that librdkafka calls otherwise; all others have one name in both clients."""
EAGER = {
    "max.poll.records": "20000",
    "max.partition.fetch.bytes": "4194304",
    "receive.buffer.bytes": "-1",
    "fetch.max.wait.ms": "20",
}
"""How Spark's source fetches. After each poll it asks the broker for the partition's first and last offset: with Java's 500
records a poll, that is most of the broker's work. And it asks on a connection where the next fetch was sent already, which the
broker holds back at the end of the topic: by default for half a second, and the question with it."""
NOT_PLAIN_IN_JAVA = frozenset({"sasl.username", "sasl.password", "ssl.ca.location"})
"""Options that Java takes in another form: a JAAS line, a trust store."""


def client_options(kafka: Kafka) -> dict[str, str]:
    """Return options for confluent_kafka's clients, in librdkafka's names; the password, from the environment, is among them.

    Never print or log the result. ConfigError when the options contradict each other, when the password is missing,
    or when it would cross a network unencrypted.
    """
    options = _checked(kafka)
    named = {LIBRDKAFKA_NAMES.get(name, name): value for name, value in options.items()}
    return {"bootstrap.servers": kafka.bootstrap, **named}


def spark_options(kafka: Kafka) -> dict[str, str]:
    """Return options for Spark's Kafka source, in Java's names with Spark's `kafka.` prefix; they may hold the password.

    Only committed records are read (Spark's own default also reads those of aborted transactions), and asking for a
    topic never creates it. Never print the result; ConfigError as in `client_options`.
    """
    options = _checked(kafka)
    java = {
        "bootstrap.servers": kafka.bootstrap,
        "isolation.level": "read_committed",
        "allow.auto.create.topics": "false",
        **EAGER,
    }
    java |= {name: value for name, value in options.items() if name not in NOT_PLAIN_IN_JAVA}
    if "sasl.password" in options:
        java["sasl.jaas.config"] = _jaas(
            options["sasl.mechanism"], options["sasl.username"], options["sasl.password"]
        )
    if "ssl.ca.location" in options:
        java |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": options["ssl.ca.location"]}
    return {f"kafka.{name}": value for name, value in java.items()}


def addresses(bootstrap: str) -> list[tuple[str, str]]:
    """Return `host:port,[::1]:port` as (host, port) pairs. Raises ConfigError for one that is not host:port."""
    pairs = []
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ConfigError(
                f"'{address.strip()}' is not a broker address", "Write host:port, such as 127.0.0.1:9092."
            )
        pairs.append((host.strip("[]"), port))
    return pairs


def _checked(kafka: Kafka) -> dict[str, str]:
    """Return the conf file's options with the password added. Raises ConfigError when they do not fit together."""
    options = dict(kafka.options)
    protocol = options.get("security.protocol", "PLAINTEXT").upper()
    if protocol not in PROTOCOLS:
        raise ConfigError(
            f"kafka.options: security.protocol '{protocol}' is unknown", f"Use one of {', '.join(PROTOCOLS)}."
        )
    hosts = [host for host, _ in addresses(kafka.bootstrap)]
    if protocol == "SASL_PLAINTEXT" and not all(map(_is_loopback, hosts)):
        raise ConfigError(
            "SASL_PLAINTEXT would send the password unencrypted to another machine", "Use SASL_SSL."
        )
    ca_file = options.get("ssl.ca.location")
    if ca_file is not None and not Path(ca_file).is_file():
        raise ConfigError(
            f"kafka.options: ssl.ca.location names no file: {ca_file}",
            "Give the CA certificate as a PEM file.",
        )
    return options | (_credentials(options) if protocol.startswith("SASL_") else _no_sasl(options))


def _credentials(options: dict[str, str]) -> dict[str, str]:
    mechanism = options.get("sasl.mechanism", "SCRAM-SHA-512")
    if mechanism not in LOGIN_MODULES:
        raise ConfigError(
            f"kafka.options: sasl.mechanism '{mechanism}' is not supported",
            f"Use one of {', '.join(LOGIN_MODULES)}.",
        )
    if not options.get("sasl.username"):
        raise ConfigError("kafka.options: SASL needs sasl.username", "Add it to [kafka.options].")
    password = os.environ.get(PASSWORD_VARIABLE, "")
    if not password:
        raise ConfigError("SASL needs a password", f"Set the environment variable {PASSWORD_VARIABLE}.")
    return {"sasl.mechanism": mechanism, "sasl.password": password}


def _no_sasl(options: dict[str, str]) -> dict[str, str]:
    stray = sorted(name for name in options if name.startswith("sasl."))
    if stray:
        raise ConfigError(f"kafka.options: {', '.join(stray)} without SASL in security.protocol",
                          'Set security.protocol = "SASL_SSL", or take them out.')  # fmt: skip
    return {}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _jaas(mechanism: str, username: str, password: str) -> str:
    return f"{LOGIN_MODULES[mechanism]} required username={_quoted(username)} password={_quoted(password)};"


def _quoted(text: str) -> str:
    """Quote a JAAS string: in Java's StreamTokenizer a bare line end would end the string and \\ begins an escape."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}
    return '"' + "".join(escapes.get(character, character) for character in text) + '"'
