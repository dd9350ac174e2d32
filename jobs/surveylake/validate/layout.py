"""How a writer lays out its values: the order of the members, the blanks between them, and what else it sends.

The fast path (fast_path.py) is made for one layout: our own producer's, or that of the newest messages of the topic. A value
in another layout is parsed, with the same verdict. So a layout can be wrong, and no verdict with it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract
from surveylake.validate.written_object import CUT, Form, Gap, WrittenObject, read

MOST_MEMBERS = 400
SPACED, COMPACT = (" ", ", "), ("", ",")
"""Text after a colon, and from one value to the next name: as Python's writer has it, and as most others do."""
OFTEN = 0.2
"""A spacing with this many messages, for one with the most usual spacing, is read without parsing too. Each costs all others
two comparisons or more for a field."""


@dataclass(frozen=True)
class Member:
    """One member of the object, in its place."""

    name: str
    """as it is written, between its quotes"""
    field: int | None = None
    """the place of its field in the contract; None: the contract does not have it"""
    constant: str | None = None
    """the text of a nested value that every message has"""
    colons: int = 0
    """in its value"""


@dataclass(frozen=True)
class Layout:
    """The form of values."""

    members: tuple[Member, ...]
    gaps: tuple[Gap, ...] = (SPACED, COMPACT)
    opening: str = "{"
    closing: str = "}"
    before_colon: str = ""
    escapes: bool = False
    """whether letters beyond ASCII are written as escapes"""

    @property
    def has_replacements(self) -> bool:
        """Whether a text of the layout has the character that Java reads where bytes are no UTF-8: U+FFFD."""
        return any("\ufffd" in f"{member.name}{member.constant}" for member in self.members)

    @cached_property
    def skeleton(self) -> list[str | int]:
        """The pieces of a value between its colons: a constant text, or the place of the member whose value is there.

        What follows a value, up to the next colon, is in the piece of the value: see `end`.
        """
        pieces: list[str | int] = []
        for at, member in enumerate(self.members):
            before = self.opening if at == 0 else ""
            first, *more = f"{before}{member.name}{self.before_colon}".split(CUT)
            pieces += [first, *more] if at == 0 else more
            pieces += [at] * (1 + member.colons)
        return pieces

    def end(self, at: int, gap: Gap) -> str:
        """Return the text between a member's value and the next colon."""
        if at + 1 == len(self.members):
            return self.closing
        return f"{gap[1]}{self.members[at + 1].name}{self.before_colon}".split(CUT)[0]


def canonical(contract: Contract) -> Layout:
    """Return the layout of our own producer: every field once, in the order of the contract."""
    fields = contract.fields.values()
    return Layout(tuple(Member(_written(f.source), at, colons=_colons(f)) for at, f in enumerate(fields)))


def learned(values: Iterable[bytes], contract: Contract) -> Layout:
    """Return the layout that most of the values have; the canonical one where they have none that the fast path could use."""
    alike: dict[Form, list[WrittenObject]] = {}
    for value in values:
        if written := read(value):
            alike.setdefault(written.form, []).append(written)
    for form, objects in sorted(alike.items(), key=lambda item: -len(item[1])):
        gaps = [
            other.gap
            for other, those in alike.items()
            if replace(other, gap=form.gap) == form and len(those) >= OFTEN * len(objects)
        ]
        if layout := _layout(form, objects, gaps, contract):
            return layout
    return canonical(contract)


def fits(value: bytes, layout: Layout) -> bool:
    """Return whether the value is laid out so; its texts may still be none that the fast path takes."""
    written = read(value)
    if written is None or (b"\\u" in value and not layout.escapes):
        return False
    form = written.form
    around = (form.opening, form.closing, form.before_colon)
    return (
        form.names == tuple(member.name for member in layout.members)
        and form.gap in layout.gaps
        and around == (layout.opening, layout.closing, layout.before_colon)
    )


def _layout(form: Form, objects: list[WrittenObject], gaps: list[Gap], contract: Contract) -> Layout | None:
    """Return the layout of objects of one form, and of their like with the other gaps.

    Returns None where a field is not in it, or too much else.
    """
    places = {field.source: at for at, field in enumerate(contract.fields.values())}
    names = [json.loads(name) for name in form.names]
    others = set(names) - set(places)
    needed = {field.source for field in contract.fields.values() if field.when_absent == "reject"}
    if len(set(names)) < len(names) or needed - set(names) or len(names) > MOST_MEMBERS:
        return None
    if {name.lower() for name in others} & {name.lower() for name in set(places) - set(names)}:
        return None
    if others and contract.unknown_fields == "reject":
        return None
    columns = zip(*(each.values for each in objects), strict=True)
    members = tuple(
        _member(written, places.get(name), list(values))
        for written, name, values in zip(form.names, names, columns, strict=True)
    )
    if any(member is None for member in members):
        return None
    return Layout(
        tuple(member for member in members if member is not None), tuple(gaps),
        form.opening, form.closing, form.before_colon,
        escapes=any("\\u" in text for each in objects for text in (*each.values, *form.names)),
    )  # fmt: skip


def _member(name: str, field: int | None, values: list[str]) -> Member | None:
    """Return a member by its values in some objects; None for one that no piece can be compared with."""
    colons = Counter(value.count(CUT) for value in values if value not in ('""', "null")).most_common(1)
    usual = colons[0][0] if colons else 0
    is_compared = field is None and any(value[0] in "[{" or "\\" in value for value in values)
    if is_compared and len(set(values)) > 1:
        return None
    return Member(name, field, values[0] if is_compared else None, usual)


def _written(source: str) -> str:
    """Return a name as JSON has it, without escapes: a source needs none."""
    return f'"{source}"'


def _colons(field: SurveyField) -> int:
    """Return how many colons the field's values have: those of a time of day."""
    if field.type != "timestamp":
        return 0
    return field.format.replace("XXX", CUT).count(CUT) if field.format else len(("hour", "minute"))


def constants(layout: Layout) -> Iterator[tuple[int, str]]:
    """Yield (place in the skeleton, text) of each piece that is the same in every value."""
    yield from ((at, piece) for at, piece in enumerate(layout.skeleton) if isinstance(piece, str))
