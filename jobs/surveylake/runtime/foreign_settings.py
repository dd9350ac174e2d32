"""Environment variables that change which Spark and Java run, and how: set for another project, they are behind many a riddle."""

import os

from surveylake.errors import SetupError

SUBMITTED = "PYSPARK_GATEWAY_PORT"
"""Set by spark-submit for the Python that it starts: the JVM is there already, and is our parent."""
SPARK = ("PYSPARK_SUBMIT_ARGS", "SPARK_CONF_DIR", "SPARK_HOME", "SPARK_SUBMIT_OPTS", "SPARK_DIST_CLASSPATH",
         "SPARK_PREPEND_CLASSES", "SPARK_TESTING", "PYTHONPATH")  # fmt: skip
"""What decides which Spark this is, and which settings and jars it has."""
JAVA = ("JAVA_HOME", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "SPARK_SUBMIT_OPTS", "SPARK_LAUNCHER_OPTS",
        "PYSPARK_SUBMIT_ARGS", "SPARK_CONF_DIR", "SPARK_DRIVER_MEMORY", "SPARK_MEM", "LD_LIBRARY_PATH", "LD_PRELOAD")  # fmt: skip
"""What decides how Java starts, and with how much memory."""
PYTHON = ("PYTHONPATH", "PYTHONHOME", "PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON")
"""What decides which Python runs, and what it finds."""
CONNECT = ("SPARK_REMOTE", "SPARK_API_MODE", "SPARK_CONNECT_MODE_ENABLED")
"""Spark Connect: a session on another machine, which reads neither this machine's Kafka nor its disk."""


def named(variables: tuple[str, ...]) -> str:
    """A sentence that names those of the variables that are set; '' when none is. Values may hold passwords and are not shown."""
    there = [name for name in variables if os.environ.get(name) and name not in _of_spark_submit()]
    if not there:
        return ""
    are = "is" if len(there) == 1 else "are"
    return f"{' and '.join(there)} {are} set, perhaps for another project: try again after `unset {' '.join(there)}`."


def _of_spark_submit() -> set[str]:
    """The variables that spark-submit itself sets for the Python that it starts."""
    if SUBMITTED not in os.environ:
        return set()
    default = os.environ.get("SPARK_CONF_DIR") == os.path.join(os.environ.get("SPARK_HOME", ""), "conf")
    return {"SPARK_HOME", "PYTHONPATH", *(["SPARK_CONF_DIR"] if default else [])}


def refuse_connect() -> None:
    """SetupError when the session would be one of Spark Connect."""
    there = [
        name
        for name in CONNECT
        if os.environ.get(name) and (name, os.environ[name]) != ("SPARK_API_MODE", "classic")
    ]
    if there:
        raise SetupError(
            f"{' and '.join(there)} asks for Spark Connect, a Spark on another machine, and this needs one of its own",
            f"Run: unset {' '.join(there)}",
        )
