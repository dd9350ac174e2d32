"""A survey's contract: the one file that says what an answer is. Plain values and SQL strings; no Spark here."""

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from surveylake.contract_types import (
    Cleaned,
    ColumnName,
    Limit,
    Part,
    Pattern,
    TopicName,
    Typed,
    is_number,
    spark_type,
)
from surveylake.errors import ConfigError


class SurveyField(Typed):
    """One field of an answer, as it arrives (`source`) and as it is stored (`type`)."""

    source: Annotated[str, Field(min_length=1, pattern=r'^[^"\\\x00-\x1f`]+$')]
    required: bool = False
    allowed: list[Cleaned] = Field(default_factory=list)
    min: Limit | None = None
    max: Limit | None = None
    pattern: Pattern | None = None
    spellings: dict[Cleaned, list[Cleaned]] = Field(default_factory=dict)

    @property
    def is_number(self) -> bool:
        """Whether min and max make sense for it."""
        return is_number(self.type)

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
        useless = sorted(set(self.spellings) - set(self.allowed)) if self.allowed else []
        if useless:
            raise ValueError(f"spellings of what is not allowed: {', '.join(useless)}")
        return self


class Derived(Typed):
    """A column computed from the typed fields."""

    sql: str


class Summaries(Part):
    """What is published: one `summary_…` table per list of columns."""

    by: list[Annotated[list[str], Field(min_length=1, max_length=2)]] = Field(default_factory=list)
    measure: str | None = None
    received_by: str | None = None

    @model_validator(mode="after")
    def _are_different_tables(self) -> Self:
        names = ["_".join(by) for by in self.by]
        twice = {name for name in names if names.count(name) > 1}
        twice |= {"_".join(by) for by in self.by if len(set(by)) < len(by)}
        if twice:
            raise ValueError(f"by: twice the same: {', '.join(sorted(twice))}")
        return self


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
        measure = self.summaries.measure
        if measure is not None and not is_number(self.types[measure]):
            raise ValueError(f"summaries.measure must be a number; {measure} is a {self.types[measure]}")
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
        raise ConfigError(
            f"{path}: {explain(error)}", "Correct the keys named; docs/contract.md lists them all."
        ) from error


def explain(error: ValidationError) -> str:
    """Pydantic's errors as `key.subkey: what is wrong`, one per line when there are several."""
    lines = []
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"] if part != "[key]") or "contract"
        message = item["msg"].removeprefix("Value error, ")
        lines.append(f"{key}: {'unknown key' if item['type'] == 'extra_forbidden' else message}")
    return "\n  ".join(lines)
