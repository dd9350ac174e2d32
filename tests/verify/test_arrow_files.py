"""Files that pyarrow writes into a lake: small tables, and small files taken together. What flips in a page is found there too."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from surveylake.lake.parquet_merge import merge
from surveylake.lake.small_table import parquet_of
from surveylake.verify.logs import Log
from surveylake.verify.parquet_bytes import damaged

ROWS = pa.table(
    {
        "food": pa.array(["Western Food", None, "ß" * 90]),
        "answers": pa.array([3, 1, None], pa.int64()),
        "epoch": pa.array([1, 1, 2], pa.int32()),
        "mean": pa.array([1.5, None, 0.25]),
        "share": pa.array([Decimal("12.5"), None, Decimal("0.1")], pa.decimal128(5, 1)),
        "total": pa.array([Decimal("1.25"), None, Decimal("-7")], pa.decimal128(30, 2)),
        "value": pa.array([b"{}", b"", None]),
        "accepted": pa.array([True, False, None]),
        "timestamp": pa.array([datetime(2026, 5, 4, tzinfo=UTC), None, None], pa.timestamp("us", "UTC")),
        "born": pa.array([date(1999, 9, 13), None, None]),
        "failed_rules": pa.array([["blank:Food", None], [], None]),
    }
)
COLUMNS: StructType = from_arrow_schema(ROWS.schema, prefer_timestamp_ntz=False)
Write = Callable[[pa.Table, Path], None]


def as_small_table(rows: pa.Table, file: Path) -> None:
    file.write_bytes(parquet_of(rows))


def as_merged_files(rows: pa.Table, file: Path) -> None:
    source = file.with_name("source.parquet")
    pq.write_table(rows, source)
    merge([source], file, rows.schema, lambda: False)
    source.unlink()


@pytest.fixture(params=[as_small_table, as_merged_files])
def write(request: pytest.FixtureRequest) -> Write:
    written: Write = request.param
    return written


@pytest.fixture
def file(write: Write, tmp_path: Path) -> Path:
    path = tmp_path / "part-0.parquet"
    write(ROWS, path)
    return path


def last_bytes(file: Path) -> dict[str, int]:
    """Return column -> the place of the last byte of its values."""
    group, places = pq.ParquetFile(file).metadata.row_group(0), {}
    for column in map(group.column, range(group.num_columns)):
        begin = min(column.dictionary_page_offset or column.data_page_offset, column.data_page_offset)
        places[column.path_in_schema] = begin + column.total_compressed_size - 1
    return places


def flip(file: Path, at: int) -> bytes:
    """Flip a bit. Returns the content as it was."""
    whole = file.read_bytes()
    file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    return whole


def test_a_reader_that_compares_checksums_finds_the_rows_or_the_flipped_byte(file: Path) -> None:
    assert pq.read_table(file, page_checksum_verification=True) == ROWS
    for at in last_bytes(file).values():
        whole = flip(file, at)
        with pytest.raises(OSError, match=r"CRC|checksum"):
            pq.read_table(file, page_checksum_verification=True)
        file.write_bytes(whole)


def test_every_column_has_an_index_beside_the_footer(file: Path) -> None:
    group = pq.ParquetFile(file).metadata.row_group(0)
    assert all(group.column(number).has_offset_index for number in range(group.num_columns))
    assert all(group.column(number).has_column_index for number in range(group.num_columns))


def found(spark: SparkSession, file: Path, columns: StructType = COLUMNS) -> list[str]:
    return damaged(spark, Log(file.parent, files={file.name: file.stat().st_size}, schema=columns.json()))


def test_a_sound_file_is_sound(spark: SparkSession, file: Path) -> None:
    assert found(spark, file) == []


def test_a_flipped_byte_in_the_values_of_any_column_is_found(spark: SparkSession, file: Path) -> None:
    for at in last_bytes(file).values():
        whole = flip(file, at)
        (message,) = found(spark, file)
        assert message.startswith(f"{file.name}: ")
        file.write_bytes(whole)


def test_a_file_without_rows_is_sound(spark: SparkSession, write: Write, tmp_path: Path) -> None:
    write(ROWS.slice(0, 0), tmp_path / "empty.parquet")
    assert found(spark, tmp_path / "empty.parquet") == []


def test_a_file_of_an_earlier_release_is_no_fault(spark: SparkSession, tmp_path: Path) -> None:
    """It has no checksums and no indexes."""
    file = tmp_path / "older.parquet"
    pq.write_table(ROWS, file, store_schema=False, store_decimal_as_integer=True)
    assert found(spark, file) == []


def test_its_columns_are_those_of_the_table_but_for_newer_ones(spark: SparkSession, file: Path) -> None:
    newer = StructType([*COLUMNS.fields]).add("later", "string")
    assert found(spark, file, newer) == []
    for other in (COLUMNS.fields[1:], [*COLUMNS.fields[1:], newer["later"]]):
        (message,) = found(spark, file, StructType(other))
        assert message == f"{file.name}: its columns are other ones than the table's"


def test_a_name_that_flipped_is_found(spark: SparkSession, file: Path) -> None:
    flip(file, file.read_bytes().index(b"accepted"))
    (message,) = found(spark, file)
    assert message.startswith(f"{file.name}: ")
