"""One way to a Spark session, for `python`, `spark-submit`, notebooks and tests: settings from conf/spark-defaults.conf only."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surveylake.errors import ConfigError, SetupError
from surveylake.jars import spark_setting
from surveylake.launch import Launch
from surveylake.project import CONF, ROOT

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DELTA_CLASS = "io.delta.sql.DeltaSparkSessionExtension"
KAFKA_CLASS = "org.apache.spark.sql.kafka010.KafkaSourceProvider"


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
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    if not submitted:
        (launch or Launch()).prepare()
    from pyspark.sql import SparkSession  # only now that Java and Spark are known to fit

    try:
        spark = SparkSession.builder.appName(name).getOrCreate()
    except Exception as error:
        if type(error).__name__ != "PySparkRuntimeError":
            raise
        hint = "Read Spark's own message above; `make setup` brings Java and the jars in order."
        raise SetupError(f"Spark did not start: {str(error).splitlines()[0]}", hint) from error
    _check_jars(spark)
    return spark


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


def _check_jars(spark: Any) -> None:
    """SetupError when Delta or the Kafka connector is not on the session's classpath."""
    loader = spark._jvm.Thread.currentThread().getContextClassLoader()
    load: Callable[[str], Any] = lambda name: spark._jvm.Class.forName(name, False, loader)  # noqa: E731
    extensions = spark.conf.get("spark.sql.extensions", "")
    try:
        load(DELTA_CLASS)
        load(KAFKA_CLASS)
    except Exception as error:
        raise SetupError(
            "this Spark session has no Delta or no Kafka connector on its classpath", _how_to_start()
        ) from error
    if DELTA_CLASS not in extensions:
        raise ConfigError("this Spark session was started without Delta's settings", _how_to_start())


def _how_to_start() -> str:
    return (
        f"Start it with the project's settings: SPARK_CONF_DIR={CONF} spark-submit jobs/…, or spark-submit --properties-file "
        f"{CONF / 'spark-defaults.conf'} jobs/…; in a notebook, restart the kernel and open the session with surveylake.session."
    )
