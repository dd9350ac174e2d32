"""jobs/produce.py against a real Kafka, read back by another client: every row once, whatever happens on the way."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

import produce
from support.clock import Clock
from surveylake.config import Kafka
from surveylake.contract.model import load_contract
from surveylake.kafka.topic import open_topic
from surveylake.kafka.topic_creation import create_topic
from surveylake.paths import CONF, JOBS
from surveylake.produce import producer
from surveylake.produce.already_sent import scan
from surveylake.produce.csv_rows import chunks, read_answers
from surveylake.produce.producer import AnswerProducer
from surveylake.signals import stop_signals

with warnings.catch_warnings():
    # kafka-python reads its own schemas by a way that Python 3.11 and 3.12 call outdated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import KafkaConsumer, TopicPartition

SURVEY = CONF / "surveys" / "food_preference.toml"
SAMPLE = SURVEY.with_suffix(".sample.csv")
HEADER = ["Participant_ID", "Gender", "Nationality", "Age", "Food", "Juice", "Dessert"]
ROW = ["Female", "Indian", "24", "Traditional food", "Fresh Juice", "Maybe"]


def write(path: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def answers(count: int) -> list[list[str]]:
    return [[f"P{number}", *ROW] for number in range(count)]


def read_back(broker: str, topic: str) -> list[Any]:
    """Return every record of the topic, read by kafka-python without a group."""
    with closing(KafkaConsumer(bootstrap_servers=broker, auto_offset_reset="earliest")) as consumer:
        parts = [TopicPartition(topic, part) for part in consumer.partitions_for_topic(topic)]
        consumer.assign(parts)
        ends = consumer.end_offsets(parts)
        messages: list[Any] = []
        deadline = time.monotonic() + 30
        while any(consumer.position(part) < ends[part] for part in parts) and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=200).values():
                messages.extend(records)
    return messages


def rows_in(broker: str, topic: str) -> Counter[int]:
    """Return row number, by the records' headers -> number of records."""
    return Counter(int(dict(record.headers)["line"]) for record in read_back(broker, topic))


def run(broker: str, *args: object) -> int:
    return produce.main([*map(str, args), "--bootstrap", broker])


@contextmanager
def running(broker: str, *args: object) -> Iterator[subprocess.Popen[str]]:
    """produce.py as a process of its own."""
    command = [sys.executable, str(JOBS / "produce.py"), *map(str, args), "--bootstrap", broker]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def await_records(broker: str, topic: str, count: int) -> None:
    """Return when the topic holds `count` records or more."""
    kafka, deadline = Kafka(bootstrap=broker), time.monotonic() + 30
    admin = AdminClient({"bootstrap.servers": broker})
    while time.monotonic() < deadline:
        if topic in admin.list_topics(timeout=5).topics:
            try:
                if sum(end for _, end in open_topic(kafka, topic).bounds().values()) >= count:
                    return
            except Exception as error:
                # A topic just made has no leaders for a moment.
                assert "leader" in str(error).lower() or "unknown" in str(error).lower()
        time.sleep(0.02)
    raise AssertionError(f"{topic} did not reach {count} records")


