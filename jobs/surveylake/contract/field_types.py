"""The types of a contract's values: names, types, texts and patterns, each validated as it is read."""

import json
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from surveylake.contract.complaints import WrongValueError
from surveylake.contract.topic_name import wrong_with
from surveylake.wording import quoted

SPARK_TYPES = {
    "string": "string", "integer": "int", "double": "double", "boolean": "boolean", "date": "date", "timestamp": "timestamp",
    "scale": "string", "set": "array<string>",
}  # fmt: skip
"""Contract type -> Spark SQL type; `decimal(p,s)` is the same in both."""
TEXTS = {"string", "scale", "set"}
"""Types whose answers are texts, or several of them."""
SYNONYMS = {
    **dict.fromkeys(("text", "str", "varchar", "char", "enum", "category"), "string"),
    **dict.fromkeys(("int", "bigint", "long", "smallint", "number", "numeric"), "integer, or decimal(10,2)"),
    "decimal": "decimal(10,2): 10 digits, 2 of them after the point",
    **dict.fromkeys(("float", "real"), "double, or decimal(10,2): 10 digits, 2 of them after the point"),
    **dict.fromkeys(("bool", "yesno"), "boolean"),
    **dict.fromkeys(("datetime", "instant"), "timestamp"),
    "time": "string",
    **dict.fromkeys(("list", "array", "multiselect", "multiple"), "set: several answers in one cell"),
    **dict.fromkeys(("likert", "ordinal", "rating", "ordered"), "scale: ordered answers"),
}
"""A type's name in another language -> the contract type."""
DECIMAL = re.compile(r"decimal\((\d{1,2}),\s*(\d{1,2})\)")
MOST_DIGITS = 38
"""Spark's longest decimal."""
SMALLEST, LARGEST = -(2**31), 2**31 - 1
"""What an integer holds."""
RECORD_COLUMNS = (
    "topic", "partition", "offset", "timestamp", "epoch", "key", "value", "accepted", "failed_rules",
)  # fmt: skip
"""Columns of every `records` table, before the contract's own."""
SUMMARY_COLUMNS = ("people", "answers", "share", "received", "responses", "records_version")
"""Columns of summaries beside the contract's own."""
BLANKED = "blanked"
"""The column that says which answers of a record were left blank, where a field has when_wrong = "blank"."""
COLUMN_NAME = "[a-z][a-z0-9_]*"
"""A column's name, as a regular expression."""
LONGEST_NAME = 63
"""Characters of a column's name."""
FORBIDDEN_IN_SOURCE = {
    '"': "a double quote",
    "\\": "a backslash",
    "`": "a backtick",
    "\n": "a line break",
    "\r": "a line break",
    "\t": "a tab",
}
"""Characters that a field's name in the record cannot contain, beside other control characters."""
INSTEAD = str.maketrans({
    '"': "'", "`": "'", "\\": "/", **{chr(code): " " for code in range(32)},
})  # fmt: skip
"""A letter that no source may hold -> what stands for it in a header."""
BLANK_RUN = re.compile(r"[\s\x85\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]+", re.ASCII)
"""Blanks that cleaning collapses to one space; see surveylake.validate.strict_json.BLANKS."""


class Part(BaseModel):
    """A frozen part of a contract or a conf file: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def is_number(kind: str) -> bool:
    """Return whether a contract type is a number."""
    return kind in ("integer", "double") or kind.startswith("decimal")


def spark_type(kind: str) -> str:
    """Return the Spark SQL type of a contract type, such as `int` or `decimal(10,2)`."""
    return SPARK_TYPES.get(kind, kind)


def digits_of(kind: str) -> tuple[int, int] | None:
    """Return (precision, scale) of a decimal type: its digits, and how many of them follow the point; None of any other."""
    match = DECIMAL.fullmatch(kind)
    return (int(match[1]), int(match[2])) if match else None


def without_blank_runs(text: str) -> str:
    """Return a text as it is judged: runs of blanks are one, and none is left at the ends."""
    return BLANK_RUN.sub(" ", text).strip(" ")


def _known_type(name: str) -> str:
    digits = digits_of(name)
    if name not in SPARK_TYPES and not digits:
        known = ", ".join([*SPARK_TYPES, "decimal(precision,scale)"])
        raise WrongValueError(f"unknown type {quoted(name)}{_synonym(name)}; known types: {known}")
    if digits is None:
        return name
    precision, scale = digits
    if not 1 <= precision <= MOST_DIGITS or scale > precision:
        raise WrongValueError(
            f"'{name}': precision is 1 to {MOST_DIGITS} digits, scale is how many of them follow the point"
        )
    return f"decimal({precision},{scale})"


def _synonym(name: str) -> str:
    """Return `; write TYPE` for a type's name in another language, else ''."""
    kind = SYNONYMS.get(re.split(r"\W", name.lower().strip())[0], "")
    return f"; write {kind}" if kind else ""


