"""The start of Spark's JVM by this process: settings, jars, class archive, scratch folder, log. Not used under spark-submit."""

import os
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from surveylake.errors import ConfigError
from surveylake.paths import CONF
from surveylake.runtime import foreign_settings, java_exit, java_options, limits, process_log, scratch
from surveylake.runtime.class_archive import ARCHIVES, ClassArchive
from surveylake.runtime.jars import local_jars
from surveylake.runtime.java import java_environment, require_class_path
from surveylake.runtime.java_classes import LOCAL_FS
from surveylake.runtime.spark_conf import DEFAULTS, SHORT_RUN, spark_settings

EXTRA_OPTIONS = "spark.driver.extraJavaOptions"
USER_ARGUMENTS = "PYSPARK_SUBMIT_ARGS"
SHELL = "pyspark-shell"
"""The resource that makes spark-submit start a JVM for Python."""
DUMP_SECONDS = 120
YOUNG_GENERATION = "-XX:MaxNewSize=256m"
"""Where Java makes new objects: by default a third of the heap, which fills up before anything is collected."""


class Launch:
    """One start of Spark's JVM by `python jobs/….py`.

    `short` adds conf/short-run.conf. `record` has a run that ends with `keep` archive Spark's classes for later starts.
    `frugal` is for a verb whose memory should not grow with what it reads: garbage is collected early, and not when Java's
    whole heap is full of it.
    """

    def __init__(self, short: bool = False, record: bool = False, frugal: bool = False) -> None:
        self._short, self._record, self._frugal = short, record, frugal
        self._archive: ClassArchive | None = None

    def start(self) -> Any:
        """Start the JVM, its output in the log file. Returns PySpark's gateway to it.

        Raises SetupError with the JVM's last lines when limits, folders or variables of this machine keep it from starting.
        """
        limits.check()
        foreign_settings.refuse_connect()
        java, user_arguments = java_environment(), _user_arguments()
        home = _spark_home()
        require_class_path([home / "jars" / "*"])
        command = [str(home / "bin" / "spark-submit"), *self._arguments(), *user_arguments, SHELL]
        s3_jars = map(str, require_class_path(local_jars("s3")))
        environment = {
            "SPARK_LOCAL_IP": "127.0.0.1", **java_options.environment(os.environ), **java, "SPARK_CONNECT_MODE": "0",
            # The user's own come last, so they override ours. Spark's launcher splits its options at blanks, quotes or not.
            "SPARK_LAUNCHER_OPTS": " ".join([*java_options.options(), os.environ.get("SPARK_LAUNCHER_OPTS", "")]),
            # At the end of the class path, where they leave the class archive valid.
            "SPARK_DIST_CLASSPATH": os.pathsep.join(filter(None, [os.environ.get("SPARK_DIST_CLASSPATH"), *s3_jars])),
            "SPARK_SUBMIT_OPTS": f"{shlex.join(self._options())} {os.environ.get('SPARK_SUBMIT_OPTS', '')}",
        }  # fmt: skip
        return _connect(command, environment)

    @property
    def recording(self) -> bool:
        """Whether this run archives its classes."""
        return self._archive is not None and not self._archive.path.exists()

    def keep(self) -> bool:
        """End Spark and its JVM, which archives its classes as it ends. Returns whether the archive was kept."""
        from pyspark import SparkContext
        from pyspark.sql import SparkSession

        gateway, session = SparkContext._gateway, SparkSession.getActiveSession()
        if not self.recording or self._archive is None or gateway is None:
            return False
        java_exit.mark_end()
        if session is not None:
            session.stop()
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(DUMP_SECONDS)
        return self._archive.keep()

    def _arguments(self) -> Iterator[str]:
        """Yield spark-submit's arguments. The jars are on the JVM's own class path: only classes from there can be archived."""
        jars = require_class_path(local_jars("spark"))
        extra = spark_settings(SHORT_RUN) if self._short else {}
        if jars:
            # Said here, as each JVM asks for it once, and early.
            yield from ("--conf", f"spark.hadoop.fs.file.impl={LOCAL_FS.name}$Checked")
            yield from ("--conf", "spark.jars.packages=", "--conf", "spark.jars.excludes=")
            yield from ("--driver-class-path", os.pathsep.join(map(str, jars)))
        options = extra.pop(EXTRA_OPTIONS, "").split()
        if "SPARK_CONF_DIR" not in os.environ:
            # A folder on the class path, as SPARK_CONF_DIR would be, forbids the archive.
            yield from ("--properties-file", str(DEFAULTS))
            options.append(f"-Dlog4j2.configurationFile={(CONF / 'log4j2.properties').as_uri()}")
            if jars:
                self._archive = spark_archive(jars)
                options += self._archive.options(self._record)
        yield from ("--conf", f"spark.sql.warehouse.dir=file:{scratch.folder() / 'warehouse'}")
        for key, value in extra.items():
            yield from ("--conf", f"{key}={value}")
        yield from ("--driver-java-options", shlex.join(options))

    def _options(self) -> Iterator[str]:
        """Yield the JVM options of this process alone."""
        yield f"-Djava.io.tmpdir={scratch.folder()}"
        yield f"-Dsurveylake.log={process_log.path()}"
        yield f"-XX:ErrorFile={process_log.path().with_suffix('.crash')}"
        yield from java_options.options(scratch.folder())
        if self._frugal:
            yield YOUNG_GENERATION


