"""A sound lake is proved; a lake with one fault is not, and the fault is named."""

import dataclasses
import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession

import aggregate
import verify
from support import pets_survey
from support.sessions import OPEN
from surveylake.aggregate.record_counts import at_version
from surveylake.config import Publish
from surveylake.contract.model import Contract
from surveylake.errors import ProofError
from surveylake.kafka.embedded_node import free_port
from surveylake.lake import stream_checkpoint as cp
from surveylake.lake.tables import RECORDS, RESPONSES, Lake
from surveylake.verify import checkpoint as proof_checkpoint
from surveylake.verify import coverage
from surveylake.verify import offsets as proof_offsets
from surveylake.verify import proof as proof_lake
from surveylake.verify import topic as proof_topic
from surveylake.verify.broker import Broker, reach
from surveylake.verify.checks import NOT_PROVED, PROVED, SAID, Check, Proof
from surveylake.verify.logs import LOG, Log, missing_data, read_log
from surveylake.verify.offsets import Claim
from surveylake.verify.published import _responses, published

TOPIC = "verified"


@pytest.fixture(scope="module")
def sound(spark: SparkSession, broker: str, home: Path, survey: Contract) -> Path:
    """Two batches and what was made of them: partition 0 has offsets 0 to 6, partition 1 has 0 and 1. Tests break copies."""
    lake, settings = home / "lake", pets_survey.config(broker)
    pets_survey.send(settings, TOPIC, [pets_survey.answer(who) for who in "abcd"])
    pets_survey.take_in(lake, settings, survey)
    pets_survey.send(settings, TOPIC, [pets_survey.answer("e"), b"{", pets_survey.answer("a", "dog")])
    pets_survey.send(
        settings, TOPIC, [pets_survey.answer("f", "dog"), pets_survey.answer("g", age=99)], partition=1
    )
    pets_survey.take_in(lake, settings, survey)
    aggregate.aggregate(OPEN, str(lake), settings, survey)
    return lake


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound, tmp_path / "lake")
    return tmp_path / "lake"


@pytest.fixture(scope="module")
def kafka(broker: str, sound: Path) -> Broker:
    return reach(pets_survey.config(broker).kafka, TOPIC)


def run(lake: Path, home: Path, broker: str, *more: str) -> int:
    return verify.main(
        ["--lake", str(lake), "--survey", str(home / f"{TOPIC}.toml"), "--bootstrap", broker, *more]
    )


def log_of(table: Path) -> Log:
    def no_checkpoint(_: object) -> Iterator[dict[str, object]]:
        raise AssertionError("this log has no checkpoint")

    return read_log(table, no_checkpoint)


def newest(table: Path) -> Path:
    return max((table / LOG).glob("*.json"))


def test_a_sound_lake_is_proved(
    sound: Path, home: Path, broker: str, survey: Contract, capsys: pytest.CaptureFixture[str]
) -> None:
    pets_survey.send(pets_survey.config(broker), TOPIC, [pets_survey.answer("h")], partition=1)
    assert run(sound, home, broker) == 0
    out = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[-1].startswith(
        "proved: 9 records in 2 partitions of version 2 of records, every offset from first to"
    )
    assert lines[-1].endswith("last exactly once (the broker agrees)")
    assert "offsets epoch 1 partition 0 proved 0 to 6: 7 records, each once" in lines
    assert "lag verified said 1 offset not taken in yet (partition 1: 1)" in lines
    assert "checkpoint epoch-1 proved batch 1 ends where the table does" in lines
    assert any(line.startswith("answers responses proved 6 participants, each once") for line in lines)
    assert any(line.startswith("took: logs ") for line in lines)
    assert NOT_PROVED not in out


