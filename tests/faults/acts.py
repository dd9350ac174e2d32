"""What is done to a lake, and what a run of the stream said to it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import repair
from surveylake.errors import SurveylakeError
from surveylake.proof import Proof
from surveylake.proof_lake import prove
from town import Town

LOG = "_delta_log"


def refused(town: Town, **wishes: bool) -> str:
    """A run of the stream that must be refused: its exit code and its message."""
    with pytest.raises(SurveylakeError) as error:
        town.take(**wishes)
    assert error.value.hint, "a refusal says what to do next"
    return f"exit {error.value.exit_code}: {error.value.message}"


def proof_of(town: Town, spark: SparkSession) -> Proof:
    """What verify says of the lake and its topic, asked in this process."""
    forget_logs(spark)
    return prove(str(town.lake), town.config, town.contract)


def mended(town: Town, spark: SparkSession) -> int:
    """What repair exits with, run in this process; ProofError when it cannot mend the lake."""
    forget_logs(spark)
    try:
        return repair.mend(town.lake, town.config, town.contract, dry_run=False)
    finally:
        forget_logs(spark)


def verb(town: Town, name: str, *more: str, seconds: float = 180) -> subprocess.CompletedProcess[str]:
    """A verb in a process of its own, to its end; it never prints a trace."""
    command = town.command(*more, verb=name)
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@contextmanager
def running(command: list[str], **how: object) -> Iterator[subprocess.Popen[str]]:
    """A process in a session of its own, its output kept; killed when the block ends and it still runs."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **how
    )  # type: ignore[call-overload]
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


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
