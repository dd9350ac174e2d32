"""JSON Schema of numbers: as numbers, and as the texts that mean them."""

import json
import math
import re
from typing import Any

from surveylake.contract.field_types import LARGEST, SMALLEST, digits_of
from surveylake.contract.fields import SurveyField
from surveylake.standards.text_patterns import decimals, integers, whole

MOST = 10**11
"""A number with a fraction is exact in every JSON library up to here, and four digits after its point."""
MOST_SCALE = 4
DOUBLE_DIGITS = 15
EXACT = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{0,3}[1-9])?")
Schema = dict[str, Any]


def as_number(text: str) -> int | float | None:
    """Return the number whose text in JSON this is; None for any other text."""
    if not EXACT.fullmatch(text) or text == "-0":
        return None
    number: int | float = json.loads(text)
    return number if json.dumps(number) == text else None


def integer_forms(field: SurveyField) -> list[Schema]:
    """Return the forms of a whole number."""
    low, high = _limits(field, SMALLEST, LARGEST)
    if field.allowed:
        allowed = [text for text in field.allowed if low <= int(text) <= high]
        return [{"enum": [*map(int, allowed), *allowed]}]
    return [
        {"type": "integer", "minimum": low, "maximum": high},
        {"type": "string", "pattern": whole(integers(low, high))},
    ]


def number_forms(field: SurveyField) -> list[Schema]:
    """Return the forms of a decimal or a double.

    The limits of a text are whole numbers, which lie within those of the contract: an expression can say no others.
    """
    precision, scale = digits_of(field.type) or (2 * DOUBLE_DIGITS, DOUBLE_DIGITS)
    whole_digits = precision - scale
    most = 10**whole_digits
    low, high = _limits(field, -most, most)
    bounds = {"minimum": field.min, "maximum": field.max}
    number: Schema = {
        "type": "number",
        **{name: bound for name, bound in bounds.items() if bound is not None},
    }
    if field.type != "double":
        beyond = min(most, MOST)
        number |= {"exclusiveMinimum": -beyond, "exclusiveMaximum": beyond}
        number["multipleOf"] = float(f"1e-{min(scale, MOST_SCALE)}") if scale else 1
    return [number, {"type": "string", "pattern": whole(decimals(low, high, whole_digits, scale))}]


def _limits(field: SurveyField, low: int, high: int) -> tuple[int, int]:
    """Return the whole numbers that are nearest to the limits, and within them."""
    return (
        low if field.min is None else max(low, math.ceil(field.min)),
        high if field.max is None else min(high, math.floor(field.max)),
    )
