"""The contract of a survey: the fields of an answer, its rules, and what is published. Plain values and SQL; no Spark here."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from surveylake.contract.complaints import WrongValueError, load
from surveylake.contract.field_types import (
    Cleaned,
    ColumnName,
    Limit,
    Part,
    Pattern,
    Source,
    TopicName,
    Typed,
    is_number,
    spark_type,
)
from surveylake.contract.input_format import Input
from surveylake.contract.names import check_names
from surveylake.errors import ConfigError
from surveylake.wording import listed


class SurveyField(Typed):
    """One field of an answer, as it arrives (`source`) and as it is stored (`type`)."""

    source: Source
    required: bool = False
    allowed: list[Cleaned] = Field(default_factory=list)
    min: Limit | None = None
    max: Limit | None = None
    pattern: Pattern | None = None
    spellings: dict[Cleaned, list[Cleaned]] = Field(default_factory=dict)

    @property
    def is_number(self) -> bool:
        """Whether the field may have min and max."""
        return is_number(self.type)

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if (self.min is not None or self.max is not None) and not self.is_number:
            raise WrongValueError(
                f"min and max are for numbers; the type is {self.type}: leave them out, or write another type",
                "min" if self.min is not None else "max",
            )
        texts = {"allowed": self.allowed, "pattern": self.pattern, "spellings": self.spellings}
        if self.type != "string" and (names := [name for name, value in texts.items() if value]):
            raise WrongValueError(
                f"allowed, pattern and spellings are for strings; the type is {self.type}: "
                f'leave {names[0]} out, or write type = "string"',
                names[0],
            )
        if self.min is not None and self.max is not None and self.min > self.max:
            raise WrongValueError(f"min {self.min} is above max {self.max}: nothing would be accepted", "min")
        variants = [variant for spellings in self.spellings.values() for variant in spellings]
        twice = {name for name in variants if variants.count(name) > 1 or name in self.spellings}
        if twice:
            raise WrongValueError(
                f"spelled for two names: {listed(sorted(twice))}; each may stand once", "spellings"
            )
        useless = sorted(set(self.spellings) - set(self.allowed)) if self.allowed else []
        if useless:
            raise WrongValueError(
                f"spellings of what is not allowed: {listed(useless)}; add it to allowed, or leave it out",
                "spellings",
            )
        return self


class Derived(Typed):
    """A column computed from the typed fields."""

    sql: str


class Summaries(Part):
    """The published tables: one `summary_…` per list of columns."""

    by: list[Annotated[list[str], Field(min_length=1, max_length=2)]] = Field(default_factory=list)
    measure: str | None = None
    received_by: str | None = None

    @model_validator(mode="after")
    def _are_different_tables(self) -> Self:
        names = ["_".join(by) for by in self.by]
        twice = {name for name in names if names.count(name) > 1}
        twice |= {"_".join(by) for by in self.by if len(set(by)) < len(by)}
        if twice:
            raise WrongValueError(
                f"twice the same: {listed(sorted(twice))}; each table may stand once, of different columns",
                "by",
            )
        return self


class Charts(Part):
    """The columns of the charts: bar, pie and scatter by `group`, line over `bands`, bars stacked by `stack`."""

    group: str
    bands: str | None = None
    stack: str | None = None


class Hypothesis(Part):
    """The claim to test: more answers say `more` than `less` in `field`; `outcomes` are tested for association."""

    claim: str
    field: str
    more: str
    less: str
    words: dict[str, str] = Field(default_factory=dict)
    outcomes: list[str] = Field(default_factory=list)
    caveat: str = ""


class Contract(Part):
    """A whole survey."""

    name: ColumnName
    title: str
    topic: TopicName
    key: str
    unknown_fields: Literal["ignore", "reject"] = "ignore"
    input: Input = Input()
    fields: dict[ColumnName, SurveyField] = Field(min_length=1)
    rules: dict[ColumnName, str] = Field(default_factory=dict)
    derived: dict[ColumnName, Derived] = Field(default_factory=dict)
    summaries: Summaries = Summaries()
    charts: Charts | None = None
    hypothesis: Hypothesis | None = None

    @property
    def columns(self) -> dict[str, str]:
        """Contract columns of `records` in order: name -> Spark SQL type, fields first, then derived."""
        return {name: spark_type(kind) for name, kind in self.types.items()}

    @property
    def types(self) -> dict[str, str]:
        """Contract columns in order: name -> type as the contract says it."""
        fields = {name: field.type for name, field in self.fields.items()}
        return fields | {name: part.type for name, part in self.derived.items()}

    @property
    def sources(self) -> list[str]:
        """Header names of the fields, in contract order."""
        return [field.source for field in self.fields.values()]

    @property
    def fingerprint(self) -> str:
        """sha256 (hex) of the contract's content; comments and layout do not change it, nor how its files are written."""
        text = json.dumps(self.model_dump(mode="json", exclude={"input"}), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        check_names(self)
        return self


def load_contract(path: Path) -> Contract:
    """Read a contract. Raises ConfigError, which names the file and the wrong keys."""
    missing = ConfigError(f"no contract at {path}", "Give one with --survey FILE.toml.")
    return load(path, Contract, missing, "Correct the keys named; docs/contract.md lists them all.")
