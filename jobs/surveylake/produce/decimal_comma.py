"""Numbers whose decimal mark is a comma, in the columns of a file that hold numbers; what is no number there stays as it is."""

import re
from collections.abc import Iterable

from surveylake.contract.field_types import without_blank_runs
from surveylake.contract.model import Contract

NUMBER = re.compile(r"[+-]?(?:[0-9]{1,3}(?:[. ][0-9]{3})+|[0-9]*)(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?")
"""A number, with a mark for thousands or none, and a decimal mark of either kind."""


class DecimalComma:
    """The columns of a file that hold numbers. A word for no answer, such as `k.A.`, is none, whatever it is written with."""

    def __init__(self, sources: Iterable[str], contract: Contract, mark: str) -> None:
        """`sources` are the names of the file's columns; none holds such numbers where the decimal `mark` is a point."""
        numbers = {
            field.source: frozenset(field.missing) for field in contract.fields.values() if field.is_number
        }
        self._words = {
            at: numbers[source] for at, source in enumerate(sources) if source in numbers and mark == ","
        }

    def with_a_point(self, row: list[str]) -> int | None:
        """Return the first column with a number that has a point, where a comma is declared; None when there is none."""
        return next((at for at in self._words if "." in row[at] and self._is_number(at, row[at])), None)

    def to_points(self, row: list[str]) -> None:
        """Put a point for the comma into the row's numbers."""
        self._replace(row, ",", ".")

    def to_commas(self, row: list[str]) -> None:
        """Put a comma for the point into the row's numbers."""
        self._replace(row, ".", ",")

    def _replace(self, row: list[str], mark: str, other: str) -> None:
        for at in self._words:
            if mark in row[at] and self._is_number(at, row[at]):
                row[at] = row[at].replace(mark, other)

    def _is_number(self, at: int, cell: str) -> bool:
        text = without_blank_runs(cell)
        return text not in self._words[at] and NUMBER.fullmatch(text) is not None
