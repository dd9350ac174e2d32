"""A survey of many questions: regular expressions look at the whole value, and little is generated for each field.

For a few fields Spark's generated code is fastest. It grows with the fields, and Java takes minutes to compile it for hundreds:
until then each field costs many times as much. Java's regular expressions are the same code for any number of fields.

They match only what the fast path takes (fast_path.py): the layout's own texts, and between them answers that are strict JSON, in
characters that stand for themselves. Limits, and words that stand for others, are looked at as for a few fields.
"""

from collections.abc import Iterator, Sequence

from surveylake import sql
from surveylake.contract.field_types import TEXTS as TEXT_TYPES
from surveylake.validate import rules
from surveylake.validate.cleaning import typed
from surveylake.validate.json_patterns import BARE, DECIMAL, DOUBLE, LETTERS_CLASS, ascii_class, whole
from surveylake.validate.layout import BLANKS, CUT, Layout
from surveylake.validate.slots import Extra, Slot, is_closed, known

MOST_PIECES = 100
"""In one expression: Java's matcher calls itself for each part of it, and a thread's stack is 1 MB."""
LETTERS = f"[{ascii_class(without=CUT)}{LETTERS_CLASS}]*"
FILLED = f" ?+[{ascii_class(without=CUT + ' ')}{LETTERS_CLASS}]{LETTERS}"
"""A text with an answer, and no more than one blank before it: `suits`."""
PIECES, TEXTS = "`~pieces`", "`~texts`"
"""The columns of a value's pieces, and of the texts in them."""
OTHERS = f"[^{CUT}]*"
QUOTE, EMPTY = '"', '""'
INTEGER = "(?:0|-?[1-9][0-9]{0,8})"
"""An integer that has 32 bits, whatever its digits."""


def suits(layout: Layout) -> bool:
    """Return whether values in this layout can be matched: without escapes, and two blanks stand together in answers only."""
    texts = [layout.opening, layout.closing, *(text for gap in layout.gaps for text in gap)]
    texts += [text for member in layout.members for text in (member.name, member.constant or "")]
    return not layout.escapes and not any("  " in text for text in texts)


def is_matched(layout: Layout, slots: Sequence[Slot], extras: Sequence[Extra]) -> str:
    """Return SQL over `~pieces`: whether a value has the layout's texts in their places, and between them what these allow."""
    patterns = {slot.at: slot.pattern() if isinstance(slot, MatchedSlot) else None for slot in slots}
    patterns |= {extra.at: _extra_pattern(extra) for extra in extras}
    parts: list[tuple[str, int]] = []
    for place, piece in enumerate(layout.skeleton):
        if isinstance(piece, str):
            parts.append((sql.literal(piece), 1))
        elif layout.skeleton.index(piece) == place:
            pieces = layout.skeleton.count(piece)
            parts.append((patterns[piece] or CUT.join([OTHERS] * pieces), pieces))
    # Of several blanks in an answer cleaning makes one.
    checks = [f"size({PIECES}) = {len(layout.skeleton)}", f"NOT contains({sql.TEXT}, '  ')", *_matches(parts)]
    return " AND ".join(checks)


def _matches(parts: Sequence[tuple[str, int]]) -> Iterator[str]:
    """Yield SQL: whether some of the pieces match `parts`: patterns, with the number of pieces of each."""
    first, size = 1, 0
    chosen: list[str] = []
    for at, (pattern, pieces) in enumerate(parts, 1):
        chosen.append(pattern)
        size += pieces
        if at == len(parts) or size >= MOST_PIECES:
            some = (
                sql.TEXT if size == len(parts) else f"array_join(slice({PIECES}, {first}, {size}), '{CUT}')"
            )
            letters = whole(CUT.join(chosen))
            ascii_only = letters.replace(LETTERS_CLASS, "")
            yield f"({some} RLIKE {sql.text(ascii_only)} OR {some} RLIKE {sql.text(letters)})"
            chosen, first, size = [], first + size, 0


def _extra_pattern(extra: Extra) -> str:
    """Return what the pieces of a member match that the contract does not have."""
    if extra.constant is not None:
        return extra.between(sql.literal(extra.constant))
    quoted = '"' + CUT.join([LETTERS] * (1 + extra.colons)) + '"'
    return extra.between(quoted if extra.colons else f"(?:{quoted}|{BARE})")


