"""The size of a micro-batch: what was measured before decides, so that a batch lasts about as long as is wished.

Too few, and the fixed cost of a batch and its small files are paid often; too many, and hours of work hang on one commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from surveylake.lake import log_files
from surveylake.lake.lake_path import LakePath

FILE_BYTES = 256 * 1024**2
"""A data file need not be larger: a batch writes one for each of its tasks."""
FIRST_BYTES_PER_SECOND = 40_000_000
"""Message bytes a second, of a lake that has measured nothing yet: what two cores manage, on the low side."""
FEWEST = 100_000
FEWEST_OF_EACH = 500
"""of a partition: to reach one costs a batch as much as some hundred records do"""
LOOK_BACK = 10
"""commits"""


@dataclass(frozen=True)
class CommitStats:
    """Size and time of one commit of the stream."""

    rows: int
    bytes: int
    """of data files"""
    at: int
    """when it was committed, ms since 1970"""


def fewest(partitions: int) -> int:
    """Return the records that a micro-batch is always allowed to take."""
    return max(FEWEST, partitions * FEWEST_OF_EACH)


def limit(
    batches: Sequence[CommitStats],
    seconds: float,
    partitions: int,
    files: int,
    most: int,
    message_bytes: float,
) -> int:
    """Return the records a micro-batch should take at most, from a topic of so many partitions into so many files.

    `batches` are the table's newest, in order; without any, `message_bytes` (mean size of a message) gives the first guess.
    """
    rate = max((rows_per_second(*pair) for pair in pairwise(batches)), default=0.0)
    if not rate:
        rate = FIRST_BYTES_PER_SECOND / max(message_bytes, 1.0)
    wanted = rate * seconds
    stored = sum(batch.bytes for batch in batches) / max(sum(batch.rows for batch in batches), 1)
    if stored:
        wanted = min(wanted, files * FILE_BYTES / stored)
    return min(most, max(fewest(partitions), int(wanted)))


def rows_per_second(before: CommitStats, batch: CommitStats) -> float:
    """Return rows a second from one commit to the next. Waiting makes it smaller, so the largest of some is the machine's."""
    return batch.rows / max((batch.at - before.at) / 1000, 0.001)


def batches_of(table: LakePath) -> list[CommitStats]:
    """Return the newest commits of the stream, oldest first."""
    commits = (
        sorted(log_files.list_log(table).commits.items())[-LOOK_BACK:]
        if (table / log_files.LOG).is_dir()
        else []
    )
    infos = [
        a["commitInfo"] for _, path in commits for a in log_files.actions(path) or [] if "commitInfo" in a
    ]
    streamed = [info for info in infos if info.get("operation") == "STREAMING UPDATE"]
    measured = [
        (info["operationMetrics"], info["timestamp"]) for info in streamed if info.get("operationMetrics")
    ]
    return [CommitStats(int(m["numOutputRows"]), int(m["numOutputBytes"]), int(at)) for m, at in measured]
