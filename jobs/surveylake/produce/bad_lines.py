"""Lines of a CSV that cannot be sent: the problem of each, and one message for all of them."""

from collections.abc import Sequence

from surveylake.contract.input_format import UTF8, Input
from surveylake.produce.not_csv import AS_UTF8
from surveylake.wording import listed, quoted

NAMED_RUNS = 20
"""runs of alike lines that a message names by number"""
NOT_UTF8 = "is not UTF-8"
QUOTES = "a quote is opened and not closed, or followed by something other than a comma"
MARKS = {",": "commas", ";": "';'", "\t": "tabs", "|": "'|'"}
"""usual separators -> their name in messages"""


def in_words(mark: str) -> str:
    """Return a separator's name in messages."""
    return MARKS.get(mark, quoted(mark))


def checked(row: list[str], header: tuple[str, ...], form: Input) -> bytes | str:
    """Return the row as bytes that no other row has, for the digest; or as text what is wrong with it."""
    if len(row) != len(header):
        return _wrong_length(row, len(header), form.delimiter)
    try:
        data = encoded(row)
    except UnicodeEncodeError:
        where = _first_byte(row, header)
        return f"{NOT_UTF8} ({where})" if form.encoding == UTF8 else f"is not {form.encoding} ({where})"
    if data.count(0) != len(header):
        return "holds a NUL character"
    return data


def encoded(texts: Sequence[str]) -> bytes:
    """Return texts without NULs as bytes that no others have. Raises UnicodeEncodeError for a lone surrogate."""
    return "\0".join(texts).encode() + b"\0"


def describe(bad: dict[int, str]) -> str:
    """Return the message for `bad` (line -> problem): one line per run of alike lines, those beyond NAMED_RUNS only counted."""
    runs: list[tuple[int, int, str]] = []
    for line, problem in bad.items():
        if runs and runs[-1][1:] == (line - 1, problem):
            runs[-1] = (runs[-1][0], line, problem)
        else:
            runs.append((line, line, problem))
    lines = [
        f"  line {first}: {problem}" if first == last else f"  lines {first} to {last}: each {problem}"
        for first, last, problem in runs[:NAMED_RUNS]
    ]
    if len(runs) > NAMED_RUNS:
        lines.append(f"  and {sum(line >= runs[NAMED_RUNS][0] for line in bad):,} more")
    if any(problem.startswith(NOT_UTF8) for problem in bad.values()):
        lines.append(f"  not UTF-8: {AS_UTF8[0].lower()}{AS_UTF8[1:]}")
    return "\n".join(lines)


def byte_in_words(letter: str, where: str) -> str:
    """Return `byte 0xE9 in Tea; é in Windows-1252` for a byte that was read as a lone surrogate."""
    byte = bytes([ord(letter) - 0xDC00])
    decoded = byte.decode("cp1252", "ignore")
    guess = f"; {decoded} in Windows-1252" if decoded and decoded.isprintable() else ""
    return f"byte 0x{byte.hex().upper()} in {where}{guess}"


def is_no_letter(letter: str) -> bool:
    """Return whether a character stands for a byte that is not UTF-8."""
    return "\udc80" <= letter <= "\udcff"


def _wrong_length(row: list[str], expected: int, declared: str) -> str:
    """Return the problem of a row with another number of cells than the header; no cells mean broken quotes."""
    if not row:
        return QUOTES if declared == "," else QUOTES.replace("a comma", in_words(declared))
    others = [mark for mark in MARKS if mark != declared]
    mark = next((mark for mark in others if mark in row[0]), "") if len(row) == 1 else ""
    none = "no comma" if declared == "," else f"not {in_words(declared)}"
    other = f"; {MARKS[mark]} stand in it, and {none}" if mark else ""
    return f"has {len(row)} cell{'s' if len(row) > 1 else ''}, the header {expected}{other}"


def _first_byte(row: list[str], header: tuple[str, ...]) -> str:
    """Return the first byte that is not UTF-8, and its column: `byte 0xE9 in Nationality; é in Windows-1252`."""
    for name, cell in zip(header, row, strict=True):
        for letter in filter(is_no_letter, cell):
            return byte_in_words(letter, listed([name]))
    return "somewhere in the row"
