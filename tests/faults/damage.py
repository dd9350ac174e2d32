"""Damage to a lake and its processes, and the answers of verify, repair and the stream."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from pyspark.sql import SparkSession

import repair
from support import shell
from support.sessions import OPEN
from support.survey_env import SurveyEnv
from surveylake.errors import SurveylakeError
from surveylake.repair.plan import lake_with_records
from surveylake.verify.checks import Proof
from surveylake.verify.proof import prove

LOG = "_delta_log"


def java_of(pid: int, argument: str = "") -> list[psutil.Process]:
    """Return the JVMs below a process whose command line contains `argument`."""
    processes = []
    for child in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.Error):  # it may have ended meanwhile
            processes += [child] if child.name() == "java" and argument in " ".join(child.cmdline()) else []
    return processes


def refused(env: SurveyEnv, **wishes: bool) -> str:
    """Run the stream, which must refuse. Returns its exit code and message."""
    with pytest.raises(SurveylakeError) as error:
        env.take(**wishes)
    assert error.value.hint, "a refusal says what to do next"
    return f"exit {error.value.exit_code}: {error.value.message}"


def proof_of(env: SurveyEnv, spark: SparkSession) -> Proof:
    """Verify the lake and its topic in this process."""
    forget_logs(spark)
    return prove(OPEN, str(env.lake), env.config, env.contract)


def repaired(env: SurveyEnv, spark: SparkSession) -> int:
    """Repair the lake in this process. Returns the exit code.

    Raises ProofError when it cannot be repaired, StorageError when there is none.
    """
    forget_logs(spark)
    try:
        return repair.mend(
            OPEN, lake_with_records(OPEN, str(env.lake)), env.config, env.contract, dry_run=False
        )
    finally:
        forget_logs(spark)


def verb(env: SurveyEnv, name: str, *more: str, seconds: float = 180) -> subprocess.CompletedProcess[str]:
    """Run a verb in a process of its own, to its end; it must print no trace."""
    command = env.command(*more, verb=name)
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=environment())
    assert "Traceback" not in done.stderr, done.stderr
    return done


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a verb that a user starts, without the settings of this process's own Spark; its compiler is quick."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYSPARK_SUBMIT_ARGS"}
    return {**inherited, **shell.QUICK_COMPILER, **more}


@contextmanager
def running(
    command: list[str], env: dict[str, str] | None = None, **how: object
) -> Iterator[subprocess.Popen[str]]:
    """Start a process in a session of its own, its output captured; at the end of the block kill it with its children."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=environment() if env is None else env, **how,
    )  # type: ignore[call-overload]  # fmt: skip
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def forget_logs(spark: SparkSession) -> None:
    """Clear Delta's cache of logs, so that this session reads them from the disk again as a new one would."""
    assert spark._jvm is not None
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()


def commit_file(table: Path, version: int) -> Path:
    return table / LOG / f"{version:020d}.json"


def newest_version(table: Path) -> int:
    return max(int(path.stem) for path in (table / LOG).glob(f"{'[0-9]' * 20}.json"))


def traces(table: Path, version: int) -> list[Path]:
    """Return every file of the log whose name carries the version."""
    return [path for path in (table / LOG).iterdir() if f"{version:020d}" in path.name]
