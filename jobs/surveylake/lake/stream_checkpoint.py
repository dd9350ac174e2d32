"""Spark's streaming checkpoint: the offsets it has read, and whether they are those of the table.

The table is the truth: offsets are in `records`, in the same commit as the rows. A checkpoint is used while it agrees.
Otherwise the stream starts a new one from the table's own offsets, and no record is read twice or skipped.
"""

import contextlib
import json
from dataclasses import dataclass, field

from surveylake.lake.lake_path import LakePath, remove_empty_folders

Offsets = dict[int, int]
"""Partition -> next offset to read."""


@dataclass(frozen=True)
class Checkpoint:
    """The newest state in a checkpoint folder."""

    done: Offsets
    """end of the last batch known to be committed"""
    begun: Offsets | None
    """end of a batch that was begun and may be in the table; None when there is none"""
    first: Offsets = field(default_factory=dict)
    """where the stream began; partitions that came later began at 0"""


class Unusable(Exception):  # noqa: N818 - the name says what the folder is
    """Spark could not go on from an existing checkpoint folder; the message says why."""


def read_checkpoint(folder: LakePath, topic: str) -> Checkpoint | None:
    """Read a checkpoint's newest state.

    Returns None when no batch was ever begun there. Raises Unusable when files are missing, empty or torn.
    """
    if not _any(folder):
        return None
    if not _text(folder / "metadata"):
        raise Unusable("its metadata file is missing or empty")
    begun, done = _numbered(folder / "offsets"), _numbered(folder / "commits")
    if not begun:
        if done:
            raise Unusable("it has commits but no offsets")
        if _any(folder / "offsets"):
            raise Unusable(
                "its first batch was cut off while it was written down"
            )  # Spark wants that folder empty
        return None
    last_begun, last_done = max(begun), max(done, default=-1)
    if last_begun not in (last_done, last_done + 1):
        raise Unusable(
            f"its newest offsets are of batch {last_begun}, its newest commit of batch {last_done}"
        )
    if last_done >= 0 and not _text(folder / "commits" / str(last_done)):
        raise Unusable(f"commits/{last_done} is empty")
    first, end = first_offsets(folder, topic), _offsets(folder / "offsets" / str(last_begun), topic)
    if last_begun == last_done:
        return Checkpoint(end, None, first)
    before = _offsets(folder / "offsets" / str(last_done), topic) if last_done >= 0 else {}
    return Checkpoint(before, end, first)


def query_id(folder: LakePath) -> str:
    """Return the id of the streaming query; Delta commits it with each batch. Raises Unusable."""
    try:
        return str(json.loads(_text(folder / "metadata"))["id"])
    except (ValueError, KeyError, TypeError) as error:
        raise Unusable("its metadata file is missing, empty or torn") from error


def batch_end(folder: LakePath, batch: int, topic: str) -> Offsets:
    """Return the offsets at which a batch ends. Raises Unusable when the checkpoint does not have the batch."""
    return _offsets(folder / "offsets" / str(batch), topic)


def first_offsets(folder: LakePath, topic: str) -> Offsets:
    """Return where Spark's Kafka source began, as numbers; empty when there is no such entry: then it began at 0."""
    lines = _text(folder / "sources" / "0" / "0").splitlines()
    try:
        return _parsed(lines[1], topic)
    except (IndexError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def furthest(folder: LakePath, topic: str) -> Offsets:
    """Return where the newest readable batch ends: the table may have had rows up to there. Empty when none is readable."""
    for batch in sorted(_numbered(folder / "offsets"), reverse=True):
        with contextlib.suppress(Unusable):
            return batch_end(folder, batch, topic)
    return {}


def agrees(checkpoint: Checkpoint, table: Offsets) -> bool:
    """Return whether the table ends where the checkpoint's last batch began or ended: then Spark loses and repeats nothing."""
    ends = (checkpoint.done, checkpoint.begun)
    return any(end is not None and _covers(end, table, checkpoint.first) for end in ends)


def starting_offsets(topic: str, partitions: int, table: Offsets) -> str:
    """Return Spark's `startingOffsets` for going on where the table ends.

    Partitions without rows get -2, which is Kafka's "earliest".
    """
    return json.dumps({topic: {str(p): table.get(p, -2) for p in range(partitions)}})


def retire(folder: LakePath) -> LakePath:
    """Rename an unusable checkpoint to `NAME.retired-N`. Returns the new path."""
    number = 1
    while (retired := folder.with_name(f"{folder.name}.retired-{number}")).exists():
        number += 1
    remove_empty_folders(folder)
    folder.rename(retired)
    return retired


def _covers(checkpoint: Offsets, table: Offsets, first: Offsets) -> bool:
    """Return whether the checkpoint ends where the table does; partitions without rows must end where they began.

    A transaction's end markers and aborted records take offsets and leave no rows. The checkpoint may be ahead by those, which
    only the broker can tell (see stream/start.py).
    """
    known = set(table) <= set(checkpoint)
    return known and all(table.get(p, first.get(p, 0)) == end for p, end in checkpoint.items())


def _any(folder: LakePath) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _numbered(folder: LakePath) -> list[int]:
    return [int(p.name) for p in folder.iterdir() if p.name.isdigit()] if folder.is_dir() else []


def _text(path: LakePath) -> str:
    try:
        return path.read_bytes().decode("utf-8").strip("\x00 \n")
    except (OSError, ValueError):  # missing, no text, or damaged by the file system's own checksum
        return ""


def _offsets(path: LakePath, topic: str) -> Offsets:
    """Read one entry of the offset log: a version line, a metadata line, then one JSON line per source. Raises Unusable."""
    lines = _text(path).splitlines()
    try:
        return _parsed(lines[2], topic)
    except (IndexError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unusable(f"offsets/{path.name} is empty, torn or of another topic") from error


def _parsed(line: str, topic: str) -> Offsets:
    return {int(p): int(o) for p, o in json.loads(line)[topic].items()}
