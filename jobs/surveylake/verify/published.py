"""Checks that `responses`, the summaries and the exported files follow from the version of `records` that they name."""

import re
from collections.abc import Iterable

from pyspark.sql import DataFrame, SparkSession

from surveylake import wording
from surveylake.aggregate import analysis
from surveylake.aggregate import people as aggregates
from surveylake.aggregate.findings import Findings
from surveylake.aggregate.record_counts import RecordCounts, at_provenance
from surveylake.aggregate.summary_tables import RULES
from surveylake.config import Publish
from surveylake.contract.model import Contract
from surveylake.errors import StorageError
from surveylake.export import csv_files
from surveylake.lake import commits, tables
from surveylake.lake.lake_path import LakePath
from surveylake.lake.log_files import keeps_every_commit
from surveylake.lake.provenance import Provenance
from surveylake.lake.records_table import CONSTRAINTS
from surveylake.lake.small_table import SmallTable
from surveylake.lake.tables import RECORDS, RESPONSES, Cell, Lake
from surveylake.runtime import java_exit
from surveylake.validate import rules
from surveylake.verify.checks import NOT_PROVED, PROVED, SAID, Check
from surveylake.verify.exports import exported
from surveylake.verify.logs import Log
from surveylake.wording import counted, examples

WHAT = "answers"
AGAIN = "Run jobs/aggregate.py, then jobs/export.py, then this again."


def published(
    spark: SparkSession,
    lake: Lake,
    contract: Contract,
    publish: Publish,
    logs: dict[str, Log],
    out: LakePath | None,
) -> list[Check]:
    """Return every check of what was made from `records`; `logs` are the logs without faults, by table."""
    checks, findings = _compared(spark, lake, contract, publish, logs)
    facts = csv_files.facts_of(findings) if findings else None
    return [*checks, *([exported(out, facts)] if out else [])]


def _compared(
    spark: SparkSession, lake: Lake, contract: Contract, publish: Publish, logs: dict[str, Log]
) -> tuple[list[Check], Findings | None]:
    """Compare the tables that the logs name with what their version of `records` gives.

    Returns the checks, and the findings, None where they cannot be computed.
    """
    log = logs.get(RESPONSES)
    if log is None:
        return [Check(WHAT, RESPONSES, SAID, "not made yet, or its log is not whole")], None
    version = log.provenance.records_version
    if version is None:
        return [_without_note(log)], None
    if log.provenance.contract != contract.fingerprint:
        detail = f"made from version {version} of records under another contract than this {contract.name}"
        return [
            Check(WHAT, RESPONSES, NOT_PROVED, detail, f"Give that contract (--survey). Or: {AGAIN}")
        ], None
    try:
        counts = at_provenance(spark, lake, log.provenance)
        answers = _responses(spark, lake, contract, log, counts, logs[RECORDS].version)
        expected = analysis.analyse(spark, lake, contract, publish, counts, log.version)
        numbers = [
            _summary(spark, lake, logs, name, table, log.provenance, counts)
            for name, table in expected.tables.items()
        ]
    except commits.FAILURES as error:
        if java_exit.out_of_memory(error):
            raise
        detail = f"version {version} of records cannot be read any more: {wording.first_line(error)}"
        return [Check(WHAT, RESPONSES, NOT_PROVED, detail, AGAIN)], None
    except StorageError as error:
        return [Check(WHAT, RESPONSES, NOT_PROVED, error.message, AGAIN)], None
    return [answers, *numbers], expected.findings


def _without_note(log: Log) -> Check:
    """Check a table that names no version of `records`: another program made it, or its note was cleaned out of the log."""
    detail = "it does not say which version of records it was made from"
    if keeps_every_commit(log.table):
        return Check(WHAT, RESPONSES, NOT_PROVED, detail, AGAIN)
    detail = f"{detail}: that commit was cleaned away, so nothing was compared. {AGAIN}"
    return Check(WHAT, RESPONSES, SAID, detail)


