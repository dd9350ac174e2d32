"""D1: the driver killed at every rename of a run that makes a lake and takes two batches in."""

import copy
import itertools
import os
import random
import signal
from pathlib import Path

import psutil
import pytest
from pyspark.sql import SparkSession

from faults import readers
from faults.damage import running
from faults.kill_points import State, every_state, standing_still
from faults.ledger import Ledger
from faults.plain_query import PlainQuery
from faults.rows import Row
from faults.scenario import resume
from support.sessions import OPEN
from support.survey_env import SurveyEnv, answers
from support.waiting import until
from surveylake.errors import SurveylakeError
from surveylake.lake.log_files import forget_half_made
from surveylake.lake.stream_checkpoint import Unusable, read_checkpoint
from surveylake.paths import CONF
from surveylake.verify.proof import prove

RECORDS, BATCH = 20, 10
KILLS = 5


@pytest.fixture
def jvm(spark: SparkSession) -> int:
    """The process id of this session's JVM: it is what writes to the lake."""
    return jvm_of(spark.sparkContext._gateway.proc.pid)


def jvm_of(pid: int) -> int:
    """The Java process among a process and its children."""
    top = psutil.Process(pid)
    return next(one.pid for one in [top, *top.children(recursive=True)] if one.name() == "java")


@pytest.mark.slow
@pytest.mark.fault(
    "D1",
    injected="the driver killed at every rename of a run: just before it, and just after it",
    expected="the next run converges: every record once, and verify proves it",
)
def test_a_kill_at_every_rename(env: SurveyEnv, jvm: int, row: Row, ledger: Ledger, tmp_path: Path) -> None:
    ledger.send(env.bootstrap, env.topic, answers(RECORDS))
    env.set_stream(max_offsets_per_trigger=BATCH)
    with every_state(jvm, env.lake, tmp_path / "states") as states:
        env.take()
    assert {"_checkpoints", "records"} <= {state.moment.split()[1].split("/")[0] for state in states}
    wrong = {state.moment: problems for state in states if (problems := _after(env, state.folder, ledger))}
    assert wrong == {}
    row.observed(
        f"{len(states)} states around {len(states) // 2} renames: {RECORDS} of {RECORDS} each time, once, proved"
    )


@pytest.mark.quick
def test_a_table_that_was_cut_off_while_it_was_made_is_made_again(tmp_path: Path) -> None:
    log = tmp_path / "records" / "_delta_log"
    (log / "_staged_commits").mkdir(parents=True)
    (log / ".00000000000000000000.json.5f2c.tmp").touch()
    forget_half_made(tmp_path / "records")
    assert not log.exists()


@pytest.mark.quick
@pytest.mark.parametrize(
    "trace", ["records/part-0.parquet", "records/_delta_log/.00000000000000000000.json.crc"]
)
def test_a_table_that_ever_had_a_commit_is_left_as_it_is(tmp_path: Path, trace: str) -> None:
    (tmp_path / "records" / "_delta_log").mkdir(parents=True)
    (tmp_path / trace).touch()
    forget_half_made(tmp_path / "records")
    assert (tmp_path / trace).exists()
    assert (tmp_path / "records" / "_delta_log").is_dir()


@pytest.mark.quick
def test_a_checkpoint_cut_off_in_its_first_batch_is_not_gone_on_from(tmp_path: Path) -> None:
    (tmp_path / "metadata").write_text('{"id":"x"}')
    (tmp_path / "offsets").mkdir()
    assert read_checkpoint(tmp_path, "t") is None
    (tmp_path / "offsets" / ".0.5f2c.tmp").touch()
    with pytest.raises(Unusable, match="first batch was cut off"):
        read_checkpoint(tmp_path, "t")


def _after(env: SurveyEnv, lake: Path, ledger: Ledger) -> list[str]:
    """What is wrong with a lake after the next run of the stream; empty when nothing is."""
    again = copy.copy(env)
    again.lake = lake
    try:
        again.take()
        readers.sound(lake, env.topic)
    except (SurveylakeError, AssertionError) as error:
        return [str(error)]
    proof = prove(OPEN, str(lake), env.config, env.contract)
    return readers.check(ledger, lake) + ([] if proof.proved else proof.lines())


@pytest.mark.slow
@pytest.mark.fault(
    "D1",
    injected="the driver killed at every rename of a run: just before it, and just after it",
    expected="the next run converges: every record once, and verify proves it",
    stock=True,
)
def test_the_naive_foreachbatch_at_every_rename(
    env: SurveyEnv, plain_query: PlainQuery, jvm: int, row: Row, ledger: Ledger, tmp_path: Path
) -> None:
    ledger.send(env.bootstrap, env.topic, answers(RECORDS))
    plain_query.table.parent.mkdir()
    with every_state(jvm, plain_query.table.parent, tmp_path / "states") as states:
        assert plain_query.run(plain_query.append, maxOffsetsPerTrigger=str(BATCH)).error == ""
    doubled: list[State] = []
    for state in states:
        again = PlainQuery(plain_query.spark, state.folder, env.bootstrap, env.topic)
        doubled += [state] if again.run(again.append).doubled else []
    assert any("commits/0" in state.moment for state in doubled)
    row.observed("the same sweep")
    row.plain_query(
        f"foreachBatch with append: status ok and doubled rows after {len(doubled)} of {len(states)} states"
    )


@pytest.mark.slow
@pytest.mark.fault(
    "D1",
    injected="the driver killed at every rename of a run: just before it, and just after it",
    expected="the next run converges: every record once, and verify proves it",
)
@pytest.mark.parametrize("number", random.Random(1).sample(range(12), KILLS))
def test_a_process_killed_at_a_rename(env: SurveyEnv, row: Row, ledger: Ledger, number: int) -> None:
    ledger.send(env.bootstrap, env.topic, answers(RECORDS))
    conf = env.folder / "small.toml"
    text = (CONF / "local.toml").read_text(encoding="utf-8")
    conf.write_text(text.replace("max_offsets_per_trigger = 20000000", f"max_offsets_per_trigger = {BATCH}"))
    renames = itertools.count()
    with running(env.command("--conf", str(conf))) as process:
        until((env.lake / "records").is_dir)

        def kill(*_: Path) -> None:
            if next(renames) == number:
                os.killpg(process.pid, signal.SIGKILL)

        with standing_still(jvm_of(process.pid), env.lake, kill):
            process.wait(120)
    assert process.returncode == -signal.SIGKILL
    resume(env, ledger)
    row.observed(f"{KILLS} processes killed for real, at renames by chance: the same")
