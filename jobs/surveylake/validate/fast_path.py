"""The fast path of validation: values in the layout that their writer has are validated without being parsed.

Such a value has every field once, in the order of the layout (layout.py). Split at its colons, each piece has one member's
value between two texts that are known beforehand. The value is strict JSON by construction when every piece is one of the
contract's own texts (an allowed answer, a spelling, a blank), a number as a writer writes it, or a text without quotes,
backslashes and control characters between two quotes. It is plain when every field is acceptable too: then nothing is wrong
with it. Any other value is parsed (strict_json.py), with the same verdict, at several times the cost. That both agree is
tested in tests/validate/test_fast_path.py, test_layout.py and test_fuzz.py.

The scaffolding columns start with `~`, which no contract column can.
"""

from pyspark.sql import DataFrame

from surveylake import sql
from surveylake.contract.model import Contract
from surveylake.sql import TEXT
from surveylake.validate import value_pattern
from surveylake.validate.json_patterns import ESCAPE, LETTERS_CLASS, ascii_class, whole
from surveylake.validate.layout import Layout, canonical, constants
from surveylake.validate.slots import Extra, Slot
from surveylake.validate.written_object import CUT

ASCII, BEYOND_ASCII = whole(f"[{ascii_class()}]*"), whole(f"[{ascii_class()}{LETTERS_CLASS}]*")
PLAIN, LAID_OUT = "`~plain`", "`~laid_out`"
MOST_IN_ONE_METHOD = 24_000
"""Characters of SQL, some 25 fields. Up to this size Spark generates one Java method for the stage, and no row is copied. Beyond
it Java's compiler gives the method up, and from 40 fields on it is longer than Java allows (64 KB). Then a value is matched as a
whole (`is_wide`). Where it cannot be, a lambda, for which Spark generates no code, keeps it from making that one method."""


def with_plain_fields(
    records: DataFrame, contract: Contract, max_bytes: int, layout: Layout | None = None
) -> tuple[DataFrame, dict[str, str]]:
    """Add `~plain` (boolean, never NULL). Where it is true, the value of each of the contract's columns is valid.

    Returns the rows, and column name -> SQL of that value over the columns that they have. `layout` is the writer's; None
    stands for our own producer's.
    """
    layout = layout or canonical(contract)
    slots, extras = _places(contract, layout)
    is_long = _is_long(layout, slots, extras)
    if is_long and value_pattern.suits(contract, layout):
        rows = value_pattern.with_texts(records, contract, max_bytes, layout, PLAIN)
        return rows, value_pattern.values(contract)
    received = [sql.name(column) for column in records.columns]
    # The split value is no column: Spark splits once for all pieces, and a column would be copied from stage to stage.
    pieces = f"split({TEXT}, {sql.text(CUT)}, {len(layout.skeleton) + 1})"
    cut = [f"{place.piece(pieces)} AS {place.name('piece')}" for place in (*slots, *extras)]
    decoding = [slot for slot in slots if slot.decodes]
    texts = [f"{slot.text()} AS {slot.name('text')}" for slot in slots]
    typed = {slot.place: slot.value() for slot in slots}
    values = [
        f"{typed.get(at, f'CAST(NULL AS {field.sql_type})')} AS {sql.name(name)}"
        for at, (name, field) in enumerate(contract.fields.items())
    ]
    rows = records.selectExpr(*received, *cut, f"{_is_laid_out(layout, pieces, max_bytes)} AS {LAID_OUT}")
    if decoding:
        rows = rows.selectExpr("*", *(f"{slot.raw()} AS {slot.name('raw')}" for slot in decoding))
    outside = [extra.name("piece") for extra in extras]
    kept = [slot.name("raw") for slot in decoding]
    laid_out = sql.let("it", LAID_OUT, "it") if is_long else LAID_OUT
    rows = rows.selectExpr(*received, *outside, *kept, f"{laid_out} AS {LAID_OUT}", *texts).selectExpr(
        *received, *values, f"coalesce({laid_out} AND {_is_plain(layout, slots, extras)}, false) AS {PLAIN}"
    )
    return rows, {name: sql.name(name) for name in contract.fields}


def is_wide(contract: Contract, layout: Layout) -> bool:
    """Return whether a value is matched as a whole (value_pattern.py), as that of a survey of many questions is."""
    return _is_long(layout, *_places(contract, layout)) and value_pattern.suits(contract, layout)


def _is_long(layout: Layout, slots: list[Slot], extras: list[Extra]) -> bool:
    """Return whether the fast path is too long for one method, where each place is looked at by itself."""
    expressions = [expression for slot in slots for expression in (slot.text(), slot.value())]
    return sum(map(len, (*expressions, _is_plain(layout, slots, extras)))) > MOST_IN_ONE_METHOD


def _places(contract: Contract, layout: Layout) -> tuple[list[Slot], list[Extra]]:
    """Return the places of the fields that the layout has, in the order of the contract, and those of the other members."""
    fields = list(contract.fields.values())
    members = sorted(enumerate(layout.members), key=lambda item: item[1].field or 0)
    slots = [
        Slot(at, member.field, fields[member.field], layout)
        for at, member in members
        if member.field is not None
    ]
    return slots, [Extra(at, layout) for at, member in members if member.field is None]


def _is_laid_out(layout: Layout, pieces: str, max_bytes: int) -> str:
    """Return SQL: whether a value has as many pieces as the layout, and the layout's own texts in their places."""
    checks = [f"size({pieces}) = {len(layout.skeleton)}", f"octet_length(value) <= {max_bytes}"]
    checks += [f"get({pieces}, {place}) = {sql.text(part)}" for place, part in constants(layout)]
    checks += ["is_valid_utf8(value)"] * layout.has_replacements
    return " AND ".join(checks)


def _is_plain(layout: Layout, slots: list[Slot], extras: list[Extra]) -> str:
    """Return SQL over the columns of the places: whether each is strict JSON, and every field acceptable."""
    checks = [slot.is_acceptable(f"({slot.value()})") for slot in slots]
    checks += [extra.is_sound() for extra in extras]
    texts = [f"coalesce({text}, '')" for slot in slots if (text := slot.unchecked())]
    if texts:
        together = _joined(texts)
        checks += [f"NOT contains({together}, '  ')"]
    if everything := [*texts, *(text for extra in extras if (text := extra.unchecked()))]:
        checks.append(_is_text(_joined(everything), layout.escapes))
    return " AND ".join(checks)


def _is_text(together: str, escapes: bool) -> str:
    """Return SQL: whether the texts have only characters that stand for themselves, and no blank but spaces.

    Letters beyond ASCII are looked for only where there are some.
    """
    plain = f"{together} RLIKE {sql.text(ASCII)}"
    unescaped = f"regexp_replace({together}, {sql.text(ESCAPE)}, '')" if escapes else together
    return f"({plain} OR {unescaped} RLIKE {sql.text(BEYOND_ASCII)})"


def _joined(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"concat({', '.join(texts)})"
