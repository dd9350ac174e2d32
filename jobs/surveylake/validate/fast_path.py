"""The fast path of validation: values as a plain JSON writer writes them are validated without being parsed.

Such a value has every field once, in contract order, compact or with single spaces. Split at its colons, each piece has
one field's value between two texts that are known beforehand. The value is strict JSON by construction when every piece is
one of the contract's own texts (an allowed answer, a spelling, a blank), a whole number as a writer writes it, or printable
ASCII without quote and backslash between two quotes. It is plain when every field is acceptable too: then nothing is wrong
with it. Any other value is parsed (strict_json.py), with the same verdict, at several times the cost. That both agree is
tested in tests/validate/test_fast_path.py and test_fuzz.py.

The scaffolding columns start with `~`, which no contract column can.
"""

import re
from collections.abc import Iterator

from pyspark.sql import DataFrame

from surveylake import sql
from surveylake.contract.field_types import MOST_DIGITS
from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract
from surveylake.sql import TEXT
from surveylake.validate import rules
from surveylake.validate.cleaning import spelled, typed

WHOLE_NUMBER = re.compile("0|-?[1-9][0-9]*")
"""An integer as a JSON writer writes it."""
PLAIN = "`~plain`"
CUT = ":"
"""A value is split at colons: they stand between a name and its value, and are rarer in answers than commas."""
GAPS = (" ", "")
"""The text after a comma or a colon: Python's writer puts a blank there, most others nothing."""
UNFIT = {'"', "\\", CUT, *map(chr, range(32))}
"""Characters that no text of a plain value contains."""
UNQUOTED = "".join(chr(code) for code in range(32, 127) if chr(code) not in '"\\')
# Each character by itself: Java looks single characters up in a table, and compares ranges one by one.
PLAIN_TEXT = "^[" + "".join(c if c.isalnum() else "\\" + c for c in UNQUOTED) + r"]*\z"


def with_plain_fields(records: DataFrame, contract: Contract, max_bytes: int) -> DataFrame:
    """Add the contract's fields as typed columns, and `~plain` (boolean, never NULL): the fields are valid where it is true."""
    slots = [_Slot(i, field, contract) for i, field in enumerate(contract.fields.values())]
    pieces = f"split({TEXT}, {sql.text(CUT)}, {len(_skeleton(contract)) + 1}) AS `~pieces`"
    known = [f"{slot.known()} AS `~known{i}`" for i, slot in enumerate(slots)]
    free = [f"{slot.free()} AS `~free{i}`" for i, slot in enumerate(slots)]
    values = [
        f"{slot.value()} AS {sql.name(name)}" for name, slot in zip(contract.fields, slots, strict=True)
    ]
    received = [sql.name(column) for column in records.columns]
    fields = [sql.name(name) for name in contract.fields]
    return (
        records.selectExpr(*received, pieces)
        .selectExpr(*received, "`~pieces`", *known)
        .selectExpr(*received, "`~pieces`", *(f"`~known{i}`" for i in range(len(slots))), *free)
        .selectExpr("*", *values)
        .selectExpr(
            *received, *fields, f"coalesce({_is_plain(contract, slots, max_bytes)}, false) AS {PLAIN}"
        )
    )


