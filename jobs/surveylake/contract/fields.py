"""The fields of an answer and the columns that are computed from them: types, limits, and what texts mean."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from surveylake.contract.complaints import WrongValueError
from surveylake.contract.date_format import DateFormat, Zone
from surveylake.contract.field_checks import check_derived, check_field
from surveylake.contract.field_types import (
    TEXTS,
    Cleaned,
    ColumnName,
    Limit,
    Pattern,
    Separator,
    Source,
    Typed,
    is_number,
)

SEPARATOR = ";"
"""Between two answers in one cell, where the contract says nothing."""


class SurveyField(Typed):
    """One field of an answer, as it arrives (`source`) and as it is stored (`type`)."""

    source: Source
    """its name in the JSON object and in the CSV's header; no quote, backslash, backtick or control character"""
    required: bool = False
    """whether it must have a value; its name must be there in any case"""
    allowed: list[Cleaned] = Field(default_factory=list)
    """the values it may have: texts for a string, numbers for an integer, such as `[1, 2]`; of a set, what each answer
    may be; of a scale its answers, lowest first; default: any"""
    labels: dict[Cleaned, Cleaned] = Field(default_factory=dict)
    """for a code, the answer that it stands for (strings, scales, sets): `{ 1 = "Female", 2 = "Male" }`; where `allowed`
    is not given, these are allowed, in this order"""
    missing: list[Cleaned] = Field(default_factory=list)
    """texts that mean no answer, such as `["NA", "99"]`; the column is then NULL; default: the survey's `missing`"""
    true: list[Cleaned] = Field(default_factory=list)
    """texts that mean true (booleans), such as `["yes", "1"]`; true itself always does, in any case"""
    false: list[Cleaned] = Field(default_factory=list)
    """texts that mean false (booleans)"""
    min: Limit | None = None
    """the smallest value (numbers)"""
    max: Limit | None = None
    """the largest value (numbers)"""
    pattern: Pattern | None = None
    """a regular expression to be found in it (strings); no repeated group may itself repeat"""
    spellings: dict[Cleaned, list[Cleaned]] = Field(default_factory=dict)
    """for a name, the other ways in which it is written (strings, scales, sets); a value not listed stays as it is and is
    named in the report"""
    format: DateFormat | None = None
    """how it is written (dates, timestamps), such as `"M/d/yyyy H:mm"`; see below; default: as ISO 8601 has it"""
    zone: Zone | None = None
    """where a time without an offset is meant (timestamps), such as `"Europe/Vienna"`; default: UTC"""
    separator: Separator | None = None
    """what stands between two answers (sets); default: `";"`"""
    when_wrong: Literal["reject", "blank"] = "reject"
    """`"reject"`: an unacceptable value rejects the record; `"blank"`: the value alone is lost, and the person counts"""
    when_absent: Literal["reject", "blank"] = "reject"
    """`"reject"`: a record must have the name; `"blank"`: one without it did not answer, as where a question came later"""
    was: ColumnName | None = None
    """the column's name in an earlier contract, see [below](#may-a-contract-change)"""
    change: Literal["evolve", "freeze", "quarantine"] = "evolve"
    """what a later contract may do to the column: `"evolve"`, `"freeze"`, `"quarantine"`, see
    [below](#may-a-contract-change)"""

    @property
    def is_number(self) -> bool:
        """Whether the field may have min and max."""
        return is_number(self.type)

    @property
    def is_text(self) -> bool:
        """Whether every text that is no blank denotes a value."""
        return self.type in TEXTS

    @property
    def between(self) -> str:
        """The text between two answers of a set."""
        return self.separator or SEPARATOR

    @property
    def written_as(self) -> dict[str, str]:
        """Text in an answer, cleaned -> the text that it stands for: a spelling's name, a code's label, `true`, or nothing."""
        texts = {variant: name for name, variants in self.spellings.items() for variant in variants}
        texts |= self.labels | dict.fromkeys(self.true, "true") | dict.fromkeys(self.false, "false")
        return texts | dict.fromkeys(self.missing, "")

    @model_validator(mode="before")
    @classmethod
    def _complete_allowed(cls, content: Any) -> Any:
        """Take the allowed answers of an integer as texts, and labels as the allowed answers where none are listed.

        Raises WrongValueError for an allowed answer of an integer that is no whole number.
        """
        if not isinstance(content, dict):
            return content
        labels, allowed = content.get("labels"), content.get("allowed")
        if isinstance(labels, dict) and "allowed" not in content:
            return {**content, "allowed": list(dict.fromkeys(labels.values()))}
        if not isinstance(allowed, list) or content.get("type") != "integer":
            return content
        if other := [value for value in allowed if type(value) is not int]:
            raise WrongValueError(
                f"{other[0]!r} is no whole number; the type is integer, so allowed lists such, without quotes",
                "allowed",
            )
        return {**content, "allowed": [str(value) for value in allowed]}

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        check_field(self)
        return self


class Derived(Typed):
    """A column computed from the typed fields: by an expression, or the answers of a question that has several columns."""

    sql: str = ""
    """a Spark SQL expression over the fields"""
    choices: dict[Cleaned, str] = Field(default_factory=dict)
    """in place of `sql`, with `type = "set"`: for an answer the field that says whether it was chosen, `{ TV = "news_tv",
    Web = "news_web" }`"""
    was: ColumnName | None = None
    """the column's name in an earlier contract, see [below](#may-a-contract-change)"""

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        check_derived(self)
        return self
