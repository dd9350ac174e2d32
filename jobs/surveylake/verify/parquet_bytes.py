"""Parquet files at a URI against what they say of themselves: a store keeps no checksum of Hadoop's beside a file.

Three things are compared. Each page has a checksum. Each column's statistics and places are in the footer and in the indexes
before it. The columns are in the footer twice, in Parquet's words and in Spark's; of a file that pyarrow wrote they are
compared with the table's. What is said only once is not found when it is wrong: docs/reliability.md lists it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from surveylake.lake.lake_path import lake_path
from surveylake.lake.store_errors import DamagedError
from surveylake.runtime import java_exit
from surveylake.verify.logs import Log
from surveylake.wording import causes, innermost

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FILES_AT_ONCE = 4
"""of each, one row group is in memory"""
SPARK_SCHEMA = "org.apache.spark.sql.parquet.row.metadata"
"""the key under which Spark writes a file's columns in its own words"""
ARROW = "parquet-cpp-arrow"
"""how pyarrow names itself: it writes the small tables, and small files of a lake on a disk together"""
SHOWN, LETTER = 64, 4
"""bytes that an index shows of a long text at most, and those of a letter in UTF-8 at most"""


def damaged(spark: "SparkSession", log: Log) -> list[str]:
    """Read every byte of a table's data files. Returns a message for each file that contradicts itself, by name."""
    names = sorted(log.files)
    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        faults = list(pool.map(lambda name: fault(spark, str(log.table / name), log.schema), names))
    found = [f"{name}: {reason}" for name, reason in zip(names, faults, strict=True) if reason]
    return found or (_undecodable(spark, str(log.table), names) if names else [])


def fault(spark: "SparkSession", path: str, table_schema: str) -> str:
    """Return the first thing in which a file contradicts itself; empty when there is none.

    `table_schema` is the table's columns as Spark's JSON, for a file that does not have them in Spark's words.
    """
    java: Any = spark._jvm
    parquet, conf = java.org.apache.parquet, spark._jsc.hadoopConfiguration()
    try:
        file = parquet.hadoop.util.HadoopInputFile.fromPath(java.org.apache.hadoop.fs.Path(path), conf)
        options = parquet.HadoopReadOptions.builder(conf).usePageChecksumVerification(True).build()
        reader = parquet.hadoop.ParquetFileReader.open(file, options)
        try:
            return next(_faults(spark, reader, table_schema), "")
        finally:
            reader.close()
    except Exception as error:
        if java_exit.out_of_memory(error):
            raise
        _require_readable(spark, path)
        return innermost(error)


def _require_readable(spark: "SparkSession", path: str) -> None:
    """Raise StoreError where the store does not give the file at all: then nothing is known of its bytes."""
    with suppress(DamagedError, FileNotFoundError), lake_path(spark, path).open("rb") as file:
        file.read(1)


def _faults(spark: "SparkSession", reader: Any, table_schema: str) -> Iterator[str]:
    """Yield what is wrong with a file that is open; Parquet's own reader raises where a page differs from its checksum."""
    footer = reader.getFooter()
    yield from _schema_faults(spark, footer.getFileMetaData(), table_schema)
    for block in footer.getBlocks():
        if not int(block.getRowCount()):
            yield from _emptiness_faults(block)
            reader.skipNextRowGroup()
            continue
        end = int(block.getStartingPos())
        for chunk in block.getColumns():
            if int(chunk.getStartingPos()) != end:
                yield f"column {chunk.getPath().toDotString()} begins at {chunk.getStartingPos()} instead of {end}"
            end += int(chunk.getTotalSize())
            yield from _index_faults(spark._jvm, reader, chunk, int(block.getRowCount()), end)
        reader.readNextRowGroup()


def _emptiness_faults(block: Any) -> Iterator[str]:
    """Yield each column that has values in a row group without rows, such as pyarrow writes for an empty table."""
    for chunk in block.getColumns():
        if values := int(chunk.getValueCount()):
            yield f"column {chunk.getPath().toDotString()} has {values} values of no rows"


