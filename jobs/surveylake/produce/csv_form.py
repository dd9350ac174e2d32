"""A CSV file as rows of text, read in the form that the contract declares."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from surveylake import formats
from surveylake.contract.input_format import UTF8, Input
from surveylake.errors import InputError
from surveylake.produce.not_csv import refuse_other_files

LONGEST_CELL = 64 * 1024 * 1024
"""characters; far above what Kafka takes, and a bound on what one stray quote can swallow"""
START_BYTES = 65_536
"""bytes at the beginning of a file by which its format is recognised"""
UTF8_MARK = b"\xef\xbb\xbf"
SPREADSHEET_LINE = re.compile(r'("?sep=(.?)"?)(\r\n|\r|\n|\Z)')
"""a first line that tells a spreadsheet the separator"""
Row = tuple[int, list[str]]
"""the line at which a row begins, and its cells; no cells where its quotes are broken"""


@contextmanager
def opened(path: Path, form: Input) -> Iterator[tuple[io.TextIOWrapper, bytes]]:
    """Open the file. Yields it as text after its byte order mark, and its first START_BYTES bytes; a `.gz` is unpacked.

    Bytes that are not of the encoding are read as lone surrogates. Raises InputError for a missing file, a pipe, or another
    format.
    """
    if path.exists() and not path.is_file():
        raise InputError(
            f"{path} is not a regular file",
            "It is read twice, so a pipe or a folder will not do: give a CSV file.",
        )
    try:
        with unpacked(path) as file:
            start = file.read(START_BYTES)
            refuse_other_files(path, start, form.encoding)
            file.seek(len(UTF8_MARK) if form.encoding == UTF8 and start.startswith(UTF8_MARK) else 0)
            # newline="" leaves line ends inside quotes as they are, and knows CR, LF and CRLF.
            yield io.TextIOWrapper(file, encoding=form.encoding, errors="surrogateescape", newline=""), start
    except UnicodeError as error:
        raise InputError(
            f"{path} is not {form.encoding}, as [input] says: {error}",
            "Correct encoding under [input] in the contract.",
        ) from error


@contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """Open the file as bytes; a `.gz` is unpacked. Raises InputError for one that is missing, damaged or cannot be read."""
    try:
        with path.open("rb") as raw:
            packed = path.suffix == ".gz" and formats.packed_with(raw.read(START_BYTES)) == "gzip"
            raw.seek(0)
            with gzip.GzipFile(fileobj=raw) if packed else raw as file:
                yield cast(BinaryIO, file)
    except FileNotFoundError as error:
        raise InputError(f"no file at {path}", "Give the CSV.") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"{path} is packed with gzip, and cut off or damaged", "Fetch the file again."
        ) from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}", "Check the file and its permissions."
        ) from error


def csv_options(delimiter: str, quote: str) -> dict[str, Any]:
    """Return the options of Python's CSV reader and writer for cells that are so separated and quoted; '' quotes nothing."""
    quoting = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    return {"delimiter": delimiter, "quotechar": quote or None, "quoting": quoting}


def text_of(start: bytes, form: Input) -> str:
    """Return the beginning of a file as text."""
    if form.encoding == UTF8:
        start = start.removeprefix(UTF8_MARK)
        return start.decode(UTF8, "surrogateescape")
    return start.decode(form.encoding, "replace").removeprefix("\ufeff")


def rows(file: io.TextIOWrapper, start: bytes, form: Input) -> Iterator[Row]:
    """Return each row that is neither empty nor, where the contract says so, a comment or blank."""
    csv.field_size_limit(LONGEST_CELL)
    above = 0
    if (match := SPREADSHEET_LINE.match(text_of(start, form))) and match[2] == form.delimiter:
        file.readline()
        above = 1
    return _numbered(file, form, above)


def _numbered(file: Iterable[str], form: Input, above: int) -> Iterator[Row]:
    """Yield the rows below the first `above` lines."""
    # A class of our own costs time for each line, so it is used only where lines are left out.
    lines = _Lines(file, form.comment, above) if form.comment else None
    reader = csv.reader(lines or file, strict=True, **csv_options(form.delimiter, form.quote))
    are_blank_rows_sent = form.blank_rows == "send"
    while True:
        line = reader.line_num + 1 + above
        if lines:
            lines.begin_row()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield lines.row_line if lines else line, []
            continue
        if row and (are_blank_rows_sent or any(map(str.strip, row))):
            yield lines.row_line if lines else line, row


class _Lines:
    """The lines of a file, counted; comments that stand between rows are left out."""

    def __init__(self, file: Iterable[str], comment: str, above: int) -> None:
        self._file, self._comment, self._number = iter(file), comment, above
        self._begins = True
        self.row_line = 0
        """the line at which the newest row begins"""

    def begin_row(self) -> None:
        """Tell that the next line is not inside quotes."""
        self._begins = True

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        for line in self._file:
            self._number += 1
            if self._begins and line.startswith(self._comment):
                continue
            if self._begins:
                self._begins, self.row_line = False, self._number
            return line
        raise StopIteration
