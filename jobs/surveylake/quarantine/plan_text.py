"""A plan as lines to read."""

from collections.abc import Iterator
from itertools import groupby

from surveylake.quarantine.comparison import Change
from surveylake.quarantine.plan import Plan
from surveylake.quarantine.published_changes import NumberChange
from surveylake.wording import counted

MOST_LINES = 20
"""of a table, of which numbers change"""


def lines(plan: Plan) -> Iterator[str]:
    """Yield the plan: contracts, differences, records, published numbers, and why replay would refuse."""
    yield f"contract of the lake: {plan.before or 'not kept by the release that made it; only columns are compared'}"
    yield f"contract given:       {plan.after}"
    yield "what differs:" if plan.differences else "what differs: nothing"
    yield from (f"  {each.line()}" for each in plan.differences)
    yield from _records(plan)
    yield from _numbers(plan)
    yield from (f"replay refuses: {refusal}" for refusal in plan.refusals)


def _records(plan: Plan) -> Iterator[str]:
    was, now = plan.accepted
    yield (
        f"{counted(plan.records, 'record')} of version {plan.version}: accepted {_arrow(was, now)},"
        f" rejected {_arrow(plan.records - was, plan.records - now)}"
    )
    for change in plan.changes:
        yield change.line()
        yield f"{'':>12}such as {_places(change)}"
    for column, count in plan.filled.items():
        yield f"{count:>10,}  with a value in the new column {column}"


def _places(change: Change) -> str:
    return ", ".join(
        f"{topic} epoch {epoch} partition {p} offset {at}" for topic, epoch, p, at in change.samples
    )


def _numbers(plan: Plan) -> Iterator[str]:
    published = plan.published
    if published.version is None:
        yield "published numbers: none yet (jobs/aggregate.py)"
        return
    same = "" if published.changes else ": none changes"
    yield f"published numbers, of the records up to version {published.version}{same}"
    yield f"  people {_arrow(*published.people)}"
    for name, changes in groupby(published.changes, key=lambda change: change.table):
        yield f"  {name}{'' if name in published.tables else ', no longer published'}"
        of_table = list(changes)
        yield from (f"    {_line(change)}" for change in of_table[:MOST_LINES])
        if len(of_table) > MOST_LINES:
            yield f"    and {len(of_table) - MOST_LINES:,} lines more (--json has them)"


def _line(change: NumberChange) -> str:
    where = ", ".join(change.line)
    before, after = change.before or {}, change.after or {}
    if change.after is None:
        return f"{where}: gone, was {_list(before)}"
    if change.before is None:
        return f"{where}: new, {_list(after)}"
    names = [name for name in dict.fromkeys([*after, *before]) if before.get(name, "") != after.get(name, "")]
    return f"{where}: " + ", ".join(
        f"{name} {before.get(name) or 'none'} -> {after.get(name) or 'none'}" for name in names
    )


def _list(numbers: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in numbers.items() if value) or "no number"


def _arrow(was: int, now: int) -> str:
    return f"{was:,}" if was == now else f"{was:,} -> {now:,}"
