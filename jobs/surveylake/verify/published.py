"""Do `responses`, the summaries and the exported files follow from the version of `records` that they name?"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import DataFrame, Row, SparkSession

from surveylake import wording
from surveylake.aggregate import analysis
from surveylake.aggregate import people as aggregates
from surveylake.aggregate.analysis import Published
from surveylake.aggregate.record_counts import RecordCounts, at_provenance
from surveylake.aggregate.summary_tables import RULES
from surveylake.config import Publish
from surveylake.contract.model import Contract
from surveylake.errors import StorageError
from surveylake.export import csv_files
from surveylake.export.manifest import MANIFEST, damaged_files
from surveylake.lake import commits, tables
from surveylake.lake.log_files import keeps_every_commit
from surveylake.lake.provenance import Provenance
from surveylake.lake.records_table import CONSTRAINTS
from surveylake.lake.tables import RECORDS, RESPONSES, Cell, Lake
from surveylake.runtime import java_exit
from surveylake.validate import rules
from surveylake.verify.checks import NOT_PROVED, PROVED, SAID, Check
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
    out: Path | None,
) -> list[Check]:
    """Every check of what was made from `records`; `logs` are the whole logs, by table."""
    log = logs.get(RESPONSES)
    if log is None:
        return [Check(WHAT, RESPONSES, SAID, "not made yet, or its log is not whole")]
    version = log.provenance.records_version
    if version is None:
        return [_without_note(log)]
    if log.provenance.contract != contract.fingerprint:
        said = f"made from version {version} of records under another contract than this {contract.name}"
        return [Check(WHAT, RESPONSES, NOT_PROVED, said, f"Give that contract (--survey). Or: {AGAIN}")]
    try:
        seen = at_provenance(spark, lake, log.provenance)
        answers = _responses(spark, lake, contract, log, seen, logs[RECORDS].version)
        made = analysis.analyse(spark, lake, contract, publish, seen)
        numbers = [
            _summary(spark, lake, logs, name, frame, log.provenance, seen)
            for name, frame in made.frames.items()
        ]
    except commits.FAILURES as error:
        if java_exit.out_of_memory(error):
            raise
        said = f"version {version} of records cannot be read any more: {wording.first_line(error)}"
        return [Check(WHAT, RESPONSES, NOT_PROVED, said, AGAIN)]
    except StorageError as error:
        return [Check(WHAT, RESPONSES, NOT_PROVED, error.message, AGAIN)]
    return [answers, *numbers, *([_exported(out, made)] if out else [])]


def _without_note(log: Log) -> Check:
    """A table that does not name its version: another program made it, or the log's cleaning took the note with it."""
    said = "it does not say which version of records it was made from"
    if keeps_every_commit(log.table):
        return Check(WHAT, RESPONSES, NOT_PROVED, said, AGAIN)
    return Check(
        WHAT, RESPONSES, SAID, f"{said}: that commit was cleaned away, so nothing was compared. {AGAIN}"
    )


def _responses(
    spark: SparkSession, lake: Lake, contract: Contract, log: Log, seen: RecordCounts, newest: int
) -> Check:
    """One row per accepted participant of that version, the same in every column, each within the constraints."""
    responses = tables.read(spark, lake.table(RESPONSES), log.version)
    due = aggregates.latest(seen.records, contract)
    (rows, people, content), (due_rows, _, due_content) = (
        aggregates.digest(frame, contract.key) for frame in (responses, due)
    )
    wrong, version = [], f"version {seen.version} of records{seen.how}"
    if rows != people:
        wrong.append(f"{counted(rows - people, 'participant')} too many: some are there twice")
    if rows != due_rows:
        wrong.append(f"{counted(rows, 'row')}, and {version} has {counted(due_rows, 'accepted participant')}")
    elif content != due_content:
        wrong.append(f"the answers differ from those in {version}")
    wrong += _constraints(responses, contract, log.configuration)
    if wrong:
        return Check(WHAT, RESPONSES, NOT_PROVED, "; ".join(wrong), AGAIN)
    later = f"; records is at version {newest} since" if newest != seen.version else ""
    said = f"{counted(rows, 'participant')}, each once, as in {version}"
    return Check(WHAT, RESPONSES, PROVED, f"{said}, all within the constraints{later}")


