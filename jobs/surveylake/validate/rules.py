"""The reasons for rejecting a record: at most one per field, then the contract's own rules. NULL fails a rule."""

import re

from surveylake import sql
from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract
from surveylake.validate.cleaning import DECIMAL_TEXT, DOUBLE_TEXT, INTEGER_TEXT, too_precise
from surveylake.validate.strict_json import KEY_EDGE


def shape_reasons(contract: Contract) -> list[str]:
    """Return SQL over `~keys`, `~names` and `~wrong`, one per reason: fields missing, in another case, nested, or unknown."""
    reasons = []
    for i, field in enumerate(contract.fields.values()):
        missing = f"NOT contains(`~names`, {_key(field.source)})"
        near = f"{missing} AND contains(lower(`~names`), {_key(field.source.lower())})"
        # A name that may be missing is misspelt all the same where it is there in another case.
        absent = missing if field.when_absent == "reject" else near
        reasons.append(_when(absent, "missing_field", field))
        reasons.append(_when(near, "wrong_case", field))
        if field.when_wrong == "reject":
            reasons.append(_when(f"`~wrong`[{i}]", "wrong_type", field))
    if contract.unknown_fields == "reject":
        known = ", ".join(sql.text(source) for source in contract.sources)
        reasons.append(f"IF(size(array_except(`~keys`, array({known}))) > 0, 'unknown_field', NULL)")
    return reasons


def is_acceptable(clean: str, value: str, field: SurveyField) -> str:
    """Return SQL: whether a field with the trimmed text `clean` and the typed `value` is acceptable; never NULL."""
    present = f"{value} IS NOT NULL"
    if not field.required:
        present = "true" if field.type == "set" else f"({present} OR coalesce({clean}, '') = '')"
    return " AND ".join([present, *(condition for condition, _ in limits(value, field))])


def field_reason(clean: str, value: str, field: SurveyField, wrong: str) -> str:
    """Return SQL: the reason against a field's value, such as `out_of_range:Age`, or NULL; also NULL if `~shape` has one.

    `wrong` is the SQL of whether the value is of another type.
    """
    # A set of which only separators are written is no answer.
    filled = f"{value} IS NOT NULL" if field.type == "set" else f"coalesce({clean}, '') <> ''"
    unreadable = f"{filled} AND {value} IS NULL"
    pattern = f"(^|{SEPARATOR})(missing_field|wrong_type):{sql.literal(field.source)}($|{SEPARATOR})"
    whens = [(f"(`~shape` IS NOT NULL AND `~shape` RLIKE {sql.text(pattern)})", "NULL")]
    if field.when_wrong == "blank":
        whens.append((wrong, "wrong_type"))
    if field.required:
        whens.append((f"NOT ({filled})", "blank"))
    if field.type in ("integer", "double"):
        number = INTEGER_TEXT if field.type == "integer" else DOUBLE_TEXT
        whens.append((f"{unreadable} AND {clean} RLIKE {sql.text(number)}", "out_of_range"))
    if field.type.startswith("decimal"):
        whens.append((f"{unreadable} AND {too_precise(clean, field)}", "too_precise"))
        whens.append((f"{unreadable} AND {clean} RLIKE {sql.text(DECIMAL_TEXT)}", "out_of_range"))
    if not field.is_text:
        whens.append((unreadable, f"not_a_{'number' if field.is_number else field.type}"))
    whens += [(f"NOT ({condition})", reason) for condition, reason in limits(value, field)]
    cases = [f"WHEN {condition} THEN {_reason(reason, field)}" for condition, reason in whens]
    return f"CASE {' '.join(cases)} END"


def limits(column: str, field: SurveyField) -> list[tuple[str, str]]:
    """Return (SQL pass condition on the typed `column`, reason) of each limit; NULL passes only where not required."""
    conditions = []
    if field.allowed:
        values = ", ".join(field.allowed if field.type == "integer" else map(sql.text, field.allowed))
        one, several = f"{column} IN ({values})", f"size(array_except({column}, array({values}))) = 0"
        conditions.append((several if field.type == "set" else one, "not_allowed"))
    if field.min is not None:
        conditions.append((f"{column} >= {field.min}", "out_of_range"))
    if field.max is not None:
        conditions.append((f"{column} <= {field.max}", "out_of_range"))
    if field.pattern is not None:
        conditions.append((f"{column} RLIKE {sql.text(java_pattern(field.pattern))}", "pattern"))
    return [
        (f"coalesce({condition}, {'false' if field.required else 'true'})", reason)
        for condition, reason in conditions
    ]


def java_pattern(pattern: str) -> str:
    """Return the contract's pattern as every Java reads it alike: before version 19, its `\\b` took letters beyond ASCII for
    letters of a word, though its `\\w` never did."""
    return PATTERN_PART.sub(lambda part: BOUNDARIES.get(part[0], part[0]), pattern)


def contract_rule(name: str, predicate: str) -> str:
    """Return SQL: the rule's name where the pass predicate is false or NULL; else NULL."""
    return f"IF({passes(predicate)}, NULL, {sql.text(name)})"


def passes(predicate: str) -> str:
    """Return SQL: whether the rule holds; NULL fails."""
    return f"coalesce({predicate}, false)"


def checks(contract: Contract) -> dict[str, str]:
    """Return constraint name -> SQL that holds for every accepted record: the CHECK constraints of `responses`."""
    constraints = {}
    for name, field in contract.fields.items():
        parts = [f"{sql.name(name)} IS NOT NULL"] if field.required else []
        parts += [condition for condition, _ in limits(sql.name(name), field)]
        if parts:
            constraints[f"{name}_is_acceptable"] = " AND ".join(parts)
    return {**constraints, **{name: passes(predicate) for name, predicate in contract.rules.items()}}


def listed(*reasons: str) -> str:
    """Return SQL: the reasons that are not NULL as one text; NULL when there is none."""
    return f"nullif(concat_ws({sql.text(SEPARATOR)}, {', '.join(reasons)}), '')"


PATTERN_PART = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
"""An escape, or a class with all that it holds."""
BOUNDARIES = {
    r"\b": r"(?:(?<=\w)(?!\w)|(?<!\w)(?=\w))",
    r"\B": r"(?:(?<=\w)(?=\w)|(?<!\w)(?!\w))",
}
"""What the ends of words are, and what is none, in terms of `\\w`."""
SEPARATOR = "\1"
"""Separates reasons in one text."""


def _when(condition: str, reason: str, field: SurveyField) -> str:
    return f"IF({condition}, {_reason(reason, field)}, NULL)"


def _reason(reason: str, field: SurveyField) -> str:
    return "NULL" if reason == "NULL" else sql.text(f"{reason}:{field.source}")


def _key(source: str) -> str:
    return sql.text(KEY_EDGE + source + KEY_EDGE)
