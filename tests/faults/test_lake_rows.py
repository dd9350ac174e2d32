"""E: what happens to the lake and the checkpoint on the disk."""

import os
import random
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession

from faults import readers
from faults.damage import LOG, commit_file, forget_logs, newest_version, proof_of, repaired, traces, verb
from faults.disks import brought_to, copied_without_sync, loop_disk, small_disk
from faults.ledger import Ledger
from faults.plain_query import PlainQuery
from faults.rows import Row, brief
from faults.scenario import assert_complete, resume, send_and_take
from support.sessions import OPEN
from support.survey_env import SurveyEnv, answers
from support.waiting import until
from surveylake.cli import lake_folder
from surveylake.errors import LakeLockedError, ProofError, StorageError, SurveylakeError
from surveylake.kafka.topic import Topic
from surveylake.lake.lock import one_writer
from surveylake.verify.proof import prove

THREE_BATCHES = (0, 10, 20)
POWER_BATCHES = 6
Damage = Callable[[Path, int], None]
"""What is done to one version of a table."""
FileDamage = Callable[[Path], None]


@pytest.mark.slow
@pytest.mark.fault(
    "E1",
    injected="the lake's disk full at 8 points of a batch: data file, table log, checkpoint",
    expected="stops with the path; with space again, the next run has everything",
)
def test_a_full_disk(env: SurveyEnv, row: Row, ledger: Ledger) -> None:
    with small_disk(env.lake, megabytes=4):
        send_and_take(env, ledger, 10)
        stopped = []
        for n, left in enumerate((0, 4, 8, 16, 24, 32, 48, 64), start=1):
            ledger.send(env.bootstrap, env.topic, answers(10, start=10 * n))
            ballast = _fill(env.lake, left)
            try:
                env.take()
            except SurveylakeError as error:
                stopped.append(f"exit {error.exit_code}: {error.message}")
            ballast.unlink()
            resume(env, ledger)
        assert len(stopped) > 2, "the disk was hardly ever full: the test shows nothing"
        assert all(f"{env.lake} has " in message and "bytes left" in message for message in stopped), stopped
        row.observed(f"stopped, such as {brief(stopped[0])}; with space again 90 of 90, each once")


