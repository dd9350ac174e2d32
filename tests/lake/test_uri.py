"""A lake at a URI: the promises of a lake on a disk hold where there is no lock and no `pathlib`.

The URI is Hadoop's own `viewfs://`, whose files lie in a folder of the test: so readers that know nothing of Hadoop check them.
"""

import csv
import json
import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from support.sessions import OPEN
from support.survey_env import SurveyEnv
from support.uri_lake import EPOCH, LocalFiles, UriLake, before_the_batch, mounted
from surveylake.cli import lake_folder
from surveylake.errors import LakeLockedError, StorageError
from surveylake.export import csv_files
from surveylake.lake import commits, folders, records_table, tables, writer_token
from surveylake.lake.hadoop_path import HadoopPath
from surveylake.lake.lake_path import lake_path
from surveylake.lake.lock import one_writer
from surveylake.lake.store_errors import StoreError
from surveylake.lake.tables import Lake
from surveylake.stream import housekeeping
from surveylake.stream.housekeeping import Housekeeper
from surveylake.stream.sink import DeltaSink
from surveylake.verify.proof import prove


class Uri(UriLake):
    """The lake of a test; `folder` is where its files are."""

    def __init__(self, env: SurveyEnv, spark: SparkSession) -> None:
        store = env.folder / "store"
        store.mkdir()
        super().__init__(env, mounted(spark, env.topic.lower(), store), LocalFiles(store))
        self.folder = store / "lake"


@pytest.fixture
def uri(env: SurveyEnv, spark: SparkSession) -> Uri:
    return Uri(env, spark)


def test_what_an_older_checkpoint_has_not_read_is_taken_in_all_the_same(uri: Uri) -> None:
    uri.env.send(10)
    uri.take()
    older = shutil.copytree(uri.folder / EPOCH, uri.env.folder / "older")
    uri.env.send(10, start=10)
    uri.take()
    shutil.rmtree(uri.folder / EPOCH)
    shutil.copytree(older, uri.folder / EPOCH)
    uri.env.send(10, start=20)
    uri.take()
    uri.assert_each_once(30)
    assert (uri.folder / f"{EPOCH}.retired-1").is_dir()


def test_a_restored_table_is_filled_again(uri: Uri, spark: SparkSession) -> None:
    uri.env.send(10)
    uri.take()
    version = DeltaTable(uri.folder / "records").version()
    uri.env.send(10, start=10)
    uri.take()
    spark.sql(f"RESTORE TABLE delta.`{uri.root}/records` TO VERSION AS OF {version}")
    commits.log_of(spark, f"{uri.root}/records").clearCache()
    uri.take()
    uri.assert_each_once(20)


@pytest.mark.parametrize("first", ["earliest", "latest"])
def test_a_lost_checkpoint_skips_nothing_that_waited(uri: Uri, first: str) -> None:
    uri.env.send(10)
    uri.take()
    shutil.rmtree(uri.folder / "_checkpoints")
    uri.env.send(10, start=10)
    uri.env.set_stream(starting_offsets=first)
    uri.take()
    uri.assert_each_once(20)


