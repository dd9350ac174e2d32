"""Check of the streaming checkpoint against the table: a commit that vanished from the table shows here."""

from collections.abc import Collection, Mapping

from surveylake.lake import stream_checkpoint as cp
from surveylake.lake.lake_path import LakePath, files_below
from surveylake.verify.broker import Broker, Range
from surveylake.verify.checks import NOT_PROVED, PROVED, SAID, Check
from surveylake.verify.coverage import without
from surveylake.verify.offsets import accepted_losses, spoken_against, spoken_for
from surveylake.wording import examples

WHAT, UNUSABLE = "checkpoint", "it cannot be used: {}"
RESTORE = "Restore records to a version that has the rows (RESTORE TABLE), or from a backup."
RETIRE = (
    "Run jobs/stream.py: it puts such a checkpoint aside, goes on from the table's own offsets "
    "and reads again what is missing, as long as the topic keeps it."
)


def newest_done(folder: LakePath) -> int | None:
    """Return the newest batch that the checkpoint has as done; None when there is none.

    Call this before the table is read, which may be growing.
    """
    done = [int(path.name) for path in _entries(folder / "commits")]
    return max(done, default=None)


def check(
    folder: LakePath,
    topic: str,
    ends: cp.Offsets,
    done: int | None,
    batch_by_query: dict[str, int],
    broker: Broker | None,
) -> Check:
    """Check one checkpoint.

    `ends` is partition -> next offset by the table's rows, of partitions that have some; `done` what `newest_done` returned;
    `batch_by_query` query id -> newest batch by the table's log.
    """
    where = folder.name
    if not is_there(folder):
        return Check(WHAT, where, SAID, "none: the stream would go on from the table's own offsets")
    if reason := unfit(folder, topic, done, batch_by_query):
        return Check(WHAT, where, NOT_PROVED, reason, RETIRE)
    batch = batch_by_query.get(cp.query_id(folder))
    if batch is None:
        return Check(WHAT, where, PROVED, "no batch of it is done, and the table has none of it")
    try:
        read = cp.batch_end(folder, batch, topic)
    except cp.Unusable as error:
        return Check(WHAT, where, NOT_PROVED, UNUSABLE.format(error), RETIRE)
    return _compare(where, batch, _reached(ends, cp.first_offsets(folder, topic), read), read, broker)


def emptied(
    folder: LakePath, topic: str, done: int | None, held: Collection[int], properties: Mapping[str, str]
) -> list[Check]:
    """Check that the table has rows of each partition that the checkpoint of an earlier epoch has read. Returns what is wrong.

    `done` is its newest batch, `held` the partitions of the epoch that have rows. Its topic is gone: nobody can be asked.
    """
    epoch, gone = int(folder.name.removeprefix("epoch-")), list[str]()
    if done is None:
        return []
    first = cp.first_offsets(folder, topic)
    try:
        read = cp.batch_end(folder, done, topic)
    except cp.Unusable:
        return []
    for partition, end in sorted(read.items()):
        begin = first.get(partition, 0)
        if partition in held or begin >= end:
            continue
        lost = without([(begin, end - 1)], accepted_losses(properties, epoch, partition))
        gone += [f"partition {partition} offset {start} to {last}" for start, last in lost]
    detail = (
        f"it read {examples(gone)}, and the table has no row of it; that topic is no longer there to be asked"
    )
    return [Check(WHAT, folder.name, NOT_PROVED, detail, RESTORE)] if gone else []


def is_there(folder: LakePath) -> bool:
    """Return whether there is a checkpoint. A store may show the folder of one that was moved away, with nothing in it."""
    return any(True for _ in files_below(folder))


def unfit(folder: LakePath, topic: str, done: int | None, batch_by_query: dict[str, int]) -> str:
    """Return why Spark cannot go on from this checkpoint, or must not by the table's log; empty when it may."""
    try:
        batch = batch_by_query.get(cp.query_id(folder))
        cp.read_checkpoint(folder, topic)
    except cp.Unusable as error:
        return UNUSABLE.format(error)
    if done is None or (batch is not None and done <= batch):
        return ""
    committed = "none of its batches" if batch is None else f"its batch {batch} last"
    return f"batch {done} is done, and the table has {committed}: commits were lost"


def _reached(ends: cp.Offsets, first: cp.Offsets, read: cp.Offsets) -> cp.Offsets:
    """Return `ends`, and for each partition without a row where the checkpoint began to read it: one that came later, at 0."""
    return {**{partition: first.get(partition, 0) for partition in read}, **ends}


def _compare(where: str, batch: int, ends: cp.Offsets, read: cp.Offsets, broker: Broker | None) -> Check:
    """Compare the offsets that the table's newest batch has read with `ends`, the next offsets as `_reached` returns them."""
    beyond = [f"partition {p} to offset {end - 1}" for p, end in sorted(ends.items()) if end > read.get(p, 0)]
    if beyond:
        detail = f"batch {batch} did not read that far, and the table has rows of {examples(beyond)}"
        return Check(WHAT, where, NOT_PROVED, detail, RETIRE)
    short: dict[int, Range] = {p: (ends[p], end - 1) for p, end in sorted(read.items()) if end > ends[p]}
    agreed = f"batch {batch} ends where the table does"
    if not short:
        return Check(WHAT, where, PROVED, agreed)
    if broker is None:
        unread = examples([f"partition {p} offset {first} to {last}" for p, (first, last) in short.items()])
        detail = f"batch {batch} read {unread}, and the table does not have them; no broker was asked"
        return Check(WHAT, where, NOT_PROVED, detail, RETIRE)
    by_partition = broker.ask({p: [hole] for p, hole in short.items()})
    answers = [answer for answers in by_partition.values() for answer in answers]
    if against := spoken_against(answers):
        return Check(
            WHAT, where, NOT_PROVED, f"batch {batch} read more than the table has: {against}", RETIRE
        )
    return Check(WHAT, where, PROVED, f"{agreed} but for {spoken_for(answers, broker)}")


def _entries(folder: LakePath) -> list[LakePath]:
    """Return the numbered files of a checkpoint's log."""
    return [path for path in folder.iterdir() if path.name.isdigit()] if folder.is_dir() else []
