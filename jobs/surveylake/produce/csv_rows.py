"""A file of answers as Kafka records: nothing is re-encoded or guessed, and each line that cannot be sent is named by number."""

import hashlib
import itertools
import json.encoder
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from surveylake.contract.model import ROW_SOURCE, Contract
from surveylake.errors import InputError
from surveylake.produce.answer_file import AnswerFile, opened
from surveylake.produce.bad_lines import checked, describe, encoded
from surveylake.produce.csv_form import Row
from surveylake.produce.csv_header import require_header
from surveylake.produce.csv_names import column_names, renamed
from surveylake.produce.delivery import Record
from surveylake.produce.row_checks import checks as row_checks
from surveylake.wording import listed

ROWS_PER_CHUNK = 1_000

escape: Callable[[str], str] = json.encoder.encode_basestring


@dataclass(frozen=True)
class Answers:
    """A file that was read through once. Rows are numbered from 0, leaving out the bad lines."""

    path: Path
    header: tuple[str, ...]
    rows: int
    source: str
    """sha256 (hex) over names and rows as they are sent: it does not depend on line ends, byte order mark and quoting"""
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
    with opened(path, contract.input) as file:
        form, lines = file.form, file.rows
        header, told = _header(path, list(itertools.islice(lines, form.header_rows)), file.start, contract)
        checks = row_checks(header, contract, form)
        names = _names(header, contract)
        digest = hashlib.sha256(b"%d\0" % len(names) + encoded(names))
        rows, bad = 0, {}
        for line, row in lines:
            data = checked(row, header, form)
            if isinstance(data, str):
                bad[line] = data
            elif checks and (fault := checks.fault(line, row)):
                bad[line] = fault
            else:
                digest.update(encoded(checks.converted(row)) if checks else data)
                rows += 1
        if checks:
            checks.refuse_utf8(path)
    if not rows and not bad:
        raise InputError(
            f"{path} has a header and no answers", "Give a file with at least one row under the header."
        )
    extra = [name for name in header if name not in contract.file_sources]
    notes = [*file.notes, *told]
    notes += [f"columns the contract does not name are sent along: {listed(extra)}"] if extra else []
    return Answers(path, header, rows, digest.hexdigest(), bad, tuple(notes), file.stamp)


def chunks(
    answers: Answers, contract: Contract, row_key: bool = False, sent: bytearray | None = None
) -> Iterator[list[Record]]:
    """Yield the rows as records, ROWS_PER_CHUNK at a time, without those marked 1 in `sent`.

    Value: the row as a JSON object of strings under the header's names, as json.dumps(…, ensure_ascii=False) writes it.
    Key: the cell of the contract's key field, or with `row_key` the row's number.
    Raises InputError when the file changed since it was read.
    """
    is_row_key, names = contract.has_row_key, _names(answers.header, contract)
    template = "{" + ", ".join(f"{escape(name)}: ".replace("%", "%%") + "%s" for name in names) + "}"
    key_at = names.index(contract.fields[contract.key].source)
    chunk: list[Record] = []
    for number, line, row in good_rows(answers, contract):
        if sent is not None and sent[number]:
            continue
        cells = [row_id(answers.source, number), *row] if is_row_key else row
        key = str(number) if row_key else cells[key_at]
        chunk.append((number, line, key.encode(), (template % tuple(map(escape, cells))).encode()))
        if len(chunk) == ROWS_PER_CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def good_rows(answers: Answers, contract: Contract) -> Iterator[tuple[int, int, list[str]]]:
    """Yield number, line and cells of each row that can be sent, its numbers with a point.

    Raises InputError when the file changed since it was read, before any row that was not checked then.
    """
    with opened(answers.path, contract.input) as file:
        rows = _same_rows(answers, contract, file)
        while True:
            part = list(itertools.islice(rows, ROWS_PER_CHUNK))
            if file.stamp_now() != answers.stamp:
                raise _changed(answers)
            if not part:
                return
            yield from part


def _same_rows(
    answers: Answers, contract: Contract, file: AnswerFile
) -> Iterator[tuple[int, int, list[str]]]:
    """Yield the rows as `good_rows` does. Raises InputError for more, fewer or other rows than were read."""
    checks = row_checks(answers.header, contract, file.form)
    number = 0
    for line, row in itertools.islice(file.rows, file.form.header_rows, None):
        if line in answers.bad:
            continue
        if number >= answers.rows or len(row) != len(answers.header):
            raise _changed(answers)
        yield number, line, checks.converted(row) if checks else row
        number += 1
    if number < answers.rows:
        raise _changed(answers)


def _changed(answers: Answers) -> InputError:
    return InputError(f"{answers.path} changed while it was read", "Run again when nothing writes to it.")


def row_id(source: str, number: int) -> str:
    """Return who a row is where nobody's id is in the file: the same whenever the same file is read."""
    return f"{source[:12]}-{number}"


def _names(header: Sequence[str], contract: Contract) -> list[str]:
    """Return the names of a record: the columns', behind that of the row where a person is a row of a file."""
    return [*([ROW_SOURCE] if contract.has_row_key else []), *header]


def _header(path: Path, rows: list[Row], start: str, contract: Contract) -> tuple[tuple[str, ...], list[str]]:
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
    require_header(path, line, names, start, contract)
    return tuple(column_names(names, contract)), renamed(names, contract)
