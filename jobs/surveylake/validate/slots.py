"""The places of a layout as SQL over `~pieces`: a field's value, or another member's."""

import json
import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from surveylake import sql
from surveylake.contract.field_types import MOST_DIGITS
from surveylake.contract.fields import SurveyField
from surveylake.validate import rules
from surveylake.validate.cleaning import typed
from surveylake.validate.json_patterns import BARE, DECIMAL, DOUBLE, whole
from surveylake.validate.layout import Layout
from surveylake.validate.written_object import CUT

WHOLE_NUMBER = re.compile("0|-?[1-9][0-9]*")
"""An integer as a JSON writer writes it."""
UNFIT = {'"', "\\", "\ufffd", *map(chr, range(32))}
"""Characters that no text of a plain value contains. The last but 32 is what Java reads where bytes are no UTF-8."""
Shape: TypeAlias = Callable[[str], str]
"""SQL of a text -> SQL of what is made of it."""
NUMBERS = ("integer", "double", "decimal")


class _Place:
    """One member's place in a value."""

    def __init__(self, at: int, layout: Layout) -> None:
        self._at, self._layout = at, layout
        self._places = [place for place, piece in enumerate(layout.skeleton) if piece == at]
        self._colons = len(self._places) - 1

    def name(self, part: str) -> str:
        """Return the name of a scaffolding column, in backticks."""
        return f"`~{part}{self._at}`"

    def piece(self, pieces: str) -> str:
        """Return SQL: the piece of a value with this member's value in it; `pieces` is the SQL of all of them."""
        parts = [f"get({pieces}, {place})" for place in self._places]
        return parts[0] if len(parts) == 1 else f"concat_ws({sql.text(CUT)}, {', '.join(parts)})"

    def _around(self) -> Iterator[tuple[str, str]]:
        """Yield the texts before and after the value, in each spacing that the layout allows."""
        yield from ((gap[0], self._layout.end(self._at, gap)) for gap in self._layout.gaps)

    def _between(self, before: str, after: str, least: int = 0) -> tuple[str, str]:
        """Return SQL: whether the piece is a value between two texts, of `least` bytes or more, and that value."""
        piece, size = self.name("piece"), len(before.encode()) + len(after.encode())
        inner = (
            f"substring(cast({piece} AS binary), {len(before.encode()) + 1}, octet_length({piece}) - {size})"
        )
        starts = f"startswith({piece}, {sql.text(before)}) AND " if before else ""
        long = f"octet_length({piece}) >= {size + least}"
        return f"{starts}endswith({piece}, {sql.text(after)}) AND {long}", f"cast({inner} AS string)"


class Slot(_Place):
    """A field's place; `place` is that of the field in the contract."""

    def __init__(self, at: int, place: int, field: SurveyField, layout: Layout) -> None:
        super().__init__(at, layout)
        self.place, self._field = place, field
        self._is_number = field.type.startswith(NUMBERS)

    @property
    def decodes(self) -> bool:
        """Whether the text may have escapes, which stand for letters."""
        return self._layout.escapes and not is_closed(self._field) and not self._is_number

    def raw(self) -> str:
        """Return SQL: the text between quotes, as it is written."""
        return f"CASE {' '.join(self._free(lambda text: text))} END"

    def text(self) -> str:
        """Return SQL: the clean text of one of the contract's own texts; else the trimmed text between quotes, or of a bare
        number; NULL for what is neither."""
        piece = self.name("piece")
        whens = [
            f"WHEN {piece} = {sql.text(before + written + after)} THEN {sql.text(text)}"
            for written, text in known(self._field, self._layout.escapes).items()
            if written.count(CUT) == self._colons
            for before, after in self._around()
        ]
        if self.decodes:
            raw = self.name("raw")
            decoded = f"CAST(try_parse_json(concat('\"', {raw}, '\"')) AS string)"
            whens.append(f"WHEN contains({raw}, {sql.text(chr(92))}) THEN trim({decoded}) ELSE trim({raw})")
        elif not is_closed(self._field):
            # Blanks alone are no number, and nothing at all is no JSON.
            whens += self._free(
                lambda text: f"nullif(trim({text}), '')" if self._is_number else f"trim({text})"
            )
        return f"CASE {' '.join(whens)} END" if whens else "CAST(NULL AS string)"

    def _free(self, shape: Shape) -> list[str]:
        """Return branches of a CASE: the text between the texts around it."""
        whens = []
        for before, after in self._around():
            for quote in ('"', "") if self._is_number else ('"',):
                fits, text = self._between(before + quote, quote + after, least=0 if quote else 1)
                whens.append(f"WHEN {fits} THEN {shape(text)}")
        return whens

    def value(self) -> str:
        """Return SQL: the typed value, where the text is acceptable."""
        text, field = self.name("text"), self._field
        if field.type in ("string", "scale"):
            return f"nullif({text}, '')"
        return f"nullif({text}, '') = 'true'" if field.type == "boolean" else typed(text, field)

    def is_acceptable(self, value: str) -> str:
        """Return SQL: whether the piece is strict JSON, except for the text of `unchecked`, and its value acceptable."""
        text, field = self.name("text"), self._field
        checks = [f"{text} IS NOT NULL"]
        if field.type == "integer":
            # A number in any other spelling, such as 024, may be no JSON.
            checks.append(f"({text} = '' OR cast({value} AS string) = {text})")
        elif self._is_number:
            number = whole(DOUBLE if field.type == "double" else DECIMAL)
            checks.append(f"({text} = '' OR {text} RLIKE {sql.text(number)})")
        if others := {} if is_closed(field) else stands_for_another(field):
            # With blanks around it: parsing finds what it stands for.
            checks.append(f"NOT ({text} IN ({', '.join(map(sql.text, others))}))")
        if numbers := numbers_for_nothing(field):
            # Written otherwise, such as 99.0 for 99: parsing knows whether it is the same text.
            checks.append(f"coalesce(NOT ({value} IN ({numbers})), true)")
        return " AND ".join([*checks, rules.is_acceptable(text, value, field)])

    def unchecked(self) -> str | None:
        """Return SQL: the text that may contain any character; None where there is none."""
        if is_closed(self._field) or self._is_number:
            return None
        return self.name("raw" if self.decodes else "text")