def _constraints(responses: DataFrame, contract: Contract, configuration: dict[str, str]) -> list[str]:
    """What is wrong with the CHECK constraints, and with the rows under them."""
    due = rules.checks(contract)
    there = {
        key.removeprefix(CONSTRAINTS): text
        for key, text in configuration.items()
        if key.startswith(CONSTRAINTS)
    }
    wrong = []
    # Delta may keep an expression with other blanks than it was given.
    if configuration and {k: re.sub(r"\s", "", v) for k, v in there.items()} != {
        k: re.sub(r"\s", "", v) for k, v in due.items()
    }:
        wrong.append("its CHECK constraints are not the contract's")
    broken = (
        responses.where(
            f"NOT ({' AND '.join(f'coalesce({check}, false)' for check in due.values())})"
        ).count()
        if due
        else 0
    )
    return [*wrong, f"{counted(broken, 'row')} outside the constraints"] if broken else wrong


def _summary(
    spark: SparkSession,
    lake: Lake,
    logs: dict[str, Log],
    name: str,
    due: DataFrame,
    provenance: Provenance,
    seen: RecordCounts,
) -> Check:
    """One published table against the same numbers computed anew."""
    what, log = "numbers", logs.get(name)
    if log is None:
        return Check(what, name, NOT_PROVED, "it is missing, or its log is not whole", AGAIN)
    version, expected_version = log.provenance.records_version, provenance.records_version
    if (version, log.provenance.contract) != (expected_version, provenance.contract):
        said = f"made from version {version} of records, responses from {expected_version}"
        return Check(what, name, NOT_PROVED, said, AGAIN)
    if log.provenance.rules != RULES:
        said = "published under the rules of another release; jobs/aggregate.py makes it anew"
        return Check(what, name, SAID, said)
    there, expected = (
        tables.read(spark, lake.table(name), log.version).select(*due.columns).collect(),
        due.collect(),
    )
    wrong = sorted(set(_cells(expected)) ^ set(_cells(there)))
    if wrong or len(there) != len(expected):
        said = f"differs from what its version of records gives: {examples(wrong) or 'a row is there twice'}"
        return Check(what, name, NOT_PROVED, said, f"If smallest_group was changed since: {AGAIN}")
    return Check(
        what,
        name,
        PROVED,
        f"{counted(len(there), 'row')}, the same computed anew from version {seen.version}{seen.how}",
    )


def _cells(rows: Sequence[Row]) -> list[str]:
    """Rows as CSV lines: numbers to the digits that are published, for the last ones depend on the order of adding up."""
    return [",".join(csv_files.csv_cell(_plain(value)) for value in row) for row in rows]


def _plain(value: object) -> Cell:
    """Return a decimal as a float."""
    return value if value is None or isinstance(value, str | int | float) else float(str(value))


def _exported(out: Path, made: Published) -> Check:
    """The files in OUT are those its manifest lists, and its numbers are the table's."""
    where, publish = str(out), "Run jobs/export.py, then this again."
    if not (out / MANIFEST).is_file():
        return Check("exports", where, NOT_PROVED, f"there is no {MANIFEST}", publish)
    if damaged := damaged_files(out):
        return Check(
            "exports",
            where,
            NOT_PROVED,
            f"missing or changed since they were written: {examples(damaged)}",
            publish,
        )
    kept = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    due = json.loads(json.dumps(csv_files.facts_of(made.findings)))
    # A manifest of an earlier release does not say how many answers were replaced.
    if other := sorted(
        key
        for key, value in due.items()
        if kept.get(key, due["replaced"] if key == "replaced" else None) != value
    ):
        return Check(
            "exports",
            where,
            NOT_PROVED,
            f"its manifest says other {examples(other)} than the tables",
            publish,
        )
    said = f"{counted(len(kept['files']), 'file')} as their manifest says, their counts those of the tables"
    return Check("exports", where, PROVED, said)
