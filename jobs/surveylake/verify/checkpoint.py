"""Do the streaming checkpoint and the table agree? Either one is the other's witness: a commit that vanished shows here."""

from pathlib import Path

from surveylake.lake import stream_checkpoint as cp
from surveylake.verify.broker import Broker, Range
from surveylake.verify.checks import NOT_PROVED, PROVED, SAID, Check
from surveylake.verify.offsets import spoken_against, spoken_for
from surveylake.wording import examples

WHAT, UNUSABLE = "checkpoint", "it cannot be used: {}"
ASIDE = (
    "Run jobs/stream.py: it puts such a checkpoint aside, goes on from the table's own offsets "
    "and reads again what is missing, as long as the topic keeps it."
)


def newest_done(folder: Path) -> int | None:
    """The newest batch the checkpoint calls done; None when there is none. Ask before the table is read: it may be growing."""
    done = [int(path.name) for path in _entries(folder / "commits")]
    return max(done, default=None)


def check(
    folder: Path,
    topic: str,
    ends: cp.Offsets,
    done: int | None,
    transactions: dict[str, int],
    broker: Broker | None,
) -> Check:
    """`ends` is partition -> next offset by the table's rows; `transactions` is query id -> batch by the table's log."""
    where = folder.name
    if not folder.is_dir():
        return Check(WHAT, where, SAID, "none: the stream would go on from the table's own offsets")
    if said := unfit(folder, topic, done, transactions):
        return Check(WHAT, where, NOT_PROVED, said, ASIDE)
    batch = transactions.get(cp.query_id(folder))
    if batch is None:
        return Check(WHAT, where, PROVED, "no batch of it is done, and the table has none of it")
    try:
        return _compare(where, batch, ends, cp.batch_end(folder, batch, topic), broker)
    except cp.Unusable as error:
        return Check(WHAT, where, NOT_PROVED, UNUSABLE.format(error), ASIDE)


def unfit(folder: Path, topic: str, done: int | None, transactions: dict[str, int]) -> str:
    """Why Spark could not go on from this checkpoint, or must not, by the table's log; empty when neither."""
    try:
        batch = transactions.get(cp.query_id(folder))
        cp.read_checkpoint(folder, topic)
    except cp.Unusable as error:
        return UNUSABLE.format(error)
    if done is None or (batch is not None and done <= batch):
        return ""
    has = "none of its batches" if batch is None else f"its batch {batch} last"
    return f"batch {done} is done, and the table has {has}: commits were lost"


def _compare(where: str, batch: int, ends: cp.Offsets, read: cp.Offsets, broker: Broker | None) -> Check:
    """The offsets that the table's newest batch read, against the table's rows."""
    beyond = [f"partition {p} to offset {end - 1}" for p, end in sorted(ends.items()) if end > read.get(p, 0)]
    if beyond:
        said = f"batch {batch} did not read that far, and the table has rows of {examples(beyond)}"
        return Check(WHAT, where, NOT_PROVED, said, ASIDE)
    short: dict[int, Range] = {
        p: (ends[p], end - 1) for p, end in sorted(read.items()) if p in ends and end > ends[p]
    }
    agreed = f"batch {batch} ends where the table does"
    if not short:
        return Check(WHAT, where, PROVED, agreed)
    if broker is None:
        said = examples([f"partition {p} offset {first} to {last}" for p, (first, last) in short.items()])
        return Check(
            WHAT,
            where,
            NOT_PROVED,
            f"batch {batch} read {said}, and the table ends before; no broker was asked",
            ASIDE,
        )
    answers = [
        answer for of in broker.ask({p: [hole] for p, hole in short.items()}).values() for answer in of
    ]
    if against := spoken_against(answers):
        return Check(WHAT, where, NOT_PROVED, f"batch {batch} read more than the table has: {against}", ASIDE)
    return Check(WHAT, where, PROVED, f"{agreed} but for {spoken_for(answers, broker)}")


def _entries(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.isdigit()] if folder.is_dir() else []
