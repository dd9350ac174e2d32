"""What is guessed of a column: keys of the contract, each with its evidence."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from surveylake.draft.words import NO, YES
from surveylake.wording import counted, quoted

MOST_SHOWN = 3
MOST_ALLOWED = 30
"""Different answers of a closed list."""
PER_ANSWER = 3
"""Cells per different answer, for the answers to be a closed list."""
TYPED_SHARE = 0.9
"""Share of a column's answers that must be of a type, for the column to be of this type."""


@dataclass(frozen=True)
class Line:
    """One key of a field, or a comment where there is no key."""

    key: str
    value: Any = None
    why: str = ""


@dataclass(frozen=True)
class Guess:
    """The type of a column, and its other keys."""

    type: str
    why: str
    lines: tuple[Line, ...] = ()
    role: str = ""
    """what summaries may use it for: `group`, `order` (groups in an order) or `measure`"""

    def with_lines(self, *lines: Line) -> "Guess":
        """Return the guess with more keys or comments."""
        return replace(self, lines=(*self.lines, *lines))

    def has(self, key: str) -> bool:
        """Return whether the guess has such a key."""
        return any(line.key == key for line in self.lines)


def of_cells(number: int, total: int) -> str:
    """Return `all 40 answers` or `38 of 40 answers`."""
    if number == total:
        return f"all {total:,} answers" if total > 1 else "the one answer"
    return f"{number:,} of {total:,} answers"


def shown(texts: list[str] | dict[str, int], most: int = MOST_SHOWN) -> str:
    """Return the first texts between quotes, and how many more there are; with their numbers where they are known."""
    parts = [
        f"{quoted(text)} {texts[text]:,} times"
        if isinstance(texts, dict) and texts[text] > 1
        else quoted(text)
        for text in list(texts)[:most]
    ]
    more = len(texts) - most
    return ", ".join(parts) + (f" and {more:,} more" if more > 0 else "")


def truth_lines(texts: Iterable[str]) -> tuple[Line, ...]:
    """Return the words that mean true, and those that mean false; none for `true` and `false` themselves."""
    words = {"true": YES, "false": NO}
    found = {
        key: [text for text in texts if text.casefold() in known and text.lower() != key]
        for key, known in words.items()
    }
    return tuple(Line(key, own) for key, own in found.items() if own)


def left_blank(bad: dict[str, int]) -> tuple[Line, ...]:
    """Return when_wrong for cells that are not of the column's type; nothing where there are none."""
    if not bad:
        return ()
    number = sum(bad.values())
    why = f"{counted(number, 'answer')} {'is' if number == 1 else 'are'} not of this type: {shown(bad)}"
    return (Line("when_wrong", "blank", why),)
