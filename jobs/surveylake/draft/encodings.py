"""Which encoding a file is in, by its bytes beyond ASCII."""

import codecs
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from surveylake import formats
from surveylake.contract.input_format import UTF8
from surveylake.errors import InputError
from surveylake.produce.csv_form import unpacked
from surveylake.produce.not_csv import wide_in_words
from surveylake.wording import counted

CANDIDATES = ("windows-1252", "mac-roman", "windows-1251")
"""Encodings of one byte a letter that are tried, the likelier first."""
CHUNK = 16 * 1024 * 1024
"""bytes read at once"""
MOST_LINES = 20_000
"""lines by which an encoding other than UTF-8 is recognised"""
TYPED = set("“”‘’–—…€£°«»·•®©™½ªº¿¡")
"""Signs that people type or word processors set."""
CYRILLIC = range(0x400, 0x500)
SHOWN = 6


def encoding_of(path: Path) -> tuple[str, str]:
    """Return the encoding, and why; no reason for UTF-8, which needs none. Raises InputError for a file that cannot be read."""
    start = next(_chunks(path), b"")[:64]
    if wide := formats.wide_encoding(start):
        words = wide_in_words(wide)
        # The producer's reader takes single wrong bytes for letters of a bad line, as this does.
        if fault := _fault(path, wide, "surrogateescape"):
            raise InputError(
                f"{path} begins as {words}, and cannot be read to its end: {fault}", "Save it as UTF-8."
            )
        return wide, f"the file begins as {words}"
    # A mark at the start says what the file is, whatever single bytes went wrong: the producer names their lines.
    if start.startswith(codecs.BOM_UTF8) or not _fault(path, UTF8):
        return UTF8, ""
    sample = b"\n".join(islice(_lines_beyond_ascii(path), MOST_LINES))
    best = max(CANDIDATES, key=lambda name: (_score(sample, name), -CANDIDATES.index(name)))
    letters = dict.fromkeys(letter for letter in sample.decode(best, "replace") if ord(letter) > 127)
    shown = " ".join([letter for letter in letters if letter.isprintable()][:SHOWN])
    number = sum(byte > 127 for byte in sample)
    return best, f"not UTF-8: {counted(number, 'byte')} beyond ASCII, which so read are {shown}"


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield the file's bytes, unpacked."""
    with unpacked(path) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _fault(path: Path, encoding: str, errors: str = "strict") -> str:
    """Return what is wrong with the file's bytes in an encoding; '' where all of them can be read."""
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    try:
        for chunk in _chunks(path):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        return str(error)
    return ""


def _lines_beyond_ascii(path: Path) -> Iterator[bytes]:
    for chunk in _chunks(path):
        yield from (line for line in chunk.splitlines() if not line.isascii())


def _score(sample: bytes, encoding: str) -> float:
    """Return how much the letters beyond ASCII look like those of a text, per letter."""
    text = sample.decode(encoding, "replace")
    points = [
        _likely(before, letter, after)
        for before, letter, after in zip(" " + text, text, text[1:] + " ", strict=False)
        if ord(letter) > 127
    ]
    return sum(points) / max(len(points), 1)


def _likely(before: str, letter: str, after: str) -> float:
    """Return how likely a letter is between its neighbours: 1 for sure, negative for hardly."""
    if letter == "\ufffd":
        return -2
    if not letter.isalpha():
        return 0.8 if letter in TYPED else -1
    if ord(letter) in CYRILLIC and (before + after).isascii() and (before + after).strip():
        return -0.5
    is_in_word = before.isalpha() or after.isalpha()
    is_odd_capital = letter.isupper() and before.islower()
    return 1 if is_in_word and not is_odd_capital else -0.5
