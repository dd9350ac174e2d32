"""The one door to storage: Delta tables under a lake folder, and what their logs say."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from surveylake import sql
from surveylake.aggregate.findings import OffsetRange
from surveylake.contract.model import Contract
from surveylake.errors import ConfigError, StorageError
from surveylake.lake import commits
from surveylake.lake.log_files import forget_half_made, newer_protocol, require_whole

RECORDS, RESPONSES = "records", "responses"
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
STATISTICS, CHECKPOINTS = "delta.dataSkippingStatsColumns", "delta.checkpointInterval"
RECORD_PROPERTIES = {
    # Only these are looked up by range; statistics on answers would cost time and copy personal data into the log.
    STATISTICS: "partition,offset,timestamp",
    CHECKPOINTS: "100",
}
EPOCH = "surveylake.epoch."
LOSS = "surveylake.loss."
CONSTRAINTS = "delta.constraints."


@dataclass(frozen=True)
class Lake:
    """A folder (or URI) that holds the tables of one survey."""

    root: str

    def table(self, name: str) -> str:
        """Where the table of that name lies."""
        return f"{self.root.rstrip('/')}/{name}"

    @property
    def checkpoints(self) -> str:
        """Where the stream keeps its checkpoints: beside the tables, so that they move and vanish together."""
        return self.table("_checkpoints")


def exists(spark: SparkSession, path: str) -> bool:
    """Whether a Delta table lies at `path`. StorageError when it cannot be read, or not all of it (deltalog.py)."""
    if "://" not in path:
        require_whole(Path(path))
    try:
        return DeltaTable.isDeltaTable(spark, path)
    except Exception as error:
        newer = "" if "://" in path else newer_protocol(Path(path))
        hint = "Read it with the Delta that wrote it." if newer else "Check the path and its permissions."
        raise StorageError(f"{path} cannot be read: {newer or first_line(error)}", hint) from error


def create_records(spark: SparkSession, lake: Lake, contract: Contract, identity: str) -> None:
    """Make the empty `records` table, its first epoch being the topic `identity` ('cluster id/topic id')."""
    columns = {**RECORD_SCHEMA, **_described(contract)}
    create(
        spark,
        lake.table(RECORDS),
        columns,
        {**RECORD_PROPERTIES, f"{EPOCH}1": identity},
        f"every Kafka record of {contract.topic}",
    )


def response_properties(checks: dict[str, str]) -> dict[str, str]:
    """The properties of `responses`: CHECK constraints (name -> SQL), and no statistics on answers here either."""
    constraints = {f"{CONSTRAINTS}{name}": check for name, check in checks.items()}
    return {STATISTICS: RECORD_PROPERTIES[STATISTICS], **constraints}


def create_responses(spark: SparkSession, lake: Lake, contract: Contract, properties: dict[str, str]) -> None:
    """Make the `responses` table anew, empty."""
    where_from = {name: RECORD_SCHEMA[name] for name in ("epoch", "partition", "offset", "timestamp")}
    create(spark, lake.table(RESPONSES), {**_described(contract), **where_from}, properties,
           "one row per participant: the latest accepted record")  # fmt: skip


def create(
    spark: SparkSession,
    path: str,
    columns: dict[str, tuple[str, str]],
    properties: dict[str, str],
    comment: str,
) -> None:
    """Make the empty table at `path`, or replace what is there; column -> (SQL type, comment). StorageError when it cannot be."""
    if "://" not in path:
        forget_half_made(Path(path))
    builder = DeltaTable.createOrReplace(spark).location(path).comment(comment)
    for name, (kind, meaning) in columns.items():
        builder = builder.addColumn(name, kind, comment=meaning)
    for key, value in properties.items():
        builder = builder.property(key, value)
    try:
        builder.execute()
    except Exception as error:
        raise StorageError(
            f"{path} cannot be made: {first_line(error)}", "Check the path and its permissions."
        ) from error


def check_columns(spark: SparkSession, lake: Lake, contract: Contract) -> None:
    """ConfigError when `records` was made under a contract with other columns."""
    schema = spark.read.format("delta").load(lake.table(RECORDS)).schema
    there = {field.name: field.dataType.simpleString() for field in schema if field.name not in RECORD_SCHEMA}
    if list(there.items()) != list(contract.columns.items()):
        raise ConfigError(
            f"{lake.table(RECORDS)} has the columns {_listed(there)};"
            f" the contract {contract.name} has {_listed(contract.columns)}",
            "Stream into another lake (--lake), or keep the columns: rules, spellings and limits may change freely.",
        )


def properties(spark: SparkSession, path: str) -> dict[str, str]:
    """The table's properties, from its log (DESCRIBE DETAIL would list every file too)."""
    found = commits.as_java(spark, commits.snapshot(spark, path).metadata().configuration())
    return {str(key): str(value) for key, value in found.items()}


def set_property(spark: SparkSession, path: str, key: str, value: str) -> None:
    """Write one table property, as a commit of its own."""
    set_properties(spark, path, {key: value})


