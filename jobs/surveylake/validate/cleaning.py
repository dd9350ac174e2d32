"""Text as received to typed values: trim, collapse blanks, one name per spelling, cast. Unknown stays NULL."""

from surveylake import sql
from surveylake.contract import date_format
from surveylake.contract.field_types import digits_of
from surveylake.contract.fields import SurveyField
from surveylake.validate.strict_json import BLANKS

INTEGER_TEXT = "^[+-]?[0-9]+$"
DECIMAL_TEXT = r"^[+-]?[0-9]+(\.[0-9]+)?$"
DOUBLE_TEXT = r"^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
DATE_TEXT = "^(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}$"
TIMESTAMP_TEXT = r"^(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?$"
OFFSET = "(Z|[+-][0-9]{2}:[0-9]{2})$"
LISTS = "^ARRAY<(STRING|BIGINT|DECIMAL|VOID)"
"""Lists of texts or of numbers, as `schema_of_variant` names them."""

CONTROL_AT_AN_END = r"^[\x01-\x1f\x7f]|[\x01-\x1f\x7f]$"
"""Control characters that a cast to a number would ignore; any other makes the cast fail."""
NO_DIGIT = "\ufffd"


def parsed_text(field: SurveyField, wrong: str) -> str:
    """Return SQL over `~json` and `~untidy`: the field's text, blanks collapsed, a JSON number as its digits.

    It is NULL where the field is absent, null or nested. `wrong` is the SQL of `is_wrong_type`. The texts of a list are joined
    by the separator of the set.
    """
    path = sql.path(field.source)
    text = f"try_variant_get(`~json`, {path}, 'string')"
    if field.type == "set":
        listed = f"array_join(try_variant_get(`~json`, {path}, 'array<string>'), {sql.text(field.between)})"
        text = f"IF(startswith({_kind(field)}, 'ARRAY'), {listed}, {text})"
    if field.type == "double":
        # A number beyond the largest double is one all the same: out of range.
        # By its value, as any other number: 9.9e1 is the text 99, which may be a word for no answer.
        number = f"regexp_replace(replace({text}, 'Infinity', '1E999'), '[.]0$', '')"
        text = f"IF({_kind(field)} = 'DOUBLE', {number}, {text})"
    text = f"IF({wrong}, NULL, {text})"
    collapsed = f"IF(`~untidy`, regexp_replace({text}, {sql.text(BLANKS + '+')}, ' '), {text})"
    if field.type not in ("integer", "double"):
        return collapsed
    return f"regexp_replace(trim({collapsed}), {sql.text(CONTROL_AT_AN_END)}, {sql.text(NO_DIGIT)})"


def is_wrong_type(field: SurveyField) -> str:
    """Return SQL over `~json`: whether the field's value is nested, or of another type; NULL where it is absent.

    A DOUBLE is a number with an exponent or too many digits: its text would differ from the one received.
    """
    others = {"OBJ", "ARR", "DOU", "BOO"} - {"boolean": {"BOO"}, "double": {"DOU"}, "set": {"ARR"}}.get(
        field.type, set()
    )
    wrong = f"substring({_kind(field)}, 1, 3) IN ({', '.join(map(sql.text, sorted(others)))})"
    if field.type != "set":
        return wrong
    return (
        f"({wrong} OR (startswith({_kind(field)}, 'ARRAY') AND NOT {_kind(field)} RLIKE {sql.text(LISTS)}))"
    )


def _kind(field: SurveyField) -> str:
    """Return SQL over `~json`: the type of the field's value, such as `BIGINT`; NULL where it is absent."""
    return f"schema_of_variant(try_variant_get(`~json`, {sql.path(field.source)}, 'variant'))"


def without_missing(clean: str, field: SurveyField) -> str:
    """Return SQL: an empty text where the trimmed text `clean` is a word for a missing answer, any other text unchanged."""
    if not field.missing:
        return clean
    return f"IF({clean} IN ({', '.join(map(sql.text, field.missing))}), '', {clean})"


