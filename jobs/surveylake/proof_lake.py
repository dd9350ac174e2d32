"""The whole proof of one lake: the logs first, in plain Python; then what Spark counts; the broker asked where it answers."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from surveylake.config import Config
from surveylake.contract import Contract
from surveylake.errors import ConfigError, StorageError, TopicError
from surveylake.proof import NOT_PROVED, PROVED, SAID, Check, Proof, counted, some
from surveylake.proof_broker import Broker, reach
from surveylake.proof_log import Action, Log, missing_data, read_log, tables_in

if TYPE_CHECKING:
    from surveylake.proof_offsets import Cover

RECORDS, EPOCH = "records", "surveylake.epoch."
REPAIR = "Run jobs/repair.py on this lake: it does what is safe, and says what to do where nothing is."
REBUILD = (
    "Restore the files named from a backup; without one, stream the topic into another lake. "
    "Tables other than records are made anew by jobs/aggregate.py."
)
OTHER_TOPIC = "Give the broker the lake was read from (--bootstrap); if the topic was made anew, see --accept-new-topic of jobs/stream.py."
T = TypeVar("T")


def prove(
    root: str, config: Config, contract: Contract, out: Path | None = None, deep: bool = False
) -> Proof:
    """Look at everything; the verdict is in what is returned. StorageError when there is no lake of this kind at `root`."""
    if "://" in root:
        raise ConfigError(
            f"{root} is not a folder: the tables' logs are read as files",
            "Mount the lake, or copy it to a disk.",
        )
    lake = Path(root)
    if not (lake / RECORDS).is_dir():
        raise StorageError(
            f"there is no table {RECORDS} in {root}", "Run jobs/stream.py first, with the same --lake."
        )
    from surveylake.proof_checkpoint import newest_done

    proof = Proof()
    folders = lake / "_checkpoints" / RECORDS
    done = {epoch: newest_done(folders / f"epoch-{epoch}") for epoch in _epochs(folders)}
    logs, checks = _timed(proof, "logs", lambda: _logs(lake, deep))
    proof.add(checks)
    broker, said = _timed(proof, "broker", lambda: _broker(config, contract))
    if RECORDS not in logs:
        proof.add(
            [
                Check(
                    "offsets",
                    RECORDS,
                    SAID,
                    "not counted: it is not whole, and Spark would pass over that in silence",
                )
            ]
        )
        return proof
    _counted(proof, root, config, contract, logs, done, (broker, said), out)
    return proof


def _counted(
    proof: Proof, root: str, config: Config, contract: Contract, logs: dict[str, Log], done: dict[int, int | None],
    asked: tuple[Broker | None, Check], out: Path | None,
) -> None:  # fmt: skip
    """What needs Spark."""
    from surveylake import proof_checkpoint, proof_offsets, session, tables
    from surveylake.proof_published import published

    spark = _timed(proof, "Spark", lambda: session.open_session("surveylake verify"))
    lake, log = tables.Lake(root), logs[RECORDS]
    properties = log.configuration or tables.properties(spark, lake.table(RECORDS))
    records = tables.read(spark, lake.table(RECORDS), log.version)
    covers = _timed(proof, "offsets", lambda: proof_offsets.covers(records))
    newest = max((int(key.removeprefix(EPOCH)) for key in properties if key.startswith(EPOCH)), default=0)
    broker, identity = _same_topic(asked, properties.get(f"{EPOCH}{newest}", ""), newest)
    proof.add([identity])
    from_start = config.stream.starting_offsets == "earliest"

    def partition(cover: "Cover") -> Check:
        present = broker if cover.epoch == newest else None
        begin = (
            present.kept[cover.partition][0]
            if present and from_start and cover.partition in present.kept
            else None
        )
        lost = proof_offsets.accepted_losses(properties, cover.epoch, cover.partition)
        return proof_offsets.check(records, cover, lost, present, begin)

    proof.add(_timed(proof, "offsets", lambda: [partition(cover) for cover in covers]))
    ends = {cover.partition: cover.last + 1 for cover in covers if cover.epoch == newest}
    folder = Path(lake.checkpoints) / RECORDS / f"epoch-{newest}"
    proof.add(
        [proof_checkpoint.check(folder, contract.topic, ends, done.get(newest), log.transactions, broker)]
    )
    proof.add([_lag(broker, ends)] if broker else [])
    proof.add(_timed(proof, "published", lambda: published(spark, lake, contract, config.publish, logs, out)))
    proof.claim = _claim(covers, log, broker)


def _logs(lake: Path, deep: bool) -> tuple[dict[str, Log], list[Check]]:
    """The whole logs by table, and a check for every table's log and data files."""
    whole, checks = {}, []
    for table in tables_in(lake):
        log = read_log(table, _read_checkpoint)
        if log.faults:
            checks.append(Check("log", table.name, NOT_PROVED, "; ".join(log.faults), REPAIR))
            continue
        if gone := missing_data(log, deep):
            checks.append(Check("data files", table.name, NOT_PROVED, some(gone), REBUILD))
            continue
        whole[table.name] = log
        size = f"{counted(len(log.files), 'data file')} of {sum(log.files.values()):,} bytes"
        checks.append(Check("log", table.name, PROVED, f"versions to {log.version} whole, {size} all there"))
    if not any(check.where == RECORDS for check in checks):
        checks.append(Check("log", RECORDS, NOT_PROVED, "its _delta_log is gone", REBUILD))
    return whole, checks