def set_properties(spark: SparkSession, path: str, properties: dict[str, str]) -> None:
    """Write table properties in one commit; Delta refuses some of them one by one."""
    listed = ", ".join(f"{sql.text(key)} = {sql.text(value)}" for key, value in properties.items())
    spark.sql(f"ALTER TABLE delta.{sql.name(path)} SET TBLPROPERTIES ({listed})")


def version(spark: SparkSession, path: str) -> int:
    """The table's latest version."""
    return int(commits.snapshot(spark, path).version())


def read(spark: SparkSession, path: str, at: int | None = None) -> DataFrame:
    """The table, at its latest version or at version `at`."""
    reader = spark.read.format("delta")
    return (reader if at is None else reader.option("versionAsOf", at)).load(path)


def require(spark: SparkSession, lake: Lake, name: str, made_by: str) -> str:
    """The table's path; StorageError naming the job that makes it when it is not there."""
    path = lake.table(name)
    if not exists(spark, path):
        raise StorageError(
            f"there is no table {name} in {lake.root}", f"Run {made_by} first, with the same --lake."
        )
    return path


def replace(frame: DataFrame, path: str, note: dict[str, Any]) -> None:
    """Make `frame` the table's whole content in one commit, `note` kept in the commit as JSON. A missing table is made."""
    said = _said(note)
    if exists(frame.sparkSession, path) and commits.overwrite(frame, path, said):
        return
    writer = frame.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
    writer.option("userMetadata", said).option(CHECKPOINTS, RECORD_PROPERTIES[CHECKPOINTS]).save(path)


def append(frame: DataFrame, path: str, note: dict[str, Any]) -> None:
    """Add `frame` to the table in one commit, `note` kept in the commit as JSON."""
    writer = frame.write.format("delta").mode("append")
    writer.option("userMetadata", _said(note)).save(path)


def _said(note: dict[str, Any]) -> str:
    """A note as a commit keeps it."""
    return json.dumps(note, sort_keys=True)


def innermost(error: BaseException) -> str:
    """The innermost cause of a failure of Spark or Delta, in one line, without the places in the code."""
    chain = _chain(error)
    if not chain:
        return first_line(error)
    lines = str(chain[-1].getMessage() or "").strip().splitlines() or [""]
    return f"{chain[-1].getClass().getSimpleName()}: {lines[0]}"


def causes(error: BaseException) -> list[str]:
    """What each cause behind a failure of Spark or Delta says, the outermost first; empty when it came from Python."""
    return [str(cause.getMessage()) for cause in _chain(error)]


def _chain(error: BaseException) -> list[Any]:
    """The Java errors behind one of Python's, each the cause of the one before."""
    cause, chain = getattr(error, "java_exception", None) or getattr(error, "_origin", None), []
    while cause is not None:
        chain.append(cause)
        cause = cause.getCause()
    return chain


def update(spark: SparkSession, path: str, changed: DataFrame, keys: list[str], note: dict[str, Any]) -> None:
    """Give the rows that share `keys` with a row of `changed` its other columns, in one commit; none is added or removed."""
    same = " AND ".join(f"old.{sql.name(key)} = new.{sql.name(key)}" for key in keys)
    values = {sql.name(column): f"new.{sql.name(column)}" for column in changed.columns if column not in keys}
    with noted(spark, note):
        merge = DeltaTable.forPath(spark, path).alias("old").merge(changed.alias("new"), same)
        merge.whenMatchedUpdate(set=dict(values)).execute()


@contextmanager
def noted(spark: SparkSession, note: dict[str, Any]) -> Iterator[None]:
    """Have commits made in the block carry the note, where it says anything: MERGE and OPTIMIZE have no option for it."""
    if not note:
        yield
        return
    setting = "spark.databricks.delta.commitInfo.userMetadata"
    spark.conf.set(setting, _said(note))
    try:
        yield
    finally:
        spark.conf.unset(setting)


def offset_ranges(records: DataFrame) -> list[OffsetRange]:
    """What a frame of `records` covers: one range per epoch and partition, in that order."""
    rows = records.groupBy("topic", "epoch", "partition").agg(
        F.min("offset").alias("first"), F.max("offset").alias("last"), F.count("*").alias("records")
    )
    found = [
        OffsetRange(r["topic"], r["epoch"], r["partition"], r["first"], r["last"], r["records"])
        for r in rows.collect()
    ]
    return sorted(found, key=lambda r: (r.epoch, r.partition))


def first_line(error: BaseException) -> str:
    """The first line of what Spark says, without its trace; where Python's side only says that a call failed, of its cause."""
    cause = getattr(error, "java_exception", None)
    said = str(error) if cause is None else str(cause.getMessage() or cause)
    return (said.strip().splitlines() or [type(error).__name__])[0]


def _described(contract: Contract) -> dict[str, tuple[str, str]]:
    parts = {**contract.fields, **contract.derived}
    return {name: (kind, parts[name].description) for name, kind in contract.columns.items()}


def _listed(columns: dict[str, str] | Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in dict(columns).items())
