"""A second opinion: the verdict of docs/verdicts.md in plain Python, one value at a time, sharing nothing with the SQL.

It reads JSON with Python's own parser, cleans with Python's own text functions and types with int, Decimal and date.
The contract's own rules are SQL, so a caller that has some gives each as a function of the typed row.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract

Value = str | int | float | bool | Decimal | date | datetime | list[str] | None
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
BY_EXPONENT = 1e7
"""A whole number from here on that was written with an exponent is so in the text of its value, too."""


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
        none: Row = {"blanked": None} if contract.may_blank else {}
        return Verdict((found,), {**dict.fromkeys(contract.fields), **none})
    members = dict(found)
    shape: list[str] = []
    for field in contract.fields.values():
        shape += _shape(field, members)
    if contract.unknown_fields == "reject" and set(members) - set(contract.sources):
        shape.append("unknown_field")
    row: Row = {}
    wrong: list[str] = []
    blanked: list[str] = []
    for name, field in contract.fields.items():
        held = members.get(field.source)
        readable = field.source in members and not _is_wrong_type(held, field)
        row[name], reason = _typed(_text(held, field) if readable else "", field)
        costs_itself_only = field.when_wrong == "blank"
        if costs_itself_only and field.source in members and not readable:
            blanked.append(f"wrong_type:{field.source}")
        if readable and reason:
            (blanked if costs_itself_only else wrong).append(f"{reason}:{field.source}")
            row[name] = None if costs_itself_only else row[name]
    if contract.may_blank:
        row["blanked"] = blanked or None
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
        wrong = _is_wrong_type(members[field.source], field) and field.when_wrong == "reject"
        return [f"wrong_type:{field.source}"] if wrong else []
    near = any(name.lower() == field.source.lower() for name in members)
    if field.when_absent == "blank" and not near:
        return []
    return [f"missing_field:{field.source}", *([f"wrong_case:{field.source}"] if near else [])]


def _is_wrong_type(held: object, field: SurveyField) -> bool:
    if isinstance(held, bool):
        return field.type != "boolean"
    if isinstance(held, list) and not isinstance(held, Members) and field.type == "set":
        return not _is_list_of_one_kind(held)
    return isinstance(held, list) or (
        isinstance(held, Number) and field.type != "double" and not _is_exact(held)
    )


def _is_list_of_one_kind(held: list[object]) -> bool:
    """Whether it has texts, or exact numbers, and nothing else but nulls."""
    values = [value for value in held if value is not None]
    numbers = [value for value in values if isinstance(value, Number)]
    if numbers:
        return len(numbers) == len(values) and all(map(_is_exact, numbers))
    return all(isinstance(value, str) for value in values)


def _is_exact(number: str) -> bool:
    """No exponent, and no more digits than are kept exactly."""
    whole, _, fraction = number.lstrip("-").partition(".")
    if not (whole + fraction).isdigit():
        return False
    return len((whole + fraction).lstrip("0")) <= EXACT_DIGITS and len(fraction) <= EXACT_DIGITS


def _text(held: object, field: SurveyField) -> str:
    """A string as it is; a number by its value, without needless zeros; true and false; null as nothing; a list joined."""
    if held is None:
        return ""
    if isinstance(held, list):
        return (field.separator or ";").join(_text(value, field) for value in held if value is not None)
    if isinstance(held, bool):
        return "true" if held else "false"
    if isinstance(held, Number):
        if "e" in held.lower() and abs(float(held)) < BY_EXPONENT and float(held).is_integer():
            return str(int(float(held)))
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
    value, reason = _denoted(clean, field)
    if reason or (value is None and field.type == "set"):
        return None, reason or ("blank" if field.required else None)
    return value, _beyond(value, field)


def _denoted(clean: str, field: SurveyField) -> tuple[Value, str | None]:
    """The value that a text which is no blank denotes, or why it denotes none."""
    if field.type in ("string", "scale"):
        return _spellings(field).get(clean, clean), None
    if field.type == "set":
        return _several(clean, field), None
    if field.type == "integer":
        return _integer(clean)
    if field.type == "double":
        return _double(clean)
    if field.type.startswith("decimal"):
        return _decimal(clean, field.type)
    if field.type == "boolean":
        words = {**dict.fromkeys(field.true, True), **dict.fromkeys(field.false, False)}
        value: Value = words.get(clean, {"true": True, "false": False}.get(clean.lower()))
    elif field.type == "timestamp":
        value = _instant(clean, field)
    else:
        moment = _moment(clean, field.format) if field.format else None
        value = _date(clean) if not field.format else moment.date() if moment else None
    return value, f"not_a_{field.type}" if value is None else None


@cache
def _pairs(spellings: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, str]:
    return {variant: known for known, variants in spellings for variant in variants}


def _spellings(field: SurveyField) -> dict[str, str]:
    return {
        **_pairs(tuple((known, tuple(words)) for known, words in field.spellings.items())),
        **field.labels,
    }


def _several(clean: str, field: SurveyField) -> list[str] | None:
    """The answers in a cell, each once."""
    answers: dict[str, None] = {}
    for part in clean.split(field.separator or ";"):
        answer = part.strip(" ")
        if answer and answer not in field.missing:
            answers[_spellings(field).get(answer, answer)] = None
    return list(answers) or None


def _double(clean: str) -> tuple[float | None, str | None]:
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", clean):
        return None, "not_a_number"
    number = float(clean) + 0.0
    return (number, None) if abs(number) != float("inf") else (None, "out_of_range")


FORMAT_LETTERS = {
    "yyyy": r"(?P<year>\d{4})", "yy": r"(?P<year>\d\d)", "MMM": "(?P<name>[A-Za-z]{3})", "MM": r"(?P<month>\d\d)", "M": r"(?P<month>\d\d?)",
    "dd": r"(?P<day>\d\d)", "d": r"(?P<day>\d\d?)", "HH": r"(?P<hour>\d\d)", "H": r"(?P<hour>\d\d?)", "hh": r"(?P<half>\d\d)",
    "h": r"(?P<half>\d\d?)", "mm": r"(?P<minute>\d\d)", "ss": r"(?P<second>\d\d)", "SSS": r"(?P<milli>\d{3})",
    "a": "(?P<noon>[AaPp][Mm])", "XXX": r"(?P<offset>Z|[+-]\d\d:\d\d)",
}  # fmt: skip
ISO = r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)[T ](?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<micro>\d{1,6}))?)?(?P<offset>Z|[+-]\d\d:\d\d)?"
MONTH_NAMES = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


@cache
def _compiled(form: str) -> re.Pattern[str]:
    parts = re.findall(r"'[^']*'|[A-Za-z]+|[^A-Za-z']", form)
    return re.compile(
        "".join(FORMAT_LETTERS.get(part) or re.escape(part.strip("'")) for part in parts), re.ASCII
    )


def _moment(clean: str, form: str | None) -> datetime | None:
    """The time that the text says, with its offset if it has one; None for one that does not exist."""
    match = _compiled(form).fullmatch(clean) if form else re.fullmatch(ISO, clean, re.ASCII)
    if not match:
        return None
    said = {name: value for name, value in match.groupdict().items() if value is not None}
    try:
        month = MONTH_NAMES.index(said["name"].lower()) + 1 if "name" in said else int(said["month"])
        year = int(said["year"]) + (2000 if len(said["year"]) == 2 else 0)
        hour = int(said.get("hour", 0))
        if "half" in said:
            if not 1 <= int(said["half"]) <= 12:
                return None
            hour = int(said["half"]) % 12 + (12 if said["noon"].lower() == "pm" else 0)
        micro = int(said.get("milli", "0")) * 1000 or int(said.get("micro", "0").ljust(6, "0"))
        moment = datetime(
            year,
            month,
            int(said["day"]),
            hour,
            int(said.get("minute", 0)),
            int(said.get("second", 0)),
            micro,
            UTC,
        )
        if (offset := said.get("offset", "Z")) == "Z":
            return moment if "offset" not in said else moment.replace(fold=1)
        ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:]))
        if ahead > timedelta(hours=18) or int(offset[4:]) > 59:
            return None
        return (moment - ahead if offset[0] == "+" else moment + ahead).replace(fold=1)
    except (ValueError, OverflowError):
        return None


def _instant(clean: str, field: SurveyField) -> datetime | None:
    """The instant in UTC: a time without an offset (fold 0) is meant in the field's zone."""
    moment = _moment(clean, field.format)
    if moment is None or moment.fold or not field.zone:
        return moment.replace(fold=0) if moment else None
    try:
        return moment.replace(tzinfo=ZoneInfo(field.zone)).astimezone(UTC)
    except OverflowError:
        return None


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
    values = value if isinstance(value, list) else [str(value)]
    if field.allowed and not set(values) <= set(field.allowed):
        return "not_allowed"
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        low = field.min is not None and _apart(value, field.min) < 0
        high = field.max is not None and _apart(value, field.max) > 0
        if low or high:
            return "out_of_range"
    # Java's regular expressions know no letters and digits beyond ASCII, but for those that are written out.
    if field.pattern is not None and not re.search(field.pattern, str(value), re.ASCII):
        return "pattern"
    return None


def _apart(value: int | float | Decimal, limit: int | float) -> int:
    """The sign of value - limit: of doubles where the value is one, or the limit is so small or large that SQL has an exponent."""
    has_exponent = isinstance(limit, float) and limit != 0 and not 1e-4 <= abs(limit) < 1e16
    if isinstance(value, float) or has_exponent:
        return (float(value) > float(limit)) - (float(value) < float(limit))
    return (Decimal(value) > Decimal(str(limit))) - (Decimal(value) < Decimal(str(limit)))
