"""What a table of people shows: small groups stay unnamed, and nothing about them can be worked out. Pure counting.

docs/contract.md, 'What is published', says in plain words what is protected and why.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from surveylake.suppression import COLUMN, ROW, Line, held_cells

Group = tuple[str, ...]
"""What people said in each column of a list, as text."""
Counts = Mapping[tuple[str | None, ...], int]
"""Group -> people; None stands for no answer."""
MOST_CELLS = 10_000
"""of a two-column table; past these its rarest values are pooled too, for nobody reads such a table cell by cell"""
HELD = "(not shown)"
"""In both columns of the line that holds every cell of a two-column table that is held back."""


def pooled_name(smallest: int) -> str:
    """Name the line of all values that too few people gave."""
    return f"Other (fewer than {smallest} each)"


@dataclass(frozen=True)
class Mask:
    """What one table shows by name, and what is pooled or held back."""

    smallest: int
    named: tuple[frozenset[str], ...]
    """per column, the values that are shown by name"""
    held: frozenset[Group] = frozenset()
    """cells of a two-column table that are not shown, rare values pooled"""
    small: frozenset[Group] = frozenset()
    """those of them that hold fewer than `smallest` people: the reason why the others are held back"""
    few_blank: bool = False
    """whether those who did not answer are so few that they are protected too"""

    def label(self, group: Group) -> Group:
        """Return the line of the published table in which a group is counted."""
        pool = pooled_name(self.smallest)
        pooled = tuple(
            value if value in named else pool for value, named in zip(group, self.named, strict=True)
        )
        return (HELD,) * len(group) if pooled in self.held else pooled

    def is_protected(self, group: Group) -> bool:
        """True if nothing but their number may be known of these people."""
        return self.label(group) != group


@dataclass(frozen=True)
class Answered:
    """Who answered every column of a list, and who did not. Counts of people."""

    groups: dict[Group, int]
    blank: int

    @property
    def base(self) -> int:
        """People who answered every column: what shares are shares of."""
        return sum(self.groups.values())


def answered(counts: Counts) -> Answered:
    """Set aside who left a column of the list blank: a blank is not an answer."""
    groups: dict[Group, int] = {}
    for group, people in counts.items():
        said = tuple(value for value in group if value is not None)
        if len(said) == len(group):
            groups[said] = people
    return Answered(groups, sum(counts.values()) - sum(groups.values()))


def mask(people: Answered, smallest: int) -> Mask:
    """Decide what a table of one or two columns shows of these people.

    One column: every group of `smallest` people or more. Two columns: values that fewer people gave are pooled on their axis
    first; then cells are held back (suppression.py).
    """
    groups, columns = people.groups, len(next(iter(people.groups), ()))
    totals: list[dict[str, int]] = [{} for _ in range(columns)]
    for group, count in groups.items():
        for total, value in zip(totals, group, strict=True):
            total[value] = total.get(value, 0) + count
    few_blank = 0 < people.blank < smallest
    pooled = Mask(smallest, _named(totals, smallest), few_blank=few_blank)
    if columns < 2:
        return pooled
    cells: dict[tuple[str, str], int] = {}
    for label, count in lines(groups, pooled).items():
        cells[label[ROW], label[COLUMN]] = count
    unsaid = {
        (axis, pooled_name(smallest))
        for axis, total in ((ROW, totals[ROW]), (COLUMN, totals[COLUMN]))
        if 0 < sum(count for value, count in total.items() if value not in pooled.named[axis]) < smallest
    }
    held = frozenset(held_cells(cells, smallest, unsaid))
    small = frozenset(cell for cell, count in cells.items() if count < smallest)
    return Mask(smallest, pooled.named, held, small, few_blank)


def _named(totals: list[dict[str, int]], smallest: int) -> tuple[frozenset[str], ...]:
    """Choose the values of each column that have a line of their own: all with `smallest` people, within MOST_CELLS."""
    frequent = [
        sorted((v for v, people in total.items() if people >= smallest), key=lambda v: (-total[v], v))
        for total in totals
    ]
    while len(frequent) == 2 and len(frequent[ROW]) * len(frequent[COLUMN]) > MOST_CELLS:
        max(frequent, key=len).pop()
    return tuple(map(frozenset, frequent))


def lines(groups: Mapping[Group, int], masked: Mask) -> dict[Group, int]:
    """Return published line -> people, none of them left out."""
    people: dict[Group, int] = {}
    for group, count in groups.items():
        label = masked.label(group)
        people[label] = people.get(label, 0) + count
    return people


def covering_groups(
    everyone: Answered, masked: Mask, spread: Mapping[Group, float], widest: float
) -> frozenset[Group]:
    """Choose the groups of a one-column table whose sums stay unsaid beside those of the people who are not shown.

    Means are sums: whoever knows the sum over everybody, from another table, could subtract the groups that are shown. What is
    left must hold other people too, and be uncertain enough: smallest, median and largest value of a group of n people bound
    their sum within n / 2 times its `spread` (largest less smallest value). Where fewer than `smallest` people are protected,
    nobody may learn their mean within half of `widest`, the spread of all. The group with the fewest people is chosen that
    does; all that are needed where none does alone. Returns none where nobody needs this, or where those who did not answer
    are enough.
    """
    few = everyone.blank if masked.few_blank else 0
    people = few + sum(count for group, count in everyone.groups.items() if masked.is_protected(group))
    if not people or everyone.blank >= masked.smallest:
        return frozenset()
    needed = people * widest / 2 if people < masked.smallest else 0.0
    shown = sorted((n, group) for group, n in everyone.groups.items() if not masked.is_protected(group))
    room = {group: n * spread.get(group, 0.0) / 2 for n, group in shown}
    for _, group in shown:
        if room[group] > 0 and room[group] >= needed:
            return frozenset({group})
    chosen: set[Group] = set()
    for group in sorted(room, key=lambda group: -room[group]):
        if chosen and sum(room[other] for other in chosen) >= needed:
            break
        chosen.add(group)
    return frozenset(chosen)


def sums_may_show(counts: Counts, masked: Mask, axes_are_complete: bool) -> bool:
    """True if a two-column table may give means: nobody in it is pooled, held back, or one of few who left one column blank.

    `axes_are_complete`: neither column needs `covering_groups` in its own table.
    """
    everyone = answered(counts)
    if not axes_are_complete or any(masked.is_protected(group) for group in everyone.groups):
        return False
    blanks: dict[Line, int] = {}
    for group, people in counts.items():
        if group.count(None) == 1:
            line = (group.index(None), str(next(value for value in group if value is not None)))
            blanks[line] = blanks.get(line, 0) + people
    return all(people >= masked.smallest for people in blanks.values())
