"""The lines of the published tables, from the counts of people and the statistics of their measure. Pure."""

from collections.abc import Callable, Mapping

from pyspark.sql import Row

from surveylake.aggregate import disclosure, groups, subtraction
from surveylake.aggregate.disclosure import Answered, Group, Mask
from surveylake.aggregate.findings import Line, ReceivedLine, Summary
from surveylake.aggregate.groups import MEASURES, By, Counted
from surveylake.aggregate.ordering import Rank, by_value
from surveylake.contract.model import Contract
from surveylake.lake.tables import Cell

QUANT_NUMBERS = ("received", "accepted", "responses")


def summary(
    contract: Contract, by: By, people: Answered, mask: Mask, measures: Mapping[Group, dict[str, Cell]]
) -> Summary:
    """Return one published table; `measures` has the statistics of each line that may show some."""
    lines = [
        Line(group, mask.kind(group), _large(count, mask.smallest), dict(measures.get(group, {})))
        for group, count in disclosure.lines(people.groups, mask).items()
    ]
    ranks = [by_value(contract, column) for column in by]

    def place(line: Line) -> tuple[object, ...]:
        if line.kind == "held":
            return (1,)
        values = zip(line.groups, ranks, strict=True)
        return (0, *(_rank(value, rank, mask) for value, rank in values))

    totals = (
        tuple(_totals(people, mask, axis, ranks[axis]) for axis in range(len(by))) if len(by) == 2 else ()
    )
    return Summary(by, people.base, people.blank, tuple(sorted(lines, key=place)), totals, mask.pool)


def measures(
    rows: list[Row], lists: list[By], measure: str, counted: Counted, masks: Mapping[By, Mask]
) -> dict[By, dict[Group, dict[str, Cell]]]:
    """Return list -> group -> statistics: all of them where sums may be said (subtraction.py), else medians only.

    Where only protected people have a group's largest (or smallest) value, no group of that table has one: a single gap would
    reveal where they are.
    """
    statistics: dict[By, dict[Group, dict[str, Cell]]] = {by: {} for by in lists}
    for row in rows:
        by = lists[row[0]]
        group = tuple(row[1 : 1 + len(by)])
        if masks[by].kind(group) == "named" and row[groups.MEASURED] >= masks[by].smallest:
            values = {name: _plain(row[f"{measure}_{name}"]) for name in MEASURES}
            statistics[by][group] = {**values, "n": row[groups.MEASURED]}
    with_sums = subtraction.lists_with_sums(lists, counted, masks)
    for by in lists:
        unsaid = {"min", "max"} & {
            name for values in statistics[by].values() for name in values if values[name] is None
        }
        if by not in with_sums:
            unsaid = {"mean", "sd", "min", "max", "n"}
        statistics[by] = {
            group: {**values, **dict.fromkeys(unsaid)} for group, values in statistics[by].items()
        }
    return statistics


def received_lines(
    contract: Contract, by: str, counted: list[Row], people: Answered, smallest: int
) -> tuple[ReceivedLine, ...]:
    """Return the lines of `summary_quant`: received and accepted records and responses, by the contract's group.

    A value is named when `smallest` people are counted for it, or when so many sent it and all their records were rejected.
    """
    responses = {group: count for (group,), count in people.groups.items()}
    named, pooled = [], dict.fromkeys(QUANT_NUMBERS, 0)
    blank = ReceivedLine(None, "named", 0, 0, people.blank)
    for row in counted:
        counts = (row["received"], row["accepted"], responses.get(row["group"], 0))
        known = counts[2] >= smallest or (counts[1] == 0 and row["senders"] >= smallest)
        if row["group"] is None and not row["few"]:
            blank = ReceivedLine(None, "named", *counts[:2], people.blank)
        elif row["few"] or not known:
            pooled = {name: pooled[name] + n for name, n in zip(QUANT_NUMBERS, counts, strict=True)}
        else:
            named.append(ReceivedLine(row["group"], "named", *counts))
    pooled["responses"] = people.base - sum(line.responses or 0 for line in named)
    rank = by_value(contract, by)
    ordered = sorted(named, key=lambda line: rank(line.group or ""))
    if blank.received or blank.responses:
        ordered.append(blank)
    if any(pooled.values()):
        shown = [_large(pooled[name], smallest) for name in QUANT_NUMBERS]
        name = disclosure.free_name(disclosure.pooled_name(smallest), {str(line.group) for line in named})
        ordered.append(ReceivedLine(name, "pooled", *shown))
    return tuple(ordered)


def _large(count: int, smallest: int) -> int | None:
    return count if count >= smallest else None


def _rank(value: str, rank: Callable[[str], Rank], mask: Mask) -> tuple[bool, Rank]:
    """Return the sort key of a value: as the contract orders it, the pooled ones last."""
    return (value == mask.pool, () if value == mask.pool else rank(value))


def _totals(people: Answered, mask: Mask, axis: int, rank: Callable[[str], Rank]) -> dict[str, int]:
    """Return value -> people of one column of a two-column table; the pool too, where it is large enough."""
    totals: dict[str, int] = {}
    for group, count in people.groups.items():
        value = group[axis] if group[axis] in mask.named[axis] else mask.pool
        totals[value] = totals.get(value, 0) + count
    large = [value for value, count in totals.items() if count >= mask.smallest]
    return {value: totals[value] for value in sorted(large, key=lambda value: _rank(value, rank, mask))}


def _plain(value: object) -> Cell:
    """Return a value of a row as a cell: a decimal becomes a float."""
    return value if value is None or isinstance(value, str | int | float) else float(str(value))