def test_without_a_broker_it_says_so_and_proves_the_rest(
    sound: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(sound, home, f"127.0.0.1:{free_port()}", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["proved"]
    assert result["verdict"].endswith("(without a broker)")
    assert [c["verdict"] for c in result["checks"] if c["what"] == "broker"] == [SAID]
    assert not [c for c in result["checks"] if c["what"] in ("identity", "lag")]


def test_a_record_that_is_gone_from_the_table_is_named(
    spark: SparkSession, copy: Path, home: Path, broker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spark.sql(f"DELETE FROM delta.`{copy / RECORDS}` WHERE partition = 0 AND offset IN (0, 3)")
    assert run(copy, home, broker) == ProofError.exit_code
    out = capsys.readouterr().out
    assert "2 records in the topic and not in the table: 2 offsets (0, 3)" in out
    assert out.splitlines()[-2].startswith("NOT proved: offsets of epoch 1 partition 0")
    assert "next: " in out.splitlines()[-1]


@pytest.mark.parametrize(
    ("gone", "records"),
    [
        ("partition = 1", "2 records in the topic and not in the table: 2 offsets (0 to 1)"),
        ("true", "9 records"),
    ],
)
def test_rows_that_are_all_gone_of_a_partition_or_of_the_table_are_not_proved(
    spark: SparkSession,
    copy: Path,
    home: Path,
    broker: str,
    capsys: pytest.CaptureFixture[str],
    gone: str,
    records: str,
) -> None:
    spark.sql(f"DELETE FROM delta.`{copy / RECORDS}` WHERE {gone}")
    assert run(copy, home, broker) == ProofError.exit_code
    conclusion = f"NOT proved: checkpoint of epoch-1: batch 1 read more than the table has: {records}"
    assert any(line.startswith(conclusion) for line in capsys.readouterr().out.splitlines())


def test_rows_that_are_gone_from_before_a_new_checkpoint_are_not_proved(
    spark: SparkSession, copy: Path, home: Path, broker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The checkpoint began where the rows ended, as one does after the last was lost."""
    began = copy / "_checkpoints" / RECORDS / "epoch-1" / "sources" / "0" / "0"
    began.write_text("\0v1\n" + json.dumps({TOPIC: {"0": 7, "1": 2}}))
    assert run(copy, home, broker) == 0
    spark.sql(f"DELETE FROM delta.`{copy / RECORDS}` WHERE partition = 1")
    assert run(copy, home, broker) == ProofError.exit_code
    conclusion = "NOT proved: offsets of epoch 1 partition 1: 2 records in the topic and not in the table"
    assert any(line.startswith(conclusion) for line in capsys.readouterr().out.splitlines())


# --- the log: faults that readers pass over in silence


def empty_commit(table: Path) -> None:
    newest(table).write_bytes(b"")


def torn_commit(table: Path) -> None:
    newest(table).write_bytes(newest(table).read_bytes()[:-40])


def torn_commit_without_its_checksum(table: Path) -> None:
    torn_commit(table)
    newest(table).with_name(f".{newest(table).name}.crc").unlink()


def commit_torn_between_lines(table: Path) -> None:
    """Every line that is left is whole; only a checksum can tell."""
    lines = newest(table).read_bytes().splitlines(keepends=True)
    newest(table).write_bytes(b"".join(lines[:-1]))


def commit_and_its_checksum_torn(table: Path) -> None:
    commit_torn_between_lines(table)
    newest(table).with_name(f".{newest(table).name}.crc").unlink()


def checksum_lists_another_file(table: Path) -> None:
    path = newest(table).with_suffix(".crc")
    checksum = json.loads(path.read_bytes())
    checksum["allFiles"][0]["path"] = "part-00000-another.parquet"
    path.write_text(json.dumps(checksum))


def deleted_commit(table: Path) -> None:
    newest(table).unlink()


def deleted_middle(table: Path) -> None:
    (table / LOG / f"{1:020d}.json").unlink()


def pointer_to_nothing(table: Path) -> None:
    (table / LOG / "_last_checkpoint").write_text('{"version": 1, "size": 3}')


def empty_pointer(table: Path) -> None:
    (table / LOG / "_last_checkpoint").touch()


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (empty_commit, "is empty"),
        (torn_commit, "is torn"),
        (torn_commit_without_its_checksum, "is torn"),
        (commit_torn_between_lines, "is torn"),
        (commit_and_its_checksum_torn, "a commit was replaced"),
        (checksum_lists_another_file, "the checksum of version 2 lists other files than the log"),
        (deleted_commit, "version 2 was there and is gone"),
        (deleted_middle, "version 1 is missing"),
        (pointer_to_nothing, "no whole checkpoint"),
        (empty_pointer, "_last_checkpoint is empty or torn"),
    ],
)
def test_a_damaged_log_is_named(copy: Path, fault: object, named: str) -> None:
    assert log_of(copy / RECORDS).messages == []
    fault(copy / RECORDS)  # type: ignore[operator]
    assert named in "; ".join(log_of(copy / RECORDS).messages)


def test_an_empty_newest_commit_is_told_before_spark_reads_less(
    copy: Path, home: Path, broker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    empty_commit(copy / RECORDS)
    assert run(copy, home, broker) == ProofError.exit_code
    out = capsys.readouterr().out
    assert "00000000000000000002.json is empty" in out
    assert "docs/reliability.md" in out.splitlines()[-1]


def test_a_newest_commit_gone_without_a_trace_shows_in_the_checkpoint(copy: Path) -> None:
    delete_newest_version(copy / RECORDS)
    log = log_of(copy / RECORDS)
    assert (log.messages, log.version) == ([], 1)
    check = checkpoint_check(copy, {0: 4}, log.batch_by_query)
    assert check.status == NOT_PROVED
    assert "batch 1 is done, and the table has its batch 0 last" in check.detail


def delete_newest_version(table: Path) -> None:
    """Delete every file whose name carries the newest version."""
    name = newest(table).stem
    for trace in [path for path in (table / LOG).iterdir() if name in path.name]:
        trace.unlink()


def test_the_documented_way_back_from_an_empty_newest_commit(
    spark: SparkSession, copy: Path, broker: str, survey: Contract
) -> None:
    empty_commit(copy / RECORDS)
    delete_newest_version(copy / RECORDS)
    pets_survey.take_in(copy, pets_survey.config(broker), survey)
    proof = proof_lake.prove(OPEN, str(copy), pets_survey.config(broker), survey)
    offsets = [check.status for check in proof.checks if check.what in ("offsets", "checkpoint", "identity")]
    assert offsets == [PROVED] * 4
    rows = DeltaTable(str(copy / RECORDS)).to_pyarrow_table().select(["partition", "offset"]).to_pylist()
    assert sorted((row["partition"], row["offset"]) for row in rows)[:7] == [(0, n) for n in range(7)]


def test_missing_short_and_flipped_data_files_are_named(copy: Path) -> None:
    log = log_of(copy / RECORDS)
    assert missing_data(log, deep=True) == []
    gone, short, flipped = sorted(log.files)[:3]
    (copy / RECORDS / gone).unlink()
    whole = (copy / RECORDS / short).read_bytes()
    (copy / RECORDS / short).write_bytes(whole[:-1])
    content = bytearray((copy / RECORDS / flipped).read_bytes())
    content[40] ^= 1
    (copy / RECORDS / flipped).write_bytes(content)
    messages = missing_data(log, deep=True)
    assert messages == [
        f"{gone} is missing",
        f"{short} has {len(whole) - 1:,} bytes instead of {len(whole):,}",
        f"{flipped} differs from its checksum",
    ]
    assert missing_data(log) == messages[:2]


def test_a_log_is_read_from_its_checkpoint_when_older_commits_are_gone(
    spark: SparkSession, tmp_path: Path
) -> None:
    table = tmp_path / "table"
    for n in range(4):
        options = {"txnAppId": "query", "txnVersion": str(n), "path": str(table)}
        frame = spark.range(n, n + 1).coalesce(1).write.format("delta").mode("append").options(**options)
        frame.option("delta.checkpointInterval", "2").save()
    for version in (0, 1, 2):
        (table / LOG / f"{version:020d}.json").unlink()
    log = read_log(table, partial(proof_lake.read_checkpoint, OPEN))
    assert (log.messages, log.version, log.batch_by_query) == ([], 3, {"query": 3})
    assert sorted(log.files) == sorted(
        DeltaTable(str(table)).file_uris() and [Path(u).name for u in DeltaTable(str(table)).file_uris()]
    )
    assert log.configuration["delta.checkpointInterval"] == "2"
    assert [field["name"] for field in json.loads(log.schema)["fields"]] == ["id"]
    (checkpoint,) = (table / LOG).glob(f"{2:020d}.checkpoint*.parquet")
    checkpoint.write_bytes(b"")
    assert "is empty or torn" in read_log(table, partial(proof_lake.read_checkpoint, OPEN)).messages[0]


# --- offsets


def frame_of(spark: SparkSession, offsets: list[int]) -> DataFrame:
    return spark.createDataFrame(
        [(1, 0, offset) for offset in offsets], "epoch int, partition int, offset bigint"
    ).coalesce(1)


def offsets_check(
    spark: SparkSession, offsets: list[int], lost: list[tuple[int, int]], broker: Broker | None
) -> Check:
    records = frame_of(spark, offsets)
    (cover,) = coverage.partition_coverage(records)
    (check,) = proof_offsets.checks(records, [Claim(cover, lost, broker)])
    return check


def test_a_double_that_hides_a_hole_is_seen(spark: SparkSession) -> None:
    """Count, smallest and largest are those of a sound partition."""
    check = offsets_check(spark, [0, 1, 2, 2, 4], [], None)
    assert check.status == NOT_PROVED
    assert check.detail == "1 row too many: offset 2 more than once"


def test_a_hole_is_not_proved_without_a_broker(spark: SparkSession) -> None:
    check = offsets_check(spark, [0, 1, 4], [], None)
    assert check.status == NOT_PROVED
    assert "2 offsets (2 to 3) not in the table, and no broker was asked" in check.detail


def test_an_accepted_loss_is_named_and_is_no_hole(spark: SparkSession) -> None:
    key = "surveylake.loss.1.0.2-3"
    lost = proof_offsets.accepted_losses({key: "accepted", "surveylake.loss.1.1.2-3": "accepted"}, 1, 0)
    check = offsets_check(spark, [0, 1, 4], lost, None)
    assert check.status == PROVED
    assert check.detail == "0 to 4: 3 records, each once; 2 offsets accepted as lost"
    assert offsets_check(spark, [0, 1, 5], lost, None).status == NOT_PROVED


def test_bits_count_across_the_edges_of_their_words(spark: SparkSession) -> None:
    edge = coverage.WORD
    for missing in (edge - 1, edge, edge + 1, 2 * edge):
        records = (
            spark.range(0, 3 * edge)
            .where(f"id <> {missing}")
            .selectExpr("1 AS epoch", "0 AS partition", "id AS offset")
        )
        (cover,) = coverage.partition_coverage(records)
        assert (cover.first, cover.last, cover.rows, cover.distinct) == (
            0,
            3 * edge - 1,
            3 * edge - 1,
            3 * edge - 1,
        )
        assert coverage.holes(records, [cover]) == {(1, 0): [(missing, missing)]}


@pytest.mark.parametrize(
    ("ranges", "excluded", "expected"),
    [
        ([(1, 9)], [(3, 4)], [(1, 2), (5, 9)]),
        ([(1, 9)], [(0, 10)], []),
        ([(1, 2), (5, 9)], [(2, 5)], [(1, 1), (6, 9)]),
        ([(4, 4)], [(1, 2)], [(4, 4)]),
        ([(4, 4)], [], [(4, 4)]),
    ],
)
def test_ranges_are_taken_out_of_ranges(
    ranges: list[tuple[int, int]], excluded: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    assert coverage.without(ranges, excluded) == expected


def test_what_the_broker_no_longer_keeps_or_never_had_is_not_proved(
    spark: SparkSession, kafka: Broker
) -> None:
    check = offsets_check(spark, [0, 1, 1000], [], kafka)
    assert check.status == NOT_PROVED
    assert "the topic ends at offset 7" in check.detail


def test_aborted_transactions_are_told_from_losses(spark: SparkSession, broker: str, tmp_path: Path) -> None:
    topic = "transactional"
    survey, settings, lake = (
        pets_survey.contract(tmp_path, topic),
        pets_survey.config(broker, 1),
        tmp_path / "lake",
    )
    pets_survey.create_topic(settings.kafka, topic)
    producer = Producer({"bootstrap.servers": broker, "transactional.id": "pets"})
    producer.init_transactions(30)
    for who, good in (("ab", True), ("cd", False), ("ef", True), ("g", False)):
        producer.begin_transaction()
        for one in who:
            producer.produce(topic, pets_survey.answer(one), partition=0)
        assert producer.flush(30) == 0
        producer.commit_transaction(30) if good else producer.abort_transaction(30)
    pets_survey.take_in(lake, settings, survey)
    assert (
        DeltaTable(str(lake / RECORDS)).to_pyarrow_table().column("offset").to_pylist()
        == committed(broker, topic)
        == [0, 1, 6, 7]
    )
    proof = proof_lake.prove(OPEN, str(lake), settings, survey)
    by_what = {check.what: check for check in proof.checks if check.where != RESPONSES}
    detail = "0 to 7: 4 records, each once; 4 offsets without a record, the broker says: 2 aborted, 2 end of a transaction"
    assert (by_what["offsets"].status, by_what["offsets"].detail) == (PROVED, detail)
    assert by_what["checkpoint"].status == PROVED
    assert "1 aborted, 2 end of a transaction" in by_what["checkpoint"].detail
    assert proof.proved


def committed(broker: str, topic: str) -> list[int]:
    """Return the offsets that a plain read_committed consumer gets."""
    options = {
        "bootstrap.servers": broker,
        "group.id": "plain",
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
    }
    consumer = Consumer({**options, "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    offsets = []
    while (message := consumer.poll(10)) is not None and message.error() is None:
        offsets.append(message.offset())
    consumer.close()
    return offsets


# --- checkpoint, identity


def checkpoint_check(
    lake: Path, ends: cp.Offsets, batch_by_query: dict[str, int], broker: Broker | None = None
) -> Check:
    folder = lake / "_checkpoints" / RECORDS / "epoch-1"
    done = proof_checkpoint.newest_done(folder)
    return proof_checkpoint.check(folder, TOPIC, ends, done, batch_by_query, broker)


def test_a_checkpoint_ahead_of_the_table_is_named(copy: Path, kafka: Broker) -> None:
    """So is a table that was RESTOREd: its rows go back, the batch number in its log does not."""
    batch_by_query = log_of(copy / RECORDS).batch_by_query
    assert checkpoint_check(copy, {0: 7, 1: 2}, batch_by_query).status == PROVED
    check = checkpoint_check(copy, {0: 4, 1: 2}, batch_by_query, kafka)
    assert check.status == NOT_PROVED
    assert "3 records in the topic and not in the table: 3 offsets (4 to 6)" in check.detail


def test_a_checkpoint_behind_the_table_is_named(copy: Path) -> None:
    folder = copy / "_checkpoints" / RECORDS / "epoch-1"
    batch_by_query = log_of(copy / RECORDS).batch_by_query
    for kind in ("offsets", "commits"):
        (folder / kind / "1").unlink()
    check = checkpoint_check(copy, {0: 7, 1: 2}, batch_by_query)
    assert check.status == NOT_PROVED


def test_rows_that_no_batch_of_the_checkpoint_read_are_named(copy: Path) -> None:
    check = checkpoint_check(copy, {0: 7, 1: 4}, log_of(copy / RECORDS).batch_by_query)
    assert check.status == NOT_PROVED
    assert "the table has rows of partition 1 to offset 3" in check.detail


def test_a_batch_that_is_in_the_table_and_not_yet_called_done_is_sound(copy: Path) -> None:
    (copy / "_checkpoints" / RECORDS / "epoch-1" / "commits" / "1").unlink()
    assert checkpoint_check(copy, {0: 7, 1: 2}, log_of(copy / RECORDS).batch_by_query).status == PROVED


def test_a_checkpoint_of_another_lake_is_named(copy: Path) -> None:
    check = checkpoint_check(copy, {0: 7, 1: 2}, {"another query": 1})
    assert check.status == NOT_PROVED
    assert "none of its batches" in check.detail


@pytest.mark.parametrize("file", ["metadata", "offsets/1", "commits/1"])
def test_an_empty_checkpoint_file_is_named(copy: Path, file: str) -> None:
    (copy / "_checkpoints" / RECORDS / "epoch-1" / file).write_bytes(b"")
    check = checkpoint_check(copy, {0: 7, 1: 2}, log_of(copy / RECORDS).batch_by_query)
    assert check.status == NOT_PROVED
    assert "cannot be used" in check.detail


def test_no_checkpoint_is_said(copy: Path) -> None:
    shutil.rmtree(copy / "_checkpoints")
    assert checkpoint_check(copy, {0: 7, 1: 2}, {}).status == SAID


def test_another_topic_of_the_same_name_is_not_asked(kafka: Broker) -> None:
    asked = (kafka, Check("broker", TOPIC, SAID, ""))
    broker, check = proof_topic.same_topic(asked, "other/topic", 1)
    assert broker is None
    assert check.status == NOT_PROVED
    own = f"{kafka.identity.cluster_id}/{kafka.identity.topic_id}"
    assert proof_topic.same_topic(asked, own, 1)[1].status == PROVED


def test_a_topic_shorter_than_the_table_is_not_called_lag(kafka: Broker) -> None:
    assert proof_topic.lag(kafka, {0: 7, 1: 2}).status == SAID
    check = proof_topic.lag(kafka, {0: 8, 1: 2})
    assert (check.status, "partition 0 ends at 7, the table at 8" in check.detail) == (NOT_PROVED, True)


def test_what_expired_unread_is_no_lag_and_what_was_accepted_is_neither(
    spark: SparkSession, kafka: Broker
) -> None:
    expired = dataclasses.replace(kafka, kept={0: (9, 12), 1: (0, 3)})
    check = proof_topic.lag(expired, {0: 7, 1: 2})
    assert (check.status, check.detail) == (
        NOT_PROVED,
        "offsets expired before they were taken in, partition 0: 7 to 8",
    )
    (cover,) = coverage.partition_coverage(frame_of(spark, [5, 6]))
    assert proof_offsets.go_on_at(cover, [(1, 4), (7, 8)]) == 9
    assert (
        proof_topic.lag(expired, {0: 9, 1: 2}).detail
        == "4 offsets not taken in yet (partition 0: 3, partition 1: 1)"
    )


# --- what was made of the records


def published_checks(
    spark: SparkSession, lake: Path, survey: Contract, logs: dict[str, Log] | None = None
) -> dict[str, Check]:
    logs = logs or logs_of(lake)
    return {check.where: check for check in published(spark, Lake(str(lake)), survey, Publish(), logs, None)}


def logs_of(lake: Path) -> dict[str, Log]:
    return {table.name: log_of(table) for table in proof_lake.tables_in(lake)}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            "DELETE FROM delta.`{responses}` WHERE who = 'a'",
            "5 rows, and version 2 of records has 6 accepted participants",
        ),
        ("UPDATE delta.`{responses}` SET town = 'Bonn' WHERE who = 'b'", "the answers differ"),
        (
            "INSERT INTO delta.`{responses}` SELECT * FROM delta.`{responses}` WHERE who = 'c'",
            "1 participant too many",
        ),
    ],
)
def test_stale_responses_are_named(
    spark: SparkSession, copy: Path, survey: Contract, change: str, named: str
) -> None:
    spark.sql(change.format(responses=copy / RESPONSES))
    counts = at_version(spark, Lake(str(copy)), 2)
    check = _responses(spark, Lake(str(copy)), survey, log_of(copy / RESPONSES), counts, 2)
    assert check.status == NOT_PROVED
    assert named in check.detail


def test_a_changed_number_is_named(spark: SparkSession, copy: Path, survey: Contract) -> None:
    spark.sql(f"UPDATE delta.`{copy / 'summary_quant'}` SET accepted = accepted + 1")
    shutil.rmtree(copy / "summary_pet")
    checks = published_checks(spark, copy, survey)
    assert checks[RESPONSES].status == PROVED
    assert checks["summary_quant"].status == checks["summary_pet"].status == NOT_PROVED
    assert checks["summary_quant"].detail.startswith("differs from what its version of records gives: ")


def test_what_is_committed_while_the_proof_is_made_changes_nothing_of_it(
    spark: SparkSession, copy: Path, survey: Contract
) -> None:
    logs = logs_of(copy)
    spark.sql(f"DELETE FROM delta.`{copy / RESPONSES}` WHERE who = 'a'")
    assert {check.status for check in published_checks(spark, copy, survey, logs).values()} == {PROVED}


def test_another_contract_is_not_judged_by_this_one(spark: SparkSession, copy: Path, home: Path) -> None:
    (check,) = published_checks(spark, copy, pets_survey.contract(home, TOPIC, most=31)).values()
    assert check.status == NOT_PROVED
    assert "under another contract" in check.detail


def test_nothing_proved_is_not_proved() -> None:
    assert Proof().conclusion == "NOT proved: there is nothing to prove it from"
    assert not Proof([Check("lag", "t", SAID, "")]).proved


def test_a_folder_without_a_lake_is_a_storage_error(tmp_path: Path, home: Path, survey: Contract) -> None:
    assert run(tmp_path, home, "127.0.0.1:1") == 6
