"""The plain Kafka -> Delta query of Spark's and Delta's guides, with which every row is compared."""

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from faults.damage import forget_logs

SCHEMA = "Participant_ID string, Gender string, Nationality string, Age int, Food string, Juice string, Dessert string"
Batch = Callable[[DataFrame, int], None]


@dataclass(frozen=True)
class Outcome:
    """The result of one run of the plain query."""

    error: str
    """the first line of its error; empty when it ended without one"""
    rows: list[tuple[int, int]]
    """partition and offset of every row in its table after the run, sorted; empty when the table cannot be read"""

    @property
    def doubled(self) -> list[tuple[int, int]]:
        """Partition and offset of the rows that are in the table more than once."""
        return sorted(place for place, count in Counter(self.rows).items() if count > 1)


class PlainQuery:
    """readStream kafka from the earliest, from_json, writeStream delta with a checkpoint, availableNow."""

    def __init__(self, spark: SparkSession, folder: Path, bootstrap: str, topic: str) -> None:
        self.spark, self.bootstrap, self.topic = spark, bootstrap, topic
        self.table, self.checkpoint = folder / "table", folder / "checkpoint"
        self.schema, self.columns = SCHEMA, ["*"]

    def source(self, **options: str) -> DataFrame:
        """Return the parsed rows; `options` are Spark's own (failOnDataLoss, maxOffsetsPerTrigger …)."""
        reader = self.spark.readStream.format("kafka").option("kafka.bootstrap.servers", self.bootstrap)
        reader = (
            reader.option("subscribe", self.topic).option("startingOffsets", "earliest").options(**options)
        )
        parsed = F.from_json(F.col("value").cast("string"), self.schema).alias("data")
        rows = reader.load().select("topic", "partition", "offset", parsed)
        return rows.select("topic", "partition", "offset", "data.*").selectExpr(*self.columns)

    def run(self, each_batch: Batch | None = None, **options: str) -> Outcome:
        """Run to the topic's end; with `each_batch` through foreachBatch instead of Delta's sink."""
        return Outcome(self.take(each_batch, **options), self.rows())

    def take(self, each_batch: Batch | None = None, **options: str) -> str:
        """Run as `run` does. Returns the first line of its error; empty when it ended without one."""
        raised: BaseException | None = None
        try:
            writer = self.source(**options).writeStream.option("checkpointLocation", str(self.checkpoint))
            writer = writer.trigger(availableNow=True)
            writer = writer.foreachBatch(each_batch) if each_batch else writer.format("delta")
            query = writer.start() if each_batch else writer.start(str(self.table))
            query.awaitTermination()
        except Exception as error:  # whatever it is, the row tells it
            raised = error
        return first_line(raised) if raised else ""

    def append(self, rows: DataFrame, _batch: int) -> None:
        """The naive foreachBatch: append, also when a batch is run again."""
        rows.write.format("delta").mode("append").save(str(self.table))

    def rows(self) -> list[tuple[int, int]]:
        """Return partition and offset of each row, read by Spark as its user would."""
        try:
            forget_logs(self.spark)
            rows = (
                self.spark.read.format("delta").load(str(self.table)).select("partition", "offset").collect()
            )
        except Exception:
            return []
        return sorted((row["partition"], row["offset"]) for row in rows)

    def read_error(self) -> str:
        """Return the first line of the error of reading its table; empty when it can be read."""
        forget_logs(self.spark)
        try:
            self.spark.read.format("delta").load(str(self.table)).select("offset").collect()
        except Exception as raised:
            return first_line(raised)
        return ""

    def forget(self) -> None:
        """Delete its checkpoint."""
        shutil.rmtree(self.checkpoint)


def first_line(error: BaseException) -> str:
    """Return an error's message without trace and query ids, with its cause when that says more."""
    causes = [error]
    while (cause := getattr(causes[-1], "_cause", None)) is not None:
        causes.append(cause)
    first, last = (_first(cause) for cause in (error, causes[-1]))
    return first if last in first or first in last else f"{first} ({last})"


def _first(error: BaseException) -> str:
    # For a call into Java, Python's message says first that it failed, and then why.
    lines = [line.strip().removeprefix(": ") for line in str(error).splitlines()]
    meaningful = (line for line in lines if line and not line.startswith("An error occurred while calling"))
    return next(meaningful, type(error).__name__).split("terminated with exception: ")[-1]
