"""Names and values of a file as a message may show them: short, on one line, and never many."""

from collections.abc import Iterable, Sequence

MOST_LETTERS = 40
MOST_NAMES = 8


def quoted(text: str, most: int = MOST_LETTERS) -> str:
    """A text between quotes, cut when it is long; what is no letter is shown by its number: `'caf\\xe9'`."""
    shown = text[: most + 1]
    # A byte that is not UTF-8 was read as half a surrogate pair: it is shown as the byte it is.
    plain = "".join(_letter(letter) for letter in shown[:most])
    return f"'{plain}{'…' if len(text) > most else ''}'"


def listed(names: Iterable[str], most: int = MOST_NAMES) -> str:
    """`a, b, c and 12 more`: each name cut when it is long."""
    given: Sequence[str] = list(names)
    shown = ", ".join(_cut(name) for name in given[:most])
    return f"{shown} and {len(given) - most:,} more" if len(given) > most else shown


def _cut(name: str) -> str:
    plain = "".join(_letter(letter) for letter in name[:MOST_LETTERS])
    return f"{plain}…" if len(name) > MOST_LETTERS else plain


def _letter(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter if letter.isprintable() else repr(letter)[1:-1]
