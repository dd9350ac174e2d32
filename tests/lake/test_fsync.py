"""The durability barrier: what is on the disk before lag tools hear of a micro-batch."""

import json
import os
from pathlib import Path

import pytest

from support.survey_env import SurveyEnv
from surveylake.kafka.topic import Topic
from surveylake.lake import fsync
from surveylake.lake.fsync import SyncBarrier
from surveylake.lake.log_files import sidecar_of


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Paths given to fsync, in order."""
    paths: list[Path] = []
    real = os.fsync

    def recording(descriptor: int) -> None:
        paths.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")))
        real(descriptor)

    monkeypatch.setattr(fsync.os, "fsync", recording)
    return paths


def committed(table: Path, version: int, data: str) -> list[Path]:
    """A commit of one data file, as Spark leaves it: the data, the commit, and Hadoop's checksums."""
    log = table / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    file, commit = table / data, log / f"{version:020d}.json"
    file.write_bytes(b"rows")
    commit.write_text(json.dumps({"add": {"path": data.replace(" ", "%20"), "size": 4}}) + "\n")
    for path in (file, commit):
        sidecar_of(path).write_bytes(b"crc\0")
    return [file, sidecar_of(file), commit, sidecar_of(commit)]


def test_data_is_on_the_disk_before_the_commit_that_names_it(tmp_path: Path, synced: list[Path]) -> None:
    barrier = SyncBarrier(tmp_path, tmp_path / "checkpoint")
    files = committed(tmp_path, 0, "a file.parquet")
    assert barrier.sync() == 1
    assert [path for path in synced if path.is_file()] == files
    assert tmp_path / "_delta_log" in synced
    assert synced.index(files[0].parent, synced.index(files[0])) < synced.index(files[2])


def test_what_others_committed_before_goes_first(tmp_path: Path, synced: list[Path]) -> None:
    earlier = committed(tmp_path, 0, "old.parquet")
    barrier = SyncBarrier(tmp_path, tmp_path / "checkpoint")
    later = committed(tmp_path, 1, "new.parquet")
    assert barrier.sync() == 2
    assert [path for path in synced if path in (earlier[2], later[2])] == [earlier[2], later[2]]
    assert {*earlier, *later} <= set(synced)
    assert {tmp_path, tmp_path.parent, tmp_path.parent.parent} <= set(synced)


def test_what_a_log_checkpoint_holds_is_not_gone_through_again(tmp_path: Path, synced: list[Path]) -> None:
    for version in range(3):
        committed(tmp_path, version, f"{version}.parquet")
    log = tmp_path / "_delta_log"
    for name in (f"{1:020d}.checkpoint.parquet", "_last_checkpoint"):
        (log / name).write_bytes(b"PAR1")
    assert SyncBarrier(tmp_path, tmp_path / "checkpoint").sync() == 1
    assert {log / f"{1:020d}.checkpoint.parquet", log / "_last_checkpoint", log / f"{2:020d}.json"} <= set(
        synced
    )
    assert log / f"{0:020d}.json" not in synced


def test_a_second_pass_has_nothing_to_do(tmp_path: Path, synced: list[Path]) -> None:
    committed(tmp_path, 0, "a.parquet")
    barrier = SyncBarrier(tmp_path, tmp_path / "checkpoint")
    barrier.sync()
    synced.clear()
    assert barrier.sync() == 0
    assert synced == []


def test_a_data_file_that_was_compacted_away_meanwhile_is_passed_over(
    tmp_path: Path, synced: list[Path]
) -> None:
    committed(tmp_path, 0, "a.parquet")
    barrier = SyncBarrier(tmp_path, tmp_path / "checkpoint")
    file, *_ = committed(tmp_path, 1, "b.parquet")
    file.unlink()
    assert barrier.sync() == 2


def test_a_run_leaves_nothing_of_its_batches_unsynced_and_tells_lag_tools_last(
    env: SurveyEnv, synced: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = env.config.kafka.model_copy(update={"consumer_group": "any"})
    env.config = env.config.model_copy(update={"kafka": kafka})
    at_mirror: list[set[Path]] = []
    monkeypatch.setattr(Topic, "commit_group", lambda *_: at_mirror.append(set(synced)))
    env.send(20)
    env.take()
    table, checkpoint = env.lake / "records", env.lake / "_checkpoints" / "records" / "epoch-1"
    # Version 0 too: without the commit that made the table nobody reads those after it.
    wanted = {path for path in table.rglob("*") if path.is_file() and not path.name.endswith(".crc.crc")}
    wanted |= {checkpoint / name for name in ("metadata", "offsets/0", "commits/0")}
    assert wanted - at_mirror[-1] == set()


def test_the_barrier_can_be_switched_off(
    env: SurveyEnv, synced: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    off = env.config.stream.model_copy(update={"durable": False})
    env.config = env.config.model_copy(update={"stream": off})
    env.send(5)
    env.take()
    assert synced == []
