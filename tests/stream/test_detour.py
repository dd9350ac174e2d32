"""Records with a time that no reader shows, or that Spark cannot hold (row B1): each is taken in once, and none stops the survey."""

import csv
import datetime
import json
import logging
import signal
from collections.abc import Iterator

import duckdb
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, ResourceType
from deltalake import DeltaTable
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

import aggregate
import quarantine
from support.sender import sender
from support.sessions import OPEN
from support.survey_env import SurveyEnv, answers
from support.waiting import until
from surveylake.errors import StorageError, TopicError
from surveylake.kafka import partition_reader
from surveylake.kafka.partition_reader import Record
from surveylake.kafka.topic import open_topic
from surveylake.lake import timestamps
from surveylake.lake.timestamps import Misstamped
from surveylake.stream import detour, sink
from surveylake.verify import proof as proof_lake
from surveylake.verify.checks import PROVED, SAID

NANOS = 1_795_909_517_342_110_352
MICROS = NANOS // 1_000
UTC = datetime.UTC


def any_time(env: SurveyEnv) -> None:
    """Let the topic take any stamp: by default a broker refuses those of the future."""
    wish = ConfigEntry(
        "message.timestamp.after.max.ms", str(2**63 - 1), incremental_operation=AlterConfigOpType.SET
    )
    resource, admin = ConfigResource(ResourceType.TOPIC, env.topic, incremental_configs=[wish]), env.admin()
    admin.incremental_alter_configs([resource])[resource].result()


def send(
    env: SurveyEnv, stamped: list[int | None], partition: int = 0, start: int = 0, **more: object
) -> None:
    """One good answer with each stamp (None: the time of sending), in this order."""
    producer = sender(env.bootstrap)
    for number, (stamp, value) in enumerate(zip(stamped, answers(len(stamped), start), strict=True), start):
        with_time = {} if stamp is None else {"timestamp": stamp}
        producer.produce(env.topic, value, str(number), partition=partition, **with_time, **more)
        producer.poll(0)
    assert producer.flush(60) == 0


def times(env: SurveyEnv, partition: int = 0) -> list[datetime.datetime | None]:
    """The times in the table in the order of offsets, read without Spark."""
    table = DeltaTable(env.lake / "records").to_pyarrow_table(columns=["partition", "offset", "timestamp"])
    rows = sorted(
        (row for row in table.to_pylist() if row["partition"] == partition), key=lambda row: row["offset"]
    )
    return [row["timestamp"] for row in rows]


def proved(env: SurveyEnv) -> dict[str, str]:
    """What verify says, by what it looked at; the lake must be proved."""
    proof = proof_lake.prove(OPEN, str(env.lake), env.config, env.contract)
    assert proof.proved, proof.failures
    return {check.what: check.detail for check in proof.checks if check.status in (SAID, PROVED)}


@pytest.fixture
def odd(env: SurveyEnv) -> Iterator[SurveyEnv]:
    any_time(env)
    yield env


