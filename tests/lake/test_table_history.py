"""The history of a table: which commits change rows, which only move them, and whose note holds."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from surveylake.lake import compaction, maintenance, table_history, tables
from surveylake.lake.provenance import Provenance
from surveylake.lake.table_history import change, provenance_of, same_rows


def append(spark: SparkSession, path: str, number: int, by_stream: bool = True) -> None:
    writer = spark.range(number, number + 1).coalesce(1).write.format("delta").mode("append")
    if by_stream:
        writer = writer.option("txnAppId", "a query").option("txnVersion", number)
    writer.save(path)


@pytest.fixture
def table(spark: SparkSession, tmp_path: Path) -> str:
    """Version 0 has a note; versions 1 and 2 are a stream's; version 3 is a compaction, 4 a setting."""
    path = str(tmp_path / "a table")
    tables.replace(spark.range(0), path, Provenance(records_version=7))
    append(spark, path, 1)
    append(spark, path, 2)
    compaction.compact(spark, path)
    tables.set_property(spark, path, "a.property", "b")
    return path


def test_a_streams_commits_make_a_table_grow_and_compaction_and_settings_leave_its_rows(
    spark: SparkSession, table: str
) -> None:
    assert tables.version(spark, table) == 4
    assert change(spark, table, 0, 4) == change(spark, table, 1, 2) == "grown"
    assert change(spark, table, 2, 4) == change(spark, table, 4, 4) == "same"
    assert [same_rows(spark, table, version) for version in range(5)] == [0, 1, 4, 4, 4]


def test_an_append_that_is_no_streams_is_another_change(spark: SparkSession, table: str) -> None:
    append(spark, table, 3, by_stream=False)
    assert change(spark, table, 4, 5) == "other"
    assert change(spark, table, 0, 4) == "grown"
    assert same_rows(spark, table, 2) == 4


@pytest.mark.parametrize("statement", ["DELETE FROM delta.`{0}` WHERE id = 1", "UPDATE delta.`{0}` SET id = 9",
                                       "RESTORE TABLE delta.`{0}` TO VERSION AS OF 1"])  # fmt: skip
def test_rows_that_go_or_change_are_another_change(spark: SparkSession, table: str, statement: str) -> None:
    spark.sql(statement.format(table))
    append(spark, table, 3)
    assert change(spark, table, 0, 6) == change(spark, table, 4, 5) == "other"
    assert change(spark, table, 5, 6) == "grown"


def test_what_the_log_no_longer_tells_is_another_change(spark: SparkSession, table: str) -> None:
    maintenance.checkpoint(spark, table)
    Path(table, "_delta_log", f"{3:020d}.json").unlink()
    assert change(spark, table, 2, 4) == "other"
    assert change(spark, table, 3, 4) == "same"
    assert same_rows(spark, table, 2) == 2


def test_a_version_that_is_not_there_yet_is_another_change(spark: SparkSession, table: str) -> None:
    assert change(spark, table, 9, 4) == "other"


def test_a_note_stands_until_rows_change(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "table")
    tables.replace(spark.range(0, 8, 1, 2), path, Provenance(records_version=7))
    assert provenance_of(spark, path) == Provenance(records_version=7)
    assert compaction.compact(spark, path).before.count == 2
    assert provenance_of(spark, path) == Provenance(records_version=7)
    append(spark, path, 3)
    assert provenance_of(spark, path) == Provenance()


def test_a_note_that_the_log_no_longer_keeps_is_none(spark: SparkSession, table: str) -> None:
    maintenance.checkpoint(spark, table)
    for version in (0, 1, 2, 3):
        Path(table, "_delta_log", f"{version:020d}.json").unlink()
    assert provenance_of(spark, table) == Provenance()


def test_metrics_are_those_of_the_newest_commit(spark: SparkSession, table: str) -> None:
    append(spark, table, 3)
    assert table_history.metrics_of(spark, table)["numOutputRows"] == "1"