def _schema_faults(spark: "SparkSession", metadata: Any, table_schema: str) -> Iterator[str]:
    """Yield whether the columns in Parquet's words are not those in Spark's; nobody but Spark and pyarrow writes a lake.

    A file that pyarrow wrote has columns of the table, whose newest may have come after it, and no words of Spark's.
    """
    java: Any = spark._jvm
    sql, written = java.org.apache.spark.sql, metadata.getKeyValueMetaData().get(SPARK_SCHEMA)
    is_arrows = written is None and str(metadata.getCreatedBy()).startswith(ARROW)
    said = table_schema if is_arrows else written
    if not said:
        yield "it does not say which columns Spark wrote"
        return
    converter = sql.execution.datasources.parquet.SparkToParquetSchemaConverter(
        spark._jsparkSession.sessionState().conf()
    )
    expected, columns = converter.convert(sql.types.DataType.fromJson(said)), metadata.getSchema()
    if is_arrows and not expected.getFields().containsAll(columns.getFields()):
        yield "its columns are other ones than the table's"
    if not is_arrows and not columns.equals(expected):
        yield "its columns are other ones than Spark wrote"


def _index_faults(java: Any, reader: Any, chunk: Any, rows: int, end: int) -> Iterator[str]:
    """Yield in what the indexes of one column differ from the footer; the column's pages end at `end`.

    A writer leaves an index out where it would help nobody, as for numbers of which one is NaN.
    """
    column, pages = chunk.getPath().toDotString(), reader.readOffsetIndex(chunk)
    if pages is not None:
        place, row = int(chunk.getFirstDataPageOffset()), -1
        for page in range(int(pages.getPageCount())):
            first = int(pages.getFirstRowIndex(page))
            if int(pages.getOffset(page)) != place or first <= row or (page == 0) != (first == 0):
                yield f"page {page} of column {column} is elsewhere by its index"
            place, row = place + int(pages.getCompressedPageSize(page)), first
        if place != end or row >= rows:
            yield f"column {column} ends elsewhere by its index"
    index, statistics = reader.readColumnIndex(chunk), chunk.getStatistics()
    if index is None:
        return
    nulls = list(index.getNullCounts() or [])
    if nulls and statistics.isNumNullsSet() and sum(nulls) != int(statistics.getNumNulls()):
        yield f"column {column} has {sum(nulls)} empty values by its index, {statistics.getNumNulls()} by the footer"
    if statistics.hasNonNullValue():
        binary = java.org.apache.parquet.io.api.Binary
        for kept, values in (
            (statistics.getMinBytes(), index.getMinValues()),
            (statistics.getMaxBytes(), index.getMaxValues()),
        ):
            if not any(
                _same(bytes(kept), bytes(binary.fromConstantByteBuffer(v).getBytes())) for v in values
            ):
                yield f"column {column} has another least or greatest value by its index than by the footer"


def _same(whole: bytes, shown: bytes) -> bool:
    """Return whether a value and what an index shows of it agree: a long text is cut there, and its last letter may be raised."""
    cut = shown[: max(0, len(shown) - LETTER)]
    return whole == shown or (len(whole) > SHOWN >= len(shown) and whole.startswith(cut))


def _undecodable(spark: "SparkSession", table: str, names: list[str]) -> list[str]:
    """Have Spark decode every value of the files. Returns the first that it could not, and why."""
    try:
        spark.read.parquet(*(f"{table}/{name}" for name in names)).write.format("noop").mode(
            "overwrite"
        ).save()
    except Exception as error:
        if java_exit.out_of_memory(error):
            raise
        for name in names:
            _require_readable(spark, f"{table}/{name}")
        said = " ".join(causes(error))
        named = next((name for name in names if name in said), "a data file")
        return [f"{named}: {innermost(error)}"]
    return []
