"""A CSV's header against the contract: every field must be there once, and what is wrong is told all at once, by column."""

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
"""The first line by which a spreadsheet is told what stands between cells."""
MOST_ROWS = 20
"""rows looked at for a header that stands lower down"""
MOST_TOLD = 5
MOST_ASKED = 12
WITH_COMMAS = (
    "Save the file with commas between the cells (spreadsheets ask for the separator when they export)."
)
ONE_NAME = "Give each column one name of its own, or delete the columns that nobody needs."


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong with the header: in which line, what, and what to do."""

    line: int
    what: str
    todo: str


def require_header(path: Path, line: int, names: list[str], text: str, contract: Contract) -> None:
    """InputError that tells all that is wrong with the header; nothing where it can be used.

    `names` are the cells of the first row, `line` is where it begins, `text` the beginning of the file.
    """
    if _is_sound(names, contract):
        return
    refuse_other_texts(path, line, text)
    if any("\0" in name for name in names):
        raise InputError(
            f"{path}, line {line}: this is no text: NUL characters are in it", "Give the CSV, saved as UTF-8."
        )
    troubles = _troubles(line, names, text, contract)
    if len(troubles) == 1:
        raise InputError(f"{path}, line {troubles[0].line}: {troubles[0].what}", troubles[0].todo)
    told = "\n".join(f"  line {trouble.line}: {trouble.what}" for trouble in troubles)
    todo = " ".join(dict.fromkeys(trouble.todo for trouble in troubles))
    raise InputError(f"{path} cannot be sent as it is\n{told}", todo)


def _is_sound(names: list[str], contract: Contract) -> bool:
    return (
        len(set(names)) == len(names) > 0
        and not _odd(names)
        and not any("\0" in name for name in names)
        and "" not in names
        and set(contract.sources) <= set(names)
    )


def _troubles(line: int, names: list[str], text: str, contract: Contract) -> list[Trouble]:
    found: list[Trouble] = []
    mark, above = ",", 0
    if told := SPREADSHEET_LINE.match(text):
        what = f"is {quoted(told[1])}, which only spreadsheets read; the header follows it"
        found.append(Trouble(1, what, "Delete line 1."))
        mark, line, above, text = told[2] or ",", 2, 1, text[told.end() :]
        names = _first(text, mark)
    elif other := _separator(text, names, contract):
        mark, names = other, _first(text, other)
    if mark != ",":
        what = f"cells are separated by {MARKS.get(mark, quoted(mark))}, not by commas"
        found.append(Trouble(line, what, WITH_COMMAS))
    if not names:
        return [*found, Trouble(line, f"in the header {QUOTES}", "Correct the line.")]
    if not set(contract.sources) <= set(names) and (lower := _lower(text, mark, contract)):
        what = "this is not the header: it has not the contract's names"
        todo = f"Line {lower + above} has them all: delete the lines above it."
        return [*found, Trouble(line, what, todo)]
    if odd := _odd(names):
        found.append(Trouble(line, f"the header {odd}", AS_UTF8))
    return [*found, *_named_badly(line, names), *_lacking(line, names, mark, contract)]


def _lower(text: str, mark: str, contract: Contract) -> int:
    """The line of the first row but one that has all of the contract's names; 0 when none has."""
    return next((at for at, row in _rows(text, mark)[1:] if set(contract.sources) <= set(row)), 0)


def _named_badly(line: int, names: list[str]) -> list[Trouble]:
    """Columns without a name, and names that stand twice, each with its places."""
    found = []
    if nameless := _places(names, ""):
        what = f"{columns(nameless)} {'has' if len(nameless) == 1 else 'have'} no name"
        found.append(Trouble(line, what, ONE_NAME))
    twice = [name for name in dict.fromkeys(names) if name and names.count(name) > 1]
    for name in twice[:MOST_TOLD]:
        places = _places(names, name)
        what = f"{columns(places)} are {'both' if len(places) == 2 else 'all'} called {quoted(name)}"
        found.append(Trouble(line, what, ONE_NAME))
    if len(twice) > MOST_TOLD:
        found.append(Trouble(line, f"{len(twice) - MOST_TOLD:,} more names stand twice", ONE_NAME))
    return found


def _lacking(line: int, names: list[str], mark: str, contract: Contract) -> list[Trouble]:
    """What is not there, and why that may be: spelt otherwise, no header at all, or quotes around the whole line."""
    read = {*names, *map(_in_windows, names)}
    missing = [source for source in contract.sources if source not in read]
    if not missing:
        return []
    hints = [_with_hint(source, names) for source in missing]
    what = f"the header lacks {some(hints, MOST_TOLD)}"
    asked = f"The contract '{contract.name}' asks for {listed(contract.sources, MOST_ASKED)}"
    if len(names) == 1 and set(contract.sources) <= set(_first(names[0], mark)):
        what = f"the header lacks {listed(missing, MOST_TOLD)}: quotes stand around the whole line"
        return [Trouble(line, what, "Save it with quotes around cells only, or without.")]
    if len(missing) == len(names) == len(contract.sources) and hints == missing:
        return [
            Trouble(line, what, f"{asked}. Where the file has no header, write one above its first line.")
        ]
    return [Trouble(line, what, f"{asked}; rename the columns, or give another --survey.")]


def _with_hint(source: str, names: list[str]) -> str:
    folded = {name.strip().lower(): name for name in names}
    near = difflib.get_close_matches(source.lower(), folded, n=1, cutoff=0.7)
    shown = listed([source])
    return f"{shown} (it has {quoted(folded[near[0]])})" if near else shown


def _separator(text: str, names: list[str], contract: Contract) -> str:
    """What stands between the cells where it is no comma: with it more of the contract's names are found; or, where none is,
    all rows have as many cells, and with commas they have not. '' otherwise."""
    wanted = {source.strip().lower() for source in contract.sources}

    def fits(mark: str) -> tuple[int, int]:
        return len(wanted & {name.strip().lower() for name in _first(text, mark)}), _cells(text, mark)

    best, by_comma = max(MARKS, key=fits), fits(",")
    if fits(best)[0] > by_comma[0]:
        return best
    return best if by_comma[0] == 0 and fits(best)[1] > 1 and by_comma[1] < 2 else ""


def _cells(text: str, mark: str) -> int:
    """How many cells each of the first rows has; 0 when they differ."""
    counts = {len(row) for _, row in _rows(text, mark)}
    return counts.pop() if len(counts) == 1 else 0


def _odd(names: list[str]) -> str:
    """The first byte in the names that is not UTF-8; '' when there is none."""
    for place, name in enumerate(names, 1):
        for letter in filter(is_no_letter, name):
            where = f"column {place}, {quoted(name)}"
            return f"is not UTF-8 ({byte_in_words(letter, where)})"
    return ""


def _in_windows(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("cp1252", "replace")


def _places(names: list[str], name: str) -> list[int]:
    return [place for place, held in enumerate(names, 1) if held == name]


def _first(text: str, mark: str) -> list[str]:
    return next((row for _, row in _rows(text, mark)), [])


def _rows(text: str, mark: str) -> list[tuple[int, list[str]]]:
    """(line, cells) of the first rows that are not empty, read as they would be with this between the cells."""
    reader, found = csv.reader(io.StringIO(text, newline=""), delimiter=mark), list[tuple[int, list[str]]]()
    try:
        while len(found) < MOST_ROWS:
            line = reader.line_num + 1
            if row := next(reader):
                found.append((line, row))
    except (StopIteration, csv.Error):
        pass
    return found
