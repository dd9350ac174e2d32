"""The tables `records` and `responses`: their columns and their properties."""

from collections.abc import Iterable
from dataclasses import dataclass

from pyspark.sql import SparkSession

from surveylake.contract.model import Contract
from surveylake.errors import ConfigError
from surveylake.lake import judging, tables
from surveylake.lake.tables import (
    RECORD_PROPERTIES,
    RECORDS,
    RESPONSES,
    STATISTICS,
    Lake,
    create,
)

RECORD_SCHEMA = {
    "topic": ("string", "Kafka topic"),
    "partition": ("int", "Kafka partition"),
    "offset": ("bigint", "Kafka offset: with epoch and partition, the identity of a record"),
    "timestamp": ("timestamp", "Kafka's timestamp, UTC; NULL where it is no time of the years 1900 to 9999"),
    "epoch": (
        "int",
        "which topic of this name: table properties surveylake.epoch.N hold cluster id and topic id",
    ),
    "key": ("string", "Kafka key as text"),
    "value": ("binary", "Kafka value, the bytes as received"),
    "accepted": ("boolean", "whether every rule of the contract holds"),
    "failed_rules": ("array<string>", "why not; empty when accepted"),
}

EPOCH = "surveylake.epoch."
LOSS = "surveylake.loss."
CONSTRAINTS = "delta.constraints."


@dataclass(frozen=True)
class OffsetRange:
    """The rows of one epoch and partition in `records` at one version: offsets first to last, both included."""

    topic: str
    epoch: int
    partition: int
    first: int
    last: int
    records: int


def create_records(spark: SparkSession, lake: Lake, contract: Contract, identity: str) -> None:
    """Create the empty `records` table, unless there is one; its epoch 1 is the topic `identity` ('cluster id/topic id')."""
    create(
        spark,
        lake.table(RECORDS),
        columns(contract),
        {**RECORD_PROPERTIES, f"{EPOCH}1": identity, **judging.properties_of(contract, 0, "stream.py")},
        f"every Kafka record of {contract.topic}",
    )


def response_properties(checks: dict[str, str]) -> dict[str, str]:
    """Return the properties of `responses`: CHECK constraints (name -> SQL), and as in `records` no statistics on answers."""
    constraints = {f"{CONSTRAINTS}{name}": check for name, check in checks.items()}
    return {STATISTICS: RECORD_PROPERTIES[STATISTICS], **constraints}


def response_columns(contract: Contract) -> dict[str, tuple[str, str]]:
    """Return the columns of `responses`: name -> (SQL type, comment)."""
    coordinates = {name: RECORD_SCHEMA[name] for name in ("epoch", "partition", "offset", "timestamp")}
    return {**_described(contract), **coordinates}


def create_responses(spark: SparkSession, lake: Lake, contract: Contract, properties: dict[str, str]) -> None:
    """Create the empty `responses` table, unless there is one."""
    create(spark, lake.table(RESPONSES), response_columns(contract), properties,
           "one row per participant: the latest accepted record")  # fmt: skip


def check_columns(spark: SparkSession, lake: Lake, contract: Contract) -> None:
    """Check that `records` has the contract's columns. Raises ConfigError when it has others."""
    existing = contract_columns(spark, lake)
    if list(existing.items()) == list(contract.columns.items()):
        return
    raise ConfigError(
        f"{lake.table(RECORDS)} has the columns {_listed(existing)};"
        f" the contract {contract.name} has {_listed(contract.columns)}",
        "See what would change with jobs/plan.py, then judge all records again under this contract with jobs/replay.py."
        " Or give the lake's own contract (--survey), or another lake (--lake).",
    )


def contract_columns(spark: SparkSession, lake: Lake) -> dict[str, str]:
    """Return the columns of `records` that a contract gave it, in order: name -> Spark SQL type."""
    columns_of = tables.columns(spark, lake.table(RECORDS))
    return {name: kind for name, kind in columns_of.items() if name not in RECORD_SCHEMA}


def epochs(properties: dict[str, str]) -> dict[int, str]:
    """Return epoch -> 'cluster id/topic id' by the table's properties."""
    return {int(key.removeprefix(EPOCH)): value for key, value in properties.items() if key.startswith(EPOCH)}


def topic_name(spark: SparkSession, lake: Lake, epoch: int) -> str | None:
    """Return the name of the topic that an epoch's records came from; None without a record of it."""
    row = tables.read(spark, lake.table(RECORDS)).where(f"epoch = {epoch}").select("topic").first()
    return str(row["topic"]) if row else None


def columns(contract: Contract) -> dict[str, tuple[str, str]]:
    """Return column -> (SQL type, description) of `records`, in order."""
    return {**RECORD_SCHEMA, **_described(contract)}


def _described(contract: Contract) -> dict[str, tuple[str, str]]:
    """Return column -> (SQL type, description) of the contract's columns."""
    return {name: (part.sql_type, part.description or part.label) for name, part in contract.parts.items()}


def _listed(columns: dict[str, str] | Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in dict(columns).items())
