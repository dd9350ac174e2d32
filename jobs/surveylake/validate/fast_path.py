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
from surveylake.validate.layout import CUT, Layout, canonical, constants
from surveylake.validate.slots import Extra, Slot

PLAIN, LAID_OUT = "`~plain`", "`~laid_out`"
MOST_IN_ONE_METHOD = 24_000
"""Characters of SQL, some 25 fields. Up to this size Spark generates one Java method for the stage, and no row is copied. Beyond
it Java's compiler gives the method up, and from 40 fields on it is longer than Java allows (64 KB). A lambda, for which Spark
generates no code, keeps it from making that one method: then each expression has a method of its own."""


def with_plain_fields(
    records: DataFrame, contract: Contract, max_bytes: int, layout: Layout | None = None
) -> DataFrame:
    """Add the contract's fields as typed columns, and `~plain` (boolean, never NULL): the fields are valid where it is true.

    `layout` is the writer's; None stands for our own producer's.
    """
    layout = layout or canonical(contract)
    slots, extras = _places(contract, layout)
    received = [sql.name(column) for column in records.columns]
    # The split value is no column: Spark splits once for all pieces, and a column would be copied from stage to stage.
    pieces = f"split({TEXT}, {sql.text(CUT)}, {len(layout.skeleton) + 1})"
    cut = [f"{place.piece(pieces)} AS {place.name('piece')}" for place in (*slots, *extras)]
    decoding = [slot for slot in slots if slot.decodes]
    texts = [f"{slot.text()} AS {slot.name('text')}" for slot in slots]
    typed = {slot.field: slot.value() for slot in slots}
    values = [
        f"{typed.get(at, f'CAST(NULL AS {field.sql_type})')} AS {sql.name(name)}"
        for at, (name, field) in enumerate(contract.fields.items())
    ]
    rows = records.selectExpr(*received, *cut, f"{_is_laid_out(layout, pieces, max_bytes)} AS {LAID_OUT}")
    if decoding:
        rows = rows.selectExpr("*", *(f"{slot.raw()} AS {slot.name('raw')}" for slot in decoding))
    outside = [extra.name("piece") for extra in extras]
    kept = [slot.name("raw") for slot in decoding]
    checks = _is_plain(layout, slots, extras)
    is_long = sum(map(len, (*texts, *values, checks))) > MOST_IN_ONE_METHOD
    laid_out = sql.let("it", LAID_OUT, "it") if is_long else LAID_OUT
    return rows.selectExpr(*received, *outside, *kept, f"{laid_out} AS {LAID_OUT}", *texts).selectExpr(
        *received, *values, f"coalesce({laid_out} AND {checks}, false) AS {PLAIN}"
    )


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

    Letters beyond ASCII are looked at only where there are some: then the whole value must be UTF-8.
    """
    plain = f"{together} RLIKE {sql.text(PLAIN_TEXT)}"
    unescaped = f"regexp_replace({together}, {sql.text(ESCAPE)}, '')" if escapes else together
    return f"({plain} OR (is_valid_utf8(value) AND {unescaped} RLIKE {sql.text(BEYOND_ASCII)}))"


def _joined(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"concat({', '.join(texts)})"


UNQUOTED = "".join(chr(code) for code in range(32, 127) if chr(code) not in '"\\')
# Each character by itself: Java looks single characters up in a table, and compares ranges one by one.
ASCII_CLASS = "".join(c if c.isalnum() else "\\" + c for c in UNQUOTED)
LETTERS_CLASS = (
    r"\u00a1-\u167f\u1681-\u1fff\u2010-\u2027\u2030-\u205e\u2060-\u2fff\u3001-\ud7ff\ue000-\ufefe\uff00-\uffff"
    r"\x{10000}-\x{10ffff}"
)
"""Every character beyond ASCII but control characters and the blanks that cleaning collapses."""
ESCAPE = (
    r"\\u(?:00(?:[aA][1-9a-fA-F]|[b-fB-F][0-9a-fA-F])|0[1-9a-fA-F][0-9a-fA-F]{2}|[4-9a-cA-C][0-9a-fA-F]{3})"
)
"""Escapes of letters: no blank, no control character, no half of a surrogate pair."""
PLAIN_TEXT = f"^[{ASCII_CLASS}]*\\z"
BEYOND_ASCII = f"^[{ASCII_CLASS}{LETTERS_CLASS}]*\\z"