def spark_archive(jars: list[Path], folder: Path = ARCHIVES) -> ClassArchive:
    """Return the archive of the classes of Spark's own jars and these.

    Java takes no archive when one of the jars has another time than at the recording, as after a new installation of PySpark.
    """
    return ClassArchive("spark", [*sorted((_spark_home() / "jars").glob("*.jar")), *jars], folder)


def _spark_home() -> Path:
    from pyspark.find_spark_home import _find_spark_home

    return Path(_find_spark_home())


def _connect(command: list[str], environment: dict[str, str]) -> Any:
    """Start the JVM, wait until it writes its port and secret, and return PySpark's gateway to it."""
    with tempfile.TemporaryDirectory(dir=scratch.folder()) as folder, process_log.open_log() as output:
        port_file = Path(folder, "listens")
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=output, pass_fds=[scratch.lock()],
            env={**environment, "_PYSPARK_DRIVER_CONN_INFO_PATH": str(port_file)},
            # Ctrl-C is for Python, which then ends Java.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )  # fmt: skip
        while not port_file.is_file():
            if process.poll() is not None:
                raise java_exit.not_started(process.returncode)
            time.sleep(0.02)
        content = port_file.read_bytes()
    gateway = _gateway(process, port=int.from_bytes(content[:4], "big"), secret=content[8:].decode())
    if not java_options.has_name():
        # Hadoop asks the system for the user's name and fails when there is none.
        users = gateway.jvm.org.apache.hadoop.security.UserGroupInformation
        users.setLoginUser(users.createRemoteUser(java_options.user_name()))
    return gateway


def _gateway(process: "subprocess.Popen[bytes]", port: int, secret: str) -> Any:
    """Return PySpark's gateway to a JVM; PySpark reads the port and the secret from the environment."""
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]
    from pyspark.java_gateway import launch_gateway

    variables = {"PYSPARK_GATEWAY_PORT": str(port), "PYSPARK_GATEWAY_SECRET": secret}
    os.environ.update(variables)
    try:
        gateway: Any = launch_gateway()  # type: ignore[no-untyped-call]
    except (OSError, Py4JError) as error:
        process.stdin.close()  # type: ignore[union-attr]
        raise java_exit.not_started(process.wait()) from error
    finally:
        for name in variables:
            del os.environ[name]
    gateway.proc = process
    return gateway


def _user_arguments() -> list[str]:
    """Return the arguments for spark-submit in the user's environment. They come after ours, and so override them."""
    try:
        words = shlex.split(os.environ.get(USER_ARGUMENTS, ""))
    except ValueError as error:
        raise ConfigError(
            f"{USER_ARGUMENTS} cannot be read: {error}", foreign_settings.unset_hint((USER_ARGUMENTS,))
        ) from error
    return [word for word in words if word != SHELL]
