"""Text as received to typed values: trim, collapse blanks, one name per spelling, cast. Unknown stays NULL."""

from surveylake import sql
from surveylake.contract.field_types import DECIMAL
from surveylake.contract.fields import SurveyField
from surveylake.validate.strict_json import BLANKS

INTEGER_TEXT = "^[+-]?[0-9]+$"
DECIMAL_TEXT = r"^[+-]?[0-9]+(\.[0-9]+)?$"
DATE_TEXT = "^(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}$"

CONTROL_AT_AN_END = r"^[\x01-\x1f\x7f]|[\x01-\x1f\x7f]$"
"""Control characters that a cast to a number would ignore; any other makes the cast fail."""
NO_DIGIT = "\ufffd"


def parsed_text(field: SurveyField, wrong: str) -> str:
    """Return SQL over `~json` and `~untidy`: the field's text, blanks collapsed, a JSON number as its digits.

    It is NULL where the field is absent, null or nested. `wrong` is the SQL of `is_wrong_type`.
    """
    text = f"IF({wrong}, NULL, try_variant_get(`~json`, {sql.path(field.source)}, 'string'))"
    collapsed = f"IF(`~untidy`, regexp_replace({text}, {sql.text(BLANKS + '+')}, ' '), {text})"
    if field.type != "integer":
        return collapsed
    return f"regexp_replace(trim({collapsed}), {sql.text(CONTROL_AT_AN_END)}, {sql.text(NO_DIGIT)})"


def is_wrong_type(field: SurveyField) -> str:
    """Return SQL over `~json`: whether the field's value is nested, or of another type; NULL where it is absent.

    A DOUBLE is a number with an exponent or too many digits: its text would differ from the one received.
    """
    others = ["OBJ", "ARR", "DOU", *([] if field.type == "boolean" else ["BOO"])]
    kind = f"schema_of_variant(try_variant_get(`~json`, {sql.path(field.source)}, 'variant'))"
    return f"substring({kind}, 1, 3) IN ({', '.join(map(sql.text, others))})"


def without_missing(clean: str, field: SurveyField) -> str:
    """Return SQL: an empty text where the trimmed text `clean` is a word for a missing answer, any other text unchanged."""
    if not field.missing:
        return clean
    return f"IF({clean} IN ({', '.join(map(sql.text, field.missing))}), '', {clean})"


def typed(clean: str, field: SurveyField) -> str:
    """Return SQL: the trimmed text `clean` as a value of the field's type, NULL where it does not denote one exactly."""
    if field.type == "string":
        return f"nullif({spelled(clean, field)}, '')"
    if field.type == "integer":
        return f"try_cast({clean} AS int)"
    if field.type == "boolean":
        return f"CASE lower({spelled(clean, field)}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    pattern = DATE_TEXT if field.type == "date" else DECIMAL_TEXT
    exact = "" if field.type == "date" else f" AND NOT {too_precise(clean, field)}"
    return f"IF({clean} RLIKE {sql.text(pattern)}{exact}, try_cast({clean} AS {field.sql_type}), NULL)"


def spelled(clean: str, field: SurveyField) -> str:
    """Return SQL: the text that a declared one stands for, any other text unchanged."""
    whens = "".join(
        f" WHEN {sql.text(text)} THEN {sql.text(name)}" for text, name in field.written_as.items()
    )
    return f"CASE {clean}{whens} ELSE {clean} END" if whens else clean


def too_precise(clean: str, field: SurveyField) -> str:
    """Return SQL: whether the text is a decimal with more digits after the point than its type (a cast would round it)."""
    match = DECIMAL.fullmatch(field.type)
    scale = int(match.group(2)) if match else 0
    beyond = rf"^[+-]?[0-9]+\.[0-9]{{{scale}}}[0-9]*[1-9][0-9]*$"
    return f"({clean} RLIKE {sql.text(beyond)})"
