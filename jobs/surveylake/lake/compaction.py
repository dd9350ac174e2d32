"""Compaction of a table: small files taken together in one commit that changes no row."""

import json
import math
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from surveylake import sql
from surveylake.errors import ProofError
from surveylake.lake import commits, listed_files, parquet_merge
from surveylake.lake.fsync import SyncBarrier
from surveylake.lake.parquet_merge import UnlikeFilesError
from surveylake.paths import is_local

MIN_SIZE, MAX_SIZE = (f"spark.databricks.delta.optimize.{end}FileSize" for end in ("min", "max"))
MOST_AT_ONCE = 8
"""files that are written at the same time, at some hundred MB of memory each"""
PLAIN_FEATURES = {"appendOnly", "invariants", "checkConstraints"}
"""Features of a table that say nothing of its files."""
IsStopped = Callable[[], bool]


@dataclass(frozen=True)
class Files:
    """Some data files of a table."""

    count: int
    bytes: int

    def __str__(self) -> str:
        return f"{self.count:,} file{'' if self.count == 1 else 's'} ({self.bytes / 1e6:,.1f} MB)"


@dataclass(frozen=True)
class Compaction:
    """The files that one compaction replaced, and the files it wrote."""

    before: Files
    after: Files

    def __str__(self) -> str:
        if not self.before.count:
            return "no small files to take together"
        return f"{self.before} taken together into {self.after}"


NOTHING = Compaction(Files(0, 0), Files(0, 0))


@dataclass(frozen=True)
class DataFile:
    """A live data file: Delta's own AddFile, and what it says."""

    action: Any
    path: Path
    size: int
    statistics: str | None


@dataclass(frozen=True)
class _Merge:
    """Small files that are neighbours, and the file that takes their place."""

    sources: list[DataFile]
    target: Path


def compact(spark: SparkSession, path: str, is_stopped: IsStopped = lambda: False) -> Compaction:
    """Merge small files in one commit that changes no row. May run beside appends.

    The sizes are in conf/spark-defaults.conf. In a local lake the files are merged by columns, and the new ones are fsynced
    before it returns, since VACUUM may remove the old ones from then on. Elsewhere, and where the files are of a kind that only
    Spark knows, Delta's OPTIMIZE does it. Returns what was done; nothing is changed when it was stopped.
    """
    if not is_local(path):
        return _by_rows(spark, path)
    barrier = SyncBarrier(Path(path), Path(path))
    try:
        compaction = _by_columns(spark, path, is_stopped)
    except UnlikeFilesError:
        compaction = _by_rows(spark, path)
    barrier.sync()
    return compaction


def _by_rows(spark: SparkSession, path: str) -> Compaction:
    row = spark.sql(f"OPTIMIZE delta.{sql.name(path)}").first()
    metrics = row["metrics"] if row else {}
    before, after = metrics["filesRemoved"], metrics["filesAdded"]
    return Compaction(
        Files(before["totalFiles"], before["totalSize"]), Files(after["totalFiles"], after["totalSize"])
    )


def _by_columns(spark: SparkSession, path: str, is_stopped: IsStopped) -> Compaction:
    """Merge by columns, on this machine's cores. Raises UnlikeFilesError, with nothing changed, where only Spark can do it."""
    before = commits.snapshot(spark, path)
    schema = _schema_of(before)
    least, most = int(spark.conf.get(MIN_SIZE) or 0), int(spark.conf.get(MAX_SIZE) or 0)
    at_once = min(spark.sparkContext.defaultParallelism, MOST_AT_ONCE)
    small = [file for file in _files(spark, before, Path(path)) if file.size < least]
    size = even_size([file.size for file in small], least, most, at_once)
    merges = [
        _Merge(group, Path(path, f"part-{number:05d}-{uuid.uuid4()}-c000.parquet"))
        for number, group in enumerate(groups(small, size))
        if len(group) > 1
    ]
    if not merges:
        return NOTHING
    is_committed = False
    try:
        rows = [count for count in _merged(merges, schema, at_once, is_stopped) if count is not None]
        if len(rows) < len(merges):
            return NOTHING
        _commit(spark, before, merges, rows)
        is_committed = True
    finally:
        for merge in merges if not is_committed else ():
            parquet_merge.remove(merge.target)
    replaced = [file.size for merge in merges for file in merge.sources]
    written = [merge.target.stat().st_size for merge in merges]
    return Compaction(Files(len(replaced), sum(replaced)), Files(len(written), sum(written)))


