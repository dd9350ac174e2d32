"""A second opinion: the verdict of docs/verdicts.md in plain Python, one value at a time, sharing nothing with the SQL.

It reads JSON with Python's own parser, cleans with Python's own text functions and types with int, Decimal and date.
The contract's own rules are SQL, so a caller that has some gives each as a function of the typed row.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract

Value = str | int | bool | Decimal | date | None
Row = dict[str, Value]
Rule = Callable[[Row], bool | None]

BLANK = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
JSON_BLANK = " \t\r\n"
MOST_OPENED = 200
LONGEST_NUMBER = 1000
"""Digits; sign, point and the letter of an exponent do not count."""
EXACT_DIGITS = 38


@dataclass(frozen=True)
class Verdict:
    """What one value deserves: no reasons is accepted."""

    failed_rules: tuple[str, ...]
    row: Row

    @property
    def accepted(self) -> bool:
        return not self.failed_rules


class Members(list[tuple[str, object]]):
    """A JSON object as it was written: names and values in order, repeated names included."""


class Number(str):
    """A JSON number as it was written."""


def verdict(
    value: bytes | None, contract: Contract, max_bytes: int, rules: Mapping[str, Rule] | None = None
) -> Verdict:
    """The verdict on one Kafka value."""
    found = _members(value, max_bytes)
    if isinstance(found, str):
        return Verdict((found,), dict.fromkeys(contract.fields))
    members = dict(found)
    shape: list[str] = []
    for field in contract.fields.values():
        shape += _shape(field, members)
    if contract.unknown_fields == "reject" and set(members) - set(contract.sources):
        shape.append("unknown_field")
    row: Row = {}
    wrong: list[str] = []
    for name, field in contract.fields.items():
        held = members.get(field.source)
        readable = field.source in members and not _is_wrong_type(held, field)
        row[name], reason = _typed(_text(held) if readable else "", field)
        if readable and reason:
            wrong.append(f"{reason}:{field.source}")
    own = [name for name, holds in (rules or {}).items() if holds(row) is not True]
    assert list(rules or {}) == list(contract.rules), "every rule of the contract needs its function"
    return Verdict((*shape, *wrong, *own), row)


def _members(value: bytes | None, max_bytes: int) -> Members | str:
    """The one JSON object that the value is, or the reason that stands alone."""
    if value is None:
        return "tombstone"
    if other := _written_by_another(value):
        return other
    if len(value) > max_bytes:
        return "too_large"
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return "bad_encoding"
    if not text.strip(JSON_BLANK):
        return "empty_payload"
    if _names_no_character(text):
        return "bad_encoding"
    if _opened(text) > MOST_OPENED:
        return "too_large"
    return "malformed" if _is_broken_escape(text) else _parsed(text)


def _written_by_another(value: bytes) -> str:
    """The reason for bytes that begin as another format's do; '' for all others."""
    if value[:1] == value[1:2] == b"\x00" and len(value) > 8:
        return "schema_registry"
    if value[:4] == b"Obj\x01":
        return "avro_file"
    gzip, zstd, lz4, xz, zipped = "1f8b08", "28b52ffd", "04224d18", "fd377a58", "504b0304"
    framed, xerial = "ff060000", "82534e41"
    packed = value[:3].hex() == gzip or value[:4].hex() in (zstd, lz4, xz, zipped, framed, xerial)
    return "compressed" if packed else ""


def _parsed(text: str) -> Members | str:
    decoder = json.JSONDecoder(
        object_pairs_hook=Members, parse_int=_number, parse_float=_number, parse_constant=_refuse
    )
    start = len(text) - len(text.lstrip(JSON_BLANK))
    try:
        document, end = decoder.raw_decode(text, start)
    except ValueError:
        return "malformed"
    if text[end:].strip(JSON_BLANK):
        return "trailing_data" if isinstance(document, Members) else "malformed"
    if isinstance(document, str) and not isinstance(document, Number):
        inner = document.strip(JSON_BLANK)
        within = inner[1:-1].lstrip(JSON_BLANK)
        if len(inner) > 2 and inner[0] == "{" and inner[-1] == "}" and within[:1] == '"':
            return "encoded_twice"
    if not isinstance(document, Members):
        return "not_an_object"
    names = [name for name, _ in document]
    return document if len(names) == len(set(names)) else "duplicate_key"


def _number(digits: str) -> Number:
    if sum(map(str.isdigit, digits)) > LONGEST_NUMBER:
        raise ValueError("longer than any parser should read")
    return Number(digits)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _names_no_character(text: str) -> bool:
    """Whether a NUL, or an escape of NUL or of half a surrogate pair, is in it; read from left to right."""
    if "\0" in text:
        return True
    at, high = 0, False
    while at < len(text):
        code = _escaped(text, at)
        if code == 0 or (high and not (code is not None and 0xDC00 <= code <= 0xDFFF)):
            return True
        if code is not None and 0xDC00 <= code <= 0xDFFF and not high:
            return True
        high = code is not None and 0xD800 <= code <= 0xDBFF
        at += 6 if code is not None else 2 if text[at] == "\\" else 1
    return high


def _escaped(text: str, at: int) -> int | None:
    r"""The code of the escape `\uXXXX` that begins at `at`, or None."""
    digits = text[at + 2 : at + 6]
    is_escape = text.startswith("\\u", at) and len(digits) == 4
    return int(digits, 16) if is_escape and all(c in "0123456789abcdefABCDEF" for c in digits) else None


