"""The embedded Kafka: it answers, keeps what it has, and never outlives who started it."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from support.clock import Clock
from surveylake import locks
from surveylake.errors import SetupError, StorageError
from surveylake.kafka import embedded_node
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.locks import FolderLock
from surveylake.paths import JOBS
from surveylake.runtime.class_archive import ClassArchive

QUIET = {"log_level": 0}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, kept_classes: None) -> Iterator[EmbeddedBroker]:
    """The broker of this file, which its tests may stop, kill and pause."""
    with EmbeddedBroker(tmp_path_factory.mktemp("own"), embedded_node.free_port()) as running:
        yield running


@pytest.fixture
def own(shared: EmbeddedBroker) -> EmbeddedBroker:
    """The same, running, in whatever state the test before left it."""
    if not shared.running:
        shared.start()
    return shared


@pytest.fixture
def verb(tmp_path: Path, kept_classes: None) -> Iterator[subprocess.Popen[str]]:
    """jobs/broker.py in a terminal of its own, answering, on tmp_path/kafka."""
    command = [
        sys.executable,
        JOBS / "broker.py",
        "--data",
        tmp_path / "kafka",
        "--port",
        str(embedded_node.free_port()),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("bootstrap 127.0.0.1:")
        yield process
        process.kill()


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    """Whether the process has ended, be it that nobody has asked for its exit code yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def broker_of(data: Path) -> int:
    """The process id of the Kafka on this folder, as its lock file names it."""
    return int((data / "lock").read_text().split()[1])


def send(bootstrap: str, topic: str, text: str) -> None:
    client = AdminClient({"bootstrap.servers": bootstrap})
    for made in client.create_topics([NewTopic(topic)]).values():
        made.result(20)
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    producer.produce(topic, text)
    assert producer.flush(20) == 0


def first_message(bootstrap: str, topic: str) -> bytes | None:
    settings = {"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest"}
    consumer = Consumer(settings)
    consumer.subscribe([topic])
    message = consumer.poll(20)
    consumer.close()
    assert message is not None
    return message.value()


def test_it_keeps_messages_and_its_cluster_over_a_restart(own: EmbeddedBroker) -> None:
    send(own.bootstrap, "restarted", "hello")
    cluster, port, process = own.cluster_id, own.port, own.pid
    own.restart()
    assert (own.cluster_id, own.port) == (cluster, port)
    assert own.pid != process
    assert AdminClient({"bootstrap.servers": own.bootstrap}).list_topics(timeout=10).cluster_id == cluster
    assert first_message(own.bootstrap, "restarted") == b"hello"


def test_it_keeps_messages_over_a_kill(own: EmbeddedBroker) -> None:
    send(own.bootstrap, "killed", "hello")
    own.kill()
    own.start()
    assert first_message(own.bootstrap, "killed") == b"hello"


def test_a_misspelled_topic_is_not_made(broker: str) -> None:
    AdminClient({"bootstrap.servers": broker}).list_topics("misspelled", timeout=10)
    assert "misspelled" not in AdminClient({"bootstrap.servers": broker}).list_topics(timeout=10).topics


def test_it_listens_on_loopback_only(own: EmbeddedBroker) -> None:
    listening = subprocess.run(["ss", "-Htlnp"], capture_output=True, text=True, check=False).stdout
    mine = [line.split()[3] for line in listening.splitlines() if f"pid={own.pid}," in line]
    assert len(mine) == 2
    assert all("127.0.0.1" in address for address in mine)


