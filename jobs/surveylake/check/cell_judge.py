"""The verdict on one cell of a CSV, in Python: what docs/verdicts.md says of a field's text. Tests hold it against Spark's."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from surveylake.check.moments import ISO_DATE, instant, moment
from surveylake.contract.field_types import LARGEST, SMALLEST, digits_of, without_blank_runs
from surveylake.contract.fields import SurveyField
from surveylake.validate.cleaning import DECIMAL_TEXT, DOUBLE_TEXT, INTEGER_TEXT

INTEGER_DIGITS = 10
"""The most that 32 bits can have."""
Value = str | int | float | bool | Decimal | datetime | tuple[str, ...]


class UnacceptableError(Exception):
    """Raised where a text is no answer of the field; its text is the reason."""


class CellJudge:
    """Judges the texts of one field, each once."""

    def __init__(self, field: SurveyField) -> None:
        self._field, self._words = field, field.written_as
        self._missing = set(field.missing)
        self._allowed = set(field.allowed)
        # To Java \w, \d, \s and (?i) are about ASCII.
        self._pattern = re.compile(field.pattern, re.ASCII) if field.pattern is not None else None
        self._read = self._reader()
        self._known: dict[str, tuple[Value | None, str]] = {}

    def judged(self, text: str) -> tuple[Value | None, str]:
        """Return the value of a cell and the reason against it, such as `not_a_number`; '' where it is acceptable."""
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = self._judge(without_blank_runs(text))
        return found

    def _judge(self, clean: str) -> tuple[Value | None, str]:
        value = None
        try:
            if clean and clean not in self._missing:
                value = self._read(clean)
            if value is None:
                return None, "blank" if self._field.required else ""
            self._check(value)
        except UnacceptableError as reason:
            return None, str(reason)
        return value, ""

    def _reader(self) -> Callable[[str], Value | None]:
        """Return what reads a text of the field's type; it raises UnacceptableError for one that is none."""
        field = self._field
        readers: dict[str, Callable[[str], Value | None]] = {
            "string": self._named,
            "scale": self._named,
            "set": self._several,
            "integer": _integer,
            "double": _double,
            "boolean": self._truth,
            "date": lambda text: _known(moment(text, field.format or ISO_DATE), "not_a_date"),
            "timestamp": lambda text: _known(instant(text, field.format, field.zone), "not_a_timestamp"),
        }
        return readers.get(field.type) or self._decimal

    def _named(self, text: str) -> str:
        return self._words.get(text, text)

    def _several(self, text: str) -> tuple[str, ...] | None:
        parts = (part.strip(" ") for part in text.split(self._field.between))
        return tuple(dict.fromkeys(filter(None, map(self._named, parts)))) or None

    def _truth(self, text: str) -> bool:
        word = self._words.get(text, text).lower()
        if word not in ("true", "false"):
            raise UnacceptableError("not_a_boolean")
        return word == "true"

    def _decimal(self, text: str) -> Decimal:
        precision, scale = digits_of(self._field.type) or (0, 0)
        if not re.fullmatch(DECIMAL_TEXT, text):
            raise UnacceptableError("not_a_number")
        whole, _, fraction = text.lstrip("+-").partition(".")
        if len(fraction.rstrip("0")) > scale:
            raise UnacceptableError("too_precise")
        if len(whole.lstrip("0")) > precision - scale:
            raise UnacceptableError("out_of_range")
        return Decimal(text)

    def _check(self, value: Value) -> None:
        """Raise UnacceptableError for a value beyond the field's limits."""
        field = self._field
        answers = value if isinstance(value, tuple) else (str(value),)
        if self._allowed and not self._allowed.issuperset(answers):
            raise UnacceptableError("not_allowed")
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            if field.min is not None and _difference(value, field.min) < 0:
                raise UnacceptableError("out_of_range")
            if field.max is not None and _difference(value, field.max) > 0:
                raise UnacceptableError("out_of_range")
        if self._pattern and not self._pattern.search(str(value)):
            raise UnacceptableError("pattern")


def _difference(number: int | float | Decimal, limit: int | float) -> int | float | Decimal:
    """Return a number less a limit, as Spark compares them: as doubles where one of the two is a double.

    A limit is a double in SQL where it is written with an exponent, such as 1e-05.
    """
    written = str(limit)
    if isinstance(number, float) or "e" in written:
        return float(number) - float(written)
    return Decimal(number) - Decimal(written)


def _integer(text: str) -> int:
    if not re.fullmatch(INTEGER_TEXT, text):
        raise UnacceptableError("not_a_number")
    if len(text.lstrip("+-0")) > INTEGER_DIGITS or not SMALLEST <= (number := int(text)) <= LARGEST:
        raise UnacceptableError("out_of_range")
    return number


def _double(text: str) -> float:
    if not re.fullmatch(DOUBLE_TEXT, text):
        raise UnacceptableError("not_a_number")
    number = float(text)
    if abs(number) == float("inf"):
        raise UnacceptableError("out_of_range")
    return number + 0.0


def _known(said: datetime | None, reason: str) -> datetime:
    if said is None:
        raise UnacceptableError(reason)
    return said
