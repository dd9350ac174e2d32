"""Coordinates to jars, with the resolver that is in Spark itself: what `--packages` would bring, and nothing else."""

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
"""Maven Central only, which is Ivy's own default. Spark's default chain also asks a third party's repository."""
NO_OP_CLASS = "org.apache.hadoop.util.VersionInfo"
"""A main class on Spark's class path that ends at once: what is wanted happens before it starts."""
TIMEOUT = 900
"""Seconds for some 70 MB; a line slower than that should copy var/jars from elsewhere."""


def spark_home() -> Path:
    """The folder of the pip-installed Spark of the running Python. Raises SetupError when there is none."""
    found = importlib.util.find_spec("pyspark")
    if not found or not found.submodule_search_locations:
        raise SetupError(
            "pyspark is not installed for this Python", "run: make setup, then use .venv/bin/python"
        )
    return Path(found.submodule_search_locations[0])


def resolve(packages: list[str], excludes: list[str], scratch: Path) -> dict[str, Path]:
    """Download the closure of `packages` without `excludes` into `scratch`, which is emptied first.

    Returns group:artifact:version -> jar. Raises SetupError with what could not be resolved.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    settings = scratch / "settings.xml"
    # A mirror in place of Central, by the variable Spark knows for it.
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
            done = subprocess.run(
                command, env=_environment(scratch), stdout=output, stderr=output, timeout=TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise SetupError(f"resolving took more than {TIMEOUT} s (log: {log})", _hint()) from error
    if done.returncode:
        raise SetupError(f"could not resolve {_failed(log, packages)} (log: {log})", _hint())
    return {_coordinate(jar, scratch): jar for jar in (scratch / "jars").glob("*.jar")}


def _coordinate(jar: Path, scratch: Path) -> str:
    """group:artifact:version of a retrieved GROUP_ARTIFACT-VERSION.jar; which '_' divides it, the cache's folders tell."""
    for described in (scratch / "cache").glob("*/*/ivy-*.xml"):
        group, artifact = described.parts[-3:-1]
        version = described.stem.removeprefix("ivy-")
        if jar.name == f"{group}_{artifact}-{version}.jar":
            return f"{group}:{artifact}:{version}"
    raise SetupError(f"which coordinate {jar.name} belongs to is not told by {scratch / 'cache'}", _hint())


def _environment(scratch: Path) -> dict[str, str]:
    """A child's environment in which only this Spark and no configuration of another one is seen."""
    empty = scratch / "conf"
    empty.mkdir()
    kept = {
        key: value for key, value in os.environ.items() if key not in ("SPARK_HOME", "PYSPARK_SUBMIT_ARGS")
    }
    options = " ".join(filter(None, [os.environ.get("SPARK_SUBMIT_OPTS"), *_proxy_options()]))
    places = {"SPARK_HOME": str(spark_home()), "SPARK_CONF_DIR": str(empty), "SPARK_SUBMIT_OPTS": options}
    return {**kept, **java_environment(), **places}


def _proxy_options() -> list[str]:
    """HTTPS_PROXY in Java's words: Java does not read the variable that everything else reads."""
    proxy = urlsplit(os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY") or "")
    if not proxy.hostname:
        return []
    return [f"-Dhttps.proxyHost={proxy.hostname}", f"-Dhttps.proxyPort={proxy.port or 80}"]


def _failed(log: Path, packages: list[str]) -> str:
    """What the resolver could not find, from its log; all of `packages` when it does not say."""
    found = re.findall(r"::\s+([\w.-]+#[\w.-]+;\S+): (?:not found|.*)", log.read_text("utf-8", "replace"))
    return ", ".join(sorted(set(found))) or ", ".join(packages)


def _hint() -> str:
    return (
        "check the way to Maven Central (HTTPS_PROXY and DEFAULT_ARTIFACT_REPOSITORY are heard), or copy var/jars "
        "from a machine where this worked: every jar is checked against conf/jars.lock"
    )
