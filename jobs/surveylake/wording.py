"""Names and values of a file as a message may show them: short, on one line, and never many."""

from collections.abc import Iterable, Sequence

MOST_LETTERS = 40
MOST_NAMES = 8


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
