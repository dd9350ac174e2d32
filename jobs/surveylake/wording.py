"""Names, values, counts and errors as messages show them: short, on one line, never many."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

MOST_LETTERS = 40
MOST_NAMES = 8
SHOWN = 5
"""Examples in one message."""
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def quoted(text: str, most: int = MOST_LETTERS) -> str:
    """Return a text between quotes, cut when long, unprintable characters escaped: `'caf\\xe9'`."""
    return f"'{_cut(text, most)}'"


def listed(names: Iterable[str], most: int = MOST_NAMES) -> str:
    """Return `a, b, c and 12 more`, each name cut when long."""
    return some(map(_cut, names), most)


def some(parts: Iterable[str], most: int = MOST_NAMES) -> str:
    """Return the first `most` parts, and how many more there are."""
    texts = list(parts)
    first = ", ".join(texts[:most])
    return f"{first} and {len(texts) - most:,} more" if len(texts) > most else first


def columns(places: Sequence[int]) -> str:
    """Return `column 3 (C)` or `columns 3 (C), 5 (E)`: numbered from 1, with the letters of a spreadsheet."""
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
    """Return the first five items, and how many more there are."""
    return some(map(str, items), SHOWN)


def counted(number: int, one: str, many: str = "") -> str:
    """Return `1 file` or `2 files`; `many` is the plural that an s does not make."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def printable(text: object) -> str:
    """Return a text that is safe for a terminal: control and direction characters become '?'."""
    return CONTROL.sub("?", str(text))


def innermost(error: BaseException) -> str:
    """Return the innermost cause of a failure of Spark or Delta: its class and the first line of its message."""
    chain = _causes(error)
    if not chain:
        return first_line(error)
    lines = str(chain[-1].getMessage() or "").strip().splitlines() or [""]
    return f"{chain[-1].getClass().getSimpleName()}: {lines[0]}"


def causes(error: BaseException) -> list[str]:
    """Return the messages of the causes of a failure of Spark or Delta, the outermost first; none for an error of Python's."""
    return [str(cause.getMessage()) for cause in _causes(error)]


def _causes(error: BaseException) -> list[Any]:
    """Return the Java exceptions of a Python error, each the cause of the one before."""
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
