"""How a file is written: delimiter, quote, encoding and header rows, guessed from its beginning, each with the evidence."""

import csv
import io
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from surveylake.contract.input_format import Input
from surveylake.draft.encodings import encoding_of
from surveylake.draft.header_rows import FEWEST_NAMES, Header, header_of
from surveylake.errors import InputError
from surveylake.produce import answer_file
from surveylake.produce.bad_lines import MARKS
from surveylake.produce.csv_form import SPREADSHEET_LINE, csv_options, opened, rows, text_of
from surveylake.produce.not_csv import refuse_other_texts

SAMPLED_ROWS = 1_000
"""rows from which the header rows are guessed"""
SAMPLED_LINES = 200
"""lines from which the delimiter is guessed"""
REGULAR, CLEARLY = 0.9, 0.1
"""Shares of rows with the same number of cells: below the first, quotes may mean nothing, where that is better by the second."""


@dataclass(frozen=True)
class FileForm:
    """What `[input]` shall say, and the header."""

    input: Input
    header: Header
    why: dict[str, str] = field(default_factory=dict)
    """key of [input] -> evidence, for those that differ from the default"""

    @property
    def as_read(self) -> Input:
        """The form by which all rows below the header are met, blank ones too, so that they can be counted."""
        above = self.header.rows + self.header.blank
        return self.input.model_copy(update={"header_rows": above, "blank_rows": "send"})


def form_of(path: Path) -> FileForm:
    """Guess how a file is written. Raises InputError for a file that is no text, or empty."""
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is not a regular file", "Give a CSV file.")
    if answer_file.kind_of(path):
        with answer_file.opened(path, Input()) as file:
            return _with_header(path, Input(), [row for _, row in islice(file.rows, SAMPLED_ROWS)], {})
    encoding, why_encoding = encoding_of(path)
    form = Input(encoding=encoding)
    with opened(path, form) as (_, start):
        text = text_of(start, form)
    if not text.strip():
        raise InputError(f"{path} is empty", "Give a CSV with a header and at least one row.")
    refuse_other_texts(path, 1, text)
    delimiter, quote, why_delimiter = _delimiter(text)
    form = Input.model_validate({"encoding": encoding, "delimiter": delimiter, "quote": quote})
    with opened(path, form) as (file, start):
        sample = [row for _, row in islice(rows(file, start, form), SAMPLED_ROWS) if row]
    why = {"encoding": why_encoding, "delimiter": why_delimiter}
    if not quote:
        why["quote"] = "quotes stand within cells, and not around them"
    return _with_header(path, form, sample, why)


def _with_header(path: Path, form: Input, sample: list[list[str]], why: dict[str, str]) -> FileForm:
    """Return the form with the header rows that the first rows show. Raises InputError for none."""
    if not any(cell.strip() for row in sample for cell in row):
        raise InputError(f"{path} is empty", "Give a file with a header and at least one row.")
    header = header_of(sample)
    why = {**why, "header_rows": header.why}
    keys: dict[str, object] = {"header_rows": header.rows, "header_row": header.row}
    if header.blank:
        keys["blank_rows"] = "skip"
    return FileForm(
        form.model_copy(update=keys), header, {key: reason for key, reason in why.items() if reason}
    )


def _delimiter(text: str) -> tuple[str, str, str]:
    """Return what separates the cells, what quotes them, and why; no reason for commas."""
    if (match := SPREADSHEET_LINE.match(text)) and match[2] in MARKS:
        return match[2], '"', "" if match[2] == "," else f"the first line says {match[1]}"
    (mark, share, cells), other = _best(text, '"'), _best(text, "")
    quote = '"'
    if share < REGULAR and other[1] > share + CLEARLY:
        quote, (mark, share, cells) = "", other
    if cells < 2:
        alone = [mark for mark in MARKS if set(_counts(text, mark, '"')) <= {1}]
        return (alone or [","])[0], '"', "" if "," in alone else "the file has one column, with commas in it"
    return mark, quote, "" if mark == "," else f"{share:.0%} of the first rows have {cells} cells by it"


def _best(text: str, quote: str) -> tuple[str, float, int]:
    """Return the mark by which the first rows are most alike, their share, and the number of their cells."""
    tries = [(mark, *_regularity(text, mark, quote)) for mark in MARKS]
    return max(tries, key=lambda found: (round(found[1], 1), found[2] > 1, found[2]))


def _regularity(text: str, mark: str, quote: str) -> tuple[float, int]:
    """Return which share of the first rows has the most frequent number of cells, and this number; nothing below two cells."""
    counts = _counts(text, mark, quote)
    cells, number = max(Counter(counts).items(), key=lambda found: (found[1], found[0]), default=(0, 0))
    is_header = cells in counts[:1] or (counts[:2] == [1, cells] and cells >= FEWEST_NAMES)
    return (number / len(counts), cells) if is_header and cells > 1 else (0, 0)


def _counts(text: str, mark: str, quote: str) -> list[int]:
    """Return the number of cells of each of the first rows; 0 for a row with broken quotes."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, **csv_options(mark, quote))
    counts: list[int] = []
    while len(counts) < SAMPLED_LINES:
        try:
            if row := next(reader):
                counts.append(len(row))
        except StopIteration:
            break
        except csv.Error:
            counts.append(0)
    if counts and not counts[-1] and len(text) > SAMPLED_LINES:
        counts.pop()  # the text is cut off within its last row, and maybe within quotes
    return counts
