"""Commits by Delta's own transaction, which has no Python door, where Delta's writers ask the log for more than they need."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from surveylake.lake.log_files import LOG
from surveylake.paths import is_local

TASKS_PER_CORE = 4
FAILURES = (PySparkException, Py4JJavaError)
"""What Spark and Delta raise here: some of their errors have a class in Python, others come as they are in Java."""


def jvm(spark: SparkSession) -> Any:
    """The driver's JVM, for what Spark and Delta offer in Scala only."""
    return spark._jvm


def as_java(spark: SparkSession, found: Any) -> Any:
    """A collection of Scala's as one that Python can go through."""
    return jvm(spark).scala.jdk.javaapi.CollectionConverters.asJava(found)


def log_of(spark: SparkSession, path: str) -> Any:
    """Delta's DeltaLog of the table, as this process keeps it."""
    return _logs(spark).forTable(spark._jsparkSession, path)


def snapshot(spark: SparkSession, path: str) -> Any:
    """Delta's snapshot of the table as it is now: Python's DeltaTable offers its history only, a Spark job each time."""
    return _logs(spark).forTableWithSnapshot(spark._jsparkSession, path)._2()


def _logs(spark: SparkSession) -> Any:
    return jvm(spark).org.apache.spark.sql.delta.DeltaLog


def last_seen(spark: SparkSession, path: str) -> Any:
    """The same as this process saw it last, when the table is on this machine and that version still lies there.

    Asking anew lists the log's folder, which grows with every commit.
    """
    seen = log_of(spark, path).unsafeVolatileSnapshot()
    there = is_local(path) and Path(path, LOG, f"{seen.version():020d}.json").is_file()
    return seen if there else snapshot(spark, path)


def snapshot_at(spark: SparkSession, path: str, version: int) -> Any:
    """Delta's snapshot of the table at a version; it raises where the log no longer tells what the table was then."""
    none = jvm(spark).scala.Option.empty()
    return log_of(spark, path).getSnapshotAt(version, none, none, False)


def files_at(spark: SparkSession, path: str, version: int) -> set[str]:
    """The names of the data files that make a version; raises as `snapshot_at` does."""
    files = DataFrame(snapshot_at(spark, path, version).allFiles().toDF(), spark)
    return {unquote(row["path"]) for row in files.select("path").collect()}


def now(spark: SparkSession) -> int:
    """The time by the driver's JVM, which Delta goes by too: milliseconds since 1970."""
    return int(jvm(spark).System.currentTimeMillis())


def version_at(spark: SparkSession, path: str, milliseconds: int) -> int:
    """The version that was the newest at a time (since 1970), or the oldest that the log can still tell."""
    java, log = jvm(spark), log_of(spark, path)
    when = java.java.sql.Timestamp(milliseconds)
    return int(
        log.history().getActiveCommitAtTime(when, java.scala.Option.empty(), True, True, True).version()
    )


def append_batch(
    spark: SparkSession, path: str, query: StreamingQuery, batch: DataFrame, number: int, shared: bool
) -> list[Any]:
    """Add a micro-batch in one commit that carries the query's id and the batch's number, as Delta's own sink would; Delta's
    AddFile of each file that is in the table now.

    Asking which number came last makes Delta read the state of the whole log: done only when the table is `shared` with
    other writers, or when there is no row, since a batch without rows may be one that was committed before. Else not even
    the log's folder is listed: a commit that this process has not seen is found by Delta as it commits.
    """
    java, query_id = jvm(spark), str(query.id)
    delta, none = java.org.apache.spark.sql.delta, java.scala.Option.empty()
    transaction = _begin(java, last_seen(spark, path))
    files = transaction.writeFiles(_few_tasks(spark, query, batch))
    if (shared or files.isEmpty()) and transaction.txnVersion(query_id) >= number:
        return []
    now = java.scala.Some(java.System.currentTimeMillis())
    mark = delta.actions.SetTransaction(query_id, number, now)
    append = java.org.apache.spark.sql.streaming.OutputMode.Append()
    transaction.commit(
        files.prepended(mark), delta.DeltaOperations.StreamingUpdate(append, query_id, number, none)
    )
    return list(as_java(spark, files))


