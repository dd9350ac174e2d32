"""What a power loss leaves is mended as long as the topic still has the records; else nothing is touched."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from deltalake import DeltaTable
from pyspark.sql import SparkSession

import aggregate
import repair
from support import pets_survey
from support.sessions import OPEN
from surveylake.config import Config
from surveylake.contract.model import Contract
from surveylake.errors import ProofError, StorageError, TopicError
from surveylake.kafka.embedded_node import free_port
from surveylake.lake import hadoop_checksum, log_files, tables
from surveylake.lake import stream_checkpoint as cp
from surveylake.lake.lock import LOCK, one_writer
from surveylake.lake.log_files import LOG
from surveylake.lake.tables import RECORDS, RESPONSES
from surveylake.repair.moves import move_files
from surveylake.repair.plan import plan
from surveylake.repair.topic import made_by
from surveylake.verify import proof

TOPIC = "repaired"
Output = pytest.CaptureFixture[str]


def fill(lake: Path, settings: Config, survey: Contract) -> None:
    """Three batches of 10, versions 1 to 3: partition 0 ends at 8, 16, 24, partition 1 at 2, 4, 6. Then what is made of them."""
    for batch in range(3):
        people = [f"p{batch * 10 + n}" for n in range(10)]
        pets_survey.send(settings, survey.topic, [pets_survey.answer(who) for who in people[:8]])
        pets_survey.send(settings, survey.topic, [pets_survey.answer(who) for who in people[8:]], partition=1)
        pets_survey.take_in(lake, settings, survey)
    aggregate.aggregate(OPEN, str(lake), settings, survey)


@pytest.fixture(scope="module")
def sound(spark: SparkSession, broker: str, home: Path, survey: Contract) -> Path:
    """A lake of 30 records. Tests break copies of it."""
    fill(home / "lake", pets_survey.config(broker), survey)
    return home / "lake"


@pytest.fixture
def lake(sound: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound, tmp_path / "lake")
    return tmp_path / "lake"


def run(lake: Path, home: Path, bootstrap: str, *more: str, topic: str = TOPIC) -> int:
    return repair.main(
        ["--lake", str(lake), "--survey", str(home / f"{topic}.toml"), "--bootstrap", bootstrap, *more]
    )


def nowhere() -> str:
    return f"127.0.0.1:{free_port()}"


def content(lake: Path) -> dict[Path, bytes]:
    """Return path -> bytes of every file of the lake but its lock."""
    files = (path for path in lake.rglob("*") if path.is_file() and path.name != LOCK)
    return {path.relative_to(lake): path.read_bytes() for path in files}


def assert_all_30_once(lake: Path) -> None:
    """By a reader that is not Spark."""
    rows = DeltaTable(lake / RECORDS).to_pyarrow_table(columns=["partition", "offset"]).to_pylist()
    offsets = sorted((row["partition"], row["offset"]) for row in rows)
    assert offsets == [(0, n) for n in range(24)] + [(1, n) for n in range(6)]


def commit(lake: Path, version: int = 3, table: str = RECORDS) -> Path:
    return lake / table / LOG / f"{version:020d}.json"


def checkpoint(lake: Path) -> Path:
    return lake / "_checkpoints" / RECORDS / "epoch-1"


def added(lake: Path, version: int) -> list[str]:
    """The data files that a version of `records` added."""
    actions = log_files.actions(commit(lake, version)) or []
    return [action["add"]["path"] for action in actions if "add" in action]


def empty(lake: Path) -> None:
    commit(lake).write_bytes(b"")


def torn(lake: Path) -> None:
    commit(lake).write_bytes(commit(lake).read_bytes()[:-40])


def cut_at_a_line_without_its_checksum(lake: Path) -> None:
    lines = commit(lake).read_bytes().splitlines(keepends=True)
    commit(lake).write_bytes(b"".join(lines[:-1]))
    hadoop_checksum.sidecar_of(commit(lake)).unlink()


def gone_but_for_its_checksum(lake: Path) -> None:
    for path in (lake / RECORDS / LOG).glob(f"*{3:020d}*"):
        if path != hadoop_checksum.sidecar_of(commit(lake)):
            path.unlink()


def data_lost_and_its_commit_not(lake: Path) -> None:
    for name in added(lake, 3):
        (lake / RECORDS / name).write_bytes(b"")


def a_power_loss(lake: Path) -> None:
    """Leave the last two versions and the checkpoint's newest entries as empty files."""
    for version in (2, 3):
        for path in (lake / RECORDS / LOG).glob(f"*{version:020d}*"):
            path.write_bytes(b"")
    for name in ("offsets/2", "commits/2", "commits/1"):
        (checkpoint(lake) / name).write_bytes(b"")


