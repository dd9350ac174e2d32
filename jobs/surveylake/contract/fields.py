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
    required: bool = False
    allowed: list[Cleaned] = Field(default_factory=list)
    """the acceptable answers, as texts; of an integer its digits"""
    labels: dict[Cleaned, Cleaned] = Field(default_factory=dict)
    """code in the record -> the answer that it stands for"""
    missing: list[Cleaned] = Field(default_factory=list)
    true: list[Cleaned] = Field(default_factory=list)
    false: list[Cleaned] = Field(default_factory=list)
    min: Limit | None = None
    max: Limit | None = None
    pattern: Pattern | None = None
    spellings: dict[Cleaned, list[Cleaned]] = Field(default_factory=dict)
    format: DateFormat | None = None
    """how a date or a time is written; None: as ISO 8601 has it"""
    zone: Zone | None = None
    """where a time without an offset is meant; None: UTC"""
    separator: Separator | None = None
    """what stands between two answers of a set; None: a semicolon"""
    when_wrong: Literal["reject", "blank"] = "reject"
    """what an unacceptable value costs: the record, or the value alone"""
    was: ColumnName | None = None
    """the column's former name"""
    change: Literal["evolve", "freeze", "quarantine"] = "evolve"
    """what a later contract may do to the column"""

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
    choices: dict[Cleaned, str] = Field(default_factory=dict)
    """answer -> the field that says whether it was chosen"""
    was: ColumnName | None = None
    """the column's former name"""

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        check_derived(self)
        return self
