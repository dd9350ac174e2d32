"""A CSV of answers as Kafka records: nothing is re-encoded or guessed, and each line that cannot be sent is named by number."""

import hashlib
import io
import itertools
import json.encoder
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from surveylake.contract.input_format import UTF8
from surveylake.contract.model import ROW_SOURCE, Contract
from surveylake.errors import InputError
from surveylake.produce.bad_lines import checked, describe
from surveylake.produce.csv_form import UTF8_MARK, Row, opened, text_of
from surveylake.produce.csv_form import rows as rows_of
from surveylake.produce.csv_header import require_header
from surveylake.produce.csv_names import column_names, renamed
from surveylake.produce.delivery import Record
from surveylake.wording import listed

ROWS_PER_CHUNK = 1_000

escape: Callable[[str], str] = json.encoder.encode_basestring


@dataclass(frozen=True)
class Answers:
    """A CSV that was read through once. Rows are numbered from 0, leaving out the bad lines."""

    path: Path
    header: tuple[str, ...]
    rows: int
    source: str
    """sha256 (hex) over header and rows as parsed: it does not depend on line ends, byte order mark and quoting"""
    bad: dict[int, str]
    """line -> what is wrong with it"""
    notes: tuple[str, ...]
    """messages about what is sent all the same"""
    stamp: tuple[int, ...]
    """(inode, size, time of change in ns) of the file when it was read"""

    def describe_bad(self) -> str:
        """Return the message for the bad lines."""
        return describe(self.bad)


def read_answers(path: Path, contract: Contract) -> Answers:
    """Read the whole file once and check it; bad lines are listed and not raised.

    Raises InputError when it is no CSV, its header does not fit the contract, or it has no rows.
    """
    form = contract.input
    with opened(path, form) as (file, start):
        stamp = _stamp(file)
        lines = rows_of(file, start, form)
        header, told = _header(path, list(itertools.islice(lines, form.header_rows)), start, contract)
        checks = _checks(header, contract)
        digest = hashlib.sha256(b"%d\0" % len(header) + "\0".join(header).encode() + b"\0")
        rows, bad = 0, {}
        for line, row in lines:
            data = checked(row, header, form)
            if isinstance(data, str):
                bad[line] = data
            elif checks and (fault := checks.fault(line, row)):
                bad[line] = fault
            else:
                digest.update(data)
                rows += 1
        if checks:
            checks.refuse_utf8(path)
    if not rows and not bad:
        raise InputError(
            f"{path} has a header and no answers", "Give a file with at least one row under the header."
        )
    extra = [name for name in header if name not in contract.file_sources]
    notes = ["byte order mark at the start: left out"] if start.startswith(UTF8_MARK) else []
    notes += told
    notes += [f"columns the contract does not name are sent along: {listed(extra)}"] if extra else []
    return Answers(path, header, rows, digest.hexdigest(), bad, tuple(notes), stamp)


def chunks(
    answers: Answers, contract: Contract, row_key: bool = False, sent: bytearray | None = None
) -> Iterator[list[Record]]:
    """Yield the rows as records, ROWS_PER_CHUNK at a time, without those marked 1 in `sent`.

    Value: the row as a JSON object of strings under the header's names, as json.dumps(…, ensure_ascii=False) writes it.
    Key: the cell of the contract's key field, or with `row_key` the row's number.
    Raises InputError when the file changed since it was read.
    """
    is_row_key = contract.has_row_key
    names = ([ROW_SOURCE] if is_row_key else []) + list(answers.header)
    template = "{" + ", ".join(f"{escape(name)}: ".replace("%", "%%") + "%s" for name in names) + "}"
    key_at = names.index(contract.fields[contract.key].source)
    chunk: list[Record] = []
    number = -1
    form, checks = contract.input, _checks(answers.header, contract)
    with opened(answers.path, form) as (file, start):
        if _stamp(file) != answers.stamp:
            raise InputError(
                f"{answers.path} changed while it was read", "Run again when nothing writes to it."
            )
        lines = rows_of(file, start, form)
        for line, row in itertools.islice(lines, form.header_rows, None):
            if line in answers.bad:
                continue
            number += 1
            if sent is not None and sent[number]:
                continue
            cells = checks.converted(row) if checks else row
            if is_row_key:
                cells = [row_id(answers.source, number), *cells]
            key = str(number) if row_key else cells[key_at]
            chunk.append((number, line, key.encode(), (template % tuple(map(escape, cells))).encode()))
            if len(chunk) == ROWS_PER_CHUNK:
                yield chunk
                chunk = []
    if chunk:
        yield chunk


def row_id(source: str, number: int) -> str:
    """Return who a row is where nobody's id is in the file: the same whenever the same file is read."""
    return f"{source[:12]}-{number}"


def _checks(header: tuple[str, ...], contract: Contract) -> "_Checks | None":
    """Return the checks of a file's rows; None for a form that asks for none, whose rows then cost nothing more."""
    is_plain = contract.input.encoding == UTF8 and contract.input.decimal == "."
    return None if is_plain else _Checks(header, contract)


class _Checks:
    """What is wrong with a row beyond its shape: a point in a number whose mark is a comma, an encoding that is another."""

    def __init__(self, header: tuple[str, ...], contract: Contract) -> None:
        self._form = contract.input
        numbers = {field.source for field in contract.fields.values() if field.is_number}
        self._numbers = [
            at for at, name in enumerate(header) if name in numbers and self._form.decimal == ","
        ]
        self._header = header
        self._utf8_line, self._is_other = 0, self._form.encoding == UTF8

    def fault(self, line: int, row: list[str]) -> str:
        """Return what is wrong with a row; empty when nothing is."""
        if not self._is_other and not (text := "".join(row)).isascii():
            try:
                text.encode(self._form.encoding, "surrogateescape").decode(UTF8)
                self._utf8_line = self._utf8_line or line
            except UnicodeError:
                self._is_other = True
        for at in self._numbers:
            if "." in row[at]:
                name = listed([self._header[at]])
                return f"has a point in {name}, and its decimal mark is a comma by [input]"
        return ""

    def refuse_utf8(self, path: Path) -> None:
        """Raise InputError when all letters beyond ASCII are UTF-8, and another encoding is declared."""
        if self._utf8_line and not self._is_other:
            raise InputError(
                f"{path}, line {self._utf8_line}: this is UTF-8, and the contract says encoding = {self._form.encoding}",
                "Correct encoding under [input] in the contract, or leave it out.",
            )

    def converted(self, row: list[str]) -> list[str]:
        """Return the row with a point for the comma in its numbers."""
        for at in self._numbers:
            row[at] = row[at].replace(",", ".")
        return row


def _header(
    path: Path, rows: list[Row], start: bytes, contract: Contract
) -> tuple[tuple[str, ...], list[str]]:
    """Return the columns' names as they are sent, and messages about those that are not as in the file. Raises InputError."""
    form = contract.input
    if not rows:
        raise InputError(f"{path} is empty", "Give a CSV with a header and at least one row.")
    if len(rows) < form.header_rows:
        raise InputError(
            f"{path} has {len(rows)} of the {form.header_rows} header rows that [input] says",
            "Correct header_rows under [input] in the contract.",
        )
    line, names = rows[form.header_row - 1]
    require_header(path, line, names, text_of(start, form), contract)
    return tuple(column_names(names, contract)), renamed(names, contract)


def _stamp(file: io.TextIOWrapper) -> tuple[int, ...]:
    """Return (inode, size, time of change in ns)."""
    status = os.fstat(file.fileno())
    return status.st_ino, status.st_size, status.st_mtime_ns
