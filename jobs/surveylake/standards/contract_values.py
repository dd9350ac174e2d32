"""A contract as the values of its file: what it says beyond the defaults, so that reading them gives the same contract."""

from collections.abc import Iterator, Mapping
from typing import Any

from surveylake.contract import toml_text
from surveylake.contract.model import Contract

Values = dict[str, Any]
WIDEST = 100
"""characters of a list or a table on one line"""


def values_of(contract: Contract) -> Values:
    """Return the values that a contract's file has: keys that keep their defaults are left out."""
    values = contract.model_dump(mode="json", exclude_defaults=True)
    for name, field in contract.fields.items():
        part = values["fields"][name]
        if field.type == "integer" and "allowed" in part:
            part["allowed"] = [int(text) for text in part["allowed"]]
        # A field's own words for a missing answer stand beside the survey's, also where it has none.
        if contract.missing and not field.missing:
            part["missing"] = []
        elif contract.missing and field.missing == contract.missing:
            del part["missing"]
    return values


def toml_of(values: Values) -> str:
    """Return the values as TOML: texts first, then a table for each field."""
    lines = [
        f"{toml_text.key(name)} = {toml_text.value(value)}"
        for name, value in values.items()
        if not isinstance(value, dict)
    ]
    for name, value in values.items():
        if isinstance(value, dict):
            lines += _table([name], value)
    return "\n".join(lines) + "\n"


def _table(path: list[str], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a table: one for each key, a table of its own for a long table in it."""
    is_of_tables = all(isinstance(value, dict) for value in values.values())
    nested = {name: value for name, value in values.items() if is_of_tables or _is_long(value)}
    if len(nested) < len(values) or not values:
        yield from ("", f"[{'.'.join(map(toml_text.key, path))}]")
    yield from (
        f"{toml_text.key(name)} = {toml_text.value(value)}"
        for name, value in values.items()
        if name not in nested
    )
    for name, value in nested.items():
        yield from _table([*path, name], value)


def _is_long(value: Any) -> bool:
    is_nested = isinstance(value, dict) and any(isinstance(inner, dict) for inner in value.values())
    return isinstance(value, dict) and (is_nested or len(toml_text.value(value)) > WIDEST)
