"""Bounds of unknown numbers from everything that is known of them, by linear programming (HiGHS).

Nothing here knows how a table is kept from telling too much. Many small problems are solved as blocks of one large one.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

Cell = tuple[str, str]
Sums = list[tuple[list[Hashable], float]]
AT_ONCE = 400
"""problems per call of the solver"""
FAR = 1e7
"""bound of an unknown without bounds, up and down: infinity would end the whole batch"""


@dataclass(frozen=True)
class Problem:
    """Constraints on some unknown numbers, and the sum of them that is wanted."""

    wanted: list[Hashable]
    equal: Sums
    """(unknowns, their sum)"""
    between: list[tuple[list[Hashable], float, float]] = field(default_factory=list)
    """(unknowns, least sum, greatest sum); infinite where nothing is known"""
    lowest: float = 0.0
    """of each unknown"""

    def unknowns(self) -> list[Hashable]:
        """Return every unknown of the problem."""
        parts = [*self.equal, *self.between]
        return list(dict.fromkeys([*self.wanted, *(name for part, *_ in parts for name in part)]))


def intervals(problems: Sequence[Problem]) -> list[tuple[float, float]]:
    """Return the least and the greatest value of each problem's wanted sum."""
    bounds: list[tuple[float, float]] = []
    for start in range(0, len(problems), AT_ONCE):
        batch = problems[start : start + AT_ONCE]
        bounds += list(zip(_solved(batch, 1.0), _solved(batch, -1.0), strict=True))
    return bounds


def _solved(batch: Sequence[Problem], sign: float) -> list[float]:
    """Minimise (1) or maximise (-1) every wanted sum at once: the blocks have nothing in common."""
    places, bounds, equal, limits = [], [], [], []
    for problem in batch:
        place = {name: len(bounds) + at for at, name in enumerate(problem.unknowns())}
        places.append(place)
        bounds += [(max(problem.lowest, -FAR), FAR)] * len(place)
        equal += [([place[name] for name in part], 1.0, total) for part, total in problem.equal]
        for part, low, high in problem.between:
            inside = [place[name] for name in part]
            limits += [(inside, side, end) for side, end in ((-1.0, -low), (1.0, high)) if np.isfinite(end)]
    cost = np.zeros(len(bounds))
    for problem, place in zip(batch, places, strict=True):
        cost[[place[name] for name in problem.wanted]] = sign
    answer = linprog(
        cost, A_ub=_matrix(limits, len(bounds)), b_ub=[end for *_, end in limits] or None,
        A_eq=_matrix(equal, len(bounds)), b_eq=[total for *_, total in equal] or None, bounds=bounds, method="highs",
    )  # fmt: skip
    assert answer.status == 0, f"what is published contradicts itself: {answer.message}"
    return [
        float(sum(answer.x[place[name]] for name in problem.wanted))
        for problem, place in zip(batch, places, strict=True)
    ]


def _matrix(lines: Sequence[tuple[list[int], float, float]], width: int) -> coo_array | None:
    rows = [number for number, (inside, _, _) in enumerate(lines) for _ in inside]
    columns = [at for inside, _, _ in lines for at in inside]
    values = [side for inside, side, _ in lines for _ in inside]
    return coo_array((values, (rows, columns)), shape=(len(lines), width)) if lines else None


def cell_problems(people: Mapping[Cell, int], shown: Iterable[Cell], wanted: Iterable[Cell]) -> list[Problem]:
    """Return a problem per wanted cell, for a reader who knows the total of every row and column, and the shown cells."""
    cells_shown = set(shown)
    lines = [sorted({cell[axis] for cell in people}) for axis in (0, 1)]
    hidden = [(row, column) for row in lines[0] for column in lines[1] if (row, column) not in cells_shown]
    known: Sums = []
    for axis, values in enumerate(lines):
        for value in values:
            unknown: list[Hashable] = [cell for cell in hidden if cell[axis] == value]
            if unknown:
                total = sum(
                    n for cell, n in people.items() if cell[axis] == value and cell not in cells_shown
                )
                known.append((unknown, float(total)))
    return [Problem([cell], known) for cell in wanted]


def must_reach(people: Mapping[Cell, int], cell: Cell, smallest: int) -> tuple[int, int]:
    """Return the bounds of a cell that the totals of its row and column alone give, the upper one no more than `smallest`."""
    row, column = (sum(n for c, n in people.items() if c[axis] == cell[axis]) for axis in (0, 1))
    return max(0, row + column - sum(people.values())), min(smallest, row, column)


def sum_of_group(
    n: int, least: float | None, median: float | None, most: float | None
) -> tuple[float, float]:
    """Return the bounds of the sum over n people of whom smallest, median and largest value are known, or some of them.

    In order, they are `side` people up to the median, the one or two in the middle, and `side` from the median on; one of them
    has the smallest value, and one the largest.
    """
    if median is None:
        return (-np.inf if least is None else n * least), (np.inf if most is None else n * most)
    side = (n - 1) // 2
    known = median * (n - 2 * side) + median * max(side - 1, 0)
    low = -np.inf if least is None else side * least
    high = np.inf if most is None else side * most
    above, below = median if most is None else most, median if least is None else least
    return low + known + (above if side else 0.0), high + known + (below if side else 0.0)
