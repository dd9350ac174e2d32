"""A lake's records beside a contract: what differs between the contracts, and which records' verdicts and values would."""

from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from surveylake.contract.differences import Difference, differences, former_names, of_columns
from surveylake.contract.model import Contract
from surveylake.errors import ConfigError
from surveylake.lake import commits, judging, records_table, tables
from surveylake.lake.rewrite import file_name
from surveylake.lake.tables import RECORDS, Lake
from surveylake.quarantine import judgement
from surveylake.validate.layout import Layout, learned
from surveylake.wording import counted, examples

ACCEPTED = "accepted"
QUARANTINE = "quarantine"
SOME = 100
"""records whose layout is looked at"""


@dataclass(frozen=True)
class Change:
    """One kind of change: the reasons before and after, the columns that differ, how many records and which are the first."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    columns: tuple[str, ...]
    records: int
    samples: tuple[tuple[str, int, int, int], ...] = ()
    """(topic, epoch, partition, offset)"""
    files: frozenset[str] = frozenset()
    """names of the data files in which they lie"""

    def line(self) -> str:
        """Return `      12  out_of_range:Age -> accepted  (values: age_group)`."""
        values = f"  (values: {', '.join(self.columns)})" if self.columns else ""
        return f"{self.records:>10,}  {_reasons(self.before)} -> {_reasons(self.after)}{values}"


@dataclass(frozen=True)
class Comparison:
    """One version of `records` beside a contract. No record is judged before its rows are asked for."""

    contract: Contract
    before: Any
    """Delta's snapshot"""
    version: int
    properties: dict[str, str]
    columns: dict[str, str]
    """the table's, as far as a contract gave them: name -> SQL type"""
    names: dict[str, str]
    """column of the contract -> its name in the table, of those that are there"""
    layout: Layout
    """of some of the raw values, by which most of them need not be parsed"""
    rows: DataFrame
    """see judgement.compared"""

    @property
    def has_other_columns(self) -> bool:
        """Whether the table has other columns than the contract, or in another order."""
        return list(self.columns.items()) != list(self.contract.columns.items())

    @property
    def differences(self) -> list[Difference]:
        """What differs between the contracts; only between the columns, where the lake does not keep its contract."""
        content = judging.stored_content(self.properties)
        if content is None:
            return of_columns(self.columns, self.contract)
        return differences(content, self.contract)


def compare(spark: SparkSession, lake: Lake, contract: Contract, max_bytes: int) -> Comparison:
    """Return the newest version of `records` beside a contract. Raises StorageError where there is no such table."""
    path = tables.require(spark, lake, RECORDS, "jobs/stream.py")
    before = commits.snapshot(spark, path)
    version = int(before.version())
    columns = records_table.contract_columns(spark, lake)
    names = former_names(contract, set(columns))
    stored = tables.read(spark, path, version).withColumn(judgement.FILE, F.col("_metadata.file_path"))
    layout = learned(_some_values(stored), contract)
    rows = judgement.compared(stored, contract, names, max_bytes, layout)
    return Comparison(contract, before, version, tables.properties(spark, path), columns, names, layout, rows)


def _some_values(stored: DataFrame) -> list[bytes]:
    rows = stored.where("accepted AND value IS NOT NULL").select("value").limit(SOME).collect()
    return [bytes(row["value"]) for row in rows]


def changes(rows: DataFrame, names: dict[str, str]) -> list[Change]:
    """Return the changes among the rows of `judgement.compared` by kind, the most frequent first."""
    found = [
        Change(
            tuple(row["was"]),
            tuple(row["is"]),
            tuple(row["columns"]),
            row["records"],
            tuple((s["topic"], s["epoch"], s["partition"], s["offset"]) for s in row["samples"]),
            frozenset(map(file_name, row["files"])),
        )
        for row in judgement.kinds(rows, names).collect()
    ]
    return sorted(found, key=lambda change: (-change.records, change.before, change.after, change.columns))


def require_allowed(contract: Contract, found: list[Change]) -> None:
    """Raise ConfigError where a field with change = "quarantine" would let an answer in, or alter one that stays accepted."""
    said = []
    for name, field in contract.fields.items():
        if field.change != QUARANTINE:
            continue
        touched = [each for each in found if not each.after and _is_about(each, name, field.source)]
        if touched:
            records = sum(each.records for each in touched)
            said.append(f"field {name}, {counted(records, 'record')} ({touched[0].line().strip()})")
    if said:
        raise ConfigError(
            f'change = "quarantine" lets a contract turn answers away only; this one lets in or alters: {examples(said)}',
            'Keep what the field said before. Or write change = "evolve" for it, where that is meant.',
        )


def _is_about(change: Change, name: str, source: str) -> bool:
    reasons = {reason.partition(":")[2] for reason in change.before}
    return name in change.columns or source in reasons


def _reasons(reasons: tuple[str, ...]) -> str:
    return ", ".join(reasons) or ACCEPTED
