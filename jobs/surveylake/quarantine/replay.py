"""Replay: stored records validated again under the present contract, and the one commit that changes those that differ."""

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from surveylake import sql
from surveylake.contract.model import Contract
from surveylake.errors import ProofError
from surveylake.lake import records_table, tables, writer_token
from surveylake.lake.provenance import Provenance
from surveylake.lake.tables import RECORDS, Lake
from surveylake.validate.pipeline import validated

IDENTITY = ["epoch", "partition", "offset"]
"""The columns that identify a record; value, key and time are never changed."""
VERDICT = ("accepted", "failed_rules")
ACCEPTED = "accepted"


@dataclass(frozen=True)
class Change:
    """One kind of change: the reasons before and after, the columns that differ, and how many records."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    columns: tuple[str, ...]
    records: int

    def line(self) -> str:
        """Return `      12  out_of_range:Age -> accepted  (values: age_group)`."""
        values = f"  (values: {', '.join(self.columns)})" if self.columns else ""
        return f"{self.records:>10,}  {_reasons(self.before)} -> {_reasons(self.after)}{values}"


def changed(stored: DataFrame, contract: Contract, max_bytes: int) -> DataFrame:
    """Return the stored records whose verdict or values differ under the contract. Grain: one row per such record.

    Columns: the identity, the new verdict and values, and `~before` (the stored ones). NULL equals NULL. There is no join:
    `validated` passes a record's key on unchanged, so the stored row is carried in it.
    """
    columns = [*VERDICT, *contract.columns]
    before = F.struct(*(F.col(sql.name(name)) for name in columns)).alias("key")
    rows = stored.select("topic", "partition", "offset", "timestamp", "epoch", before, "value")
    now = validated(rows, contract, max_bytes).withColumnRenamed("key", "~before")
    differs = reduce(Column.__or__, (_differs(name) for name in columns))
    return now.where(differs).select(*IDENTITY, *columns, "~before")


def plan(changes: DataFrame, contract: Contract) -> list[Change]:
    """Return the changes of `changed` by kind, the most frequent first."""
    names = F.array_compact(F.array(*(F.when(_differs(name), F.lit(name)) for name in contract.columns)))
    was = F.col("`~before`.failed_rules").alias("was")
    kinds = changes.groupBy(was, F.col("failed_rules").alias("is"), names.alias("columns")).count().collect()
    kinds_of_change = [
        Change(tuple(r["was"]), tuple(r["is"]), tuple(r["columns"]), r["count"]) for r in kinds
    ]
    return sorted(kinds_of_change, key=lambda change: (-change.records, change.before, change.after))


def replay(
    spark: SparkSession, lake: Lake, contract: Contract, max_bytes: int, dry_run: bool
) -> list[Change]:
    """Validate every stored record again, and write those that differ in one commit, if any. Returns the changes by kind.

    The caller holds the lake's lock. At a URI, which has none, a stream that runs is stopped by the fencing token.
    Raises ConfigError when the contract has other columns than the table, ProofError when
    one offset is stored twice: no row is then known to be the record.
    """
    path = tables.require(spark, lake, RECORDS, "jobs/stream.py")
    records_table.check_columns(spark, lake, contract)
    if not dry_run:
        writer_token.stop_streams(spark, lake, "replay.py")
    version = tables.version(spark, path)
    changes = changed(tables.read(spark, path, version), contract, max_bytes).persist()
    try:
        kinds = plan(changes, contract)
        if not kinds or dry_run:
            return kinds
        _refuse_doubles(changes)
        total = sum(kind.records for kind in kinds)
        provenance = Provenance(replay=contract.fingerprint, records=total, from_version=version)
        tables.update(spark, path, changes.drop("~before"), IDENTITY, provenance)
    finally:
        changes.unpersist()
    return kinds


def _refuse_doubles(changes: DataFrame) -> None:
    twice = changes.groupBy(*IDENTITY).count().where("count > 1").first()
    if twice:
        where = f"epoch {twice['epoch']} partition {twice['partition']} offset {twice['offset']}"
        raise ProofError(
            f"{where} is in records {twice['count']} times", "Run jobs/verify.py: the lake is not sound."
        )


def _differs(name: str) -> Column:
    return ~F.col(sql.name(name)).eqNullSafe(F.col(f"`~before`.{sql.name(name)}"))


def _reasons(reasons: tuple[str, ...]) -> str:
    return ", ".join(reasons) or ACCEPTED
