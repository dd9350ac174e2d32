"""What one run found, collected to the driver as aggregates: what exports, charts and the report are made from."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from surveylake.contract.model import Contract
from surveylake.lake.records_table import OffsetRange
from surveylake.lake.tables import Cell

LineKind: TypeAlias = Literal["named", "pooled", "held"]
"""A group by its name; all values that too few people gave; all cells that are held back (disclosure.py)."""


@dataclass(frozen=True)
class Line:
    """One line of a published table."""

    groups: tuple[str, ...]
    """what these people said in each column, as text"""
    kind: LineKind
    people: int | None
    """None: fewer than the smallest group, so the number is not said"""
    measures: dict[str, Cell]
    """statistic (mean, median, sd, min, max) -> value; None where nobody has a measure, or where it is not said"""


@dataclass(frozen=True)
class Summary:
    """One table of people. Its lines are in the order of the contract: as listed, by value, or by name; the rest last."""

    by: tuple[str, ...]
    base: int
    """people who answered every column: what shares are shares of"""
    blank: int
    """people who left one of the columns blank"""
    lines: tuple[Line, ...]
    totals: tuple[dict[str, int], ...] = ()
    """of two columns: per column, value -> people who answered both; values of too few people are not in it"""
    pool: str = ""
    """what the values are called that too few people gave"""

    @property
    def name(self) -> str:
        """The Delta table that holds it."""
        return "summary_" + "_".join(self.by)

    @property
    def is_bare(self) -> bool:
        """True if no group is large enough to be named."""
        return not any(line.kind == "named" for line in self.lines)


@dataclass(frozen=True)
class ReceivedLine:
    """Records received of one group, before any rule. A number is None where it is under the smallest group."""

    group: str | None
    """None: records without a readable answer"""
    kind: LineKind
    received: int | None
    accepted: int | None
    responses: int | None


@dataclass(frozen=True)
class Point:
    """One person for the scatter chart."""

    measure: float
    group: str
    protected: bool
    """whether some table says nothing but the number of such people"""
    rank: int
    """a hash: who is left out where some must be"""


@dataclass(frozen=True)
class Findings:
    """All that was found in one version of `records`. What is published of it is decided by the tables' masks."""

    contract: Contract
    version: int
    """of the Delta table `records`"""
    smallest_group: int
    offsets: tuple[OffsetRange, ...]
    received: int
    accepted: int
    responses: int
    """people: accepted records, one per participant"""
    rejected_by_rule: dict[str, int]
    """reason -> records; a record that fails two rules counts in both"""
    unknown_spellings: dict[str, dict[str, int]]
    """field -> spelling that no line of the contract knows -> people; only of fields that are meant as a closed list"""
    received_by: tuple[ReceivedLine, ...]
    summaries: dict[tuple[str, ...], Summary]
    """columns -> published table"""
    outcomes: dict[str, Summary]
    """outcome -> the table of the hypothesis's field and this outcome"""
    counts: dict[str, dict[tuple[str, str], int]]
    """outcome -> (group, value) -> people who answered both, unmerged: for the tests of association, never published"""
    group_counts: dict[str, int]
    """hypothesis field's value -> people, unmerged"""
    points: tuple[Point, ...]
    """for the scatter chart: every response, or a seeded sample of them"""
    points_total: int
    """responses that have both, before sampling"""

    @property
    def rejected(self) -> int:
        """Records received and not accepted."""
        return self.received - self.accepted

    @property
    def replaced(self) -> int:
        """Accepted records that a later one with the same key replaced."""
        return self.accepted - self.responses

    def summary(self, *columns: str) -> Summary | None:
        """Return the published table over exactly these columns, in this order; None when the contract asks for none."""
        return self.summaries.get(columns)
