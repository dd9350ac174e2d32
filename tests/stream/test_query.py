"""The stream on a real broker: every offset once, whatever happened before; checked by a reader that is not Spark."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession

import stream
from support.survey_env import Town, until
from surveylake.errors import StorageError, TopicError
from surveylake.lake import maintenance
from surveylake.lake.lock import one_writer
from surveylake.stream import query
from surveylake.stream.batch_progress import Taken


def test_good_and_bad_records_land_in_one_table_with_their_verdict(town: Town) -> None:
    town.send(20)
    town.send(3, start=20, Age="300")
    town.take()
    town.assert_every_offset_once(23)
    table = (
        DeltaTable(town.lake / "records")
        .to_pyarrow_table(columns=["accepted", "failed_rules", "value", "age"])
        .to_pylist()
    )
    bad = [row for row in table if not row["accepted"]]
    assert [row["failed_rules"] for row in bad] == [["out_of_range:Age"]] * 3
    assert all(json.loads(row["value"])["Age"] == "300" and row["age"] == 300 for row in bad)
    assert all(row["failed_rules"] == [] for row in table if row["accepted"])


def test_a_second_run_takes_nothing_and_writes_nothing(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    town.send(10)
    town.take()
    version = DeltaTable(town.lake / "records").version()
    town.take()
    assert DeltaTable(town.lake / "records").version() == version
    assert "stream: 0 records" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize("in_pieces", [True, False])
def test_each_record_is_counted_once_in_pieces_or_at_the_end_although_its_file_was_compacted(
    town: Town, in_pieces: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counts: list[str] = []
    compacted: list[str] = []
    write, count = query.Landing.__call__, query.Intake.count

    def write_after_both(landing: query.Landing, batch: DataFrame, number: int) -> None:
        until(lambda: number == 0 or (len(compacted) > 0 and (not in_pieces or len(counts) >= number)))
        write(landing, batch, number)

    def noted(intake: query.Intake) -> Taken:
        taken = count(intake)
        counts.append(taken.line())
        return taken

    def compact(*_: object) -> str:
        compacted.append(str(maintenance.compact(SparkSession.active(), str(town.lake / "records"))))
        return compacted[-1]

    monkeypatch.setattr(query.Landing, "__call__", write_after_both)
    monkeypatch.setattr(query.Intake, "count", noted)
    monkeypatch.setattr(query.Housekeeper, "after_batch", compact)
    monkeypatch.setattr(query, "COUNT_SECONDS", -1.0 if in_pieces else 3600.0)
    monkeypatch.setattr(query, "SPEAK_SECONDS", -1.0)
    town.set_stream(max_offsets_per_trigger=10)
    town.send(6, Age="300")
    town.send(20, start=6)
    town.send(2, start=26, Age="300", Juice="Beer")
    town.take()
    line = "28 records (accepted 20, rejected 8: out_of_range:Age 8, not_allowed:Juice 2)"
    assert counts[-1] == line and f"stream: {line} from topic" in capsys.readouterr().out
    assert len(counts) >= 3 if in_pieces else len(counts) == 1
    written = {path.name for path in (town.lake / "records").glob("*.parquet")}
    assert written > {Path(uri).name for uri in DeltaTable(town.lake / "records").file_uris()}


def test_a_lost_checkpoint_resumes_from_the_offsets_in_the_table(town: Town) -> None:
    town.send(10)
    town.take()
    shutil.rmtree(town.lake / "_checkpoints")
    town.send(5, start=10)
    town.take()
    town.assert_every_offset_once(15)


@pytest.mark.parametrize("torn", ["metadata", "offsets/0", "commits/0"])
def test_an_emptied_checkpoint_file_is_put_aside_and_nothing_is_read_twice(town: Town, torn: str) -> None:
    town.send(10)
    town.take()
    checkpoint = town.lake / "_checkpoints" / "records" / "epoch-1"
    (checkpoint / torn).write_bytes(b"")
    town.send(5, start=10)
    town.take()
    town.assert_every_offset_once(15)
    assert (checkpoint.parent / "epoch-1.retired-1").is_dir()


def test_a_commit_file_that_was_never_written_changes_nothing_on_replay(town: Town) -> None:
    town.send(10)
    town.take()
    for name in ("0", ".0.crc"):
        (town.lake / "_checkpoints" / "records" / "epoch-1" / "commits" / name).unlink(missing_ok=True)
    town.take()
    town.assert_every_offset_once(10)


def test_a_restored_table_is_filled_again_from_the_topic(town: Town, spark: SparkSession) -> None:
    town.send(10)
    town.take()
    town.send(5, start=10)
    town.take()
    spark.sql(f"RESTORE TABLE delta.`{town.lake / 'records'}` TO VERSION AS OF 1")
    assert len(town.rows()) == 10
    town.take()
    town.assert_every_offset_once(15)


def test_a_topic_made_anew_is_refused_and_joins_as_a_new_epoch_when_accepted(town: Town) -> None:
    town.send(10)
    town.take()
    town.make_topic_anew()
    town.send(15)
    with pytest.raises(TopicError, match="was deleted and made anew") as refused:
        town.take()
    assert "--accept-new-topic" in refused.value.hint
    assert len(town.rows()) == 10
    town.take(accept_new_topic=True)
    town.assert_every_offset_once(25)
    assert {epoch for epoch, _, _ in town.rows()} == {1, 2}


def test_records_that_expired_unread_stop_the_stream_and_are_named(town: Town) -> None:
    town.send(20)
    town.take()
    town.send(20, start=20)
    ends = {p: max(o for _, q, o in town.rows() if q == p) + 1 for p in (0, 1)}
    admin = AdminClient({"bootstrap.servers": town.config.kafka.bootstrap})
    part = TopicPartition(town.contract.topic, 0, ends[0] + 2)
    admin.delete_records([part])[part].result()
    with pytest.raises(TopicError, match=rf"partition 0: offsets {ends[0]} to {ends[0] + 1} \(2 records\)"):
        town.take()
    town.take(accept_loss=True)
    assert len(town.rows()) == 38
    properties = DeltaTable(town.lake / "records").metadata().configuration
    assert f"surveylake.loss.1.0.{ends[0]}-{ends[0] + 1}" in properties


def test_the_offsets_taken_are_mirrored_into_the_consumer_group_of_the_configuration(town: Town) -> None:
    kafka = town.config.kafka.model_copy(update={"consumer_group": f"lag-{town.contract.topic}"})
    town.config = town.config.model_copy(update={"kafka": kafka})
    town.send(10)
    town.take()
    asked = ConsumerGroupTopicPartitions(kafka.consumer_group)
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    ends = {p: max(o for _, q, o in town.rows() if q == p) + 1 for p in (0, 1)}

    def shown() -> dict[int, int]:
        try:
            found = admin.list_consumer_group_offsets([asked])[kafka.consumer_group].result().topic_partitions
        except KafkaException:
            return {}  # the group's coordinator is being chosen
        return {part.partition: part.offset for part in found}

    until(lambda: shown() == ends, 20)


def test_a_missing_topic_is_refused_with_names_like_it(town: Town) -> None:
    close = town.contract.model_copy(update={"topic": town.contract.topic + "x"})
    with pytest.raises(TopicError, match="not found") as refused:
        stream.stream(str(town.lake), town.config, close, "available-now")
    assert town.contract.topic in refused.value.message + refused.value.hint


def test_a_second_writer_is_refused_with_the_holder_named(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    with one_writer(str(town.lake), "the first"):
        code = subprocess.run(town.command(), capture_output=True, text=True, timeout=60)
    assert code.returncode == StorageError.exit_code
    assert f"the first (process {os.getpid()})" in code.stderr
    assert "Traceback" not in code.stderr


def test_kill_9_in_mid_run_then_a_rerun_has_every_offset_once(town: Town) -> None:
    town.send(4000)
    process = subprocess.Popen(town.command("--conf", str(town.with_limit(100))), start_new_session=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    log = town.lake / "records" / "_delta_log"
    until(lambda: log.is_dir() and len(list(log.glob("*.json"))) > 4)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert 0 < len(town.rows()) < 4000
    town.take()
    town.assert_every_offset_once(4000)


def test_sigterm_ends_a_running_stream_after_its_batch_with_exit_code_0(town: Town) -> None:
    town.send(50)
    process = subprocess.Popen(
        town.command("--trigger", "1 second"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    first = town.lake / "records" / "_delta_log" / f"{1:020d}.json"
    until(lambda: first.is_file() and len(town.rows()) == 50)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "stream: 50 records (accepted 50, rejected 0)" in out
    town.take()
    town.assert_every_offset_once(50)
