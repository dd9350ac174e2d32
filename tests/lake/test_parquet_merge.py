"""Parquet files written together by columns: Spark, DuckDB and pyarrow read the same rows from the one file as from the many."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from surveylake.lake import hadoop_checksum, parquet_merge
from surveylake.lake.parquet_merge import UnlikeFilesError, merge, merged_statistics

COLUMNS = (
    "topic string, offset bigint, epoch int, timestamp timestamp, born date, value binary, accepted boolean, height double,"
    " weight decimal(5,1), weighed decimal(18,4), counted decimal(30,2), failed_rules array<string>"
)
ROW = (
    "t", 1, 1, datetime(2026, 5, 4, 3, 2, 1, 123456, UTC), date(1515, 9, 13), b"{\x00}", True, 1.5,
    Decimal("70.5"), Decimal("0.1234"), Decimal("-1.25"), ["age:range", None],
)  # fmt: skip
NOTHING = (None, 2, *[None] * 10)
EMPTY = ("", 3, 1, datetime(1900, 1, 1, tzinfo=UTC), date(9999, 12, 31), b"", False, float("inf"),
         Decimal(0), Decimal(0), Decimal(0), [])  # fmt: skip


def never() -> bool:
    return False


def written(spark: SparkSession, folder: Path, rows: Sequence[tuple[object, ...]]) -> list[Path]:
    """Files by Spark's writer, one for each row."""
    for number, row in enumerate(rows):
        frame = spark.createDataFrame([row], COLUMNS).coalesce(1)
        frame.write.parquet(str(folder / str(number)))
    return [next((folder / str(number)).glob("part-*")) for number in range(len(rows))]


@pytest.fixture
def schema(spark: SparkSession) -> pa.Schema:
    return to_arrow_schema(spark.createDataFrame([], COLUMNS).schema, timezone="UTC")


def test_every_reader_finds_the_same_rows(spark: SparkSession, schema: pa.Schema, tmp_path: Path) -> None:
    sources, target = written(spark, tmp_path, [ROW, NOTHING, EMPTY]), tmp_path / "whole.parquet"
    assert merge(sources, target, schema, never) == 3

    def by_spark(files: Sequence[Path]) -> list[object]:
        return spark.read.parquet(*map(str, files)).orderBy("offset").collect()

    def by_duckdb(files: Sequence[Path]) -> list[object]:
        question = 'SELECT * FROM read_parquet($files) ORDER BY "offset"'
        return list(duckdb.execute(question, {"files": list(map(str, files))}).fetchall())

    assert by_spark([target]) == by_spark(sources)
    assert by_duckdb([target]) == by_duckdb(sources)
    types = spark.read.parquet(str(target)).schema
    assert types == spark.read.parquet(str(sources[0])).schema


@pytest.mark.parametrize(
    "wanted",
    ["offset = 2", "t.topic = 't'", "accepted", "height > 2", "weight = 70.5", "born IS NULL",
     "timestamp < timestamp'1950-01-01'", "exists(failed_rules, reason -> reason = 'age:range')"],
)  # fmt: skip
def test_a_search_by_the_index_of_pages_finds_the_same_rows(
    spark: SparkSession, schema: pa.Schema, tmp_path: Path, wanted: str
) -> None:
    sources, target = written(spark, tmp_path, [ROW, NOTHING, EMPTY]), tmp_path / "whole.parquet"
    merge(sources, target, schema, never)
    found = [
        spark.read.parquet(*map(str, files)).alias("t").where(wanted).collect()
        for files in ([target], sources)
    ]
    assert len(found[0]) == 1
    assert found[0] == found[1]


def test_the_file_says_what_a_file_of_sparks_says(
    spark: SparkSession, schema: pa.Schema, tmp_path: Path
) -> None:
    sources, target = written(spark, tmp_path, [ROW, ROW]), tmp_path / "whole.parquet"
    merge(sources, target, schema, never)
    was, now = pq.ParquetFile(sources[0]), pq.ParquetFile(target)
    version = parquet_merge.SPARK_VERSION
    assert now.metadata.metadata == {version: was.metadata.metadata[version]}
    compression = [file.metadata.row_group(0).column(0).compression for file in (was, now)]
    assert compression[0] == compression[1]
    kinds = [
        [(c.path, c.physical_type, c.logical_type.type) for c in map(file.schema.column, range(len(file.schema.names)))]
        for file in (was, now)
    ]  # fmt: skip
    assert kinds[0] == kinds[1]