# --- mended


@pytest.mark.parametrize("left", [b"", b'{"commitInfo"', None])
def test_a_table_that_was_cut_off_while_it_was_made_is_made_anew(
    lake: Path, home: Path, survey: Contract, broker: str, capsys: Output, left: bytes | None
) -> None:
    log = lake / RECORDS / LOG
    for path in log.glob("*"):
        path.unlink() if path.is_file() else path.rmdir()
    if left is not None:
        commit(lake, 0).write_bytes(left)
    assert run(lake, home, nowhere()) == 0
    out = capsys.readouterr().out
    assert "it was cut off while it was made" in out
    assert "looked at again: there is no table records; next: jobs/stream.py" in out
    assert (lake / "_repair" / "1" / RECORDS).is_dir()
    pets_survey.take_in(lake, pets_survey.config(broker), survey)
    assert_all_30_once(lake)
    assert proof.prove(OPEN, str(lake), pets_survey.config(broker), survey).proved


def test_spark_reads_an_empty_newest_commit_in_silence_and_the_stream_does_not(
    spark: SparkSession, lake: Path, broker: str, survey: Contract
) -> None:
    empty(lake)
    assert tables.read(spark, str(lake / RECORDS)).count() == 20
    before = content(lake)
    for job in (pets_survey.take_in, lambda *given: aggregate.aggregate(OPEN, str(given[0]), *given[1:])):
        with pytest.raises(StorageError, match=f"{commit(lake).name} is empty") as refused:
            job(lake, pets_survey.config(broker), survey)
        assert "jobs/repair.py" in refused.value.hint
    assert content(lake) == before


@pytest.mark.parametrize(
    ("fault", "version"),
    [
        (empty, 2),
        (torn, 2),
        (cut_at_a_line_without_its_checksum, 2),
        (gone_but_for_its_checksum, 2),
        (data_lost_and_its_commit_not, 2),
        (a_power_loss, 1),
    ],
)
def test_after_repair_and_stream_all_30_are_there_once(
    lake: Path,
    home: Path,
    broker: str,
    survey: Contract,
    capsys: Output,
    fault: Callable[[Path], None],
    version: int,
) -> None:
    fault(lake)
    broken = content(lake)
    assert run(lake, home, broker) == 0
    out = capsys.readouterr().out
    where = f"from {version * 8} of partition 0, {version * 2} of partition 1"
    assert f"proved: topic {TOPIC} keeps every offset after version {version} of records: {where}" in out
    assert f"looked at again: records is whole to version {version}; next: jobs/stream.py" in out
    assert {
        p.relative_to("_repair/1") if p.parts[0] == "_repair" else p: b for p, b in content(lake).items()
    } == broken
    pets_survey.take_in(lake, pets_survey.config(broker), survey)
    assert_all_30_once(lake)
    aggregate.aggregate(OPEN, str(lake), pets_survey.config(broker), survey)
    assert proof.prove(OPEN, str(lake), pets_survey.config(broker), survey).proved


def test_a_second_run_finds_nothing(lake: Path, home: Path, broker: str, capsys: Output) -> None:
    torn(lake)
    assert run(lake, home, broker) == 0
    mended = content(lake)
    capsys.readouterr()
    assert run(lake, home, nowhere()) == 0
    assert capsys.readouterr().out.startswith(f"repair: nothing to mend in {lake}")
    assert content(lake) == mended


def test_a_dry_run_says_the_plan_and_changes_no_byte(
    lake: Path, home: Path, broker: str, capsys: Output
) -> None:
    empty(lake)
    before = content(lake)
    assert run(lake, home, broker, "--dry-run") == ProofError.exit_code
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines] == (
        ["found", "known", "proved", *["found"] * 4, *["step"] * 5, "repair"]
    )
    assert lines[1] == "known: version 3 of records was made by the stream"
    assert lines[-1].endswith("nothing was changed")
    assert content(lake) == before


def test_what_was_made_from_a_lost_version_goes_with_it(
    spark: SparkSession, lake: Path, home: Path, broker: str, survey: Contract, capsys: Output
) -> None:
    """The version's number comes again, with other rows; aggregate.py would take the old tables for its own."""
    empty(lake)
    assert run(lake, home, broker) == 0
    out = capsys.readouterr().out
    assert "found: responses: made from version 3 of records, which is not there" in out
    assert "next: jobs/stream.py, jobs/aggregate.py, jobs/export.py" in out
    assert [table.name for table in lake.iterdir() if (table / LOG).is_dir()] == [RECORDS]
    assert (lake / "_repair" / "1" / RESPONSES / LOG).is_dir()