@pytest.mark.integration
def test_a_taken_port_is_left_to_its_owner(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", embedded_node.free_port())) as other:
        taken = other.getsockname()[1]
        with caplog.at_level(logging.WARNING), EmbeddedBroker(tmp_path, taken) as running:
            assert running.port != taken
            assert f"port {taken} is taken: the embedded Kafka listens on {running.port}" in caplog.text


def test_a_second_one_on_the_same_folder_is_refused_by_name_at_once(
    own: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "time", Clock())
    with pytest.raises(StorageError) as raised:
        EmbeddedBroker(own.data, embedded_node.free_port()).start()
    assert f"process {own.pid}, started by process {os.getpid()}" in raised.value.message
    assert own.running


def test_starting_twice_is_refused(own: EmbeddedBroker) -> None:
    process = own.pid
    with pytest.raises(SetupError, match=str(process)):
        own.start()
    assert own.running


def test_a_paused_one_goes_silent_and_comes_back(own: EmbeddedBroker) -> None:
    client = AdminClient({"bootstrap.servers": own.bootstrap, **QUIET})
    own.pause()
    with pytest.raises(KafkaException):
        client.list_topics(timeout=1)
    own.resume()
    assert client.list_topics(timeout=20).cluster_id == own.cluster_id


def test_a_paused_one_can_be_stopped_in_order(own: EmbeddedBroker) -> None:
    process = own.pid
    own.pause()
    own.stop()
    assert gone(process)
    assert "shut down completed" in own.log.read_text()


def test_a_stopped_one_has_no_process_and_a_second_stop_is_nothing(own: EmbeddedBroker) -> None:
    own.stop()
    own.stop()
    with pytest.raises(SetupError, match="not running"):
        _ = own.pid


def test_a_property_kafka_refuses_is_shown_with_the_end_of_its_log(own: EmbeddedBroker) -> None:
    own.stop()
    wrong = EmbeddedBroker(own.data, own.port, extra={"num.io.threads": "many"})
    with pytest.raises(SetupError, match=r"ended with code 1(.|\n)*num\.io\.threads") as raised:
        wrong.start()
    assert str(own.log) in raised.value.hint
    own.start()


def test_extra_properties_go_before_ours(tmp_path: Path) -> None:
    path = embedded_node.write_properties(tmp_path, 1, 2, {"num.partitions": "7", "log.dir": "C:\\x"})
    written = dict(line.split("=", 1) for line in path.read_text().splitlines())
    assert written["num.partitions"] == "7"
    assert written["log.dir"] == "C:\\\\x"
    assert written["log.retention.ms"] == "-1"


@pytest.mark.integration
def test_a_folder_that_cannot_be_formatted_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="could not format"):
        EmbeddedBroker(tmp_path, embedded_node.free_port(), extra={"node.id": "one"}).start()
    # And it is let go of.
    FolderLock(tmp_path, "test").release()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        EmbeddedBroker(tmp_path / "file" / "kafka").start()


def test_missing_jars_are_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_node, "local_jars", lambda which: [])
    with pytest.raises(SetupError, match="not fetched"):
        EmbeddedBroker(tmp_path / "kafka").start()
    assert not (tmp_path / "kafka").exists()


@pytest.mark.faults
def test_it_ends_when_who_started_it_is_killed(tmp_path: Path, verb: subprocess.Popen[str]) -> None:
    process = broker_of(tmp_path / "kafka")
    verb.kill()
    until(lambda: gone(process))


@pytest.mark.faults
def test_a_leftover_that_hears_nothing_is_waited_for(tmp_path: Path, verb: subprocess.Popen[str]) -> None:
    process = broker_of(tmp_path / "kafka")
    os.kill(process, signal.SIGSTOP)
    verb.kill()
    with EmbeddedBroker(tmp_path / "kafka", embedded_node.free_port()) as running:
        assert gone(process)
        assert running.cluster_id


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_verb_ends_in_order(tmp_path: Path, verb: subprocess.Popen[str], number: int) -> None:
    # To the whole group, as a terminal's Ctrl-C does; Kafka is not of it, and ends when it is told to.
    assert os.getpgid(broker_of(tmp_path / "kafka")) != verb.pid
    os.killpg(verb.pid, number)
    assert verb.wait(30) == 0
    assert gone(broker_of(tmp_path / "kafka"))
    assert "shut down completed" in (tmp_path / "kafka" / "broker.log").read_text()


@pytest.mark.faults
def test_the_verb_says_when_kafka_ended_by_itself(tmp_path: Path, verb: subprocess.Popen[str]) -> None:
    os.kill(broker_of(tmp_path / "kafka"), signal.SIGKILL)
    assert verb.wait(30) == SetupError.exit_code


def test_a_class_archive_is_kept_only_after_an_end_in_order(tmp_path: Path) -> None:
    jars = embedded_node.class_path()
    archive = ClassArchive("kafka", jars, tmp_path)
    recording, *_ = archive.options()
    made = Path(recording.partition("=")[2])
    made.write_bytes(b"half")
    archive.keep(whole=False)
    assert archive.options()[0] == recording
    made.write_bytes(b"whole")
    archive.keep(whole=True)
    assert archive.options()[0] == f"-XX:SharedArchiveFile={archive.path}"
    assert ClassArchive("kafka", jars[1:], tmp_path).path != archive.path


@pytest.mark.integration
def test_a_damaged_class_archive_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClassArchive.__init__, "__defaults__", (tmp_path / "cds",))
    archive = ClassArchive("kafka", embedded_node.class_path())
    archive.path.parent.mkdir()
    archive.path.write_bytes(b"not an archive")
    with EmbeddedBroker(tmp_path / "kafka", embedded_node.free_port()) as running:
        assert running.running


def test_cluster_ids_are_kafkas_kind() -> None:
    ids = {embedded_node.new_cluster_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(one) == 22 and not one.startswith("-") for one in ids)


def test_free_ports_are_not_those_of_outgoing_connections() -> None:
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert not first <= embedded_node.free_port() <= last
