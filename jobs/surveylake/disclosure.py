"""Which groups must be merged before a table is published, so that no handful of people can be read off or worked out."""

from heapq import heappop, heappush

Group = tuple[str, ...]
Line = tuple[int, str]
"""A row (0) or a column (1) of a two-column table, by its value."""


def small_groups(found: dict[Group, int], smallest: int) -> set[Group]:
    """The groups to be merged, so that no group under `smallest` people shows, and none can be worked out from totals.

    Two at least are merged, with `smallest` people together. In a table of two columns the totals of rows and columns
    count as known: the merged cells of a row or column are `smallest` people or all that it has, and every small cell
    lies on a closed way of merged cells, along which people could be moved without changing a total (complementary
    suppression; Willenborg and de Waal, Elements of Statistical Disclosure Control, 2001, chapter 1). Where no such
    way exists, all cells are merged.
    """
    hidden = {group for group, people in found.items() if people < smallest}
    lines = _lines(found)
    for small in sorted(hidden) if lines else ():
        hidden |= _closed_way(found, lines, hidden, small)
    for cells in lines.values():
        held = sum(found[cell] for cell in cells & hidden)
        for cell in sorted(cells - hidden, key=lambda cell: (found[cell], cell)):
            if not 0 < held < smallest:
                break
            hidden |= {cell} | _closed_way(found, lines, hidden, cell)
            held = sum(found[cell] for cell in cells & hidden)
    for group in sorted(set(found) - hidden, key=lambda group: (found[group], group)):
        if not hidden or (len(hidden) > 1 and sum(found[other] for other in hidden) >= smallest):
            break
        hidden.add(group)
    return hidden


def _lines(found: dict[Group, int]) -> dict[Line, set[Group]]:
    """The cells of each row and each column; none of a table of one column."""
    lines: dict[Line, set[Group]] = {}
    for group in found if len(next(iter(found), ())) == 2 else ():
        for axis in (0, 1):
            lines.setdefault((axis, group[axis]), set()).add(group)
    return lines


def _closed_way(
    found: dict[Group, int], lines: dict[Line, set[Group]], hidden: set[Group], small: Group
) -> set[Group]:
    """The cells to hide besides, with the fewest people, that close a way through the small cell; all when none does.

    Rows and columns are points, cells the ways between them: the shortest way from the cell's row to its column that
    does not use the cell (Dijkstra), where a hidden cell costs nothing.
    """
    if _way(found, lines, hidden, small, only_hidden=True) is not None:
        return set()
    way = _way(found, lines, hidden, small)
    return set(found if way is None else way) - hidden


def _way(
    found: dict[Group, int],
    lines: dict[Line, set[Group]],
    hidden: set[Group],
    small: Group,
    only_hidden: bool = False,
) -> tuple[Group, ...] | None:
    """The cells of the shortest way from a cell's row to its column, or None; most often hidden cells are enough."""
    goal: Line = (1, small[1])
    queue: list[tuple[int, Line, tuple[Group, ...]]] = [(0, (0, small[0]), ())]
    seen: set[Line] = set()
    while queue:
        people, line, way = heappop(queue)
        if line == goal:
            return way
        if line in seen:
            continue
        seen.add(line)
        for cell in (lines[line] & hidden if only_hidden else lines[line]) - {small}:
            cost = 0 if cell in hidden else found[cell]
            heappush(queue, (people + cost, (1 - line[0], cell[1 - line[0]]), (*way, cell)))
    return None
