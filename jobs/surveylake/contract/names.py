"""Checks that the names in a contract fit together: key, sources, columns of summaries, charts and hypothesis."""

import difflib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from surveylake.contract.complaints import WrongValueError
from surveylake.contract.field_types import BLANKED, is_number
from surveylake.wording import listed, quoted

if TYPE_CHECKING:
    from surveylake.contract.model import Contract

COLUMN_KEYS = (
    ("summaries", "measure"), ("summaries", "received_by"), ("charts", "group"), ("charts", "bands"), ("charts", "stack"),
    ("hypothesis", "field"), ("hypothesis", "outcomes"),
)  # fmt: skip
"""Keys whose values are names of columns."""


def check_names(contract: "Contract") -> None:
    """Raise WrongValueError for the first name that does not exist, exists twice, or is of the wrong type."""
    if contract.key not in contract.fields:
        raise WrongValueError(
            f"key {quoted(contract.key)} is not one of the fields{_near(contract.key, contract.fields)}",
            "key",
        )
    if not contract.fields[contract.key].required:
        raise WrongValueError(
            f"key '{contract.key}' must be required = true: it says who answered",
            "fields",
            contract.key,
            "required",
        )
    _check_doubles(contract)
    _check_choices(contract)
    _check_columns(contract)
    _check_values(contract)


def _check_doubles(contract: "Contract") -> None:
    for source in contract.sources:
        names = [name for name, field in contract.fields.items() if field.source == source]
        if len(names) > 1:
            raise WrongValueError(
                f"two fields have the source {quoted(source)}: {listed(names)}; a column goes into one field",
                "fields", names[1], "source",
            )  # fmt: skip
    for name in contract.derived:
        if name in contract.fields:
            raise WrongValueError(
                f"both a field and a derived column: {name}; call one of them otherwise", "derived", name
            )


def _check_choices(contract: "Contract") -> None:
    for name, part in contract.derived.items():
        for chosen in part.choices.values():
            if chosen not in contract.fields:
                raise WrongValueError(
                    f"not a field: {quoted(chosen)}{_near(chosen, contract.fields)}",
                    "derived",
                    name,
                    "choices",
                )
            if contract.fields[chosen].type == "set":
                raise WrongValueError(
                    f"{chosen} is a set by itself; a choice is a field of its own", "derived", name, "choices"
                )
    if contract.may_blank and BLANKED in {*contract.fields, *contract.derived}:
        raise WrongValueError(
            "is the column in which surveylake lists what was left blank; choose another name",
            "fields" if BLANKED in contract.fields else "derived",
            BLANKED,
        )


def _check_columns(contract: "Contract") -> None:
    for at, name in _mentions(contract):
        if name not in contract.columns:
            raise WrongValueError(f"not a column: {quoted(name)}{_near(name, contract.columns)}", *at)
        if contract.types[name] == "set":
            raise WrongValueError(
                f"{name} is a set, of which a person has several answers; "
                f'derive a column for one: type = "boolean", sql = "array_contains({name}, \'ANSWER\')"',
                *at,
            )
        if at != ("summaries", "measure") and contract.types[name] == "timestamp":
            raise WrongValueError(
                f"{name} is a timestamp, and hardly two people share one: derive a day or a month of it", *at
            )
    measure = contract.summaries.measure
    if measure is not None and not is_number(contract.types[measure]):
        raise WrongValueError(
            f"a measure must be a number; {measure} is of type {contract.types[measure]}",
            "summaries",
            "measure",
        )


def _check_values(contract: "Contract") -> None:
    """Raise WrongValueError for a hypothesis about one value, or about a value that nobody can have given."""
    claim = contract.hypothesis
    if claim is None:
        return
    if claim.more == claim.less:
        raise WrongValueError(
            f"more and less are both {quoted(claim.more)}; a claim compares two values", "hypothesis", "less"
        )
    field = contract.fields.get(claim.field)
    known = ["true", "false"] if contract.types[claim.field] == "boolean" else field.allowed if field else []
    for key, value in (("more", claim.more), ("less", claim.less)):
        if known and value not in known:
            raise WrongValueError(
                f"nobody can answer {quoted(value)} in {claim.field}{_near(value, known, 'answers')}",
                "hypothesis",
                key,
            )


def _mentions(contract: "Contract") -> Iterator[tuple[tuple[str, str], str]]:
    """Yield (key, column) for every column that summaries, charts and hypothesis name."""
    parts = {"summaries": contract.summaries, "charts": contract.charts, "hypothesis": contract.hypothesis}
    for by in contract.summaries.by:
        yield from ((("summaries", "by"), name) for name in by)
    for section, key in COLUMN_KEYS:
        value = getattr(parts[section], key, None)
        for name in [value] if isinstance(value, str) else value or []:
            yield (section, key), name


def _near(name: str, known: Iterable[str], what: str = "columns") -> str:
    """Return `; did you mean gender?`, or the known names."""
    by_small = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), by_small, n=1, cutoff=0.6)
    return f"; did you mean {by_small[near[0]]}?" if near else f"; {what} are {listed(known, 12)}"
