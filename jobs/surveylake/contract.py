"""A survey's contract: the one file that says what an answer is. Plain values and SQL strings; no Spark here."""

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from surveylake.errors import ConfigError

SPARK_TYPES = {"string": "string", "integer": "int", "date": "date", "boolean": "boolean"}
"""Contract type -> Spark SQL type; `decimal(p,s)` stands for itself."""
DECIMAL = re.compile(r"decimal\((\d{1,2}),\s*(\d{1,2})\)")
RECORD_COLUMNS = (
    "topic", "partition", "offset", "timestamp", "epoch", "key", "value", "accepted", "failed_rules",
)  # fmt: skip
"""What every `records` table holds before the contract's own columns."""


def _known_type(name: str) -> str:
    if name not in SPARK_TYPES and not DECIMAL.fullmatch(name):
        known = ", ".join([*SPARK_TYPES, "decimal(precision,scale)"])
        raise ValueError(f"unknown type '{name}'; known types: {known}")
    return name


def _column_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ValueError(f"'{name}' must be snake_case: a to z, 0 to 9 and _, starting with a letter")
    if name in RECORD_COLUMNS:
        raise ValueError(f"'{name}' is a column that every records table has; choose another name")
    return name


def _linear_pattern(pattern: str) -> str:
    """Refuse a pattern that does not compile or that nests quantifiers (time exponential in the input)."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    if re.search(r"[+*}]\)?[^)]*\)[+*{]", pattern):
        raise ValueError("a repeated group that itself repeats can take for ever; write it without nesting")
    return pattern


TypeName = Annotated[str, AfterValidator(_known_type)]
ColumnName = Annotated[str, AfterValidator(_column_name)]
Pattern = Annotated[str, AfterValidator(_linear_pattern)]
TopicName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]


class Part(BaseModel):
    """A frozen piece of a contract or a conf file: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SurveyField(Part):
    """One field of an answer, as it arrives (`source`) and as it is stored (`type`)."""

    source: Annotated[str, Field(min_length=1, pattern=r'^[^"\\\x00-\x1f`]+$')]
    type: TypeName
    required: bool = False
    allowed: list[str] = []
    min: int | float | None = None
    max: int | float | None = None
    pattern: Pattern | None = None
    spellings: dict[str, list[str]] = {}
    description: str = ""

    @property
    def sql_type(self) -> str:
        """The Spark SQL type, such as `int` or `decimal(10,2)`."""
        return SPARK_TYPES.get(self.type, self.type)

    @property
    def is_number(self) -> bool:
        """Whether min and max make sense for it."""
        return self.type == "integer" or self.type.startswith("decimal")

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if (self.min is not None or self.max is not None) and not self.is_number:
            raise ValueError(f"min and max are for numbers; this is a {self.type}")
        if (self.allowed or self.pattern or self.spellings) and self.type != "string":
            raise ValueError(f"allowed, pattern and spellings are for strings; this is a {self.type}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}: nothing would be accepted")
        names = [spelling for spellings in self.spellings.values() for spelling in spellings]
        twice = {name for name in names if names.count(name) > 1 or name in self.spellings}
        if twice:
            raise ValueError(f"spelled for two names: {', '.join(sorted(twice))}")
        return self


class Derived(Part):
    """A column computed from the typed fields."""

    sql: str
    type: TypeName
    description: str = ""

    @property
    def sql_type(self) -> str:
        """The Spark SQL type, such as `int` or `decimal(10,2)`."""
        return SPARK_TYPES.get(self.type, self.type)


class Summaries(Part):
    """What is published: one `summary_…` table per list of columns."""

    by: list[list[str]] = []
    measure: str | None = None
    received_by: str | None = None


class Charts(Part):
    """Which columns the charts show: bar, pie and scatter by `group`, line over `bands`, bars stacked by `stack`."""

    group: str
    bands: str | None = None
    stack: str | None = None


class Hypothesis(Part):
    """The claim to test: more answers say `more` than `less` in `field`; `outcomes` are tested for association."""

    claim: str
    field: str
    more: str
    less: str
    words: dict[str, str] = {}
    outcomes: list[str] = []
    caveat: str = ""


class Contract(Part):
    """A whole survey."""

    name: ColumnName
    title: str
    topic: TopicName
    key: str
    unknown_fields: Literal["ignore", "reject"] = "ignore"
    fields: dict[ColumnName, SurveyField] = Field(min_length=1)
    rules: dict[ColumnName, str] = {}
    derived: dict[ColumnName, Derived] = {}
    summaries: Summaries = Summaries()
    charts: Charts | None = None
    hypothesis: Hypothesis | None = None

    @property
    def columns(self) -> dict[str, str]:
        """Contract columns of `records` in order: name -> Spark SQL type, fields first, then derived."""
        parts: dict[str, SurveyField | Derived] = {**self.fields, **self.derived}
        return {name: part.sql_type for name, part in parts.items()}

    @property
    def sources(self) -> list[str]:
        """Header names of the fields, in contract order."""
        return [field.source for field in self.fields.values()]

    @property
    def fingerprint(self) -> str:
        """sha256 (hex) over the contract's content; comments and layout do not change it."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        if self.key not in self.fields:
            raise ValueError(f"key '{self.key}' is not one of the fields: {', '.join(self.fields)}")
        if not self.fields[self.key].required:
            raise ValueError(f"key '{self.key}' must be required = true: it says who answered")
        twice = {source for source in self.sources if self.sources.count(source) > 1}
        if twice:
            raise ValueError(f"two fields have the source {', '.join(sorted(twice))}")
        both = set(self.fields) & set(self.derived)
        if both:
            raise ValueError(f"both a field and a derived column: {', '.join(sorted(both))}")
        unknown = sorted(set(self._mentions()) - set(self.columns))
        if unknown:
            raise ValueError(f"not a column: {', '.join(unknown)}; columns are {', '.join(self.columns)}")
        return self

    def _mentions(self) -> list[str]:
        """Every column that summaries, charts and hypothesis speak of."""
        summaries, charts, claim = self.summaries, self.charts, self.hypothesis
        named: list[str | None] = [column for by in summaries.by for column in by]
        named += [summaries.measure, summaries.received_by]
        if charts:
            named += [charts.group, charts.bands, charts.stack]
        if claim:
            named += [claim.field, *claim.outcomes]
        return [name for name in named if name is not None]


def load_contract(path: Path) -> Contract:
    """Read a contract; ConfigError names the file and the key that is wrong."""
    try:
        return Contract.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise ConfigError(f"no contract at {path}", "Give one with --survey FILE.toml.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} is not a readable TOML file: {error}", "Correct the file.") from error
    except ValidationError as error:
        raise ConfigError(f"{path}: {explain(error)}", "Correct the keys named; docs/contract.md lists them all.") from error


def explain(error: ValidationError) -> str:
    """Pydantic's errors as `key.subkey: what is wrong`, one per line when there are several."""
    lines = []
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"] if part != "[key]") or "contract"
        message = item["msg"].removeprefix("Value error, ")
        lines.append(f"{key}: {'unknown key' if item['type'] == 'extra_forbidden' else message}")
    return "\n  ".join(lines)
