"""SQL that compares offsets with the end of each partition, in one comparison for any number of partitions."""

import json
from collections.abc import Iterable, Mapping

from surveylake import sql

Ends = Mapping[int, int]
"""Partition -> the offset after its last."""
MOST_RANGES = 16
"""ranges of partitions in one condition; each is checked against the statistics of every file"""


def before(ends: Ends) -> str:
    """Return SQL that is true of a row before its partition's end; a partition without an end has no such row.

    The ends are one literal, an array indexed by partition, which Spark folds. A term for each of a thousand partitions would
    outgrow the 64 KB that Java allows a method, and Spark would interpret every row.
    """
    by_index = [ends.get(partition, 0) for partition in range(max(ends, default=-1) + 1)]
    array = f"from_json({sql.text(json.dumps(by_index, separators=(',', ':')))}, 'array<bigint>')"
    return f"(offset < coalesce(get({array}, partition), 0))"


def from_on(begins: Ends, partitions: Iterable[int]) -> str:
    """Return SQL that is true of a row at or after its partition's beginning; every partition that has rows has one.

    `partitions` are those that have such rows. So that Delta can skip files by their statistics, the SQL also has a term for
    each of a few ranges of partitions, with the smallest beginning in the range.
    """
    ordered = sorted(partitions)
    step = -(-len(ordered) // MOST_RANGES)
    groups = [ordered[at : at + step] for at in range(0, len(ordered), step or 1)]
    ranges = [
        f"(partition BETWEEN {group[0]} AND {group[-1]} AND offset >= {min(begins[p] for p in group)})"
        for group in groups
    ]
    return f"(NOT {before(begins)} AND ({' OR '.join(ranges)}))" if ranges else "false"


def before_by_epoch(ends: Mapping[int, Ends]) -> str:
    """Return SQL that is true of a row before the end of its epoch and partition; an epoch without ends has no such row."""
    terms = [f"(epoch = {epoch} AND {before(epoch_ends)})" for epoch, epoch_ends in sorted(ends.items())]
    return f"({' OR '.join(terms)})" if terms else "false"