def _merged(
    merges: Sequence[_Merge], schema: pa.Schema, at_once: int, is_stopped: IsStopped
) -> list[int | None]:
    """Write each target. Returns the rows of each; None for one that was stopped."""

    def write(merge: _Merge) -> int | None:
        return parquet_merge.merge([file.path for file in merge.sources], merge.target, schema, is_stopped)

    with ThreadPoolExecutor(at_once, "merge") as pool:
        return list(pool.map(write, merges))


def _schema_of(snapshot: Any) -> pa.Schema:
    """Return the columns of a table as its files have them. Raises UnlikeFilesError for files that have them otherwise."""
    protocol, metadata = json.loads(snapshot.protocol().json())["protocol"], snapshot.metadata()
    features = {*protocol.get("readerFeatures", ()), *protocol.get("writerFeatures", ())}
    is_plain = protocol["minReaderVersion"] == 1 and (protocol["minWriterVersion"] <= 3 or features)
    if not is_plain or features - PLAIN_FEATURES or metadata.partitionColumns().size():
        raise UnlikeFilesError("the table has partitions, or features that its files are written by")
    return to_arrow_schema(StructType.fromJson(json.loads(metadata.schemaString())), timezone="UTC")


def _files(spark: SparkSession, snapshot: Any, folder: Path) -> Iterator[DataFile]:
    """Yield every live file, in the order in which they were written."""
    files = [(json.loads(file.json())["add"], file) for file in listed_files.files_of(spark, snapshot)]
    for add, file in sorted(files, key=lambda each: (each[0]["modificationTime"], each[0]["path"])):
        yield DataFile(file, folder / unquote(add["path"]), add["size"], add.get("stats"))


def even_size(sizes: Sequence[int], least: int, most: int, at_once: int) -> int:
    """Return how many bytes to take together so that all of the `at_once` workers have as much to do.

    Such groups, but the last, are larger than `least`, and none is larger than `most`. Where there is no such size it is `most`.
    """
    total, largest = sum(sizes), max(sizes, default=0)
    rounds = math.ceil(total / most / at_once)
    even = math.ceil(total / (rounds * at_once)) + largest if rounds else 0
    return even if least + largest < even <= most else most


def groups(files: Iterable[DataFile], most: int) -> list[list[DataFile]]:
    """Return neighbours of `most` bytes together."""
    together: list[list[DataFile]] = []
    size = most
    for file in files:
        if size + file.size > most:
            together.append([])
            size = 0
        together[-1].append(file)
        size += file.size
    return together


def _require_all_rows(merge: _Merge, rows: int) -> None:
    """Raise ProofError where the files had another number of rows than the log says of them."""
    each = [json.loads(file.statistics or "{}").get("numRecords") for file in merge.sources]
    if None not in each and sum(each) != rows:
        raise ProofError(
            f"{len(each)} files of {merge.target.parent} hold {rows:,} rows; its log says {sum(each):,}",
            "Run jobs/verify.py --deep: the lake is not sound. Nothing was changed here.",
        )


def _commit(spark: SparkSession, before: Any, merges: Sequence[_Merge], rows: Sequence[int]) -> None:
    """Replace the sources of each merge by its target, as OPTIMIZE does: no data is changed."""
    java, now = commits.jvm(spark), commits.now(spark)
    actions, none = commits.no_files(spark), java.scala.Option.empty()
    for merge, count in zip(merges, rows, strict=True):
        like, status = merge.sources[0].action, merge.target.stat()
        statistics = parquet_merge.merged_statistics([file.statistics for file in merge.sources], count)
        _require_all_rows(merge, count)
        written = round(status.st_mtime * 1000)
        added = like.copy(
            merge.target.name, like.partitionValues(), status.st_size, written, False, statistics,
            None, None, none, none, none, none, none,
        )  # fmt: skip
        actions = actions.appended(added)
        for file in merge.sources:
            actions = actions.appended(file.action.removeWithTimestamp(now, False))
    nothing = commits.no_files(spark)
    optimize = java.org.apache.spark.sql.delta.DeltaOperations.Optimize(nothing, nothing, False, none, False)
    commits.begin(spark, before).commit(actions, optimize)
