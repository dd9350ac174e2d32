"""An SPSS file (.sav, .zsav) as rows of text: codes as they are, or their labels; dates in ISO 8601."""

import math
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyreadstat

from surveylake.contract.input_format import Input
from surveylake.errors import InputError
from surveylake.produce.csv_form import Row
from surveylake.produce.spss_moments import written_as
from surveylake.wording import listed

MARKS = (b"$FL2", b"$FL3")
"""first bytes of a .sav and a .zsav"""
CASES_AT_ONCE = 20_000
Writer = Callable[[float], str]
"""how a variable's values are written, where they are no mere numbers"""
DAMAGED = "Fetch the file again, or have SPSS export a CSV."


def read(path: Path, form: Input) -> tuple[Iterator[Row], tuple[str, ...]]:
    """Return the rows, and a note on codes that the file declares missing. Raises InputError for a damaged file.

    Row 0 has the names of the variables, or with header_rows = 2 the next one their labels. The cases follow, from 1.
    """
    _, about = _part(path, metadataonly=True, user_missing=True)
    names = about.column_names
    labels = [about.column_names_to_labels.get(name) or name for name in names]
    header = [(0, list(names)), (0, labels)][: form.header_rows]
    return _rows(path, header, about, form), _missing_note(about)


def text_of(value: Any, decimal: str = ".", write: Writer | None = None) -> str:
    """Return a value as text: a number exactly and without an exponent, a date as `write` has it; a missing one is empty."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    if write:
        return write(value)
    exact = format(Decimal(repr(value)), "f")
    return (exact.rstrip("0").rstrip(".") if "." in exact else exact).replace(".", decimal)


def _rows(path: Path, header: list[Row], about: Any, form: Input) -> Iterator[Row]:
    yield from header
    words = about.variable_value_labels if form.values == "labels" else {}
    writers = {name: written_as(kind) for name, kind in about.original_variable_types.items()}
    # None: not even the file knows.
    cases, first = about.number_rows, 0
    while cases is None or first < cases:
        columns, _ = _part(
            path,
            row_offset=first,
            row_limit=CASES_AT_ONCE,
            output_format="dict",
            disable_datetime_conversion=True,
        )
        texts = [
            _column(values, words.get(name, {}), form.decimal, writers.get(name))
            for name, values in columns.items()
        ]
        number = first
        for number, row in enumerate(zip(*texts, strict=True), first + 1):
            yield number, list(row)
        if number < first + CASES_AT_ONCE:
            return
        first += CASES_AT_ONCE


def _column(values: list[Any], words: Mapping[Any, str], decimal: str, write: Writer | None) -> list[str]:
    """Return the values of a variable as texts; a value with a label as that."""
    return [
        words[value] if words and value in words else text_of(value, decimal, write)
        for value in values
    ]  # fmt: skip


def _part(path: Path, **how: Any) -> tuple[Any, Any]:
    """Return (columns, metadata). Raises InputError for a file that cannot be read."""
    try:
        return pyreadstat.read_sav(str(path), **how)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, OSError, UnicodeError) as error:
        raise InputError(f"{path} is an SPSS file, and it cannot be read: {error}", DAMAGED) from error


def _missing_note(about: Any) -> tuple[str, ...]:
    """Return the note on variables whose codes for a missing answer are read as none."""
    names = sorted(about.missing_ranges)
    return (f"codes that the file declares missing are sent as blanks: {listed(names)}",) if names else ()
