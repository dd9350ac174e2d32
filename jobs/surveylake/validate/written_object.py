"""A JSON object as its writer wrote it: its names and values, and the texts between them."""

import json
from dataclasses import dataclass

from surveylake.validate.strict_json import MOST_BRACKETS

CUT = ":"
"""A value is split at colons: they stand between a name and its value, and are rarer in answers than commas."""
BLANKS = " \t\r\n"
LONGEST_NUMBER = 1000
"""Characters of a number that strict_json.py takes."""
Gap = tuple[str, str]
"""The text after a colon, and from one value to the next name."""


@dataclass(frozen=True)
class Form:
    """What the objects of one layout have in common."""

    names: tuple[str, ...]
    gap: Gap
    opening: str
    closing: str
    before_colon: str


@dataclass(frozen=True)
class WrittenObject:
    """One object."""

    form: Form
    values: tuple[str, ...]
    """as they are written"""


def read(value: bytes) -> WrittenObject | None:
    """Return an object as it is written; None for what is no object, not laid out alike throughout, or no strict JSON.

    A text of the layout is compared only and never parsed, so what strict_json.py refuses must not become one.
    """
    try:
        text = value.decode()
        if text.count("[") + text.count("{") > MOST_BRACKETS:
            return None
        start = _skipped(text, 0)
        if text[start] != "{":
            return None
        at = _skipped(text, start + 1)
        return _members(text, at) if start == 0 else None
    except (ValueError, IndexError, RecursionError):
        return None


def _members(text: str, at: int) -> WrittenObject:
    """Read the members from the first name on. Raises ValueError where they are not laid out alike."""
    opening, names, values = text[:at], [], []
    gaps: set[tuple[str, str]] = set()
    commas: set[str] = set()
    while True:
        if text[at] != '"':
            raise ValueError("no name")
        end = _end(text, at)
        colon = _skipped(text, end)
        begins = _skipped(text, colon + 1)
        ends = _end(text, begins)
        names.append(text[at:end])
        values.append(text[begins:ends])
        gaps.add((text[end:colon], text[colon + 1 : begins]))
        then = _skipped(text, ends)
        if text[colon] != CUT or text[then] not in ",}":
            raise ValueError("no object")
        if text[then] == "}":
            break
        at = _skipped(text, then + 1)
        commas.add(text[ends:at])
    if len(gaps) > 1 or len(commas) > 1 or text[then + 1 :]:
        raise ValueError("not laid out alike")
    ((before, after),) = gaps
    comma = commas.pop() if commas else ","
    return WrittenObject(Form(tuple(names), (after, comma), opening, text[ends:], before), tuple(values))


def _end(text: str, at: int) -> int:
    """Return the place behind the JSON value that begins at a place. Raises ValueError where it is no strict JSON."""
    content, end = DECODER.raw_decode(text, at)
    plain = json.dumps(content, ensure_ascii=False)
    plain.encode()  # half of a surrogate pair cannot be
    if r"\u0000" in plain:
        raise ValueError("a NUL")
    return end


def _number(text: str) -> str:
    if len(text) > LONGEST_NUMBER:
        raise ValueError("a number that is too long")
    return text


def _no_number(text: str) -> str:
    raise ValueError(f"{text} is no JSON")


def _members_once(members: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(members)) < len(members):
        raise ValueError("a name twice")
    return dict(members)


DECODER = json.JSONDecoder(
    parse_int=_number, parse_float=_number, parse_constant=_no_number, object_pairs_hook=_members_once
)


def _skipped(text: str, at: int) -> int:
    """Return the place of the next character that is no blank."""
    while text[at] in BLANKS:
        at += 1
    return at
