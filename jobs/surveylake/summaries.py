"""What each line of a published table says, from the counts of people and the statistics of their measure. Pure."""

from collections.abc import Mapping

from pyspark.sql import Row

from surveylake import disclosure, groups
from surveylake.contract import Contract
from surveylake.disclosure import HELD, Answered, Group, Mask
from surveylake.findings import Cell, Line, LineKind, ReceivedLine, Summary
from surveylake.groups import MEASURES, By, GroupCounts
from surveylake.ordering import by_value

QUANT_NUMBERS = ("received", "accepted", "responses")


def summary(
    contract: Contract, by: By, people: Answered, mask: Mask, measures: Mapping[Group, dict[str, Cell]]
) -> Summary:
    """Return one table as it is published; `measures` has the statistics of each line that may show some."""
    lines = [
        Line(group, _kind(group, mask), _said(count, mask.smallest), dict(measures.get(group, {})))
        for group, count in disclosure.lines(people.groups, mask).items()
    ]
    ranks = [by_value(contract, column) for column in by]

    pool = disclosure.pooled_name(mask.smallest)

    def place(line: Line) -> tuple[object, ...]:
        if line.kind == "held":
            return (1,)
        values = zip(line.groups, ranks, strict=True)
        return (0, *((value == pool, () if value == pool else rank(value)) for value, rank in values))

    totals = tuple(_totals(people, mask, axis) for axis in range(len(by))) if len(by) == 2 else ()
    return Summary(by, people.base, people.blank, tuple(sorted(lines, key=place)), totals)


def measures(
    rows: list[Row], lists: list[By], measure: str, counts: Mapping[By, GroupCounts], masks: Mapping[By, Mask]
) -> dict[By, dict[Group, dict[str, Cell]]]:
    """Read the statistics of each list's lines; who is pooled or held back has none.

    Mean and deviation are sums, from which others' could be worked out: where they could, they stay unsaid.
    """
    statistics: dict[By, dict[Group, Row]] = {by: {} for by in lists}
    for row in rows:
        by = lists[row[0]]
        statistics[by][tuple(row[1 : 1 + len(by)])] = row
    measured = [row for row in rows if row[groups.LOWEST] is not None]
    widest = max((r[groups.HIGHEST] for r in measured), default=0.0) - min(
        (r[groups.LOWEST] for r in measured), default=0.0
    )
    read: dict[By, dict[Group, dict[str, Cell]]] = {}
    for by in lists:
        unsaid = _sums_unsaid(counts, by, masks, statistics[by], widest)
        read[by] = {
            group: _statistics(row, measure, group in unsaid)
            for group, row in statistics[by].items()
            if _kind(group, masks[by]) == "named" and row[groups.MEASURED] >= masks[by].smallest
        }
    return read


def _statistics(row: Row, measure: str, sums_unsaid: bool) -> dict[str, Cell]:
    values = {name: _plain(row[f"{measure}_{name}"]) for name in MEASURES}
    return {**values, **({"mean": None, "sd": None} if sums_unsaid else {}), "n": row[groups.MEASURED]}


def _sums_unsaid(
    counts: Mapping[By, GroupCounts],
    by: By,
    masks: Mapping[By, Mask],
    statistics: Mapping[Group, Row],
    widest: float,
) -> set[Group]:
    """Return the groups of a list whose mean and deviation stay unsaid."""
    people = disclosure.answered(counts[by])
    if len(by) == 1:
        spread = {
            group: row[groups.HIGHEST] - row[groups.LOWEST]
            for group, row in statistics.items()
            if row[groups.LOWEST] is not None
        }
        return set(disclosure.covering_groups(people, masks[by], spread, widest))
    alone = [disclosure.answered(counts[(column,)]) for column in by]
    complete = not any(
        disclosure.covering_groups(axis, disclosure.mask(axis, masks[by].smallest), {}, widest)
        for axis in alone
    )
    return set() if disclosure.sums_may_show(counts[by], masks[by], complete) else set(people.groups)


def received_lines(
    contract: Contract, by: str, counted: list[Row], people: Answered, smallest: int
) -> tuple[ReceivedLine, ...]:
    """Return `summary_quant`: received and accepted records beside responses, by the contract's group.

    A value is named when `smallest` people are counted for it, or when so many records with it came and all were rejected.
    """
    persons = {group: count for (group,), count in people.groups.items()}
    named, pooled = [], dict.fromkeys(QUANT_NUMBERS, 0)
    blank = ReceivedLine(None, "named", 0, 0, people.blank)
    for row in counted:
        counts = (row["received"], row["accepted"], persons.get(row["group"], 0))
        if row["group"] is None and not row["few"]:
            blank = ReceivedLine(None, "named", *counts[:2], people.blank)
        elif row["few"] or not (counts[2] >= smallest or counts[1] == 0):
            pooled = {name: pooled[name] + n for name, n in zip(QUANT_NUMBERS, counts, strict=True)}
        else:
            named.append(ReceivedLine(row["group"], "named", *counts))
    pooled["responses"] = people.base - sum(line.responses or 0 for line in named)
    rank = by_value(contract, by)
    ordered = sorted(named, key=lambda line: rank(line.group or ""))
    if blank.received or blank.responses:
        ordered.append(blank)
    if any(pooled.values()):
        shown = [_said(pooled[name], smallest) for name in QUANT_NUMBERS]
        ordered.append(ReceivedLine(disclosure.pooled_name(smallest), "pooled", *shown))
    return tuple(ordered)


def _kind(group: Group, mask: Mask) -> LineKind:
    if group == (HELD,) * len(group):
        return "held"
    return "pooled" if disclosure.pooled_name(mask.smallest) in group else "named"


def _said(count: int, smallest: int) -> int | None:
    return count if count >= smallest else None


def _totals(people: Answered, mask: Mask, axis: int) -> dict[str, int]:
    """Return value -> people of one column of a two-column table; the pool too, where it is large enough."""
    totals: dict[str, int] = {}
    pool = disclosure.pooled_name(mask.smallest)
    for group, count in people.groups.items():
        value = group[axis] if group[axis] in mask.named[axis] else pool
        totals[value] = totals.get(value, 0) + count
    return {value: count for value, count in totals.items() if count >= mask.smallest}


def _plain(value: object) -> Cell:
    """Return a decimal as a float."""
    return value if value is None or isinstance(value, str | int | float) else float(str(value))
