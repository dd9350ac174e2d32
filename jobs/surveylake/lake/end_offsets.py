"""Offsets compared with where each partition ended, in SQL that stays one comparison however many partitions a topic has."""

import json
from collections.abc import Iterable, Mapping

from surveylake import sql

Ends = Mapping[int, int]
"""Partition -> the offset after its last."""
MOST_RANGES = 16
"""of partitions, of which the statistics of files are asked one by one"""


def before(ends: Ends) -> str:
    """SQL that is true of a row before its partition's end; a partition without an end has no such row.

    The ends are one literal, an array with the partition for its index, which Spark folds: a term for each of a thousand
    partitions would outgrow the 64 KB that Java allows a method, and every row be interpreted.
    """
    listed = [ends.get(partition, 0) for partition in range(max(ends, default=-1) + 1)]
    array = f"from_json({sql.text(json.dumps(listed, separators=(',', ':')))}, 'array<bigint>')"
    return f"(offset < coalesce(get({array}, partition), 0))"


def from_on(begins: Ends, partitions: Iterable[int]) -> str:
    """SQL that is true of a row at or after where its partition begins; every partition that has rows has a beginning.

    `partitions` are those that have such rows: theirs is the question that the statistics of files can answer.
    It is put for a few ranges of partitions, with the smallest beginning in each.
    """
    there = sorted(partitions)
    step = -(-len(there) // MOST_RANGES)
    groups = [there[at : at + step] for at in range(0, len(there), step or 1)]
    ranges = [
        f"(partition BETWEEN {group[0]} AND {group[-1]} AND offset >= {min(begins[p] for p in group)})"
        for group in groups
    ]
    return f"(NOT {before(begins)} AND ({' OR '.join(ranges)}))" if ranges else "false"


def before_by_epoch(ends: Mapping[int, Ends]) -> str:
    """The same where each epoch has ends of its own; an epoch without any has no such row."""
    told = [f"(epoch = {epoch} AND {before(of_epoch)})" for epoch, of_epoch in sorted(ends.items())]
    return f"({' OR '.join(told)})" if told else "false"
