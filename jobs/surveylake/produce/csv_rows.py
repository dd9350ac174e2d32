"""A CSV of answers as Kafka records: nothing is re-encoded or guessed, and each line that cannot be sent is named by number."""

import csv
import hashlib
import io
import json.encoder
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from surveylake.contract.model import Contract
from surveylake.errors import InputError
from surveylake.produce.bad_lines import checked, describe
from surveylake.produce.csv_header import require_header
from surveylake.produce.delivery import Record
from surveylake.produce.not_csv import refuse_other_files
from surveylake.wording import listed

LONGEST_CELL = 64 * 1024 * 1024
"""characters; far above what Kafka takes, and a bound on what one stray quote can swallow"""
ROWS_PER_CHUNK = 1_000
START_BYTES = 65_536
"""bytes at the beginning of a file by which its format is recognised"""
UTF8_MARK = b"\xef\xbb\xbf"

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
    with _opened(path) as (file, start):
        stamp = _stamp(file)
        lines = _lines(file)
        header = _header(path, next(lines, None), start, contract)
        digest = hashlib.sha256(b"%d\0" % len(header) + "\0".join(header).encode() + b"\0")
        rows, bad = 0, {}
        for line, row in lines:
            data = checked(row, header)
            if isinstance(data, str):
                bad[line] = data
            else:
                digest.update(data)
                rows += 1
    if not rows and not bad:
        raise InputError(
            f"{path} has a header and no answers", "Give a file with at least one row under the header."
        )
    extra = [name for name in header if name not in contract.sources]
    notes = ["byte order mark at the start: left out"] if start.startswith(UTF8_MARK) else []
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
    template = "{" + ", ".join(f"{escape(name)}: ".replace("%", "%%") + "%s" for name in answers.header) + "}"
    key_at = answers.header.index(contract.fields[contract.key].source)
    chunk: list[Record] = []
    number = -1
    with _opened(answers.path) as (file, _):
        if _stamp(file) != answers.stamp:
            raise InputError(
                f"{answers.path} changed while it was read", "Run again when nothing writes to it."
            )
        lines = _lines(file)
        next(lines)
        for line, row in lines:
            if line in answers.bad:
                continue
            number += 1
            if sent is not None and sent[number]:
                continue
            key = str(number) if row_key else row[key_at]
            chunk.append((number, line, key.encode(), (template % tuple(map(escape, row))).encode()))
            if len(chunk) == ROWS_PER_CHUNK:
                yield chunk
                chunk = []
    if chunk:
        yield chunk


@contextmanager
def _opened(path: Path) -> Iterator[tuple[io.TextIOWrapper, bytes]]:
    """Open the file. Yields it as text after its byte order mark, and its first START_BYTES bytes.

    Bytes that are not UTF-8 are read as lone surrogates. Raises InputError for a missing file, a pipe, or another format.
    """
    if path.exists() and not path.is_file():
        raise InputError(
            f"{path} is not a regular file",
            "It is read twice, so a pipe or a folder will not do: give a CSV file.",
        )
    try:
        with path.open("rb") as raw:
            start = raw.read(START_BYTES)
            refuse_other_files(path, start)
            raw.seek(len(UTF8_MARK) if start.startswith(UTF8_MARK) else 0)
            # newline="" leaves line ends inside quotes as they are, and knows CR, LF and CRLF.
            yield io.TextIOWrapper(raw, encoding="utf-8", errors="surrogateescape", newline=""), start
    except FileNotFoundError as error:
        raise InputError(f"no file at {path}", "Give the CSV to send.") from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}", "Check the file and its permissions."
        ) from error


def _lines(file: io.TextIOWrapper) -> Iterator[tuple[int, list[str]]]:
    """Yield (line at which the row starts, its cells). Empty lines are skipped; a row with broken quotes has no cells."""
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(file, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            row = []
            yield line, row
            continue
        if row:
            yield line, row


def _header(
    path: Path, first: tuple[int, list[str]] | None, start: bytes, contract: Contract
) -> tuple[str, ...]:
    """Return the header, checked. Raises InputError."""
    if first is None:
        raise InputError(f"{path} is empty", "Give a CSV with a header and at least one row.")
    line, names = first
    text = start.removeprefix(UTF8_MARK).decode("utf-8", "surrogateescape")
    require_header(path, line, names, text, contract)
    return tuple(names)


def _stamp(file: io.TextIOWrapper) -> tuple[int, ...]:
    """Return (inode, size, time of change in ns)."""
    status = os.fstat(file.fileno())
    return status.st_ino, status.st_size, status.st_mtime_ns
