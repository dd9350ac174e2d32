"""The Spark session of `python`, `spark-submit`, notebooks and tests, with the settings of conf/spark-defaults.conf only."""

import logging
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surveylake import signals
from surveylake.config import Store
from surveylake.errors import ConfigError, SetupError
from surveylake.paths import CONF, ROOT
from surveylake.runtime import foreign_settings, java_exit, object_store, process_log, scratch
from surveylake.runtime.foreign_settings import SUBMITTED
from surveylake.runtime.java_classes import LOCAL_FS
from surveylake.runtime.launch import Launch
from surveylake.runtime.spark_conf import spark_setting
from surveylake.wording import first_line_with_class

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DELTA_CLASS = "io.delta.sql.DeltaSparkSessionExtension"
KAFKA_CLASS = "org.apache.spark.sql.kafka010.KafkaSourceProvider"
LOCAL_FS_KEY = "fs.AbstractFileSystem.file.impl"
HADOOPS_LOCAL_FS = "org.apache.hadoop.fs.local.LocalFs"
_opening = threading.Lock()
OpenSession = Callable[[], "SparkSession"]
"""Opens the session when it is first needed: for steps that may find out without Spark."""


def opener(name: str, store: Store | None = None, launch: Launch | None = None) -> OpenSession:
    """Return what opens the session called `name`, with the settings of an object store; `launch` starts its JVM."""
    return partial(open_session, name, launch, store)


def open_session(name: str, launch: Launch | None = None, store: Store | None = None) -> "SparkSession":
    """Return a session called `name`, or the one that this process has open; `launch` starts its JVM.

    `store` are the settings of lakes at s3a://. Their keys are the environment's, which Spark passes on to executors itself.

    Raises SetupError when Java, Spark or the jars are not the pinned ones, where possible before the JVM starts.
    """
    if sys.platform == "win32":
        raise SetupError(
            "Spark's file access needs winutils on Windows",
            "Run this in WSL2 or in the container (docker-compose.yml).",
        )
    check_spark()
    from pyspark import SparkContext  # only now that Spark is known to fit

    submitted = SUBMITTED in os.environ
    with _opening:
        if is_first := SparkContext._active_spark_context is None:
            java_exit.mark_start()
            if SparkContext._gateway is None:
                SparkContext._ensure_initialized(gateway=None if submitted else (launch or Launch()).start())
        spark = _create(name)
        _check_disk(spark)
        _check_jars(spark)
        _use_local_fs(spark)
        if store is not None:
            object_store.configure(spark, store)
        if is_first:
            java_exit.record_memory(spark)
            _write_errors_to_file()
            signals.hear_from_java(spark)
            if submitted:
                _log_to_file(spark._jvm)
    return spark


def _create(name: str) -> "SparkSession":
    """Create the session in a JVM that runs. Raises SetupError with Spark's reason when that fails."""
    from pyspark.sql import SparkSession

    try:
        return SparkSession.builder.appName(name).getOrCreate()
    except Exception as error:
        if known := java_exit.as_java_error(error):
            raise known from error
        process_log.write_trace(error)
        raise SetupError(
            f"Spark did not start: {first_line_with_class(error)}",
            f"{foreign_settings.unset_hint(foreign_settings.JAVA)} All that it said: {process_log.path()}".strip(),
        ) from error


def check_spark() -> None:
    """Raise SetupError when the Spark that would run is not the version that the jars were built for."""
    expected = spark_version()
    try:
        import pyspark
    except ImportError as error:
        raise SetupError(
            "pyspark is not installed in this Python",
            f"Run `make setup`, then use {ROOT / '.venv/bin/python'}.",
        ) from error
    if pyspark.__version__ != expected:
        raise SetupError(
            f"this is Spark {pyspark.__version__} ({os.path.dirname(pyspark.__file__)}),"
            f" and the jars are built for Spark {expected}",
            "Use the project's own: unset SPARK_HOME and PYTHONPATH, and run .venv/bin/python or .venv/bin/spark-submit.",
        )
    home = os.environ.get("SPARK_HOME")
    if home and (version := _core_version(home)) != expected:
        raise SetupError(
            f"SPARK_HOME is {home}, which is {f'Spark {version}' if version else 'no Spark'},"
            f" and the jars are built for Spark {expected}",
            "Unset SPARK_HOME, or set it to that version.",
        )