def test_a_broken_derived_table_is_put_aside_without_a_broker_and_made_again(
    spark: SparkSession, lake: Path, home: Path, broker: str, survey: Contract, capsys: Output
) -> None:
    newest = max((lake / RESPONSES / LOG).glob("*.json"))
    newest.write_bytes(b"")
    data = next((lake / "summary_pet").glob("part-*.parquet"))
    data.unlink()
    strange = lake / "mine"
    spark.range(1).write.format("delta").save(str(strange))
    commit(lake, 0, "mine").write_bytes(b"")
    assert run(lake, home, nowhere()) == 0
    out = capsys.readouterr().out
    assert f"found: responses: commit {newest.name} is empty" in out
    assert f"found: summary_pet: {data.name} is missing" in out
    assert "not made by surveylake, left alone" in out and strange.is_dir()
    assert "next: jobs/aggregate.py, jobs/export.py" in out
    shutil.rmtree(strange)
    aggregate.aggregate(OPEN, str(lake), pets_survey.config(broker), survey)
    assert proof.prove(OPEN, str(lake), pets_survey.config(broker), survey).proved


@pytest.mark.parametrize("tail", ["metadata", "offsets/2", "commits/2"])
def test_an_empty_tail_of_the_checkpoint_needs_no_broker(
    lake: Path, home: Path, capsys: Output, tail: str
) -> None:
    (checkpoint(lake) / tail).write_bytes(b"")
    (checkpoint(lake) / "commits" / ".3.0af1.tmp").write_bytes(b"")
    assert run(lake, home, nowhere()) == 0
    out = capsys.readouterr().out
    assert "found: checkpoint epoch-1: it cannot be used" in out
    assert "said: 1 temporary file of writes that did not end, harmless: .3.0af1.tmp" in out
    assert "next: jobs/stream.py" in out
    assert not checkpoint(lake).exists()
    assert_all_30_once(lake)


def test_a_stream_that_would_begin_at_the_latest_offset_puts_its_checkpoint_aside_itself(
    lake: Path, survey: Contract
) -> None:
    """Without any checkpoint it would take an empty table for a new one, and pass over what the topic holds."""
    (checkpoint(lake) / "commits" / "2").write_bytes(b"")
    settings, lines = pets_survey.config(nowhere()), list[str]()
    latest = settings.stream.model_copy(update={"starting_offsets": "latest"})
    planned = plan(OPEN, lake, settings.model_copy(update={"stream": latest}), survey, lines.append)
    assert (planned.steps, len(lines)) == ((), 1)
    assert lines[0].endswith("jobs/stream.py puts it aside")
    assert len(plan(OPEN, lake, settings, survey, lines.append).steps) == 1


def test_a_commit_gone_without_a_trace_shows_in_the_checkpoint_and_is_read_again(
    lake: Path, home: Path, broker: str, survey: Contract, capsys: Output
) -> None:
    for path in (lake / RECORDS / LOG).glob(f"*{3:020d}*"):
        path.unlink()
    assert run(lake, home, nowhere()) == 0
    assert "batch 2 is done, and the table has its batch 1 last: commits were lost" in capsys.readouterr().out
    pets_survey.take_in(lake, pets_survey.config(broker), survey)
    assert_all_30_once(lake)


@pytest.mark.parametrize(
    "name",
    ["_last_checkpoint", f"{3:020d}.crc", f".{3:020d}.json.crc"],
    ids=["pointer", "checksum", "sidecar"],
)
def test_files_that_only_help_readers_are_put_aside_without_a_broker(
    lake: Path, home: Path, name: str
) -> None:
    (lake / RECORDS / LOG / name).write_bytes(b"")
    assert run(lake, home, nowhere()) == 0
    assert (lake / "_repair" / "1" / RECORDS / LOG / name).read_bytes() == b""
    assert run(lake, home, nowhere(), "--dry-run") == 0
    assert_all_30_once(lake)


# --- refused, and nothing changed


def assert_refused(lake: Path, home: Path, bootstrap: str, code: int, topic: str = TOPIC) -> None:
    before = content(lake)
    assert run(lake, home, bootstrap, topic=topic) == code
    assert content(lake) == before


def test_without_a_broker_no_version_goes(lake: Path, home: Path, capsys: Output) -> None:
    empty(lake)
    assert_refused(lake, home, nowhere(), TopicError.exit_code)
    err = capsys.readouterr().err
    assert "may go only when the topic keeps their records" in err
    assert "Nothing was changed. Start the broker" in err


@pytest.mark.parametrize(
    "middle", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["missing", "empty"]
)
def test_a_middle_commit_is_not_mended(
    lake: Path, home: Path, broker: str, capsys: Output, middle: Callable[[Path], None]
) -> None:
    middle(commit(lake, 2))
    assert_refused(lake, home, broker, ProofError.exit_code)
    output = capsys.readouterr()
    assert output.out.startswith("found: records: commit ")
    assert "not the newest part" in output.err and "Restore the files from a backup" in output.err


