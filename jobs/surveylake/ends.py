"""Offsets compared with where each partition ended, in SQL that stays one comparison however many partitions a topic has."""

import json
from collections.abc import Mapping

from surveylake import sql

Ends = Mapping[int, int]
"""Partition -> the offset after its last."""


def before(ends: Ends) -> str:
    """SQL that is true of a row before its partition's end; a partition without an end has no such row.

    The ends are one literal, an array with the partition for its index, which Spark folds: a term for each of a thousand
    partitions would outgrow the 64 KB that Java allows a method, and every row be interpreted.
    """
    listed = [ends.get(partition, 0) for partition in range(max(ends, default=-1) + 1)]
    array = f"from_json({sql.text(json.dumps(listed, separators=(',', ':')))}, 'array<bigint>')"
    return f"offset < coalesce(get({array}, partition), 0)"


def before_by_epoch(ends: Mapping[int, Ends]) -> str:
    """The same where each epoch has ends of its own; an epoch without any has no such row."""
    told = [f"(epoch = {epoch} AND {before(of_epoch)})" for epoch, of_epoch in sorted(ends.items())]
    return f"({' OR '.join(told)})" if told else "false"
