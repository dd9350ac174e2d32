"""The ways in which answers go wrong, to be mixed into generated ones: each with the reason the stream should give."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from surveylake.contract.model import Contract, SurveyField

Cells: TypeAlias = dict[str, str]
"""Header name -> text of one answer, in contract order."""


@dataclass(frozen=True)
class Defect:
    """One kind of defect. It changes either the cells (so that a CSV can hold it) or the record's value."""

    name: str
    reason: str
    """what `failed_rules` should hold; '' for what cleaning repairs"""
    cells: Callable[[Cells, Cells], Cells] | None = None
    """(this answer, the one before it) -> cells"""
    value: Callable[[Cells], bytes | None] | None = None
    """this answer -> the record's bytes"""


def canonical(cells: Cells) -> bytes:
    """The answer as the producer writes it: a JSON object of strings."""
    return json.dumps(cells, ensure_ascii=False).encode()


def defects(contract: Contract, csv_only: bool = False) -> list[Defect]:
    """Every kind that this contract's fields allow, in a fixed order; with `csv_only` those a CSV can hold."""
    others = [field for name, field in contract.fields.items() if name != contract.key]
    found = _of_numbers(contract, others) + _of_text(others)
    return found if csv_only else found + _of_fields(others) + _of_bytes()


def _of_numbers(contract: Contract, fields: list[SurveyField]) -> list[Defect]:
    found = []
    bounded = next((field for field in fields if field.is_number and field.max is not None), None)
    if bounded is not None and bounded.max is not None:
        source, most = bounded.source, bounded.max

        def slip(cells: Cells, before: Cells) -> Cells:
            number = before[source] + "0"
            return {
                **before,
                source: number if "." not in number and float(number) > most else f"{int(most) * 10}",
            }

        found.append(Defect("answered twice, one zero too many", f"out_of_range:{source}", cells=slip))
    number = next((field for field in fields if field.is_number), None)
    if number is not None:
        found.append(
            _cell(
                "not a number", f"not_a_number:{number.source}", number.source, lambda text: f"about {text}"
            )
        )
    return found


def _of_text(fields: list[SurveyField]) -> list[Defect]:
    found = []
    for field in fields:
        if field.allowed:
            found.append(
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
            found.append(_cell("blank", f"blank:{field.source}", field.source, lambda _: "  "))
            break
    for field in fields:
        variants = [spelling for spellings in field.spellings.values() for spelling in spellings]
        if variants:
            found.append(
                _cell(
                    "another spelling, padded", "", field.source, lambda _, variant=variants[0]: f"{variant} "
                )
            )
            break
    return found


def _of_fields(fields: list[SurveyField]) -> list[Defect]:
    required = next((field.source for field in fields if field.required), None)
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


def _of_bytes() -> list[Defect]:
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
    return Defect(name, reason, cells=lambda cells, _: {**cells, source: change(cells[source])})
