"""The published tables as Delta tables: their columns, their rows, and how they are written."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from surveylake import sql
from surveylake.aggregate.disclosure import free_name
from surveylake.aggregate.findings import ReceivedLine, Summary
from surveylake.aggregate.groups import MEASURES, By
from surveylake.aggregate.summary_lines import QUANT_NUMBERS
from surveylake.contract.model import Contract
from surveylake.lake import table_history, tables
from surveylake.lake.tables import Cell, Lake

AT_A_TIME = 4
"""Small jobs under way at once: each is a few rows, and most of its time is planning and waiting for files."""
QUANT = "summary_quant"
NO_ANSWER = "(none)"
"""In `summary_quant`: the line of the records without a readable answer."""
NUMBERS = {"answers": "bigint", "share": "double", "people": "bigint"}
RULES = 2
"""Which rules decide what is published: a table made under other rules is made anew (docs/contract.md)."""


def name_of(by: Iterable[str]) -> str:
    """Return the table that counts people by these columns."""
    return "summary_" + "_".join(by)


def names(contract: Contract) -> list[str]:
    """Return every table a contract publishes."""
    return [*map(name_of, contract.summaries.by), *([QUANT] if contract.summaries.received_by else [])]


def rows(table: Summary, measure: str | None) -> list[dict[str, Cell]]:
    """Return the table as rows of plain values: its columns, answers, share, people (the base), the statistics by name."""
    return [
        {
            **dict(zip(table.by, line.groups, strict=True)),
            "answers": line.people,
            "share": None if line.people is None else line.people / table.base,
            "people": table.base,
            **({f"{measure}_{name}": line.measures.get(name) for name in MEASURES} if measure else {}),
        }
        for line in table.lines
    ]


def quant_rows(by: str, received_by: Iterable[ReceivedLine]) -> list[dict[str, Cell]]:
    """Return `summary_quant` as rows of plain values."""
    received_by = list(received_by)
    no_answer = free_name(NO_ANSWER, {str(line.group) for line in received_by})
    return [
        {
            by: no_answer if line.group is None else line.group,
            "received": line.received,
            "accepted": line.accepted,
            "responses": line.responses,
        }
        for line in received_by
    ]


def columns_of(contract: Contract, by: By) -> dict[str, str]:
    """Return column -> SQL type of a table of people."""
    measure = contract.summaries.measure
    columns = {**dict.fromkeys(by, "string"), **NUMBERS}
    if measure:
        of_measure = contract.columns[measure]
        columns |= {f"{measure}_{n}": of_measure if n in ("min", "max") else "double" for n in MEASURES}
    return columns


def quant_columns(by: str) -> dict[str, str]:
    """Return column -> SQL type of `summary_quant`."""
    return {by: "string", **dict.fromkeys(QUANT_NUMBERS, "bigint")}


def frame(
    spark: SparkSession, columns: dict[str, str], values: list[dict[str, Cell]], version: int
) -> DataFrame:
    """Return a table as it is written, with the version of `records`: one literal, which Spark folds, so that no job runs."""
    literal = sql.text(json.dumps(values))
    kinds = ", ".join(f"{sql.name(name)}: {kind}" for name, kind in columns.items())
    named = spark.sql(f"SELECT inline(from_json({literal}, 'array<struct<{kinds}>>'))")
    return named.withColumn("records_version", F.lit(version).cast("bigint"))


def write(spark: SparkSession, lake: Lake, frames: dict[str, DataFrame], note: dict[str, Any]) -> None:
    """Write each table in one commit with this note."""

    def one(item: tuple[str, DataFrame]) -> None:
        tables.replace(item[1].coalesce(1), lake.table(item[0]), note)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(one, frames.items()))


def are_made(spark: SparkSession, lake: Lake, contract: Contract, note: dict[str, Any]) -> bool:
    """True if every table is there and has this note."""
    paths = [lake.table(name) for name in names(contract)]
    return all(tables.exists(spark, path) and table_history.note_of(spark, path) == note for path in paths)
