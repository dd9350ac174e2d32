"""The whole proof of one lake: the logs first, in plain Python; then what Spark counts; the broker asked where it answers."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from surveylake.config import Config
from surveylake.contract.model import Contract
from surveylake.errors import ConfigError, StorageError
from surveylake.lake.log_files import MEND, Action
from surveylake.runtime.session import OpenSession
from surveylake.verify.broker import Broker
from surveylake.verify.checks import NOT_PROVED, PROVED, SAID, Check, Proof
from surveylake.verify.logs import Log, missing_data, read_log, tables_in
from surveylake.verify.topic import BrokerAnswer, ask, lag, same_topic
from surveylake.wording import counted, examples

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from surveylake.verify.coverage import PartitionCoverage

RECORDS, EPOCH = "records", "surveylake.epoch."
REPAIR = f"{MEND} What it does not mend: 'When verify says no' in docs/reliability.md."
REBUILD = (
    "Restore the files named from a backup; without one, jobs/repair.py --dry-run says whether they can be made again, "
    "and if not, stream the topic into another lake."
)
COPY = "Mount the lake, or copy it to a disk."
T = TypeVar("T")


def prove(
    open_spark: OpenSession,
    root: str,
    config: Config,
    contract: Contract,
    out: Path | None = None,
    deep: bool = False,
) -> Proof:
    """Look at everything; the verdict is in what is returned. StorageError when there is no lake of this kind at `root`."""
    if "://" in root:
        raise ConfigError(f"{root} is not a folder: the tables' logs are read as files", COPY)
    lake = Path(root)
    if not (lake / RECORDS).is_dir():
        raise StorageError(
            f"there is no table {RECORDS} in {root}", "Run jobs/stream.py first, with the same --lake."
        )
    from surveylake.verify.checkpoint import newest_done

    proof = Proof()
    folders = lake / "_checkpoints" / RECORDS
    done = {epoch: newest_done(folders / f"epoch-{epoch}") for epoch in _epochs(folders)}
    logs, checks = _timed(proof, "logs", lambda: _logs(open_spark, lake, deep))
    proof.add(checks)
    if RECORDS not in logs:
        proof.add([Check("offsets", RECORDS, SAID, "not counted: Spark would read another state in silence")])
        return proof
    asked = _timed(proof, "broker", lambda: ask(config.kafka, contract.topic))
    from surveylake.lake import tables

    spark = _timed(proof, "Spark", open_spark)
    tables.require(spark, tables.Lake(root), RECORDS, "jobs/stream.py")
    _count(proof, VerifyContext(spark, root, config, contract, logs), done, asked, out)
    return proof


@dataclass(frozen=True)
class VerifyContext:
    """What the counting part of a proof looks at."""

    spark: "SparkSession"
    root: str
    config: Config
    contract: Contract
    logs: dict[str, Log]
    """the whole logs, by table; `records` is among them"""


def _count(
    proof: Proof, context: VerifyContext, done: dict[int, int | None], asked: BrokerAnswer, out: Path | None
) -> None:
    """What needs Spark: the offsets, against checkpoint and broker; then what was made of the records."""
    from surveylake.lake import tables
    from surveylake.verify import checkpoint
    from surveylake.verify.published import published

    lake, log = tables.Lake(context.root), context.logs[RECORDS]
    properties = log.configuration or tables.properties(context.spark, lake.table(RECORDS))
    newest = max((int(key.removeprefix(EPOCH)) for key in properties if key.startswith(EPOCH)), default=0)
    broker, identity = same_topic(asked, properties.get(f"{EPOCH}{newest}", ""), newest)
    partitions, checks, ends = _timed(proof, "offsets", lambda: _offsets(context, properties, newest, broker))
    folder = Path(lake.checkpoints) / RECORDS / f"epoch-{newest}"
    topic, batches = context.contract.topic, log.transactions
    proof.add([identity, *checks])
    proof.add([checkpoint.check(folder, topic, ends, done.get(newest), batches, broker)])
    proof.add([lag(broker, ends)] if broker else [])
    publish = context.config.publish
    what = partial(published, context.spark, lake, context.contract, publish, context.logs, out)
    proof.add(_timed(proof, "published", what))
    proof.claim = _claim(partitions, log, broker)


def _offsets(
    context: VerifyContext, properties: dict[str, str], newest: int, broker: Broker | None
) -> tuple["list[PartitionCoverage]", list[Check], dict[int, int]]:
    """What each epoch and partition holds, a check of each, and for the newest epoch partition -> where the stream goes on."""
    from surveylake.lake import tables
    from surveylake.verify import coverage, offsets

    records = tables.read(
        context.spark, tables.Lake(context.root).table(RECORDS), context.logs[RECORDS].version
    )
    partitions, claims, ends = coverage.partition_coverage(records), [], {}
    from_start = context.config.stream.starting_offsets == "earliest"
    for cover in partitions:
        present = broker if cover.epoch == newest else None
        lost = offsets.accepted_losses(properties, cover.epoch, cover.partition)
        kept = present.kept.get(cover.partition) if present and from_start else None
        claims.append(offsets.Claim(cover, lost, present, kept[0] if kept else None))
        if cover.epoch == newest:
            ends[cover.partition] = offsets.go_on_at(cover, lost)
    return partitions, [*offsets.checks(records, claims), *offsets.times(records)], ends


def _logs(open_spark: OpenSession, lake: Path, deep: bool) -> tuple[dict[str, Log], list[Check]]:
    """The whole logs by table, and a check for every table's log and data files."""
    whole, checks = {}, []
    for table in tables_in(lake):
        log = read_log(table, partial(read_checkpoint, open_spark))
        if log.faults:
            checks.append(Check("log", table.name, NOT_PROVED, "; ".join(log.faults), REPAIR))
            continue
        if gone := missing_data(log, deep):
            checks.append(Check("data files", table.name, NOT_PROVED, examples(gone), REBUILD))
            continue
        whole[table.name] = log
        size = f"{counted(len(log.files), 'data file')} of {sum(log.files.values()):,} bytes"
        checks.append(Check("log", table.name, PROVED, f"versions to {log.version} whole, {size} all there"))
    if not any(check.where == RECORDS for check in checks):
        checks.append(Check("log", RECORDS, NOT_PROVED, "its _delta_log is gone", REBUILD))
    return whole, checks