def test_a_batch_whose_number_is_known_and_that_has_rows_is_an_error(
    uri: Uri, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = DeltaSink.__call__

    def twice(sink: DeltaSink, batch: DataFrame, number: int) -> None:
        real(sink, batch, number)
        real(sink, batch, number)

    monkeypatch.setattr(DeltaSink, "__call__", twice)
    uri.env.send(10)
    with pytest.raises(StorageError, match="has micro-batch 0 of this checkpoint already"):
        uri.take()
    monkeypatch.undo()
    uri.take()
    uri.assert_each_once(10)


@pytest.mark.parametrize("at", ["before it begins", "before it commits"])
def test_a_stream_that_another_writer_replaced_stops_with_its_name_and_writes_nothing(
    uri: Uri, spark: SparkSession, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    uri.env.set_stream(max_offsets_per_trigger=10)
    uri.env.send(30)
    before: list[int] = []

    def another_comes() -> None:
        before.append(len(uri.offsets()))
        writer_token.take(spark, f"{uri.root}/records", "another.py")

    before_the_batch(monkeypatch, 1, another_comes, at)
    with pytest.raises(LakeLockedError, match=r"is being written by another\.py on .+ \(process \d+\)"):
        uri.take()
    (first,) = before
    assert 0 < first < 30
    uri.assert_each_once(first)
    monkeypatch.undo()
    uri.take()
    uri.assert_each_once(30)
    assert uri.proof().proved


def planned_by_another(uri: Uri, number: int) -> None:
    """Have the checkpoint hold a micro-batch that another stream planned: as many records as the one before, and one less."""
    before = uri.folder / EPOCH / "offsets" / str(number - 1)
    *head, ends = before.read_text(encoding="utf-8").splitlines()
    by_partition = json.loads(ends)[uri.env.topic]
    further = {partition: 2 * end - (partition == "0") for partition, end in by_partition.items()}
    planned = "\n".join([*head, json.dumps({uri.env.topic: further})])
    before.with_name(str(number)).write_text(planned, encoding="utf-8")


def test_a_stream_whose_next_batch_another_has_planned_goes_on_while_it_is_its_turn(
    uri: Uri, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream before it, which has not noticed yet that it was replaced, writes to the same checkpoint."""
    uri.env.set_stream(max_offsets_per_trigger=10)
    uri.env.send(40)
    before_the_batch(monkeypatch, 0, lambda: planned_by_another(uri, 1), "before it commits")
    uri.take()
    uri.assert_each_once(40)
    assert uri.proof().proved


def test_a_stream_whose_next_batch_its_successor_has_planned_stops_with_its_name(
    uri: Uri, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri.env.set_stream(max_offsets_per_trigger=10)
    uri.env.send(40)
    real = DeltaSink.__call__

    def then_another_comes(sink: DeltaSink, batch: DataFrame, number: int) -> None:
        real(sink, batch, number)
        writer_token.take(spark, f"{uri.root}/records", "another.py")
        planned_by_another(uri, number + 1)

    monkeypatch.setattr(DeltaSink, "__call__", then_another_comes)
    with pytest.raises(LakeLockedError, match=r"is being written by another\.py on .+ \(process \d+\)"):
        uri.take()
    monkeypatch.undo()
    uri.take()
    uri.assert_each_once(40)


def test_a_property_that_is_set_beside_a_stream_costs_no_batch(
    uri: Uri, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`maintain.py` sets some, and may run beside a stream where there is no lock."""
    uri.env.set_stream(max_offsets_per_trigger=10)
    uri.env.send(30)
    done: list[str] = []

    def once() -> None:
        if not done:
            tables.set_property(spark, f"{uri.root}/records", "surveylake.test", "1")
            done.append("set")

    before_the_batch(monkeypatch, 1, once, "before it commits")
    uri.take()
    assert done
    uri.assert_each_once(30)
    assert uri.proof().proved


def test_what_another_stream_takes_in_while_this_one_starts_is_no_loss(
    uri: Uri, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The topic is asked where it ends after the turn was taken: else the table would seem to have read beyond its end."""
    uri.env.send(10)
    uri.take()
    real = DeltaSink.take_turn

    def after_another(sink: DeltaSink) -> None:
        monkeypatch.setattr(DeltaSink, "take_turn", real)
        uri.env.send(10, start=10)
        uri.take()
        real(sink)

    monkeypatch.setattr(DeltaSink, "take_turn", after_another)
    uri.take()
    uri.assert_each_once(20)


def test_a_store_that_does_not_answer_is_named_and_ends_no_stream_that_only_looks_for_small_files(
    uri: Uri, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unanswered(*_: object) -> None:
        spark._jvm.java.nio.file.Files.size(
            spark._jvm.java.nio.file.Path.of(
                str(tmp_path / "not there"),
                spark.sparkContext._gateway.new_array(spark._jvm.java.lang.String, 0),
            )
        )  # type: ignore[union-attr]

    uri.env.send(10)
    uri.take()
    monkeypatch.setattr(housekeeping, "small_files", unanswered)
    assert Housekeeper(spark, Lake(uri.root), uri.env.config).after_batch(0) is None
    monkeypatch.setattr(records_table, "check_columns", unanswered)
    with pytest.raises(StorageError, match=f"the stream into {uri.root} stopped: NoSuchFileException"):
        uri.take()


def test_a_table_that_another_stream_has_just_made_is_not_replaced(uri: Uri, spark: SparkSession) -> None:
    uri.env.send(10)
    uri.take()
    records_table.create_records(spark, Lake(uri.root), uri.env.contract, "another/topic")
    uri.assert_each_once(10)


def test_a_stream_that_was_replaced_does_not_take_its_turn_back(uri: Uri, spark: SparkSession) -> None:
    """It may begin its query anew, around a record that Spark cannot read, and must not touch the other's checkpoint."""
    uri.env.send(10)
    uri.take()
    sink = DeltaSink(spark, f"{uri.root}/records", shared=True)
    sink.take_turn()
    sink.take_turn()
    writer_token.take(spark, f"{uri.root}/records", "another.py")
    for again in (sink.require_turn, sink.take_turn):
        with pytest.raises(LakeLockedError, match=r"is being written by another\.py on "):
            again()


def test_of_two_that_take_the_token_at_once_one_is_refused(uri: Uri, spark: SparkSession) -> None:
    uri.take()
    path = f"{uri.root}/records"
    before = commits.snapshot(spark, path)
    first, second = (commits.begin(spark, before) for _ in range(2))
    numbers = [int(each.txnVersion(writer_token.WRITER)) + 1 for each in (first, second)]
    commits.commit_numbered(spark, first, commits.no_files(spark), writer_token.WRITER, numbers[0], "{}")
    with pytest.raises(commits.FAILURES, match=writer_token.CONFLICT):
        commits.commit_numbered(spark, second, commits.no_files(spark), writer_token.WRITER, numbers[1], "{}")


def test_a_lake_at_a_uri_is_proved_and_what_is_wrong_with_it_is_named(uri: Uri) -> None:
    uri.env.send(10)
    uri.take()
    assert uri.proof(deep=True).proved
    data = max((uri.folder / "records").glob("*.parquet"), key=lambda path: path.stat().st_size)
    whole = data.read_bytes()
    middle = len(whole) // 3
    data.with_name(f".{data.name}.crc").unlink()  # a store has no checksum of Hadoop's
    data.write_bytes(whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :])
    assert not uri.proof(deep=True).proved
    data.write_bytes(whole[:-1])
    assert "instead of" in uri.proof().conclusion
    data.unlink()
    assert "is missing" in uri.proof().conclusion


def test_a_store_that_cannot_be_reached_is_named_by_whoever_asks_it(uri: Uri, spark: SparkSession) -> None:
    nowhere = "viewfs://nobody/lake"
    with pytest.raises(StoreError, match=f"{nowhere}/records cannot be reached: IOException") as raised:
        prove(OPEN, nowhere, uri.env.config, uri.env.contract)
    assert "[store]" in raised.value.hint
    with pytest.raises(StoreError, match=f"{nowhere} cannot be reached"):
        folders.names(spark, Lake(nowhere))


def test_a_path_at_a_uri_answers_as_one_on_this_disk(uri: Uri, spark: SparkSession) -> None:
    uri.folder.mkdir()
    (uri.folder / "a b.txt").write_bytes(b"\x00text")
    (uri.folder / "inner").mkdir()
    there, here = lake_path(spark, uri.root), lake_path(spark, str(uri.folder))
    assert isinstance(there, HadoopPath) and isinstance(here, Path)
    for folder in (there, here):
        assert folder.is_dir() and folder.exists() and not folder.is_file()
        assert sorted((path.name, path.is_file()) for path in folder.iterdir()) == [
            ("a b.txt", True), ("inner", False)
        ]  # fmt: skip
        file = folder / "a b.txt"
        assert (file.read_bytes(), file.stat().st_size, file.suffix) == (b"\x00text", 5, ".txt")
        with pytest.raises(FileNotFoundError):
            (folder / "none").read_bytes()
    assert sorted(there.iterdir()) == [there / "a b.txt", there / "inner"]
    (there / "inner").rename(there.with_name("moved"))
    assert (uri.folder.parent / "moved").is_dir()


def test_file_and_three_slashes_is_the_folder_with_its_lock(tmp_path: Path) -> None:
    assert (
        lake_folder(f"file://{tmp_path}/lake") == lake_folder(f"file:{tmp_path}/lake") == f"{tmp_path}/lake"
    )
    lake, same = lake_folder(f"file://{tmp_path}/lake"), str(tmp_path / "lake")
    with one_writer(lake, "one"), pytest.raises(LakeLockedError), one_writer(same, "two"):
        pass


def test_people_whom_the_executors_wrote_elsewhere_are_missed_before_the_set_is_sealed(
    env: SurveyEnv, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = env.contract
    values = {
        name: F.concat(F.lit("P"), F.col("id")) if name == contract.key else F.lit("two\nlines")
        for name, kind in contract.columns.items()
        if kind == "string"
    }
    columns = [
        values.get(name, F.lit(None)).cast(kind).alias(name) for name, kind in contract.columns.items()
    ]
    people = spark.range(0, 7, numPartitions=2).select(*columns)
    csv_files.write_responses(people, contract, tmp_path / "all.csv", tmp_path / "parts")
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        assert [row[0] for row in csv.reader(file)][1:] == [f"P{number}" for number in range(7)]
    real = csv_files.parts_in
    monkeypatch.setattr(csv_files, "parts_in", lambda folder: real(folder)[1:])
    with pytest.raises(StorageError, match=r"responses\.csv has \d+ of \d+ lines here"):
        csv_files.write_responses(people, contract, tmp_path / "responses.csv", tmp_path / "parts")
