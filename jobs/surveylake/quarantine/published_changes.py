"""The published numbers beside those that the same records give under another contract."""

from collections.abc import Iterable
from dataclasses import dataclass

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession

from surveylake.aggregate import analysis, people, record_counts, responses, summary_tables
from surveylake.aggregate.findings import Findings
from surveylake.config import Publish
from surveylake.contract.model import Contract
from surveylake.lake import end_offsets, folders, table_history, tables
from surveylake.lake.provenance import Provenance
from surveylake.lake.tables import RESPONSES, Cell, Lake

DIGITS = 6
"""Significant digits of a number that is shown, and compared."""
FIRST_NUMBERS = ("answers", "received")
"""The column after those that name a line."""
VERSION = "records_version"
Line = tuple[str, ...]
Table = dict[Line, dict[str, str]]
"""Line -> column -> number, as shown; '' where none is published."""


@dataclass(frozen=True)
class NumberChange:
    """One line of a published table of which a number would be another."""

    table: str
    line: Line
    before: dict[str, str] | None
    """column -> number; None: there is no such line"""
    after: dict[str, str] | None


@dataclass(frozen=True)
class Published:
    """What is published now, and what would be."""

    version: int | None = None
    """of `records`, from which it was published; None: nothing is published yet"""
    people: tuple[int, int] = (0, 0)
    """before, after"""
    tables: tuple[str, ...] = ()
    """the tables that would be published"""
    changes: tuple[NumberChange, ...] = ()


def published_changes(
    spark: SparkSession, lake: Lake, contract: Contract, publish: Publish, rows: DataFrame
) -> Published:
    """Return how the published numbers would change. `rows` are all records judged under the contract, see judgement.compared.

    Only the records that were published are counted, so that nothing but the contract makes the difference. What disclosure
    protects is in neither.
    """
    provenance = responses.read_provenance(spark, lake)
    version = provenance.records_version
    if version is None:
        return Published()
    if provenance.ends is not None:
        rows = rows.where(end_offsets.before_by_epoch(provenance.ends))
    was = _published(spark, lake, provenance)
    answered = people.latest(rows, contract).persist(StorageLevel.DISK_ONLY)
    try:
        findings = analysis.findings_of(answered, contract, publish, record_counts.count(rows, version))
    finally:
        answered.unpersist()
    now = _tables(findings)
    before = tables.read(spark, lake.table(RESPONSES)).count()
    changes = [change for name in dict.fromkeys([*now, *was]) for change in _changes(name, was, now)]
    return Published(version, (before, findings.responses), tuple(now), tuple(changes))


def _published(spark: SparkSession, lake: Lake, provenance: Provenance) -> dict[str, Table]:
    """Return the tables that were published with `responses`; others are of an earlier contract."""
    found = {}
    for name in folders.names(spark, lake):
        path = lake.table(name)
        if not name.startswith("summary_"):
            continue
        if table_history.provenance_of(spark, path).contract == provenance.contract:
            rows = tables.read(spark, path)
            found[name] = _lines(rows.columns, (row.asDict() for row in rows.collect()))
    return found


def _tables(findings: Findings) -> dict[str, Table]:
    """Return the tables as they would be published."""
    measure, group = findings.contract.summaries.measure, findings.contract.summaries.received_by
    found = {}
    for by, summary in findings.summaries.items():
        columns = list(summary_tables.columns_of(findings.contract, by))
        found[summary.name] = _lines(columns, summary_tables.rows(summary, measure))
    if group:
        columns = list(summary_tables.quant_columns(group))
        found[summary_tables.QUANT] = _lines(columns, summary_tables.quant_rows(group, findings.received_by))
    return found


def _lines(columns: list[str], rows: Iterable[dict[str, Cell]]) -> Table:
    first = next(place for place, name in enumerate(columns) if name in FIRST_NUMBERS)
    names, numbers = columns[:first], [name for name in columns[first:] if name != VERSION]
    return {
        tuple(str(row[name]) for name in names): {name: _shown(row.get(name)) for name in numbers}
        for row in rows
    }


def _shown(value: object) -> str:
    """Return a number as it is compared: its last digits depend on the order of summation."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{float(str(value)):.{DIGITS}g}"


def _changes(name: str, was: dict[str, Table], now: dict[str, Table]) -> list[NumberChange]:
    before, after = was.get(name, {}), now.get(name, {})
    return [
        NumberChange(name, line, before.get(line), after.get(line))
        for line in dict.fromkeys([*after, *before])
        if before.get(line) != after.get(line)
    ]
