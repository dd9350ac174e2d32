"""One table of the report as text cells: groups with their statistics, or two columns crossed."""

from typing import Any

from surveylake.aggregate.groups import MEASURES
from surveylake.contract.model import Contract
from surveylake.export.formatting import count, number, percent, questions, shorten, statistic, words
from surveylake.export.statements.model import Statement, Table

MOST_ROWS, MOST_COLUMNS = 40, 8
"""of a table in the report; its CSV has all"""
WITHHELD = "–"


def table_view(table: Table, contract: Contract) -> dict[str, Any]:
    """Return a table's title, head, rows of text and notes."""
    rows, head = _crossed(table) if len(table.columns) == 2 else _listed(table, contract)
    measures = len(head) - 3 if len(table.columns) == 1 else 0
    return {
        "title": f"By {' and '.join(map(words, table.columns))}", "questions": questions(table.columns, contract),
        "head": head, "measures": measures, "rows": rows[:MOST_ROWS],
        "left": max(0, len(rows) - MOST_ROWS), "file": f"summary_{'_'.join(table.columns)}.csv",
        "notes": _notes(table), "columns": _columns_shown(table), "none": "" if table.lines else table.headline.text,
    }  # fmt: skip


def _listed(table: Table, contract: Contract) -> tuple[list[list[str]], list[str]]:
    """Return one row per group: people, share, the measure's statistics."""
    kinds = [
        kind
        for kind in MEASURES
        if any(measure.more.get(kind) is not None for measure in table.measures.values())
    ]
    rows = [
        [
            shorten(line.groups[0], 60),
            number(line.value),
            percent(line.share or 0.0),
            *_statistics(table, line, kinds),
        ]
        for line in table.lines
    ]
    rows += [
        [
            line.groups[0],
            number(line.value),
            WITHHELD if line.share is None else percent(line.share),
            *[WITHHELD] * len(kinds),
        ]
        for line in table.rest
        if table.lines
    ]
    return rows, [words(table.columns[0]), "answers", "share", *kinds]


def _statistics(table: Table, line: Statement, kinds: list[str]) -> list[str]:
    measure = table.measures.get(line.groups)
    return [statistic(measure.more[kind], kind) if measure else WITHHELD for kind in kinds]


def _crossed(table: Table) -> tuple[list[list[str]], list[str]]:
    """Return one row per value of the first column, and a column per value of the second: people and share of the row."""
    cells = {cell.groups: cell for cell in table.lines}
    shown = _crossing(table)[:MOST_COLUMNS]
    rows = []
    for row in table.rows if table.lines else ():
        people = sum(int(cell.value or 0) for cell in table.lines if cell.groups[0] == row.groups[0])
        empty = "0" if people == row.value else WITHHELD
        parts = [_cell(cells.get((row.groups[0], value)), empty) for value in shown]
        rows.append([shorten(row.groups[0], 60), *parts, number(row.value)])
    return rows, [words(table.columns[0]), *(shorten(value, 24) for value in shown), "n"]


def _crossing(table: Table) -> list[str]:
    """Return the values of the second column that have people, in the table's order."""
    given = {cell.groups[1] for cell in table.lines}
    return [value for value in table.values if value in given]


def _columns_shown(table: Table) -> str:
    """Return which values of the second column have a column in the report; '' where all have."""
    if len(table.columns) < 2 or len(given := _crossing(table)) <= MOST_COLUMNS:
        return ""
    return f"Columns are the first {MOST_COLUMNS} of {len(given)} values of {words(table.columns[1])}"


def _cell(cell: Statement | None, empty: str) -> str:
    return empty if cell is None else f"{number(cell.value)} ({percent(cell.share or 0.0)})"


def _notes(table: Table) -> list[str]:
    """Return the notes: n, how many did not answer, what is not shown, and why a mean is missing."""
    notes = [f"n = {count(table.base)}."]
    if table.blank:
        notes[0] = (
            f"n = {count(table.base)}; {count(table.blank)} did not answer {' or '.join(map(words, table.columns))}."
        )
    notes += [
        f"{line.text[0].upper()}{line.text[1:]}."
        for line in table.rest
        if line.what == "held" or line.value is None
    ]
    if len(table.columns) == 1:
        notes += sorted({f"{m.rule[0].upper()}{m.rule[1:]}." for m in table.measures.values() if m.rule})
    return notes
