"""The configuration of an installation: conf/local.toml or conf/cluster.toml as frozen values, the same keys in both."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from surveylake.contract.complaints import WrongValueError, load
from surveylake.contract.field_types import Part
from surveylake.errors import ConfigError
from surveylake.paths import CONF

ALLOWED_KAFKA_OPTIONS = frozenset({
    "security.protocol", "sasl.mechanism", "sasl.username", "ssl.ca.location", "ssl.certificate.location", "ssl.key.location",
    "sasl.oauthbearer.client.id", "sasl.oauthbearer.scope", "sasl.oauthbearer.token.endpoint.url",
    "client.id", "client.rack", "request.timeout.ms", "session.timeout.ms",
    "fetch.min.bytes", "fetch.max.bytes", "fetch.max.wait.ms", "max.partition.fetch.bytes", "receive.buffer.bytes",
})  # fmt: skip
"""Kafka client options a conf file may set, in librdkafka's names. A closed list: Kafka's own clients have options
that load classes, read files or call URLs named in their value (CVE-2023-25194, CVE-2025-27817). The one URL here is
checked to be https."""


def _allowed_options(options: dict[str, str]) -> dict[str, str]:
    unknown = sorted(set(options) - ALLOWED_KAFKA_OPTIONS)
    if unknown:
        raise WrongValueError(f"not an option this project passes on: {', '.join(unknown)}; "
                         f"it passes on {', '.join(sorted(ALLOWED_KAFKA_OPTIONS))}")  # fmt: skip
    return options


class Kafka(Part):
    """The brokers, and the settings of a topic that does not exist yet."""

    bootstrap: str = "127.0.0.1:9092"
    partitions: Annotated[int, Field(ge=1, le=10_000)] = 4
    replication: Annotated[int, Field(ge=1, le=10)] = 1
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = "none"
    consumer_group: str = ""
    insecure: bool = False
    options: Annotated[dict[str, str], AfterValidator(_allowed_options)] = Field(default_factory=dict)


class Stream(Part):
    """Start, rate and limits of the stream."""

    starting_offsets: Literal["earliest", "latest"] = "earliest"
    batch_seconds: Annotated[float, Field(gt=0)] = 30.0
    max_offsets_per_trigger: Annotated[int, Field(ge=1)] = 20_000_000
    durable: bool = True
    max_message_bytes: Annotated[int, Field(ge=1, le=100_000_000)] = 65_536
    compact_after_files: Annotated[int, Field(ge=0)] = 500


class Publish(Part):
    """Limits and format of what is published."""

    smallest_group: Annotated[int, Field(ge=1)] = 5
    scatter_points: Annotated[int, Field(ge=1)] = 5_000
    warn_rejected_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    csv_bom: bool = False


class Store(Part):
    """The object store of lakes at s3a://. Keys are never here: they come from the environment or the machine's role."""

    endpoint: str = ""
    path_style: bool = False
    region: str = ""


class Config(Part):
    """The values of one conf file."""

    kafka: Kafka = Kafka()
    stream: Stream = Stream()
    publish: Publish = Publish()
    store: Store = Store()

    def at(self, bootstrap: str | None, insecure: bool = False) -> "Config":
        """Return the configuration with another broker address, unless that is None or empty; `insecure` only switches on."""
        changed = ({"bootstrap": bootstrap} if bootstrap else {}) | ({"insecure": True} if insecure else {})
        return self.model_copy(update={"kafka": self.kafka.model_copy(update=changed)}) if changed else self


def load_config(path: Path | None = None) -> Config:
    """Read a conf file (default: $SURVEYLAKE_CONF, else conf/local.toml). Raises ConfigError, which names the wrong keys."""
    path = path or Path(os.environ.get("SURVEYLAKE_CONF", CONF / "local.toml"))
    missing = ConfigError(f"no configuration at {path}", "Give one with --conf, such as conf/local.toml.")
    return load(path, Config, missing, "Correct the keys named; conf/local.toml explains each.")
