"""The stream on a real broker: every offset once, whatever happened before; checked by a reader that is not Spark."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession

import stream
from support import shell
from support.sessions import OPEN
from support.survey_env import SurveyEnv, answers
from support.waiting import until
from surveylake.config import Store
from surveylake.errors import StorageError, TopicError
from surveylake.lake import compaction
from surveylake.lake.lock import one_writer
from surveylake.lake.tables import Lake
from surveylake.stream import layout_watch, query
from surveylake.stream.batch_progress import Taken
from surveylake.stream.job import StreamJob
from surveylake.stream.layout_watch import LayoutWatch
from surveylake.stream.sink import DeltaSink
from surveylake.validate import fast_path, pipeline
from surveylake.validate.layout import Layout


def test_good_and_bad_records_land_in_one_table_with_their_verdict(env: SurveyEnv) -> None:
    env.send(20)
    env.send(3, start=20, Age="300")
    env.take()
    env.assert_every_offset_once(23)
    table = (
        DeltaTable(env.lake / "records")
        .to_pyarrow_table(columns=["accepted", "failed_rules", "value", "age"])
        .to_pylist()
    )
    bad = [row for row in table if not row["accepted"]]
    assert [row["failed_rules"] for row in bad] == [["out_of_range:Age"]] * 3
    assert all(json.loads(row["value"])["Age"] == "300" and row["age"] == 300 for row in bad)
    assert all(row["failed_rules"] == [] for row in table if row["accepted"])


def test_a_survey_of_many_questions_is_taken_in_alike(
    env: SurveyEnv, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str | None] = []
    write = DeltaSink.__call__

    def noted(sink: DeltaSink, batch: DataFrame, number: int) -> None:
        looked.append(batch.sparkSession.conf.get(query.SHARED_EXPRESSIONS))
        write(sink, batch, number)

    monkeypatch.setattr(DeltaSink, "__call__", noted)
    most = fast_path.MOST_IN_ONE_METHOD
    monkeypatch.setattr(fast_path, "MOST_IN_ONE_METHOD", 0)
    env.send(20)
    env.send(3, start=20, Age="300")
    env.take()
    env.assert_every_offset_once(23)
    table = DeltaTable(env.lake / "records").to_pyarrow_table(columns=["accepted", "age", "participant_id"])
    assert table["accepted"].to_pylist().count(True) == 20
    assert None not in [*table["age"].to_pylist(), *table["participant_id"].to_pylist()]
    assert set(looked) == {"false"}
    assert spark.conf.get(query.SHARED_EXPRESSIONS) == "true"  # for what the process does next
    looked.clear()
    monkeypatch.setattr(fast_path, "MOST_IN_ONE_METHOD", most)
    env.send(1, start=23)
    env.take()
    env.assert_every_offset_once(24)
    assert set(looked) == {"true"}


def test_a_second_run_takes_nothing_and_writes_nothing(
    env: SurveyEnv, capsys: pytest.CaptureFixture[str]
) -> None:
    env.send(10)
    env.take()
    version = DeltaTable(env.lake / "records").version()
    env.take()
    assert DeltaTable(env.lake / "records").version() == version
    assert "stream: 0 records" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize("in_pieces", [True, False])
def test_each_record_is_counted_once_in_pieces_or_at_the_end_although_its_file_was_compacted(
    env: SurveyEnv, in_pieces: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counts: list[str] = []
    compacted: list[str] = []
    write, count = DeltaSink.__call__, query.Intake.count

    def write_after_both(sink: DeltaSink, batch: DataFrame, number: int) -> None:
        until(lambda: number == 0 or (len(compacted) > 0 and (not in_pieces or len(counts) >= number)))
        write(sink, batch, number)

    def noted(intake: query.Intake) -> Taken:
        taken = count(intake)
        counts.append(taken.line())
        return taken

    def compact(*_: object) -> str:
        compacted.append(str(compaction.compact(SparkSession.active(), str(env.lake / "records"))))
        return compacted[-1]

    monkeypatch.setattr(DeltaSink, "__call__", write_after_both)
    monkeypatch.setattr(query.Intake, "count", noted)
    monkeypatch.setattr(query.Housekeeper, "after_batch", compact)
    monkeypatch.setattr(query, "COUNT_SECONDS", -1.0 if in_pieces else 3600.0)
    monkeypatch.setattr(query, "SPEAK_SECONDS", -1.0)
    env.set_stream(max_offsets_per_trigger=10)
    env.send(6, Age="300")
    env.send(20, start=6)
    env.send(2, start=26, Age="300", Juice="Beer")
    env.take()
    line = "28 records (accepted 20, rejected 8: out_of_range:Age 8, not_allowed:Juice 2)"
    assert counts[-1] == line and f"stream: {line} from topic" in capsys.readouterr().out
    assert len(counts) >= 3 if in_pieces else len(counts) == 1
    written = {path.name for path in (env.lake / "records").glob("*.parquet")}
    assert written > {Path(uri).name for uri in DeltaTable(env.lake / "records").file_uris()}


def test_a_query_starts_anew_for_a_layout_that_came_while_it_ran(
    env: SurveyEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[bool] = []
    layouts: list[Layout] = []
    write, look, learn = DeltaSink.__call__, LayoutWatch.has_changed, LayoutWatch.learn

    def write_then_wait_for_a_look(sink: DeltaSink, batch: DataFrame, number: int) -> None:
        if number == 0:
            env.send_values([turned(value) for value in answers(200, 40)], 40)
        until(lambda: number == 0 or len(looks) > 0)
        write(sink, batch, number)

    def noted(watch: LayoutWatch, newest: Sequence[bytes]) -> bool:
        looks.append(look(watch, newest))
        return looks[-1]

    def learned(watch: LayoutWatch, newest: Sequence[bytes]) -> None:
        learn(watch, newest)
        layouts.append(watch.layout)

    monkeypatch.setattr(DeltaSink, "__call__", write_then_wait_for_a_look)
    monkeypatch.setattr(LayoutWatch, "has_changed", noted)
    monkeypatch.setattr(LayoutWatch, "learn", learned)
    monkeypatch.setattr(layout_watch, "LOOK_SECONDS", -1.0)
    env.set_stream(max_offsets_per_trigger=10)
    env.send(40)
    env.take()
    env.assert_every_offset_once(240)
    assert looks.count(True) == 1
    assert [layout.members[0].name for layout in layouts] == ['"Participant_ID"', '"Dessert"']


def turned(value: bytes) -> bytes:
    """The answer with its fields in another order."""
    return json.dumps(dict(reversed(json.loads(value).items()))).encode()


def test_a_query_is_not_left_running_by_what_fails_beside_it(
    env: SurveyEnv, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("not foreseen")

    monkeypatch.setattr(LayoutWatch, "sees_another", fails)
    env.send(1)
    with pytest.raises(RuntimeError, match="not foreseen"):
        stream.stream(OPEN, str(env.lake), env.config, env.contract, "1 second")
    assert not spark.streams.active


def test_a_lost_checkpoint_resumes_from_the_offsets_in_the_table(env: SurveyEnv) -> None:
    env.send(10)
    env.take()
    shutil.rmtree(env.lake / "_checkpoints")
    env.send(5, start=10)
    env.take()
    env.assert_every_offset_once(15)


@pytest.mark.parametrize("torn", ["metadata", "offsets/0", "commits/0"])
def test_an_emptied_checkpoint_file_is_put_aside_and_nothing_is_read_twice(env: SurveyEnv, torn: str) -> None:
    env.send(10)
    env.take()
    checkpoint = env.lake / "_checkpoints" / "records" / "epoch-1"
    (checkpoint / torn).write_bytes(b"")
    env.send(5, start=10)
    env.take()
    env.assert_every_offset_once(15)
    assert (checkpoint.parent / "epoch-1.retired-1").is_dir()


def test_a_commit_file_that_was_never_written_changes_nothing_on_replay(env: SurveyEnv) -> None:
    env.send(10)
    env.take()
    for name in ("0", ".0.crc"):
        (env.lake / "_checkpoints" / "records" / "epoch-1" / "commits" / name).unlink(missing_ok=True)
    env.take()
    env.assert_every_offset_once(10)


def test_a_restored_table_is_filled_again_from_the_topic(env: SurveyEnv, spark: SparkSession) -> None:
    env.send(10)
    env.take()
    env.send(5, start=10)
    env.take()
    spark.sql(f"RESTORE TABLE delta.`{env.lake / 'records'}` TO VERSION AS OF 1")
    assert len(env.rows()) == 10
    env.take()
    env.assert_every_offset_once(15)


def test_a_topic_made_anew_is_refused_and_joins_as_a_new_epoch_when_accepted(env: SurveyEnv) -> None:
    env.send(10)
    env.take()
    env.make_topic_anew()
    env.send(15)
    with pytest.raises(TopicError, match="was deleted and made anew") as refused:
        env.take()
    assert "--accept-new-topic" in refused.value.hint
    assert len(env.rows()) == 10
    env.take(accept_new_topic=True)
    env.assert_every_offset_once(25)
    assert {epoch for epoch, _, _ in env.rows()} == {1, 2}


def test_records_that_expired_unread_stop_the_stream_and_are_named(env: SurveyEnv) -> None:
    env.send(20)
    env.take()
    env.send(20, start=20)
    ends = {p: max(o for _, q, o in env.rows() if q == p) + 1 for p in (0, 1)}
    admin = AdminClient({"bootstrap.servers": env.config.kafka.bootstrap})
    part = TopicPartition(env.contract.topic, 0, ends[0] + 2)
    admin.delete_records([part])[part].result()
    with pytest.raises(TopicError, match=rf"partition 0: offsets {ends[0]} to {ends[0] + 1} \(2 records\)"):
        env.take()
    env.take(accept_loss=True)
    assert len(env.rows()) == 38
    properties = DeltaTable(env.lake / "records").metadata().configuration
    assert f"surveylake.loss.1.0.{ends[0]}-{ends[0] + 1}" in properties


def test_the_offsets_taken_are_mirrored_into_the_consumer_group_of_the_configuration(env: SurveyEnv) -> None:
    kafka = env.config.kafka.model_copy(update={"consumer_group": f"lag-{env.contract.topic}"})
    env.config = env.config.model_copy(update={"kafka": kafka})
    env.send(10)
    env.take()
    asked = ConsumerGroupTopicPartitions(kafka.consumer_group)
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    ends = {p: max(o for _, q, o in env.rows() if q == p) + 1 for p in (0, 1)}

    def shown() -> dict[int, int]:
        try:
            found = admin.list_consumer_group_offsets([asked])[kafka.consumer_group].result().topic_partitions
        except KafkaException:
            return {}  # the group's coordinator is being chosen
        return {part.partition: part.offset for part in found}

    until(lambda: shown() == ends, 20)


@pytest.mark.parametrize(
    ("pays", "stays", "few"), [(2, False, True), (1, False, False), (2, True, False)], ids=str
)
def test_a_process_that_ends_after_few_records_has_less_compiled(
    env: SurveyEnv, monkeypatch: pytest.MonkeyPatch, pays: int, stays: bool, few: bool
) -> None:
    chosen: list[bool] = []

    def validated(*arguments: Any) -> DataFrame:
        chosen.append(arguments[-1])
        return pipeline.validated(*arguments)

    monkeypatch.setattr(query, "validated", validated)
    monkeypatch.setattr(query, "PAYS", pays)
    env.send(1)
    env.take(process_stays=stays)
    assert chosen == [few]


def test_a_missing_topic_is_refused_with_names_like_it(env: SurveyEnv) -> None:
    close = env.contract.model_copy(update={"topic": env.contract.topic + "x"})
    with pytest.raises(TopicError, match="not found") as refused:
        stream.stream(OPEN, str(env.lake), env.config, close, "available-now")
    assert env.contract.topic in refused.value.message + refused.value.hint


def test_a_second_writer_is_refused_with_the_holder_named(
    env: SurveyEnv, capsys: pytest.CaptureFixture[str]
) -> None:
    with one_writer(str(env.lake), "the first"):
        code = shell.run(env.command(), env.folder / "var", 60)
    assert code.returncode == StorageError.exit_code
    assert f"the first (process {os.getpid()})" in code.stderr
    assert "Traceback" not in code.stderr


def test_kill_9_in_mid_run_then_a_rerun_has_every_offset_once(env: SurveyEnv) -> None:
    env.send(4000)
    process = subprocess.Popen(env.command("--conf", str(env.with_limit(100))), start_new_session=True,
                               env=shell.environment(env.folder / "var"),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    log = env.lake / "records" / "_delta_log"
    until(lambda: log.is_dir() and len(list(log.glob("*.json"))) > 4)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert 0 < len(env.rows()) < 4000
    env.take()
    env.assert_every_offset_once(4000)


def test_sigterm_ends_a_running_stream_after_its_batch_with_exit_code_0(env: SurveyEnv) -> None:
    env.send(50)
    process = subprocess.Popen(
        env.command("--trigger", "1 second"),
        env=shell.environment(env.folder / "var"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    first = env.lake / "records" / "_delta_log" / f"{1:020d}.json"
    until(lambda: first.is_file() and len(env.rows()) == 50)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "stream: 50 records (accepted 50, rejected 0)" in out
    env.take()
    env.assert_every_offset_once(50)


def test_a_failure_names_the_store_of_a_lake_at_a_uri() -> None:
    def said(root: str) -> str:
        config = SimpleNamespace(store=Store(endpoint="http://store:8333"))
        job = cast(StreamJob, SimpleNamespace(lake=Lake(root), config=config))
        return query.explained(job, ConnectionRefusedError("Connection refused")).message

    assert said("s3a://bucket/lake") == (
        "the stream into s3a://bucket/lake at http://store:8333 stopped: Connection refused"
    )
    assert said("/data/lake") == "the stream stopped: Connection refused"
