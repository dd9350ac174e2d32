"""How a survey writes dates and times: a format of letters, checked, and as a regular expression. No Spark here."""

import re
import zoneinfo
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator

from surveylake.contract.complaints import WrongValueError
from surveylake.wording import quoted

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LETTERS = {
    "yyyy": r"(?!0000)[0-9]{4}", "yy": "[0-9]{2}", "MMM": f"(?i:{'|'.join(MONTHS)})", "MM": "[0-9]{2}", "M": "[0-9]{1,2}",
    "dd": "[0-9]{2}", "d": "[0-9]{1,2}", "HH": "[0-9]{2}", "H": "[0-9]{1,2}", "hh": "[0-9]{2}", "h": "[0-9]{1,2}",
    "mm": "[0-9]{2}", "ss": "[0-9]{2}", "SSS": "[0-9]{3}", "a": "(?i:AM|PM)", "XXX": "(?:Z|[+-][0-9]{2}:[0-9]{2})",
}  # fmt: skip
"""Letters of a format -> the texts that they stand for; they mean what they mean in Spark's `to_timestamp`."""
TOKEN = re.compile(r"'([^']+)'|([A-Za-z])\2*|[^A-Za-z']")
RESERVED = "[]{}#"
"""Characters with a meaning of their own in Spark's formats."""
PARTS = {"year": "y", "month": "M", "day": "d"}
HOURS = {"H", "h"}


def pieces(form: str) -> list[str]:
    """Return the letters and the texts between them, in order: `M/d` is M, /, d; a quoted text keeps its quotes."""
    return [match[0] for match in TOKEN.finditer(form)]


def pattern(form: str) -> str:
    """Return a regular expression of Java and Python for the whole of a text that is written so, but for impossible days."""
    return f"^{''.join(LETTERS.get(piece) or re.escape(piece.strip(chr(39))) for piece in pieces(form))}$"


def has_time(form: str) -> bool:
    """Return whether the format says more than a day."""
    return any(piece[0] in "HhmsSaX" for piece in pieces(form) if piece in LETTERS)


def written(form: str, moment: datetime) -> str:
    """Return a time in a zone as the format writes it."""
    noon, offset = "AM" if moment.hour < 12 else "PM", moment.strftime("%z")
    texts = {
        "yyyy": f"{moment.year:04}", "yy": f"{moment.year % 100:02}", "MMM": MONTHS[moment.month - 1], "MM": f"{moment.month:02}",
        "M": str(moment.month), "dd": f"{moment.day:02}", "d": str(moment.day), "HH": f"{moment.hour:02}", "H": str(moment.hour),
        "hh": f"{(moment.hour - 1) % 12 + 1:02}", "h": str((moment.hour - 1) % 12 + 1), "mm": f"{moment.minute:02}",
        "ss": f"{moment.second:02}", "SSS": f"{moment.microsecond // 1000:03}", "a": noon, "XXX": f"{offset[:3]}:{offset[3:5]}",
    }  # fmt: skip
    return "".join(texts.get(piece, piece.strip("'")) for piece in pieces(form))


def _checked(form: str) -> str:
    """Return the format. Raises WrongValueError for a letter without a meaning, or a day that is not said."""
    found = pieces(form)
    if "".join(found) != form:
        raise WrongValueError(f"{quoted(form)} has a quote that does not end; texts stand between two: 'T'")
    for piece in found:
        if piece not in LETTERS and (piece[0].isalpha() or piece in RESERVED):
            raise WrongValueError(
                f"{quoted(form)}: {quoted(piece)} has no meaning; write {', '.join(LETTERS)}, and other texts between quotes, "
                "such as \"yyyy-MM-dd'T'HH:mm:ss\""
            )
    letters = [piece[0] for piece in found if piece in LETTERS]
    for name, letter in PARTS.items():
        if letters.count(letter) != 1:
            raise WrongValueError(f"{quoted(form)} must say the {name} once ({letter})")
    if twice := [letter for letter in set(letters) if letters.count(letter) > 1]:
        raise WrongValueError(f"{quoted(form)} says the same twice ({twice[0]})")
    if ("h" in letters) != ("a" in letters) or set(letters) >= HOURS:
        raise WrongValueError(f"{quoted(form)}: h counts to 12 and goes with a (AM, PM); H counts to 23")
    if set(letters) & set("msS") and not set(letters) & HOURS:
        raise WrongValueError(f"{quoted(form)} says minutes or seconds without the hour")
    return form


def _zone(name: str) -> str:
    """Return the name of a time zone. Raises WrongValueError for one that the zone database does not have."""
    if name not in zoneinfo.available_timezones():
        raise WrongValueError(
            f'{quoted(name)} is no time zone; write one such as "Europe/Vienna", "America/Sao_Paulo" or "UTC"'
        )
    return name


DateFormat = Annotated[str, AfterValidator(_checked)]
Zone = Annotated[str, AfterValidator(_zone)]
