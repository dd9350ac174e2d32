"""What is done to a lake, and what a run of the stream said to it."""

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
from support.sessions import OPEN
from support.survey_env import SurveyEnv
from surveylake.errors import SurveylakeError
from surveylake.repair.plan import lake_at
from surveylake.verify.checks import Proof
from surveylake.verify.proof import prove

LOG = "_delta_log"


def java_of(pid: int, said: str = "") -> list[psutil.Process]:
    """The JVMs among the children of a process whose command line says that."""
    found = []
    for child in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.Error):  # it may have ended meanwhile
            found += [child] if child.name() == "java" and said in " ".join(child.cmdline()) else []
    return found


def refused(env: SurveyEnv, **wishes: bool) -> str:
    """A run of the stream that must be refused: its exit code and its message."""
    with pytest.raises(SurveylakeError) as error:
        env.take(**wishes)
    assert error.value.hint, "a refusal says what to do next"
    return f"exit {error.value.exit_code}: {error.value.message}"


def proof_of(env: SurveyEnv, spark: SparkSession) -> Proof:
    """What verify says of the lake and its topic, asked in this process."""
    forget_logs(spark)
    return prove(OPEN, str(env.lake), env.config, env.contract)


def mended(env: SurveyEnv, spark: SparkSession) -> int:
    """What repair exits with, run in this process; ProofError when it cannot mend the lake, StorageError when none is there."""
    forget_logs(spark)
    try:
        return repair.mend(OPEN, lake_at(str(env.lake)), env.config, env.contract, dry_run=False)
    finally:
        forget_logs(spark)


def verb(env: SurveyEnv, name: str, *more: str, seconds: float = 180) -> subprocess.CompletedProcess[str]:
    """A verb in a process of its own, to its end; it never prints a trace."""
    command = env.command(*more, verb=name)
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=environment())
    assert "Traceback" not in done.stderr, done.stderr
    return done


def environment(**more: str) -> dict[str, str]:
    """What a verb finds when its user starts it: not the settings by which this process has started a Spark of its own."""
    kept = {name: value for name, value in os.environ.items() if name != "PYSPARK_SUBMIT_ARGS"}
    return {**kept, **more}


@contextmanager
def running(
    command: list[str], env: dict[str, str] | None = None, **how: object
) -> Iterator[subprocess.Popen[str]]:
    """A process in a session of its own, its output kept; killed with its children when the block ends and it still runs."""
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
    """Delta keeps a table's log in memory: make this session read it from the disk again, as a new one would."""
    assert spark._jvm is not None
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()


def commit_file(table: Path, version: int) -> Path:
    return table / LOG / f"{version:020d}.json"


def newest_version(table: Path) -> int:
    return max(int(path.stem) for path in (table / LOG).glob(f"{'[0-9]' * 20}.json"))


def traces(table: Path, version: int) -> list[Path]:
    """A version's commit file with every checksum that is named after it."""
    return [path for path in (table / LOG).iterdir() if f"{version:020d}" in path.name]
