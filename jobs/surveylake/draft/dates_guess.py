"""Whether a column holds days or times, and how they are written."""

from collections.abc import Callable
from datetime import datetime
from itertools import islice

from surveylake.check.moments import ISO_DATE, instant
from surveylake.contract.date_format import has_time
from surveylake.draft.guess import TYPED_SHARE, Guess, Line, left_blank, of_cells

MONTH_FIRST = ("M/d/yyyy", "M/d/yy", "M-d-yyyy", "M.d.yyyy")
DAY_FIRST = ("d/M/yyyy", "d/M/yy", "d-M-yyyy", "d.M.yyyy", "d.M.yy")
WRITTEN = ("d-MMM-yyyy", "d-MMM-yy", "d MMM yyyy", "MMM d, yyyy", "MMM d yyyy")
DAYS = ("yyyy/M/d", "yyyy-M-d", "yyyy.M.d", *MONTH_FIRST, *DAY_FIRST, *WRITTEN)
PLAIN = ("", " H:mm", " H:mm:ss", " H:mm:ss.SSS", " h:mm a", " h:mm:ss a")
WITH_T = ("'T'HH:mm", "'T'HH:mm:ss", "'T'HH:mm:ss.SSS", "'T'HH:mm:ssXXX")
FORMS = tuple(day + time for time in (*PLAIN, *WITH_T) for day in DAYS)
SAMPLED = 40
"""Texts by which the likely formats are chosen."""
Reader = Callable[[str], datetime | None]


def date_guess(texts: dict[str, int], delimiter: str, is_complete: bool) -> Guess | None:
    """Return the guess for a column of days or times; None for one that is none."""
    total = sum(texts.values())
    first = list(islice(texts, SAMPLED))
    if not any(character.isdigit() for text in first[:1] for character in text):
        return None
    best = _Fit("", {}, total)
    for form in _likely(first):
        fit = _fit(form, texts)
        if fit.number > best.number:
            best = fit
    if best.number < max(TYPED_SHARE * total, 1) or (best.bad and not is_complete):
        return None
    return _guess(best, texts, total, delimiter)


class _Fit:
    """How many answers a format reads."""

    def __init__(self, form: str, bad: dict[str, int], total: int) -> None:
        self.form, self.bad = form, bad
        self.number = total - sum(bad.values()) if form else 0


def _likely(first: list[str]) -> list[str]:
    """Return the formats that read more than half of a sample; ISO's own first."""
    forms = (ISO_DATE, "ISO", *FORMS)
    found = [(sum(_reader(form)(text) is not None for text in first), form) for form in forms]
    return [form for number, form in found if 2 * number > len(first)]


def _fit(form: str, texts: dict[str, int]) -> _Fit:
    read = _reader(form)
    bad = {text: number for text, number in texts.items() if read(text) is None}
    return _Fit(form, bad, sum(texts.values()))


def _reader(form: str) -> Reader:
    return lambda text: instant(text, None if form == "ISO" else form, None)


def _guess(best: _Fit, texts: dict[str, int], total: int, delimiter: str) -> Guess:
    kind = "timestamp" if best.form == "ISO" or has_time(best.form) else "date"
    why = f"{of_cells(best.number, total)} are {'times' if kind == 'timestamp' else 'days'}"
    if best.form in ("ISO", ISO_DATE):
        return Guess(kind, f"{why} as ISO 8601 has them", (*_zone(kind, best.form), *left_blank(best.bad)))
    form, which = best.form, f"such as '{next(text for text in texts if text not in best.bad)}'"
    other = _swapped(form)
    if other and _fit(other, texts).number == best.number:
        if delimiter == ";" and form.startswith(MONTH_FIRST):
            form, other = other, form
        which += f"; AMBIGUOUS, no day above 12 says which is the month: it may be {other}"
    lines = (Line("format", form, which), *_zone(kind, form), *left_blank(best.bad))
    return Guess(kind, why, lines)


def _zone(kind: str, form: str) -> tuple[Line, ...]:
    """Return a comment on the zone of times."""
    if kind != "timestamp" or "X" in form:
        return ()
    return (Line("", None, 'they are read as UTC; if they are local times: zone = "Europe/Vienna"'),)


def _swapped(form: str) -> str:
    """Return the format with day and month exchanged; '' for one in which they cannot be."""
    for day in (*MONTH_FIRST, *DAY_FIRST):
        time = form.removeprefix(day)
        if form.startswith(day) and time in (*PLAIN, *WITH_T):
            return day.translate(str.maketrans("Md", "dM")) + time
    return ""
