"""The whole proof of one lake: the logs in plain Python, then the rows by Spark, the broker asked where it answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from surveylake.config import Config
from surveylake.contract.model import Contract
from surveylake.errors import StorageError
from surveylake.lake import stream_checkpoint as cp
from surveylake.lake.lake_path import LakePath, lake_path
from surveylake.lake.log_faults import MEND
from surveylake.lake.log_files import Action
from surveylake.paths import is_local
from surveylake.runtime.session import OpenSession
from surveylake.verify import parquet_bytes
from surveylake.verify.broker import Broker
from surveylake.verify.checks import NOT_PROVED, PROVED, SAID, Check, Proof
from surveylake.verify.exports import exported
from surveylake.verify.judged import judged
from surveylake.verify.logs import Log, missing_data, read_log, tables_in
from surveylake.verify.topic import BrokerAnswer, ask, lag, same_topic
from surveylake.wording import counted, examples

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from surveylake.verify.coverage import PartitionCoverage

RECORDS = "records"
REPAIR = f"{MEND} What it does not mend: 'When verify says no' in docs/reliability.md."
REBUILD = (
    "Restore the files named from a backup; without one, jobs/repair.py --dry-run says whether they can be made again, "
    "and if not, stream the topic into another lake."
)


def prove(
    open_spark: OpenSession,
    root: str,
    config: Config,
    contract: Contract,
    out: str | Path | None = None,
    deep: bool = False,
) -> Proof:
    """Run all checks of the lake at `root`, and of the exports in `out`; `deep` compares the bytes of data files too.

    Raises StorageError when there is no table `records`.
    """
    lake = lake_at(open_spark, root)
    if not (lake / RECORDS).is_dir():
        raise StorageError(
            f"there is no table {RECORDS} in {root}", "Run jobs/stream.py first, with the same --lake."
        )
    from surveylake.verify.checkpoint import newest_done

    proof = Proof()
    folders = lake / "_checkpoints" / RECORDS
    epochs = {epoch: folders / f"epoch-{epoch}" for epoch in _epochs(folders)}
    done = {epoch: newest_done(folder) for epoch, folder in epochs.items()}
    began = {epoch: cp.first_offsets(folder, contract.topic) for epoch, folder in epochs.items()}
    with proof.stopwatch.timed("logs"):
        logs, checks = _logs(open_spark, lake, deep)
    proof.add(checks)
    if RECORDS not in logs:
        proof.add([Check("offsets", RECORDS, SAID, "not counted: Spark would read another state in silence")])
        proof.add([exported(lake_at(open_spark, str(out)), None)] if out else [])
        return proof
    with proof.stopwatch.timed("broker"):
        asked = ask(config.kafka, contract.topic)
    from surveylake.lake import tables

    with proof.stopwatch.timed("Spark"):
        spark = open_spark()
    tables.require(spark, tables.Lake(root), RECORDS, "jobs/stream.py")
    _count(proof, VerifyContext(spark, root, config, contract, logs, done, began), asked, out)
    return proof


def lake_at(open_spark: OpenSession, root: str) -> LakePath:
    """Return a lake's or OUT's folder; Spark is opened for one at a URI only. Raises SetupError where its jars are missing."""
    return Path(root) if is_local(root) else lake_path(open_spark(), root)


@dataclass(frozen=True)
class VerifyContext:
    """The inputs of the checks that need Spark."""

    spark: "SparkSession"
    root: str
    config: Config
    contract: Contract
    logs: dict[str, Log]
    """the logs without faults, by table; `records` is among them"""
    done: dict[int, int | None]
    """epoch -> the newest batch that its checkpoint had as done before the table was read"""
    began: dict[int, cp.Offsets]
    """epoch -> partition -> where its checkpoint began to read, as it was then"""


def _count(
    proof: Proof,
    context: VerifyContext,
    asked: BrokerAnswer,
    out: str | Path | None,
) -> None:
    """Add the checks that need Spark: of the offsets, the checkpoint, the broker, and the tables made from `records`."""
    from surveylake.lake import records_table, tables
    from surveylake.verify import checkpoint
    from surveylake.verify.published import published

    lake, log = tables.Lake(context.root), context.logs[RECORDS]
    properties = log.configuration or tables.properties(context.spark, lake.table(RECORDS))
    epochs = records_table.epochs(properties)
    newest = max(epochs, default=0)
    broker, identity = same_topic(asked, epochs.get(newest, ""), newest)
    with proof.stopwatch.timed("offsets"):
        partitions, checks, ends = _offsets(context, properties, newest, broker)
    folders = lake_path(context.spark, lake.checkpoints) / RECORDS
    topic, batches = context.contract.topic, log.batch_by_query
    proof.add([identity, *judged(properties, log.version, context.contract), *checks])
    for epoch in sorted(context.done.keys() & epochs.keys() - {newest}):
        held = {covered.partition for covered in partitions if covered.epoch == epoch}
        folder = folders / f"epoch-{epoch}"
        proof.add(checkpoint.emptied(folder, topic, context.done[epoch], held, properties))
    folder = folders / f"epoch-{newest}"
    proof.add([checkpoint.check(folder, topic, ends, context.done.get(newest), batches, broker)])
    proof.add([lag(broker, ends)] if broker else [])
    publish = context.config.publish
    exports = lake_path(context.spark, str(out)) if out else None
    with proof.stopwatch.timed("published"):
        proof.add(published(context.spark, lake, context.contract, publish, context.logs, exports))
    proof.claim = _claim(partitions, log, broker)


def _offsets(
    context: VerifyContext, properties: dict[str, str], newest: int, broker: Broker | None
) -> tuple["list[PartitionCoverage]", list[Check], dict[int, int]]:
    """Return the coverage of each epoch and partition, the checks of the offsets, and `ends`.

    `ends` is partition of the newest epoch -> the offset at which the stream goes on.
    """
    from surveylake.lake import tables
    from surveylake.verify import coverage, offsets

    records = tables.read(
        context.spark, tables.Lake(context.root).table(RECORDS), context.logs[RECORDS].version
    )
    partitions, claims, ends = coverage.partition_coverage(records), [], {}
    from_start = context.config.stream.starting_offsets == "earliest"
    for covered in partitions:
        present = broker if covered.epoch == newest else None
        lost = offsets.accepted_losses(properties, covered.epoch, covered.partition)
        bounds = present.kept.get(covered.partition) if present and from_start else None
        claims.append(offsets.Claim(covered, lost, present, bounds[0] if bounds else None))
        if covered.epoch == newest:
            ends[covered.partition] = offsets.go_on_at(covered, lost)
    checks = offsets.checks(records, claims)
    if broker and from_start:
        checks += offsets.without_rows(newest, context.began.get(newest, {}), ends, properties, broker)
    return partitions, [*checks, *offsets.times(records)], ends


def _logs(open_spark: OpenSession, lake: LakePath, deep: bool) -> tuple[dict[str, Log], list[Check]]:
    """Return the logs without faults by table, and a check of every table's log and data files."""
    whole, checks, local = {}, [], is_local(str(lake))
    for table in tables_in(lake):
        log = read_log(table, partial(read_checkpoint, open_spark))
        if log.messages:
            checks.append(Check("log", table.name, NOT_PROVED, "; ".join(log.messages), REPAIR))
            continue
        damaged = missing_data(log, deep and local)
        if not damaged and deep and not local:
            damaged = parquet_bytes.damaged(open_spark(), log)
        if damaged:
            checks.append(Check("data files", table.name, NOT_PROVED, examples(damaged), REBUILD))
            continue
        whole[table.name] = log
        size = f"{counted(len(log.files), 'data file')} of {sum(log.files.values()):,} bytes"
        checks.append(Check("log", table.name, PROVED, f"versions to {log.version} whole, {size} all there"))
    if not any(check.where == RECORDS for check in checks):
        checks.append(Check("log", RECORDS, NOT_PROVED, "its _delta_log is gone", REBUILD))
    return whole, checks


