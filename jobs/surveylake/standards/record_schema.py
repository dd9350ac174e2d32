"""JSON Schema of a survey's records: a record that fits it is accepted, as far as JSON Schema can say so.

It says less than the stream accepts: other blanks, needless zeros and the like are left out.
"""

import json
import re
from typing import Any

from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract
from surveylake.standards.number_forms import as_number, integer_forms, number_forms
from surveylake.standards.text_patterns import (
    CLEAN,
    DAY,
    END,
    MOMENT,
    NO_NUL,
    NOT_BLANK,
    in_brackets,
    literal,
    moments,
    whole,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MOST_WHOLE = 10**15
"""numbers up to here are written without an exponent"""
TRUTHS = ("true", "True", "TRUE"), ("false", "False", "FALSE")
UNSAID = (
    "JSON Schema cannot say: the survey's own rules, a name that stands twice, numbers with an exponent, "
    "half of a surrogate pair, values above the size limit."
)
Schema = dict[str, Any]


def record_schema(contract: Contract) -> str:
    """Return the schema as JSON."""
    schema: Schema = {
        "$schema": DIALECT,
        "title": contract.title or contract.name,
        "description": f"One answer to the survey {contract.name}, as a value of the Kafka topic {contract.topic}.",
        "$comment": UNSAID,
        "type": "object",
        "properties": {field.source: _property(field) for field in contract.fields.values()},
        "required": [field.source for field in contract.fields.values() if field.when_absent == "reject"],
        "propertyNames": {"pattern": NO_NUL, **_not_misspelt(contract)},
        "additionalProperties": contract.unknown_fields == "ignore",
    }
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _not_misspelt(contract: Contract) -> Schema:
    """Return what keeps the name of a field that may be absent from being there in another case: that is rejected."""
    names = [field.source for field in contract.fields.values() if field.when_absent == "blank"]
    other = [f"(?!{literal(name)}$){''.join(map(_either_case, name))}" for name in names]
    return {"not": {"pattern": f"^(?:{'|'.join(other)})$"}} if other else {}


def _either_case(letter: str) -> str:
    cases = dict.fromkeys((letter, letter.lower(), letter.upper()))
    return literal(letter) if len(cases) == 1 else f"(?:{'|'.join(map(literal, cases))})"


def _property(field: SurveyField) -> Schema:
    """Return the schema of one field."""
    about = {"title": field.label, "description": field.description}
    forms = _forms(field)
    if not field.required:
        forms += [{"type": "null"}, *_enum(["", *field.missing])]
    schema: Schema = {name: text for name, text in about.items() if text}
    schema |= forms[0] if len(forms) == 1 else {"anyOf": forms}
    if field.required and field.missing:
        truths = [text == "true" for text in field.missing if text in ("true", "false")]
        refused = schema.get("not", {}).get("enum", [])
        schema["not"] = {"enum": [*refused, *_with_numbers(field.missing), *truths]}
    return schema


def _forms(field: SurveyField) -> list[Schema]:
    """Return the ways in which an answer may be written."""
    if field.type == "set":
        return _sets(field)
    if field.is_text:
        return _texts(field)
    if field.type == "integer":
        return integer_forms(field)
    if field.is_number:
        return number_forms(field)
    if field.type == "boolean":
        return [
            {"type": "boolean"},
            *_enum([*TRUTHS[0], *TRUTHS[1], *field.true, *field.false], numbers=False),
        ]
    if field.format:
        return [{"type": "string", "pattern": whole(moments(field.format))}]
    if field.type == "date":
        return [{"type": "string", "format": "date", "pattern": whole(DAY)}]
    return [{"type": "string", "pattern": whole(MOMENT)}]


def _texts(field: SurveyField) -> list[Schema]:
    """Return the forms of a text: those listed, or any that the pattern takes."""
    meanings = {text: text for text in field.allowed} | field.written_as
    meanings = {text: name for text, name in meanings.items() if name}
    good = [text for text, name in meanings.items() if _is_acceptable(name, field)]
    if field.allowed:
        return _enum(good) or [{"allOf": [False]}]
    bad = [text for text in meanings if text not in good]
    free: Schema = {"type": "string", "allOf": [{"pattern": NO_NUL}]}
    if field.pattern:
        free["allOf"] += [{"pattern": CLEAN}, {"pattern": field.pattern}]
        return [*([free | {"not": {"enum": bad}}] if bad else [free]), *_enum(good, numbers=False)]
    if field.required:
        free["allOf"].append({"pattern": CLEAN if field.missing else NOT_BLANK})
    return [free, {"type": "integer", "minimum": -MOST_WHOLE, "maximum": MOST_WHOLE}]


def _sets(field: SurveyField) -> list[Schema]:
    """Return the forms of several answers: one text, or a list of texts, or of numbers that are codes."""
    if not field.allowed:
        return _free_sets(field)
    meanings = {text: text for text in field.allowed} | field.written_as
    known = [text for text, name in meanings.items() if name]
    answer = f"(?:{'|'.join(map(literal, sorted(known, key=len, reverse=True)))})"
    forms: list[Schema] = [
        {"type": "string", "pattern": whole(f"{answer}(?:{literal(field.between)} ?{answer})*")},
        {"type": "array", "items": {"enum": known}, "minItems": int(field.required)},
    ]
    if numbers := [number for text in known if (number := as_number(text)) is not None]:
        forms += [
            {"enum": numbers},
            {"type": "array", "items": {"enum": numbers}, "minItems": int(field.required)},
        ]
    return forms


def _free_sets(field: SurveyField) -> list[Schema]:
    """Return the forms of several answers that are not listed."""
    text: Schema = {"type": "string", "pattern": NO_NUL}
    if not field.required:
        return [text, {"type": "array", "items": text}]
    between = in_brackets(field.between)
    answer = f"{NOT_BLANK[:-1]}{between}\\u0000]"
    one: Schema = {"type": "string", "pattern": f"^[^\\u0000]*{answer}[^\\u0000]*{END}"}
    if field.missing:
        one = {
            "type": "string",
            "pattern": whole(f"{answer}+(?: {answer}+)*"),
            "not": {"enum": field.missing},
        }
    return [one, {"type": "array", "items": text, "contains": one}]


def _is_acceptable(name: str, field: SurveyField) -> bool:
    """Return whether a value is allowed and has the pattern."""
    return (not field.allowed or name in field.allowed) and (
        field.pattern is None or re.search(field.pattern, name, re.ASCII) is not None  # as Java matches
    )


def _enum(texts: list[str], numbers: bool = True) -> list[Schema]:
    """Return the form of texts that are listed, and of the numbers that count as such."""
    return [{"enum": _with_numbers(texts) if numbers else list(dict.fromkeys(texts))}] if texts else []


def _with_numbers(texts: list[str]) -> list[Any]:
    """Return the texts, and after them the numbers among them as numbers."""
    found = [as_number(text) for text in texts]
    return [*dict.fromkeys(texts), *(number for number in dict.fromkeys(found) if number is not None)]
