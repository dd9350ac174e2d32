"""Some or all data files of a table written anew, with the table's columns and properties, in one commit."""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType

from surveylake.errors import ProofError, StorageError
from surveylake.lake import commits, listed_files
from surveylake.lake.commits import Guard
from surveylake.lake.lake_path import lake_path
from surveylake.wording import examples

IDENTITY = ("epoch", "partition", "offset")
"""The columns that identify a record."""
NO_COLUMNS = '{"fields": []}'


@dataclass(frozen=True)
class Target:
    """How a table is to be after a rewrite."""

    columns: dict[str, tuple[str, str]]
    """name -> (SQL type, comment); a column that is there already keeps what else the table says of it"""
    properties: dict[str, str]
    note: str
    """of the commit"""


def rewrite(
    spark: SparkSession,
    before: Any,
    files: Collection[str] | None,
    rows: Callable[[DataFrame], DataFrame],
    target: Target,
    guard: Guard | None = None,
) -> int:
    """Replace data files of the snapshot `before` by what `rows` makes of their rows. Returns the commit's version.

    `files` are names in the table's folder; None: all. With none of them only columns and properties change. The written
    files have the records of the old ones, each once. That is checked before they are committed.
    Raises ProofError when they have not or one is stored twice, LakeLockedError when another writer changed the table meanwhile:
    then nothing is changed.
    """
    transaction = commits.begin(spark, before)
    if guard:
        guard(transaction)
    old = [
        file
        for file in listed_files.live(spark, before, transaction)
        if files is None or file_name(file.path()) in files
    ]
    set_columns(transaction, before.metadata(), target.columns, target.properties)
    actions = commits.no_files(spark)
    if old:
        stored = commits.rows_in(spark, before, old)
        _refuse_doubles(stored)
        written = transaction.writeFiles(rows(stored)._jdf)
        new = list(commits.as_java(spark, written))
        _require_the_same(stored, commits.rows_in(spark, before, new))
        actions = commits.removing(written, old)
    return _commit(spark, before, transaction, actions, target.note)


def renew(
    spark: SparkSession,
    before: Any,
    files: Collection[str],
    rows: Callable[[DataFrame], DataFrame],
    added: DataFrame,
    note: str,
) -> int:
    """Replace data files of the snapshot `before`, by name or URI, by what `rows` leaves of theirs, and add the rows `added`.

    All of it is one commit with this note. Other files stay as they are. Returns the commit's version.
    Raises LakeLockedError when another writer changed the table meanwhile: then nothing is changed.
    """
    transaction, names = commits.begin(spark, before), {file_name(file) for file in files}
    old = [file for file in listed_files.live(spark, before, transaction) if file_name(file.path()) in names]
    content = rows(commits.rows_in(spark, before, old)).unionByName(added) if old else added
    actions = commits.removing(transaction.writeFiles(content._jdf), old)
    return _commit(spark, before, transaction, actions, note)


def replace(frame: DataFrame, path: str, note: str, target: Target | None = None) -> int | None:
    """Replace the whole content of a table by `frame`, in one commit with this note. Returns the commit's version.

    With a `target` the same commit gives the table its columns, and its properties in place of all others.
    Returns None, with nothing written, for a frame with other columns. Raises LakeLockedError when another writer changed the
    table meanwhile: then nothing is changed.
    """
    spark = frame.sparkSession
    before = commits.snapshot(spark, path)
    wanted = {name: kind for name, (kind, _) in target.columns.items()} if target else commits.columns(before)
    if [(field.name, field.dataType.simpleString()) for field in frame.schema] != list(wanted.items()):
        return None
    transaction = commits.begin(spark, before)
    old = listed_files.live(spark, before, transaction)
    if target:
        _set_all(transaction, before.metadata(), target)
    return _commit(
        spark, before, transaction, commits.removing(transaction.writeFiles(frame._jdf), old), note
    )


def _commit(spark: SparkSession, before: Any, transaction: Any, actions: Any, note: str) -> int:
    """Commit what was read and written. Returns the version. Raises LakeLockedError."""
    with commits.first_come(before.path().getParent()):
        return int(transaction.commit(actions, commits.overwriting(spark, note)))


