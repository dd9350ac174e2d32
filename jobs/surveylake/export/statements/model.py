"""The report as data: each statement with its numbers, and the words made from them.

report.json holds all statements; report.html, report.md, the charts' headlines and alt texts contain nothing else.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from surveylake.lake.tables import Cell

FORMAT = "surveylake report 1"
DIGITS = 12
"""significant digits of a computed number; means and deviations differ in the 16th with the order of addition"""


@dataclass(frozen=True)
class Statement:
    """One statement of a report. A part that does not apply is None or empty, and not in report.json."""

    what: str
    """kind of statement, such as `headline`"""
    text: str
    """the words, as in the report"""
    columns: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """the group it is about: a value per column, or the values that are compared"""
    value: Cell = None
    """the number it states; people or records unless `what` says otherwise"""
    base: int | None = None
    """people (or records) of whom `value` are a part"""
    share: float | None = None
    """value / base, 0 to 1"""
    n: int | None = None
    """people over whom a test or a statistic is computed"""
    test: str | None = None
    p: float | None = None
    rule: str | None = None
    """why a number is withheld"""
    more: dict[str, Cell] = field(default_factory=dict)
    """further numbers, by name"""


@dataclass(frozen=True)
class Table:
    """The statements of one table of people."""

    columns: tuple[str, ...]
    base: int
    blank: int
    lines: tuple[Statement, ...]
    """`group` (one column) or `cell` (two) of each line shown, in order"""
    rest: tuple[Statement, ...]
    """the lines that stand for many: `pooled`, `held`"""
    rows: tuple[Statement, ...]
    """of two columns: `row`, the people of each value of the first"""
    values: tuple[str, ...]
    """of two columns: the values of the second, in order"""
    headline: Statement
    measures: dict[tuple[str, ...], Statement]
    """groups -> `measure`"""
    smallest: int
    """people that a group must have to be named"""
    pool: str
    """name of the line of values that too few people gave"""


@dataclass(frozen=True)
class Report:
    """All statements of one run, in the order of the report, and where they come from."""

    about: dict[str, Any]
    statements: tuple[Statement, ...]

    def all(self, what: str, *columns: str) -> list[Statement]:
        """Return the statements of a kind, about these columns if any are given."""
        return self._index.get((what, columns), [])

    @cached_property
    def _index(self) -> dict[tuple[str, tuple[str, ...]], list[Statement]]:
        index: dict[tuple[str, tuple[str, ...]], list[Statement]] = {}
        for statement in self.statements:
            for columns in {(), statement.columns}:
                index.setdefault((statement.what, columns), []).append(statement)
        return index

    def one(self, what: str, *columns: str) -> Statement | None:
        """Return the only statement of a kind; None when there is none."""
        return next(iter(self.all(what, *columns)), None)

    def table(self, *columns: str) -> Table | None:
        """Return the table over exactly these columns, in this order; None when it is not published."""
        answered = self.one("answered", *columns)
        headline = self.one("headline", *columns)
        if answered is None or headline is None:
            return None
        kind = "group" if len(columns) == 1 else "cell"
        rest = [*self.all("pooled", *columns), *self.all("held", *columns)]
        return Table(
            columns, int(answered.value or 0), int(answered.more["blank"] or 0), tuple(self.all(kind, *columns)),
            tuple(rest), tuple(self.all("row", *columns)),
            tuple(column.groups[0] for column in self.all("column", *columns)), headline,
            {measure.groups: measure for measure in self.all("measure", *columns)},
            int(self.about["smallest_group"]), str(answered.more["pool"]),
        )  # fmt: skip

    def tables(self, published: bool = True) -> Iterator[Table]:
        """Yield every table; those made for the hypothesis alone only when not `published`."""
        for answered in self.all("answered"):
            table = self.table(*answered.columns)
            if table and (bool(answered.more["published"]) or not published):
                yield table

    def adding(self, statements: Iterable[Statement]) -> "Report":
        """Return the report with more statements at its end."""
        return replace(self, statements=(*self.statements, *statements))

    def as_json(self) -> dict[str, Any]:
        """Return report.json's content."""
        return {"format": FORMAT, **self.about, "statements": [_as_json(s) for s in self.statements]}


def _as_json(statement: Statement) -> dict[str, Any]:
    parts = {part.name: getattr(statement, part.name) for part in fields(statement)}
    return {
        name: _plain(value) for name, value in parts.items() if value is not None and value not in ((), {})
    }


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return list(value) if isinstance(value, tuple) else value
