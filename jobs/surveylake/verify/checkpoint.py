"""Check of the streaming checkpoint against the table: a commit that vanished from the table shows here."""

from surveylake.lake import stream_checkpoint as cp
from surveylake.lake.lake_path import LakePath, files_below
from surveylake.verify.broker import Broker, Range
from surveylake.verify.checks import NOT_PROVED, PROVED, SAID, Check
from surveylake.verify.offsets import spoken_against, spoken_for
from surveylake.wording import examples

WHAT, UNUSABLE = "checkpoint", "it cannot be used: {}"
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

    `ends` is partition -> next offset by the table's rows, `done` what `newest_done` returned, `batch_by_query` query id ->
    newest batch by the table's log.
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
        return _compare(where, batch, ends, cp.batch_end(folder, batch, topic), broker)
    except cp.Unusable as error:
        return Check(WHAT, where, NOT_PROVED, UNUSABLE.format(error), RETIRE)


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


def _compare(where: str, batch: int, ends: cp.Offsets, read: cp.Offsets, broker: Broker | None) -> Check:
    """Compare the offsets that the table's newest batch has read with `ends`, the next offsets by the table's rows."""
    beyond = [f"partition {p} to offset {end - 1}" for p, end in sorted(ends.items()) if end > read.get(p, 0)]
    if beyond:
        detail = f"batch {batch} did not read that far, and the table has rows of {examples(beyond)}"
        return Check(WHAT, where, NOT_PROVED, detail, RETIRE)
    short: dict[int, Range] = {
        p: (ends[p], end - 1) for p, end in sorted(read.items()) if p in ends and end > ends[p]
    }
    agreed = f"batch {batch} ends where the table does"
    if not short:
        return Check(WHAT, where, PROVED, agreed)
    if broker is None:
        unread = examples([f"partition {p} offset {first} to {last}" for p, (first, last) in short.items()])
        detail = f"batch {batch} read {unread}, and the table ends before; no broker was asked"
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
