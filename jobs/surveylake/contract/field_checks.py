"""Checks of one column of a contract: what its type can have, and that each text has one meaning."""

from typing import TYPE_CHECKING

from surveylake.contract.complaints import WrongValueError
from surveylake.contract.date_format import has_time, pieces
from surveylake.contract.field_types import TEXTS, is_number
from surveylake.wording import listed, quoted

if TYPE_CHECKING:
    from surveylake.contract.field_types import Typed
    from surveylake.contract.fields import Derived, SurveyField

KINDS: dict[str, tuple[set[str], str]] = {
    "pattern": ({"string"}, "strings"),
    "spellings": (TEXTS, "strings, scales and sets"),
    "labels": (TEXTS, "strings, scales and sets, whose answers they name"),
    "allowed": ({*TEXTS, "integer"}, "strings, scales, sets and integers"),
    "true": ({"boolean"}, "booleans"),
    "false": ({"boolean"}, "booleans"),
    "format": ({"date", "timestamp"}, "dates and timestamps"),
    "zone": ({"timestamp"}, "timestamps"),
    "separator": ({"set"}, "sets"),
    "order": (
        {"string"},
        "strings; numbers and dates are in their own order, a scale is as allowed lists it",
    ),
}
"""Key of a field -> the types that may have it, in words too."""
OWN_MEANING = ("missing", "true", "false")
FEWEST_STEPS = 2


def check_field(field: "SurveyField") -> None:
    """Raise WrongValueError for what a field of this type cannot have."""
    if (field.min is not None or field.max is not None) and not field.is_number:
        raise WrongValueError(
            f"min and max are for numbers; the type is {field.type}: leave them out, or write another type",
            "min" if field.min is not None else "max",
        )
    _check_kinds(field)
    if field.min is not None and field.max is not None and field.min > field.max:
        raise WrongValueError(f"min {field.min} is above max {field.max}: nothing would be accepted", "min")
    _check_scale(field)
    _check_times(field)
    _check_texts(field)
    for key in ("when_wrong", "when_absent"):
        if field.required and getattr(field, key) == "blank":
            raise WrongValueError(
                f'a required field cannot be left blank: write required = false, or {key} = "reject"', key
            )


def check_derived(part: "Derived") -> None:
    """Raise WrongValueError for a derived column without an expression, or with choices that are no set."""
    _check_kinds(part)
    if part.choices and part.type != "set":
        raise WrongValueError(f'choices make a set; the type is {part.type}: write type = "set"', "type")
    if part.choices and part.sql:
        raise WrongValueError("a column has sql or choices, not both: leave one of them out", "sql")
    if not part.choices and not part.sql.strip():
        raise WrongValueError('is missing; write sql = "…", an expression over the fields', "sql")


def _check_kinds(part: "Typed") -> None:
    """Raise WrongValueError for a key that columns of this type do not have."""
    for key, (types, words) in KINDS.items():
        if getattr(part, key, None) and part.type not in types:
            other = f'; or write type = "{next(iter(types))}"' if len(types) == 1 else ""
            raise WrongValueError(f"{key} is for {words}; the type is {part.type}: leave it out{other}", key)
    if part.unit and not is_number(part.type):
        raise WrongValueError(f"a unit is for numbers; the type is {part.type}: leave it out", "unit")
    if double := sorted({value for value in part.order if part.order.count(value) > 1}):
        raise WrongValueError(f"twice in the order: {listed(double)}", "order")


def _check_scale(field: "SurveyField") -> None:
    """Raise WrongValueError for a scale without steps, and for an order beside a list that has one."""
    if field.type == "scale" and len(field.allowed) < FEWEST_STEPS:
        raise WrongValueError(
            'a scale lists its answers in their order, lowest first: allowed = ["never", "often", …], or labels',
            "allowed",
        )
    if field.order and (
        other := [value for value in field.order if field.allowed and value not in field.allowed]
    ):
        raise WrongValueError(f"in the order, and not allowed: {listed(other)}", "order")


def _check_times(field: "SurveyField") -> None:
    """Raise WrongValueError for a format that says less or more than the type, or a zone beside an offset."""
    if field.format and field.type == "date" and has_time(field.format):
        raise WrongValueError(
            'says the time of day; write type = "timestamp", or leave the time out', "format"
        )
    if field.format and field.type == "timestamp" and not has_time(field.format):
        raise WrongValueError('says a day only; write type = "date", or add the time of day', "format")
    if field.zone and field.format and "XXX" in pieces(field.format):
        raise WrongValueError("the format has an offset of its own (XXX): leave zone out", "zone")


def _check_texts(field: "SurveyField") -> None:
    """Raise WrongValueError for a text with two meanings, or one that could never be accepted."""
    variants = [variant for spellings in field.spellings.values() for variant in spellings] + list(
        field.labels
    )
    named = {*field.spellings, *field.labels.values()}
    twice = {
        name
        for name in variants
        if variants.count(name) > 1 or (name in named and field.labels.get(name) != name)
    }
    if twice:
        raise WrongValueError(
            f"spelled for two names: {listed(sorted(twice))}; each may stand once",
            "spellings" if field.spellings else "labels",
        )
    for key, names in {"spellings": field.spellings, "labels": field.labels.values()}.items():
        if useless := sorted({*names} - {*field.allowed}) if field.allowed else []:
            raise WrongValueError(
                f"{key} of what is not allowed: {listed(useless)}; add it to allowed, or leave it out", key
            )
    own = [text for key in OWN_MEANING for text in getattr(field, key)]
    meanings = {*field.allowed, *named, *variants}
    if double := sorted({text for text in own if own.count(text) > 1 or text in meanings}):
        key = next(key for key in OWN_MEANING if double[0] in getattr(field, key))
        raise WrongValueError(
            f"{listed(double)} has another meaning in this field; each text may have one", key
        )
    if field.type == "set":
        _check_separator(field, [*meanings])


def _check_separator(field: "SurveyField", texts: list[str]) -> None:
    """Raise WrongValueError for an answer of a set that holds the separator: it would be read as two."""
    if cut := sorted(text for text in texts if field.between in text):
        raise WrongValueError(
            f"{quoted(cut[0])} holds the separator {quoted(field.between)} and would be read as two answers",
            "separator",
        )