def test_b1_a_record_in_nanoseconds_is_taken_in_without_a_time_between_its_neighbours(
    odd: SurveyEnv, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    send(odd, [None, NANOS, None])
    with caplog.at_level(logging.WARNING):
        odd.take()
    odd.assert_every_offset_once(3)
    found = times(odd)
    assert [moment is None for moment in found] == [False, True, False]
    assert "partition 0: 1 record taken in without a time" in caplog.text
    assert f"offset 1 is stamped {NANOS}" in caplog.text
    assert "stream: 3 records (accepted 3, rejected 0)" in capsys.readouterr().out
    assert proved(odd)["times"].startswith(
        "1 record without a time that can be shown (epoch 1 partition 0: 1, from offset 1 on)"
    )
    (note,) = [c["userMetadata"] for c in DeltaTable(odd.lake / "records").history() if "userMetadata" in c]
    assert json.loads(note) == {"misstamped": {"partition": 0, "records": 1, "stamps": {"1": NANOS}}}
    # And it goes on, as if nothing had been.
    send(odd, [None, None], start=3)
    send(odd, [None], partition=1, start=5)
    odd.take()
    odd.assert_every_offset_once(6)
    assert aggregate.aggregate(OPEN, str(odd.lake), odd.config, odd.contract) is not None
    assert proved(odd)["answers"].startswith("6 participants")


def test_b1_odd_records_in_several_partitions_and_batches_are_each_taken_in_once(
    odd: SurveyEnv, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detour, "CALM", 3)
    odd.set_stream(max_offsets_per_trigger=10)
    send(odd, [None] * 12 + [NANOS] + [None] * 7 + [-NANOS, NANOS] + [None] * 8)
    send(odd, [NANOS, None, None, None, None, None, NANOS], partition=1, start=100)
    odd.take()
    odd.assert_every_offset_once(37)
    assert [at for at, moment in enumerate(times(odd)) if moment is None] == [12, 20, 21]
    assert [at for at, moment in enumerate(times(odd, 1)) if moment is None] == [0, 6]
    assert "stream: 37 records (accepted 37, rejected 0)" in capsys.readouterr().out
    assert proved(odd)["times"].startswith("5 records")


def test_b1_a_topic_stamped_in_nanoseconds_throughout_is_taken_in_by_parts(
    odd: SurveyEnv, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(partition_reader, "MOST", 40)
    send(odd, [NANOS + number for number in range(100)])
    odd.take()
    odd.assert_every_offset_once(100)
    assert times(odd) == [None] * 100
    assert "stream: 100 records (accepted 100, rejected 0)" in capsys.readouterr().out
    assert [str(c["operation"]) for c in DeltaTable(odd.lake / "records").history()].count("WRITE") == 3


@pytest.mark.parametrize(
    ("stamp", "shown"),
    [
        (0, datetime.datetime(1970, 1, 1, tzinfo=UTC)),
        (-5, datetime.datetime(1969, 12, 31, 23, 59, 59, 995_000, tzinfo=UTC)),
        (-1, None),
        (timestamps.FIRST_MS, datetime.datetime(1900, 1, 1, tzinfo=UTC)),
        (timestamps.FIRST_MS - 1, None),
        (timestamps.END_MS - 1, datetime.datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        (timestamps.END_MS, None),
        (MICROS, None),
        (timestamps.MOST_MS, None),
        (2**63 - 1, None),
        (-(2**63), None),
    ],
)
def test_b1_a_time_is_kept_when_every_reader_shows_it_the_same_by_either_way(
    spark: SparkSession, stamp: int, shown: datetime.datetime | None
) -> None:
    row = (
        spark.sql(f"SELECT {timestamps.of_milliseconds(f'CAST({stamp} AS bigint)')} AS t")
        .selectExpr("unix_millis(t)")
        .first()
    )
    expected = None if shown is None else stamp
    assert row is not None
    assert row[0] == expected
    if abs(stamp) <= timestamps.MOST_MS:  # what Spark's own source hands over
        frame = spark.sql(f"SELECT timestamp_millis({stamp}L) AS t")
        (told,) = frame.selectExpr(f"unix_millis({timestamps.shown('t')})", timestamps.unshown("t")).collect()
        assert told[0] == expected
        assert told[1] == (shown is None and stamp != -1)
    if shown is not None:
        assert shown == datetime.datetime(1970, 1, 1, tzinfo=UTC) + datetime.timedelta(milliseconds=stamp)


def test_b1_times_before_1970_and_far_ahead_are_shown_by_two_readers_or_are_null(odd: SurveyEnv) -> None:
    moments: list[int | None] = [-86_400_000, -1, MICROS, timestamps.END_MS - 1, -(10**15), None]
    send(odd, moments)
    odd.take()
    found = times(odd)
    assert found[0] == datetime.datetime(1969, 12, 31, tzinfo=UTC)
    assert found[3] is not None
    assert [at for at, moment in enumerate(found) if moment is None] == [1, 2, 4]
    files = DeltaTable(odd.lake / "records").file_uris()
    by_duckdb = duckdb.execute(
        'SELECT timestamp FROM read_parquet($f) ORDER BY "offset"', {"f": files}
    ).fetchall()
    assert [moment for (moment,) in by_duckdb] == found
    assert proved(odd)["times"].startswith("3 records")


def test_b1_a_lake_that_has_such_times_already_is_read_and_proved(
    odd: SurveyEnv, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an earlier release took them in: a time of the year 58,880 in the table."""
    monkeypatch.setattr(timestamps, "shown", lambda column: column)
    send(odd, [None, MICROS, None])
    producer = Producer({"bootstrap.servers": odd.bootstrap})
    producer.produce(odd.topic, b"{", partition=0, timestamp=MICROS)
    assert producer.flush(60) == 0
    odd.take()
    monkeypatch.undo()
    assert proved(odd)["times"].startswith(
        "2 records without a time that can be shown (epoch 1 partition 0: 2, from offset 1 on)"
    )
    given = ["--survey", str(odd.survey), "--lake", str(odd.lake)]
    listed = odd.folder / "rejected.csv"
    assert quarantine.main(given) == 0
    assert quarantine.main([*given, "--all"]) == 0
    assert quarantine.main([*given, "--csv", str(listed)]) == 0
    (row,) = csv.DictReader(listed.read_text(encoding="utf-8").splitlines())
    assert (row["offset"], row["timestamp"]) == ("3", "")
    send(odd, [None], start=4)
    odd.take()
    odd.assert_every_offset_once(5)


def killed_at(env: SurveyEnv, monkeypatch: pytest.MonkeyPatch, where: object, name: str, call: int) -> None:
    """Run the stream, and end it as it calls a function for the n-th time."""
    real, calls = getattr(where, name), iter(range(1, 100))

    def killed(*args: object, **more: object) -> object:
        if next(calls) == call:
            raise KeyboardInterrupt
        return real(*args, **more)

    monkeypatch.setattr(where, name, killed)
    with pytest.raises(KeyboardInterrupt):
        env.take()
    monkeypatch.setattr(where, name, real)


@pytest.mark.parametrize("before", [0, 2], ids=["first batch", "later batch"])
@pytest.mark.parametrize(
    ("where", "name", "call", "held"),
    [
        (detour, "_take_in", 1, 0),
        (sink.commits, "add_rows", 1, 0),
        (sink.commits, "add_rows", 2, 3),
        (detour, "plan_start", 2, 5),
    ],
    ids=[
        "before the detour",
        "before its first commit",
        "between its commits",
        "before the fresh checkpoint",
    ],
)
def test_b1_a_kill_at_any_step_of_the_detour_costs_nothing_and_is_proved(
    odd: SurveyEnv,
    monkeypatch: pytest.MonkeyPatch,
    before: int,
    where: object,
    name: str,
    call: int,
    held: int,
) -> None:
    monkeypatch.setattr(partition_reader, "MOST", 2)
    if before:
        send(odd, [None] * before)
        odd.take()
    send(odd, [None, NANOS, NANOS, NANOS, None], start=before)
    killed_at(odd, monkeypatch, where, name, call)
    odd.assert_every_offset_once(before + held)
    if before or held:
        proved(odd)
    send(odd, [None], start=before + 5)
    odd.take()
    odd.assert_every_offset_once(before + 6)
    assert proved(odd)["times"].startswith("3 records")


def test_b1_a_stop_in_the_midst_of_the_detour_is_in_order_and_the_rest_comes_next(
    odd: SurveyEnv, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(partition_reader, "MOST", 2)
    send(odd, [None, NANOS, NANOS, NANOS, NANOS])
    real = sink.commits.add_rows

    def stopped(*args: object) -> object:
        signal.raise_signal(signal.SIGTERM)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(sink.commits, "add_rows", stopped)
    odd.take()
    monkeypatch.undo()
    odd.assert_every_offset_once(3)
    assert "stream: 3 records" in capsys.readouterr().out
    proved(odd)
    odd.take()
    odd.assert_every_offset_once(5)


def test_b1_partitions_added_meanwhile_are_read_from_their_start(
    odd: SurveyEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(odd, [None, NANOS, None])
    real = detour.go_around

    def grown(*args: object) -> None:
        admin = odd.admin()
        admin.create_partitions([NewPartitions(odd.topic, 4)])[odd.topic].result()
        until(lambda: len(open_topic(odd.config.kafka, odd.topic).bounds()) == 4)
        send(odd, [None, NANOS], partition=3, start=10)
        real(*args)  # type: ignore[arg-type]

    calls = iter([grown, real, real, real])
    monkeypatch.setattr(detour, "go_around", lambda *args: next(calls)(*args))
    odd.take()
    odd.assert_every_offset_once(5)
    proved(odd)


def test_b1_a_topic_made_anew_meanwhile_is_not_taken_for_the_same(
    odd: SurveyEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(odd, [None, NANOS, None])
    real = detour._refuse_twice

    def made_anew(*args: object) -> None:
        real(*args)  # type: ignore[arg-type]
        odd.make_topic_anew()
        any_time(odd)
        send(odd, [None] * 5)

    monkeypatch.setattr(detour, "_refuse_twice", made_anew)
    with pytest.raises(TopicError, match="was deleted and made anew"):
        odd.take()
    assert odd.rows() == []


def test_b1_a_stream_that_began_at_the_latest_takes_in_nothing_older_for_it(
    odd: SurveyEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(odd, [None] * 3)
    send(odd, [None] * 3, partition=1, start=3)
    latest = odd.config.stream.model_copy(update={"starting_offsets": "latest"})
    odd.config = odd.config.model_copy(update={"stream": latest})
    odd.take()
    send(odd, [None, NANOS, None], start=6)
    odd.take()
    send(odd, [None], partition=1, start=9)
    odd.take()
    assert odd.rows() == [(1, 0, 3), (1, 0, 4), (1, 0, 5), (1, 1, 3)]


def test_b1_an_odd_record_before_the_one_that_spark_named_first_is_found(
    odd: SurveyEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spark reads a range in several tasks, and any of them may fail first."""
    send(odd, [None, NANOS, None, None, NANOS, None])
    real = detour.go_around
    monkeypatch.setattr(
        detour, "go_around",
        lambda run, start, met, stop: real(run, start, [Misstamped(0, 4, NANOS)], stop),
    )  # fmt: skip
    odd.take()
    odd.assert_every_offset_once(6)
    assert [at for at, moment in enumerate(times(odd)) if moment is None] == [1, 4]


def test_b1_a_detour_that_fails_says_why(odd: SurveyEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    send(odd, [NANOS])

    def fails(*_: object) -> None:
        raise AnalysisException("the disk is away")

    monkeypatch.setattr(sink.commits, "add_rows", fails)
    with pytest.raises(StorageError, match=r"the stream stopped: .*the disk is away") as caught:
        odd.take()
    assert "run the same command again" in caught.value.hint


def test_b1_what_cannot_be_taken_in_either_way_names_its_partition_and_offset(
    odd: SurveyEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(odd, [NANOS])
    monkeypatch.setattr(detour, "_take_in", lambda *_: None)
    with pytest.raises(TopicError, match=rf"partition 0 offset 0, which is stamped {NANOS}") as caught:
        odd.take()
    assert "--accept-loss" in caught.value.hint


def test_b1_other_oddities_beside_key_and_value_are_taken_in(odd: SurveyEnv) -> None:
    """Headers of any name, number and content, a key of any bytes, none at all, a tombstone."""
    producer = Producer({"bootstrap.servers": odd.bootstrap})
    headers: list[object] = [
        [("ä" * 3, b"x")], [("source", None)], [("source", b"\xff\xfe")], [("line", b"9" * 50)], [("", b"")],
        [(f"h{number}", b"x" * 100) for number in range(1_000)],
    ]  # fmt: skip
    for number, each in enumerate(headers):
        producer.produce(odd.topic, answers(1, number)[0], b"\xff\xfe\x00", partition=0, headers=each)
    for key, value in (
        (None, None),
        (b"", b""),
        (None, answers(1, 50)[0]),
        (b"\x00" * 10_000, answers(1, 51)[0]),
    ):
        producer.produce(odd.topic, value, key, partition=0, timestamp=NANOS)
    assert producer.flush(30) == 0
    odd.take()
    odd.assert_every_offset_once(10)
    assert times(odd)[6:] == [None] * 4
    keys = (
        DeltaTable(odd.lake / "records")
        .to_pyarrow_table(columns=["offset", "key"])
        .sort_by("offset")["key"]
        .to_pylist()
    )
    assert keys[6] is None and keys[7] == ""
    proved(odd)


def test_b1_windows_end_with_calm_with_their_size_and_with_the_partition(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(partition_reader, "MOST", 4)
    monkeypatch.setattr(partition_reader, "MOST_BYTES", 30)

    def cut(pattern: str, size: int = 1) -> list[str]:
        records = (
            Record(at, NANOS if mark == "o" else 5, None, b"x" * size) for at, mark in enumerate(pattern)
        )
        return [
            "".join("o" if timestamps.is_odd(record.stamp) else "." for record in window)
            for window in partition_reader.windows(records, 2)
        ]

    assert cut("o..oooo") == ["o.."]
    assert cut("ooooo.o..o") == ["oooo", "o.o.", "."]
    assert cut("oooo") == ["oooo"]
    assert cut("o.") == ["o."]
    assert cut("ooo..", size=20) == ["oo", "o.", "."]
    assert cut("") == []


def test_b1_an_error_of_another_kind_is_no_misstamped_record() -> None:
    assert timestamps.misstamped(ValueError("partition 0 offset 1 has timestamp value 5")) is None
