"""Delta tables under a lake folder: create, read, write, and their properties."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession

from surveylake import sql
from surveylake.errors import StorageError
from surveylake.lake import commits, listed_files, rewrite, s3
from surveylake.lake.lake_path import lake_path
from surveylake.lake.log_faults import require_whole
from surveylake.lake.log_files import forget_half_made, newer_protocol
from surveylake.lake.provenance import Provenance
from surveylake.paths import is_local
from surveylake.runtime.session_setting import session_setting
from surveylake.wording import first_line

RECORDS, RESPONSES = "records", "responses"
Cell: TypeAlias = str | int | float | None
"""A value of a table on the driver."""
STATISTICS, CHECKPOINTS = "delta.dataSkippingStatsColumns", "delta.checkpointInterval"
RECORD_PROPERTIES = {
    # Only these are looked up by range; statistics on answers would cost time and copy personal data into the log.
    STATISTICS: "partition,offset,timestamp",
    CHECKPOINTS: "100",
}


@dataclass(frozen=True)
class Lake:
    """A folder (or URI) that holds the tables of one survey."""

    root: str

    def table(self, name: str) -> str:
        """Return the path of the table of that name."""
        return f"{self.root.rstrip('/')}/{name}"

    @property
    def is_local(self) -> bool:
        """Whether the folder is on this machine's file system, and not at a URI."""
        return is_local(self.root)

    @property
    def checkpoints(self) -> str:
        """The folder of the stream's checkpoints: beside the tables, so that they move and vanish together."""
        return self.table("_checkpoints")


def open_lake(spark: SparkSession, root: str, writes: bool = False) -> Lake:
    """Return the lake at `root`. Raises an error when this session cannot read it, or `writes` and cannot do so safely."""
    s3.check(spark, root, writes)
    return Lake(root)


def exists(spark: SparkSession, path: str) -> bool:
    """Return whether there is a Delta table at `path`. Raises StorageError when its log cannot be read or is broken."""
    try:
        require_whole(lake_path(spark, path))
        return DeltaTable.isDeltaTable(spark, path)
    except StorageError:
        raise
    except Exception as error:
        newer = newer_protocol(Path(path)) if is_local(path) else ""
        hint = "Read it with the Delta that wrote it." if newer else "Check the path and its permissions."
        raise StorageError(f"{path} cannot be read: {newer or first_line(error)}", hint) from error


def create(
    spark: SparkSession,
    path: str,
    columns: dict[str, tuple[str, str]],
    properties: dict[str, str],
    comment: str,
) -> None:
    """Create the empty table at `path`, unless there is one; `columns` is name -> (SQL type, comment).

    At a URI another process may make it meanwhile, and put rows into it: then it is left to that one.
    Raises StorageError when it cannot be written.
    """
    forget_half_made(lake_path(spark, path))
    try:
        if not DeltaTable.isDeltaTable(spark, path):
            rewrite.make(spark, path, rewrite.Target(columns, properties, ""), comment)
    except Exception as error:
        if DeltaTable.isDeltaTable(spark, path):
            return  # another process was faster
        if isinstance(error, StorageError):
            raise
        raise StorageError(
            f"{path} cannot be made: {first_line(error)}", "Check the path and its permissions."
        ) from error


def properties(spark: SparkSession, path: str) -> dict[str, str]:
    """Return the table's properties, from its log (DESCRIBE DETAIL would list every file too)."""
    metadata = json.loads(commits.snapshot(spark, path).metadata().json())["metaData"]
    return {str(key): str(value) for key, value in metadata.get("configuration", {}).items()}


def columns(spark: SparkSession, path: str) -> dict[str, str]:
    """Return the table's columns in order, from its log: name -> Spark SQL type."""
    return commits.columns(commits.snapshot(spark, path))


def set_property(spark: SparkSession, path: str, key: str, value: str) -> None:
    """Write one table property, as a commit of its own."""
    set_properties(spark, path, {key: value})


def set_properties(spark: SparkSession, path: str, properties: dict[str, str]) -> None:
    """Write table properties in one commit; Delta refuses some of them one by one."""
    assignments = ", ".join(f"{sql.text(key)} = {sql.text(value)}" for key, value in properties.items())
    spark.sql(f"ALTER TABLE delta.{sql.name(path)} SET TBLPROPERTIES ({assignments})")


def version(spark: SparkSession, path: str) -> int:
    """Return the table's latest version."""
    return int(commits.snapshot(spark, path).version())


def read(spark: SparkSession, path: str, at: int | None = None) -> DataFrame:
    """Read the table at its latest version, or at version `at`."""
    rows = listed_files.rows(spark, path, at)
    if rows is not None:
        return rows
    reader = spark.read.format("delta")
    return (reader if at is None else reader.option("versionAsOf", at)).load(path)


def require(spark: SparkSession, lake: Lake, name: str, made_by: str) -> str:
    """Return the table's path. Raises StorageError naming the job `made_by` when there is no such table."""
    path = lake.table(name)
    if not exists(spark, path):
        raise StorageError(
            f"there is no table {name} in {lake.root}", f"Run {made_by} first, with the same --lake."
        )
    return path


def replace(frame: DataFrame, path: str, provenance: Provenance, target: rewrite.Target | None = None) -> int:
    """Make `frame` the table's whole content in one commit that keeps its provenance. Creates a missing table.

    With a `target` that commit also gives an existing table its columns and properties. Returns the commit's version.
    Raises LakeLockedError when another writer changed the table meanwhile: then nothing is changed.
    """
    note = provenance.as_json()
    if exists(frame.sparkSession, path):
        at = rewrite.replace(frame, path, note, target)
        if at is not None:
            return at
    writer = frame.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
    writer = writer.option("userMetadata", note).option(CHECKPOINTS, RECORD_PROPERTIES[CHECKPOINTS])
    with commits.first_come(path):
        writer.save(path)
    return version(frame.sparkSession, path)


@contextmanager
def commits_keep(spark: SparkSession, provenance: Provenance) -> Iterator[None]:
    """Have the commits made in the block keep this provenance, unless it is empty: MERGE and OPTIMIZE have no option for it."""
    if provenance == Provenance():
        yield
        return
    with session_setting(spark, "spark.databricks.delta.commitInfo.userMetadata", provenance.as_json()):
        yield
