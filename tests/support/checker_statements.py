"""The statements of a report, read from report.json, and comparisons with them. Nothing of the product."""

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.checker_facts import Survey

Statement = Mapping[str, Any]
ISOLATED = "\u2068[^\u2068\u2069]*\u2069"
CLOSE = 1e-9
"""report.json has 12 digits"""


@dataclass(frozen=True)
class ReportStatements:
    """The statements of a report, and its folder."""

    folder: Path
    statements: tuple[Statement, ...]
    """without the isolates in their words"""
    turned: tuple[str, ...] = ()
    """words in which a right-to-left letter stands outside an isolate, and so reorders its neighbours"""

    def all(self, what: str, *columns: str) -> list[Statement]:
        """Return the statements of a kind, about these columns if any are given."""
        return [
            s for s in self.statements
            if s["what"] == what and (not columns or tuple(s.get("columns", ())) == columns)
        ]  # fmt: skip

    def by_groups(self, what: str, *columns: str) -> dict[tuple[str, ...], Statement]:
        """Return the statements of a kind about these columns, by their groups, in order."""
        return {tuple(s.get("groups", ())): s for s in self.all(what, *columns)}


def read(folder: Path) -> ReportStatements:
    """Read report.json in a folder."""
    statements = json.loads((folder / "report.json").read_text(encoding="utf-8"))["statements"]
    words = [
        text
        for statement in statements
        for text in (statement["text"], *statement.get("more", {}).values())
        if isinstance(text, str)
    ]
    turned = tuple(text for text in words if any(map(_is_right_to_left, re.sub(ISOLATED, "", text))))
    return ReportStatements(folder, tuple(map(_without_isolates, statements)), turned)


def _is_right_to_left(char: str) -> bool:
    return unicodedata.bidirectional(char) in ("R", "AL", "AN")


def _without_isolates(statement: Statement) -> Statement:
    more = {name: plain(value) for name, value in statement.get("more", {}).items()}
    return {**statement, "text": plain(statement["text"]), **({"more": more} if more else {})}


def plain(value: Any) -> Any:
    """Return words without isolates, any other value as it is."""
    return re.sub("[\u2068\u2069]", "", value) if isinstance(value, str) else value


def pool(survey: Survey) -> str:
    """Return the name of the line of values that too few people gave."""
    return f"Other (fewer than {survey.smallest} each)"


def same(stated: object, right: object) -> bool:
    """True if two numbers (or words) are the same, to the digits of report.json."""
    if isinstance(stated, int | float) and isinstance(right, int | float):
        return math.isclose(stated, right, rel_tol=CLOSE, abs_tol=1e-11)
    return stated == right


def differences(statement: Statement | None, name: str, **right: object) -> list[str]:
    """Compare a statement's parts with the right values; a part that is not its own is one of `more`."""
    if statement is None:
        return [f"{name}: not said"]
    more = statement.get("more", {})
    values = {part: statement[part] if part in statement else more.get(part) for part in right}
    return [
        f"{name}: {part} is said to be {values[part]!r}, and is {value!r}"
        for part, value in right.items()
        if not same(values[part], value)
    ]


def only(statements: Iterable[Statement], name: str) -> tuple[Statement | None, list[str]]:
    """Return the only one of several statements, and a fault where there is another number of them."""
    listed = list(statements)
    if len(listed) == 1:
        return listed[0], []
    return None, [f"{name}: said {len(listed)} times"]


def in_order(survey: Survey, column: str, values: list[str]) -> bool:
    """True if numbers are sorted by value, and a declared list is in its own order; the rest last."""
    part = survey.columns.get(column)
    listed = [value for value in values if value != pool(survey)]
    if [*listed, *[value for value in values if value == pool(survey)]] != values:
        return False
    if survey.kind(column) == "integer":
        return listed == sorted(listed, key=int)
    if part and part.allowed:
        return listed == [value for value in part.allowed if value in listed]
    return True
