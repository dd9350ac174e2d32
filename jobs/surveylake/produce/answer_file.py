"""A file of answers as rows of text, whatever it is: a CSV, an Excel workbook, or an SPSS file."""

import csv
import io
import itertools
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from surveylake import formats
from surveylake.contract.input_format import UTF8, Input
from surveylake.errors import InputError
from surveylake.produce import csv_form, spss_file, workbook
from surveylake.produce.csv_form import Row

START_ROWS = 20
"""rows of a file that is no text by which a header further down is found"""


@dataclass(frozen=True)
class AnswerFile:
    """An open file of answers; `rows` is read once."""

    rows: Iterator[Row]
    """(line, cells), header rows included; a workbook's line is its row, an SPSS file's the number of the case"""
    start: str
    """the beginning as a CSV would have it"""
    stamp: tuple[int, ...]
    """(inode, size, time of change in ns) when it was opened"""
    stamp_now: Callable[[], tuple[int, ...]]
    """asks for the same anew; a CSV that was replaced by another file is still the one that was opened"""
    form: Input
    """the form in which the cells are; what only a CSV can have is left out"""
    notes: tuple[str, ...] = ()


@contextmanager
def opened(path: Path, form: Input) -> Iterator[AnswerFile]:
    """Open a file of answers. Raises InputError for one that cannot be read, or is of no such format."""
    kind = kind_of(path)
    if not kind:
        with csv_form.opened(path, form) as (file, start):
            notes = (
                ("byte order mark at the start: left out",) if start.startswith(csv_form.UTF8_MARK) else ()
            )
            rows = csv_form.rows(file, start, form)
            stamp_now = partial(stamp_of, file.fileno())
            yield AnswerFile(rows, csv_form.text_of(start, form), stamp_now(), stamp_now, form, notes)
        return
    stamp_now = partial(stamp_of, path)
    stamp = stamp_now()
    lines, notes = (workbook if kind == "workbook" else spss_file).read(path, form)
    first = list(itertools.islice(lines, START_ROWS))
    own = form.model_copy(update={"encoding": UTF8})
    rows = _without_comments(itertools.chain(first, lines), form)
    yield AnswerFile(rows, _as_csv(first, form), stamp, stamp_now, own, notes)


def kind_of(path: Path) -> str:
    """Return `workbook` or `spss`; '' for any other file, and for one that cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(len(spss_file.MARKS[0])) if path.is_file() else b""
        if start in spss_file.MARKS:
            return "spss"
        if formats.packed_with(start) == "zip":
            with zipfile.ZipFile(path) as archive:
                return "workbook" if workbook.INSIDE in archive.namelist() else ""
    except (OSError, zipfile.BadZipFile):
        pass
    return ""


def stamp_of(file: int | Path) -> tuple[int, ...]:
    """Return (inode, size, time of change in ns). Raises InputError for a file that went away."""
    try:
        status = os.stat(file)
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror}", "Check the file and its permissions."
        ) from error
    return status.st_ino, status.st_size, status.st_mtime_ns


def _without_comments(lines: Iterable[Row], form: Input) -> Iterator[Row]:
    """Yield the rows that are neither empty nor, where the contract says so, a comment or blank."""
    are_blank_rows_sent = form.blank_rows == "send"
    for line, row in lines:
        is_comment = form.comment and row[0].startswith(form.comment)
        if any(row) and not is_comment and (are_blank_rows_sent or any(map(str.strip, row))):
            yield line, row


def _as_csv(lines: Iterable[Row], form: Input) -> str:
    """Return rows as a CSV of the declared form would have them."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=form.delimiter)
    writer.writerows(row if any(row) else [] for _, row in lines)
    return text.getvalue()
