"""The words a contract is written in: names, types, texts and patterns, each checked as it is read."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

SPARK_TYPES = {"string": "string", "integer": "int", "date": "date", "boolean": "boolean"}
"""Contract type -> Spark SQL type; `decimal(p,s)` stands for itself."""
DECIMAL = re.compile(r"decimal\((\d{1,2}),\s*(\d{1,2})\)")
MOST_DIGITS = 38
"""Spark's longest decimal."""
RECORD_COLUMNS = (
    "topic", "partition", "offset", "timestamp", "epoch", "key", "value", "accepted", "failed_rules",
)  # fmt: skip
"""What every `records` table holds before the contract's own columns."""
SUMMARY_COLUMNS = ("people", "answers", "share", "received", "responses", "records_version")
"""What summaries hold beside the contract's columns."""
BLANK_RUN = re.compile(r"[\s\x85\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]+", re.ASCII)
"""What cleaning makes one space of; see surveylake.gate.BLANKS."""


class Part(BaseModel):
    """A frozen piece of a contract or a conf file: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def is_number(kind: str) -> bool:
    """Whether a contract type is a number."""
    return kind == "integer" or kind.startswith("decimal")


def spark_type(kind: str) -> str:
    """The Spark SQL type of a contract type, such as `int` or `decimal(10,2)`."""
    return SPARK_TYPES.get(kind, kind)


def _known_type(name: str) -> str:
    match = DECIMAL.fullmatch(name)
    if name not in SPARK_TYPES and not match:
        known = ", ".join([*SPARK_TYPES, "decimal(precision,scale)"])
        raise ValueError(f"unknown type '{name}'; known types: {known}")
    if match is None:
        return name
    precision, scale = int(match[1]), int(match[2])
    if not 1 <= precision <= MOST_DIGITS or scale > precision:
        raise ValueError(
            f"'{name}': precision is 1 to {MOST_DIGITS} digits, scale is how many of them follow the point"
        )
    return f"decimal({precision},{scale})"


def _column_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ValueError(f"'{name}' must be snake_case: a to z, 0 to 9 and _, starting with a letter")
    if name in RECORD_COLUMNS:
        raise ValueError(f"'{name}' is a column that every records table has; choose another name")
    if name in SUMMARY_COLUMNS:
        raise ValueError(f"'{name}' is a column that every summary has; choose another name")
    return name


def _cleaned(text: str) -> str:
    """Refuse a text that no cleaned value can equal."""
    if not text or BLANK_RUN.sub(" ", text).strip() != text:
        raise ValueError(
            f"'{text}' can never be met: values are compared without blanks at the ends and with single spaces inside"
        )
    return text


def _linear_pattern(pattern: str) -> str:
    """Refuse a pattern that does not compile, here or in Java, or that nests quantifiers (time exponential in the input)."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    if re.search(r"\(\?(?![:=!]|<[=!]|i\))", pattern):
        raise ValueError(
            "of the groups that begin with (? only (?: (?= (?! (?<= (?<! and (?i) mean the same everywhere"
        )
    if re.search(r"[+*}]\)?[^)]*\)[+*{]", pattern):
        raise ValueError("a repeated group that itself repeats can take for ever; write it without nesting")
    return pattern


TypeName = Annotated[str, AfterValidator(_known_type)]
ColumnName = Annotated[str, AfterValidator(_column_name)]
Cleaned = Annotated[str, AfterValidator(_cleaned)]
Pattern = Annotated[str, AfterValidator(_linear_pattern)]
TopicName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]
Limit = Annotated[int | float, Field(allow_inf_nan=False)]


class Typed(Part):
    """What a column of the contract has, be it a field or derived."""

    type: TypeName
    description: str = ""

    @property
    def sql_type(self) -> str:
        """Its Spark SQL type."""
        return spark_type(self.type)
