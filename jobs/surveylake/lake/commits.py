"""Commits by Delta's own Scala transaction, which Python has no API for: Delta's writers read more of the log than they need."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from surveylake import wording
from surveylake.errors import LakeLockedError, StorageError
from surveylake.lake.log_files import LOG
from surveylake.paths import is_local
from surveylake.progress import Stopwatch

Guard = Callable[[Any], None]
"""Reads in a transaction what must still hold when it is committed. Raises when it does not hold now."""
TASKS_PER_CORE = 4
CONFLICT = re.compile("Concurrent|MetadataChanged|ProtocolChanged")
"""In the class of what Delta raises when another commit changed what a transaction has read, or made the table."""
FAILURES = (PySparkException, Py4JJavaError)
"""Exceptions of Spark and Delta here: some of their errors have a class in Python, others arrive as Java's own."""


def is_metadata_changed(error: Exception) -> bool:
    """Return whether Delta refused a commit because the table's properties were changed since its snapshot."""
    return "MetadataChanged" in type(error).__name__ or "DELTA_METADATA_CHANGED" in str(error)


@contextmanager
def first_come(folder: object) -> Iterator[None]:
    """Raise LakeLockedError in place of what Delta raises when another commit changed what a transaction has read."""
    try:
        yield
    except FAILURES as error:
        # By the class: a lake's path may hold the word too.
        if not CONFLICT.search(f"{type(error).__name__} {wording.innermost(error).partition(':')[0]}"):
            raise
        raise LakeLockedError(
            f"another process changed {folder} meanwhile; nothing was changed here", "Run this again."
        ) from error


def jvm(spark: SparkSession) -> Any:
    """Return the driver's JVM, for what Spark and Delta offer in Scala only."""
    return spark._jvm


def as_java(spark: SparkSession, collection: Any) -> Any:
    """Return a Scala collection as a Java one, which Python can iterate over."""
    return jvm(spark).scala.jdk.javaapi.CollectionConverters.asJava(collection)


def log_of(spark: SparkSession, path: str) -> Any:
    """Return Delta's DeltaLog of the table, as this process caches it."""
    return _logs(spark).forTable(spark._jsparkSession, path)


def snapshot(spark: SparkSession, path: str) -> Any:
    """Return Delta's current snapshot of the table: Python's DeltaTable offers its history only, by a Spark job each time."""
    return _logs(spark).forTableWithSnapshot(spark._jsparkSession, path)._2()


def columns(snapshot: Any) -> dict[str, str]:
    """Return the columns of a snapshot in order: name -> Spark SQL type."""
    return {field.name(): field.dataType().catalogString() for field in snapshot.schema().fields()}


def _logs(spark: SparkSession) -> Any:
    return jvm(spark).org.apache.spark.sql.delta.DeltaLog


def last_seen(spark: SparkSession, path: str) -> Any:
    """Return Delta's snapshot of the table that this process cached last, or a current one.

    The cached one is used when the table is local and that version's commit file still exists.
    A current one lists the log's folder, which grows with every commit.
    """
    cached = log_of(spark, path).unsafeVolatileSnapshot()
    is_valid = is_local(path) and Path(path, LOG, f"{cached.version():020d}.json").is_file()
    return cached if is_valid else snapshot(spark, path)


def snapshot_at(spark: SparkSession, path: str, version: int) -> Any:
    """Return Delta's snapshot of the table at a version. Raises one of FAILURES where the log no longer reaches back to it."""
    none = jvm(spark).scala.Option.empty()
    return log_of(spark, path).getSnapshotAt(version, none, none, False)


def files_at(spark: SparkSession, path: str, version: int) -> set[str]:
    """Return the names of a version's data files. Raises as `snapshot_at` does."""
    files = DataFrame(snapshot_at(spark, path, version).allFiles().toDF(), spark)
    return {unquote(row["path"]) for row in files.select("path").collect()}


def now(spark: SparkSession) -> int:
    """Return the time by the driver's JVM, which Delta uses too: milliseconds since 1970."""
    return int(jvm(spark).System.currentTimeMillis())


def version_at(spark: SparkSession, path: str, milliseconds: int) -> int:
    """Return the version that was the newest at a time (ms since 1970), or the oldest version that the log still has."""
    java, log = jvm(spark), log_of(spark, path)
    timestamp = java.java.sql.Timestamp(milliseconds)
    return int(
        log.history().getActiveCommitAtTime(timestamp, java.scala.Option.empty(), True, True, True).version()
    )


