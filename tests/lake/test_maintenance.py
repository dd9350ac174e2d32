"""Compaction, log checkpoints and VACUUM: fewer files, the same rows, beside a running stream and after it."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

import aggregate
import maintain
import replay
from support.sessions import OPEN
from support.survey_env import SurveyEnv
from support.waiting import until
from surveylake.contract.model import load_contract
from surveylake.errors import ConfigError, ProofError, StorageError
from surveylake.lake import commits as transactions
from surveylake.lake import (
    compaction,
    hadoop_checksum,
    maintenance,
    parquet_merge,
    retention,
    table_history,
    tables,
)
from surveylake.lake.compaction import Files, IsStopped, compact
from surveylake.lake.lock import one_writer
from surveylake.lake.maintenance import small_files
from surveylake.lake.tables import RECORDS, Lake
from surveylake.paths import JOBS
from surveylake.stream import housekeeping
from surveylake.stream.housekeeping import Housekeeper
from surveylake.verify import proof as proof_lake


def rows(lake: Path, table: str = RECORDS) -> list[str]:
    """Every row of a table as delta-rs reads it, in an order of its own."""
    return sorted(map(repr, DeltaTable(lake / table).to_pyarrow_table().to_pylist()))


def by_duckdb(lake: Path) -> list[tuple[object, ...]]:
    """What DuckDB says of the live files: rows, accepted rows, and a sum over what identifies them."""
    files = DeltaTable(lake / RECORDS).file_uris()
    question = 'SELECT count(*), count(*) FILTER (accepted), sum(hash(epoch, "partition", "offset", value)::hugeint) FROM read_parquet($f)'
    return duckdb.execute(question, {"f": files}).fetchall()


def files(lake: Path, table: str = RECORDS) -> int:
    return len(DeltaTable(lake / table).file_uris())


def operations(lake: Path) -> list[str]:
    """What each version of `records` was made by, oldest first."""
    return [str(commit["operation"]) for commit in reversed(DeltaTable(lake / RECORDS).history())]


def assert_proved(env: SurveyEnv) -> None:
    proof = proof_lake.prove(OPEN, str(env.lake), env.config, env.contract)
    assert proof.proved, proof.failures


def filled(env: SurveyEnv) -> SurveyEnv:
    """Six small batches, two files each, some records rejected; one summary is published, and what was received."""
    env.set_stream(max_offsets_per_trigger=10)
    env.send(50)
    env.send(10, start=50, Age="300")
    env.take()
    return env


def with_one_summary(env: SurveyEnv) -> SurveyEnv:
    summaries = env.contract.summaries.model_copy(update={"by": [["gender"]]})
    env.contract = env.contract.model_copy(update={"summaries": summaries})
    return env


@pytest.fixture(scope="module")
def original(broker: str, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> SurveyEnv:
    """The lake that `busy` copies."""
    return filled(with_one_summary(SurveyEnv("maintained", broker, tmp_path_factory.mktemp("maintained"))))


@pytest.fixture
def busy(original: SurveyEnv, tmp_path: Path) -> SurveyEnv:
    """A lake of the test's own as `filled` leaves it. Its topic is shared: nothing may be sent there."""
    env = with_one_summary(SurveyEnv(original.topic, original.bootstrap, tmp_path))
    shutil.copytree(original.lake, env.lake)
    return env


@pytest.fixture
def growing(env: SurveyEnv) -> SurveyEnv:
    """The same on a topic of the test's own, which may be sent more."""
    return filled(with_one_summary(env))


