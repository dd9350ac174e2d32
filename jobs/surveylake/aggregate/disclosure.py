"""Statistical disclosure control: which groups of a table of people are named, pooled or held back. Pure counting.

docs/contract.md, 'What is published', explains what is protected and why.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from surveylake.aggregate.suppression import COLUMN, ROW, held_cells

Group = tuple[str, ...]
"""The answer in each column of a list, as text."""
Counts = Mapping[tuple[str | None, ...], int]
"""Group -> people; None stands for no answer."""
MOST_CELLS = 2_500
"""of a two-column table; past these its rarest values are pooled too: nobody reads such a table cell by cell"""
HELD = "(not shown)"
"""in both columns of the line that holds all held cells of a two-column table"""


def pooled_name(smallest: int) -> str:
    """Return the name of the line of all values that too few people gave."""
    return f"Other (fewer than {smallest} each)"


@dataclass(frozen=True)
class Mask:
    """Which groups of one table are named, pooled and held back."""

    smallest: int
    named: tuple[frozenset[str], ...]
    """per column, the values that are shown by name"""
    held: frozenset[Group] = frozenset()
    """cells of a two-column table that are not shown, rare values pooled"""
    small: frozenset[Group] = frozenset()
    """the held cells of fewer than `smallest` people; the others are held back to protect these"""
    few_blank: bool = False
    """whether those who did not answer are so few that they are protected too"""
    few_partly: frozenset[tuple[str | None, ...]] = frozenset()
    """of two columns, the groups of fewer than `smallest` people who gave one answer and left the other column blank (None): the
    table of one column less the totals of two gives their number"""
    pool: str = ""
    """name of the pooled values; nobody answered just that"""
    hold: str = HELD
    """text in both columns of the line of the held cells; nobody answered just that"""

    def label(self, group: Group) -> Group:
        """Return the line of the published table in which a group is counted."""
        pooled = tuple(
            value if value in named else self.pool for value, named in zip(group, self.named, strict=True)
        )
        return (self.hold,) * len(group) if pooled in self.held else pooled

    def kind(self, label: Group) -> Literal["named", "pooled", "held"]:
        """Return the kind of a line of the published table."""
        if label == (self.hold,) * len(label):
            return "held"
        return "pooled" if self.pool in label else "named"

    def transposed(self) -> "Mask":
        """Return the mask of the table with its two columns swapped."""
        held, small = (frozenset((b, a) for a, b in cells) for cells in (self.held, self.small))
        partly = frozenset((b, a) for a, b in self.few_partly)
        return replace(self, named=self.named[::-1], held=held, small=small, few_partly=partly)

    def is_protected(self, group: Group) -> bool:
        """True if nothing but their number may be published of these people."""
        return self.label(group) != group


@dataclass(frozen=True)
class Answered:
    """People who answered every column of a list, by group, and people who did not."""

    groups: dict[Group, int]
    blank: int
    partly: Counts = field(default_factory=dict)
    """those of the blank who answered one of two columns, by group"""

    @property
    def base(self) -> int:
        """People who answered every column: the base of shares."""
        return sum(self.groups.values())


def answered(counts: Counts) -> Answered:
    """Separate people who left a column of the list blank: a blank is not an answer."""
    groups: dict[Group, int] = {}
    partly: dict[tuple[str | None, ...], int] = {}
    for group, people in counts.items():
        values = tuple(value for value in group if value is not None)
        if len(values) == len(group):
            groups[values] = people
        elif values:
            partly[group] = people
    return Answered(groups, sum(counts.values()) - sum(groups.values()), partly)


def mask(people: Answered, smallest: int) -> Mask:
    """Return the mask of a table of one or two columns of these people.

    One column: names every group of `smallest` people or more. Two columns: pools rarer values on their axis first, then holds
    back cells (suppression.py).
    """
    groups, columns = people.groups, len(next(iter(people.groups), ()))
    totals: list[dict[str, int]] = [{} for _ in range(columns)]
    for group, count in groups.items():
        for total, value in zip(totals, group, strict=True):
            total[value] = total.get(value, 0) + count
    few_blank = 0 < people.blank < smallest
    values = set().union(*totals)
    pool, hold = free_name(pooled_name(smallest), values), free_name(HELD, values)
    pooled = Mask(smallest, _named(totals, smallest), few_blank=few_blank, pool=pool, hold=hold)
    if columns < 2:
        return pooled
    cells: dict[tuple[str, str], int] = {}
    for label, count in lines(groups, pooled).items():
        cells[label[ROW], label[COLUMN]] = count
    unsaid = {
        (axis, pool)
        for axis, total in ((ROW, totals[ROW]), (COLUMN, totals[COLUMN]))
        if 0 < sum(count for value, count in total.items() if value not in pooled.named[axis]) < smallest
    }
    held = frozenset(held_cells(cells, smallest, unsaid))
    small = frozenset(cell for cell, count in cells.items() if count < smallest)
    few_partly = frozenset(group for group, count in people.partly.items() if count < smallest)
    return replace(pooled, held=held, small=small, few_partly=few_partly)


def mask_of(by: tuple[str, ...], people: Answered, smallest: int) -> Mask:
    """Return the mask of a list of columns, with the same cells in either order: two choices would reveal more than one."""
    if len(by) < 2 or by[0] <= by[1]:
        return mask(people, smallest)
    groups = {group[::-1]: n for group, n in people.groups.items()}
    partly = {group[::-1]: n for group, n in people.partly.items()}
    return mask(Answered(groups, people.blank, partly), smallest).transposed()


def free_name(name: str, values: Collection[str]) -> str:
    """Return a name for a line that stands for many: `name`, with stars added until no value is called so."""
    while name in values:
        name += " *"
    return name


def _named(totals: list[dict[str, int]], smallest: int) -> tuple[frozenset[str], ...]:
    """Return the values of each column that have a line of their own: all with `smallest` people, within MOST_CELLS."""
    frequent = [
        sorted((v for v, people in total.items() if people >= smallest), key=lambda v: (-total[v], v))
        for total in totals
    ]
    while len(frequent) == 2 and len(frequent[ROW]) * len(frequent[COLUMN]) > MOST_CELLS:
        max(frequent, key=len).pop()
    return tuple(map(frozenset, frequent))


def lines(groups: Mapping[Group, int], masked: Mask) -> dict[Group, int]:
    """Return published line -> people. Every person is in one line."""
    people: dict[Group, int] = {}
    for group, count in groups.items():
        label = masked.label(group)
        people[label] = people.get(label, 0) + count
    return people


def hides_nobody(people: Counts, measured: Counts, masked: Mask) -> bool:
    """True if sums of a measure may be published of a table: all its groups are named, and large enough.

    Means are sums. A reader who knows the sum over everybody, from another table, can subtract the groups that are shown: the
    rest must not be few people. So nobody may be pooled or held back, and neither a group nor those who left a column blank may
    hold one to `smallest` - 1 people with a measure. `measured` counts the people of each group who have one.
    """

    def is_few(count: int) -> bool:
        return 0 < count < masked.smallest

    if any(masked.is_protected(group) for group in answered(people).groups):
        return False
    partly = [group for group in people if group.count(None) < max(len(group), 2)]
    return not any(is_few(measured.get(g, 0)) or (None in g and is_few(people[g])) for g in partly)
