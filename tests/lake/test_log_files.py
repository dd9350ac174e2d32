"""A log's files, read without Spark: what is not whole is named, and nothing else."""

import json
import shutil
from functools import partial
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from support.sessions import OPEN
from surveylake.errors import StorageError
from surveylake.lake import hadoop_checksum, log_faults, log_files, tables
from surveylake.lake.log_files import LOG
from surveylake.lake.provenance import Provenance
from surveylake.verify.logs import read_log
from surveylake.verify.proof import read_checkpoint


@pytest.fixture(scope="module")
def sound(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Versions 0, 1 and 2, with a log checkpoint at 2."""
    path = tmp_path_factory.mktemp("deltalog") / "table"
    for n in range(3):
        note = f'{{"records_version": {n}}}'
        frame = spark.range(n, n + 1).coalesce(1).write.format("delta").mode("append")
        frame.option("delta.checkpointInterval", "2").option("userMetadata", note).save(str(path))
    return path


@pytest.fixture
def table(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "table"))


def commit(table: Path, version: int) -> Path:
    return table / LOG / f"{version:020d}.json"


def faults(table: Path) -> list[str]:
    return [fault.message for fault in log_faults.faults(log_files.list_log(table))]


def test_a_table_that_stands_at_its_own_log_checkpoint_is_whole_and_knows_its_note(table: Path) -> None:
    """Who made a version and why is in its commit only; the log checkpoint holds the rest."""
    log = read_log(table, partial(read_checkpoint, OPEN))
    assert (log.messages, log.version, log.provenance) == ([], 2, Provenance(records_version=2))
    commit(table, 2).unlink()
    assert read_log(table, partial(read_checkpoint, OPEN)).provenance == Provenance(records_version=1)


def test_what_a_log_checkpoint_replaces_is_not_looked_at(table: Path) -> None:
    commit(table, 0).unlink()
    commit(table, 1).write_bytes(b"")
    assert faults(table) == []


@pytest.mark.parametrize("witness", [True, False], ids=["with a checksum", "without"])
def test_without_a_torn_log_checkpoint_the_commits_tell_the_same(
    spark: SparkSession, table: Path, witness: bool
) -> None:
    whole = read_log(table, partial(read_checkpoint, OPEN))
    (part,) = (table / LOG).glob("*.checkpoint.parquet")
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(StorageError, match=f"log checkpoint {part.name} is empty or torn"):
        tables.exists(spark, str(table))
    sidecar = hadoop_checksum.sidecar_of(part)
    if not witness:
        sidecar.unlink()
    (fault,) = log_faults.faults(log_files.list_log(table))
    assert fault.message == f"log checkpoint {part.name} is empty or torn"
    assert set(fault.files) == ({part, sidecar} if witness else {part})
    pointer = [table / LOG / "_last_checkpoint", table / LOG / "._last_checkpoint.crc"]
    rest = read_log(table, partial(read_checkpoint, OPEN), [*fault.files, *pointer])
    assert (rest.messages, rest.files, rest.provenance) == ([], whole.files, whole.provenance)


def test_a_table_whose_newest_commit_is_empty_is_not_opened(spark: SparkSession, table: Path) -> None:
    spark.range(1).write.format("delta").mode("append").save(str(table))
    assert tables.exists(spark, str(table))
    commit(table, 3).write_bytes(b"")
    with pytest.raises(StorageError, match=f"{commit(table, 3).name} is empty") as refused:
        tables.exists(spark, str(table))
    assert "jobs/repair.py" in refused.value.hint


def test_an_attempt_at_a_log_checkpoint_counts_for_nothing(table: Path) -> None:
    half = table / LOG / f"{2:020d}.checkpoint.{1:010d}.{2:010d}.parquet"
    (table / LOG / f"{2:020d}.checkpoint.parquet").rename(half)
    log_faults.require_whole(table)
    commit(table, 0).unlink()
    with pytest.raises(StorageError, match="commit of version 0 is missing"):
        log_faults.require_whole(table)


def test_a_folder_seen_in_the_middle_of_a_commit_is_looked_at_again(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([[log_faults.Fault("commit of version 3 is missing")], []])
    monkeypatch.setattr(log_faults, "faults", lambda *_: next(answers))
    log_faults.require_whole(table)
    assert next(answers, None) is None


@pytest.mark.parametrize("content", [b"", b"\0" * 12, b"crc\0"])
def test_a_checksum_that_is_itself_broken_speaks_against_itself_only(table: Path, content: bytes) -> None:
    for path in (table / LOG).glob("*checkpoint*"):
        path.unlink()
    sidecar = hadoop_checksum.sidecar_of(commit(table, 1))
    sidecar.write_bytes(content)
    (fault,) = log_faults.faults(log_files.list_log(table))
    assert (fault.message, fault.files) == (f"checksum {sidecar.name} is empty or torn", (sidecar,))


def test_a_checksum_cut_between_its_numbers_is_a_mismatch_and_no_crash(table: Path) -> None:
    path = table / LOG / f"{2:020d}.crc"
    sidecar = hadoop_checksum.sidecar_of(path)
    assert hadoop_checksum.matches(path)
    sidecar.write_bytes(sidecar.read_bytes()[:-1])
    assert not hadoop_checksum.matches(path)


def test_a_line_separator_within_a_text_does_not_tear_a_commit(tmp_path: Path) -> None:
    path = tmp_path / "commit"
    path.write_text('{"commitInfo": {"userMetadata": "a\u2028b\x85c"}}\n{"txn": {}}\n', encoding="utf-8")
    assert [list(action) for action in log_files.actions(path) or []] == [["commitInfo"], ["txn"]]
    path.write_bytes(b"\0" * 4096)
    assert log_files.actions(path) is None


@pytest.mark.parametrize(
    ("reader", "writer", "newer"), [(3, 7, False), (1, 2, False), (4, 7, True), (3, 8, True)]
)
def test_a_newer_protocol_is_named_and_the_pinned_one_is_not(
    table: Path, reader: int, writer: int, newer: bool
) -> None:
    protocol = {"protocol": {"minReaderVersion": reader, "minWriterVersion": writer}}
    commit(table, 3).write_text(json.dumps(protocol) + "\n")
    message = log_files.newer_protocol(table)
    assert (f"version {reader} of the Delta protocol to read it and {writer}" in message) is newer
    assert [message] * newer == read_log(table, partial(read_checkpoint, OPEN)).messages


def test_a_feature_that_delta_does_not_know_is_named(table: Path, spark: SparkSession) -> None:
    protocol = {
        "minReaderVersion": 3,
        "minWriterVersion": 7,
        "readerFeatures": ["new"],
        "writerFeatures": ["new"],
    }
    commit(table, 3).write_text(json.dumps({"protocol": protocol}) + "\n")
    with pytest.raises(StorageError, match=r"UNSUPPORTED_FEATURES.*\bnew\b"):
        tables.exists(spark, str(table))