def _is_broken_escape(text: str) -> bool:
    """Whether a backslash and u are followed by anything but four hexadecimal digits, in a string or out of one."""
    at = 0
    while at < len(text):
        if text.startswith("\\u", at) and _escaped(text, at) is None:
            return True
        at += 2 if text[at] == "\\" else 1
    return False


def _opened(text: str) -> int:
    """How many objects and lists are opened outside strings; an escaped character opens nothing."""
    at, opened = 0, 0
    while at < len(text):
        if text[at] == '"':
            end = _closing_quote(text, at + 1)
            at = at if end is None else end
        opened += text[at] in "[{"
        at += 2 if text[at] == "\\" else 1
    return opened


def _closing_quote(text: str, at: int) -> int | None:
    while at < len(text):
        if text[at] == '"':
            return at
        at += 2 if text[at] == "\\" else 1
    return None


def _shape(field: SurveyField, members: dict[str, object]) -> list[str]:
    """What is wrong before the field's text is looked at."""
    if field.source in members:
        return [f"wrong_type:{field.source}"] if _is_wrong_type(members[field.source], field) else []
    near = any(name.lower() == field.source.lower() for name in members)
    return [f"missing_field:{field.source}", *([f"wrong_case:{field.source}"] if near else [])]


def _is_wrong_type(held: object, field: SurveyField) -> bool:
    if isinstance(held, bool):
        return field.type != "boolean"
    return isinstance(held, list) or (isinstance(held, Number) and not _is_exact(held))


def _is_exact(number: str) -> bool:
    """No exponent, and no more digits than are kept exactly."""
    whole, _, fraction = number.lstrip("-").partition(".")
    if not (whole + fraction).isdigit():
        return False
    return len((whole + fraction).lstrip("0")) <= EXACT_DIGITS and len(fraction) <= EXACT_DIGITS


def _text(held: object) -> str:
    """A string as it is; a number by its value, without needless zeros; true and false; null as nothing."""
    if held is None:
        return ""
    if isinstance(held, bool):
        return "true" if held else "false"
    if isinstance(held, Number):
        plain = held.rstrip("0").rstrip(".") if "." in held else str(held)
        return "0" if plain in ("-0", "") else plain
    return str(held)


def _cleaned(text: str) -> str:
    """Runs of blanks are one space, and none is left at the ends."""
    spaced = "".join(" " if c in BLANK else c for c in text)
    return " ".join(word for word in spaced.split(" ") if word)


def _typed(text: str, field: SurveyField) -> tuple[Value, str | None]:
    """The field's value, and what is wrong with it."""
    clean = _cleaned(text)
    if not clean or clean in field.missing:
        return None, "blank" if field.required else None
    if field.type == "string":
        value: Value = _spellings(field).get(clean, clean)
    elif field.type == "integer":
        value, reason = _integer(clean)
        if reason:
            return None, reason
    elif field.type == "boolean":
        words = {**dict.fromkeys(field.true, True), **dict.fromkeys(field.false, False)}
        value = words.get(clean, {"true": True, "false": False}.get(clean.lower()))
        if value is None:
            return None, "not_a_boolean"
    elif field.type == "date":
        value = _date(clean)
        if value is None:
            return None, "not_a_date"
    else:
        value, reason = _decimal(clean, field.type)
        if reason:
            return None, reason
    return value, _beyond(value, field)


@cache
def _pairs(spellings: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, str]:
    return {variant: known for known, variants in spellings for variant in variants}


def _spellings(field: SurveyField) -> dict[str, str]:
    return _pairs(tuple((known, tuple(variants)) for known, variants in field.spellings.items()))


def _integer(clean: str) -> tuple[int | None, str | None]:
    digits = clean[1:] if clean[0] in "+-" else clean
    if not (digits.isascii() and digits.isdigit()):
        return None, "not_a_number"
    number = int(clean) if len(digits.lstrip("0")) < 20 else 1 << 40
    return (number, None) if -(1 << 31) <= number < 1 << 31 else (None, "out_of_range")


def _decimal(clean: str, kind: str) -> tuple[Decimal | None, str | None]:
    whole, point, fraction = (clean[1:] if clean[0] in "+-" else clean).partition(".")
    if not all(part.isascii() and part.isdigit() for part in ([whole, fraction] if point else [whole])):
        return None, "not_a_number"
    precision, scale = (int(n) for n in kind.removeprefix("decimal(").rstrip(")").split(","))
    if len(fraction.rstrip("0")) > scale:
        return None, "too_precise"
    if len(whole.lstrip("0")) > precision - scale:
        return None, "out_of_range"
    return Decimal(clean), None


def _date(clean: str) -> date | None:
    shaped = len(clean) == 10 and clean.isascii() and clean[4] == clean[7] == "-"
    try:
        return (
            date(int(clean[:4]), int(clean[5:7]), int(clean[8:])) if shaped and _all_digits(clean) else None
        )
    except ValueError:
        return None


def _all_digits(clean: str) -> bool:
    return (clean[:4] + clean[5:7] + clean[8:]).isdigit()


def _beyond(value: Value, field: SurveyField) -> str | None:
    """Which of the field's limits the value breaks first."""
    if field.allowed and str(value) not in field.allowed:
        return "not_allowed"
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        low = field.min is not None and value < Decimal(str(field.min))
        high = field.max is not None and value > Decimal(str(field.max))
        if low or high:
            return "out_of_range"
    if field.pattern is not None and not re.search(field.pattern, str(value)):
        return "pattern"
    return None
