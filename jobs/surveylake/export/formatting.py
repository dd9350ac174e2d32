"""Numbers and names as a reader sees them, alike in charts, report and captions. Pure text, no layout."""

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from surveylake.contract.model import Contract
from surveylake.lake.tables import Cell

NOT_GIVEN = "not given"
"""How a NULL group is named."""
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
"""Unicode categories that draw nothing or turn the text around: control, format, surrogate, private, unassigned."""


def count(number: float) -> str:
    """1234 as `1,234`."""
    return f"{round(number):,}"


def percent(share: float) -> str:
    """Return 0.5729 as `57.3 %`; what is above 0 is not called 0, and what is under 1 is not called all."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if 0.9995 <= share < 1 else f"{share:.1%}".replace("%", " %")


def percent_in_words(share: float) -> str:
    """Return a share for a sentence: `57.3 %`, `fewer than 0.1 %`, `more than 99.9 %`."""
    return percent(share).replace("<", "fewer than").replace(">", "more than")


def decimal(number: Cell, places: int = 1) -> str:
    """A measure such as a mean, `33.2`; NULL and NaN are an en dash."""
    if isinstance(number, str):
        return number
    if number is None or math.isnan(number):
        return "–"
    return f"{number:,.{places}f}" if isinstance(number, float) else f"{number:,}"


def p_value(p: float, level: float = 0.05) -> str:
    """Return `p = 0.016`, or `p < 0.001`; with more digits where three would put it on the other side of `level`."""
    if p < 0.001:
        return "p < 0.001"
    digits = next(n for n in range(3, 18) if (float(f"{p:.{n}f}") < level) == (p < level))
    return f"p = {p:.{digits}f}"


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
