"""Maven coordinates resolved to jars by Ivy, the resolver behind Spark's `--packages`."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from surveylake.errors import SetupError
from surveylake.runtime.java import java_environment

SETTINGS = """<ivysettings>
  <settings defaultResolver="central"/>
  <resolvers><ibiblio name="central" m2compatible="true"{root}/></resolvers>
</ivysettings>
"""
"""Maven Central only. Spark's default chain also asks a third party's repository."""
NO_OP_CLASS = "org.apache.hadoop.util.VersionInfo"
"""A main class on Spark's class path that ends at once: the jars are resolved before it starts."""
TIMEOUT = 900
"""Seconds for some 70 MB."""


def spark_home() -> Path:
    """Return the folder of this Python's pip-installed Spark. Raises SetupError when there is none."""
    spec = importlib.util.find_spec("pyspark")
    if not spec or not spec.submodule_search_locations:
        raise SetupError(
            "pyspark is not installed for this Python", "run: make setup, then use .venv/bin/python"
        )
    return Path(spec.submodule_search_locations[0])


def resolve(packages: list[str], excludes: list[str], scratch: Path) -> dict[str, Path]:
    """Download the closure of `packages` without `excludes` into `scratch`, which is emptied first.

    Returns group:artifact:version -> jar. Raises SetupError with the coordinates that could not be resolved.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    settings = scratch / "settings.xml"
    # A mirror in place of Central, by Spark's own variable.
    mirror = os.environ.get("DEFAULT_ARTIFACT_REPOSITORY", "")
    settings.write_text(SETTINGS.format(root=f' root="{mirror}"' if mirror else ""), "utf-8")
    command = [
        str(spark_home() / "bin" / "spark-submit"), "--class", NO_OP_CLASS, "--master", "local",
        "--conf", f"spark.jars.ivySettings={settings}", "--conf", f"spark.jars.ivy={scratch}",
        "--exclude-packages", ",".join(excludes), "--packages", ",".join(packages), "spark-internal",
    ]  # fmt: skip
    log = scratch / "resolve.log"
    with log.open("w") as output:
        try:
            process = subprocess.run(
                command, env=_environment(scratch), stdout=output, stderr=output, timeout=TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise SetupError(f"resolving took more than {TIMEOUT} s (log: {log})", _hint()) from error
    if process.returncode:
        raise SetupError(f"could not resolve {_failed(log, packages)} (log: {log})", _hint())
    return {_coordinate(jar, scratch): jar for jar in (scratch / "jars").glob("*.jar")}


def _coordinate(jar: Path, scratch: Path) -> str:
    """Return group:artifact:version of GROUP_ARTIFACT-VERSION.jar. The cache's folders say at which '_' to split."""
    for description in (scratch / "cache").glob("*/*/ivy-*.xml"):
        group, artifact = description.parts[-3:-1]
        version = description.stem.removeprefix("ivy-")
        if jar.name == f"{group}_{artifact}-{version}.jar":
            return f"{group}:{artifact}:{version}"
    raise SetupError(f"which coordinate {jar.name} belongs to is not told by {scratch / 'cache'}", _hint())


def _environment(scratch: Path) -> dict[str, str]:
    """Return a child's environment with this Spark, and without the configuration of another one."""
    empty = scratch / "conf"
    empty.mkdir()
    inherited = {
        key: value for key, value in os.environ.items() if key not in ("SPARK_HOME", "PYSPARK_SUBMIT_ARGS")
    }
    options = " ".join(filter(None, [os.environ.get("SPARK_SUBMIT_OPTS"), *_proxy_options()]))
    own = {"SPARK_HOME": str(spark_home()), "SPARK_CONF_DIR": str(empty), "SPARK_SUBMIT_OPTS": options}
    return {**inherited, **java_environment(), **own}


def _proxy_options() -> list[str]:
    """Return HTTPS_PROXY as Java options, since Java does not read the variable."""
    proxy = urlsplit(os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY") or "")
    if not proxy.hostname:
        return []
    return [f"-Dhttps.proxyHost={proxy.hostname}", f"-Dhttps.proxyPort={proxy.port or 80}"]


def _failed(log: Path, packages: list[str]) -> str:
    """Return the coordinates that the resolver's log names as not found; all of `packages` when it names none."""
    missing = re.findall(r"::\s+([\w.-]+#[\w.-]+;\S+): (?:not found|.*)", log.read_text("utf-8", "replace"))
    return ", ".join(sorted(set(missing))) or ", ".join(packages)


def _hint() -> str:
    return (
        "check the way to Maven Central (HTTPS_PROXY and DEFAULT_ARTIFACT_REPOSITORY are heard), or copy var/jars "
        "from a machine where this worked: every jar is checked against conf/jars.lock"
    )
