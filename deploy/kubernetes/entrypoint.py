"""The image's entry point under Kubernetes: Spark starts a pod with the word `driver` or `executor`, the rest is in variables.

A driver reads conf/spark-defaults.conf beside the properties that it was submitted with, and gives its executors the jars of
the image, which were verified when it was built. Any other word is a command to run.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyspark.find_spark_home import _find_spark_home

APP = Path(__file__).resolve().parents[2]
JARS = [APP / "var" / "jars" / which for which in ("spark", "s3")]
EXECUTOR = "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend"
EXECUTOR_OPTIONS = {
    "--driver-url": "SPARK_DRIVER_URL",
    "--executor-id": "SPARK_EXECUTOR_ID",
    "--cores": "SPARK_EXECUTOR_CORES",
    "--app-id": "SPARK_APPLICATION_ID",
    "--hostname": "SPARK_EXECUTOR_POD_IP",
    "--resourceProfileId": "SPARK_RESOURCE_PROFILE_ID",
    "--podName": "SPARK_EXECUTOR_POD_NAME",
}
"""Option of Spark's executor -> the variable in which Spark gives it to the pod."""
JAVA_OPTION = "SPARK_JAVA_OPT_"


def command(words: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """Return the command line that a pod of this image runs."""
    match words:
        case ["driver", *submitted]:
            return _driver(submitted, variables)
        case ["executor", *_]:
            return _executor(variables)
        case _:
            return [*words] or ["spark-submit", "--version"]


def _driver(submitted: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """Return spark-submit with what the pod was submitted with; nothing is resolved from a registry."""
    jars = ",".join(f"local://{jar}" for folder in JARS for jar in sorted(folder.glob("*.jar")))
    settings = {
        "spark.driver.bindAddress": variables["SPARK_DRIVER_BIND_ADDRESS"],
        "spark.jars": jars,
        "spark.jars.packages": "",
        "spark.jars.excludes": "",
    }
    words = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    return ["spark-submit", "--load-spark-defaults", "--deploy-mode", "client", *words, *submitted]


def _executor(variables: Mapping[str, str]) -> list[str]:
    """Return Java with Spark's executor; its Java options are numbered variables."""
    numbers = sorted(
        int(name.removeprefix(JAVA_OPTION)) for name in variables if name.startswith(JAVA_OPTION)
    )
    places = [variables.get("SPARK_CONF_DIR", ""), f"{_find_spark_home()}/jars/*", *(f"{folder}/*" for folder in JARS),
              variables.get("SPARK_EXTRA_CLASSPATH", "")]  # fmt: skip
    memory = variables["SPARK_EXECUTOR_MEMORY"]
    java = f"{variables['JAVA_HOME']}/bin/java" if "JAVA_HOME" in variables else "java"
    return [
        java, *(variables[f"{JAVA_OPTION}{number}"] for number in numbers), f"-Xms{memory}", f"-Xmx{memory}",
        "-cp", ":".join(filter(None, places)), EXECUTOR,
        *(word for option, name in EXECUTOR_OPTIONS.items() for word in (option, variables[name])),
    ]  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["driver"]:
        # Spark's own folder holds the submitted properties, which the command line names; ours the defaults.
        os.environ["SPARK_CONF_DIR"] = str(APP / "conf")
    line = command(sys.argv[1:], os.environ)
    os.execvp(line[0], line)  # noqa: S606
