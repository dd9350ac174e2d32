"""The sink of the stream: each micro-batch becomes one commit of `records`, under the number that Spark gave it."""

import json
import threading
from queue import SimpleQueue
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from surveylake import wording
from surveylake.errors import StorageError
from surveylake.lake import commits, end_offsets, timestamps, writer_token
from surveylake.lake.stream_checkpoint import Offsets
from surveylake.lake.timestamps import Misstamped
from surveylake.progress import Stopwatch

DETOUR = "surveylake detour"
"""The name under which commits of no micro-batch are numbered, so that they are known for growth."""


class DeltaSink:
    """The streaming query's sink: Spark calls it with each micro-batch.

    Delta's own sink asks the log before every commit which batch came last, and so reads the state of the whole log: more than
    half of a short batch. Here the offsets answer. `not_in_table` has left out the rows that the table held when the query
    started, and within one run Spark hands out no batch twice. Where others may write too (`shared`), the
    log is asked, and a fencing token in it lets one of them write.
    """

    def __init__(
        self, spark: SparkSession, path: str, shared: bool, stopwatch: Stopwatch | None = None
    ) -> None:
        self._spark, self._path, self._shared = spark, path, shared
        self._stopwatch = stopwatch or Stopwatch()
        self._query: StreamingQuery | None = None
        self._token: writer_token.WriterToken | None = None
        self._known = threading.Event()
        self.between = threading.Event()
        """set while no micro-batch is being written"""
        self.between.set()
        self.files: SimpleQueue[Any] = SimpleQueue()
        """Delta's AddFile of each file in the table now, for whoever counts; taken out, it is counted"""
        self.failure = ""
        """what made the last micro-batch fail, in the words of the innermost cause"""
        self.misstamped: Misstamped | None = None
        """the record that it failed for, when it was the record's timestamp"""
        self.refusal: StorageError | None = None
        """why the table took no rows, when it was another writer"""

    def detach(self) -> None:
        """Have the first micro-batch of the next query wait until it is known which query that is."""
        self._known.clear()

    def attach(self, query: StreamingQuery) -> None:
        """Tell which query this is the sink of: it is known only once the query has started."""
        self._query, self.failure, self.misstamped, self.refusal = query, "", None, None
        self._known.set()

    def __call__(self, batch: DataFrame, number: int) -> None:
        """Write one micro-batch."""
        self.between.clear()
        try:
            self._known.wait()
            assert self._query is not None
            for file in self._append(self._query, batch, number):
                self.files.put(file)
        except Exception as error:
            self.failure, self.misstamped = wording.innermost(error), timestamps.misstamped(error)
            self.refusal = self._refusal(error)
            raise
        finally:
            self.between.set()

    def _append(self, query: StreamingQuery, batch: DataFrame, number: int) -> list[Any]:
        """Commit a micro-batch; once more on the newest version where a property of the table was set meanwhile.

        `maintain.py` does that, and may run beside a stream where there is no lock.
        """
        try:
            return commits.append_batch(
                self._spark, self._path, query, batch, number, self._stopwatch, self._guard
            )
        except commits.FAILURES as error:
            if not (self._shared and commits.is_metadata_changed(error)):
                raise
        return commits.append_batch(
            self._spark, self._path, query, batch, number, self._stopwatch, self._guard
        )

    def add(self, rows: DataFrame, note: dict[str, Any]) -> None:
        """Write rows that no micro-batch has, in one commit with this note; no query may be running."""
        try:
            for file in commits.add_rows(rows, self._path, DETOUR, json.dumps(note), self._guard):
                self.files.put(file)
        except Exception as error:
            if refusal := self._refusal(error):
                raise refusal from error
            raise

    def take_turn(self) -> None:
        """Become the one writer of a table that others may write: from now on the commits of any other are refused.

        Raises LakeLockedError when another has become that since.
        """
        if not self._shared:
            return
        if self._token is None:
            self._token = writer_token.take(self._spark, self._path, "stream.py")
        else:
            # A query that begins anew within this run: what was taken from it meanwhile is not taken back.
            self.require_turn()

    def require_turn(self) -> None:
        """Raise LakeLockedError when another writer has replaced this one: nothing of its own may be changed then."""
        if replaced := self.successor():
            raise replaced

    def successor(self) -> StorageError | None:
        """Return the error that names the writer who took the turn from this one; None while it is this one's."""
        if self._token is None or writer_token.holds(self._spark, self._path, self._token):
            return None
        return writer_token.replaced(self._spark, self._path, self._token.version)

    @property
    def _guard(self) -> commits.Guard | None:
        token = self._token
        if token is None:
            return None
        return lambda transaction: writer_token.require(transaction, self._spark, self._path, token)

    def _refusal(self, error: Exception) -> StorageError | None:
        """Return why the table did not take rows, where it is another writer; None for any other failure."""
        if isinstance(error, StorageError):
            return error
        if self._token is not None and writer_token.CONFLICT in str(error):
            return writer_token.replaced(self._spark, self._path, self._token.version)
        return None


def not_in_table(rows: DataFrame, table: Offsets) -> DataFrame:
    """Leave out the rows that the table holds already; `table` is partition -> the next offset it lacks."""
    return rows.where(f"NOT {end_offsets.before(table)}") if any(table.values()) else rows
