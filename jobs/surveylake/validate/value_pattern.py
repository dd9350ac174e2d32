"""The fast path of a survey of many questions: one regular expression proves a value, and `from_json` reads it.

For a few fields Spark's generated code is fastest (fast_path.py). It grows with the fields, and for hundreds Java compiles for
long: until then a field costs several times as much. Java's matcher and Spark's JSON reader are the same code for any survey.

`from_json` is lenient, so it is given only what matches. That is strict JSON: the layout's own texts, and between them the
contract's own texts, numbers as a writer writes them, and texts of characters that stand for themselves, without blanks that
cleaning would collapse. Limits, and words that stand for others, are looked at in the texts that it reads.
"""

from collections.abc import Iterable

from pyspark.sql import DataFrame

from surveylake import sql
from surveylake.contract.field_types import TEXTS
from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract
from surveylake.validate import rules
from surveylake.validate.cleaning import typed
from surveylake.validate.json_patterns import (
    BARE,
    DECIMAL,
    DOUBLE,
    ESCAPE,
    LETTERS_CLASS,
    SHORT_FRACTION,
    WHOLE,
    ascii_class,
    whole,
)
from surveylake.validate.layout import MOST_MEMBERS, Layout, Member
from surveylake.validate.slots import (
    NUMBERS,
    WHOLE_NUMBER,
    is_closed,
    known,
    numbers_for_nothing,
    stands_for_another,
)
from surveylake.validate.written_object import CUT

READ = "`~read`"
"""The column of a matched value's texts, by their names in it; NULL where a value is not matched."""
BROKEN = '"broken"'
"""What Spark's reader did not understand, though it is matched: it is parsed. No field's name has a quote."""
INTEGER = "(?:0|-?[1-9][0-9]{0,8})"
"""An integer that has 32 bits, whatever its digits."""
LETTER = f"[{ascii_class(without=' ')}{LETTERS_CLASS}]++"
ANY = f"[{ascii_class()}{LETTERS_CLASS}]++"


def suits(contract: Contract, layout: Layout) -> bool:
    """Return whether Java's stack is deep enough for the members, and Spark, for which case is nothing, can tell fields apart."""
    # As Java compares: two small letters may have one capital.
    alike = {source.upper().casefold().replace("\u0307", "") for source in contract.sources}
    is_distinct = len(alike) == len(contract.sources)
    return is_distinct and len(layout.members) <= MOST_MEMBERS


def with_texts(
    records: DataFrame, contract: Contract, max_bytes: int, layout: Layout, plain: str
) -> DataFrame:
    """Add the column `~read`, and the column `plain`: whether every field that it has is acceptable; never NULL."""
    schema = sql.text(", ".join(f"{sql.name(name)} STRING" for name in (*contract.sources, BROKEN)))
    options = f"map('columnNameOfCorruptRecord', {sql.text(BROKEN)})"
    proven = f"IF(octet_length(value) <= {max_bytes} AND {_is_matched(layout, contract)}, {sql.TEXT}, NULL)"
    checks = [
        f"{READ} IS NOT NULL AND {READ}.{sql.name(BROKEN)} IS NULL",
        *(check for field in contract.fields.values() for check in _checks(field)),
    ]
    return records.selectExpr("*", f"from_json({proven}, {schema}, {options}) AS {READ}").selectExpr(
        "*", f"coalesce({' AND '.join(checks)}, false) AS {plain}"
    )


def values(contract: Contract) -> dict[str, str]:
    """Return column name -> SQL over `~read`: the typed value, where the value is matched."""
    typed_values = {name: _value(field) for name, field in contract.fields.items()}
    # Spark makes one method of a stage's columns, however many casts are in it, but none where there is a lambda.
    first = next(iter(typed_values))
    return typed_values | {first: sql.let("it", typed_values[first], "it")}


def _is_matched(layout: Layout, contract: Contract) -> str:
    """Return SQL: whether the value has the layout's texts in their places, and between them what its members may be."""
    fields = list(contract.fields.values())
    # The longest first: the first that matches is taken.
    gaps = (sorted(texts, key=len, reverse=True) for texts in zip(*layout.gaps, strict=True))
    before, after = (_one_of(map(sql.literal, texts)) for texts in gaps)
    members = (
        f"{sql.literal(member.name + layout.before_colon + CUT)}{before}{_member(member, fields, layout.escapes)}"
        for member in layout.members
    )
    pattern = whole(sql.literal(layout.opening) + after.join(members) + sql.literal(layout.closing))
    # Java looks ASCII up faster, and most values have nothing else.
    tries = (pattern.replace(LETTERS_CLASS, ""), pattern)
    matched = f"({' OR '.join(f'{sql.TEXT} RLIKE {sql.text(each)}' for each in tries)})"
    return f"{matched} AND is_valid_utf8(value)" if layout.has_replacements else matched


