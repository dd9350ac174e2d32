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


def percent_in_words(share: float) -> str:
    """Return a share for a sentence: `57.3 %`, `fewer than 0.1 %`, `more than 99.9 %`."""
    return percent(share).replace("<", "fewer than").replace(">", "more than")


def decimal(number: Cell, places: int = 1) -> str:
    """Return a measure such as a mean, `33.2`; NULL and NaN are an en dash."""
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
