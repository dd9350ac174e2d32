"""A table of few rows that are on the driver: replaced in one commit. A Spark job would take longer than all the rest."""

import io
import json
import uuid
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import to_arrow_type

from surveylake.lake import commits, listed_files, rewrite, tables
from surveylake.lake.parquet_merge import AS_SPARK_WRITES
from surveylake.lake.provenance import Provenance
from surveylake.lake.tables import CHECKPOINTS, RECORD_PROPERTIES, Cell


@dataclass(frozen=True)
class SmallTable:
    """The whole content of a table."""

    columns: dict[str, str]
    """name -> SQL type"""
    rows: list[dict[str, Cell]]
    """by column"""

    def arrow(self) -> pa.Table:
        """Return the rows with the types of the columns."""
        kinds = {name: to_arrow_type(rewrite.data_type(kind)) for name, kind in self.columns.items()}
        arrays = [
            pa.array([_exact(row[name], kind) for row in self.rows], kind) for name, kind in kinds.items()
        ]
        return pa.table(arrays, list(kinds))


def replace(spark: SparkSession, path: str, table: SmallTable, provenance: Provenance) -> None:
    """Make these rows the table's whole content in one commit that keeps its provenance. Creates a missing table.

    Raises LakeLockedError when another writer changed the table meanwhile: then nothing is changed.
    """
    tables.exists(spark, path)  # its log is whole
    before = commits.snapshot(spark, path)
    is_new = before.version() < 0
    transaction = commits.begin(spark, before)
    columns = {name: (kind, "") for name, kind in table.columns.items()}
    properties = {CHECKPOINTS: RECORD_PROPERTIES[CHECKPOINTS]} if is_new else {}
    rewrite.set_columns(transaction, before.metadata(), columns, properties)
    written = commits.no_files(spark).appended(_written(spark, before, table.arrow()))
    old = [] if is_new else listed_files.live(spark, before, transaction)
    with commits.first_come(path):
        transaction.commit(commits.removing(written, old), commits.overwriting(spark, provenance.as_json()))


def parquet_of(rows: pa.Table) -> bytes:
    """Return rows as the content of a data file."""
    content = io.BytesIO()
    pq.write_table(rows, content, **AS_SPARK_WRITES)
    return content.getvalue()


def _exact(value: Cell, kind: pa.DataType) -> Cell | Decimal:
    """Return a value as Arrow takes it for a column of this type."""
    return Decimal(str(value)) if pa.types.is_decimal(kind) and value is not None else value


def _written(spark: SparkSession, before: Any, rows: pa.Table) -> Any:
    """Write a data file into the folder of a table, as Hadoop does, with its checksum. Returns Delta's AddFile of it."""
    java, log = commits.jvm(spark), before.deltaLog()
    content = parquet_of(rows)
    name = f"part-00000-{uuid.uuid4()}-c000.snappy.parquet"
    path = java.org.apache.hadoop.fs.Path(log.dataPath(), name)
    files = path.getFileSystem(log.newDeltaHadoopConf())
    with closing(files.create(path, False)) as stream:
        stream.write(content)
    add = {
        "path": name,
        "partitionValues": {},
        "size": len(content),
        "modificationTime": commits.now(spark),
        "dataChange": True,
        "stats": json.dumps({"numRecords": rows.num_rows}),
    }
    return java.org.apache.spark.sql.delta.actions.Action.fromJson(json.dumps({"add": add}))
