"""Bands of numbers as answers, such as 1-5, 6-25, more than 25: where each begins, also of one that became a date."""

import re

from surveylake.contract.date_format import MONTHS

UNDER = r"under|less than|fewer than|younger than|below|up to|bis|unter|menos de|hasta|moins de|jusqu'à|<=?|≤"
OVER = r"over|more than|above|older than|greater than|mehr als|über|más de|plus de|>=?|≥"
MORE = r"\+|and (?:over|above|more|older|up)|or (?:over|above|more|older)|plus|y más|und mehr|et plus"
LESS = r"or (?:less|under|younger|below|fewer)|and (?:under|below|younger)"
NUMBER = r"[$€£]?\s*(\d[\d,.]*)\s*(k)?\b\s*%?"
UNIT = r"[\sa-z/$€£%]*"
BAND = re.compile(
    rf"(?P<side>{UNDER}|{OVER})?\s*{NUMBER}{UNIT}?"
    rf"(?:(?:-|–|—|\bto\b|\bbis\b|\ba\b)\s*{NUMBER}{UNIT}|\s*(?P<end>{MORE}|{LESS}){UNIT})?",
    re.IGNORECASE,
)
GROUPED = re.compile(r"\d{1,3}([.,]\d{3})+")
DAY_MONTH = re.compile(rf"(\d{{1,2}})-({'|'.join(MONTHS)})|({'|'.join(MONTHS)})-(\d{{1,2}})")
"""What a spreadsheet makes of `6-25` and `10-18`."""


def band_start(text: str) -> float | None:
    """Return where a band begins, a little below for `under 18` and above for `over 65`; None for a text that is none."""
    match = BAND.fullmatch(text)
    if not match:
        return None
    first, thousands = match[2], match[3]
    low = _number(first) * (1000 if thousands else 1)
    side, end = match["side"] or "", match["end"] or ""
    if re.fullmatch(UNDER, side, re.IGNORECASE) or re.fullmatch(LESS, end, re.IGNORECASE):
        return low - 1e9  # below every band that begins at a number
    return low + (0.5 if side or end else 0)


def is_range(text: str) -> bool:
    """Return whether a band says more than one number: two, or the side on which it is open."""
    return band_start(text) is not None and not re.fullmatch(NUMBER + UNIT, text, re.IGNORECASE)


def before_it_was_a_date(text: str) -> str:
    """Return the band that a spreadsheet took for a date: `6-25` for `25-Jun`; '' for any other text."""
    if not (match := DAY_MONTH.fullmatch(text)):
        return ""
    month = 1 + MONTHS.index(match[2] or match[3])
    number = int(match[1] or match[4])
    return f"{min(month, number)}-{max(month, number)}"


def _number(text: str) -> float:
    """Return `10,000` or `2.5` as a number."""
    text = text.rstrip(".,")
    plain = re.sub("[.,]", "", text)
    if GROUPED.fullmatch(text) or text.count(".") + text.count(",") > 1:
        return float(plain)
    return float(text.replace(",", "."))
