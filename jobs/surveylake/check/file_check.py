"""A file against a contract: which rows would be rejected or lose an answer, why, and how many people are left."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from surveylake.check.cell_judge import CellJudge
from surveylake.contract.model import ROW_SOURCE, Contract
from surveylake.produce.csv_rows import Answers, good_rows, read_answers, row_id

SAMPLES = 3
ROWS_AT_ONCE = 10_000
TOO_LARGE, UNKNOWN_FIELD = "too_large", "unknown_field"
MOST_BYTES = 6
"""of one letter in a record: as an escape"""
Row = tuple[int, int, list[str]]
"""number, line and cells"""


@dataclass
class Finding:
    """A reason, such as `not_allowed:Gender`, and where it holds."""

    reason: str
    is_blanked: bool = False
    """whether it costs the answer only, and not the record"""
    number: int = 0
    """rows that have it"""
    samples: list[tuple[int, str]] = field(default_factory=list)
    """line and text of the first ones, each text once"""


@dataclass
class FileCheck:
    """What the contract makes of a file."""

    answers: Answers
    rejected: int = 0
    """rows that would be rejected"""
    people: int = 0
    """different people among the others"""
    findings: dict[str, Finding] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        """Number of rows that would be accepted."""
        return self.answers.rows - self.rejected

    def ordered(self, is_blanked: bool) -> list[Finding]:
        """Return the reasons that cost an answer, or the record, the most frequent first."""
        found = (one for one in self.findings.values() if one.is_blanked == is_blanked)
        return sorted(found, key=lambda one: (-one.number, one.reason))

    def add(self, line: int, reason: str, text: str, is_blanked: bool = False) -> None:
        """Count a reason against a row."""
        found = self.findings.setdefault(reason, Finding(reason, is_blanked))
        found.number += 1
        if len(found.samples) < SAMPLES and (not text or text not in [seen for _, seen in found.samples]):
            found.samples.append((line, text))


@dataclass(frozen=True)
class _Judged:
    """A field, and the place of its column in the file."""

    source: str
    place: int
    judge: CellJudge
    is_blanked: bool


def check_file(path: Path, contract: Contract, max_bytes: int) -> FileCheck:
    """Judge a file by the contract's fields; its rules are SQL and not judged. Raises InputError as produce.py does."""
    answers = read_answers(path, contract)
    check = FileCheck(answers)
    fields = [
        _Judged(part.source, answers.header.index(part.source), CellJudge(part), part.when_wrong == "blank")
        for part in contract.fields.values()
        if part.source in answers.header
    ]
    is_unknown = contract.unknown_fields == "reject" and bool(set(answers.header) - set(contract.sources))
    key = next((one for one in fields if one.source == contract.fields[contract.key].source), None)
    people: set[object] = set()
    for rows in _chunks(answers, contract):
        bad = _bad_cells(rows, fields)
        for at, (number, line, cells) in enumerate(rows):
            if _is_too_large(answers, contract, number, cells, max_bytes):
                check.add(line, TOO_LARGE, "")
                check.rejected += 1
                continue
            reasons = bad.get(at, [])
            for one, reason in reasons:
                check.add(line, f"{reason}:{one.source}", cells[one.place], one.is_blanked)
            if is_unknown:
                check.add(line, UNKNOWN_FIELD, "")
            if is_unknown or not all(one.is_blanked for one, _ in reasons):
                check.rejected += 1
            else:
                people.add(number if key is None else key.judge.judged(cells[key.place])[0])
    check.people = len(people)
    return check


def _chunks(answers: Answers, contract: Contract) -> Iterator[list[Row]]:
    rows = good_rows(answers, contract)
    while chunk := list(islice(rows, ROWS_AT_ONCE)):
        yield chunk


def _bad_cells(rows: list[Row], fields: list[_Judged]) -> dict[int, list[tuple[_Judged, str]]]:
    """Return place in `rows` -> the fields whose cell is unacceptable there, in contract order, each with the reason."""
    columns = list(zip(*(cells for _, _, cells in rows), strict=True))
    found: dict[int, list[tuple[_Judged, str]]] = {}
    for one in fields:
        column = columns[one.place]
        reasons = {text: reason for text in set(column) if (reason := one.judge.judged(text)[1])}
        if reasons:
            for at, text in enumerate(column):
                if text in reasons:
                    found.setdefault(at, []).append((one, reasons[text]))
    return found


def _is_too_large(answers: Answers, contract: Contract, number: int, cells: list[str], most: int) -> bool:
    """Return whether the row's record has more bytes than the stream takes; only a long row is written to know."""
    letters = sum(map(len, cells)) + sum(map(len, answers.header))
    if letters * MOST_BYTES + 10 * (len(cells) + 20) <= most:
        return False
    own = {ROW_SOURCE: row_id(answers.source, number)} if contract.has_row_key else {}
    record = {**own, **dict(zip(answers.header, cells, strict=True))}
    return len(json.dumps(record, ensure_ascii=False).encode()) > most
