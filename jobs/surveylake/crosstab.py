"""A two-column summary read as a table of people: its groups, its values, and who is where. No layout."""

from surveylake.findings import Summary
from surveylake.labels import Bars, bars_of, group_name, joined, people, percent, shorten


def one_column(table: Summary, index: int) -> Summary:
    """The two-column summary added up over the other column."""
    sums: dict[str, int] = {}
    for row in table.rows:
        name = group_name(row[table.by[index]])
        sums[name] = sums.get(name, 0) + people(row)
    column = table.by[index]
    return Summary(table.name, (column,), tuple({column: name, "answers": n} for name, n in sums.items()))


def cells_of(table: Summary, groups: Bars, layers: Bars) -> dict[tuple[str, str], int]:
    """(group, layer) -> people; what has no bar or no layer of its own is counted in the last, which is 'Other'."""
    rows, columns = [name for name, _ in groups], [name for name, _ in layers]
    cells = {(row, column): 0 for row in rows for column in columns}
    for line in table.rows:
        first, second = (group_name(line[column]) for column in table.by)
        key = (first if first in rows else rows[-1], second if second in columns else columns[-1])
        cells[key] += people(line)
    return cells


def widest_gap(groups: Bars, layers: Bars, cells: dict[tuple[str, str], int]) -> str:
    """The layer on which the two largest groups differ most, said in percent."""
    two = [(name, n) for name, n in groups if n][:2]
    shares = [(value, [cells[name, value] / n for name, n in two]) for value, _ in layers]
    value, parts = max(shares, key=lambda item: max(item[1]) - min(item[1]) if len(two) > 1 else item[1][0])
    said = [f"{percent(part)} of {shorten(name, 18)}" for part, (name, _) in zip(parts, two, strict=True)]
    return f"{shorten(value)}: {joined(said)}"


def gap_of(table: Summary) -> str:
    """A two-column summary in one sentence: `Western Food: 12.7 % of Female and 23.6 % of Male`; empty without people."""
    groups, _ = bars_of(one_column(table, 0), 2)
    layers, _ = bars_of(one_column(table, 1), 20)
    if not any(n for _, n in groups):
        return ""
    return widest_gap(groups, layers, cells_of(table, groups, layers))
