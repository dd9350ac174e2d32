"""Environment variables of other projects that change which Spark, Java or Python runs, and how."""

import os

from surveylake.errors import SetupError

SUBMITTED = "PYSPARK_GATEWAY_PORT"
"""Set by spark-submit for the Python that it starts: the JVM is the parent process."""
SPARK = ("PYSPARK_SUBMIT_ARGS", "SPARK_CONF_DIR", "SPARK_HOME", "SPARK_SUBMIT_OPTS", "SPARK_DIST_CLASSPATH",
         "SPARK_PREPEND_CLASSES", "SPARK_TESTING", "PYTHONPATH")  # fmt: skip
"""Variables that decide which Spark runs, with which settings and jars."""
JAVA = ("JAVA_HOME", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "SPARK_SUBMIT_OPTS", "SPARK_LAUNCHER_OPTS",
        "PYSPARK_SUBMIT_ARGS", "SPARK_CONF_DIR", "SPARK_DRIVER_MEMORY", "SPARK_MEM", "LD_LIBRARY_PATH", "LD_PRELOAD")  # fmt: skip
"""Variables that decide how Java starts, and with how much memory."""
ECHOES = ("Picked up ", "NOTE: Picked up ")
"""How lines begin in which Java repeats such a variable with its value."""
PYTHON = ("PYTHONPATH", "PYTHONHOME", "PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON")
"""Variables that decide which Python runs, and which packages it finds."""
CONNECT = ("SPARK_REMOTE", "SPARK_API_MODE", "SPARK_CONNECT_MODE_ENABLED")
"""Variables of Spark Connect: its session is on another machine, without this machine's Kafka and disk."""


def unset_hint(variables: tuple[str, ...]) -> str:
    """Return the advice to unset those of the variables that are set; '' when none is. Values may be passwords: not shown."""
    names = [name for name in variables if os.environ.get(name) and name not in _set_by_spark_submit()]
    if not names:
        return ""
    verb = "is" if len(names) == 1 else "are"
    return f"{' and '.join(names)} {verb} set, perhaps for another project: try again after `unset {' '.join(names)}`."


def without_values(lines: list[str]) -> list[str]:
    """Return the lines that Java printed without those in which it repeats the value of a variable."""
    values = (os.environ.get(name, "") for name in JAVA)
    rest = {line for value in values for line in value.splitlines()[1:]}
    return [line for line in lines if not line.startswith(ECHOES) and line not in rest]


def _set_by_spark_submit() -> set[str]:
    """Return the variables that spark-submit itself sets for the Python that it starts."""
    if SUBMITTED not in os.environ:
        return set()
    default = os.environ.get("SPARK_CONF_DIR") == os.path.join(os.environ.get("SPARK_HOME", ""), "conf")
    return {"SPARK_HOME", "PYTHONPATH", *(["SPARK_CONF_DIR"] if default else [])}


def refuse_connect() -> None:
    """Raise SetupError when the session would be one of Spark Connect."""
    names = [
        name
        for name in CONNECT
        if os.environ.get(name) and (name, os.environ[name]) != ("SPARK_API_MODE", "classic")
    ]
    if names:
        raise SetupError(
            f"{' and '.join(names)} asks for Spark Connect, a Spark on another machine, and this needs one of its own",
            f"Run: unset {' '.join(names)}",
        )
