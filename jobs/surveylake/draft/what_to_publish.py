"""A first set of summaries and charts, and a claim to fill in, from the columns that can be counted."""

import re
from dataclasses import dataclass

GROUP_NAME = re.compile(r"(^|_)(gender|sex|geschlecht|genero|sexo|group|country|region|department)(_|$)")
"""What a survey is mostly broken down by."""
NO_MEASURE = re.compile(
    r"(^|_)(id|zip|plz|postcode|year|code|index|nr|lat|lon|latitude|longitude|phone)(_|$)|^column_"
)
WEIGHT = re.compile(r"(^|_)(weight|weights|wt|wgt)(_|$)")
"""How pollsters call what each person counts for."""
FEWEST_PEOPLE = 5
"""Answers of a value below which the report gives it no name (conf file: smallest_group)."""
LEAST_FILLED = 0.5


@dataclass(frozen=True)
class Countable:
    """A column that may be counted or measured."""

    name: str
    role: str
    """`group`, `order` or `measure`"""
    texts: dict[str, int]
    """its answers, the most frequent first"""
    filled: float
    """share of people who answered"""
    type: str
    """of the contract"""

    @property
    def named(self) -> int:
        """Number of values that enough people gave."""
        return sum(number >= FEWEST_PEOPLE for number in self.texts.values())


@dataclass(frozen=True)
class Published:
    """What is counted and drawn."""

    group: str
    bands: str
    stack: str
    measure: str
    tables: tuple[tuple[str, ...], ...]
    values: tuple[str, ...]
    """answers of the group, the most frequent first"""


def what_to_publish(columns: list[Countable]) -> Published | None:
    """Choose columns; None where no column can be counted."""
    groups = sorted(
        (c for c in columns if c.role in ("group", "order") and c.named > 1 and c.filled >= LEAST_FILLED),
        key=lambda c: (
            not GROUP_NAME.search(c.name),
            c.role != "group",
            c.type == "boolean",
            -round(c.filled, 1),
        ),
    )
    if not groups:
        return None
    group = groups[0]
    others = [c for c in groups[1:] if c.name != group.name]
    bands = next((c for c in others if c.role == "order"), None)
    stack = next((c for c in others if c is not bands), bands)
    measure = next((c for c in columns if c.role == "measure" and _is_measure(c)), None)
    names = _names(group, bands, stack)
    return Published(
        group.name, bands.name if bands else "", stack.name if stack else "", measure.name if measure else "",
        _tables(names), tuple(group.texts),
    )  # fmt: skip


def _tables(names: list[str]) -> tuple[tuple[str, ...], ...]:
    """Return one table for each column, and for the first with each other; of two that would be called alike the first."""
    wanted: list[tuple[str, ...]] = [
        *((name,) for name in names),
        *((names[0], other) for other in names[1:]),
    ]
    called: dict[str, tuple[str, ...]] = {}
    for columns in wanted:
        called.setdefault("_".join(columns), columns)
    return tuple(called.values())


def _names(*columns: Countable | None) -> list[str]:
    return list(dict.fromkeys(column.name for column in columns if column))


def _is_measure(column: Countable) -> bool:
    return (
        len(column.texts) > FEWEST_PEOPLE
        and column.filled >= LEAST_FILLED
        and not NO_MEASURE.search(column.name)
        and not (column.type == "double" and WEIGHT.search(column.name))
    )
