"""Replay: stored records judged again under a contract, also one with other columns, and the one commit that changes them."""

from dataclasses import dataclass
from functools import partial

from pyspark.sql import SparkSession

from surveylake.contract.model import Contract
from surveylake.lake import judging, records_table, rewrite, tables, writer_token
from surveylake.lake.commits import Guard
from surveylake.lake.provenance import Provenance
from surveylake.lake.tables import RECORDS, Lake
from surveylake.quarantine import judgement
from surveylake.quarantine.comparison import Change, Comparison, changes, compare, require_allowed

THEN = "; jobs/aggregate.py brings responses and the counts up to date"


@dataclass(frozen=True)
class Replayed:
    """What a replay has done."""

    changes: list[Change]
    version: int | None = None
    """of the commit; None where there was nothing to commit"""
    other_columns: bool = False

    @property
    def records(self) -> int:
        """Records whose verdict or values are others now, columns that came or went apart."""
        return sum(kind.records for kind in self.changes)

    def line(self) -> str:
        """Return `12 records changed, version 7`, or what was done instead."""
        if self.version is None:
            return f"{self.records:,} records to change: no new version"
        if self.other_columns:
            return f"{self.records:,} records changed, all written with the contract's columns, version {self.version}"
        if self.changes:
            return f"{self.records:,} records changed, version {self.version}"
        return f"0 records to change, the contract is noted in version {self.version}"

    @property
    def next_step(self) -> str:
        """What to run then, to stand after a line; empty where nothing was changed."""
        return THEN if self.changes or self.other_columns else ""


def replay(spark: SparkSession, lake: Lake, contract: Contract, max_bytes: int) -> Replayed:
    """Judge every stored record again, and write those that differ in one commit, if any; with other columns, all of them.

    The caller holds the lake's lock. At a URI, which has none, a stream that runs is stopped by the fencing token.
    Raises ConfigError for a change that the contracts forbid, ProofError when one offset is stored twice: no row is then known
    to be the record.
    """
    path = tables.require(spark, lake, RECORDS, "jobs/stream.py")
    # Before a stream is stopped for it.
    judging.require_thawed(tables.properties(spark, path), contract)
    token = writer_token.stop_streams(spark, lake, judging.REPLAY)
    comparison = compare(spark, lake, contract, max_bytes)
    found = changes(comparison.rows, comparison.names)
    require_allowed(contract, found)
    is_other = bool(found) or comparison.has_other_columns
    version = comparison.version + 1
    properties = judging.missing_properties(
        comparison.properties, contract, version, judging.REPLAY, judged_again=is_other
    )
    if not is_other and not properties:
        return Replayed(found)
    files = None if comparison.has_other_columns else {name for kind in found for name in kind.files}
    target = rewrite.Target(records_table.columns(contract), properties, _note(comparison, found))
    again = partial(judgement.judged, contract=contract, max_bytes=max_bytes, layout=comparison.layout)
    guard = _guard(spark, lake, token)
    written = rewrite.rewrite(spark, comparison.before, files, again, target, guard)
    return Replayed(found, written, comparison.has_other_columns)


def _note(comparison: Comparison, found: list[Change]) -> str:
    total = sum(kind.records for kind in found)
    fingerprint = comparison.contract.fingerprint
    return Provenance(replay=fingerprint, records=total, from_version=comparison.version).as_json()


def _guard(spark: SparkSession, lake: Lake, token: writer_token.WriterToken | None) -> Guard | None:
    """Return what refuses the commit when a stream took its turn meanwhile."""
    if token is None:
        return None
    path = lake.table(RECORDS)
    return lambda transaction: writer_token.require(transaction, spark, path, token)
