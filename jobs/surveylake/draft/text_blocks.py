"""A file of answers as blocks of columns: each text of a column, and how often it is there.

Small files are read by the producer's own reader. Large ones are read by Arrow, which finds the same cells several times
faster; a test holds the two against each other.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import compute
from pyarrow import csv as arrow_csv

from surveylake.contract.input_format import UTF8, Input
from surveylake.produce import answer_file
from surveylake.produce.bad_lines import checked
from surveylake.produce.csv_form import SPREADSHEET_LINE, csv_options, opened, text_of

LARGE_BYTES = 32 * 1024 * 1024
"""From this size on Arrow reads a file."""
READ_BYTES = 2 * 1024 * 1024
"""read at once: what fits a processor's cache is read fastest"""
READS_PER_BLOCK = 16
BLOCK_ROWS = 20_000
MOST_BAD = 20
"""lines that cannot be sent, of which the number is kept"""
Texts = dict[str, int]
"""text of a cell -> how many cells of the block have it"""


@dataclass(frozen=True)
class Block:
    """Some rows of the file, column by column, without those whose cells are all blank."""

    rows: int
    blank_rows: int
    columns: list[Texts]


@dataclass
class BadLines:
    """Lines that are no rows; filled while the blocks are read."""

    number: int = 0
    first: dict[int, str] = field(default_factory=dict)
    """line -> what is wrong with it, of the first ones; Arrow knows no lines"""

    def add(self, line: int, problem: str) -> None:
        """Count a line, and keep the first ones."""
        self.number += 1
        if line and len(self.first) < MOST_BAD:
            self.first[line] = problem


def plain_blocks(path: Path, form: Input, width: int, bad: BadLines) -> Iterator[Block]:
    """Yield the rows below the header as the producer reads them. Bad lines are counted in `bad`, and are in no block."""
    header = ("",) * width
    with answer_file.opened(path, form) as file:
        lines = islice(file.rows, form.header_rows, None)
        while chunk := list(islice(lines, BLOCK_ROWS)):
            good, blank = [], 0
            for line, row in chunk:
                if row and not any(map(str.strip, row)):
                    blank += 1
                elif isinstance(problem := checked(row, header, form), str):
                    bad.add(line, problem)
                else:
                    good.append(row)
            columns = [dict(Counter(cells)) for cells in zip(*good, strict=True)] if good else [{}] * width
            yield Block(len(good), blank, columns)


def arrow_blocks(path: Path, form: Input, width: int, bad: BadLines) -> Iterator[Block]:
    """Yield the same rows as Arrow reads them. Raises ArrowInvalid for a file that it cannot read."""
    names = [str(place) for place in range(width)]
    short_blank_rows = 0

    def skip(row: Any) -> str:
        nonlocal short_blank_rows
        if not any(cell.strip() for cells in _split(row.text, form) for cell in cells):
            short_blank_rows += 1
        else:
            bad.add(0, "")
        return "skip"

    kinds = dict.fromkeys(names, pa.binary())
    with opened(path, form) as (file, start):
        reader = arrow_csv.open_csv(
            pa.PythonFile(_utf8(file, start, form), mode="r"),
            arrow_csv.ReadOptions(block_size=READ_BYTES, column_names=names, skip_rows_after_names=_rows_above(start, form)),
            arrow_csv.ParseOptions(
                delimiter=form.delimiter, quote_char=form.quote or False, newlines_in_values=True,
                invalid_row_handler=skip,
            ),
            arrow_csv.ConvertOptions(column_types=kinds, strings_can_be_null=False, quoted_strings_can_be_null=False),
        )  # fmt: skip
        batches = iter(reader)
        while some := list(islice(batches, READS_PER_BLOCK)):
            yield _counted(pa.Table.from_batches(some))
    yield Block(0, short_blank_rows, [{}] * width)


def _rows_above(start: bytes, form: Input) -> int:
    """Return how many rows the header is to Arrow, which counts empty lines: the producer's reader passes over them."""
    text, rows, left = text_of(start, form), 0, form.header_rows
    if (match := SPREADSHEET_LINE.match(text)) and match[2] == form.delimiter:
        text = text[match.end() :]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, **csv_options(form.delimiter, form.quote))
    with suppress(StopIteration, csv.Error):
        while left:
            left -= bool(next(reader))
            rows += 1
    return rows + left


def _split(text: str, form: Input) -> Any:
    """Return the cells of a row that has too many, or too few."""
    return csv.reader(io.StringIO(text, newline=""), **csv_options(form.delimiter, form.quote))


def _counted(table: pa.Table) -> Block:
    """Return Arrow's rows as texts with their numbers, without those that are blank."""
    with ThreadPoolExecutor() as pool:
        columns = [_texts(counts) for counts in pool.map(pa.ChunkedArray.value_counts, table.columns)]
    blank = _blank_rows(table, columns)
    for texts, cells in zip(columns, blank, strict=True):
        for cell in cells:
            texts[cell] -= 1
            if not texts[cell]:
                del texts[cell]
    number = len(blank[0])
    return Block(table.num_rows - number, number, columns)


def _texts(counts: pa.StructArray) -> Texts:
    cells = (value.decode(UTF8, "surrogateescape") for value in counts.field("values").to_pylist())
    return dict(zip(cells, counts.field("counts").to_pylist(), strict=True))


def _blank_rows(table: pa.Table, columns: list[Texts]) -> list[list[str]]:
    """Return the cells of the blank rows, column by column; only rows with a blank in the fullest column are looked at."""
    blanks = [[text for text in texts if not text.strip()] for texts in columns]
    at = min(range(len(columns)), key=lambda place: sum(columns[place][text] for text in blanks[place]))
    found = pa.array([text.encode(UTF8, "surrogateescape") for text in blanks[at]], pa.binary())
    some = table.filter(compute.is_in(table.columns[at], value_set=found))
    rows_found = zip(*(column.to_pylist() for column in some.columns), strict=True)
    kept = [[cell.decode(UTF8, "surrogateescape") for cell in row] for row in rows_found]
    kept = [row for row in kept if not any(map(str.strip, row))]
    return [list(cells) for cells in zip(*kept, strict=True)] if kept else [[] for _ in columns]


def _utf8(file: io.TextIOWrapper, start: bytes, form: Input) -> Any:
    """Return the file as bytes in UTF-8, without the line that only spreadsheets read."""
    match = SPREADSHEET_LINE.match(text_of(start, form))
    if form.encoding == UTF8 and not match:
        return file.buffer
    if match and match[2] == form.delimiter:
        file.readline()
    return _Recoded(file)


class _Recoded(io.RawIOBase):
    """A text as bytes in UTF-8."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._file, self._rest = file, b""

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; returns the number of bytes, 0 at the end."""
        if not self._rest:
            self._rest = self._file.read(READ_BYTES // 4).encode(UTF8, "surrogateescape")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)
