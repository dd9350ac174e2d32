"""One way to a Spark session, for `python`, `spark-submit`, notebooks and tests: settings from conf/spark-defaults.conf only."""

import logging
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surveylake import signals
from surveylake.errors import ConfigError, SetupError
from surveylake.paths import CONF, ROOT
from surveylake.runtime import foreign_settings, java_exit, process_log, scratch
from surveylake.runtime.foreign_settings import SUBMITTED
from surveylake.runtime.jars import spark_setting
from surveylake.runtime.launch import Launch

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DELTA_CLASS = "io.delta.sql.DeltaSparkSessionExtension"
KAFKA_CLASS = "org.apache.spark.sql.kafka010.KafkaSourceProvider"
_opening = threading.Lock()
OpenSession = Callable[[], "SparkSession"]
"""Opens the session when it is first needed: for steps that may find out without Spark."""


def opener(name: str) -> OpenSession:
    """Return what opens the session called `name`."""
    return partial(open_session, name)


def open_session(name: str, launch: Launch | None = None) -> "SparkSession":
    """A session called `name`, or the one that is already open here; `launch` says how a new JVM is started.

    Raises SetupError when Java, Spark or the jars are not the pinned ones, before the JVM starts where that can be told.
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
            java_exit.expect()
            if SparkContext._gateway is None:
                SparkContext._ensure_initialized(gateway=None if submitted else (launch or Launch()).start())
        spark = _opened(name)
        _check_disk(spark)
        _check_jars(spark)
        if is_first:
            java_exit.remember(spark)
            _write_errors_to_file()
            signals.hear_from_java(spark)
            if submitted:
                _log_to_file(spark._jvm)
    return spark


def _opened(name: str) -> "SparkSession":
    """The session, once Java runs. Raises SetupError with Spark's own reason when it cannot be."""
    from pyspark.sql import SparkSession

    try:
        return SparkSession.builder.appName(name).getOrCreate()
    except Exception as error:
        if known := java_exit.explained(error):
            raise known from error
        process_log.keep_trace(error)
        said = str(getattr(error, "java_exception", None) or error).strip().splitlines()[0]
        raise SetupError(
            f"Spark did not start: {said}",
            f"{foreign_settings.named(foreign_settings.JAVA)} All that it said: {process_log.path()}".strip(),
        ) from error


def check_spark() -> None:
    """SetupError when the Spark that would run is not the version the jars were built for."""
    wanted = spark_version()
    try:
        import pyspark
    except ImportError as error:
        raise SetupError(
            "pyspark is not installed in this Python",
            f"Run `make setup`, then use {ROOT / '.venv/bin/python'}.",
        ) from error
    if pyspark.__version__ != wanted:
        raise SetupError(
            f"this is Spark {pyspark.__version__} ({os.path.dirname(pyspark.__file__)}),"
            f" and the jars are built for Spark {wanted}",
            "Use the project's own: unset SPARK_HOME and PYTHONPATH, and run .venv/bin/python or .venv/bin/spark-submit.",
        )
    home = os.environ.get("SPARK_HOME")
    if home and (found := _core_version(home)) != wanted:
        raise SetupError(
            f"SPARK_HOME is {home}, which is {f'Spark {found}' if found else 'no Spark'},"
            f" and the jars are built for Spark {wanted}",
            "Unset SPARK_HOME, or set it to that version.",
        )


def spark_version() -> str:
    """The pinned Spark version, from the coordinate of Spark's own Kafka connector."""
    packages = spark_setting("spark.jars.packages").split(",")
    return next(package.rsplit(":", 1)[1] for package in packages if package.startswith("org.apache.spark:"))


def _core_version(home: str) -> str | None:
    """The version of the Spark that lies in a folder; None when there is none."""
    cores = sorted(Path(home, "jars").glob("spark-core_*.jar"))
    return cores[0].stem.rsplit("-", 1)[1] if cores else None


def _write_errors_to_file() -> None:
    """PySpark prints each error of a query as JSON, beside raising it: that is for the file."""
    from pyspark.logger import PySparkLogger

    for name in ("DataFrameQueryContextLogger", "SQLQueryContextLogger"):
        logger = PySparkLogger.getLogger(name)
        logger.handlers[:] = []
        logger.addHandler(logging.FileHandler(process_log.path(), encoding="utf-8", delay=True))


def _log_to_file(java: Any) -> None:
    """Have a JVM that spark-submit started write to this process's file, unless its user gave it settings of log4j."""
    log4j = java.org.apache.logging.log4j
    source = str(log4j.LogManager.getContext(False).getConfiguration().getConfigurationSource().getLocation())
    ours = CONF / "log4j2.properties"
    if "log4j2-defaults" in source or source.endswith(str(ours)):
        java.java.lang.System.setProperty("surveylake.log", str(process_log.path()))
        log4j.core.config.Configurator.reconfigure(java.java.net.URI(ours.as_uri()))


def _check_disk(spark: Any) -> None:
    """A plain path is this machine's disk (else ConfigError), and Java can use its folder for scratch files (else SetupError)."""
    default = str(spark._jsc.hadoopConfiguration().get("fs.defaultFS"))
    if not default.startswith("file:"):
        raise ConfigError(
            f"in this Spark session a path without :// would be one of {default} (fs.defaultFS), and not of this machine's disk",
            f"Give it spark.hadoop.fs.defaultFS file:///, as {CONF / 'spark-defaults.conf'} has it. {_how_to_start()}",
        )
    place = str(spark._jvm.java.lang.System.getProperty("java.io.tmpdir"))
    if SUBMITTED in os.environ and (wrong := scratch.fault(Path(place))):
        raise SetupError(
            f"Java's folder for scratch files, {place}, {wrong}",
            "Java loads its native parts (snappy, zstd) from there. Name another one before spark-submit:"
            " export SPARK_SUBMIT_OPTS=-Djava.io.tmpdir=/a/folder/of/yours",
        )


def _check_jars(spark: Any) -> None:
    """SetupError when Delta or the Kafka connector is not on the class path, ConfigError when Delta is not switched on."""
    loader = spark._jvm.Thread.currentThread().getContextClassLoader()
    load: Callable[[str], Any] = lambda name: spark._jvm.Class.forName(name, False, loader)  # noqa: E731
    extensions = spark.conf.get("spark.sql.extensions", "")
    try:
        load(DELTA_CLASS)
        load(KAFKA_CLASS)
    except Exception as error:
        if known := java_exit.explained(error):
            raise known from error
        raise SetupError(
            "this Spark session has no Delta or no Kafka connector on its classpath", _how_to_start()
        ) from error
    if DELTA_CLASS not in extensions:
        raise ConfigError("this Spark session was started without Delta's settings", _how_to_start())


def _how_to_start() -> str:
    """What to do about a session that has other settings than the project's; the variables that may be behind it go first."""
    theirs = foreign_settings.named(foreign_settings.SPARK)
    ours = (
        f"Start it with the project's settings: SPARK_CONF_DIR={CONF} spark-submit jobs/…, or spark-submit --properties-file "
        f"{CONF / 'spark-defaults.conf'} jobs/…; in a notebook, restart the kernel and open the session with "
        "surveylake.runtime.session."
    )
    return f"{theirs} {ours}".strip()
