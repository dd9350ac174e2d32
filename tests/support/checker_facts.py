"""A survey's questions in plain Python, and the people in its raw CSV. pandas only; nothing of the product."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd

Row = Mapping[str, str]
BLANKS = re.compile(
    "[\t\n\v\f\r \x85\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]+"
)  # as docs/verdicts.md lists them
INTEGER, DECIMAL = re.compile(r"[+-]?[0-9]+"), re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
BITS_32 = 2**31


@dataclass(frozen=True)
class Column:
    """One question: its header in the CSV, and its allowed answers."""

    source: str
    kind: str = "string"
    required: bool = False
    allowed: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_closed: bool = False
    """True if the spellings are the list of all answers"""


@dataclass(frozen=True)
class Derived:
    """A column made from the others: in the contract by SQL, here by a function of one person's answers."""

    kind: str
    sql: str
    of: Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Claim:
    """More people say `more` than `less` in `field`."""

    field: str
    more: str
    less: str
    outcomes: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Survey:
    """The facts of a contract."""

    columns: Mapping[str, Column]
    key: str = "id"
    by: tuple[tuple[str, ...], ...] = ()
    measure: str | None = None
    received_by: str | None = None
    charts: Mapping[str, str] = field(default_factory=dict)
    claim: Claim | None = None
    derived: Mapping[str, Derived] = field(default_factory=dict)
    smallest: int = 5

    def kind(self, column: str) -> str:
        """Return the type of a column."""
        return (self.columns.get(column) or self.derived[column]).kind

    def tables(self) -> list[tuple[str, ...]]:
        """Return the lists of columns of which the report has a table: those asked for, then the outcomes'."""
        claim = self.claim
        more = [(claim.field, outcome) for outcome in claim.outcomes] if claim else []
        return list(dict.fromkeys([*self.by, *more]))


@dataclass(frozen=True)
class Facts:
    """The raw answers: records as received, and the people counted."""

    survey: Survey
    records: pd.DataFrame
    """one row per record: a column per question (typed, None where unreadable), `~reasons`"""
    people: pd.DataFrame
    """one row per person: the last accepted record"""

    @property
    def accepted(self) -> int:
        """Records without a reason against them."""
        return int((self.records["~reasons"].map(len) == 0).sum())

    def reasons(self) -> Counter[str]:
        """Reason -> records."""
        return Counter(reason for reasons in self.records["~reasons"] for reason in reasons)

    def groups(self, *columns: str) -> Counter[tuple[str, ...]]:
        """Group -> people who answered all these columns."""
        answered = self.people[list(columns)].dropna()
        return Counter(tuple(map(as_text, row)) for row in answered.itertuples(index=False))

    def blank(self, *columns: str) -> int:
        """People who left one of these columns blank."""
        return int(self.people[list(columns)].isna().any(axis=1).sum())

    def rare(self, column: str) -> set[str]:
        """Return the values that fewer people gave than may be named."""
        return {value for (value,), n in self.groups(column).items() if n < self.survey.smallest}


def facts_of(survey: Survey, rows: Sequence[Row]) -> Facts:
    """Validate every row of the CSV by the contract's facts, and keep the last accepted one of each key."""
    judged = [_judged(survey, row) for row in rows]
    columns = [*survey.columns, *survey.derived, "~reasons"]
    records = pd.DataFrame(judged, columns=columns, dtype=object)
    accepted = records[records["~reasons"].map(len) == 0]
    return Facts(survey, records, accepted.drop_duplicates(survey.key, keep="last"))


def as_text(value: Any) -> str:
    """Return a value as the tables have it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _judged(survey: Survey, row: Row) -> dict[str, Any]:
    reasons: list[str] = []
    answers: dict[str, Any] = {}
    for name, column in survey.columns.items():
        text = BLANKS.sub(" ", row[column.source]).strip(" ")
        value, reason = _typed(text, column)
        answers[name] = value
        if reason:
            reasons.append(f"{reason}:{column.source}")
    for name, part in survey.derived.items():
        answers[name] = part.of(answers)
    return {**answers, "~reasons": reasons}


def _typed(text: str, column: Column) -> tuple[Any, str]:
    """Return the value of a text, or None, and the reason against it, or ''."""
    if not text:
        return None, "blank" if column.required else ""
    if column.kind == "string":
        known = {other: name for name, others in column.spellings.items() for other in others}
        value = known.get(text, text)
        return value, "not_allowed" if column.allowed and value not in column.allowed else ""
    if column.kind == "boolean":
        answer = {"true": True, "false": False}.get(text.lower())
        return answer, "not_a_boolean" if answer is None else ""
    if column.kind == "date":
        try:
            day = date.fromisoformat(text) if DAY.fullmatch(text) else None
        except ValueError:
            day = None
        return day, "" if day else "not_a_date"
    return _number(text, column)


def _number(text: str, column: Column) -> tuple[Any, str]:
    whole = column.kind == "integer"
    if not (INTEGER if whole else DECIMAL).fullmatch(text):
        return None, "not_a_number"
    value = int(text) if whole else Decimal(text)
    if whole and not -BITS_32 <= value < BITS_32:
        return None, "out_of_range"
    beyond = (column.low is not None and value < column.low) or (
        column.high is not None and value > column.high
    )
    return value, "out_of_range" if beyond else ""