class Extra(_Place):
    """The place of a member that the contract does not have."""

    def is_sound(self) -> str:
        """Return SQL: whether the piece is the text that every message has, or a plain value."""
        constant = self._layout.members[self._at].constant
        if constant is not None:
            texts = ", ".join(sql.text(before + constant + after) for before, after in self._around())
            return f"{self.name('piece')} IN ({texts})"
        fits = [self._between(before + '"', '"' + after)[0] for before, after in self._around()]
        bare = [self._between(before, after, least=1) for before, after in self._around()]
        fits += [f"({fit} AND {text} RLIKE {sql.text(whole(BARE))})" for fit, text in bare]
        return f"({' OR '.join(fits)})"

    def unchecked(self) -> str | None:
        """Return SQL: the text that may contain any character; None where there is none."""
        if self._layout.members[self._at].constant is not None:
            return None
        whens = [self._between(before + '"', '"' + after) for before, after in self._around()]
        return f"CASE {' '.join(f'WHEN {fits} THEN {text}' for fits, text in whens)} ELSE '' END"


def stands_for_another(field: SurveyField) -> dict[str, str]:
    """Return the texts that are stored as another one -> that one, '' for none; of a set those that are no answer."""
    texts = dict.fromkeys(field.missing, "") if field.type == "set" else field.written_as
    return {text: name for text, name in texts.items() if text != name}


def numbers_for_nothing(field: SurveyField) -> str:
    """Return SQL: the words for no answer that are numbers, as values of a field of decimals or doubles; '' for none."""
    if not field.type.startswith(("double", "decimal")):
        return ""
    words = [word for word in field.missing if re.fullmatch(DOUBLE, word)]
    return ", ".join(typed(sql.text(word), field) for word in words)


def known(field: SurveyField, escapes: bool) -> dict[str, str]:
    """Return text in a plain value -> clean text, for the texts that the contract names."""
    blank = {} if field.required else {'""': "", "null": ""}
    if field.type == "set":
        return blank
    names = dict.fromkeys(field.allowed) if field.allowed else dict.fromkeys(field.spellings)
    if field.type == "boolean":
        names = dict.fromkeys(("true", "false"))
    texts = {name: name for name in names} | field.written_as
    quoted = {f'"{text}"': name for text, name in texts.items() if not set(text) & UNFIT}
    if escapes:
        quoted |= {json.dumps(text): name for text, name in texts.items() if not text.isascii()}
    bare = {
        text: name
        for text, name in texts.items()
        if (field.type == "boolean" and text in ("true", "false"))
        or (WHOLE_NUMBER.fullmatch(text) and len(text) < MOST_DIGITS)
    }
    return blank | bare | quoted


def is_closed(field: SurveyField) -> bool:
    """Return whether the contract names every acceptable text."""
    return (bool(field.allowed) and field.type != "set") or field.type == "boolean"
