"""The files of a table as the checksum of its newest version lists them; a small table read by that list.

Delta's own readers and writers ask the log for the files by Spark jobs, which take longer than reading a small table.
"""

import json
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from surveylake.lake import commits
from surveylake.lake.lake_path import lake_path
from surveylake.lake.log_files import LOG

MOST_BYTES = 1 << 26
"""of a table that is read so; of a larger one Delta's own scan reads less where rows are asked for by offset"""


def listed(spark: SparkSession, snapshot: Any) -> Any | None:
    """Return Delta's AddFile of every file of a snapshot, as a Scala Seq.

    None where the checksum lists none, since they are many, and where it is not the checksum of this very commit: a log that was
    put back from a copy may have one of another.
    """
    if not snapshot.checksumOpt().isDefined():
        return None
    checksum = snapshot.checksumOpt().get()
    files, transaction = checksum.allFiles(), checksum.txnId()
    if not (files.isDefined() and files.get().size() == checksum.numFiles() and transaction.isDefined()):
        return None
    same = transaction.get() == _transaction_of(spark, snapshot)
    return files.get() if same else None


def files_of(spark: SparkSession, snapshot: Any) -> list[Any]:
    """Return Delta's AddFile of every file of a snapshot."""
    files = listed(spark, snapshot)
    return list(snapshot.allFiles().collectAsList() if files is None else commits.as_java(spark, files))


def live(spark: SparkSession, before: Any, transaction: Any) -> list[Any]:
    """Return the same of the snapshot that a transaction is on, which has then read the whole table.

    Delta refuses such a transaction when another writer changed the table meanwhile.
    """
    transaction.readWholeTable()
    return files_of(spark, before)


def rows(spark: SparkSession, path: str, at: int | None = None) -> DataFrame | None:
    """Return the rows of the newest version. None for another version, a table that is not small, or a list that is not sure."""
    newest = commits.snapshot(spark, path)
    if at not in (None, newest.version()):
        return None
    files = listed(spark, newest)
    if files is None or newest.checksumOpt().get().tableSizeBytes() > MOST_BYTES:
        return None
    no_type = commits.jvm(spark).scala.Option.empty()
    return DataFrame(newest.deltaLog().createDataFrame(newest, files, False, no_type), spark)


def _transaction_of(spark: SparkSession, snapshot: Any) -> str | None:
    """Return the id of the transaction that wrote a version, which its commit has in its first line; None without one."""
    folder = str(snapshot.deltaLog().dataPath()).removeprefix("file:")
    try:
        with (lake_path(spark, folder) / LOG / f"{snapshot.version():020d}.json").open("rb") as commit:
            action = json.loads(commit.readline())
    except (OSError, ValueError):
        return None
    about = action.get("commitInfo") if isinstance(action, dict) else None
    return about.get("txnId") if isinstance(about, dict) else None