def test_hadoops_checksum_stands_beside_it_and_finds_a_bit_that_turned(
    spark: SparkSession, schema: pa.Schema, tmp_path: Path
) -> None:
    target = tmp_path / "whole.parquet"
    merge(written(spark, tmp_path, [ROW, EMPTY]), target, schema, never)
    assert spark.read.parquet(str(target)).count() == 2  # Hadoop compares while it reads
    assert hadoop_checksum.recorded(target) is not None
    assert hadoop_checksum.matches(target)
    content = bytearray(target.read_bytes())
    content[len(content) // 2] ^= 1
    target.write_bytes(content)
    assert not hadoop_checksum.matches(target)


def test_a_column_that_came_later_is_null_before(
    spark: SparkSession, schema: pa.Schema, tmp_path: Path
) -> None:
    sources = written(spark, tmp_path, [ROW, ROW])
    frame = spark.read.parquet(str(sources[0])).drop("height")
    frame.coalesce(1).write.parquet(str(tmp_path / "older"))
    older = next((tmp_path / "older").glob("part-*"))
    merge([older, sources[1]], tmp_path / "whole.parquet", schema, never)
    table = pq.read_table(tmp_path / "whole.parquet")
    assert table["height"].to_pylist() == [None, 1.5]
    assert table.schema.names == schema.names


@pytest.mark.parametrize("change", ["offset int", "offset bigint, more string"])
def test_files_of_other_columns_are_refused_and_nothing_is_left(
    spark: SparkSession, tmp_path: Path, change: str
) -> None:
    wanted = to_arrow_schema(spark.createDataFrame([], "offset bigint").schema, timezone="UTC")
    spark.createDataFrame([], change).coalesce(1).write.parquet(str(tmp_path / "other"))
    sources, target = list((tmp_path / "other").glob("part-*")), tmp_path / "whole.parquet"
    assert sources
    with pytest.raises(UnlikeFilesError):
        merge(sources, target, wanted, never)
    assert not list(tmp_path.glob("*whole*"))


def test_a_time_in_the_old_physical_type_is_left_to_spark(spark: SparkSession, tmp_path: Path) -> None:
    """INT96 has no time zone, and would come back as a time of another kind."""
    with_times = spark.createDataFrame([(ROW[3],)], "timestamp timestamp").coalesce(1)
    wanted = to_arrow_schema(with_times.schema, timezone="UTC")
    setting = "spark.sql.parquet.outputTimestampType"
    before = spark.conf.get(setting)
    spark.conf.set(setting, "INT96")
    try:
        with_times.write.parquet(str(tmp_path / "old"))
    finally:
        spark.conf.set(setting, before)
    with pytest.raises(UnlikeFilesError):
        merge(list((tmp_path / "old").glob("part-*")), tmp_path / "whole.parquet", wanted, never)


def test_stopped_it_leaves_nothing(spark: SparkSession, schema: pa.Schema, tmp_path: Path) -> None:
    sources, asked = written(spark, tmp_path, [ROW, ROW]), []

    def after_the_first() -> bool:
        asked.append(True)
        return len(asked) > 1

    assert merge(sources, tmp_path / "whole.parquet", schema, after_the_first) is None
    assert not list(tmp_path.glob("*whole*"))


def test_row_groups_are_bounded_by_bytes_and_by_rows(
    spark: SparkSession, schema: pa.Schema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources, target = written(spark, tmp_path, [ROW, NOTHING, EMPTY]), tmp_path / "whole.parquet"
    for name, groups in (("ROW_GROUP_ROWS", 2), ("ROW_GROUP_BYTES", 3)):
        with monkeypatch.context() as context:
            context.setattr(parquet_merge, name, 2 if name == "ROW_GROUP_ROWS" else 1)
            merge(sources, target, schema, never)
        assert pq.ParquetFile(target).metadata.num_row_groups == groups
        assert pq.read_table(target)["offset"].to_pylist() == [1, 2, 3]


def test_statistics_are_those_of_all_rows() -> None:
    first = {
        "numRecords": 2, "minValues": {"offset": 10, "timestamp": "2026-01-02T00:00:00.000Z", "age": 1.5},
        "maxValues": {"offset": 11, "timestamp": "2026-01-02T00:00:01.000Z"}, "nullCount": {"offset": 0, "age": 1},
    }  # fmt: skip
    second = {
        "numRecords": 3, "minValues": {"offset": 9, "timestamp": "2025-12-31T23:59:59.999Z", "age": 2},
        "maxValues": {"offset": 400}, "nullCount": {"offset": 1},
    }  # fmt: skip
    assert json.loads(merged_statistics([json.dumps(first), json.dumps(second)], 5)) == {
        "numRecords": 5, "minValues": {"offset": 9, "timestamp": "2025-12-31T23:59:59.999Z"},
        "maxValues": {"offset": 400}, "nullCount": {"offset": 1},
    }  # fmt: skip
    bare = {"numRecords": 5, "minValues": {}, "maxValues": {}, "nullCount": {}}
    assert json.loads(merged_statistics([json.dumps(first), None], 5)) == bare