def _responses(
    spark: SparkSession, lake: Lake, contract: Contract, log: Log, counts: RecordCounts, newest: int
) -> Check:
    """Check that `responses` has one row per accepted participant of its version, equal in every column, within the constraints.

    `newest` is the newest version of `records`.
    """
    responses = tables.read(spark, lake.table(RESPONSES), log.version)
    expected = aggregates.latest(counts.records, contract)
    (rows, people, content), (expected_rows, _, expected_content) = (
        aggregates.digest(frame, contract.key) for frame in (responses, expected)
    )
    wrong, version = [], f"version {counts.version} of records{counts.how}"
    if rows != people:
        wrong.append(f"{counted(rows - people, 'participant')} too many: some are there twice")
    if rows != expected_rows:
        wrong.append(
            f"{counted(rows, 'row')}, and {version} has {counted(expected_rows, 'accepted participant')}"
        )
    elif content != expected_content:
        wrong.append(f"the answers differ from those in {version}")
    wrong += _constraints(responses, contract, log.configuration)
    if wrong:
        return Check(WHAT, RESPONSES, NOT_PROVED, "; ".join(wrong), AGAIN)
    later = f"; records is at version {newest} since" if newest != counts.version else ""
    detail = f"{counted(rows, 'participant')}, each once, as in {version}"
    return Check(WHAT, RESPONSES, PROVED, f"{detail}, all within the constraints{later}")


def _constraints(responses: DataFrame, contract: Contract, configuration: dict[str, str]) -> list[str]:
    """Return what is wrong with the CHECK constraints in the table's properties, and with the rows under them."""
    expected = rules.checks(contract)
    existing = {
        key.removeprefix(CONSTRAINTS): text
        for key, text in configuration.items()
        if key.startswith(CONSTRAINTS)
    }
    wrong = []
    if configuration and _without_blanks(existing) != _without_blanks(expected):
        wrong.append("its CHECK constraints are not the contract's")
    satisfied = " AND ".join(f"coalesce({check}, false)" for check in expected.values())
    outside = responses.where(f"NOT ({satisfied})").count() if expected else 0
    return [*wrong, f"{counted(outside, 'row')} outside the constraints"] if outside else wrong


def _without_blanks(constraints: dict[str, str]) -> dict[str, str]:
    """Return constraints without blanks: Delta may store an expression with other blanks than it was given."""
    return {name: re.sub(r"\s", "", check) for name, check in constraints.items()}


def _summary(
    spark: SparkSession,
    lake: Lake,
    logs: dict[str, Log],
    name: str,
    expected: SmallTable,
    provenance: Provenance,
    counts: RecordCounts,
) -> Check:
    """Compare a published table with the same numbers computed again; `provenance` is that of `responses`."""
    what, log = "numbers", logs.get(name)
    if log is None:
        return Check(what, name, NOT_PROVED, "it is missing, or its log is not whole", AGAIN)
    version, expected_version = log.provenance.records_version, provenance.records_version
    if (version, log.provenance.contract) != (expected_version, provenance.contract):
        detail = f"made from version {version} of records, responses from {expected_version}"
        return Check(what, name, NOT_PROVED, detail, AGAIN)
    if log.provenance.rules != RULES:
        detail = "published under the rules of another release; jobs/aggregate.py makes it anew"
        return Check(what, name, SAID, detail)
    rows = tables.read(spark, lake.table(name), log.version).select(*expected.columns).collect()
    expected_rows = [tuple(row.values()) for row in expected.arrow().to_pylist()]
    wrong = sorted(set(_cells(expected_rows)) ^ set(_cells(rows)))
    if wrong or len(rows) != len(expected_rows):
        detail = (
            f"differs from what its version of records gives: {examples(wrong) or 'a row is there twice'}"
        )
        return Check(what, name, NOT_PROVED, detail, f"If smallest_group was changed since: {AGAIN}")
    detail = f"{counted(len(rows), 'row')}, the same computed anew from version {counts.version}{counts.how}"
    return Check(what, name, PROVED, detail)


def _cells(rows: Iterable[Iterable[object]]) -> list[str]:
    """Return rows as CSV lines, numbers rounded as they are published: the last digits depend on the order of summation."""
    return [",".join(csv_files.csv_cell(_plain(value)) for value in row) for row in rows]


def _plain(value: object) -> Cell:
    """Return a decimal as a float."""
    return value if value is None or isinstance(value, str | int | float) else float(str(value))