class _Slot:
    """One field's place in a plain value, as SQL over `~pieces`."""

    def __init__(self, index: int, field: SurveyField, contract: Contract) -> None:
        self._index, self._field = index, field
        places = [place for place, part in enumerate(_skeleton(contract)) if part == index]
        parts = [f"get(`~pieces`, {place})" for place in places]
        self._piece = parts[0] if len(parts) == 1 else f"concat_ws({sql.text(CUT)}, {', '.join(parts)})"
        self._ends = [_end(index, contract, gap) for gap in GAPS]

    def known(self) -> str:
        """Return SQL: the clean text of one of the contract's own texts; NULL for any other."""
        whens = [
            f"WHEN {sql.text(gap + written + end)} THEN {sql.text(text)}"
            for written, text in _known(self._field).items()
            for gap, end in self._around()
        ]
        return f"CASE {self._piece} {' '.join(whens)} END" if whens else "CAST(NULL AS string)"

    def free(self) -> str:
        """Return SQL: the trimmed text between quotes, or of a bare number; NULL for one of the contract's own texts."""
        if _is_closed(self._field):
            return "CAST(NULL AS string)"
        quotes = ('"', "") if self._field.type == "integer" else ('"',)
        whens = [
            self._between(gap + quote, quote + end, least=not quote)
            for quote in quotes
            for gap, end in self._around()
        ]
        return f"CASE WHEN `~known{self._index}` IS NOT NULL THEN NULL {' '.join(whens)} END"

    def value(self) -> str:
        """Return SQL: the typed value."""
        known, free, field = f"`~known{self._index}`", f"`~free{self._index}`", self._field
        if field.type in ("string", "scale"):
            return (
                f"nullif({known if _is_closed(field) else f'coalesce({known}, {spelled(free, field)})'}, '')"
            )
        return typed(f"coalesce({known}, {free})", field)

    def is_acceptable(self, value: str) -> str:
        """Return SQL: whether the piece is strict JSON, except for the text of `free`, and its value acceptable."""
        known, free, field = f"`~known{self._index}`", f"`~free{self._index}`", self._field
        text = f"coalesce({known}, {free})"
        if field.type == "integer":
            # A number in any other spelling, such as 024, may be no JSON.
            text = f"IF({known} IS NOT NULL OR cast({value} AS string) = {free}, {text}, NULL)"
        answered = ""
        if field.missing and not _is_closed(field):
            # A word for a missing answer that blanks stand around: parsing finds it.
            answered = f" AND NOT coalesce({free} IN ({', '.join(map(sql.text, field.missing))}), false)"
        return f"{text} IS NOT NULL{answered} AND {rules.is_acceptable(text, value, field)}"

    def unchecked(self) -> str | None:
        """Return SQL: the text that may contain any character; None where there is none."""
        return None if _is_closed(self._field) or self._field.type == "integer" else f"`~free{self._index}`"

    def _around(self) -> Iterator[tuple[str, str]]:
        return zip(GAPS, self._ends, strict=True)

    def _between(self, before: str, after: str, least: bool) -> str:
        size = len(before.encode()) + len(after.encode())
        inner = f"substring(cast({self._piece} AS binary), {len(before.encode()) + 1}, octet_length({self._piece}) - {size})"
        starts = f"startswith({self._piece}, {sql.text(before)}) AND " if before else ""
        return (
            f"WHEN {starts}endswith({self._piece}, {sql.text(after)}) AND octet_length({self._piece}) >= {size + least}"
            f" THEN trim(cast({inner} AS string))"
        )


def _is_plain(contract: Contract, slots: list[_Slot], max_bytes: int) -> str:
    """Return SQL over `~pieces` and the columns of the slots: whether the value is strict JSON and every field acceptable."""
    skeleton = _skeleton(contract)
    checks = [f"size(`~pieces`) = {len(skeleton)}", f"octet_length(value) <= {max_bytes}"]
    checks += [
        f"get(`~pieces`, {i}) = {sql.text(part)}" for i, part in enumerate(skeleton) if isinstance(part, str)
    ]
    checks += [slot.is_acceptable(sql.name(name)) for name, slot in zip(contract.fields, slots, strict=True)]
    if texts := [f"coalesce({text}, '')" for slot in slots if (text := slot.unchecked())]:
        together = f"concat({', '.join(texts)})"
        checks += [f"{together} RLIKE {sql.text(PLAIN_TEXT)}", f"NOT contains({together}, '  ')"]
    return " AND ".join(checks)


def _skeleton(contract: Contract) -> list[str | int]:
    """Return the pieces of a plain value: a constant text, or the index of the field whose value is there."""
    pieces: list[str | int] = []
    fields = list(contract.fields.values())
    for i, source in enumerate(contract.sources):
        first, *more = f'{{"{source}"'.split(CUT) if not i else f'"{source}"'.split(CUT)
        pieces += [first, *more] if not i else more
        pieces += [i] * (1 + _cuts_within(fields[i]))
    return pieces


def _cuts_within(field: SurveyField) -> int:
    """Return how many colons the field's values have: those of a time of day."""
    if field.type != "timestamp":
        return 0
    return field.format.replace("XXX", CUT).count(CUT) if field.format else len(("hour", "minute"))


def _end(index: int, contract: Contract, gap: str) -> str:
    """Return the text between the index-th value and the next colon."""
    if index + 1 == len(contract.sources):
        return "}"
    return f',{gap}"{contract.sources[index + 1]}"'.split(CUT)[0]


def _known(field: SurveyField) -> dict[str, str]:
    """Return text in a plain value -> clean text, for the texts that the contract names."""
    blank = {} if field.required else {'""': "", "null": ""}
    names = dict.fromkeys(field.allowed) if field.allowed else dict.fromkeys(field.spellings)
    if field.type == "boolean":
        names = dict.fromkeys(("true", "false"))
    if field.type == "set":
        return blank
    texts = {name: name for name in names} | field.written_as
    quoted = {f'"{text}"': name for text, name in texts.items() if not set(text) & UNFIT}
    bare = {
        text: name
        for text, name in texts.items()
        if (field.type == "boolean" and text in ("true", "false"))
        or (WHOLE_NUMBER.fullmatch(text) and len(text) < MOST_DIGITS)
    }
    return blank | bare | quoted


def _is_closed(field: SurveyField) -> bool:
    """Return whether the contract names every acceptable text."""
    return (bool(field.allowed) and field.type != "set") or field.type == "boolean"
