"""Numbers and names as text, the same in charts, report and captions. Pure text, no layout."""

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from surveylake.contract.model import Contract
from surveylake.lake.tables import Cell

NOT_GIVEN = "not given"
"""name of a NULL group"""
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
"""Unicode categories that draw nothing or turn the text around: control, format, surrogate, private, unassigned."""
ISOLATES = ("\u2068", "\u2069")
"""first strong isolate, pop directional isolate"""
SIGNIFICANT = 3
"""digits that a measure below 1 has at least"""
EXACT = 12
"""significant digits of a measure that count: what differs beyond them was added in another order"""
SMALLEST_PLAIN, LARGEST_PLAIN = 1e-9, 1e15
"""Beyond them nobody counts the digits of a number: it has an exponent."""
LONGEST_QUESTION = 160
"""columns of a question's text in a caption"""
RIGHT_TO_LEFT = {"R", "AL", "AN"}
"""bidirectional classes: Hebrew and its kin, Arabic and its kin, Arabic digits"""


def count(number: float) -> str:
    """Return 1234 as `1,234`."""
    return f"{round(number):,}"


def percent(share: float) -> str:
    """Return 0.5729 as `57.3 %`; a share above 0 is never `0.0 %`, and one under 1 never `100.0 %`."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if 0.9995 <= share < 1 else f"{share:.1%}".replace("%", " %")


def percent_in_words(share: float, level: float | None = None) -> str:
    """Return a share for a sentence: `57.3 %`, `fewer than 0.1 %`, `more than 99.9 %`.

    It has more digits where one would put it on another side of a `level` that it is compared with.
    """
    if level is not None and (digits := _digits_beside(100 * share, 100 * level, 1)) > 1:
        return f"{100 * share:.{digits}f} %"
    return percent(share).replace("<", "fewer than").replace(">", "more than")


def measured(number: Cell, places: int = 2) -> str:
    """Return a measure: `1,234,567`, `28.5`, `0.0367`, with `places` decimals at most, and below 1 three digits that count.

    A whole number is written as whole, and no other one is. NULL and NaN are an en dash.
    """
    if number is None or number != number:
        return "–"
    if isinstance(number, int):
        return f"{number:,}"
    exact = float(number)
    size = abs(exact)
    if size and not SMALLEST_PLAIN <= size < LARGEST_PLAIN:
        return f"{exact:.{SIGNIFICANT}g}"
    exact = exact if exact.is_integer() else float(f"{exact:.{EXACT}g}")
    if exact.is_integer():
        return f"{int(exact):,}"
    decimals = places if size >= 1 else SIGNIFICANT - 1 - math.floor(math.log10(size))
    whole, _, fraction = f"{exact:,.{decimals}f}".partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def number(value: Cell) -> str:
    """Return a number of people or records; NULL is an en dash."""
    return "–" if value is None else count(float(value))


def statistic(number: Cell, kind: str) -> str:
    """Return a statistic of a measure: a median, least or largest value as the answers have it, a mean or deviation rounded."""
    return measured(number, 1 if kind in ("mean", "sd") else 2)


def p_value(p: float, level: float = 0.05) -> str:
    """Return `p = 0.016`, or `p < 0.001`; with more digits where three would put it on another side of `level`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.{_digits_beside(p, level, 3)}f}"


def _digits_beside(number: float, level: float, fewest: int) -> int:
    """Return with how many digits after the point a number is below, at or above `level` as it is unrounded."""
    side = (number > level) - (number < level)
    rounded = ((digits, float(f"{number:.{digits}f}")) for digits in range(fewest, 20))
    return next(digits for digits, near in rounded if (near > level) - (near < level) == side)


def words(column: str) -> str:
    """Return a column's name in words: `age_group` as `age group`."""
    return column.replace("_", " ")


def shorten(text: Cell, width: int = 28, keep: str = "") -> str:
    """Return a value as a label: one line of at most `width` columns, without UNSEEN characters but those in `keep`.

    NULL is `not given`. A letter takes one column, a Chinese, Japanese or Korean one and an emoji two: they are as wide as two
    Latin ones.
    """
    if text is None:
        return NOT_GIVEN
    # A name may be 10 kB long: only its start can be shown, so only its start is read.
    start = (" " if char.isspace() else char for char in str(text)[: width * 8])
    line = " ".join("".join(c for c in start if c in keep or unicodedata.category(c) not in UNSEEN).split())
    ends = list(accumulate(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line))
    return line if not ends or ends[-1] <= width else line[: bisect_right(ends, width - 1)].rstrip() + "…"


def in_sentence(value: Cell, width: int = 28) -> str:
    """Return a value as a part of a sentence: shortened, and isolated."""
    return isolated(shorten(value, width))


def isolated(text: str) -> str:
    """Return the text between ISOLATES if it has right-to-left letters or digits, else as it is.

    Without them such a text reorders the numbers and words around it (Unicode Standard Annex 9, first strong isolate).
    """
    is_turned = any(unicodedata.bidirectional(char) in RIGHT_TO_LEFT for char in text)
    return text.join(ISOLATES) if is_turned else text


def joined(parts: Iterable[str], last: str = "and") -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    *first, end = list(parts) or [""]
    return f"{', '.join(first)} {last} {end}" if first else end


def questions(columns: Iterable[str], contract: Contract) -> list[str]:
    """Return `age: How old are you?` of each column whose question has a text; each is a sentence."""
    labels = [(column, shorten(contract.parts[column].label, LONGEST_QUESTION)) for column in columns]
    ended = [(column, text if text[-1] in ".?!…" else f"{text}.") for column, text in labels if text]
    return [f"{words(column)}: {isolated(text)}" for column, text in ended]


def measure_words(contract: Contract) -> str:
    """Return the measure with its unit, where the contract has a short one: `age (years, whole)`; empty without a measure."""
    measure = contract.summaries.measure
    if measure is None:
        return ""
    part = contract.parts[measure]
    unit = part.unit or part.description
    return f"{words(measure)} ({isolated(unit)})" if 0 < len(unit) <= 24 else words(measure)
