"""What makes ours fast, each thing undone by itself, and what was tried and not taken: so that each can be measured again."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest import mock

from surveylake.lake import tables
from surveylake.runtime import launch
from surveylake.runtime.spark_conf import SHORT_RUN, spark_settings
from surveylake.stream.sink import DeltaSink
from surveylake.validate import fast_path

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MANY, SHORT, START = "many records at once", "short micro-batches", "jobs/run.py on the sample"
CPU, SECONDS = "cpu", "seconds"
SEPARATE = "separate"


@dataclass(frozen=True)
class Ablation:
    """One change to ours. `ours`: it takes away what ours has; else it is anything else that one may wonder about."""

    group: str
    words: str
    ours: bool = False
    of: str = SECONDS
    """which cost is compared: CPU, of which another's load takes nothing away, where the machine is busy all the time"""
    sql: Mapping[str, str] = field(default_factory=dict)
    """Spark settings"""
    hadoop: Mapping[str, str] = field(default_factory=dict)
    """settings of Hadoop and Parquet"""
    java: str = ""
    """options of the JVM"""
    patches: tuple[AbstractContextManager[Any], ...] = ()

    @contextmanager
    def patched(self) -> Iterator[None]:
        """The code is changed within the block."""
        with ExitStack() as stack:
            for patch in self.patches:
                stack.enter_context(patch)
            yield

    def set_in(self, spark: "SparkSession") -> None:
        """Give the session the ablation's settings, for good: it is the ablation's own."""
        assert spark.sparkContext._jsc is not None
        hadoop: Any = spark.sparkContext._jsc.hadoopConfiguration()
        for key, value in self.hadoop.items():
            hadoop.set(key, value)
        for key, value in self.sql.items():
            spark.conf.set(key, value)


def _without(*keys: str) -> AbstractContextManager[Any]:
    """conf/short-run.conf lacks these lines."""
    settings = {key: value for key, value in spark_settings(SHORT_RUN).items() if key not in keys}
    return mock.patch("surveylake.runtime.launch.spark_settings", lambda _: settings)


def _one_percent_parsed() -> AbstractContextManager[Any]:
    """One value in a hundred goes the parsed way."""
    is_plain = fast_path._is_plain
    return mock.patch(
        "surveylake.validate.fast_path._is_plain", lambda *of: f"{is_plain(*of)} AND crc32(value) % 100 > 0"
    )


def _no_statistics_chosen() -> dict[str, str]:
    return {key: value for key, value in tables.RECORD_PROPERTIES.items() if key != tables.STATISTICS}


def _codec(name: str) -> dict[str, str]:
    return {"spark.sql.parquet.compression.codec": name}


ABLATIONS = {
    "java_polls": Ablation(
        MANY, "Java's 500 records and 1 MB a poll", True, CPU,
        patches=(mock.patch.dict("surveylake.kafka.options.EAGER",
                                 {"max.poll.records": "500", "max.partition.fetch.bytes": "1048576"}),),
    ),
    "java_wait": Ablation(
        MANY, "Java's half second at the end of the topic", True,
        patches=(mock.patch.dict("surveylake.kafka.options.EAGER", {"fetch.max.wait.ms": "500"}),),
    ),
    "all_parsed": Ablation(
        MANY, "no plain way: every value is parsed", True, CPU,
        patches=(mock.patch("surveylake.validate.fast_path._is_plain", lambda *_: "octet_length(value) < 0"),),
    ),
    "one_percent": Ablation(MANY, "1 % of the values not plain", of=CPU, patches=(_one_percent_parsed(),)),
    "node_limit": Ablation(
        MANY, "1 % not plain, and Java's own limit of its compiler's nodes", True, CPU,
        patches=(_one_percent_parsed(),), java="-XX:MaxNodeLimit=80000 -XX:NodeLimitFudgeFactor=2000",
    ),
    "interpreted": Ablation(
        MANY, "the parsed way interpreted, not generated", True, CPU,
        patches=(mock.patch("surveylake.validate.pipeline.MOST_GENERATED", 0),),
    ),
    "huge_methods": Ablation(MANY, "methods over 8000 bytes interpreted, Java's default", True, CPU,
                          java="-XX:+DontCompileHugeMethods"),
    "g1": Ablation(MANY, "the collector G1, Java's default", True, CPU, java="-XX:-UseParallelGC -XX:+UseG1GC"),
    "delta_statistics": Ablation(
        MANY, "Delta's statistics of every column", True, CPU,
        patches=(mock.patch("surveylake.lake.records_table.RECORD_PROPERTIES", _no_statistics_chosen()),),
    ),
    "zstd": Ablation(MANY, "ZSTD for Snappy", of=CPU, sql=_codec("zstd")),
    "uncompressed": Ablation(MANY, "nothing compressed", of=CPU, sql=_codec("uncompressed")),
    "no_dictionary": Ablation(MANY, "no dictionary for any column", of=CPU, hadoop={"parquet.enable.dictionary": "false"}),
    "parquet_2": Ablation(MANY, "Parquet's version 2", of=CPU, hadoop={"parquet.writer.version": "PARQUET_2_0"}),
    "asking": Ablation(
        SHORT, "the log asked before each commit", True,
        patches=(mock.patch("surveylake.stream.job.DeltaSink", lambda spark, path, **_: DeltaSink(spark, path, shared=True)),),
    ),
    "not_durable": Ablation(
        SHORT, "nothing forced to the disk",
        patches=(mock.patch("surveylake.stream.query._barrier", lambda *_: None),),
    ),
    "no_archive": Ablation(
        START, "Spark's classes not kept parsed", True,
        patches=(mock.patch("surveylake.runtime.class_archive.ClassArchive.options", lambda *_: []),),
    ),
    "both_compilers": Ablation(START, "Java's thorough compiler too", True, patches=(_without(launch.EXTRA_OPTIONS),)),
    "generated": Ablation(
        START, "Java code generated for each query", True,
        patches=(_without("spark.sql.codegen.wholeStage", "spark.sql.codegen.factoryMode"),),
    ),
    "ivy": Ablation(
        START, "jars looked up by Ivy, and so no classes kept", True,
        patches=(mock.patch("surveylake.runtime.launch.local_jars", lambda _: []),),
    ),
    SEPARATE: Ablation(START, "each verb in a JVM of its own (Kafka is there already)", True),
}  # fmt: skip
