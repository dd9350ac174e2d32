"""Check that the newest versions of `records` may be dropped: the topic must keep every record that they may have held."""

import json
from typing import Any

from pyspark.errors import PySparkException

from surveylake.config import Config
from surveylake.contract.model import Contract
from surveylake.errors import ProofError, StorageError, TopicError
from surveylake.lake import records_table
from surveylake.lake import stream_checkpoint as cp
from surveylake.lake.lake_path import LakePath
from surveylake.lake.log_files import LogFiles
from surveylake.lake.provenance import Provenance
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
    """Return the newest epoch of `records`, and its 'cluster id/topic id'. Raises StorageError when the table has none."""
    epochs = records_table.epochs(log.configuration)
    if not epochs:
        raise StorageError(
            f"{log.table} does not say which topic it was read from", "This project did not make it."
        )
    return max(epochs), epochs[max(epochs)]


def require_kept(
    open_spark: OpenSession, log: Log, checkpoint: LakePath, config: Config, contract: Contract
) -> str:
    """Check that the topic keeps every record that comes after `log`.

    `log` is the log without the versions to be dropped, `checkpoint` the folder of its newest epoch.
    Returns a sentence that says so. Raises ProofError when it is not proved, TopicError when the topic does not answer.
    """
    topic, (epoch, pinned) = contract.topic, newest_epoch(log)
    asked = same_topic((_reached(config, topic), Check("broker", topic, SAID, "answers")), pinned, epoch)
    if asked[0] is None:
        raise ProofError(
            f"this topic cannot give back what is lost: {asked[1].detail}", f"{UNCHANGED} {OTHER}"
        )
    bounds, ends = asked[0].kept, _ends(open_spark, log, epoch)
    first, furthest = cp.first_offsets(checkpoint, topic), cp.furthest(checkpoint, topic)
    begins = {p: ends.get(p, first.get(p, 0)) for p in {*bounds, *ends, *furthest}}
    expired = [
        f"partition {p}: {begin} to {bounds[p][0] - 1}"
        for p, begin in sorted(begins.items())
        if p in bounds and bounds[p][0] > begin
    ]
    if expired:
        message = (
            f"topic {topic} no longer keeps offsets that a lost version may have held, {examples(expired)}"
        )
        raise ProofError(message, f"{UNCHANGED} {EXPIRED}")
    read = {p: max(begin, furthest.get(p, 0)) for p, begin in sorted(begins.items())}
    short = [
        f"partition {p} ends at {bounds.get(p, (0, 0))[1]} and was read to {end}"
        for p, end in read.items()
        if bounds.get(p, (0, 0))[1] < end
    ]
    if short:
        message = f"topic {topic} is shorter than what was read from it: {examples(short)}"
        raise ProofError(message, f"{UNCHANGED} {SHORTER}")
    where = examples([f"{begin} of partition {p}" for p, begin in sorted(begins.items())])
    return f"topic {topic} keeps every offset after version {log.version} of {RECORDS}: from {where}"


def made_by(files: LogFiles, version: int, previous: dict[str, int]) -> tuple[str, dict[str, int]]:
    """Find out what made a broken version, as far as its remaining files tell.

    `previous` is query id -> newest batch at the version before.
    Returns words for a message, and query id -> newest batch at this version.
    """
    checksum = _object(files.checksums[version].read_bytes()) if version in files.checksums else {}
    known = checksum.get("setTransactions")
    batches = previous if known is None else {action["appId"]: int(action["version"]) for action in known}
    lines = files.commits[version].read_bytes().splitlines() if version in files.commits else []
    info = _object(lines[0]).get("commitInfo", {}) if lines else {}
    operation = info.get("operation")
    newer = any(batch > previous.get(query, -1) for query, batch in batches.items())
    if operation == "STREAMING UPDATE" or (newer and not operation):
        return "the stream", batches
    if operation:
        replayed = operation == "MERGE" or Provenance.from_json(info.get("userMetadata", "")).replay
        again = ": run jobs/replay.py again" if replayed else ""
        return f"{operation}, which is undone by this{again}", batches
    return f"something {'that left no trace' if known is None else 'else'}, {REPLAY}", batches


def _reached(config: Config, topic: str) -> Broker:
    """Connect to the topic. Raises TopicError saying why it is needed."""
    try:
        return reach(config.kafka, topic)
    except TopicError as error:
        reason = (
            f"versions of {RECORDS} may go only when the topic keeps their records, and it was not asked: "
        )
        raise TopicError(reason + error.message, f"{UNCHANGED} {error.hint}") from error


def _ends(open_spark: OpenSession, log: Log, epoch: int) -> dict[int, int]:
    """Return partition -> the offset at which the stream would go on, by the rows of the version's data files.

    They are read as plain Parquet: Delta would read the broken part of the log too.
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
    losses = {c.partition: offsets.accepted_losses(log.configuration, epoch, c.partition) for c in partitions}
    return {c.partition: offsets.go_on_at(c, losses[c.partition]) for c in partitions if c.epoch == epoch}


def _object(text: bytes) -> dict[str, Any]:
    """Parse a JSON object. Returns an empty one for anything else."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