def test_every_row_arrives_once_and_in_the_form_promised(
    broker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(broker, SAMPLE, "--topic", "whole") == 0
    assert capsys.readouterr().out.startswith("sent 289, acknowledged 289, failed 0, ")
    records = read_back(broker, "whole")
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(records) == 289
    for record in records:
        row = rows[int(dict(record.headers)["line"])]
        assert record.value == json.dumps(row, ensure_ascii=False).encode()
        assert record.key == row["Participant_ID"].encode()
    assert {record.partition for record in records} == {0, 1, 2, 3}


def test_the_same_file_again_sends_nothing_whatever_its_line_ends(
    broker: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "a.csv", answers(20))
    other = tmp_path / "b.csv"
    other.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\r\n", b"\n"))
    assert run(broker, file, "--topic", "twice") == 0
    capsys.readouterr()
    assert run(broker, other, "--topic", "twice") == 0
    message = "already in the topic: 20 of 20 rows; nothing sent (--again sends them again)\n"
    assert capsys.readouterr().out == message
    assert len(read_back(broker, "twice")) == 20
    assert run(broker, file, "--topic", "twice", "--again") == 0
    assert set(rows_in(broker, "twice").values()) == {2}


def test_two_files_in_one_topic_can_be_told_apart(broker: str, tmp_path: Path) -> None:
    kafka, contract = Kafka(bootstrap=broker), load_contract(SURVEY)
    files = [write(tmp_path / f"{count}.csv", answers(count)) for count in (3, 5)]
    for file in files:
        run(broker, file, "--topic", "mixed")
    run(broker, "--generate", 4, "--topic", "mixed")
    names = [read_answers(file, contract).source for file in files]
    assert scan(open_topic(kafka, "mixed")).records == {names[0]: 3, names[1]: 5, "": 4}
    assert scan(open_topic(kafka, "mixed"), names[1], 5).count == 5


def test_a_topic_with_foreign_headers_is_read_without_harm(broker: str) -> None:
    kafka = Kafka(bootstrap=broker)
    create_topic(kafka, "foreign-headers")

    plain = Producer({"bootstrap.servers": broker})
    for headers in (
        [("source", b"\xff")],
        [("source", None)],
        [("source", b"x"), ("line", b"9" * 40)],
        [("line", b"-1")],
        [],
    ):
        plain.produce("foreign-headers", None, headers=headers)
    plain.produce("foreign-headers", b"", headers=[("source", b"x"), ("line", b"1")])
    plain.flush(10)
    result = scan(open_topic(kafka, "foreign-headers"), "x", 3)
    assert result.records == {"�": 1, "": 3, "x": 2}
    assert result.rows == bytearray([0, 1, 0])


def test_rows_of_an_aborted_transaction_do_not_count_as_sent(broker: str) -> None:
    kafka = Kafka(bootstrap=broker, partitions=1)
    create_topic(kafka, "aborted")
    transactional = Producer({"bootstrap.servers": broker, "transactional.id": "aborted"})
    transactional.init_transactions(20)
    transactional.begin_transaction()
    transactional.produce("aborted", b"1", headers=[("source", b"x"), ("line", b"0")])
    transactional.flush(10)
    transactional.abort_transaction(10)
    assert scan(open_topic(kafka, "aborted"), "x", 1).count == 0


@pytest.mark.faults
def test_killed_in_mid_file_and_run_again_leaves_no_hole_and_no_double(broker: str, tmp_path: Path) -> None:
    file = write(tmp_path / "long.csv", answers(6_000))
    for count in (500, 2_500):
        with running(broker, file, "--topic", "killed", "--rate", 2_000) as process:
            await_records(broker, "killed", count)
            process.send_signal(signal.SIGKILL)
            process.wait(10)
    assert 2_500 <= len(read_back(broker, "killed")) < 6_000
    with running(broker, file, "--topic", "killed") as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "already in the topic: " in output
    assert rows_in(broker, "killed") == dict.fromkeys(range(6_000), 1)


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_sending_with_every_sent_row_answered(
    broker: str, tmp_path: Path, number: signal.Signals
) -> None:
    topic = f"stopped-{number}"
    file = write(tmp_path / "long.csv", answers(6_000))
    with running(broker, file, "--topic", topic, "--rate", 1_000) as process:
        await_records(broker, topic, 100)
        process.send_signal(number)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    last = output.splitlines()[-1]
    rows = rows_in(broker, topic)
    assert f"sent {len(rows):,}, acknowledged {len(rows):,}, failed 0" in last
    assert "stopped before the end" in last
    assert rows == dict.fromkeys(range(len(rows)), 1)


def test_a_full_queue_is_waited_for(broker: str, tmp_path: Path) -> None:
    kafka, contract = Kafka(bootstrap=broker), load_contract(SURVEY)
    create_topic(kafka, "narrow")
    read = read_answers(write(tmp_path / "many.csv", answers(5_000)), contract)
    with stop_signals() as stop:
        delivery = AnswerProducer(open_topic(kafka, "narrow"), read.source, queue=100).send(
            chunks(read, contract), stop
        )
    assert (delivery.sent, delivery.acknowledged, delivery.failed, delivery.complete) == (
        5_000,
        5_000,
        0,
        True,
    )
    assert scan(open_topic(kafka, "narrow"), read.source, read.rows).count == 5_000


def test_a_record_too_large_is_named_by_line_and_the_others_are_sent(
    broker: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = answers(5)
    rows[2][2] = "x" * 2_000_000
    assert run(broker, write(tmp_path / "large.csv", rows), "--topic", "large") == 1
    assert "line 4 was not taken: Message size too large" in caplog.text
    assert capsys.readouterr().out.startswith("sent 5, acknowledged 4, failed 1, ")
    assert sorted(rows_in(broker, "large")) == [0, 1, 3, 4]


def test_a_topic_that_takes_little_at_once_gets_all_that_fits(
    broker: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    admin = AdminClient({"bootstrap.servers": broker})
    wish = NewTopic("little", 1, 1, config={"max.message.bytes": "2000", "retention.ms": "-1"})
    admin.create_topics([wish])["little"].result()
    rows = answers(100)
    rows[50][2] = "x" * 5_000
    assert run(broker, write(tmp_path / "little.csv", rows), "--topic", "little") == 1
    assert "line 52 was not taken: Message size too large" in caplog.text
    assert rows_in(broker, "little") == dict.fromkeys(set(range(100)) - {50}, 1)


def test_what_the_broker_refuses_later_is_traced_to_its_line(
    broker: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kafka, contract = Kafka(bootstrap=broker, partitions=1), load_contract(SURVEY)
    create_topic(kafka, "later")
    read = read_answers(write(tmp_path / "later.csv", [["P0", "x" * 5_000, *ROW[1:]]] * 2), contract)
    producer = AnswerProducer(open_topic(kafka, "later"), read.source)
    entry = ConfigEntry("max.message.bytes", "2000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, "later", incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": broker})
    admin.incremental_alter_configs([resource])[resource].result()
    while open_topic(kafka, "later").largest_batch() != 2_000:
        time.sleep(0.02)
    with stop_signals() as stop:
        delivery = producer.send(chunks(read, contract), stop)
    assert (delivery.sent, delivery.acknowledged, delivery.failed, delivery.complete) == (2, 0, 2, False)
    assert "line 2 was not taken: Message size too large" in caplog.text
    assert "line 3 was not taken: Message size too large" in caplog.text


def test_without_a_broker_nothing_is_sent_and_one_line_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("127.0.0.1:1", write(tmp_path / "a.csv", answers(1))) == 5
    assert capsys.readouterr().err.startswith("error: nothing listens at 127.0.0.1:1\n  next: ")


def test_bad_lines_are_refused_before_anything_is_sent(
    broker: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.csv"
    good = ",".join(ROW).encode()
    file.write_bytes(
        ",".join(HEADER).encode() + b"\na," + good + b"\nb,short\nc\xe9," + good + b"\nd," + good + b"\n"
    )
    assert run(broker, file, "--topic", "unsent") == 4
    message = capsys.readouterr().err
    assert "2 lines cannot be sent as they are; nothing was sent" in message
    assert "line 3: has 2 cells, the header 7" in message
    assert "line 4: is not UTF-8 (byte 0xE9 in Participant_ID;" in message
    assert "unsent" not in AdminClient({"bootstrap.servers": broker}).list_topics(timeout=5).topics
    assert run(broker, file, "--topic", "unsent", "--skip-bad-lines") == 0
    assert sorted(record.key for record in read_back(broker, "unsent")) == [b"a", b"d"]
    assert run(broker, file, "--topic", "unsent", "--skip-bad-lines") == 0
    assert len(read_back(broker, "unsent")) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no file at"),
        (b"", "is empty"),
        (b"Participant_ID,Gender\r\nx,y\r\n", "the header lacks Nationality, Age"),
    ],
)
def test_a_file_that_is_none_is_one_message_and_exit_code_4(
    tmp_path: Path, content: bytes | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "none.csv"
    if content is not None:
        file.write_bytes(content)
    assert run("127.0.0.1:1", file) == 4
    assert message in capsys.readouterr().err


def test_keys_and_echo_as_in_the_original_exercise(broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(broker, SAMPLE, "--topic", "exercise", "--key", "row-number", "--echo") == 0
    lines = capsys.readouterr().out.splitlines()
    records = read_back(broker, "exercise")
    assert {record.key for record in records} == {b"%d" % number for number in range(289)}
    shown = Counter(f"exercise [{record.partition}] {record.key.decode()}" for record in records)
    assert Counter(lines[:-1]) == shown
    assert lines[-1].startswith("sent 289, acknowledged 289")


def test_an_echoed_key_cannot_steer_the_terminal(
    broker: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "a.csv", [["\x1b[31mred", *ROW]])
    assert run(broker, file, "--topic", "steer", "--echo") == 0
    assert "?[31mred" in capsys.readouterr().out


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_other_clients_read_what_is_compressed(broker: str, tmp_path: Path, compression: str) -> None:
    conf = tmp_path / "conf.toml"
    conf.write_text(f'[kafka]\ncompression = "{compression}"\npartitions = 1\n')
    topic = f"packed-{compression}"
    assert run(broker, SAMPLE, "--topic", topic, "--conf", conf) == 0
    assert rows_in(broker, topic) == dict.fromkeys(range(289), 1)


def test_generated_answers_arrive_in_full_with_their_defects(broker: str) -> None:
    assert run(broker, "--generate", 3_400, "--seed", 5, "--defects", 0.1, "--topic", "made") == 0
    records = read_back(broker, "made")
    assert len(records) == 3_400
    assert sum(record.value is None for record in records) == 20
    assert sum(record.value == b"" for record in records) == 20


def test_the_rate_is_kept(broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk is a twentieth of a second: at no time is more sent than the rate allows, and one chunk."""
    clock, sent_at = Clock(), []

    class TimedProducer(Producer):
        def poll(self, timeout: float) -> int:
            clock.now += timeout
            return super().poll(0)

        def produce(self, *record: Any, **options: Any) -> None:
            sent_at.append(clock.now)
            super().produce(*record, **options)

    monkeypatch.setattr(producer, "Producer", TimedProducer)
    monkeypatch.setattr(producer, "time", clock)
    assert run(broker, "--generate", 100, "--rate", 100, "--topic", "paced") == 0
    assert len(read_back(broker, "paced")) == 100
    assert sent_at == pytest.approx([number // 5 * 0.05 for number in range(100)])
    assert clock.now == pytest.approx(1.0)


def test_arguments_that_contradict_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in (
        [SAMPLE, "--generate", 1],
        ["--csv", "x.csv"],
        ["--rate", -1],
        ["--generate", 1, "--defects", 2],
    ):
        assert run("127.0.0.1:1", *wrong) == 2
    assert capsys.readouterr().err.count("error: ") == 4


def test_a_csv_of_made_up_answers_needs_no_broker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("127.0.0.1:1", "--generate", 12, "--csv", tmp_path / "made.csv") == 0
    assert capsys.readouterr().out == f"wrote 12 rows to {tmp_path / 'made.csv'}\n"


def test_it_runs_from_anywhere_and_helps(tmp_path: Path) -> None:
    command = [sys.executable, str(JOBS / "produce.py"), "--help"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "python jobs/produce.py answers.csv" in done.stdout
    assert done.stderr == ""
