"""Check of a CSV's header: the names of the contract must be there, each once. All problems are in one message, by column."""

import csv
import difflib
import io
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from surveylake.contract.model import Contract
from surveylake.errors import InputError
from surveylake.produce.bad_lines import MARKS, QUOTES, byte_in_words, in_words, is_no_letter
from surveylake.produce.csv_form import SPREADSHEET_LINE
from surveylake.produce.csv_names import column_names
from surveylake.produce.not_csv import AS_UTF8, refuse_other_texts
from surveylake.wording import columns, listed, quoted, some

MOST_ROWS = 20
"""rows that are searched for a header further down"""
MOST_NAMED = 5
MOST_EXPECTED = 12
WITH_COMMAS = (
    "Save the file with commas between the cells (spreadsheets ask for the separator when they export), "
    "or write in the contract, under [input], delimiter = {}."
)
OTHER_MARK = "Correct delimiter under [input] in the contract."


@dataclass(frozen=True)
class Problem:
    """One problem of the header: its line, a message, and what to do."""

    line: int
    message: str
    hint: str


def require_header(path: Path, line: int, names: list[str], text: str, contract: Contract) -> None:
    """Check the header. Raises InputError with all its problems.

    `names` are the cells of the first row, `line` is where it begins, `text` the beginning of the file.
    """
    if _is_sound(names, contract):
        return
    refuse_other_texts(path, line, text)
    if any("\0" in name for name in names):
        raise InputError(
            f"{path}, line {line}: this is no text: NUL characters are in it", "Give the CSV, saved as UTF-8."
        )
    problems = _problems(line, names, text, contract)
    if len(problems) == 1:
        where = f"{path}, line {problems[0].line}" if problems[0].line else path
        raise InputError(f"{where}: {problems[0].message}", problems[0].hint)
    lines = "\n".join(f"  line {problem.line}: {problem.message}" for problem in problems)
    hint = " ".join(dict.fromkeys(problem.hint for problem in problems))
    raise InputError(f"{path} cannot be sent as it is\n{lines}", hint)


def _is_sound(names: list[str], contract: Contract) -> bool:
    """Return whether the header has no problem."""
    sent = column_names(names, contract)
    return (
        len(set(sent)) == len(sent) > 0
        and not _bad_byte(names)
        and not any("\0" in name for name in names)
        and not _missing(sent, contract)
    )


def _missing(names: Collection[str], contract: Contract) -> list[str]:
    """Return the contract's names that are not among these, and should be.

    Some of them no record may lack. Others may be missing but are there in another case, for which the stream would reject
    every record.
    """
    needed, small = contract.needed_sources, {name.lower() for name in names}
    return [
        source
        for source in contract.file_sources
        if source not in names and (source in needed or source.lower() in small)
    ]


def _problems(line: int, names: list[str], text: str, contract: Contract) -> list[Problem]:
    """Return the problems of a header that is not sound; further ones are not searched where it is not the header at all."""
    problems: list[Problem] = []
    declared = contract.input.delimiter
    mark, above = declared, 0
    if match := SPREADSHEET_LINE.match(text):
        text, above = text[match.end() :], 1
        if match[2] != declared:
            message = f"is {quoted(match[1])}, which only spreadsheets read; the header follows it"
            problems.append(Problem(1, message, "Delete line 1."))
            mark, line = match[2] or declared, 2
            names = _first(text, mark)
    elif other := _separator(text, names, contract):
        mark, names = other, _first(text, other)
    if mark != declared:
        message = f"cells are separated by {in_words(mark)}, not by {in_words(declared)}"
        hint = WITH_COMMAS.format(json.dumps(mark)) if declared == "," else OTHER_MARK
        problems.append(Problem(line, message, hint))
    if not names:
        return [*problems, Problem(line, f"in the header {QUOTES}", "Correct the line.")]
    if not set(contract.needed_sources) <= set(names) and (
        other_line := _header_line(text, mark, contract, line - above)
    ):
        message = "this is not the header: it has not the contract's names"
        hint = (
            f"Line {other_line + above} has them all: delete the lines above it."
            if contract.input.header_rows == 1
            else f"Line {other_line + above} has them all: correct header_rows and header_row under [input] in the contract."
        )
        return [*problems, Problem(line, message, hint)]
    if bad_byte := _bad_byte(names):
        problems.append(Problem(line, f"the header {bad_byte}", AS_UTF8))
    return [*problems, *_ambiguous_names(line, names, contract), *_missing_names(line, names, mark, contract)]


def _header_line(text: str, mark: str, contract: Contract, taken: int) -> int:
    """Return the line of another row than the `taken` one that has all of the contract's names; 0 when there is none."""
    rows = _rows(text, mark)
    return next((at for at, row in rows if at != taken and set(contract.needed_sources) <= set(row)), 0)