def typed(clean: str, field: SurveyField) -> str:
    """Return SQL: the trimmed text `clean` as a value of the field's type, NULL where it does not denote one exactly."""
    if field.type in ("string", "scale"):
        return f"nullif({spelled(clean, field)}, '')"
    if field.type == "integer":
        return f"try_cast({clean} AS int)"
    if field.type == "boolean":
        return f"CASE lower({spelled(clean, field)}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    if field.type == "set":
        return _several(clean, field)
    if field.type == "double":
        return _floating(clean)
    if field.type == "timestamp":
        return _instant(clean, field)
    if field.type == "date" and field.format:
        return f"IF({clean} RLIKE {sql.text(date_format.pattern(field.format))}, CAST({_moment(clean, field)} AS date), NULL)"
    pattern = DATE_TEXT if field.type == "date" else DECIMAL_TEXT
    exact = "" if field.type == "date" else f" AND NOT {too_precise(clean, field)}"
    return f"IF({clean} RLIKE {sql.text(pattern)}{exact}, try_cast({clean} AS {field.sql_type}), NULL)"


def _floating(clean: str) -> str:
    """Return SQL: the text as a double, NULL where it is no number or beyond the largest one; -0 is 0."""
    number = f"try_cast({clean} AS double)"
    return f"IF({clean} RLIKE {sql.text(DOUBLE_TEXT)} AND abs({number}) < double('Infinity'), {number} + 0D, NULL)"


def _several(clean: str, field: SurveyField) -> str:
    """Return SQL: the answers in a cell, each once, in the order in which they are written; NULL where there is none."""
    answers = f"split({clean}, {sql.text(f' *{sql.literal(field.between)} *')})"
    if field.written_as:
        answers = f"transform({answers}, answer -> {spelled('answer', field)})"
    distinct = f"array_distinct(array_remove({answers}, ''))"
    return f"IF(size({distinct}) > 0, {distinct}, NULL)"


def _instant(clean: str, field: SurveyField) -> str:
    """Return SQL: the instant that the text denotes in the field's zone, or by an offset of its own."""
    pattern = date_format.pattern(field.format) if field.format else TIMESTAMP_TEXT
    moment = _moment(clean, field)
    if field.zone:
        local = f"to_utc_timestamp({moment}, {sql.text(field.zone)})"
        moment = local if field.format else f"IF({clean} RLIKE {sql.text(OFFSET)}, {moment}, {local})"
    # An offset may lead beyond the years that every reader of the table knows.
    known = f"{moment} BETWEEN timestamp'0001-01-01 00:00:00Z' AND timestamp'9999-12-31 23:59:59.999999Z'"
    return f"IF({clean} RLIKE {sql.text(pattern)} AND {known}, {moment}, NULL)"


def _moment(clean: str, field: SurveyField) -> str:
    """Return SQL: the text as a timestamp, in UTC where it has no offset; NULL for a day or a time that does not exist."""
    return (
        f"try_to_timestamp({clean}, {sql.text(field.format)})"
        if field.format
        else f"try_cast({clean} AS timestamp)"
    )


def spelled(clean: str, field: SurveyField) -> str:
    """Return SQL: the text that a declared one stands for, any other text unchanged."""
    whens = "".join(
        f" WHEN {sql.text(text)} THEN {sql.text(name)}" for text, name in field.written_as.items()
    )
    return f"CASE {clean}{whens} ELSE {clean} END" if whens else clean


def too_precise(clean: str, field: SurveyField) -> str:
    """Return SQL: whether the text is a decimal with more digits after the point than its type (a cast would round it)."""
    _, scale = digits_of(field.type) or (0, 0)
    beyond = rf"^[+-]?[0-9]+\.[0-9]{{{scale}}}[0-9]*[1-9][0-9]*$"
    return f"({clean} RLIKE {sql.text(beyond)})"
