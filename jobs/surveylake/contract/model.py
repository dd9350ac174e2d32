"""The contract of a survey: the fields of an answer, its rules, and what is published. Plain values and SQL; no Spark here."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from surveylake.contract.complaints import WrongValueError, load
from surveylake.contract.field_types import BLANKED, Cleaned, ColumnName, Part, TopicName, Typed, spark_type
from surveylake.contract.fields import Derived, SurveyField
from surveylake.contract.input_format import Input
from surveylake.contract.names import check_names
from surveylake.errors import ConfigError
from surveylake.wording import listed

ROW, ROW_SOURCE = "row", "#row"
"""The key of a survey whose files have nobody's id, and the name under which produce.py sends it: file and row."""
ROW_FIELD = {
    "source": ROW_SOURCE,
    "type": "string",
    "required": True,
    "description": "which row of which file: the first 12 digits of the file's sha256, and the row from 0",
}
LATER_KEYS = {
    "missing", "true", "false", "order", "labels", "choices", "label", "unit", "format", "zone", "separator", "when_wrong",
    "when_absent",
}  # fmt: skip
"""Keys of a contract and its columns that an earlier release did not have."""
BLANKED_COLUMN = Typed(
    type="set", description="answers that were unacceptable and left blank, each with the reason"
)
ON_CHANGE = ("was", "change")
"""Keys that say how a contract may follow another; they say nothing of what an answer means."""


class Summaries(Part):
    """The published tables: one `summary_…` per list of columns."""

    by: list[Annotated[list[str], Field(min_length=1, max_length=2)]] = Field(default_factory=list)
    """one summary table per list of one or two columns; small groups are not named (see below)"""
    measure: str | None = None
    """a number whose mean, median, standard deviation, smallest and largest value each summary gives"""
    received_by: str | None = None
    """the column of `summary_quant`, which counts records as received, before any rule; default: no such table"""

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
        if self.received_by and "quant" in names:
            raise WrongValueError(
                "a summary by quant would be summary_quant, the table of received_by; "
                "call the column otherwise, or leave received_by out",
                "by",
            )
        return self


class Charts(Part):
    """The columns of the charts: bar, pie and scatter by `group`, line over `bands`, bars stacked by `stack`."""

    group: str
    """the column of bars, pie and points"""
    bands: str | None = None
    """the column along the line; default: no line"""
    stack: str | None = None
    """the column that the bars are stacked by; default: no stacks"""


class Hypothesis(Part):
    """The claim to test: more answers say `more` than `less` in `field`; `outcomes` are tested for association."""

    claim: str
    """what is claimed, in words"""
    field: str
    """the column it is about"""
    more: str
    """the value that is claimed to be the more frequent; one of the field's answers, where the contract lists them"""
    less: str
    """the other value, of the same kind"""
    words: dict[str, str] = Field(default_factory=dict)
    """what the report calls these values; default: the values"""
    outcomes: list[str] = Field(default_factory=list)
    """columns tested for association with `field`"""
    caveat: str = ""
    """what the answers cannot tell"""


class Contract(Part):
    """A whole survey."""

    name: ColumnName
    """short name, in snake_case"""
    title: str
    """heading of the report"""
    topic: TopicName
    """Kafka topic"""
    key: str
    """the field that says who answered: key of the Kafka record, one row each in `responses`; must be required. `"row"`:
    nobody's id is in the files, see below"""
    unknown_fields: Literal["ignore", "reject"] = "ignore"
    """`"ignore"`: a field that the contract does not have stays in the raw value only; `"reject"`: it rejects the record"""
    input: Input = Input()
    """how the files are written; default: commas, UTF-8, one header row"""
    missing: list[Cleaned] = Field(default_factory=list)
    """texts that mean no answer in every field that has no `missing` of its own"""
    fields: dict[ColumnName, SurveyField] = Field(min_length=1)
    """the fields, each a table `[fields.NAME]`; NAME is the column"""
    rules: dict[ColumnName, str] = Field(default_factory=dict)
    """more conditions, `NAME = "SQL"`"""
    derived: dict[ColumnName, Derived] = Field(default_factory=dict)
    """computed columns, each a table `[derived.NAME]`"""
    summaries: Summaries = Summaries()
    """what is counted and published"""
    charts: Charts | None = None
    """which columns the charts show; default: no charts"""
    hypothesis: Hypothesis | None = None
    """the claim to test"""

    @property
    def columns(self) -> dict[str, str]:
        """Contract columns of `records` in order: name -> Spark SQL type, fields first, then derived."""
        return {name: spark_type(kind) for name, kind in self.types.items()}

    @property
    def types(self) -> dict[str, str]:
        """Contract columns in order: name -> type as the contract says it."""
        return {name: part.type for name, part in self.parts.items()}

    @property
    def parts(self) -> dict[str, Typed]:
        """Contract columns in order: name -> the field or the derived column; last the list of blanked answers, if any may be."""
        blanked = {BLANKED: BLANKED_COLUMN} if self.may_blank else {}
        return {**self.fields, **self.derived, **blanked}

    @property
    def may_blank(self) -> bool:
        """Whether an unacceptable answer may cost itself only, and not the record."""
        return any(field.when_wrong == "blank" for field in self.fields.values())

    @property
    def sources(self) -> list[str]:
        """Header names of the fields, in contract order."""
        return [field.source for field in self.fields.values()]

    @property
    def needed_sources(self) -> list[str]:
        """Names that the header of a CSV must have: those of `file_sources` that no record may lack."""
        needed = {field.source for field in self.fields.values() if field.when_absent == "reject"}
        return [source for source in self.file_sources if source in needed]

    @property
    def file_sources(self) -> list[str]:
        """Names that the header of a CSV may have: those of `sources` but for the row's own, which no file has."""
        return [source for source in self.sources if not (self.has_row_key and source == ROW_SOURCE)]

    @property
    def has_row_key(self) -> bool:
        """Whether nobody's id is in the files: a person is a row of one."""
        return self.key == ROW and self.fields[ROW].source == ROW_SOURCE

    @property
    def fingerprint(self) -> str:
        """sha256 (hex) of the contract's content; comments and layout do not change it, nor how its files are written."""
        content = self.model_dump(mode="json", exclude={"input"})
        said = self.model_dump(mode="json", exclude_defaults=True)
        parts = [(content, said)]
        for columns in ("fields", "derived"):
            parts += [(part, said[columns][name]) for name, part in content[columns].items()]
        # What came with a later release counts only where it is used: lakes of earlier ones have the same contract.
        for part, part_said in parts:
            for key in {*ON_CHANGE, *(LATER_KEYS - part_said.keys())}:
                part.pop(key, None)
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @model_validator(mode="before")
    @classmethod
    def _complete_fields(cls, content: Any) -> Any:
        """Give each field the survey's words for a missing answer, and the survey the field of a person who has no other id."""
        fields = content.get("fields") if isinstance(content, dict) else None
        if not isinstance(fields, dict):
            return content
        words = {"missing": content["missing"]} if content.get("missing") else {}
        own = {name: {**words, **part} if isinstance(part, dict) else part for name, part in fields.items()}
        if content.get("key") == ROW and ROW not in own:
            own = {ROW: ROW_FIELD, **own}
        return {**content, "fields": own}

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        check_names(self)
        return self


def load_contract(path: Path) -> Contract:
    """Read a contract. Raises ConfigError, which names the file and the wrong keys."""
    missing = ConfigError(f"no contract at {path}", "Give one with --survey FILE.toml.")
    return load(path, Contract, missing, "Correct the keys named; docs/contract.md lists them all.")