def spark_version() -> str:
    """Return the pinned Spark version, from the coordinate of Spark's own Kafka connector."""
    packages = spark_setting("spark.jars.packages").split(",")
    return next(package.rsplit(":", 1)[1] for package in packages if package.startswith("org.apache.spark:"))


def _core_version(home: str) -> str | None:
    """Return the version of the Spark in a folder; None without one."""
    cores = sorted(Path(home, "jars").glob("spark-core_*.jar"))
    return cores[0].stem.rsplit("-", 1)[1] if cores else None


def _write_errors_to_file() -> None:
    """Send PySpark's JSON lines about failed queries, which it prints beside raising the error, to the log file."""
    from pyspark.logger import PySparkLogger

    for name in ("DataFrameQueryContextLogger", "SQLQueryContextLogger"):
        logger = PySparkLogger.getLogger(name)
        logger.handlers[:] = []
        logger.addHandler(logging.FileHandler(process_log.path(), encoding="utf-8", delay=True))


def _log_to_file(java: Any) -> None:
    """Have a JVM that spark-submit started log to this process's file, unless its user configured log4j."""
    log4j = java.org.apache.logging.log4j
    source = str(log4j.LogManager.getContext(False).getConfiguration().getConfigurationSource().getLocation())
    ours = CONF / "log4j2.properties"
    if "log4j2-defaults" in source or source.endswith(str(ours)):
        java.java.lang.System.setProperty("surveylake.log", str(process_log.path()))
        log4j.core.config.Configurator.reconfigure(java.java.net.URI(ours.as_uri()))


def _check_disk(spark: Any) -> None:
    """Raise ConfigError when a plain path is not on this machine's disk, SetupError when Java's scratch folder is unusable."""
    default = str(spark._jsc.hadoopConfiguration().get("fs.defaultFS"))
    if not default.startswith("file:"):
        raise ConfigError(
            f"in this Spark session a path without :// would be one of {default} (fs.defaultFS), and not of this machine's disk",
            f"Give it spark.hadoop.fs.defaultFS file:///, as {CONF / 'spark-defaults.conf'} has it. {_how_to_start()}",
        )
    place = str(spark._jvm.java.lang.System.getProperty("java.io.tmpdir"))
    if SUBMITTED in os.environ and (reason := scratch.fault(Path(place))):
        raise SetupError(
            f"Java's folder for scratch files, {place}, {reason}",
            "Java loads its native parts (snappy, zstd) from there. Name another one before spark-submit:"
            " export SPARK_SUBMIT_OPTS=-Djava.io.tmpdir=/a/folder/of/yours",
        )


def _check_jars(spark: Any) -> None:
    """Raise SetupError when Delta or the Kafka connector is not on the class path, ConfigError when Delta is not enabled."""
    loader = spark._jvm.Thread.currentThread().getContextClassLoader()
    load: Callable[[str], Any] = lambda name: spark._jvm.Class.forName(name, False, loader)  # noqa: E731
    extensions = spark.conf.get("spark.sql.extensions", "")
    try:
        load(DELTA_CLASS)
        load(KAFKA_CLASS)
    except Exception as error:
        if known := java_exit.as_java_error(error):
            raise known from error
        raise SetupError(
            "this Spark session has no Delta or no Kafka connector on its classpath", _how_to_start()
        ) from error
    if DELTA_CLASS not in extensions:
        raise ConfigError("this Spark session was started without Delta's settings", _how_to_start())


def _use_local_fs(spark: Any) -> None:
    """Have this machine's files written through LocalFs.java where its jar is there, and Hadoop's own class was not replaced."""
    hadoop = spark._jsc.hadoopConfiguration()
    if (
        hadoop.get(LOCAL_FS_KEY) == HADOOPS_LOCAL_FS
        and hadoop.getClassByNameOrNull(LOCAL_FS.name) is not None
    ):
        hadoop.set(LOCAL_FS_KEY, LOCAL_FS.name)


def _how_to_start() -> str:
    """Return the hint for a session with other settings; the variables that may have caused it come first."""
    theirs = foreign_settings.unset_hint(foreign_settings.SPARK)
    ours = (
        f"Start it with the project's settings: SPARK_CONF_DIR={CONF} spark-submit jobs/…, or spark-submit --properties-file "
        f"{CONF / 'spark-defaults.conf'} jobs/…; in a notebook, restart the kernel and open the session with "
        "surveylake.runtime.session."
    )
    return f"{theirs} {ours}".strip()
