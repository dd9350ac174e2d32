"""What a real checkpoint says, whole and damaged, and whether a table agrees with it."""

import json
import shutil
from pathlib import Path

import pytest
from confluent_kafka import Producer
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from surveylake.config import Kafka
from surveylake.kafka.options import spark_options
from surveylake.kafka.topic_creation import create_topic
from surveylake.lake.stream_checkpoint import (
    Checkpoint,
    Unusable,
    agrees,
    read_checkpoint,
    retire,
    starting_offsets,
)

TOPIC = "checkpointed"


@pytest.fixture(scope="module")
def real(spark: SparkSession, broker: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that Spark wrote: three batches of a topic with one partition, two records each."""
    folder = tmp_path_factory.mktemp("real") / "checkpoint"
    kafka = Kafka(bootstrap=broker, partitions=1)
    create_topic(kafka, TOPIC)
    producer = Producer({"bootstrap.servers": broker, "linger.ms": 0})
    for number in range(6):
        producer.produce(TOPIC, str(number))
    assert producer.flush(20) == 0
    reader = spark.readStream.format("kafka").options(**spark_options(kafka)).option("subscribe", TOPIC)
    stream = reader.option("startingOffsets", "earliest").option("maxOffsetsPerTrigger", 2).load()
    writer = (
        stream.writeStream.format("noop").option("checkpointLocation", str(folder)).trigger(availableNow=True)
    )
    assert writer.start().awaitTermination(60)
    return folder


@pytest.fixture
def checkpoint(real: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(real, tmp_path / "checkpoint"))


def test_a_whole_checkpoint_says_where_it_ended(checkpoint: Path) -> None:
    assert read_checkpoint(checkpoint, TOPIC) == Checkpoint({0: 6}, None, {0: 0})


def test_a_batch_without_its_commit_was_begun(checkpoint: Path) -> None:
    (checkpoint / "commits" / "2").unlink()
    assert read_checkpoint(checkpoint, TOPIC) == Checkpoint({0: 4}, {0: 6}, {0: 0})


def test_a_first_batch_without_its_commit_was_begun_from_nothing(checkpoint: Path) -> None:
    shutil.rmtree(checkpoint / "commits")
    for number in (1, 2):
        (checkpoint / "offsets" / str(number)).unlink()
    assert read_checkpoint(checkpoint, TOPIC) == Checkpoint({}, {0: 2}, {0: 0})


def test_no_folder_and_an_empty_one_are_no_checkpoint(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path / "none", TOPIC) is None
    assert read_checkpoint(tmp_path, TOPIC) is None


def test_a_checkpoint_that_never_began_is_none(checkpoint: Path) -> None:
    shutil.rmtree(checkpoint / "commits")
    shutil.rmtree(checkpoint / "offsets")
    assert read_checkpoint(checkpoint, TOPIC) is None


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (["metadata"], "metadata file is missing or empty"),
        (["offsets"], "commits but no offsets"),
        (["offsets/2"], "newest offsets are of batch 1, its newest commit of batch 2"),
        (["commits/1", "commits/2"], "newest offsets are of batch 2, its newest commit of batch 0"),
    ],
)
def test_missing_files_are_named(checkpoint: Path, damage: list[str], said: str) -> None:
    for name in damage:
        path = checkpoint / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(Unusable, match=said):
        read_checkpoint(checkpoint, TOPIC)


@pytest.mark.parametrize("content", [b"", b"\0" * 40, b"\xff\xfe\xfd"])
@pytest.mark.parametrize(
    ("name", "said"),
    [("metadata", "metadata"), ("offsets/2", "offsets/2"), ("commits/2", "commits/2 is empty")],
)
def test_an_empty_or_zeroed_file_is_named(checkpoint: Path, name: str, said: str, content: bytes) -> None:
    (checkpoint / name).write_bytes(content)
    with pytest.raises(Unusable, match=said):
        read_checkpoint(checkpoint, TOPIC)


def test_offsets_torn_anywhere_are_unusable_and_never_others(checkpoint: Path) -> None:
    path = checkpoint / "offsets" / "2"
    whole = path.read_bytes()
    for length in range(len(whole.rstrip())):
        path.write_bytes(whole[:length])
        with pytest.raises(Unusable, match="offsets/2 is empty, torn or of another topic"):
            read_checkpoint(checkpoint, TOPIC)


def test_a_checkpoint_of_another_topic_is_unusable(checkpoint: Path) -> None:
    with pytest.raises(Unusable, match="of another topic"):
        read_checkpoint(checkpoint, "another")


@pytest.mark.parametrize(
    ("table", "kept"),
    [({0: 4}, True), ({0: 6}, True), ({0: 5}, False), ({0: 7}, False), ({}, False), ({0: 6, 1: 3}, False)],
)
def test_a_table_agrees_where_the_last_batch_began_or_ended(table: dict[int, int], kept: bool) -> None:
    assert agrees(Checkpoint({0: 4}, {0: 6}), table) is kept


def test_a_table_never_agrees_with_a_mix_of_begun_and_done() -> None:
    assert not agrees(Checkpoint({0: 4, 1: 4}, {0: 6, 1: 6}), {0: 6, 1: 4})


def test_a_partition_without_rows_stands_where_it_began() -> None:
    """Anywhere else its rows were taken and are gone: a table restored, or made anew, would lose them."""
    assert agrees(Checkpoint({0: 4, 1: 900, 2: 0}, None, {0: 0, 1: 900}), {0: 4})
    assert not agrees(Checkpoint({0: 4, 1: 901}, None, {0: 0, 1: 900}), {0: 4})


def test_an_emptied_table_does_not_agree(checkpoint: Path) -> None:
    found = read_checkpoint(checkpoint, TOPIC)
    assert found is not None
    assert agrees(found, {0: 6})
    assert not agrees(found, {})


def test_where_it_began_is_0_when_the_checkpoint_does_not_say(checkpoint: Path) -> None:
    shutil.rmtree(checkpoint / "sources")
    assert read_checkpoint(checkpoint, TOPIC) == Checkpoint({0: 6}, None, {})


def test_starting_offsets_go_on_after_the_table_and_take_new_partitions_whole() -> None:
    assert json.loads(starting_offsets("Food", 3, {0: 10, 2: 5})) == {"Food": {"0": 10, "1": -2, "2": 5}}


@given(st.dictionaries(st.integers(0, 9), st.integers(0, 1 << 62)), st.integers(1, 10))
def test_starting_offsets_name_every_partition_once(table: dict[int, int], partitions: int) -> None:
    (found,) = json.loads(starting_offsets("t", partitions, table)).values()
    assert found == {str(p): table.get(p, -2) for p in range(partitions)}


def test_retiring_keeps_every_earlier_one(checkpoint: Path) -> None:
    first = retire(checkpoint)
    checkpoint.mkdir()
    second = retire(checkpoint)
    assert [first.name, second.name] == ["checkpoint.retired-1", "checkpoint.retired-2"]
    assert read_checkpoint(first, TOPIC) == Checkpoint({0: 6}, None, {0: 0})
    assert not checkpoint.exists()
