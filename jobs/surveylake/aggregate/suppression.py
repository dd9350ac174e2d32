"""Complementary cell suppression: which cells of a two-column table are held back, so that no small one can be derived.

A cell under `smallest` people is *small*. Readers know the total of every row and column, so holding back the small cells
alone is not enough. Further cells are held back until each small cell could be anything between none and `smallest` people
(or as many as its row and its column have), whatever a reader adds up (Willenborg and de Waal, Elements of Statistical
Disclosure Control, 2001, chapter 4). How far a cell can move is a maximum flow through the held cells (Castro, European
Journal of Operational Research 171, 2006).
"""

from collections.abc import Iterable
from heapq import heappop, heappush

Cell = tuple[str, str]
Line = tuple[int, str]
"""A row (0) or a column (1), by its value."""
ROW, COLUMN = 0, 1


def held_cells(people: dict[Cell, int], smallest: int, unsaid: set[Line]) -> set[Cell]:
    """Choose the cells to hold back.

    `people` has the cells in which somebody is; the others hold nobody. Every cell of a line in `unsaid` is held back, however
    many people it holds. Returns the held cells, those without people included: a reader cannot tell them from the others.
    """
    table = _Table(people, smallest, unsaid)
    for cell in sorted(table.small):
        table.protect(cell)
    return table.held


class _Table:
    """The cells of one table while it is decided which of them are held back."""

    def __init__(self, people: dict[Cell, int], smallest: int, unsaid: set[Line]) -> None:
        self.people, self.smallest = people, smallest
        self.lines: tuple[list[str], list[str]] = (
            sorted({row for row, _ in people}),
            sorted({column for _, column in people}),
        )
        cells = [(row, column) for row in self.lines[ROW] for column in self.lines[COLUMN]]
        self.held: set[Cell] = set()
        self.held_of: dict[Line, list[Cell]] = {
            (axis, value): [] for axis in (ROW, COLUMN) for value in self.lines[axis]
        }
        for cell in cells:
            if people.get(cell, 0) < smallest or {(ROW, cell[ROW]), (COLUMN, cell[COLUMN])} & unsaid:
                self._hold(cell)
        self.small = {cell for cell in self.held if people.get(cell, 0)}
        self.totals: dict[Line, int] = {}
        for cell, count in people.items():
            for axis in (ROW, COLUMN):
                line = (axis, cell[axis])
                self.totals[line] = self.totals.get(line, 0) + count

    def protect(self, cell: Cell) -> None:
        """Hold back further cells, with the fewest people, until this one can be anything between its bounds."""
        inside = [self.totals[axis, cell[axis]] for axis in (ROW, COLUMN)]
        highest = min(self.smallest, *inside)
        lowest = max(0, sum(inside) - sum(self.people.values()))
        self._make_room(cell, highest - self.people[cell], ROW)
        self._make_room(cell, self.people[cell] - lowest, COLUMN)

    def _make_room(self, cell: Cell, wanted: int, emptied: int) -> None:
        """Let `wanted` people move into the cell (`emptied` is ROW) or out of it (COLUMN), with all totals unchanged.

        A path leads from the cell's row to its column through other cells. People leave the cells that it crosses from a line of
        the axis `emptied`, and enter the others.
        """
        moved: dict[Cell, int] = {}
        while wanted > 0:
            path = self._path(cell, emptied, moved, held_only=True) or self._path(cell, emptied, moved)
            if not path:
                return
            room = min(self._left(step, moved) for axis, step in path if axis == emptied)
            step_size = min(wanted, room)
            for axis, step in path:
                moved[step] = moved.get(step, 0) + (-step_size if axis == emptied else step_size)
                self._hold(step)
            wanted -= step_size

    def _hold(self, cell: Cell) -> None:
        if cell not in self.held:
            self.held.add(cell)
            for axis in (ROW, COLUMN):
                self.held_of[axis, cell[axis]].append(cell)

    def _left(self, cell: Cell, moved: dict[Cell, int]) -> int:
        return self.people.get(cell, 0) + moved.get(cell, 0)

    def _path(
        self, cell: Cell, emptied: int, moved: dict[Cell, int], held_only: bool = False
    ) -> list[tuple[int, Cell]]:
        """Find the path for which the fewest further people are held back, by Dijkstra's algorithm.

        With `held_only` all steps are free, and the first path is taken. Returns (axis it is left from, cell) of each step; none
        if there is no path.
        """
        start, goal = (ROW, cell[ROW]), (COLUMN, cell[COLUMN])
        came: dict[Line, tuple[Line, Cell] | None] = {start: None}
        queue: list[tuple[int, Line]] = [(0, start)]
        costs = {start: 0}
        while queue:
            cost, line = queue.pop(0) if held_only else heappop(queue)
            if line == goal:
                return _path_to(goal, came)
            if cost > costs[line]:
                continue
            for step in self._steps(line, held_only):
                if step == cell or (line[0] == emptied and self._left(step, moved) <= 0):
                    continue
                beyond = (1 - line[0], step[1 - line[0]])
                further = cost if step in self.held else cost + self.people.get(step, 0)
                if further >= costs.get(beyond, further + 1):
                    continue
                costs[beyond], came[beyond] = further, (line, step)
                if held_only and beyond == goal:
                    return _path_to(goal, came)
                queue.append((further, beyond)) if held_only else heappush(queue, (further, beyond))
        return []

    def _steps(self, line: Line, held_only: bool) -> Iterable[Cell]:
        if held_only:
            return self.held_of[line]
        axis, value = line
        return [(value, other) if axis == ROW else (other, value) for other in self.lines[1 - axis]]


def _path_to(goal: Line, came: dict[Line, tuple[Line, Cell] | None]) -> list[tuple[int, Cell]]:
    path, at = [], came[goal]
    while at is not None:
        line, step = at
        path.append((line[0], step))
        at = came[line]
    return path