class MatchedSlot(Slot):
    """A field's place in a value that is matched: its form needs no further look. It is read from the column `~texts`."""

    def pattern(self) -> str:
        """Return what the piece matches: one of the contract's texts, a number, or a text between quotes."""
        written = [sql.literal(text) for text in self._known]
        if self._is_number and not is_closed(self.field):
            number = {"integer": INTEGER, "double": DOUBLE}.get(self.field.type, DECIMAL)
            written = [number, f'" ?+{number} ?+"', *written]
        elif not is_closed(self.field):
            written = [f'"{FILLED}"', *written]
        return self.between(f"(?:{'|'.join(written)})")

    def value(self) -> str:
        """Return SQL over `~texts`: the typed value, where the value is matched."""
        text = self._text
        forms: dict[str, list[str]] = {}
        for form, name in self._aliases.items():
            forms.setdefault(name, []).append(sql.text(form))
        whens = [
            f"WHEN {text} IN ({', '.join(those)}) THEN {self._typed(sql.text(name)) if name else 'NULL'}"
            for name, those in forms.items()
        ]
        return f"CASE {' '.join(whens)} ELSE {self._typed(text)} END" if whens else self._typed(text)

    def is_acceptable(self, value: str) -> str:
        """Return SQL: whether the value is acceptable, where it is matched."""
        field = self.field
        nothing = [sql.text(text) for text, name in self._aliases.items() if not name]
        checks = []
        if field.required and nothing:
            checks.append(f"{value} IS NOT NULL")
        elif not (field.type in (*TEXT_TYPES, "integer") or is_closed(field)):
            absent = f"{self._text} IS NULL" if not field.required else "false"
            missing = f" OR {self._text} IN ({', '.join(nothing)})" if nothing else ""
            checks.append(f"coalesce({value} IS NOT NULL OR {absent}{missing}, false)")
        limits = rules.limits(value, field)
        checks += [
            condition for condition, reason in limits if not (is_closed(field) and reason == "not_allowed")
        ]
        return " AND ".join(checks) or "true"

    def unchecked(self) -> None:
        """Return None: every character is matched."""

    @property
    def _known(self) -> dict[str, str]:
        """The contract's own texts, as they are written -> clean. Parsing has the reason where a required field has no answer."""
        texts = known(self.field, escapes=False)
        return {
            text: name
            for text, name in texts.items()
            if CUT not in text and (name or not self.field.required)
        }

    @property
    def _aliases(self) -> dict[str, str]:
        """Texts that stand for others -> those; for an empty one: no answer."""
        return {text: name for text, name in self.field.written_as.items() if text != name}

    @property
    def _text(self) -> str:
        return self.piece(TEXTS)

    def _typed(self, text: str) -> str:
        """Return SQL: a text that is not empty as a value of the field's type."""
        return text if self.field.type in ("string", "scale") else typed(text, self.field)


def texts_of(layout: Layout) -> str:
    """Return SQL over `~pieces`: for each piece of a matched value the trimmed text between quotes, or of a bare value; NULL for none.

    A lambda is the same code for all of them.
    """
    around = {*layout.closing, *"".join(before + comma for before, comma in layout.gaps)} & set(BLANKS)
    # Spark trims spaces at less cost than other characters.
    blanks = f"{sql.text(''.join(sorted(around)))} FROM " if around - {" "} else ""
    value = f"trim(LEADING {blanks}it)" if blanks else "ltrim(it)"
    quoted = f"IF(startswith(it, '{EMPTY}'), NULL, trim(substring(substring_index(it, '{QUOTE}', 2), 2)))"
    bare = "substring_index(substring_index(it, ',', 1), '}', 1)"
    bare = f"IF(startswith(it, 'null'), NULL, {f'trim(TRAILING {blanks}{bare})' if blanks else f'rtrim({bare})'})"
    return f"transform(transform({PIECES}, it -> {value}), it -> IF(startswith(it, '{QUOTE}'), {quoted}, {bare}))"


def matched(slot: Slot, layout: Layout) -> Slot:
    """Return the slot as a matched one, or itself where its values have colons or several answers."""
    if slot.colons or slot.field.type == "set":
        return slot
    return MatchedSlot(slot.at, slot.place, slot.field, layout)