def _read_checkpoint(paths: list[Path]) -> Iterable[Action]:
    """The actions in a log checkpoint's Parquet files."""
    from surveylake import session

    frame = session.open_session("surveylake verify").read.parquet(*(str(path) for path in paths))
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


def _broker(config: Config, contract: Contract) -> tuple[Broker | None, Check]:
    """The topic where it answers, else why not."""
    try:
        broker = reach(config.kafka, contract.topic)
    except TopicError as error:
        said = f"not asked, so neither lag nor the topic's identity is known: {error.message}"
        return None, Check("broker", contract.topic, SAID, said)
    return broker, Check("broker", contract.topic, SAID, "")


def _same_topic(asked: tuple[Broker | None, Check], pinned: str, epoch: int) -> tuple[Broker | None, Check]:
    """The broker when its topic is the one the table was read from; any other has nothing to say about it."""
    broker, said = asked
    if broker is None:
        return None, said
    identity, where = f"{broker.identity.cluster_id}/{broker.identity.topic_id}", broker.identity.name
    if identity == pinned:
        return broker, Check("identity", where, PROVED, f"cluster id and topic id are those of epoch {epoch}")
    detail = (
        f"epoch {epoch} was read from cluster id/topic id {pinned}, {broker.kafka.bootstrap} has {identity}"
    )
    return None, Check("identity", where, NOT_PROVED, detail, OTHER_TOPIC)


def _lag(broker: Broker, ends: dict[int, int]) -> Check:
    """What the topic has beyond the table is not lost: it is to come. A topic that ends before the table is another matter."""
    where = broker.identity.name
    behind = [f"partition {p} ends at {broker.kept.get(p, (0, 0))[1]}, the table at {end}"
              for p, end in sorted(ends.items()) if broker.kept.get(p, (0, 0))[1] < end]  # fmt: skip
    if behind:
        said = f"the topic is shorter than what was read from it: {some(behind)}"
        return Check(
            "topic",
            where,
            NOT_PROVED,
            said,
            "The broker lost data: restore it before anything is sent or read again.",
        )
    lag = {p: end - ends.get(p, first) for p, (first, end) in broker.kept.items()}
    beyond = ", ".join(f"partition {p}: {n:,}" for p, n in lag.items() if n)
    return Check(
        "lag",
        where,
        SAID,
        f"{counted(sum(lag.values()), 'offset')} not taken in yet{f' ({beyond})' if beyond else ''}",
    )


def _claim(covers: "list[Cover]", log: Log, broker: Broker | None) -> str:
    rows = sum(cover.rows for cover in covers)
    where = f"{counted(len(covers), 'partition')} of version {log.version} of records"
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
