"""A date or a time as a contract has it, read in Python as Spark reads it."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

from surveylake.contract.date_format import LETTERS, MONTHS, pieces

ISO_DATE = "yyyy-MM-dd"
ISO_TIME = re.compile(
    r"(?!0000)([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})"
    r"(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
"""How a time is written where the contract says nothing."""
CENTURY = 2000
"""of years of two digits"""
LARGEST_OFFSET = timedelta(hours=18)


def moment(text: str, form: str) -> datetime | None:
    """Return the day or the time that a text says by a format, with its offset if it has one; None where it says none."""
    match = _regex(form).fullmatch(text)
    if not match:
        return None
    part = match.groupdict()
    year = int(part["y"]) + (CENTURY if len(part["y"]) == len("yy") else 0)
    month = MONTHS.index(part["M"].title()) + 1 if part["M"].isalpha() else int(part["M"])
    hour = int(part.get("H") or 0)
    if "h" in part:
        if not 1 <= int(part["h"]) <= 12:
            return None
        hour = int(part["h"]) % 12 + (12 if part["a"].upper() == "PM" else 0)
    rest = [int(part.get(letter) or 0) for letter in "ms"]
    return _checked([year, month, int(part["d"]), hour, *rest, 1000 * int(part.get("S") or 0)], part.get("X"))


def iso_time(text: str) -> datetime | None:
    """Return the time that a text in ISO 8601 says, with its offset if it has one; None where it says none."""
    if not (match := ISO_TIME.fullmatch(text)):
        return None
    *numbers, fraction, offset = match.groups()
    return _checked([*(int(number or 0) for number in numbers), int((fraction or "0").ljust(6, "0"))], offset)


def instant(text: str, form: str | None, zone: str | None) -> datetime | None:
    """Return the time in UTC; without an offset of its own it is meant in the zone. None beyond the years 1 to 9999."""
    said = moment(text, form) if form else iso_time(text)
    if said is None:
        return None
    try:
        return (said if said.tzinfo else said.replace(tzinfo=ZoneInfo(zone or "UTC"))).astimezone(UTC)
    except OverflowError:
        return None


def _checked(numbers: list[int], offset: str | None) -> datetime | None:
    """Return the time; None for a day, an hour or an offset that does not exist."""
    year, month, day, hour, minute, second, micro = numbers
    try:
        said = datetime(year, month, day, hour, minute, second, micro)
    except ValueError:
        return None
    if not offset:
        return said
    if offset == "Z":
        return said.replace(tzinfo=UTC)
    away = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:]))
    if away > LARGEST_OFFSET or int(offset[4:]) > 59:
        return None
    return said.replace(tzinfo=timezone(-away if offset[0] == "-" else away))


@cache
def _regex(form: str) -> re.Pattern[str]:
    parts = [
        f"(?P<{piece[0]}>{LETTERS[piece]})" if piece in LETTERS else re.escape(piece.strip("'"))
        for piece in pieces(form)
    ]
    return re.compile("".join(parts))
