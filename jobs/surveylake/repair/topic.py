"""May the newest versions of `records` go? When the topic still keeps every record that they held, or may have held."""

import json
from pathlib import Path
from typing import Any

from pyspark.errors import PySparkException

from surveylake.config import Config
from surveylake.contract.model import Contract
from surveylake.errors import ProofError, StorageError, TopicError
from surveylake.lake import stream_checkpoint as cp
from surveylake.lake.log_files import LogFiles
from surveylake.lake.records_table import EPOCH
from surveylake.lake.tables import RECORDS
from surveylake.runtime.session import OpenSession
from surveylake.verify import coverage, offsets
from surveylake.verify.broker import Broker, reach
from surveylake.verify.checks import SAID, Check
from surveylake.verify.logs import Log
from surveylake.verify.topic import same_topic
from surveylake.wording import examples, first_line

UNCHANGED = "Nothing was changed."
EXPIRED = (
    "Restore the log from a backup, or the topic. To go on without these records, move the files named above out of the log "
    "by hand and run jobs/stream.py --accept-loss: the table records the ranges."
)
SHORTER = (
    "The broker lost records too. Restore its data, or send the file again with jobs/produce.py, which sends what the topic "
    "lacks; then run this again."
)
OTHER = "Run this with the broker that the records came from (--bootstrap)."
REPLAY = "if it was jobs/replay.py, run that again"


def newest_epoch(log: Log) -> tuple[int, str]:
    """The newest epoch of `records`, and its 'cluster id/topic id'. StorageError when the table has none."""
    epochs = {
        int(key.removeprefix(EPOCH)): value
        for key, value in log.configuration.items()
        if key.startswith(EPOCH)
    }
    if not epochs:
        raise StorageError(
            f"{log.table} does not say which topic it was read from", "This project did not make it."
        )
    return max(epochs), epochs[max(epochs)]


def require_kept(
    open_spark: OpenSession, log: Log, checkpoint: Path, config: Config, contract: Contract
) -> str:
    """A sentence saying that the topic keeps all that comes after `log`; ProofError or TopicError when that is not proved.

    `log` is the whole log without the versions in question, `checkpoint` the folder of its newest epoch.
    """
    topic, (epoch, pinned) = contract.topic, newest_epoch(log)
    asked = same_topic((_reached(config, topic), Check("broker", topic, SAID, "answers")), pinned, epoch)
    if asked[0] is None:
        raise ProofError(
            f"this topic cannot give back what is lost: {asked[1].detail}", f"{UNCHANGED} {OTHER}"
        )
    kept, ends = asked[0].kept, _ends(open_spark, log, epoch)
    first, furthest = cp.first_offsets(checkpoint, topic), cp.furthest(checkpoint, topic)
    begins = {p: ends.get(p, first.get(p, 0)) for p in {*kept, *ends, *furthest}}
    gone = [
        f"partition {p}: {begin} to {kept[p][0] - 1}"
        for p, begin in sorted(begins.items())
        if p in kept and kept[p][0] > begin
    ]
    if gone:
        said = f"topic {topic} no longer keeps offsets that a lost version may have held, {examples(gone)}"
        raise ProofError(said, f"{UNCHANGED} {EXPIRED}")
    read = {p: max(begin, furthest.get(p, 0)) for p, begin in sorted(begins.items())}
    short = [
        f"partition {p} ends at {kept.get(p, (0, 0))[1]} and was read to {end}"
        for p, end in read.items()
        if kept.get(p, (0, 0))[1] < end
    ]
    if short:
        said = f"topic {topic} is shorter than what was read from it: {examples(short)}"
        raise ProofError(said, f"{UNCHANGED} {SHORTER}")
    where = examples([f"{begin} of partition {p}" for p, begin in sorted(begins.items())])
    return f"topic {topic} keeps every offset after version {log.version} of {RECORDS}: from {where}"


def made_by(files: LogFiles, version: int, batches: dict[str, int]) -> tuple[str, dict[str, int]]:
    """In words what made a version that is broken, as far as anything left of it tells; and query id -> batch at it.

    `batches` is the same at the version before.
    """
    kept = _object(files.checksums[version].read_bytes()) if version in files.checksums else {}
    known = kept.get("setTransactions")
    then = batches if known is None else {action["appId"]: int(action["version"]) for action in known}
    lines = files.commits[version].read_bytes().splitlines() if version in files.commits else []
    operation = _object(lines[0]).get("commitInfo", {}).get("operation") if lines else None
    newer = any(batch > batches.get(query, -1) for query, batch in then.items())
    if operation == "STREAMING UPDATE" or (newer and not operation):
        return "the stream", then
    if operation:
        again = ": run jobs/replay.py again" if operation == "MERGE" else ""
        return f"{operation}, which is undone by this{again}", then
    return f"something {'that left no trace' if known is None else 'else'}, {REPLAY}", then


def _reached(config: Config, topic: str) -> Broker:
    try:
        return reach(config.kafka, topic)
    except TopicError as error:
        said = f"versions of {RECORDS} may go only when the topic keeps their records, and it was not asked: "
        raise TopicError(said + error.message, f"{UNCHANGED} {error.hint}") from error


def _ends(open_spark: OpenSession, log: Log, epoch: int) -> dict[int, int]:
    """Partition -> the offset the stream would go on at, by the rows of the version's data files.

    Read as plain Parquet: Delta would read the log as it lies there, broken part and all.
    """
    if not log.files:
        return {}
    try:
        paths = (str(log.table / name) for name in log.files)
        partitions = coverage.partition_coverage(open_spark().read.parquet(*paths))
    except PySparkException as error:
        raise StorageError(
            f"the data files of {log.table} cannot be read: {first_line(error)}", UNCHANGED
        ) from error
    lost = {c.partition: offsets.accepted_losses(log.configuration, epoch, c.partition) for c in partitions}
    return {c.partition: offsets.go_on_at(c, lost[c.partition]) for c in partitions if c.epoch == epoch}


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
