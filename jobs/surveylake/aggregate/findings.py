"""The findings of one run, aggregated on the driver: the input of exports, charts and report."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from surveylake.contract.model import Contract
from surveylake.lake.records_table import OffsetRange
from surveylake.lake.tables import Cell

LineKind: TypeAlias = Literal["named", "pooled", "held"]
"""named: one group; pooled: all values that too few people gave; held: all cells that are held back (disclosure.py)"""


@dataclass(frozen=True)
class Line:
    """One line of a published table."""

    groups: tuple[str, ...]
    """the answer in each column, as text"""
    kind: LineKind
    people: int | None
    """None: fewer than the smallest group, so not published"""
    measures: dict[str, Cell]
    """statistic (mean, median, sd, min, max) -> value; None where nobody has a measure, or it is not published"""


@dataclass(frozen=True)
class Summary:
    """One published table of people. Lines are in the order of the contract: as listed, by value, or by name; the rest last."""

    by: tuple[str, ...]
    base: int
    """people who answered every column: the base of shares"""
    blank: int
    """people who left one of the columns blank"""
    lines: tuple[Line, ...]
    totals: tuple[dict[str, int], ...] = ()
    """of two columns: per column, value -> people who answered both; values of too few people are not in it"""
    pool: str = ""
    """name of the line of values that too few people gave"""

    @property
    def name(self) -> str:
        """Name of its Delta table."""
        return "summary_" + "_".join(self.by)

    @property
    def is_bare(self) -> bool:
        """True if no group is large enough to be named."""
        return not any(line.kind == "named" for line in self.lines)


@dataclass(frozen=True)
class ReceivedLine:
    """Records received of one group, before any rule. A number under the smallest group is None."""

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
    """whether some table publishes nothing but the number of such people"""
    rank: int
    """a hash: orders people where some must be left out"""


@dataclass(frozen=True)
class Findings:
    """Everything found in one version of `records`. The tables' masks decide what of it is published."""

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
    """field -> spelling that the contract does not list -> people; only of fields that are a closed list"""
    received_by: tuple[ReceivedLine, ...]
    summaries: dict[tuple[str, ...], Summary]
    """columns -> published table"""
    outcomes: dict[str, Summary]
    """outcome -> the table of the hypothesis's field and this outcome; the tests of association read nothing else"""
    group_counts: dict[str, int]
    """hypothesis field's value -> people, unmerged"""
    points: tuple[Point, ...]
    """for the scatter chart: every response with measure and group, or a seeded sample of them"""
    blanked_by_reason: dict[str, int] = field(default_factory=dict)
    """reason -> answers of people counted that were left blank for it"""

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
