"""Dates, moments and durations of an SPSS file: numbers of seconds, which the format of their variable gives a meaning."""

import datetime
import math
import re
from collections.abc import Callable

DAY_SECONDS = 86_400
FIRST_DAY = datetime.date(1582, 10, 14).toordinal()
"""the day from which SPSS counts seconds"""
CYCLE_DAYS, CYCLE_YEARS = 146_097, 400
"""After so many days the calendar is the same again."""


def written_as(form: str | None) -> Callable[[float], str] | None:
    """Return what writes the values of a variable with this format, such as `DATE11`; None for numbers and texts.

    The formats that show a part of a date only (MONTH, WKDAY, QYR and the like) are of numbers.
    """
    kind = re.match("[A-Z]*", form or "")
    return WRITERS.get(kind[0]) if kind else None


def date(seconds: float) -> str:
    """Return the day as ISO 8601 has it; a year beyond 9999 has more digits, one before 1 is 0000 or has a minus."""
    return _day(_whole(seconds)[0] // DAY_SECONDS)


def moment(seconds: float) -> str:
    """Return day and time as ISO 8601 has them, such as `2024-05-04T11:29:31`."""
    whole, micro = _whole(seconds)
    days, rest = divmod(whole, DAY_SECONDS)
    return f"{_day(days)}T{_clock(rest, micro)}"


def duration(seconds: float) -> str:
    """Return hours, minutes and seconds; hours may be more than a day has: `25:00:00`, `-01:00:00`."""
    whole, micro = _whole(abs(seconds))
    return f"{'-' if seconds < 0 and (whole or micro) else ''}{_clock(whole, micro)}"


WRITERS: dict[str, Callable[[float], str]] = {
    **dict.fromkeys(("DATE", "ADATE", "EDATE", "JDATE", "SDATE"), date),
    **dict.fromkeys(("DATETIME", "YMDHMS"), moment),
    **dict.fromkeys(("TIME", "DTIME", "MTIME"), duration),
}
"""by the letters of a format"""


def _whole(seconds: float) -> tuple[int, int]:
    """Return whole seconds and millionths."""
    below = math.floor(seconds)
    more, micro = divmod(round((seconds - below) * 1e6), 1_000_000)
    return below + more, micro


def _day(days: int) -> str:
    # Python's years end with 9999, so the cycles before the day are counted apart.
    cycles, rest = divmod(FIRST_DAY - 1 + days, CYCLE_DAYS)
    day = datetime.date.fromordinal(rest + 1)
    return f"{day.year + cycles * CYCLE_YEARS:04}-{day.month:02}-{day.day:02}"


def _clock(seconds: int, micro: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}{f'.{micro:06}' if micro else ''}"
