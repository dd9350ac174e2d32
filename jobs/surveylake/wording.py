"""Names and values of a file as a message may show them: short, on one line, and never many."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

MOST_LETTERS = 40
MOST_NAMES = 8
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SHOWN = 5
"""Examples that one message names; the count says how many there are."""


def quoted(text: str, most: int = MOST_LETTERS) -> str:
    """A text between quotes, cut when it is long; what is no letter is shown by its number: `'caf\\xe9'`."""
    return f"'{_cut(text, most)}'"


def listed(names: Iterable[str], most: int = MOST_NAMES) -> str:
    """`a, b, c and 12 more`: each name cut when it is long."""
    return some(map(_cut, names), most)


def some(parts: Iterable[str], most: int = MOST_NAMES) -> str:
    """The first parts, and how many more there are."""
    given = list(parts)
    shown = ", ".join(given[:most])
    return f"{shown} and {len(given) - most:,} more" if len(given) > most else shown


def columns(places: Sequence[int]) -> str:
    """`column 3 (C)`, `columns 3 (C), 5 (E)`: numbered from 1, and lettered as spreadsheets do."""
    return (
        f"column{'s' if len(places) > 1 else ''} {some(f'{place} ({_lettered(place)})' for place in places)}"
    )


def _lettered(place: int) -> str:
    letters = ""
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _cut(text: str, most: int = MOST_LETTERS) -> str:
    shown = ""
    # A byte that is not UTF-8 was read as half a surrogate pair: it is shown as the byte it is.
    for letter in map(_letter, text):
        if len(shown) + len(letter) > most:
            return f"{shown}…"
        shown += letter
    return shown


def _letter(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter if letter.isprintable() else repr(letter)[1:-1]


def examples(items: Iterable[object]) -> str:
    """Return the first few of a list, and how many more there are."""
    return some(map(str, items), SHOWN)


def counted(number: int, one: str, many: str = "") -> str:
    """`1 file`, `2 files`; `many` where adding an s is not enough."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def printable(text: object) -> str:
    """Text from a message or a file made safe for a terminal: control and direction characters become '?'."""
    return CONTROL.sub("?", str(text))


def innermost(error: BaseException) -> str:
    """The innermost cause of a failure of Spark or Delta, in one line, without the places in the code."""
    chain = _causes(error)
    if not chain:
        return first_line(error)
    lines = str(chain[-1].getMessage() or "").strip().splitlines() or [""]
    return f"{chain[-1].getClass().getSimpleName()}: {lines[0]}"


def causes(error: BaseException) -> list[str]:
    """What each cause behind a failure of Spark or Delta says, the outermost first; empty when it came from Python."""
    return [str(cause.getMessage()) for cause in _causes(error)]


def _causes(error: BaseException) -> list[Any]:
    """The Java errors behind one of Python's, each the cause of the one before."""
    cause, chain = getattr(error, "java_exception", None) or getattr(error, "_origin", None), []
    while cause is not None:
        chain.append(cause)
        cause = cause.getCause()
    return chain


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message; of a failed call into Java, that of its cause there."""
    cause = getattr(error, "java_exception", None)
    message = str(error) if cause is None else str(cause.getMessage() or cause)
    return (message.strip().splitlines() or [type(error).__name__])[0]


def first_line_with_class(error: BaseException) -> str:
    """Return the same line with the class of the cause in Java before it; '' for an error without a message."""
    message = str(getattr(error, "java_exception", None) or error)
    return next(iter(message.strip().splitlines()), "")