def test_maintenance_leaves_every_row_and_fewer_files(
    busy: SurveyEnv, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    aggregate.aggregate(OPEN, str(busy.lake), busy.config, busy.contract)
    before, before_by_duckdb, many = rows(busy.lake), by_duckdb(busy.lake), files(busy.lake)
    people = rows(busy.lake, "responses")
    assert many >= 10
    capsys.readouterr()
    assert maintain.main(["--lake", str(busy.lake)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert any(
        line.startswith(f"records: {many} files") and "taken together into 1 file" in line for line in out
    )
    assert out[-1].startswith("maintain: 4 tables of")
    assert files(busy.lake) == 1
    assert rows(busy.lake) == before
    assert by_duckdb(busy.lake) == before_by_duckdb
    assert rows(busy.lake, "responses") == people
    assert (busy.lake / RECORDS / "_delta_log" / "_last_checkpoint").is_file()
    assert_proved(busy)
    assert maintain.main(["--lake", str(busy.lake)]) == 0
    assert "records: no small files to take together; log " in capsys.readouterr().out


def test_the_new_file_has_the_statistics_that_readers_skip_files_by(
    busy: SurveyEnv, spark: SparkSession
) -> None:
    path = busy.lake / RECORDS
    assert compact(spark, str(path)).after.count == 1
    (file,) = pa.table(DeltaTable(path).get_add_actions(flatten=True)).to_pylist()
    table = DeltaTable(path).to_pyarrow_table()
    assert file["num_records"] == len(table)
    for column in ("partition", "offset", "timestamp"):
        values = table[column].to_pylist()
        least, most = min(values), max(values)
        if column == "timestamp":  # whole milliseconds, the last one begun
            least, most = (at.replace(microsecond=at.microsecond // 1000 * 1000) for at in (least, most))
        assert (file[f"min.{column}"], file[f"max.{column}"]) == (least, most)
        assert file[f"null_count.{column}"] == 0
    assert not [name for name in file if name.startswith("min.") and name.endswith(("age", "value"))]


def test_a_table_with_features_of_its_files_is_compacted_by_delta_itself(
    busy: SurveyEnv, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, before = str(busy.lake / RECORDS), by_duckdb(busy.lake)
    tables.set_property(spark, path, "delta.enableDeletionVectors", "true")
    monkeypatch.setattr(parquet_merge, "merge", lambda *_: pytest.fail("its files were merged by columns"))
    assert compact(spark, path).after.count == 1
    assert operations(busy.lake)[-1] == "OPTIMIZE"
    assert by_duckdb(busy.lake) == before


def test_what_another_writer_removed_meanwhile_does_not_come_back(
    busy: SurveyEnv, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = busy.lake / RECORDS, parquet_merge.merge

    def beside_a_delete(*arguments: Any) -> int | None:
        spark.sql(f"DELETE FROM delta.`{path}` WHERE offset = 0")
        return real(*arguments)

    monkeypatch.setattr(parquet_merge, "merge", beside_a_delete)
    with pytest.raises(transactions.FAILURES, match=r"(?i)concurrent"):
        compact(spark, str(path))
    table = DeltaTable(path)
    assert 0 not in table.to_pyarrow_table(columns=["offset"])["offset"].to_pylist()
    assert "OPTIMIZE" not in operations(busy.lake)
    in_log = {
        Path(file).name
        for version in range(table.version() + 1)
        for file in DeltaTable(path, version).file_uris()
    }
    assert {file.name for file in path.glob("*.parquet")} == in_log, "a file that was not committed is left"


def test_a_damaged_file_stops_the_compaction_with_nothing_changed(
    busy: SurveyEnv, spark: SparkSession
) -> None:
    path = busy.lake / RECORDS
    version, names = DeltaTable(path).version(), {file.name for file in path.glob("*.parquet")}
    for victim in map(Path, DeltaTable(path).file_uris()):
        whole = victim.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 9):  # magic bytes, pages or footer, end of the footer
            turned = bytearray(whole)
            turned[place] ^= 1
            victim.write_bytes(turned)
            with pytest.raises(StorageError, match=f"{victim.name} differs from its checksum"):
                compact(spark, str(path))
        victim.write_bytes(whole)
    hadoop_checksum.sidecar_of(victim).unlink()
    victim.write_bytes(whole[:-9])
    with pytest.raises(StorageError, match=victim.name):
        compact(spark, str(path))
    victim.unlink()
    with pytest.raises(StorageError, match=victim.name):
        compact(spark, str(path))
    shutil.copy(DeltaTable(path).file_uris()[0], victim)  # sound, and of another number of rows
    with pytest.raises(ProofError, match="its log says"):
        compact(spark, str(path))
    assert DeltaTable(path).version() == version
    assert {file.name for file in path.glob("*.parquet")} == names


def test_a_maintained_lake_goes_on_is_replayed_and_has_nothing_new_to_aggregate(
    growing: SurveyEnv, capsys: pytest.CaptureFixture[str]
) -> None:
    aggregate.aggregate(OPEN, str(growing.lake), growing.config, growing.contract)
    assert maintain.main(["--lake", str(growing.lake), "--keep-days", "0", "--force"]) == 0
    assert aggregate.aggregate(OPEN, str(growing.lake), growing.config, growing.contract) is None
    assert "nothing new in" in capsys.readouterr().out
    assert_proved(growing)
    growing.survey.write_text(growing.survey.read_text().replace("max = 110", "max = 300"))
    assert replay.main(["--lake", str(growing.lake), "--survey", str(growing.survey)]) == 0
    assert "10 records changed" in capsys.readouterr().out
    growing.contract = load_contract(growing.survey)
    growing.send(5, start=60)
    growing.take()
    growing.assert_every_offset_once(65)


def test_every_file_but_the_last_is_larger_than_the_smaller_size(
    busy: SurveyEnv, spark: SparkSession
) -> None:
    path = str(busy.lake / RECORDS)
    largest = max(DeltaTable(path).get_add_actions(flatten=True)["size_bytes"].to_pylist())
    sizes = {compaction.MIN_SIZE: 2 * largest, compaction.MAX_SIZE: 4 * largest}
    previous = {key: spark.conf.get(key) for key in sizes}
    try:
        for key, size in sizes.items():
            spark.conf.set(key, str(size))
        compacted = compact(spark, path)
    finally:
        for key, size in previous.items():
            spark.conf.set(key, str(size))
    assert compacted.before.count >= 10
    assert 1 < compacted.after.count <= compacted.before.count // 2


def test_compaction_beside_a_running_stream_loses_nothing(growing: SurveyEnv, spark: SparkSession) -> None:
    """Batches and compactions go by turns, in one process, through one Delta log."""
    path = str(growing.lake / RECORDS)
    growing.send(240, start=60)
    with ThreadPoolExecutor(1) as pool:
        stream = pool.submit(growing.take)
        compactions = 0
        while not stream.done():
            compactions += compact(spark, path).before.count > 1
        stream.result()
    growing.assert_every_offset_once(300)
    history = operations(growing.lake)
    optimized = [at for at, what in enumerate(history) if what == "OPTIMIZE"]
    assert len(optimized) == compactions
    between = [what for what in history[optimized[0] : optimized[-1]] if what == "STREAMING UPDATE"]
    assert len(optimized) >= 3, history
    assert len(between) >= 3, history
    assert_proved(growing)
    growing.send(5, start=300)
    growing.take()
    growing.assert_every_offset_once(305)


class IdleHousekeeper:
    """A housekeeper beside an idle stream; the env's own streams compact nothing."""

    def __init__(self, spark: SparkSession, env: SurveyEnv, pile: int) -> None:
        env.set_stream(compact_after_files=pile)
        self.keeper = Housekeeper(spark, Lake(str(env.lake)), env.config)
        env.set_stream(compact_after_files=0)

    def outcome(self) -> str:
        """Wait for the end of what it has begun. Returns its message."""
        messages: list[str] = []
        until(lambda: bool(messages.extend(filter(None, [self.keeper.after_batch(0)])) or messages))
        return messages[0]


@pytest.fixture
def idle(busy: SurveyEnv, spark: SparkSession) -> Iterator[IdleHousekeeper]:
    housekeeper = IdleHousekeeper(spark, busy, 10)
    yield housekeeper
    housekeeper.keeper.close()


def test_the_housekeeper_waits_for_an_idle_stream_then_compacts_once_per_pile(
    growing: SurveyEnv, spark: SparkSession
) -> None:
    before, idle = rows(growing.lake), IdleHousekeeper(spark, growing, 10)
    keeper = idle.keeper
    assert keeper.after_batch(None) is None
    assert keeper.after_batch(housekeeping.NEAR + 1) is None
    assert "OPTIMIZE" not in operations(growing.lake)
    begun = keeper.after_batch(0)
    assert begun is not None
    assert begun.startswith(f"compacting {files(growing.lake)} files")
    assert "taken together into 1 file" in idle.outcome()
    assert (files(growing.lake), rows(growing.lake)) == (1, before)
    assert keeper.after_batch(0) is None, "one file is no pile"
    growing.send(60, start=60)
    growing.take()
    assert files(growing.lake) > 10
    assert (keeper.after_batch(0) or "").startswith("compacting")
    assert "taken together" in idle.outcome()
    growing.assert_every_offset_once(120)
    keeper.close()


def test_no_pile_no_compaction_and_zero_is_never(busy: SurveyEnv, spark: SparkSession) -> None:
    for pile in (1_000, 0):
        other = IdleHousekeeper(spark, busy, pile)
        assert other.keeper.after_batch(0) is None
        other.keeper.close()
    assert "OPTIMIZE" not in operations(busy.lake)


def test_deciding_takes_no_spark_job(busy: SurveyEnv, idle: IdleHousekeeper, spark: SparkSession) -> None:
    tracker = spark.sparkContext.statusTracker()
    transactions.snapshot(spark, str(busy.lake / RECORDS))
    before = len(tracker.getJobIdsForGroup())
    for _ in range(3):
        idle.keeper.after_batch(housekeeping.NEAR + 1)
        assert small_files(spark, str(busy.lake / RECORDS)) is not None
    assert len(tracker.getJobIdsForGroup()) == before


def test_nothing_is_compacted_through_another_log_object(
    busy: SurveyEnv, idle: IdleHousekeeper, spark: SparkSession
) -> None:
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()  # type: ignore[union-attr]
    assert idle.keeper.after_batch(0) is None
    assert "OPTIMIZE" not in operations(busy.lake)


def test_stopping_in_mid_compaction_changes_nothing(
    busy: SurveyEnv, idle: IdleHousekeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, began = DeltaTable(busy.lake / RECORDS).version(), threading.Event()
    real = compaction.compact

    def slow(spark: SparkSession, path: str, is_stopped: IsStopped) -> compaction.Compaction:
        began.set()
        spark.sql("SELECT sum(hash(a.id, b.id)) FROM range(1000000) a, range(1000000) b").collect()
        return real(spark, path, is_stopped)

    monkeypatch.setattr(housekeeping, "compact", slow)
    assert idle.keeper.after_batch(0) is not None
    assert began.wait(60)
    idle.keeper.close()
    assert DeltaTable(busy.lake / RECORDS).version() == version
    busy.assert_every_offset_once(60)


def test_a_compaction_that_fails_is_said_and_the_next_waits_for_another_pile(
    busy: SurveyEnv, idle: IdleHousekeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(spark: SparkSession, path: str, is_stopped: IsStopped) -> compaction.Compaction:
        raise RuntimeError("a conflict\nand its trace")

    monkeypatch.setattr(housekeeping, "compact", fails)
    idle.keeper.after_batch(0)
    message = idle.outcome()
    assert "the compaction failed and changed nothing" in message
    assert message.endswith("a conflict")
    assert idle.keeper.after_batch(0) is None


def test_small_files_are_counted_from_the_checksum_of_the_version(
    busy: SurveyEnv, spark: SparkSession
) -> None:
    path = str(busy.lake / RECORDS)
    sizes = DeltaTable(path).get_add_actions(flatten=True)["size_bytes"].to_pylist()
    assert small_files(spark, path) == Files(len(sizes), sum(sizes))
    newest = DeltaTable(path).version()
    for name in (f"{newest:020d}.crc", f".{newest:020d}.crc.crc"):
        Path(path, "_delta_log", name).unlink(missing_ok=True)
    assert small_files(spark, path) is None


# --- VACUUM


def test_fewer_than_seven_days_are_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "surveylake.runtime.session.open_session", lambda _: pytest.fail("a session was opened")
    )
    assert maintain.main(["--lake", str(tmp_path), "--keep-days", "6.9"]) == ConfigError.exit_code
    assert "--force" in capsys.readouterr().err


def test_vacuum_of_a_table_is_refused_below_seven_days_too(spark: SparkSession, busy: SurveyEnv) -> None:
    with pytest.raises(ConfigError, match="7 days"):
        retention.vacuum(spark, str(busy.lake / RECORDS), 1)


def test_replaced_files_stay_for_seven_days_and_go_with_force(busy: SurveyEnv, spark: SparkSession) -> None:
    table, before = busy.lake / RECORDS, rows(busy.lake)
    replaced = set(DeltaTable(table).file_uris())
    assert maintain.main(["--lake", str(busy.lake)]) == 0
    assert all(Path(file).is_file() for file in replaced)
    assert len(DeltaTable(table, version=1).to_pyarrow_table()) > 0
    assert retention.vacuum(spark, str(table), 0, force=True).removed == len(replaced)
    assert not any(Path(file).is_file() for file in replaced)
    assert rows(busy.lake) == before
    assert spark.conf.get(retention.RETENTION_CHECK, "true") == "true"
    assert_proved(busy)


def test_a_lake_that_is_being_written_is_left_alone(busy: SurveyEnv) -> None:
    version = DeltaTable(busy.lake / RECORDS).version()
    command = [
        sys.executable,
        str(JOBS / "maintain.py"),
        "--lake",
        str(busy.lake),
        "--keep-days",
        "0",
        "--force",
    ]
    with one_writer(str(busy.lake), "stream.py"):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == StorageError.exit_code
    assert f"stream.py (process {os.getpid()})" in done.stderr
    assert "Traceback" not in done.stderr
    assert DeltaTable(busy.lake / RECORDS).version() == version


def test_a_dry_run_says_what_there_is_and_changes_nothing(
    busy: SurveyEnv, capsys: pytest.CaptureFixture[str]
) -> None:
    version = DeltaTable(busy.lake / RECORDS).version()
    assert maintain.main(["--lake", str(busy.lake), "--dry-run"]) == 0
    assert f"records: {files(busy.lake)} files" in capsys.readouterr().out
    assert DeltaTable(busy.lake / RECORDS).version() == version


@pytest.mark.integration
def test_no_lake_is_an_error_that_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert maintain.main(["--lake", str(tmp_path / "none")]) == StorageError.exit_code
    assert "no table" in capsys.readouterr().err


# --- the log


def test_a_log_checkpoint_is_written_once_and_a_proof_goes_on_from_it(
    busy: SurveyEnv, spark: SparkSession
) -> None:
    aggregate.aggregate(OPEN, str(busy.lake), busy.config, busy.contract)
    path = str(busy.lake / RECORDS)
    commits = DeltaTable(path).version() + 1
    assert maintenance.checkpoint(spark, path) == commits
    assert maintenance.checkpoint(spark, path) == 0
    pointer = json.loads(Path(path, "_delta_log", "_last_checkpoint").read_text())
    assert pointer["version"] == commits - 1
    assert maintenance.checkpoint(spark, str(busy.lake / "responses")) > 0
    compact(spark, str(busy.lake / "responses"))
    assert_proved(busy)


def test_the_note_of_responses_is_found_behind_compaction_and_a_log_checkpoint(
    busy: SurveyEnv, spark: SparkSession
) -> None:
    aggregate.aggregate(OPEN, str(busy.lake), busy.config, busy.contract)
    path = str(busy.lake / "responses")
    note = table_history.provenance_of(spark, path)
    for number in range(2):
        tables.set_property(spark, path, "a.number", str(number))
    maintenance.checkpoint(spark, path)
    assert table_history.provenance_of(spark, path) == note
    assert_proved(busy)
