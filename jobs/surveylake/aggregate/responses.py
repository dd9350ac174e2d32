"""The table `responses`, brought to a version of `records`: left alone, added to, renewed, or made whole; each in one commit."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from surveylake.aggregate import people
from surveylake.aggregate.record_counts import ENDS, RecordCounts, at_version
from surveylake.contract.model import Contract
from surveylake.lake import commits, end_offsets, records_table, table_history, tables
from surveylake.lake.records_table import OffsetRange
from surveylake.lake.retention import FILES_KEPT, LOG_KEPT
from surveylake.lake.table_history import Change
from surveylake.lake.tables import RECORDS, RESPONSES, Lake
from surveylake.validate import rules

MANY = 1_000_000
"""Of fewer records the whole table is made sooner than anything cleverer is planned; so many keys fit in a task's memory."""


def made_from(spark: SparkSession, lake: Lake) -> dict[str, Any]:
    """What `responses` was made from: its note; empty when there is no such table."""
    path = lake.table(RESPONSES)
    return table_history.note_of(spark, path) if tables.exists(spark, path) else {}


def due(spark: SparkSession, lake: Lake, contract: Contract, version: int) -> dict[str, Any]:
    """The note of what is made from this version of `records` under this contract; the id tells a table made anew."""
    table = commits.snapshot(spark, lake.table(RECORDS)).metadata().id()
    return {"records_version": version, "records_id": str(table), "contract": contract.fingerprint}


def change(spark: SparkSession, lake: Lake, made: dict[str, Any], wanted: dict[str, Any]) -> Change:
    """What `records` did between the version that `responses` was `made` from and the one that is wanted."""
    if any(made.get(key) != wanted[key] for key in ("records_id", "contract")) or ENDS not in made:
        return "other"
    return table_history.change(
        spark, lake.table(RECORDS), made["records_version"], wanted["records_version"]
    )


def refresh(
    spark: SparkSession,
    lake: Lake,
    contract: Contract,
    change: Change,
    made: dict[str, Any],
    wanted: dict[str, Any],
) -> RecordCounts:
    """Bring the table to what is wanted, from what it was `made` from; what `records` hold at that version."""
    path, version = lake.table(RESPONSES), wanted["records_version"]
    with ThreadPoolExecutor(1) as pool:
        prepared = pool.submit(prepare, spark, lake, contract) if change == "other" else None
        seen = at_version(spark, lake, version)
        if prepared is not None:
            prepared.result()
    note = {**wanted, ENDS: _ends(seen.offsets)}
    grown = change == "grown" and seen.accepted >= MANY
    if change != "same" and not (grown and _bring_up(spark, path, seen, made, contract, note)):
        with _people(seen, contract) as rows:
            tables.replace(rows, path, note)
    return seen


@contextmanager
def _people(seen: RecordCounts, contract: Contract) -> Iterator[DataFrame]:
    """`latest` of all records. Of many records the keys are counted first: who answered once, mostly all, needs no sorting."""
    whole = people.latest(seen.records, contract)
    if seen.accepted < MANY:
        yield whole
        return
    twice = people.answered_twice(seen.records, contract, 1 + seen.accepted // MANY).persist()
    try:
        few = twice.count() <= MANY
        yield people.latest_but_for(seen.records, contract, twice) if few else whole
    finally:
        twice.unpersist()


def _bring_up(
    spark: SparkSession,
    path: str,
    seen: RecordCounts,
    made: dict[str, Any],
    contract: Contract,
    note: dict[str, Any],
) -> bool:
    """The same from what the table holds and the records that came since; False, and nothing done, when too many came.

    When all who came are new, they are added. Else the table is written anew as a whole: MERGE, which looks for the files to
    change first and joins again to change them, took longer when people of all files had answered again.
    """
    old, since = tables.read(spark, path), seen.records.where(_beyond(made[ENDS], seen.offsets))
    new = people.latest(since, contract).persist()
    try:
        if new.count() > MANY:
            return False
        if people.has_no_overlap(old, new, contract):
            tables.append(new.coalesce(1), path, note)
        else:
            tables.replace(people.renewed(old, new, contract), path, note)
        return True
    finally:
        new.unpersist()


def prepare(spark: SparkSession, lake: Lake, contract: Contract) -> None:
    """Make the empty table, with the contract's columns and CHECK constraints, unless it is there and has them."""
    path, properties = lake.table(RESPONSES), records_table.response_properties(rules.checks(contract))
    if tables.exists(spark, path):
        there = {k: v for k, v in tables.properties(spark, path).items() if k not in (FILES_KEPT, LOG_KEPT)}
        fields = {field.name: field.dataType.simpleString() for field in tables.read(spark, path).schema}
        same = list(contract.columns.items()) == list(fields.items())[: len(contract.columns)]
        if same and there == properties:
            return
    records_table.create_responses(spark, lake, contract, properties)


def _ends(offsets: tuple[OffsetRange, ...]) -> dict[str, dict[str, int]]:
    """Epoch -> partition -> the offset after the last; keys as JSON has them."""
    found: dict[str, dict[str, int]] = {}
    for part in offsets:
        found.setdefault(str(part.epoch), {})[str(part.partition)] = part.last + 1
    return found


def _beyond(known: dict[str, dict[str, int]], offsets: tuple[OffsetRange, ...]) -> str:
    """SQL that is true of records after these ends; what has none is taken from its first record on."""
    terms = []
    for epoch in sorted({part.epoch for part in offsets}):
        parts, of_epoch = [part for part in offsets if part.epoch == epoch], known.get(str(epoch), {})
        begins = {part.partition: of_epoch.get(str(part.partition), part.first) for part in parts}
        grown = [part.partition for part in parts if begins[part.partition] <= part.last]
        terms.append(f"(epoch = {epoch} AND {end_offsets.from_on(begins, grown)})")
    return " OR ".join(terms) or "false"