def read_checkpoint(open_spark: OpenSession, paths: list[Path]) -> Iterable[Action]:
    """Return the actions in a log checkpoint's Parquet files."""
    frame = open_spark().read.parquet(*(str(path) for path in paths))
    rows = frame.select(
        "add.path", "add.size", "txn.appId", "txn.version", "metaData.configuration"
    ).collect()
    for row in rows:
        if row["path"] is not None:
            yield {"add": {"path": row["path"], "size": row["size"]}}
        if row["appId"] is not None:
            yield {"txn": {"appId": row["appId"], "version": row["version"]}}
        if row["configuration"] is not None:
            yield {"metaData": {"configuration": row["configuration"]}}


def _claim(partitions: "list[PartitionCoverage]", log: Log, broker: Broker | None) -> str:
    rows = sum(cover.rows for cover in partitions)
    where = f"{counted(len(partitions), 'partition')} of version {log.version} of records"
    asked = "the broker agrees" if broker else "without a broker"
    return f"{counted(rows, 'record')} in {where}, every offset from first to last exactly once ({asked})"


def _epochs(folder: Path) -> list[int]:
    names = [path.name.removeprefix("epoch-") for path in folder.iterdir()] if folder.is_dir() else []
    return [int(name) for name in names if name.isdigit()]


def _timed(proof: Proof, step: str, work: Callable[[], T]) -> T:
    began = time.monotonic()
    done: Any = work()
    proof.seconds[step] = proof.seconds.get(step, 0.0) + time.monotonic() - began
    return done  # type: ignore[no-any-return]
