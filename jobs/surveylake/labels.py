"""Numbers and names as a reader sees them, alike in charts, report and captions. Pure text, no layout."""

import math
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import TypeAlias

from surveylake.contract import Contract
from surveylake.findings import Cell, Findings, Summary

NOT_GIVEN = "not given"
"""How a NULL group is named."""
MERGED = re.compile(r"Other \(([\d,]+) groups?\)")
"""The name of what was merged, as the summaries write it."""
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
"""Unicode categories that draw nothing or turn the text around: control, format, surrogate, private, unassigned."""

Bars: TypeAlias = list[tuple[str, int]]
"""(group, people), in the order they are shown"""


def count(number: float) -> str:
    """1234 as `1,234`."""
    return f"{round(number):,}"


def percent(share: float) -> str:
    """0.5729 as `57.3 %`; what is above 0 and under 0.05 % is not called 0."""
    return "< 0.1 %" if 0 < share < 0.0005 else f"{share:.1%}".replace("%", " %")


def decimal(number: Cell, places: int = 1) -> str:
    """A measure such as a mean, `33.2`; NULL and NaN are an en dash."""
    if isinstance(number, str):
        return number
    if number is None or math.isnan(number):
        return "–"
    return f"{number:,.{places}f}" if isinstance(number, float) else f"{number:,}"


def p_value(p: float) -> str:
    """`p = 0.016`, or `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def plural(number: int, one: str, many: str = "") -> str:
    """`1 record`, `2 records`."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def words(column: str) -> str:
    """A column's name in words: `age_group` as `age group`."""
    return column.replace("_", " ")


def shorten(text: Cell, width: int = 28) -> str:
    """One line of at most `width` columns that cannot disturb its surroundings; NULL is `not given`.

    A letter takes one column, a Chinese, Japanese or Korean one and an emoji two: they are as wide as two Latin ones.
    """
    if text is None:
        return NOT_GIVEN
    # A name may be 10 kB long: only its start can be shown, so only its start is looked at.
    seen = (" " if char.isspace() else char for char in str(text)[: width * 8])
    line = " ".join("".join(c for c in seen if unicodedata.category(c) not in UNSEEN).split())
    ends = list(accumulate(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line))
    return line if not ends or ends[-1] <= width else line[: bisect_right(ends, width - 1)].rstrip() + "…"


def joined(parts: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, end = list(parts) or [""]
    return f"{', '.join(first)} {last} {end}" if first else end


def measure_words(contract: Contract) -> str:
    """The measure with its unit when the contract says one briefly: `age (years, whole)`; empty without a measure."""
    measure = contract.summaries.measure
    if measure is None:
        return ""
    part = contract.fields.get(measure) or contract.derived.get(measure)
    unit = part.description if part else ""
    return f"{words(measure)} ({unit})" if 0 < len(unit) <= 24 else words(measure)


def summary_by(findings: Findings, *columns: str) -> Summary | None:
    """The published table over exactly these columns, in this order; None when the contract asks for none."""
    return next((table for table in findings.summaries.values() if table.by == columns), None)


def people(row: dict[str, Cell]) -> int:
    """The people in one row of a summary."""
    return int(row.get("answers") or 0)


def group_name(cell: Cell) -> str:
    """A group as it is called everywhere: its value as text, `not given` where NULL."""
    return NOT_GIVEN if cell is None else str(cell)


def bars_of(table: Summary, most: int) -> tuple[Bars, int]:
    """The groups of a one-column summary, largest first, merged ones last; and how many were folded to keep `most`."""
    pairs = [(group_name(row[table.by[0]]), people(row)) for row in table.rows]
    named = sorted((pair for pair in pairs if not MERGED.fullmatch(pair[0])), key=lambda p: (-p[1], p[0]))
    merged = [(int(match[1].replace(",", "")), n) for name, n in pairs if (match := MERGED.fullmatch(name))]
    folded = named[most:]
    groups = sum(number for number, _ in merged) + len(folded)
    bars = named[:most]
    if groups:
        rest = sum(n for _, n in merged) + sum(n for _, n in folded)
        bars.append((f"Other ({plural(groups, 'group')})", rest))
    return bars, len(folded)
