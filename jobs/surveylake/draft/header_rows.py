"""Which of a file's first rows are its header: names, texts of the questions, and what survey programs put below them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from surveylake.contract.field_types import without_blank_runs

IMPORT_ID = re.compile(r'^\{"ImportId"')
"""How the third row of a file from Qualtrics begins."""
RESPONSE = re.compile(r"^(open-ended )?response$|^other \(please specify\)$", re.IGNORECASE)
"""What SurveyMonkey writes below a question's text."""
VALUE = re.compile(r"^[+-]?[\d.,:/ -]+$")
FEWEST_NAMES = 3
"""Names of a real header below a title."""
UNLIKE_SHARE = 0.6
"""Share of its cells in which a second header row differs from the answers below."""
FEWEST_ANSWERS = 10
"""Rows below a second header row, without which it is not recognised."""
LONGEST_ANSWER = 60


@dataclass(frozen=True)
class Header:
    """The header of a file."""

    rows: int
    """rows above the first answer, without blank ones"""
    row: int
    """which of them has the names, from 1"""
    names: tuple[str, ...]
    labels: tuple[str, ...]
    """the questions' texts by column; '' where only the name is known"""
    why: str = ""
    blank: int = 0
    """blank rows above the last of them"""


def header_of(sample: Sequence[Sequence[str]]) -> Header:
    """Guess the header from a file's first rows, of which one at least is not blank; blank ones are no part of a header."""
    filled = [at for at, row in enumerate(sample) if any(map(str.strip, row))]
    header = _header_of_filled([sample[at] for at in filled])
    blank = filled[header.rows - 1] + 1 - header.rows
    why = f"{header.why}; blank rows are not counted" if header.why and blank else header.why
    return replace(header, blank=blank, why=why)


def _header_of_filled(sample: Sequence[Sequence[str]]) -> Header:
    """Guess the header from rows that are not blank."""
    titles = _title_rows(sample)
    names = tuple(sample[titles])
    below = sample[titles + 1 :]
    first = tuple(below[0]) if below else ()
    if len(below) > 1 and sum(bool(IMPORT_ID.match(cell)) for cell in below[1]) > len(names) / 2:
        why = "the third row has Qualtrics' ImportId, the second the questions' texts"
        return Header(titles + 3, titles + 1, names, _padded(first, len(names)), why)
    if _is_second_header(names, first, below[1:]):
        why = "the second row is unlike the answers below it"
        return Header(titles + 2, titles + 1, names, _joined(names, first), why)
    why = f"the names are in row {titles + 1}, below a title" if titles else ""
    return Header(titles + 1, titles + 1, names, ("",) * len(names), why)


def _title_rows(sample: Sequence[Sequence[str]]) -> int:
    """Return how many rows stand above the names: rows of one cell, above rows of several."""
    for at, row in enumerate(sample[:5]):
        filled = sum(bool(cell.strip()) for cell in row)
        if filled > 1 or at + 1 >= len(sample):
            return at
        if sum(bool(cell.strip()) for cell in sample[at + 1]) < FEWEST_NAMES:
            return at
    return 0


def _is_second_header(names: Sequence[str], row: Sequence[str], answers: Sequence[Sequence[str]]) -> bool:
    """Return whether the row below the names is no answer: most of its cells are unlike those further down."""
    if len(row) != len(names) or len(answers) < FEWEST_ANSWERS:
        return False
    if sum(bool(RESPONSE.match(cell.strip())) for cell in row) > 1:
        return True
    judged = [
        _is_unlike(cell.strip(), [other[at].strip() for other in answers if len(other) > at])
        for at, cell in enumerate(row)
        if cell.strip()
    ]
    sure = [unlike for unlike in judged if unlike is not None]
    return len(sure) > 1 and sum(sure) > UNLIKE_SHARE * len(sure)


def _is_unlike(cell: str, answers: Sequence[str]) -> bool | None:
    """Return whether a cell is none of the answers below; None where they are too different from each other to say."""
    filled = [answer for answer in answers if answer]
    if len(filled) < FEWEST_ANSWERS:
        return None
    if all(map(VALUE.match, filled)):
        return not VALUE.match(cell)
    counts = Counter(filled)
    if len(counts) * 3 > len(filled):
        return None
    return cell not in counts


def _padded(row: Sequence[str], width: int) -> tuple[str, ...]:
    return tuple(without_blank_runs(cell) for cell in [*row, *[""] * width][:width])


def _joined(names: Sequence[str], row: Sequence[str]) -> tuple[str, ...]:
    """Return `question – choice` for each column: a column without a name belongs to the question left of it."""
    labels, question = [], ""
    for name, below in zip(map(str.strip, names), map(str.strip, row), strict=True):
        question = name or question
        parts = [question, "" if below.lower() in ("response", "open-ended response") else below]
        labels.append(without_blank_runs(" – ".join(filter(None, parts))))
    return tuple(labels)