def add_rows(frame: DataFrame, path: str, application: str, note: str) -> list[Any]:
    """Add rows in one commit with this note, numbered under a name of its own, as a stream's commits are; as `append_batch`."""
    spark = frame.sparkSession
    java, before = jvm(spark), snapshot(spark, path)
    none, mode = java.scala.Option.empty(), java.org.apache.spark.sql.SaveMode.Append
    transaction = _begin(java, before)
    files = transaction.writeFiles(frame._jdf)
    delta, now_ = java.org.apache.spark.sql.delta, java.scala.Some(now(spark))
    mark = delta.actions.SetTransaction(application, int(before.version()) + 1, now_)
    write = delta.DeltaOperations.Write(mode, none, none, java.scala.Some(note), none, none, none, none, none)
    transaction.commit(files.prepended(mark), write)
    return list(as_java(spark, files))


def _few_tasks(spark: SparkSession, query: StreamingQuery, batch: DataFrame) -> Any:
    """The rows of a micro-batch as a Dataset of no more tasks than `most_tasks`: each writes a file.

    A batch has a task for each partition of the topic. `batch` reads the rows that the query made, and makes each anew; its
    plan instead of it makes them once, and is taken where its tasks are few already.
    """
    plan, most = query._jsq.streamingQuery().lastExecution(), most_tasks(spark)
    if plan.toRdd().getNumPartitions() > most:
        return batch._jdf.coalesce(most)
    return jvm(spark).org.apache.spark.sql.classic.Dataset(plan, batch._jdf.encoder())


def most_tasks(spark: SparkSession) -> int:
    """The most tasks, and so files, of a micro-batch: a few for each core that there is now, so that none waits for the last."""
    return TASKS_PER_CORE * spark.sparkContext.defaultParallelism


def rows_of(spark: SparkSession, path: str, files: list[Any]) -> DataFrame:
    """The rows of files that `append_batch` added, without a look at the state of the log; they must not be vacuumed yet."""
    scala, log = jvm(spark).scala, log_of(spark, path)
    chosen = scala.jdk.javaapi.CollectionConverters.asScala(files).toSeq()
    found = log.createDataFrame(log.unsafeVolatileSnapshot(), chosen, False, scala.Option.empty())
    return DataFrame(found, spark)


def overwrite(frame: DataFrame, path: str, note: str) -> bool:
    """Make `frame` the whole content of a table that has its columns, in one commit with this note; False, and nothing done,
    where that is a matter for Delta's writer.

    Delta's writer finds the files to remove by Spark jobs over the log, which cost a table of three rows more than its rows.
    They stand in the checksum of the newest version too, while they are few. Delta refuses the commit when somebody added
    to the table meanwhile.
    """
    spark = frame.sparkSession
    java, before = jvm(spark), snapshot(spark, path)
    known = before.checksumOpt()
    listed = known.get().allFiles() if known.isDefined() else java.scala.Option.empty()
    if not listed.isDefined() or listed.get().size() != known.get().numFiles():
        return False
    there = [(field.name(), field.dataType().catalogString()) for field in before.schema().fields()]
    if there != [(field.name, field.dataType.simpleString()) for field in frame.schema.fields]:
        return False
    transaction = _begin(java, before)
    changes = transaction.writeFiles(frame._jdf)
    for file in as_java(spark, listed.get()):
        changes = changes.appended(file.remove())
    none, mode = java.scala.Option.empty(), java.org.apache.spark.sql.SaveMode.Overwrite
    write = java.org.apache.spark.sql.delta.DeltaOperations.Write
    transaction.commit(changes, write(mode, none, none, java.scala.Some(note), none, none, none, none, none))
    return True


def _begin(java: Any, before: Any) -> Any:
    return before.deltaLog().startTransaction(java.scala.Option.empty(), java.scala.Some(before))
