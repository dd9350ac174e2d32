"""Verbs as a user starts them: processes of their own, with a var folder, a log and an environment of the test's."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from support.waiting import until
from surveylake.paths import JOBS

OURS = re.compile(
    r"sent |already in the topic: |waiting for records in topic |note: |stream: |aggregate: |export: |took: |once: |batch \d|so far: |stopping: |stopped by "
    r"|error: |  next: |    |port \d+ is taken|[\d,]+ records wait: |quarantine: | +\d+  \S|what  |log  |proved: |spellings of |warning: |left out |repair: |step: "
)
"""How a line that we print begins."""
QUICK_COMPILER = {"SPARK_SUBMIT_OPTS": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"}
"""Only the JVM's quick compiler, which computes the same: a verb's few records are through before the thorough one pays."""
NO_OPTIONS = {"SPARK_SUBMIT_OPTS": ""}
"""For a test of what is said of such variables: nothing is set, as at a user's."""


def environment(var: Path, **more: str) -> dict[str, str]:
    """What a process finds whose user set nothing but these and a quick compiler; what it makes for itself goes to `var`."""
    foreign = re.compile(
        r"(PY)?SPARK_|SURVEYLAKE_|HADOOP_|YARN_|_?JAVA_(TOOL_)?OPTIONS|JDK_JAVA_OPTIONS|PYTHON"
    )
    kept = {name: value for name, value in os.environ.items() if not foreign.match(name)}
    return {**kept, **QUICK_COMPILER, "SURVEYLAKE_VAR": str(var), **more}


def command(verb: str, *arguments: str | Path, jobs: Path = JOBS) -> list[str]:
    """The command line of a verb."""
    return [sys.executable, str(jobs / f"{verb}.py"), *map(str, arguments)]


def run(words: list[str], var: Path, seconds: float = 180, **more: str) -> subprocess.CompletedProcess[str]:
    """A command to its end, its output kept."""
    return subprocess.run(
        words, env=environment(var, **more), capture_output=True, text=True, timeout=seconds, check=False
    )


@contextmanager
def started(words: list[str], var: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs, in a process group of its own; killed when the block ends and it still does."""
    process = subprocess.Popen(
        words,
        env=environment(var, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            for child in (
                psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            ):
                child.kill()
            process.kill()


def command_lines() -> bytes:
    """The command lines of all processes, as anybody on this machine sees them."""
    texts = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            texts.append(place.read_bytes())
    return b"\n".join(texts)


def until_java_ended(var: Path) -> None:
    """Wait for the Java of a verb that was given `var`: it ends a moment after the verb, and removes what was for itself."""
    until(lambda: bytes(var) not in command_lines())


def spark_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The Java of Spark that a verb started; empty before it is there and after it went."""
    found = []
    try:
        for child in psutil.Process(process.pid).children(recursive=True):
            found += [child] if "org.apache.spark.deploy.SparkSubmit" in child.cmdline() else []
    except psutil.Error:
        pass
    return found


def strangers(text: str) -> list[str]:
    """Lines that are not ours."""
    return [line for line in text.splitlines() if line.strip() and not OURS.match(line)]
