"""Where each partition of `records` ends: the same by statistics as by the rows, and rows are read only where they must be."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import DataFrame, SparkSession

from surveylake.lake import commits, listed_files, table_ends, tables
from surveylake.lake.table_ends import Place

Row = tuple[int, int, int]
"""Epoch, partition and offset."""
STATISTICS = "partition,offset"
"""As in `records`, but for the time."""
EPOCHS = (1,)


def table(folder: Path, *files: Sequence[Row], statistics: str = STATISTICS) -> str:
    """Write a table with one commit and one data file for each group of rows, by a writer that is not Spark."""
    path = str(folder / "records")
    for rows in files:
        epochs, partitions, offsets = zip(*rows, strict=True)
        columns = {
            "epoch": pa.array(epochs, pa.int32()), "partition": pa.array(partitions, pa.int32()),
            "offset": pa.array(offsets, pa.int64()), "value": pa.array(["x"] * len(rows)),
        }  # fmt: skip
        write_deltalake(path, pa.table(columns), mode="append", configuration={tables.STATISTICS: statistics})
    return path


def by_hand(*files: Sequence[Row]) -> dict[Place, int]:
    ends: dict[Place, int] = {}
    for epoch, partition, offset in (row for rows in files for row in rows):
        ends[epoch, partition] = max(ends.get((epoch, partition), 0), offset + 1)
    return dict(sorted(ends.items()))


def run(partition: int, first: int, last: int) -> list[Row]:
    return [(1, partition, offset) for offset in range(first, last + 1)]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which tables are read for their rows."""
    made: list[str] = []
    real = tables.read

    def read(spark: SparkSession, path: str, at: int | None = None) -> DataFrame:
        made.append(path)
        return real(spark, path, at)

    monkeypatch.setattr(tables, "read", read)
    return made


@pytest.fixture(params=["listed", "many"])
def found(spark: SparkSession, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The ends, asked of a log whose checksum lists the files, and of one whose files are too many for it."""

    def ask(path: str, epochs: Sequence[int] = EPOCHS) -> dict[Place, int]:
        if request.param == "many":
            monkeypatch.setattr(listed_files, "listed", lambda *_: None)
        else:
            # A commit of Spark's has a checksum beside it.
            tables.set_property(spark, path, "surveylake.epoch.1", "cluster/topic")
            assert listed_files.listed(spark, commits.snapshot(spark, path)) is not None
        return table_ends.table_ends(spark, path, epochs)

    return ask


def test_files_of_one_partition_tell_without_being_read(found: Any, reads: list[str], tmp_path: Path) -> None:
    files = run(0, 0, 4), run(1, 0, 2), run(0, 5, 9), run(11, 3, 3)
    assert found(table(tmp_path, *files)) == by_hand(*files) == {(1, 0): 10, (1, 1): 3, (1, 11): 4}
    assert reads == []


def test_a_file_of_several_partitions_is_not_read_when_newer_files_tell(
    found: Any, reads: list[str], tmp_path: Path
) -> None:
    files = [*run(0, 0, 4), *run(1, 0, 2)], run(0, 5, 9), run(1, 3, 5)
    assert found(table(tmp_path, *files)) == by_hand(*files)
    assert reads == []


def test_a_file_of_several_partitions_that_may_go_further_is_read(
    found: Any, reads: list[str], tmp_path: Path
) -> None:
    files = run(0, 0, 9), [*run(0, 10, 11), *run(1, 0, 20), *run(3, 0, 0)]
    assert found(table(tmp_path, *files)) == by_hand(*files)
    assert len(reads) == 1


def test_a_table_without_statistics_is_read(found: Any, reads: list[str], tmp_path: Path) -> None:
    files = run(0, 0, 4), run(1, 0, 2)
    assert found(table(tmp_path, *files, statistics="value")) == by_hand(*files)
    assert len(reads) == 1


def test_a_table_of_several_epochs_is_read(found: Any, reads: list[str], tmp_path: Path) -> None:
    files = run(0, 0, 4), [(2, 0, offset) for offset in range(2)]
    assert found(table(tmp_path, *files), (1, 2)) == by_hand(*files) == {(1, 0): 5, (2, 0): 2}
    assert len(reads) == 1


def test_a_table_of_no_stream_has_no_ends(found: Any, reads: list[str], tmp_path: Path) -> None:
    assert found(table(tmp_path, run(0, 0, 4)), ()) == {}
    assert reads == []


def test_a_last_row_that_was_deleted_does_not_count(spark: SparkSession, found: Any, tmp_path: Path) -> None:
    """By a deletion vector, beside which the file's statistics stay as they were."""
    path = table(tmp_path, run(0, 0, 9), run(1, 0, 4))
    tables.set_property(spark, path, "delta.enableDeletionVectors", "true")
    spark.sql(f"DELETE FROM delta.`{path}` WHERE partition = 0 AND offset > 6")
    newest = commits.snapshot(spark, path)
    assert any(file.deletionVector() is not None for file in newest.allFiles().collectAsList())
    assert found(path) == {(1, 0): 7, (1, 1): 5}


@pytest.mark.parametrize("seed", range(6))
def test_any_arrangement_of_rows_in_files_gives_the_ends_of_the_rows(
    found: Any, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    rows = [
        row for partition in range(4) for row in run(partition, chance.randrange(3), chance.randrange(3, 30))
    ]
    if chance.random() < 0.5:
        chance.shuffle(rows)
    cuts = sorted(chance.sample(range(1, len(rows)), 5))
    files = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    path = table(tmp_path, *files)
    assert found(path) == by_hand(*files)
    assert len(DeltaTable(path).file_uris()) == len(files)


def test_an_empty_table_has_no_ends(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "records")
    spark.sql(f"CREATE TABLE delta.`{path}` (epoch INT, partition INT, offset BIGINT) USING delta")
    assert table_ends.table_ends(spark, path, EPOCHS) == {}