def _ambiguous_names(line: int, names: list[str], contract: Contract) -> list[Problem]:
    """Return the problems of names that several columns have and the contract uses, or that would be sent twice."""
    problems = []
    sent = column_names(names, contract)
    twice = [name for name in contract.file_sources if names.count(name) > 1 and name not in sent]
    for name in twice[:MOST_NAMED]:
        places = _places(names, name)
        message = f"{columns(places)} are {'both' if len(places) == 2 else 'all'} called {quoted(name)}"
        which = " or ".join(f"{name}#{number}" for number in range(1, min(len(places), 3) + 1))
        hint = f"Write as source which one is meant: {which}{' …' if len(places) > 3 else ''}."
        problems.append(Problem(line, message, hint))
    if len(twice) > MOST_NAMED:
        problems.append(
            Problem(line, f"{len(twice) - MOST_NAMED:,} more names stand twice", "Write NAME#1 or NAME#2.")
        )
    for name in sorted({name for name in sent if sent.count(name) > 1})[:MOST_NAMED]:
        message = f"{columns(_places(sent, name))} would both be sent as {quoted(name)}"
        problems.append(Problem(line, message, "Call one of them otherwise in the file's header."))
    return problems


def _missing_names(line: int, names: list[str], mark: str, contract: Contract) -> list[Problem]:
    """Return the problem of missing names, with its likely cause: other spellings, no header, quotes around the whole line."""
    existing = {*names, *column_names(names, contract), *map(_in_windows, names)}
    if not (missing := _missing(existing, contract)):
        return []
    hints = [_with_hint(source, names) for source in missing]
    message = f"the header lacks {some(hints, MOST_NAMED)}"
    asked = [source for source in contract.file_sources if source in {*contract.needed_sources, *missing}]
    expected = f"The contract '{contract.name}' asks for {listed(asked, MOST_EXPECTED)}"
    if len(names) == 1 and set(contract.needed_sources) <= set(_first(names[0], mark)):
        message = f"the header lacks {listed(missing, MOST_NAMED)}: quotes stand around the whole line"
        return [Problem(line, message, "Save it with quotes around cells only, or without.")]
    if len(missing) == len(names) == len(contract.needed_sources) and hints == missing:
        return [
            Problem(
                line, message, f"{expected}. Where the file has no header, write one above its first line."
            )
        ]
    return [Problem(line, message, f"{expected}; rename the columns, or give another --survey.")]


def _with_hint(source: str, names: list[str]) -> str:
    """Return a missing name, with the most similar name of the header: `Tea (it has ' tea')`."""
    folded = {name.strip().lower(): name for name in names}
    near = difflib.get_close_matches(source.lower(), folded, n=1, cutoff=0.7)
    shown = listed([source])
    return f"{shown} (it has {quoted(folded[near[0]])})" if near else shown


def _separator(text: str, names: list[str], contract: Contract) -> str:
    """Return the separator where it is not the declared one; '' otherwise.

    With it more of the contract's names are found than with the declared one. Or no name is found either way, and only with it
    all rows have the same number of cells.
    """
    expected = {source.strip().lower() for source in contract.needed_sources}

    def fits(mark: str) -> tuple[int, int]:
        return len(expected & {name.strip().lower() for name in _first(text, mark)}), _cells(text, mark)

    declared = contract.input.delimiter
    best, by_declared = max((mark for mark in MARKS if mark != declared), key=fits), fits(declared)
    if fits(best)[0] > by_declared[0]:
        return best
    return best if by_declared[0] == 0 and fits(best)[1] > 1 and by_declared[1] < 2 else ""


def _cells(text: str, mark: str) -> int:
    """Return the number of cells that each of the first rows has; 0 when they differ."""
    counts = {len(row) for _, row in _rows(text, mark)}
    return counts.pop() if len(counts) == 1 else 0


def _bad_byte(names: list[str]) -> str:
    """Return a message about the first byte in the names that is not UTF-8; '' when there is none."""
    for place, name in enumerate(names, 1):
        for letter in filter(is_no_letter, name):
            where = f"column {place}, {quoted(name)}"
            return f"is not UTF-8 ({byte_in_words(letter, where)})"
    return ""


def _in_windows(name: str) -> str:
    """Return a name read as Windows-1252."""
    return name.encode("utf-8", "surrogateescape").decode("cp1252", "replace")


def _places(names: list[str], name: str) -> list[int]:
    """Return the columns of that name, from 1."""
    return [place for place, other in enumerate(names, 1) if other == name]


def _first(text: str, mark: str) -> list[str]:
    """Return the cells of the first row."""
    return next((row for _, row in _rows(text, mark)), [])


def _rows(text: str, mark: str) -> list[tuple[int, list[str]]]:
    """Return (line, cells) of the first rows that are not empty, read with this separator; MOST_ROWS at most."""
    reader, rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark), list[tuple[int, list[str]]]()
    try:
        while len(rows) < MOST_ROWS:
            line = reader.line_num + 1
            if row := next(reader):
                rows.append((line, row))
    except (StopIteration, csv.Error):
        pass
    return rows