def read_checkpoint(open_spark: OpenSession, paths: list[LakePath]) -> Iterable[Action]:
    """Yield the add, txn and metaData actions in a log checkpoint's Parquet files."""
    frame = open_spark().read.parquet(*(str(path) for path in paths))
    metadata = ("metaData.configuration", "metaData.schemaString")
    rows = frame.select("add.path", "add.size", "txn.appId", "txn.version", *metadata).collect()
    for row in rows:
        if row["path"] is not None:
            yield {"add": {"path": row["path"], "size": row["size"]}}
        if row["appId"] is not None:
            yield {"txn": {"appId": row["appId"], "version": row["version"]}}
        if row["schemaString"] is not None:
            yield {"metaData": {name: row[name] for name in ("configuration", "schemaString")}}


def _claim(partitions: "list[PartitionCoverage]", log: Log, broker: Broker | None) -> str:
    """Return the sentence that is proved when no check fails."""
    rows = sum(covered.rows for covered in partitions)
    where = f"{counted(len(partitions), 'partition')} of version {log.version} of records"
    asked = "the broker agrees" if broker else "without a broker"
    return f"{counted(rows, 'record')} in {where}, every offset from first to last exactly once ({asked})"


def _epochs(folder: LakePath) -> list[int]:
    """Return the epochs that have a streaming checkpoint."""
    names = [path.name.removeprefix("epoch-") for path in folder.iterdir()] if folder.is_dir() else []
    return [int(name) for name in names if name.isdigit()]
