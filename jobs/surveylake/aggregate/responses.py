"""The table `responses`, updated to a version of `records` in one commit: left alone, added to, renewed, or written whole."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

from pyspark.sql import DataFrame, SparkSession

from surveylake.aggregate import people
from surveylake.aggregate.record_counts import RecordCounts, at_version
from surveylake.contract.model import Contract
from surveylake.errors import LakeLockedError
from surveylake.lake import commits, end_offsets, records_table, rewrite, table_history, tables
from surveylake.lake.end_offsets import Ends
from surveylake.lake.provenance import Provenance
from surveylake.lake.records_table import OffsetRange
from surveylake.lake.retention import FILES_KEPT, LOG_KEPT
from surveylake.lake.table_history import Change
from surveylake.lake.tables import RECORDS, RESPONSES, Lake
from surveylake.validate import rules

MANY = 1_000_000
"""records: fewer are aggregated whole, which takes less time than to plan an update; so many keys fit in a task's memory"""


def read_provenance(spark: SparkSession, lake: Lake) -> Provenance:
    """Return what `responses` was made from; an empty provenance when there is no such table."""
    path = lake.table(RESPONSES)
    return table_history.provenance_of(spark, path) if tables.exists(spark, path) else Provenance()


def new_provenance(spark: SparkSession, lake: Lake, contract: Contract, version: int) -> Provenance:
    """Return the provenance of tables made from this version of `records` under this contract."""
    table = commits.snapshot(spark, lake.table(RECORDS)).metadata().id()
    return Provenance(records_version=version, records_id=str(table), contract=contract.fingerprint)


def change(spark: SparkSession, lake: Lake, previous: Provenance, wanted: Provenance) -> Change:
    """Return how the rows of `records` changed from the version of `previous` to that of `wanted`."""
    since, until = previous.records_version, wanted.records_version
    same_source = (previous.records_id, previous.contract) == (wanted.records_id, wanted.contract)
    if not same_source or previous.ends is None or since is None or until is None:
        return "other"
    return table_history.change(spark, lake.table(RECORDS), since, until)


def refresh(
    spark: SparkSession,
    lake: Lake,
    contract: Contract,
    change: Change,
    previous: Provenance,
    wanted: Provenance,
) -> tuple[RecordCounts, int]:
    """Update `responses` from `previous` to `wanted`. Returns the counts of `records` at that version, and the version of
    `responses`."""
    path, version = lake.table(RESPONSES), wanted.records_version
    assert version is not None
    with ThreadPoolExecutor(1) as pool:
        prepared = pool.submit(prepare, spark, lake, contract) if change == "other" else None
        counts = at_version(spark, lake, version)
        target = prepared.result() if prepared is not None else None
    if change == "same":
        at = tables.version(spark, path)
        if table_history.provenance_of(spark, path, at) != previous:
            raise LakeLockedError(
                f"another process wrote {path} meanwhile; nothing was changed here", "Run this again."
            )
        return counts, at
    provenance = replace(wanted, ends=_ends(counts.offsets))
    if change == "grown" and counts.accepted >= MANY:
        added = _add_new(spark, path, counts, previous, contract, provenance)
        if added is not None:
            return counts, added
    with _people(counts, contract) as rows:
        return counts, tables.replace(rows, path, provenance, target)


@contextmanager
def _people(counts: RecordCounts, contract: Contract) -> Iterator[DataFrame]:
    """Give `latest` of all records. Of many records counts the keys first: who answered once, nearly all, needs no sorting."""
    whole = people.latest(counts.records, contract)
    if counts.accepted < MANY:
        yield whole
        return
    twice = people.answered_twice(counts.records, contract, 1 + counts.accepted // MANY).persist()
    try:
        few = twice.count() <= MANY
        yield people.latest_but_for(counts.records, contract, twice) if few else whole
    finally:
        twice.unpersist()


def _add_new(
    spark: SparkSession,
    path: str,
    counts: RecordCounts,
    previous: Provenance,
    contract: Contract,
    provenance: Provenance,
) -> int | None:
    """Update the table from its rows and the records beyond its ends. Returns its new version.

    Returns None, and writes nothing, when there are too many.
    Only the files that have an answer which is no longer the latest are written anew, without it. What comes in is a file of
    its own.
    """
    before = commits.snapshot(spark, path)
    old = tables.read(spark, path, int(before.version()))
    since = counts.records.where(_beyond(previous.ends or {}, counts.offsets))
    new = people.latest(since, contract).persist()
    again = people.answered_again(old, new, contract).persist()
    try:
        if new.count() > MANY:
            return None
        replaced = again.where(f"`{people.IS_LATER}`")
        files = {row[0] for row in replaced.select(people.FILE).distinct().collect()}
        added = people.without(new, again.where(f"NOT `{people.IS_LATER}`"), contract).coalesce(1)
        return rewrite.renew(
            spark,
            before,
            files,
            lambda rows: people.without(rows, replaced, contract),
            added,
            provenance.as_json(),
        )
    finally:
        again.unpersist()
        new.unpersist()


def prepare(spark: SparkSession, lake: Lake, contract: Contract) -> rewrite.Target | None:
    """Create a missing table, empty, with the contract's columns and CHECK constraints.

    Returns what an existing one must become, in the commit that fills it; None where it has all that already.
    """
    path, properties = lake.table(RESPONSES), records_table.response_properties(rules.checks(contract))
    if tables.exists(spark, path):
        existing = {
            k: v for k, v in tables.properties(spark, path).items() if k not in (FILES_KEPT, LOG_KEPT)
        }
        fields = {field.name: field.dataType.simpleString() for field in tables.read(spark, path).schema}
        same = list(contract.columns.items()) == list(fields.items())[: len(contract.columns)]
        if same and existing == properties:
            return None
        return rewrite.Target(records_table.response_columns(contract), properties, "")
    records_table.create_responses(spark, lake, contract, properties)
    return None


def _ends(offsets: tuple[OffsetRange, ...]) -> dict[int, dict[int, int]]:
    """Return epoch -> partition -> the offset after the last."""
    ends: dict[int, dict[int, int]] = {}
    for part in offsets:
        ends.setdefault(part.epoch, {})[part.partition] = part.last + 1
    return ends


def _beyond(ends: Mapping[int, Ends], offsets: tuple[OffsetRange, ...]) -> str:
    """Return SQL that is true of records after these ends; a partition without one is read from its first record on."""
    terms = []
    for epoch in sorted({part.epoch for part in offsets}):
        parts, of_epoch = [part for part in offsets if part.epoch == epoch], ends.get(epoch, {})
        begins = {part.partition: of_epoch.get(part.partition, part.first) for part in parts}
        grown = [part.partition for part in parts if begins[part.partition] <= part.last]
        terms.append(f"(epoch = {epoch} AND {end_offsets.from_on(begins, grown)})")
    return " OR ".join(terms) or "false"
