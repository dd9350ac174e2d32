"""What one run found, collected to the driver as aggregates: what exports, charts and the report are made from."""

from dataclasses import dataclass
from typing import TypeAlias

from surveylake.contract import Contract

Cell: TypeAlias = str | int | float | None


@dataclass(frozen=True)
class OffsetRange:
    """What `records` holds of one partition at one version: offsets first..last, `records` rows."""

    topic: str
    epoch: int
    partition: int
    first: int
    last: int
    records: int


@dataclass(frozen=True)
class Summary:
    """One published table. Grain: one row per group of `by`.

    Each row holds the `by` columns (text; 'Other (n groups)' where small groups were merged), `answers` (people),
    `share` (of all responses, 0 to 1) and, with a measure m: m_mean, m_median, m_sd (sample), m_min, m_max.
    """

    name: str
    by: tuple[str, ...]
    rows: tuple[dict[str, Cell], ...]


@dataclass(frozen=True)
class Findings:
    """All that is published, computed from one version of `records`."""

    contract: Contract
    version: int
    """of the Delta table `records`"""
    offsets: tuple[OffsetRange, ...]
    received: int
    accepted: int
    responses: int
    """people: accepted records, one per participant"""
    rejected_by_rule: dict[str, int]
    """reason -> records; a record that fails two rules counts in both"""
    unmapped: dict[str, tuple[str, ...]]
    """field -> spellings that its declared map does not know"""
    received_by: tuple[dict[str, Cell], ...]
    """`summary_quant`: one row per group: the group, received, accepted, responses (counts)"""
    summaries: dict[str, Summary]
    """name -> published table"""
    counts: dict[str, dict[tuple[str, str], int]]
    """outcome -> (group, value) -> people, unmerged: for the tests of association, never published as they are"""
    group_counts: dict[str, int]
    """hypothesis field's value -> people, unmerged"""
    points: tuple[tuple[float, str], ...]
    """(measure, group) for the scatter chart: every response, or a seeded sample of them"""
    points_total: int
    """responses that have both, before sampling"""

    @property
    def rejected(self) -> int:
        """Records received and not accepted."""
        return self.received - self.accepted
