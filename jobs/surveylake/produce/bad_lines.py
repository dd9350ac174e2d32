"""Lines of a CSV that cannot be sent: what is wrong with each, and how all of them are told."""

from surveylake.produce.not_csv import AS_UTF8
from surveylake.wording import listed

NAMED_RUNS = 20
"""Runs of alike lines that are told by number."""
NOT_UTF8 = "is not UTF-8"
QUOTES = "a quote is opened and not closed, or followed by something other than a comma"
MARKS = {";": "';'", "\t": "tabs", "|": "'|'"}
"""What else than a comma may stand between cells -> how it is called."""


def checked(row: list[str], header: tuple[str, ...]) -> bytes | str:
    """The row as bytes that tell it from every other row, or what is wrong with it."""
    if len(row) != len(header):
        return _of_other_length(row, len(header))
    try:
        data = "\0".join(row).encode() + b"\0"
    except UnicodeEncodeError:
        return f"{NOT_UTF8} ({_first_byte(row, header)})"
    if data.count(0) != len(header):
        return "holds a NUL character"
    return data


def describe(bad: dict[int, str]) -> str:
    """Line -> what is wrong, as one line of text each; alike lines that follow each other are one, and the last are counted."""
    runs: list[tuple[int, int, str]] = []
    for line, what in bad.items():
        if runs and runs[-1][1:] == (line - 1, what):
            runs[-1] = (runs[-1][0], line, what)
        else:
            runs.append((line, line, what))
    told = [
        f"  line {first}: {what}" if first == last else f"  lines {first} to {last}: each {what}"
        for first, last, what in runs[:NAMED_RUNS]
    ]
    if len(runs) > NAMED_RUNS:
        told.append(f"  and {sum(line >= runs[NAMED_RUNS][0] for line in bad):,} more")
    if any(what.startswith(NOT_UTF8) for what in bad.values()):
        told.append(f"  not UTF-8: {AS_UTF8[0].lower()}{AS_UTF8[1:]}")
    return "\n".join(told)


def byte_in_words(letter: str, where: str) -> str:
    """`byte 0xE9 in Tea; é in Windows-1252`: a byte that was read as half a surrogate pair."""
    byte = bytes([ord(letter) - 0xDC00])
    meant = byte.decode("cp1252", "ignore")
    told = f"; {meant} in Windows-1252" if meant and meant.isprintable() else ""
    return f"byte 0x{byte.hex().upper()} in {where}{told}"


def is_no_letter(letter: str) -> bool:
    """Whether it stands for a byte that is not UTF-8."""
    return "\udc80" <= letter <= "\udcff"


def _of_other_length(row: list[str], due: int) -> str:
    if not row:
        return QUOTES
    mark = next((mark for mark in MARKS if mark in row[0]), "") if len(row) == 1 else ""
    other = f"; {MARKS[mark]} stand in it, and no comma" if mark else ""
    return f"has {len(row)} cell{'s' if len(row) > 1 else ''}, the header {due}{other}"


def _first_byte(row: list[str], header: tuple[str, ...]) -> str:
    """The first byte that is not UTF-8, and its column: 'byte 0xE9 in Nationality; é in Windows-1252'."""
    for name, cell in zip(header, row, strict=True):
        for letter in filter(is_no_letter, cell):
            return byte_in_words(letter, listed([name]))
    return "somewhere in the row"