def append_batch(
    spark: SparkSession,
    path: str,
    query: StreamingQuery,
    batch: DataFrame,
    number: int,
    stopwatch: Stopwatch,
    guard: Guard | None = None,
) -> list[Any]:
    """Append a micro-batch in one commit that carries the query's id and the batch's number, as Delta's own sink does.

    Whether the batch was committed before is asked only when there is a `guard`, since others may write the table then, or when
    the batch has no rows: the answer makes Delta read the state of the whole log. Else not even the log's folder is listed:
    Delta finds other writers' commits as it commits.
    Returns Delta's AddFile of each new file; none for a batch that was committed before.
    Raises StorageError for a batch with rows whose number was committed before: the checkpoint is older than the table.
    """
    java, query_id = jvm(spark), str(query.id)
    delta, none = java.org.apache.spark.sql.delta, java.scala.Option.empty()
    transaction = begin(spark, last_seen(spark, path))
    if guard:
        guard(transaction)
    with stopwatch.timed("write"):
        files = transaction.writeFiles(_few_tasks(spark, query, batch))
    if (guard or files.isEmpty()) and transaction.txnVersion(query_id) >= number:
        if files.isEmpty():
            return []
        raise StorageError(
            f"{path} has micro-batch {number} of this checkpoint already, without these rows:"
            " the checkpoint is older than the table",
            "Run the same command again: it puts the checkpoint aside and goes on from the table's own offsets.",
        )
    now = java.scala.Some(java.System.currentTimeMillis())
    mark = delta.actions.SetTransaction(query_id, number, now)
    append = java.org.apache.spark.sql.streaming.OutputMode.Append()
    update = delta.DeltaOperations.StreamingUpdate(append, query_id, number, none)
    with stopwatch.timed("commit"):
        transaction.commit(files.prepended(mark), update)
    return list(as_java(spark, files))


def add_rows(
    frame: DataFrame, path: str, application: str, note: str, guard: Guard | None = None
) -> list[Any]:
    """Append rows in one commit with this note, numbered under `application` as a stream's are. Returns as `append_batch`."""
    spark = frame.sparkSession
    before = snapshot(spark, path)
    transaction = begin(spark, before)
    if guard:
        guard(transaction)
    files = transaction.writeFiles(frame._jdf)
    commit_numbered(spark, transaction, files, application, int(before.version()) + 1, note)
    return list(as_java(spark, files))


def commit_numbered(
    spark: SparkSession, transaction: Any, files: Any, application: str, number: int, note: str
) -> int:
    """Commit an append of `files` (a Scala Seq, may be empty), numbered under `application`. Returns the new version."""
    java = jvm(spark)
    none, mode = java.scala.Option.empty(), java.org.apache.spark.sql.SaveMode.Append
    delta, at = java.org.apache.spark.sql.delta, java.scala.Some(now(spark))
    mark = delta.actions.SetTransaction(application, number, at)
    write = delta.DeltaOperations.Write(mode, none, none, java.scala.Some(note), none, none, none, none, none)
    return int(transaction.commit(files.prepended(mark), write))


def no_files(spark: SparkSession) -> Any:
    """Return an empty Scala Seq of files."""
    nothing = jvm(spark).java.util.ArrayList()
    return jvm(spark).scala.jdk.javaapi.CollectionConverters.asScala(nothing).toSeq()


def removing(actions: Any, files: Iterable[Any]) -> Any:
    """Return actions (a Scala Seq) and, for each file (Delta's AddFile), one more: it is live no longer."""
    for file in files:
        actions = actions.appended(file.remove())
    return actions


def _few_tasks(spark: SparkSession, query: StreamingQuery, batch: DataFrame) -> Any:
    """Return the rows of a micro-batch as a Dataset of at most `most_tasks` tasks: each writes a file.

    A batch has a task for each partition of the topic. `batch` would copy every row that the query's plan makes; the plan
    itself makes it once, and is used where its tasks are few already.
    """
    plan, most = query._jsq.streamingQuery().lastExecution(), most_tasks(spark)
    if plan.toRdd().getNumPartitions() > most:
        return batch._jdf.coalesce(most)
    return jvm(spark).org.apache.spark.sql.classic.Dataset(plan, batch._jdf.encoder())


def most_tasks(spark: SparkSession) -> int:
    """Return the most tasks, and so files, of a micro-batch: a few for each core of now, so that no core waits for the last."""
    return TASKS_PER_CORE * spark.sparkContext.defaultParallelism


def rows_of(spark: SparkSession, path: str, files: list[Any]) -> DataFrame:
    """Return the rows of files that `append_batch` added, without reading the log. The files must not be vacuumed yet."""
    return rows_in(spark, log_of(spark, path).unsafeVolatileSnapshot(), files)


def rows_in(spark: SparkSession, before: Any, files: list[Any]) -> DataFrame:
    """Return the rows of files (Delta's AddFile each) with the columns of the snapshot `before`, of which they need not be."""
    scala = jvm(spark).scala
    chosen = scala.jdk.javaapi.CollectionConverters.asScala(files).toSeq()
    rows = before.deltaLog().createDataFrame(before, chosen, False, scala.Option.empty())
    return DataFrame(rows, spark)


def overwriting(spark: SparkSession, note: str) -> Any:
    """Return Delta's name for a commit that replaces files, with this note."""
    java = jvm(spark)
    none, mode = java.scala.Option.empty(), java.org.apache.spark.sql.SaveMode.Overwrite
    write = java.org.apache.spark.sql.delta.DeltaOperations.Write
    return write(mode, none, none, java.scala.Some(note), none, none, none, none, none)


def begin(spark: SparkSession, before: Any) -> Any:
    """Return a Delta transaction on the snapshot `before`."""
    java = jvm(spark)
    return before.deltaLog().startTransaction(java.scala.Option.empty(), java.scala.Some(before))