def set_columns(
    transaction: Any,
    metadata: Any,
    columns: dict[str, tuple[str, str]],
    properties: dict[str, str],
    description: str | None = None,
) -> None:
    """Give the transaction's table these columns, and these properties beside its own, where it has others."""
    existing = str(metadata.schemaString() or NO_COLUMNS)  # None: the table is not made yet
    schema, configuration = _schema(existing, columns), metadata.configuration()
    for key, value in properties.items():
        configuration = configuration.updated(key, value)
    if json.loads(existing) != json.loads(schema) or properties:
        _set_metadata(transaction, metadata, schema, configuration, description)


def make(spark: SparkSession, path: str, target: Target, description: str) -> None:
    """Make an empty table in one commit, as Delta's CREATE TABLE does, for which Spark plans a statement.

    Raises StorageError for a folder with files in it: they may be those of a table that lost its log.
    """
    folder = lake_path(spark, path)
    if folder.is_dir() and (names := sorted(each.name for each in folder.iterdir())):
        raise StorageError(
            f"{path} has files in it and no log: {examples(names)}",
            "Choose another lake, or put the log back, or move these files away.",
        )
    before = commits.snapshot(spark, path)
    transaction, java = commits.begin(spark, before), commits.jvm(spark)
    set_columns(transaction, before.metadata(), target.columns, target.properties, description)
    none, created = java.scala.Option.empty(), java.org.apache.spark.sql.delta.DeltaOperations.CreateTable
    transaction.commit(commits.no_files(spark), created(transaction.metadata(), False, False, none))


def _set_all(transaction: Any, metadata: Any, target: Target) -> None:
    """Give the transaction's table these columns and properties, in place of all that it has."""
    configuration = metadata.configuration().empty()
    for key, value in target.properties.items():
        configuration = configuration.updated(key, value)
    _set_metadata(transaction, metadata, _schema(NO_COLUMNS, target.columns), configuration)


def file_name(path: Any) -> str:
    """Return the name of a data file, by Delta's path or by the URI that Spark reads it from."""
    return unquote(str(path)).rpartition("/")[2]


@cache
def data_type(kind: str) -> DataType:
    """Return Spark's type of that SQL name; the JVM is asked once for each."""
    return DataType.fromDDL(kind)


def _schema(existing: str, columns: dict[str, tuple[str, str]]) -> str:
    """Return Delta's JSON of a table's columns, in the order of `columns`."""
    known = {field["name"]: field for field in json.loads(existing)["fields"]}
    fields = []
    for name, (kind, comment) in columns.items():
        metadata = {**known.get(name, {}).get("metadata", {}), **({"comment": comment} if comment else {})}
        if not comment:
            metadata.pop("comment", None)
        nullable = known.get(name, {}).get("nullable", True)
        as_json = json.loads(data_type(kind).json())
        fields.append({"name": name, "type": as_json, "nullable": nullable, "metadata": metadata})
    return json.dumps({"type": "struct", "fields": fields}, ensure_ascii=False, separators=(",", ":"))


def _set_metadata(
    transaction: Any, metadata: Any, schema: str, configuration: Any, description: str | None = None
) -> None:
    changed = metadata.copy(
        metadata.id(), metadata.name(), description or metadata.description(), metadata.format(), schema,
        metadata.partitionColumns(), configuration, metadata.createdTime(),
    )  # fmt: skip
    transaction.updateMetadata(changed, False)


def _refuse_doubles(rows: DataFrame) -> None:
    """Raise ProofError when a record is stored twice: no row is then known to be the record."""
    twice = rows.groupBy(*IDENTITY).count().where("count > 1").first()
    if twice:
        where = f"epoch {twice['epoch']} partition {twice['partition']} offset {twice['offset']}"
        raise ProofError(
            f"{where} is in records {twice['count']} times", "Run jobs/verify.py: the lake is not sound."
        )


def _require_the_same(old: DataFrame, new: DataFrame) -> None:
    """Raise ProofError unless both have the same records."""
    (rows, digest), (new_rows, new_digest) = _digest(old), _digest(new)
    if (rows, digest) != (new_rows, new_digest):
        raise ProofError(
            f"{rows:,} records were read and {new_rows:,} written, or others; nothing was changed",
            "Run jobs/verify.py: the lake may not be sound.",
        )


def _digest(rows: DataFrame) -> tuple[int, int]:
    """Return the number of records, and a digest of their identities that does not depend on the order."""
    hashed = F.sum(F.xxhash64(*IDENTITY).cast("decimal(38,0)"))
    row = rows.agg(F.count("*").alias("rows"), hashed.alias("digest")).first()
    return (int(row["rows"]), int(row["digest"] or 0)) if row else (0, 0)
