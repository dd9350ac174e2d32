"""The published tables as Delta tables: their columns, their rows, and how they are written."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from pyspark.sql import SparkSession

from surveylake.aggregate.disclosure import free_name
from surveylake.aggregate.findings import ReceivedLine, Summary
from surveylake.aggregate.groups import MEASURES, By
from surveylake.aggregate.summary_lines import QUANT_NUMBERS
from surveylake.contract.model import Contract
from surveylake.lake import small_table, table_history, tables
from surveylake.lake.provenance import Provenance
from surveylake.lake.small_table import SmallTable
from surveylake.lake.tables import Cell, Lake

AT_A_TIME = 4
"""Spark jobs at once: each is a few rows, and spends most of its time planning and waiting for files."""
QUANT = "summary_quant"
VERSION = "records_version"
NO_ANSWER = "(none)"
"""in `summary_quant`: the line of the records without a readable answer"""
NUMBERS = {"answers": "bigint", "share": "double", "people": "bigint"}
RULES = 3
"""Number of the disclosure rules (docs/contract.md). A table published under another number is written again."""


def name_of(by: Iterable[str]) -> str:
    """Return the name of the table that counts people by these columns."""
    return "summary_" + "_".join(by)


def names(contract: Contract) -> list[str]:
    """Return the names of the tables a contract publishes."""
    return [*map(name_of, contract.summaries.by), *([QUANT] if contract.summaries.received_by else [])]


def rows(table: Summary, measure: str | None) -> list[dict[str, Cell]]:
    """Return a table as rows of plain values: its columns, answers, share, people (the base), and the statistics by name."""
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


def table_of(columns: dict[str, str], values: list[dict[str, Cell]], version: int) -> SmallTable:
    """Return the content of a table: its rows, with the version of `records`."""
    return SmallTable(
        columns | {VERSION: "bigint"},
        [{name: row[name] for name in columns} | {VERSION: version} for row in values],
    )


def write(spark: SparkSession, lake: Lake, contents: dict[str, SmallTable], provenance: Provenance) -> None:
    """Replace each table, by name, in one commit that keeps this provenance."""

    def one(item: tuple[str, SmallTable]) -> None:
        small_table.replace(spark, lake.table(item[0]), item[1], provenance)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(one, contents.items()))


def are_made(spark: SparkSession, lake: Lake, contract: Contract, provenance: Provenance) -> bool:
    """True if every published table exists and has this provenance."""
    paths = [lake.table(name) for name in names(contract)]
    return all(
        tables.exists(spark, path) and table_history.provenance_of(spark, path) == provenance
        for path in paths
    )
