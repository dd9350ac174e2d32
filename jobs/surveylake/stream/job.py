"""What every part of one run of the stream needs, made once."""

from dataclasses import dataclass

from pyspark.sql import SparkSession

from surveylake.config import Config
from surveylake.contract.model import Contract
from surveylake.kafka.topic import Topic
from surveylake.lake.tables import RECORDS, Lake
from surveylake.progress import Stopwatch
from surveylake.stream.layout_watch import LayoutWatch
from surveylake.stream.sink import DeltaSink


@dataclass(frozen=True)
class StreamJob:
    """One topic, the table it is streamed into, and how."""

    spark: SparkSession
    topic: Topic
    lake: Lake
    config: Config
    contract: Contract
    sink: DeltaSink
    watch: LayoutWatch
    stopwatch: Stopwatch
    """where the seconds of the run go"""
    process_stays: bool = False
    """whether more records come to this process after the run, as to a notebook's"""

    @property
    def records(self) -> str:
        """Where the table `records` lies."""
        return self.lake.table(RECORDS)


def stream_job(
    spark: SparkSession,
    topic: Topic,
    lake: Lake,
    config: Config,
    contract: Contract,
    stopwatch: Stopwatch,
    process_stays: bool = False,
) -> StreamJob:
    """Return the job with a sink of its own; several queries may write to it, one after the other."""
    sink = DeltaSink(spark, lake.table(RECORDS), shared=not lake.is_local, stopwatch=stopwatch)
    watch = LayoutWatch(contract)
    return StreamJob(spark, topic, lake, config, contract, sink, watch, stopwatch, process_stays)
