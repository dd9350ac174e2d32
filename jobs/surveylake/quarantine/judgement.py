"""Stored records judged again from their raw bytes: what they were, what they would be, and where they lie. No action here."""

from collections.abc import Iterable, Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType, StructType

from surveylake import sql
from surveylake.contract.model import Contract
from surveylake.lake.rewrite import IDENTITY
from surveylake.validate.layout import Layout
from surveylake.validate.pipeline import validated

VERDICT = ("accepted", "failed_rules")
FILE = "~file"
"""Column: the URI of the data file in which a row lies."""
BEFORE = "~before"
"""Column: the stored verdict and values, as a struct."""
SAMPLES = 3
"""Records that are named for each kind of change."""


def judged(stored: DataFrame, contract: Contract, max_bytes: int, layout: Layout) -> DataFrame:
    """Return the records of `stored` as the contract has them. Grain: as `stored`, columns in the order of `records`."""
    columns = ("topic", "partition", "offset", "timestamp", "epoch", "key", "value")
    return validated(stored.select(*columns), contract, max_bytes, layout)


def compared(
    stored: DataFrame,
    contract: Contract,
    names: Mapping[str, str],
    max_bytes: int,
    layout: Layout | None = None,
) -> DataFrame:
    """Return every stored record judged again, with BEFORE in it. Grain: one row per record.

    `stored` has FILE beside the columns of `records`; `names` is column -> its name among them. Columns: topic, the identity,
    timestamp, the new verdict and values, and BEFORE: `accepted`, `failed_rules`, the values under their new names, FILE.
    It takes no join: `validated` passes a record's key on unchanged, so the stored row is carried in it.
    """
    values = [F.col(sql.name(was)).alias(name) for name, was in names.items()]
    before = F.struct(*VERDICT, *values, sql.name(FILE)).alias("key")
    rows = stored.select("topic", "partition", "offset", "timestamp", "epoch", before, "value")
    now = validated(rows, contract, max_bytes, layout).withColumnRenamed("key", BEFORE)
    return now.select(
        "topic", *IDENTITY, "timestamp", *VERDICT, *map(sql.name, contract.columns), sql.name(BEFORE)
    )


def differs(rows: DataFrame, names: Mapping[str, str]) -> Column:
    """Return a column: whether a row of `compared` has another verdict or value than before. NULL equals NULL."""
    return reduce(Column.__or__, each_differs(rows, [*VERDICT, *names]).values())


def each_differs(rows: DataFrame, names: Iterable[str]) -> dict[str, Column]:
    """Return column -> whether its value differs. Of another type it is the same where it is the same number or text."""
    before = rows.schema[BEFORE].dataType
    assert isinstance(before, StructType)
    columns = {}
    for name in names:
        now, was = F.col(sql.name(name)), F.col(f"`{BEFORE}`.{sql.name(name)}")
        kinds_of = (rows.schema[name].dataType, before[name].dataType)
        if kinds_of[0] != kinds_of[1] and not all(isinstance(kind, NumericType) for kind in kinds_of):
            now, was = now.cast("string"), was.cast("string")
        columns[name] = ~now.eqNullSafe(was)
    return columns


def kinds(rows: DataFrame, names: Mapping[str, str]) -> DataFrame:
    """Return the kinds of change among the rows of `compared`.

    Grain: one row per pair of lists of reasons and list of columns that differ. Columns: was, is (reasons), columns, records,
    files (URIs of the data files), samples (the first SAMPLES by coordinates).
    """
    marks = [F.when(is_other, F.lit(name)) for name, is_other in each_differs(rows, names).items()]
    columns = F.array_compact(F.array(*marks, F.lit(None).cast("string")))
    was = F.col(f"`{BEFORE}`.failed_rules").alias("was")
    return (
        rows.where(differs(rows, names))
        .groupBy(was, F.col("failed_rules").alias("is"), columns.alias("columns"))
        .agg(
            F.count("*").alias("records"),
            F.collect_set(f"`{BEFORE}`.`{FILE}`").alias("files"),
            F.min_by(F.struct("topic", *IDENTITY), F.struct(*IDENTITY), SAMPLES).alias("samples"),
        )
    )
