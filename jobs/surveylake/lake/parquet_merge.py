"""Parquet files of one table written together, column by column: Spark's own writer makes rows of them, which costs more."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from surveylake.errors import StorageError
from surveylake.lake import hadoop_checksum
from surveylake.wording import first_line

ROW_GROUP_BYTES, ROW_GROUP_ROWS = 1 << 27, 1 << 20
"""A row group is written from so many bytes in memory, or so many rows; Spark's own have as many bytes."""
AS_SPARK_WRITES = {
    "store_schema": False,
    "store_decimal_as_integer": True,
    "write_page_checksum": True,
    "write_page_index": True,
}
"""pyarrow's options for a file of a lake: verify --deep compares each page with its checksum, and the index with the footer."""
SPARK_VERSION = b"org.apache.spark.version"
"""By this key of a footer Spark knows that days before 1582 are counted as by all others."""
OLD_CALENDAR = (b"org.apache.spark.legacyDateTime", b"org.apache.spark.legacyINT96")
DAMAGED = "Run jobs/verify.py --deep: it names every file that is damaged. Nothing was changed here."


class UnlikeFilesError(Exception):
    """The files are not of the table's columns and types: Spark has to read them."""


def merge(
    sources: Sequence[Path], target: Path, schema: pa.Schema, is_stopped: Callable[[], bool]
) -> int | None:
    """Write the rows of `sources`, in that order, as one file with the checksum that Hadoop keeps beside it.

    A column that a source does not have yet is null there. Compression is that of the first source.
    Returns the number of rows, or None when it was stopped. Nothing is left of a file that is not whole.
    Raises UnlikeFilesError for a source that has another column, or a column of another type than `schema`, and StorageError for
    one that cannot be read, with its name.
    """
    rows: int | None = None
    try:
        rows = _written(sources, target, schema, is_stopped)
        if rows is not None:
            hadoop_checksum.write(target)
    finally:
        if rows is None:
            remove(target)
    return rows


def remove(path: Path) -> None:
    """Delete a file and its checksum, where they are there."""
    for file in (path, hadoop_checksum.sidecar_of(path)):
        Path(str(file)).unlink(missing_ok=True)


def merged_statistics(statistics: Sequence[str | None], rows: int) -> str:
    """Return Delta's JSON of statistics for the rows of several files together, from that of each.

    What not all files have is left out; so are bounds that are neither whole numbers nor texts (times are texts there).
    """
    each = [json.loads(text) if text else {} for text in statistics]
    merged: dict[str, Any] = {"numRecords": rows}
    for name, together in (("minValues", min), ("maxValues", max), ("nullCount", sum)):
        columns = [file.get(name, {}) for file in each]
        common = [column for column in columns[0] if all(column in others for others in columns)]
        values = {column: [others[column] for others in columns] for column in common}
        merged[name] = {column: together(all_) for column, all_ in values.items() if _are_alike(all_)}
    return json.dumps(merged, separators=(",", ":"), ensure_ascii=False)


def _are_alike(values: Sequence[Any]) -> bool:
    return any(all(type(value) is kind for value in values) for kind in (int, str))


def _written(
    sources: Sequence[Path], target: Path, schema: pa.Schema, is_stopped: Callable[[], bool]
) -> int | None:
    first = _opened(sources[0])
    files = chain([first], map(_opened, sources[1:]))
    rows, waiting, size = 0, list[pa.Table](), 0
    with pq.ParquetWriter(target, schema, compression=_codec(first), **AS_SPARK_WRITES) as writer:
        if SPARK_VERSION in _footer(first):
            writer.add_key_value_metadata({SPARK_VERSION: _footer(first)[SPARK_VERSION]})
        for source, file in zip(sources, files, strict=True):
            if is_stopped():
                return None
            table = _read(source, file, schema)
            waiting.append(table)
            rows, size = rows + table.num_rows, size + table.nbytes
            if size >= ROW_GROUP_BYTES or sum(map(len, waiting)) >= ROW_GROUP_ROWS:
                writer.write_table(pa.concat_tables(waiting), row_group_size=ROW_GROUP_ROWS)
                waiting, size = [], 0
        if waiting:
            writer.write_table(pa.concat_tables(waiting), row_group_size=ROW_GROUP_ROWS)
    return rows


def _opened(source: Path) -> pq.ParquetFile:
    """Open a file that matches its checksum; merged with another, it would be sound by the new file's from then on."""
    with _naming(source):
        if not hadoop_checksum.matches(source):
            raise StorageError(f"{source} differs from its checksum", DAMAGED)
        return pq.ParquetFile(source, memory_map=True)


@contextmanager
def _naming(source: Path) -> Iterator[None]:
    """Raise StorageError with the file's name when it cannot be read in the block."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise StorageError(f"{source} cannot be read: {first_line(error)}", DAMAGED) from error


def _read(source: Path, file: pq.ParquetFile, schema: pa.Schema) -> pa.Table:
    """Return a file's rows with the columns of the schema."""
    if any(key in _footer(file) for key in OLD_CALENDAR):
        raise UnlikeFilesError(f"{source.name} counts days by the old calendar")
    existing = file.schema_arrow
    for field in existing:
        if field.name not in schema.names or field.type != schema.field(field.name).type:
            raise UnlikeFilesError(f"{source.name} has a column {field}")
    with _naming(source):
        table = file.read(use_threads=False)
    columns = [
        table[field.name] if field.name in existing.names else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _footer(file: pq.ParquetFile) -> dict[bytes, bytes]:
    return file.metadata.metadata or {}


def _codec(file: pq.ParquetFile) -> str:
    if not file.metadata.num_row_groups:
        return "snappy"
    codec = file.metadata.row_group(0).column(0).compression
    return "none" if codec == "UNCOMPRESSED" else str(codec)