def test_records_that_the_topic_no_longer_keeps_are_not_given_up(
    broker: str, tmp_path: Path, spark: SparkSession, capsys: Output
) -> None:
    survey, settings, lake = (
        pets_survey.contract(tmp_path, "forgetful"),
        pets_survey.config(broker),
        tmp_path / "lake",
    )
    fill(lake, settings, survey)
    empty(lake)
    admin = AdminClient({"bootstrap.servers": broker})
    admin.delete_records([part := TopicPartition("forgetful", 0, 18)])[part].result()
    assert_refused(lake, tmp_path, broker, ProofError.exit_code, "forgetful")
    message = capsys.readouterr().err
    assert "no longer keeps offsets that a lost version may have held, partition 0: 16 to 17" in message
    assert "--accept-loss" in message


def test_a_topic_that_lost_its_own_tail_is_not_trusted(
    lake: Path, home: Path, broker: str, capsys: Output
) -> None:
    empty(lake)
    newest = checkpoint(lake) / "offsets" / "2"
    newest.write_text(newest.read_text().replace('"0":24', '"0":29'))
    assert cp.furthest(checkpoint(lake), TOPIC) == {0: 29, 1: 6}
    assert_refused(lake, home, broker, ProofError.exit_code)
    assert "partition 0 ends at 24 and was read to 29" in capsys.readouterr().err


def test_another_topic_cannot_give_back_what_is_lost(
    lake: Path, home: Path, broker: str, capsys: Output
) -> None:
    empty(lake)
    pets_survey.send(pets_survey.config(broker), "stranger", [pets_survey.answer("x")])
    pets_survey.contract_file(home, "stranger")
    assert_refused(lake, home, broker, ProofError.exit_code, "stranger")
    assert (
        "this topic cannot give back what is lost: epoch 1 is of cluster id/topic id"
        in capsys.readouterr().err
    )


def test_a_version_whose_data_files_are_gone_is_not_gone_back_to(
    lake: Path, home: Path, broker: str, capsys: Output
) -> None:
    empty(lake)
    (name, *_) = added(lake, 1)
    data = lake / RECORDS / name
    data.unlink()
    assert_refused(lake, home, broker, ProofError.exit_code)
    assert f"of the data that version 2 is made of, {data.name} is missing" in capsys.readouterr().err


def test_a_lake_that_is_written_or_is_none_is_refused(lake: Path, home: Path, tmp_path: Path) -> None:
    with one_writer(str(lake), "the stream"):
        assert_refused(lake, home, nowhere(), StorageError.exit_code)
    assert run(tmp_path / "none", home, nowhere()) == StorageError.exit_code
    assert not (tmp_path / "none").exists()


# --- what made a version, and how files are moved


def test_what_is_left_of_a_version_tells_who_made_it(lake: Path) -> None:
    def maker() -> str:
        return made_by(log_files.list_log(lake / RECORDS), 3, {"query": 1})[0]

    assert maker() == "the stream"
    commit(lake).write_text('{"commitInfo":{"operation":"MERGE"}}\n{"add":{"pa')
    assert maker() == "MERGE, which is undone by this: run jobs/replay.py again"
    note = json.dumps({"commitInfo": {"operation": "WRITE", "userMetadata": '{"replay": "c0ffee"}'}})
    commit(lake).write_text(f'{note}\n{{"add":{{"pa')
    assert maker() == "WRITE, which is undone by this: run jobs/replay.py again"
    empty(lake)
    assert maker() == "the stream"
    checksum = lake / RECORDS / LOG / f"{3:020d}.crc"
    checksum.write_text('{"setTransactions": [{"appId": "query", "version": 1}]}')
    assert maker() == "something else, if it was jobs/replay.py, run that again"
    checksum.write_bytes(b"")
    assert maker() == "something that left no trace, if it was jobs/replay.py, run that again"


def test_the_folders_that_files_leave_and_enter_reach_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_text("kept")
    synced: list[str] = []
    monkeypatch.setattr("os.open", lambda path, _: synced.append(str(path.relative_to(tmp_path))) or 0)
    monkeypatch.setattr("os.fsync", lambda _: None)
    monkeypatch.setattr("os.close", lambda _: None)
    move_files(tmp_path, [tmp_path / "a" / "b" / "file"], tmp_path / "_repair" / "1")
    assert set(synced) == {".", "a/b", "_repair", "_repair/1", "_repair/1/a", "_repair/1/a/b"}
    assert (tmp_path / "_repair/1/a/b/file").read_text() == "kept"
