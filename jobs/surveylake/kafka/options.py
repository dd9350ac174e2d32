"""One block of Kafka options in the names of both clients: librdkafka's for ours, Java's for Spark's."""

from collections.abc import Iterable
from pathlib import Path

from surveylake.config import Kafka
from surveylake.errors import ConfigError
from surveylake.kafka.credentials import NOT_JAVAS, credentials, is_loopback, java_credentials

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
    java |= {name: value for name, value in options.items() if name not in NOT_JAVAS}
    java |= java_credentials(options)
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


def require_usable(kafka: Kafka) -> None:
    """Raise ConfigError where no client may be made of this block: before Java starts, and before a lake is read."""
    _checked(kafka)


def require_encrypted(kafka: Kafka, asked: Iterable[tuple[str, str]]) -> None:
    """Raise ConfigError where answers, or a password, would go unencrypted to one of these (host, port) on another machine."""
    protocol = kafka.options.get("security.protocol", "PLAINTEXT").upper()
    far = [f"{host}:{port}" for host, port in asked if not is_loopback(host)]
    if not far or protocol not in ("PLAINTEXT", "SASL_PLAINTEXT"):
        return
    if protocol == "SASL_PLAINTEXT":
        raise ConfigError(
            f"{far[0]}: SASL_PLAINTEXT would send the password unencrypted to another machine",
            "Use SASL_SSL.",
        )
    if not kafka.insecure:
        raise ConfigError(
            f"{far[0]}: answers would cross the network unencrypted (security.protocol PLAINTEXT)",
            'Set security.protocol = "SASL_SSL" or "SSL" in [kafka.options]. Where the network itself is safe: '
            "--insecure (make: INSECURE=1), or insecure = true in [kafka].",
        )


def _checked(kafka: Kafka) -> dict[str, str]:
    """Return the conf file's options with the secrets added. Raises ConfigError when they do not fit together."""
    options = dict(kafka.options)
    protocol = options.get("security.protocol", "PLAINTEXT").upper()
    if protocol not in PROTOCOLS:
        raise ConfigError(
            f"kafka.options: security.protocol '{protocol}' is unknown", f"Use one of {', '.join(PROTOCOLS)}."
        )
    asked = addresses(kafka.bootstrap)
    if protocol == "SASL_PLAINTEXT":
        require_encrypted(kafka, asked)
    ca_file = options.get("ssl.ca.location")
    if ca_file is not None and not Path(ca_file).is_file():
        raise ConfigError(
            f"kafka.options: ssl.ca.location names no file: {ca_file}",
            "Give the CA certificate as a PEM file.",
        )
    options |= credentials(options, protocol.startswith("SASL_"))
    require_encrypted(kafka, asked)
    return options
