"""One writer of a table by a fencing token in its Delta log: whoever took it last may write, wherever the lake is.

The token is a number that each taker raises by one, in a commit of its own. A writer's commit reads the number first. So Delta
refuses it when another took the token meanwhile, and it sees another number when that was earlier. There is no lease and no
clock, and a writer that was killed leaves nothing to clean up. On a local lake the lock is enough, and asks nothing of the log.
"""

import json
import os
import platform
from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession

from surveylake.errors import LakeLockedError
from surveylake.lake import commits, folders, tables
from surveylake.lake.tables import RECORDS, Lake

WRITER = "surveylake.writer"
"""The application that the token is numbered under, as a stream's batches are under its query's id."""
CONFLICT = "ConcurrentTransactionException"
"""What Delta raises when a number that a transaction has read was changed meanwhile."""


@dataclass(frozen=True)
class WriterToken:
    """What a writer knows of its own turn."""

    number: int
    version: int
    """of the table, at which it was taken"""


def take(spark: SparkSession, path: str, verb: str) -> WriterToken:
    """Take the token in a commit of its own, which names this process. Raises LakeLockedError when another was faster."""
    holder = f"{verb} on {platform.node()} (process {os.getpid()})"
    before = commits.snapshot(spark, path)
    transaction = commits.begin(spark, before)
    number = int(transaction.txnVersion(WRITER)) + 1
    try:
        files, note = commits.no_files(spark), json.dumps({"writer": holder})
        version = commits.commit_numbered(spark, transaction, files, WRITER, number, note)
    except commits.FAILURES as error:
        if CONFLICT not in str(error):
            raise
        raise replaced(spark, path, int(before.version())) from error
    return WriterToken(number, version)


def stop_streams(spark: SparkSession, lake: Lake, verb: str) -> WriterToken | None:
    """Take the token of `records` for a verb that no stream may run beside. In a local lake the lock keeps streams away: None."""
    return None if lake.is_local else take(spark, lake.table(RECORDS), verb)


def holds(spark: SparkSession, path: str, token: WriterToken) -> bool:
    """Return whether nobody has taken the token since."""
    return int(commits.begin(spark, commits.snapshot(spark, path)).txnVersion(WRITER)) == token.number


def require(transaction: Any, spark: SparkSession, path: str, token: WriterToken) -> None:
    """Read the token in a transaction that is to be committed. Raises LakeLockedError when another has it."""
    if int(transaction.txnVersion(WRITER)) != token.number:
        raise replaced(spark, path, token.version)


def replaced(spark: SparkSession, path: str, since: int) -> LakeLockedError:
    """Return the error for a table that another writer took after version `since`, with its name."""
    versions = range(tables.version(spark, path), since, -1)
    name = next(filter(None, (_holder_at(spark, path, version) for version in versions)), "another process")
    return LakeLockedError(
        f"{path} is being written by {name}",
        "Two writers of one table are one too many: stop one of them. Then run this again: it goes on from the table's offsets.",
    )


def _holder_at(spark: SparkSession, path: str, version: int) -> str:
    """Return the name of who took the token at a version; empty for any other commit, and for one that is no longer there."""
    lines = (folders.log_text(spark, path, f"{version:020d}.json") or "").splitlines()
    notes = (json.loads(line).get("commitInfo", {}).get("userMetadata", "") for line in lines)
    return next(filter(None, map(_holder, notes)), "")


def _holder(note: str) -> str:
    """Return the name in a commit's note; empty for any other note."""
    try:
        value = json.loads(note or "{}")
    except ValueError:
        return ""
    return str(value.get("writer", "")) if isinstance(value, dict) else ""
