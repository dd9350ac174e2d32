"""Regular expressions that mean the same in JSON Schema, Python and JavaScript: the texts that a field's type accepts."""

import re
from collections.abc import Iterable

from surveylake.contract.date_format import MONTHS, pieces

END = "(?![\\s\\S])"
"""the end of a text; Python's $ also stands before a last line break"""
BLANKS = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200b\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff"
"""what cleaning takes for a blank, within brackets"""
NOT_BLANK = f"[^{BLANKS}]"
CLEAN = f"^{NOT_BLANK}+(?: {NOT_BLANK}+)*{END}"
"""a text that cleaning leaves as it is"""
NO_NUL = f"^[^\\u0000]*{END}"
SYNTAX = re.compile(r"[\\^$.*+?()\[\]{}|/]")
LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
DAY = (
    "(?!0000)(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    f"|02-(?:0[1-9]|1[0-9]|2[0-8]))|{LEAP_YEAR}-02-29)"
)
"""a day of the calendar"""
OFFSET = "(?:Z|[+-](?:0[0-9]|1[0-7]):[0-5][0-9])"
MOMENT = f"(?!0|9999){DAY}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\\.[0-9]{{1,6}})?)?{OFFSET}?"
"""a time as ISO 8601 has it"""
WRITTEN = {
    "yyyy": "(?!9999)[1-9][0-9]{3}", "yy": "[0-9]{2}", "MMM": f"(?:{'|'.join(MONTHS)})", "MM": "(?:0[1-9]|1[0-2])",
    "M": "(?:1[0-2]|0?[1-9])", "dd": "(?:0[1-9]|1[0-9]|2[0-8])", "d": "(?:1[0-9]|2[0-8]|0?[1-9])", "HH": "(?:[01][0-9]|2[0-3])",
    "H": "(?:1[0-9]|2[0-3]|0?[0-9])", "hh": "(?:0[1-9]|1[0-2])", "h": "(?:1[0-2]|0?[1-9])", "mm": "[0-5][0-9]",
    "ss": "[0-5][0-9]", "SSS": "[0-9]{3}", "a": "(?:AM|PM|am|pm)", "XXX": OFFSET,
}  # fmt: skip
"""letters of a format -> their texts, with days that every month has"""
OTHER_DAYS = (
    {"dd": "(?:29|30)", "d": "(?:29|30)", "MM": "(?:0[13-9]|1[0-2])", "M": "(?:1[0-2]|0?[13-9])",
     "MMM": f"(?:{'|'.join(month for month in MONTHS if month != 'Feb')})"},
    {"dd": "31", "d": "31", "MM": "(?:0[13578]|1[02])", "M": "(?:1[02]|0?[13578])",
     "MMM": "(?:Jan|Mar|May|Jul|Aug|Oct|Dec)"},
    {"dd": "29", "d": "29", "MM": "02", "M": "0?2", "MMM": "Feb", "yyyy": f"(?!0){LEAP_YEAR}",
     "yy": "(?:[02468][048]|[13579][26])"},
)  # fmt: skip
"""the same for days that some months have"""


def in_brackets(text: str) -> str:
    """Return the letters of a text as they stand within brackets."""
    return re.sub(r"[\\\]\[^-]", lambda match: f"\\{match[0]}", text)


def literal(text: str) -> str:
    """Return an expression for the text itself."""
    return SYNTAX.sub(lambda match: f"\\{match[0]}", text)


def whole(*parts: str) -> str:
    """Return an expression for a text that is one of the parts from its first letter to its last."""
    return f"^{_one_of(parts)}{END}"


def integers(low: int, high: int) -> str:
    """Return an expression for the whole numbers from `low` to `high`, without needless zeros."""
    parts = []
    if low < 0:
        parts += [f"-{part}" for part in _upwards(max(1, -high), -low)]
    if high >= 0:
        parts += _upwards(max(0, low), high)
    return _one_of(parts) if parts else "(?!)"


def decimals(low: int, high: int, whole_digits: int, scale: int) -> str:
    """Return an expression for numbers from `low` to `high` with so many digits before and after the point at most."""
    most = 10**whole_digits - 1
    zeros = f"(?:\\.0{{1,{scale}}})?" if scale else ""
    parts = [integers(max(low, -most), min(high, most)) + zeros]
    if scale:
        fraction = f"\\.[0-9]{{1,{scale}}}"
        if high > 0 and max(low, 0) <= min(high - 1, most):
            parts.append(integers(max(low, 0), min(high - 1, most)) + fraction)
        if low < 0 and max(-high, 0) <= min(-low - 1, most):
            parts.append(f"-{integers(max(-high, 0), min(-low - 1, most))}{fraction}")
    return _one_of(parts)


def moments(form: str) -> str:
    """Return an expression for the texts in a format that are a day of the calendar."""

    def written(letters: dict[str, str]) -> str:
        return "".join(letters.get(piece) or literal(piece.strip("'")) for piece in pieces(form))

    return _one_of([written(WRITTEN), *(written(WRITTEN | other) for other in OTHER_DAYS)])


def _one_of(parts: Iterable[str]) -> str:
    texts = list(parts)
    return texts[0] if len(texts) == 1 and "|" not in texts[0] else f"(?:{'|'.join(texts)})"


def _upwards(low: int, high: int) -> list[str]:
    """Return expressions for the numbers from `low` to `high`, neither below 0: those of one length in each."""
    parts = []
    for length in range(len(str(low)), len(str(high)) + 1):
        first = max(low, 10 ** (length - 1) if length > 1 else 0)
        last = min(high, 10**length - 1)
        if first <= last:
            parts.append(_digits(str(first), str(last)))
    return parts


def _digits(low: str, high: str) -> str:
    """Return an expression for the numbers between two of one length."""
    if not low or low == high:
        return low
    rest = len(low) - 1
    if low[0] == high[0]:
        return low[0] + _digits(low[1:], high[1:])
    parts, first, last = [], int(low[0]), int(high[0])
    if low[1:] != "0" * rest:
        parts.append(low[0] + _digits(low[1:], "9" * rest))
        first += 1
    tail = []
    if high[1:] != "9" * rest:
        tail.append(high[0] + _digits("0" * rest, high[1:]))
        last -= 1
    if first <= last:
        middle = str(first) if first == last else f"[{first}-{last}]"
        parts.append(middle + (f"[0-9]{{{rest}}}" if rest else ""))
    return _one_of([*parts, *tail])