def _column_name(name: str) -> str:
    if len(name) > LONGEST_NAME:
        raise WrongValueError(
            f"{quoted(name)} has {len(name):,} letters; the name of a column has {LONGEST_NAME} at most"
        )
    if not re.fullmatch(COLUMN_NAME, name):
        better = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        better = f"; write {better}" if re.fullmatch(COLUMN_NAME, better) else ""
        raise WrongValueError(
            f"{quoted(name)} must be snake_case: a to z, 0 to 9 and _, starting with a letter{better}"
        )
    if name in RECORD_COLUMNS:
        raise WrongValueError(f"'{name}' is a column that every records table has; choose another name")
    if name in SUMMARY_COLUMNS:
        raise WrongValueError(f"'{name}' is a column that every summary has; choose another name")
    return name


def _source(name: str) -> str:
    """Return the name. Raises WrongValueError for one that cannot be written in SQL."""
    if not name:
        raise WrongValueError("is empty; write the name that the column has in the CSV's header")
    for place, letter in enumerate(name, 1):
        if letter in FORBIDDEN_IN_SOURCE or letter < " ":
            kind = FORBIDDEN_IN_SOURCE.get(letter, f"the control character U+{ord(letter):04X}")
            raise WrongValueError(
                f"{quoted(name)} holds {kind} (letter {place}), which a source cannot; "
                f"write {_as_read(name)}: the CSV's header is read so"
            )
    return name


def _as_read(name: str) -> str:
    """Return how such a name is written; a long one by its rule."""
    if len(name) > LONGEST_NAME:
        return "' for quotes, / for a backslash, one blank for line breaks"
    return f"source = {json.dumps(tidied(name), ensure_ascii=False)}"


def tidied(name: str) -> str:
    """Return a header's name as a source may be written: without quotes, backslashes and line breaks."""
    other = name.translate(INSTEAD)
    return name if other == name else " ".join(other.split())


def _topic(name: str) -> str:
    if fault := wrong_with(name):
        raise WrongValueError(f"{quoted(name)}: {fault}")
    return name


def _cleaned(text: str) -> str:
    """Return the text. Raises WrongValueError for one that no cleaned value can equal."""
    clean = without_blank_runs(text)
    if not clean:
        raise WrongValueError(f"{quoted(text)} can never be met: a blank is no answer; leave it out")
    if clean != text:
        raise WrongValueError(
            f"{quoted(text)} can never be met: values are compared without blanks at the ends and with single spaces inside; "
            f"write {quoted(clean)}"
        )
    return text


def _separator(text: str) -> str:
    """Return the text. Raises WrongValueError for one that cannot stand between two answers."""
    if not text.strip() or BLANK_RUN.sub(" ", text) != text:
        raise WrongValueError(
            f'{quoted(text)} cannot separate answers; write one such as ";" or "," or " | "'
        )
    return text.strip()


def _linear_pattern(pattern: str) -> str:
    """Return the pattern. Raises WrongValueError for one that Python or Java cannot compile, or with nested quantifiers, whose
    time is exponential in the input."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise WrongValueError(f"not a regular expression: {error}") from error
    if re.search(r"\(\?(?![:=!]|<[=!]|i\))", pattern):
        raise WrongValueError(
            "of the groups that begin with (? only (?: (?= (?! (?<= (?<! and (?i) mean the same everywhere"
        )
    if re.search(r"[+*}]\)?[^)]*\)[+*{]", pattern):
        raise WrongValueError(
            "a repeated group that itself repeats can take for ever; write it without nesting"
        )
    return pattern


def _limit(number: int | float) -> int | float:
    """Return the number. Raises WrongValueError for one that no SQL of Spark can hold."""
    if isinstance(number, int) and abs(number) >= 10**MOST_DIGITS:
        raise WrongValueError(
            f"has more than {MOST_DIGITS} digits; leave it out, or write it with an exponent, such as 1e40"
        )
    return number


TypeName = Annotated[str, AfterValidator(_known_type)]
ColumnName = Annotated[str, AfterValidator(_column_name)]
Cleaned = Annotated[str, AfterValidator(_cleaned)]
Separator = Annotated[str, AfterValidator(_separator)]
Pattern = Annotated[str, AfterValidator(_linear_pattern)]
Source = Annotated[str, AfterValidator(_source)]
TopicName = Annotated[str, AfterValidator(_topic)]
Limit = Annotated[int | float, AfterValidator(_limit), Field(allow_inf_nan=False)]


class Typed(Part):
    """A column of the contract: a field or a derived one."""

    type: TypeName
    """`string`, `integer` (32 bits), `decimal(precision,scale)` (38 digits at most), `double`, `boolean`, `date`,
    `timestamp`, `scale` (ordered answers), `set` (several answers)"""
    description: str = ""
    """comment of the column in the tables; default: the label"""
    label: str = ""
    """the question's text, for the report and its charts; default: empty"""
    unit: str = ""
    """such as `"kg"` (numbers); default: empty"""
    order: list[Cleaned] = Field(default_factory=list)
    """the values in the order in which tables and charts show them (strings); default: as `allowed` lists them"""

    @property
    def sql_type(self) -> str:
        """The column's Spark SQL type."""
        return spark_type(self.type)
