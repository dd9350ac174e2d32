"""The order of a column's values: as the contract lists them, by value, or by name."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from surveylake.contract.field_types import is_number
from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract

Rank: TypeAlias = tuple[object, ...]
THOUSANDS = r"(?<!\d[.,])[1-9]\d{0,2}(?:[.,]\d{3})+(?![.,]?\d)"
DECIMAL = r"(?<!\d[.,])\d+[.,]\d+(?![.,]?\d)"
NUMBER = re.compile(rf"((?:(?<!\S)[-−])?(?:{THOUSANDS}|{DECIMAL}|\d+))")
"""A number in a text: `-10` (but not the dash of 1-5), `0.25` and `0,25`, `1,000` and `1.000`; of 1.10.2024 each part."""


def by_value(contract: Contract, column: str) -> Callable[[str], Rank]:
    """Return the sort key of a column's values as text.

    Numbers sort by value, a closed list as the contract lists or orders it, and texts by name with the numbers in them by
    value: the band 6-25 comes before 26-100, and -10 to -1 before 0 to 9.
    """
    part = contract.parts[column]
    listed = part.order or (part.allowed if isinstance(part, SurveyField) else [])
    places = {value: place for place, value in enumerate(listed)}
    numeric = is_number(contract.types[column])

    def rank(value: str) -> Rank:
        if numeric:
            return (0, float(value))
        return (0, places[value]) if value in places else (1, *_natural(value))

    return rank


def has_order(contract: Contract, column: str, values: list[str]) -> bool:
    """True if the values have an order of their own, so that sorting them by size would be wrong."""
    kind = contract.types[column]
    ordered = kind in ("date", "scale") or bool(contract.parts[column].order)
    return is_number(kind) or ordered or all(NUMBER.match(value) for value in values)


def _natural(text: str) -> Rank:
    """Return alternating texts and numbers, so that any two keys compare."""
    parts = enumerate(NUMBER.split(text))
    return (tuple(_value(part) if place % 2 else part.casefold() for place, part in parts), text)


def _value(number: str) -> Decimal:
    """Return the value of a text that is a NUMBER."""
    plain = number.replace("−", "-")
    if re.fullmatch(f"-?{THOUSANDS}", plain):
        return Decimal(re.sub("[.,]", "", plain))
    return Decimal(plain.replace(",", "."))
