"""Check of a CSV's header: every field of the contract must be there once. All problems are in one message, by column."""

import csv
import difflib
import io
import re
from dataclasses import dataclass
from pathlib import Path

from surveylake.contract.model import Contract
from surveylake.errors import InputError
from surveylake.produce.bad_lines import MARKS, QUOTES, byte_in_words, is_no_letter
from surveylake.produce.not_csv import AS_UTF8, refuse_other_texts
from surveylake.wording import columns, listed, quoted, some

SPREADSHEET_LINE = re.compile(r'("?sep=(.?)"?)(\r\n|\r|\n|\Z)')
"""a first line that tells a spreadsheet the separator"""
MOST_ROWS = 20
"""rows that are searched for a header further down"""
MOST_NAMED = 5
MOST_EXPECTED = 12
WITH_COMMAS = (
    "Save the file with commas between the cells (spreadsheets ask for the separator when they export)."
)
ONE_NAME = "Give each column one name of its own, or delete the columns that nobody needs."


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
        raise InputError(f"{path}, line {problems[0].line}: {problems[0].message}", problems[0].hint)
    lines = "\n".join(f"  line {problem.line}: {problem.message}" for problem in problems)
    hint = " ".join(dict.fromkeys(problem.hint for problem in problems))
    raise InputError(f"{path} cannot be sent as it is\n{lines}", hint)


def _is_sound(names: list[str], contract: Contract) -> bool:
    """Return whether the header has no problem."""
    return (
        len(set(names)) == len(names) > 0
        and not _bad_byte(names)
        and not any("\0" in name for name in names)
        and "" not in names
        and set(contract.sources) <= set(names)
    )


def _problems(line: int, names: list[str], text: str, contract: Contract) -> list[Problem]:
    """Return the problems of a header that is not sound; further ones are not searched where it is not the header at all."""
    problems: list[Problem] = []
    mark, above = ",", 0
    if match := SPREADSHEET_LINE.match(text):
        message = f"is {quoted(match[1])}, which only spreadsheets read; the header follows it"
        problems.append(Problem(1, message, "Delete line 1."))
        mark, line, above, text = match[2] or ",", 2, 1, text[match.end() :]
        names = _first(text, mark)
    elif other := _separator(text, names, contract):
        mark, names = other, _first(text, other)
    if mark != ",":
        message = f"cells are separated by {MARKS.get(mark, quoted(mark))}, not by commas"
        problems.append(Problem(line, message, WITH_COMMAS))
    if not names:
        return [*problems, Problem(line, f"in the header {QUOTES}", "Correct the line.")]
    if not set(contract.sources) <= set(names) and (lower := _lower_header(text, mark, contract)):
        message = "this is not the header: it has not the contract's names"
        hint = f"Line {lower + above} has them all: delete the lines above it."
        return [*problems, Problem(line, message, hint)]
    if bad_byte := _bad_byte(names):
        problems.append(Problem(line, f"the header {bad_byte}", AS_UTF8))
    return [*problems, *_bad_names(line, names), *_missing_names(line, names, mark, contract)]


def _lower_header(text: str, mark: str, contract: Contract) -> int:
    """Return the line of a row below the first that has all of the contract's names; 0 when there is none."""
    return next((at for at, row in _rows(text, mark)[1:] if set(contract.sources) <= set(row)), 0)


def _bad_names(line: int, names: list[str]) -> list[Problem]:
    """Return the problems of columns without a name, and of names that several columns have."""
    problems = []
    if nameless := _places(names, ""):
        message = f"{columns(nameless)} {'has' if len(nameless) == 1 else 'have'} no name"
        problems.append(Problem(line, message, ONE_NAME))
    twice = [name for name in dict.fromkeys(names) if name and names.count(name) > 1]
    for name in twice[:MOST_NAMED]:
        places = _places(names, name)
        message = f"{columns(places)} are {'both' if len(places) == 2 else 'all'} called {quoted(name)}"
        problems.append(Problem(line, message, ONE_NAME))
    if len(twice) > MOST_NAMED:
        problems.append(Problem(line, f"{len(twice) - MOST_NAMED:,} more names stand twice", ONE_NAME))
    return problems


def _missing_names(line: int, names: list[str], mark: str, contract: Contract) -> list[Problem]:
    """Return the problem of missing names, with its likely cause: other spellings, no header, quotes around the whole line."""
    existing = {*names, *map(_in_windows, names)}
    missing = [source for source in contract.sources if source not in existing]
    if not missing:
        return []
    hints = [_with_hint(source, names) for source in missing]
    message = f"the header lacks {some(hints, MOST_NAMED)}"
    expected = f"The contract '{contract.name}' asks for {listed(contract.sources, MOST_EXPECTED)}"
    if len(names) == 1 and set(contract.sources) <= set(_first(names[0], mark)):
        message = f"the header lacks {listed(missing, MOST_NAMED)}: quotes stand around the whole line"
        return [Problem(line, message, "Save it with quotes around cells only, or without.")]
    if len(missing) == len(names) == len(contract.sources) and hints == missing:
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
    """Return the separator where it is not a comma; '' otherwise.

    With it more of the contract's names are found than with a comma. Or no name is found either way, and only with it all rows
    have the same number of cells.
    """
    expected = {source.strip().lower() for source in contract.sources}

    def fits(mark: str) -> tuple[int, int]:
        return len(expected & {name.strip().lower() for name in _first(text, mark)}), _cells(text, mark)

    best, by_comma = max(MARKS, key=fits), fits(",")
    if fits(best)[0] > by_comma[0]:
        return best
    return best if by_comma[0] == 0 and fits(best)[1] > 1 and by_comma[1] < 2 else ""


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
