"""An Excel workbook (.xlsx) as rows of text: what a spreadsheet would write into a CSV, with dates in ISO 8601."""

import datetime
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import python_calamine as calamine

from surveylake.contract.input_format import Input
from surveylake.errors import InputError
from surveylake.produce.csv_form import Row
from surveylake.wording import listed, quoted

INSIDE = "xl/workbook.xml"
"""the file in the zip that makes it a workbook"""
EXCEL_DIGITS = 15
"""digits of a number that Excel keeps and shows"""
MOST_WHOLE = 10**EXCEL_DIGITS
Cell = str | bool | int | float | datetime.date | datetime.time | datetime.timedelta


def read(path: Path, form: Input) -> tuple[Iterator[Row], tuple[str, ...]]:
    """Return the rows of the sheet with their numbers, from 1, and no notes. Empty rows have cells of ''.

    Raises InputError for a workbook that cannot be read, or whose sheet is not said.
    """
    try:
        book = calamine.load_workbook(path)
        sheet = book.get_sheet_by_name(_sheet(path, book, form.sheet))
        cells = sheet.to_python(skip_empty_area=False)
    except (calamine.CalamineError, OSError) as error:
        raise InputError(
            f"{path} is an Excel workbook, and it cannot be read: {error}",
            "Save it again as .xlsx, or as 'CSV UTF-8', and give that file.",
        ) from error
    return _texts(cells, form), ()


def text_of(value: Cell | None, decimal: str = ".") -> str:
    """Return a cell as text: a number without an exponent, TRUE or FALSE, 2024-05-04, 2024-05-04T11:29:31."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        # Most numbers of a survey are whole and small, and there are many of them.
        if abs(value) < MOST_WHOLE and value == int(value):
            return str(int(value))
        return format(Decimal(f"{value:.{EXCEL_DIGITS}g}"), "f").replace(".", decimal)
    if isinstance(value, datetime.timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return value.isoformat()


def _sheet(path: Path, book: calamine.CalamineWorkbook, declared: str) -> str:
    """Return the name of the sheet to read. Raises InputError where the contract does not say which of several, or none."""
    names = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == calamine.SheetTypeEnum.WorkSheet
    ]  # fmt: skip
    if declared in names:
        return declared
    if declared:
        raise InputError(
            f"{path} has no sheet {quoted(declared)}, as [input] says; it has {listed(names)}",
            "Correct sheet under [input] in the contract.",
        )
    hidden = {
        sheet.name for sheet in book.sheets_metadata if sheet.visible != calamine.SheetVisibleEnum.Visible
    }
    shown = [name for name in names if name not in hidden]
    if len(shown) > 1:
        # Opening a sheet is to read all of it, so the only one is not asked whether it has rows.
        shown = [name for name in shown if book.get_sheet_by_name(name).height]
    if len(shown) > 1:
        raise InputError(
            f"{path} has {len(shown)} sheets: {listed(shown)}",
            f'Write in the contract, under [input], which one has the answers, such as sheet = "{shown[0]}".',
        )
    return shown[0] if shown else names[0]


def _texts(cells: list[list[Cell]], form: Input) -> Iterator[Row]:
    """Yield the rows as texts, as wide as the widest one that holds something."""
    width = max((_filled(row) for row in cells), default=0)
    moments = [at for at in range(width) if any(isinstance(row[at], datetime.datetime) for row in cells)]
    for line, row in enumerate(cells, 1):
        for at in moments:
            row[at] = _at_midnight(row[at])
        yield (
            line,
            [value if isinstance(value, str) else text_of(value, form.decimal) for value in row[:width]],
        )


def _filled(row: Sequence[Cell]) -> int:
    """Return the number of cells up to the last one that holds something."""
    return next((at for at in range(len(row), 0, -1) if row[at - 1] != ""), 0)


def _at_midnight(value: Cell) -> Cell:
    """Return a date as the moment that it is: in a column of moments the one at midnight reads as a mere date."""
    is_date = isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)
    return datetime.datetime.combine(value, datetime.time()) if is_date else value  # type: ignore[arg-type]
