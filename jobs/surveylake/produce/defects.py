"""Defects for generated answers, each with the reason for which the stream should reject it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract

Cells: TypeAlias = dict[str, str]
"""Header name -> text of one answer, in contract order."""


@dataclass(frozen=True)
class Defect:
    """One kind of defect: a change of the cells, which a CSV can hold, or of the record's value."""

    name: str
    reason: str
    """the expected entry of `failed_rules`; '' for a defect that cleaning repairs"""
    cells: Callable[[Cells, Cells], Cells] | None = None
    """(this answer, the one before it) -> cells"""
    value: Callable[[Cells], bytes | None] | None = None
    """this answer -> the record's bytes"""


def canonical(cells: Cells) -> bytes:
    """Return the answer's bytes as the producer writes them: a JSON object of strings."""
    return json.dumps(cells, ensure_ascii=False).encode()


def defects(contract: Contract, csv_only: bool = False) -> list[Defect]:
    """Return every kind that the contract's fields allow, in a fixed order; with `csv_only` those that a CSV can hold."""
    others = [
        field
        for name, field in contract.fields.items()
        if name != contract.key and field.when_wrong == "reject"
    ]
    kinds = _number_defects(others) + _time_defects(others) + _text_defects(others)
    return kinds if csv_only else kinds + _field_defects(others) + _byte_defects()


def _number_defects(fields: list[SurveyField]) -> list[Defect]:
    """Return defects of numbers: out of range, not a number."""
    kinds = []
    bounded = next((field for field in fields if field.is_number and field.max is not None), None)
    if bounded is not None and bounded.max is not None:
        source, most = bounded.source, bounded.max

        def slip(cells: Cells, before: Cells) -> Cells:
            number = before[source] + "0"
            return {
                **before,
                source: number if "." not in number and float(number) > most else f"{int(most) * 10}",
            }

        kinds.append(Defect("answered twice, one zero too many", f"out_of_range:{source}", cells=slip))
    number = next((field for field in fields if field.is_number), None)
    if number is not None:
        kinds.append(
            _cell(
                "not a number", f"not_a_number:{number.source}", number.source, lambda text: f"about {text}"
            )
        )
    return kinds


def _time_defects(fields: list[SurveyField]) -> list[Defect]:
    """Return the defect of the first timestamp: words behind it."""
    field = next((field for field in fields if field.type == "timestamp"), None)
    if field is None:
        return []
    return [
        _cell("not a time", f"not_a_timestamp:{field.source}", field.source, lambda text: f"{text} or later")
    ]


def _text_defects(fields: list[SurveyField]) -> list[Defect]:
    """Return defects of texts: not allowed, blank, another spelling; each of the first field that allows it."""
    kinds = []
    for field in fields:
        if field.allowed and field.is_text:
            kinds.append(
                _cell(
                    "not an allowed value",
                    f"not_allowed:{field.source}",
                    field.source,
                    lambda text: f"not {text}",
                )
            )
            break
    for field in fields:
        if field.required:
            kinds.append(_cell("blank", f"blank:{field.source}", field.source, lambda _: "  "))
            break
    for field in fields:
        variants = [spelling for spellings in field.spellings.values() for spelling in spellings]
        if variants:
            kinds.append(
                _cell(
                    "another spelling, padded", "", field.source, lambda _, variant=variants[0]: f"{variant} "
                )
            )
            break
    return kinds


def _field_defects(fields: list[SurveyField]) -> list[Defect]:
    """Return defects of a required field in the JSON object: missing, in another case, nested, twice."""
    required = next((field.source for field in fields if field.required and field.type != "set"), None)
    if required is None:
        return []

    def without(cells: Cells) -> Cells:
        return {name: text for name, text in cells.items() if name != required}

    def nested(cells: Cells) -> bytes:
        return json.dumps({**cells, required: [cells[required]]}, ensure_ascii=False).encode()

    def other_case(cells: Cells) -> bytes:
        return canonical({**without(cells), required.swapcase(): cells[required]})

    def doubled(cells: Cells) -> bytes:
        again = json.dumps({required: cells[required]}, ensure_ascii=False)[1:]
        return canonical(cells)[:-1] + b", " + again.encode()

    return [
        Defect("missing field", f"missing_field:{required}", value=lambda cells: canonical(without(cells))),
        Defect("field in another case", f"wrong_case:{required}", value=other_case),
        Defect("wrong type", f"wrong_type:{required}", value=nested),
        Defect("duplicate key", "duplicate_key", value=doubled),
    ]


def _byte_defects() -> list[Defect]:
    """Return defects of the record's bytes."""
    return [
        Defect("malformed JSON", "malformed", value=lambda cells: canonical(cells)[:-1]),
        Defect(
            "not an object", "not_an_object", value=lambda cells: json.dumps(list(cells.values())).encode()
        ),
        Defect("trailing data", "trailing_data", value=lambda cells: canonical(cells) * 2),
        Defect("bad encoding", "bad_encoding", value=lambda cells: canonical(cells)[:-2] + b'\xe9"}'),
        Defect("empty payload", "empty_payload", value=lambda _: b""),
        Defect("tombstone", "tombstone", value=lambda _: None),
        Defect(
            "written through a registry",
            "schema_registry",
            value=lambda cells: b"\0\0\0\0\7" + canonical(cells),
        ),
        Defect(
            "encoded twice",
            "encoded_twice",
            value=lambda cells: json.dumps(canonical(cells).decode()).encode(),
        ),
    ]


def _cell(name: str, reason: str, source: str, change: Callable[..., str]) -> Defect:
    """Return a defect of one cell."""
    return Defect(name, reason, cells=lambda cells, _: {**cells, source: change(cells[source])})