def _member(member: Member, fields: list[SurveyField], escapes: bool) -> str:
    """Return what a member's value matches: the text that every message has, or a plain value."""
    escape = f"|{ESCAPE}" if escapes else ""
    if member.field is not None:
        return _field(fields[member.field], f'" ?+(?:(?:{LETTER}{escape}) ?+)++"', escapes)
    if member.constant is not None:
        return sql.literal(member.constant)
    return _one_of((f'"(?:{ANY}{escape})*+"', BARE))


def _field(field: SurveyField, text: str, escapes: bool) -> str:
    """Return what a field's value matches: one of the contract's texts, a number, or `text`.

    A required one is not blank: parsing has the reason.
    """
    forms = [form for form, name in known(field, escapes).items() if name or not field.required]
    written = [sql.literal(form) for form in sorted(forms, key=len, reverse=True)]
    if is_closed(field):
        return _one_of(written)
    if field.type.startswith(NUMBERS):
        quoted = {"integer": INTEGER, "double": DOUBLE}.get(field.type, DECIMAL)
        bare = (quoted,) if field.type in ("integer", "double") else (SHORT_FRACTION, WHOLE)
        return _one_of((*bare, f'" ?+{quoted} ?+"', *written))
    return _one_of((text, *written))


def _one_of(patterns: Iterable[str]) -> str:
    """Return a pattern that matches what the first of them matches that matches at all.

    It is atomic: Java's matcher comes back from it before it goes on, and its stack grows by a few calls for each member only.
    """
    each = list(dict.fromkeys(patterns))
    return each[0] if len(each) == 1 else f"(?>{'|'.join(each)})"


def _text(field: SurveyField) -> str:
    """Return SQL: the trimmed text of a matched value; NULL for null."""
    text = f"{READ}.{sql.name(field.source)}"
    return text if is_closed(field) else f"trim({text})"


def _value(field: SurveyField) -> str:
    """Return SQL: the typed value of a matched value; NULL also where it is none of the type."""
    text = _text(field)
    is_text = field.type in ("string", "scale")
    forms: dict[str, list[str]] = {"": ["''"]} if is_text and not field.required else {}
    for form, name in stands_for_another(field).items():
        forms.setdefault(name, []).append(sql.text(form))
    whens = []
    for name, those in forms.items():
        value = "NULL" if not name else sql.text(name) if is_text else typed(sql.text(name), field)
        whens.append(f"WHEN {text} IN ({', '.join(those)}) THEN {value}")
    otherwise = text if is_text else typed(text, field)
    return f"CASE {' '.join(whens)} ELSE {otherwise} END" if whens else otherwise


def _checks(field: SurveyField) -> list[str]:
    """Return SQL conditions: that a matched value is acceptable."""
    value, checks = f"({_value(field)})", []
    nothing = [text for text, name in stands_for_another(field).items() if not name]
    always = field.type in (*TEXTS, "integer") or is_closed(field)
    if field.required and (nothing or not always or field.type == "set"):
        checks.append(f"{value} IS NOT NULL")
    elif not field.required and not always:
        blank = ", ".join(map(sql.text, ("", *nothing)))
        checks.append(f"({value} IS NOT NULL OR coalesce({_text(field)}, '') IN ({blank}))")
    if numbers := numbers_for_nothing(field):
        # Written otherwise, such as 99.0 for 99: parsing knows whether it is the same text.
        same = ", ".join(sql.text(word) for word in nothing if WHOLE_NUMBER.fullmatch(word)) or "NULL"
        other = f"coalesce(NOT ({typed(_text(field), field)} IN ({numbers})), true)"
        checks.append(f"({other} OR coalesce({_text(field)} IN ({same}), false))")
    limits = rules.limits(value, field)
    return checks + [
        condition for condition, reason in limits if not (is_closed(field) and reason == "not_allowed")
    ]
