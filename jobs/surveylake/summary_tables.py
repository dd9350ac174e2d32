"""The published tables: their rows collected, small groups merged, in order; and how they are written."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StringType, StructField, StructType

from surveylake import aggregates, groups, history, sql, tables
from surveylake.contract import Contract
from surveylake.disclosure import small_groups
from surveylake.groups import PLACES, By, Found
from surveylake.tables import Lake

AT_A_TIME = 4
"""Small jobs under way at once: each is a few rows, and most of its time is planning and waiting for files."""
QUANT = "summary_quant"
QUANT_NUMBERS = ("received", "accepted", "responses")


@dataclass(frozen=True)
class Table:
    """One published table; its rows are in order, the merged groups last."""

    schema: StructType
    rows: tuple[tuple[Any, ...], ...]

    def as_rows(self) -> list[Row]:
        """The rows with their columns' names."""
        return [Row(*self.schema.names)(*row) for row in self.rows]


def name_of(by: Iterable[str]) -> str:
    """The table that counts people by these columns."""
    return "summary_" + "_".join(by)


def names(contract: Contract) -> list[str]:
    """Every table a contract publishes."""
    return [*map(name_of, contract.summaries.by), *([QUANT] if contract.summaries.received_by else [])]


def of_people(
    cells: DataFrame, contract: Contract, people: dict[By, Found], smallest: int
) -> dict[str, Table]:
    """Every table but `summary_quant`: by columns, answers, share and the measure's statistics."""
    lists = [tuple(by) for by in contract.summaries.by]
    if not lists:
        return {}
    hidden = {by: small_groups(groups.named(people[by]), smallest) for by in lists}
    frame = groups.summaries(cells, hidden, sum(people[()].values()), contract.summaries.measure)
    found: dict[By, list[tuple[Any, ...]]] = {by: [] for by in lists}
    for row in frame.collect():
        by = lists[row[0]]
        found[by].append((*row[1 : 1 + len(by)], *row[len(PLACES) :]))
    return {
        name_of(by): Table(_schema(by, frame), _ordered(rows, len(by), groups.merged(len(hidden[by]))))
        for by, rows in found.items()
    }


def of_records(records: DataFrame, contract: Contract, smallest: int) -> list[Row]:
    """What `summary_quant` counts of records; nothing when the contract does not want it."""
    by = contract.summaries.received_by
    return aggregates.received(records, contract, by, smallest).collect() if by else []


def quant(contract: Contract, counted: list[Row], people: dict[By, Found]) -> dict[str, Table]:
    """`summary_quant`: received and accepted records beside responses, by the contract's group."""
    by = contract.summaries.received_by
    if by is None:
        return {}
    persons = groups.named(people[(by,)])
    shown = sum(persons.get((row[by],), 0) for row in counted if row[by] is not None)
    rows, last = [], ""
    for row in counted:
        if row[by] is None:  # whoever is in no group that is shown
            last = groups.merged(row["groups"])
            rows.append((last, row["received"], row["accepted"], sum(persons.values()) - shown))
        else:
            rows.append((row[by], row["received"], row["accepted"], persons.get((row[by],), 0)))
    fields = [StructField(by, StringType()), *(StructField(name, LongType()) for name in QUANT_NUMBERS)]
    return {QUANT: Table(StructType(fields), _ordered(rows, 1, last))}


def frame(spark: SparkSession, table: Table, version: int) -> DataFrame:
    """The table as it is written, with the version of `records`: one literal, which Spark folds, so that no job runs."""
    literal = sql.text(
        json.dumps([dict(zip(table.schema.names, row, strict=True)) for row in table.rows], default=str)
    )
    rows = spark.sql(f"SELECT inline(from_json({literal}, 'array<{table.schema.simpleString()}>'))")
    return rows.withColumn("records_version", F.lit(version).cast("bigint"))


def write(spark: SparkSession, lake: Lake, frames: dict[str, DataFrame], note: dict[str, Any]) -> None:
    """Write each table in one commit with this note."""

    def one(item: tuple[str, DataFrame]) -> None:
        tables.replace(item[1].coalesce(1), lake.table(item[0]), note)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(one, frames.items()))


def are_made(spark: SparkSession, lake: Lake, contract: Contract, note: dict[str, Any]) -> bool:
    """Whether every table is there and has this note."""
    paths = [lake.table(name) for name in names(contract)]
    return all(tables.exists(spark, path) and history.note_of(spark, path) == note for path in paths)


def _schema(by: By, frame: DataFrame) -> StructType:
    return StructType(
        [*(StructField(name, StringType()) for name in by), *frame.schema.fields[len(PLACES) :]]
    )


def _ordered(rows: list[tuple[Any, ...]], names: int, last: str) -> tuple[tuple[Any, ...], ...]:
    """By the groups' names; the row that is called `last` is."""
    return tuple(sorted(rows, key=lambda row: (row[0] == last, row[:names])))