@pytest.mark.slow
@pytest.mark.fault(
    "E2",
    injected="power loss, many times in a run: the disk as it is at that moment, copied without a sync",
    expected="what lag tools were told of is there; after repair and another run, every record of the topic once",
)
def test_a_power_loss(
    env: SurveyEnv,
    spark: SparkSession,
    row: Row,
    ledger: Ledger,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk, image = tmp_path / "disk", tmp_path / "disk.img"
    env.lake = disk / "lake"
    kafka = env.config.kafka.model_copy(update={"consumer_group": "lag"})
    env.config = env.config.model_copy(update={"kafka": kafka})
    env.set_stream(max_offsets_per_trigger=10)
    ledger.send(env.bootstrap, env.topic, answers(POWER_BATCHES * 10))
    cuts: list[tuple[str, dict[int, int], Path]] = []

    def cut(moment: str, announced: dict[int, int]) -> None:
        cuts.append((moment, announced, copied_without_sync(image, str(len(cuts)))))

    def cut_at_commits() -> None:
        for version in sorted(random.Random(2).sample(range(1, POWER_BATCHES + 1), POWER_BATCHES // 2)):
            until(commit_file(env.lake / "records", version).is_file)
            cut(f"just after commit {version}", {})

    with loop_disk(image, disk), monkeypatch.context() as patched, ThreadPoolExecutor(1) as pool:
        patched.setattr(Topic, "commit_group", lambda *given: cut("after lag tools were told", given[-1]))
        cutting = pool.submit(cut_at_commits)
        env.take()
        cutting.result()
    assert max(announced.get(0, 0) for _, announced, _ in cuts) == POWER_BATCHES * 10
    for moment, announced, copy in cuts:
        with loop_disk(copy, disk):
            stored = {place[:2] for place in readers.stored(env.lake)} if announced else set()
            lost = {(p, offset) for p, end in announced.items() for offset in range(end)} - stored
            assert not lost, f"{moment}: {len(lost)} of {announced} are gone"
            if (env.lake / "records" / LOG).is_dir():
                repaired(env, spark)
            resume(env, ledger)
            assert proof_of(env, spark).proved, moment
    row.observed(
        f"{len(cuts)} cuts: all that lag tools were told of was on the disk; then {POWER_BATCHES * 10} of"
        f" {POWER_BATCHES * 10}, each once, proved"
    )


@pytest.mark.slow
@pytest.mark.fault(
    "E2",
    injected="the same with stream.durable = false, after a batch",
    expected="the batch may be gone from the disk; after repair and another run, every record of the topic once",
    stock=True,
)
def test_a_power_loss_without_the_barrier(
    env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger, tmp_path: Path
) -> None:
    disk, image = tmp_path / "disk", tmp_path / "disk.img"
    env.lake, plain_query.table, plain_query.checkpoint = disk / "lake", disk / "table", disk / "checkpoint"
    env.set_stream(durable=False)
    with loop_disk(image, disk):
        for start in (0, 10):
            brought_to(disk)
            send_and_take(env, ledger, 10, start=start)
            plain_query.run()
        copy = copied_without_sync(image, "cut")
    with loop_disk(copy, disk):
        forget_logs(plain_query.spark)
        left = [len(found) for found in (plain_query.rows(), env.rows())]
        assert left == [10, 10], "nothing was in memory only: the test shows nothing"
        row.plain_query(f"{left[0]} of 20 committed rows are on the disk")
        repaired(env, plain_query.spark)
        resume(env, ledger)
        assert proof_of(env, plain_query.spark).proved
        row.observed(f"without the barrier {left[1]} of 20; then 20 of 20, each once, proved")


def emptied(table: Path, version: int) -> None:
    commit_file(table, version).write_bytes(b"")


def emptied_without_a_trace(table: Path, version: int) -> None:
    """As a crash of the machine leaves it: the file is there and has no content, its checksums never came."""
    for trace in traces(table, version):
        trace.unlink()
    commit_file(table, version).write_bytes(b"")


def deleted(table: Path, version: int) -> None:
    for trace in traces(table, version):
        trace.unlink()


def torn(table: Path, version: int) -> None:
    for trace in traces(table, version):
        if trace != commit_file(table, version):
            trace.unlink()
    whole = commit_file(table, version).read_bytes()
    commit_file(table, version).write_bytes(whole[: len(whole) // 2])


@pytest.mark.fault(
    "E3",
    injected="the newest table commit emptied",
    expected="verify says no; repair puts it aside and the stream reads its records again",
    stock=True,
)
@pytest.mark.parametrize("damage", [emptied, emptied_without_a_trace])
def test_an_empty_newest_commit(
    env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger, damage: Damage
) -> None:
    _three_batches(env, plain_query, ledger)
    damage(plain_query.table, newest_version(plain_query.table))
    plain = plain_query.run()
    if damage is emptied_without_a_trace:
        assert (plain.error, len(plain.rows)) == ("", 20)
    row.plain_query(
        f"{damage.__name__.replace('_', ' ')}: {len(plain.rows)} of 30 rows, {plain.error or 'no error'}"
    )
    _comes_back(env, plain_query, row, ledger, damage)


@pytest.mark.fault(
    "E4",
    injected="the newest table commit deleted, or torn",
    expected="verify says no; repair puts aside what is left of it and the stream reads its records again",
    stock=True,
)
@pytest.mark.parametrize("damage", [deleted, torn])
def test_a_missing_or_torn_newest_commit(
    env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger, damage: Damage
) -> None:
    _three_batches(env, plain_query, ledger)
    damage(plain_query.table, newest_version(plain_query.table))
    plain = plain_query.run()
    if damage is deleted:
        assert (plain.error, len(plain.rows)) == ("", 20)
        row.plain_query("deleted: 20 of 30 rows, no error, and the next run does not read them again")
    else:
        assert plain_query.read_error()
        row.plain_query("torn: the table cannot be read any more")
    _comes_back(env, plain_query, row, ledger, damage)


@pytest.mark.fault(
    "E4",
    injected="a commit in the middle deleted",
    expected="found by everybody; not to be mended without a backup",
    stock=True,
)
def test_a_missing_middle_commit(env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger) -> None:
    _three_batches(env, plain_query, ledger)
    for table in (plain_query.table, env.lake / "records"):
        deleted(table, newest_version(table) - 1)
    assert plain_query.read_error()
    row.plain_query("middle: the table cannot be read")
    assert not proof_of(env, plain_query.spark).proved
    with pytest.raises(ProofError) as error:
        repaired(env, plain_query.spark)
    row.observed(f"middle: verify says no; repair refuses: {error.value.message}")


def _three_batches(env: SurveyEnv, plain_query: PlainQuery, ledger: Ledger) -> None:
    for start in THREE_BATCHES:
        send_and_take(env, ledger, 10, start=start)
        plain_query.run()


def _comes_back(env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger, damage: Damage) -> None:
    """Damage the newest commit of `records`; verify says no, repair and the stream bring everything back."""
    table = env.lake / "records"
    damage(table, newest_version(table))
    assert not proof_of(env, plain_query.spark).proved
    assert repaired(env, plain_query.spark) == 0
    resume(env, ledger)
    assert proof_of(env, plain_query.spark).proved
    row.observed(
        f"{damage.__name__.replace('_', ' ')}: verify says no; repaired and read again: 30 of 30, each once"
    )


def gone(file: Path) -> None:
    file.unlink()


def short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.fault(
    "E5",
    injected="a data file of the newest batch deleted, cut, one bit flipped",
    expected="verify names it (a flipped bit: verify --deep)",
)
@pytest.mark.parametrize("damage", [gone, short, flipped])
def test_a_damaged_data_file(
    env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger, damage: FileDamage
) -> None:
    for start in (0, 10):
        send_and_take(env, ledger, 10, start=start)
    before = DeltaTable(env.lake / "records", version=1).file_uris()
    (newest,) = set(DeltaTable(env.lake / "records").file_uris()) - set(before)
    damage(Path(newest))
    forget_logs(plain_query.spark)
    proof = prove(OPEN, str(env.lake), env.config, env.contract, deep=True)
    assert not proof.proved
    assert any(Path(newest).name in check.detail for check in proof.checks)
    row.observed(f"{damage.__name__}: named")
    if damage is not flipped:
        assert repaired(env, plain_query.spark) == 0
        env.take()
        readers.exactly_once(env.lake, ledger)
        row.observed("repaired and read again: 20 of 20, each once")


@pytest.mark.fault(
    "E6",
    injected="_last_checkpoint empty, or pointing to nothing",
    expected="the stream reads on without it; verify says no, repair puts it aside",
)
@pytest.mark.parametrize("content", ["", '{"version":99,"size":3}'])
def test_a_wrong_pointer_to_the_log_checkpoint(
    env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger, content: str
) -> None:
    send_and_take(env, ledger, 10)
    pointer = env.lake / "records" / LOG / "_last_checkpoint"
    pointer.write_text(content, encoding="utf-8")
    forget_logs(plain_query.spark)
    send_and_take(env, ledger, 10, start=10)
    proof = proof_of(env, plain_query.spark)
    assert not proof.proved
    assert any("_last_checkpoint" in check.detail for check in proof.checks)
    assert repaired(env, plain_query.spark) == 0
    assert not pointer.exists()
    assert_complete(env, ledger)
    assert proof_of(env, plain_query.spark).proved
    row.observed(f"{'pointing to nothing' if content else 'empty'}: named, put aside; 20 of 20, each once")


@pytest.mark.quick
@pytest.mark.fault(
    "E7",
    injected="the checkpoint deleted",
    expected="goes on from the offsets in the table",
    stock=True,
)
def test_a_deleted_checkpoint(env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger) -> None:
    send_and_take(env, ledger, 10)
    plain_query.run()
    shutil.rmtree(env.lake / "_checkpoints")
    plain_query.forget()
    ledger.send(env.bootstrap, env.topic, answers(5, start=10))
    resume(env, ledger)
    row.observed("15 of 15, each once")
    plain = plain_query.run()
    assert (plain.error, len(plain.rows), len(plain.doubled)) == ("", 25, 10)
    row.plain_query("Delta's sink: status ok, 10 rows twice")


@pytest.mark.fault(
    "E7",
    injected="the checkpoint deleted",
    expected="goes on from the offsets in the table",
    stock=True,
)
def test_a_deleted_checkpoint_and_a_fixed_application_id(
    env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger
) -> None:
    def append(rows: DataFrame, batch: int) -> None:
        writer = rows.write.format("delta").mode("append").option("txnAppId", "survey")
        writer.option("txnVersion", batch).save(str(plain_query.table))

    send_and_take(env, ledger, 10)
    plain_query.run(append)
    shutil.rmtree(env.lake / "_checkpoints")
    plain_query.forget()
    ledger.send(env.bootstrap, env.topic, answers(5, start=10))
    plain = plain_query.run(append)
    assert (plain.error, len(plain.rows)) == ("", 10)
    row.plain_query("foreachBatch with a fixed txnAppId: status ok, 5 new rows lost")
    env.take()
    readers.exactly_once(env.lake, ledger)
    row.observed("what is new is told by the table's offsets, not by a batch's number")


@pytest.mark.fault(
    "E8",
    injected="checkpoint files missing or empty, one by one",
    expected="put aside; goes on from the offsets in the table",
    stock=True,
)
@pytest.mark.parametrize(
    ("file", "emptied_only"),
    [("metadata", False), ("metadata", True), ("offsets/0", True), ("commits/0", True), ("offsets", False)],
)
def test_a_damaged_checkpoint(
    env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger, file: str, emptied_only: bool
) -> None:
    send_and_take(env, ledger, 10)
    plain_query.run()
    _damage_checkpoint(env.checkpoint, file, emptied_only)
    _damage_checkpoint(plain_query.checkpoint, file, emptied_only)
    ledger.send(env.bootstrap, env.topic, answers(5, start=10))
    what = f"{file} {'empty' if emptied_only else 'missing'}"
    plain = plain_query.run()
    assert plain.error
    row.plain_query(f"{what}: {brief(plain.error, 120)}")
    resume(env, ledger)
    row.observed("15 of 15, each once")


def _damage_checkpoint(checkpoint: Path, file: str, emptied_only: bool) -> None:
    path = checkpoint / file
    path.with_name(f".{path.name}.crc").unlink(missing_ok=True)
    if emptied_only:
        path.write_bytes(b"")
    else:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.fault(
    "E9",
    injected="the table restored from a backup older than its checkpoint; a checkpoint copied to another lake",
    expected="the checkpoint is put aside; goes on from the offsets in the table",
    stock=True,
)
def test_a_table_older_than_its_checkpoint(
    env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger, tmp_path: Path
) -> None:
    send_and_take(env, ledger, 10)
    plain_query.run()
    for table in (env.lake / "records", plain_query.table):
        shutil.copytree(table, tmp_path / f"backup of {table.name}")
    send_and_take(env, ledger, 5, start=10)
    plain_query.run()
    for table in (env.lake / "records", plain_query.table):
        shutil.rmtree(table)
        shutil.copytree(tmp_path / f"backup of {table.name}", table)
    forget_logs(plain_query.spark)
    plain = plain_query.run()
    assert (plain.error, len(plain.rows)) == ("", 10)
    row.plain_query("backup: status ok, 5 rows lost")
    resume(env, ledger)
    row.observed("backup: 15 of 15, each once")

    other = SurveyEnv(env.topic, env.bootstrap, tmp_path / "other", partitions=1)
    shutil.copytree(env.lake / "_checkpoints", other.lake / "_checkpoints")
    other.take()
    readers.exactly_once(other.lake, ledger)
    row.observed("copied: 15 of 15 in the other lake, each once")


@pytest.mark.fault(
    "E10",
    injected="RESTORE to an older version, then another run",
    expected="noticed; the restored table is filled again",
    stock=True,
)
def test_restore_and_resume(env: SurveyEnv, plain_query: PlainQuery, row: Row, ledger: Ledger) -> None:
    send_and_take(env, ledger, 10)
    plain_query.run()
    versions = {table: newest_version(table) for table in (env.lake / "records", plain_query.table)}
    send_and_take(env, ledger, 10, start=10)
    plain_query.run()
    for table, version in versions.items():
        plain_query.spark.sql(f"RESTORE TABLE delta.`{table}` TO VERSION AS OF {version}")
    ledger.send(env.bootstrap, env.topic, answers(10, start=20))
    plain = plain_query.run()
    assert (plain.error, len(plain.rows)) == ("", 20)
    row.plain_query("status ok, 10 of 30 rows lost")
    resume(env, ledger)
    row.observed("30 of 30, each once")


@pytest.mark.fault(
    "E11",
    injected="a lake named with blanks, accents, %, # and :, through a link, ~ or a relative path from two folders",
    expected="one and the same lake, or a refusal",
)
def test_odd_names_of_one_lake(
    env: SurveyEnv, row: Row, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.send(env.bootstrap, env.topic, answers(10))
    refusals = []
    for name in ("a lake", "läke 湖", "50%25", "a#b", "a:b"):
        env.lake = tmp_path / name
        try:
            env.take()
            env.take()
            # delta-rs takes %25 in a path for %: it reads a copy under a plain name.
            readers.exactly_once(
                Path(shutil.copytree(env.lake, tmp_path / f"copy {len(list(tmp_path.iterdir()))}")), ledger
            )
        except SurveylakeError as error:
            refusals.append(f"{name}: exit {error.exit_code}: {brief(error.message)}")
    row.observed(
        f"taken: a lake, läke 湖, 50%25, a#b{'; refused: ' + '; '.join(refusals) if refusals else ', a:b'}"
    )
    assert len(refusals) <= 1

    (tmp_path / "link").symlink_to(tmp_path / "a lake")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "below").mkdir()
    for folder, given in ((".", "link"), (".", "~/a lake"), (".", "a lake"), ("below", "../a lake")):
        monkeypatch.chdir(tmp_path / folder)
        env.lake = Path(given)
        env.take()
    monkeypatch.chdir(tmp_path)
    readers.exactly_once(tmp_path / "a lake", ledger)
    assert DeltaTable(tmp_path / "a lake" / "records").version() == 1
    with (
        one_writer(lake_folder("~/a lake"), "stream.py"),
        pytest.raises(LakeLockedError),
        one_writer(str(tmp_path / "a lake"), "aggregate.py"),
    ):
        pass
    assert not (tmp_path / "~").exists()
    assert not (tmp_path / "below" / "a lake").exists()
    row.observed("by link, ~ and relative paths from two folders: the same lake, no second one")


@pytest.mark.fault(
    "E15",
    injected="a lake on a disk that is mounted read-only",
    expected="one message before anything is read",
)
def test_a_read_only_lake(env: SurveyEnv, row: Row, ledger: Ledger) -> None:
    ledger.send(env.bootstrap, env.topic, answers(10))
    with small_disk(env.lake, megabytes=4) as remount:
        env.take()
        remount("ro")
        ledger.send(env.bootstrap, env.topic, answers(10, start=10))
        done = verb(env, "stream")
        assert done.returncode == StorageError.exit_code
        row.observed(f"exit 6: {done.stderr.splitlines()[0].removeprefix('error: ')}")
        remount("rw")
        env.take()
        readers.exactly_once(env.lake, ledger)
        row.observed("writable again: 20 of 20, each once")


def _fill(folder: Path, left: int) -> Path:
    """A file that leaves `left` KiB free on the folder's disk."""
    ballast = folder / "ballast"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    with ballast.open("wb") as file:
        file.write(bytes(max(free - left * 1024, 0)))
    return ballast
