"""How this process starts Spark's JVM: settings, jars, kept classes. Under spark-submit the JVM is there already."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from surveylake.class_archive import ClassArchive
from surveylake.jars import local_jars
from surveylake.java import java_environment
from surveylake.project import CONF

SHORT_RUN = CONF / "short-run.conf"
EXTRA_OPTIONS = "spark.driver.extraJavaOptions"
DUMP_SECONDS = 120


class Launch:
    """One start of Spark's JVM by `python jobs/….py`.

    `short` adds conf/short-run.conf; `record` lets the run keep Spark's classes for later starts, when it ends by `keep`.
    """

    def __init__(self, short: bool = False, record: bool = False) -> None:
        self._short, self._record = short, record
        self._archive: ClassArchive | None = None

    def prepare(self) -> None:
        """Set the environment PySpark starts its JVM by; PYSPARK_SUBMIT_ARGS and SPARK_CONF_DIR of the user's own stay."""
        os.environ.update(java_environment())
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        if "PYSPARK_SUBMIT_ARGS" in os.environ:
            os.environ.setdefault("SPARK_CONF_DIR", str(CONF))
            return
        os.environ["PYSPARK_SUBMIT_ARGS"] = shlex.join([*self._arguments(), "pyspark-shell"])

    @property
    def recording(self) -> bool:
        """Whether this run's classes can be kept."""
        return self._archive is not None and not self._archive.path.exists()

    def keep(self) -> bool:
        """End Spark and its JVM, which writes its classes down meanwhile; says whether they were kept."""
        from pyspark import SparkContext
        from pyspark.sql import SparkSession

        gateway, session = SparkContext._gateway, SparkSession.getActiveSession()
        if not self.recording or self._archive is None or gateway is None:
            return False
        if session is not None:
            session.stop()
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(DUMP_SECONDS)
        return self._archive.keep()

    def _arguments(self) -> Iterator[str]:
        """spark-submit's arguments. The jars go on the JVM's own class path: only what is found there can be kept."""
        jars, extra = local_jars("spark"), dict(_settings(SHORT_RUN)) if self._short else {}
        options = extra.pop(EXTRA_OPTIONS, "").split()
        if jars:
            yield from ("--conf", "spark.jars.packages=", "--conf", "spark.jars.excludes=")
            yield from ("--driver-class-path", os.pathsep.join(map(str, jars)))
        if "SPARK_CONF_DIR" not in os.environ:
            # A folder on the class path, as SPARK_CONF_DIR would be, forbids the archive.
            yield from ("--properties-file", str(CONF / "spark-defaults.conf"))
            options.append(f"-Dlog4j2.configurationFile={(CONF / 'log4j2.properties').as_uri()}")
            if jars:
                self._archive = ClassArchive("spark", jars)
                options += self._archive.options(self._record)
        for key, value in extra.items():
            yield from ("--conf", f"{key}={value}")
        yield from ("--driver-java-options", shlex.join(options))


def _settings(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            key, value = line.split(None, 1)
            yield key, value.strip()
