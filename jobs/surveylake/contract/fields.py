"""The fields of an answer and the columns that are computed from them: types, limits, and what texts mean."""

from typing import Any, Self

from pydantic import Field, model_validator

from surveylake.contract.complaints import WrongValueError
from surveylake.contract.field_types import Cleaned, Limit, Pattern, Source, Typed, is_number
from surveylake.wording import listed


class SurveyField(Typed):
    """One field of an answer, as it arrives (`source`) and as it is stored (`type`)."""

    source: Source
    required: bool = False
    allowed: list[Cleaned] = Field(default_factory=list)
    """the acceptable answers, as texts; of an integer its digits"""
    missing: list[Cleaned] = Field(default_factory=list)
    true: list[Cleaned] = Field(default_factory=list)
    false: list[Cleaned] = Field(default_factory=list)
    min: Limit | None = None
    max: Limit | None = None
    pattern: Pattern | None = None
    spellings: dict[Cleaned, list[Cleaned]] = Field(default_factory=dict)

    @property
    def is_number(self) -> bool:
        """Whether the field may have min and max."""
        return is_number(self.type)

    @property
    def written_as(self) -> dict[str, str]:
        """Text in an answer, cleaned -> the text that it stands for: a spelling's name, `true`, `false`, or nothing."""
        texts = {variant: name for name, variants in self.spellings.items() for variant in variants}
        texts |= dict.fromkeys(self.true, "true") | dict.fromkeys(self.false, "false")
        return texts | dict.fromkeys(self.missing, "")

    @model_validator(mode="before")
    @classmethod
    def _take_whole_numbers(cls, content: Any) -> Any:
        """Take the allowed answers of an integer as texts. Raises WrongValueError for one that is no whole number."""
        allowed = content.get("allowed") if isinstance(content, dict) else None
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
        if (self.min is not None or self.max is not None) and not self.is_number:
            raise WrongValueError(
                f"min and max are for numbers; the type is {self.type}: leave them out, or write another type",
                "min" if self.min is not None else "max",
            )
        self._check_texts()
        if self.min is not None and self.max is not None and self.min > self.max:
            raise WrongValueError(f"min {self.min} is above max {self.max}: nothing would be accepted", "min")
        self._check_spellings()
        return self

    def _check_texts(self) -> None:
        """Raise WrongValueError for what a field of this type cannot have."""
        texts = {"pattern": self.pattern, "spellings": self.spellings}
        if self.type != "string" and (names := [name for name, value in texts.items() if value]):
            raise WrongValueError(
                f"pattern and spellings are for strings; the type is {self.type}: "
                f'leave {names[0]} out, or write type = "string"',
                names[0],
            )
        if self.allowed and self.type not in ("string", "integer"):
            raise WrongValueError(
                f'allowed is for strings and integers; the type is {self.type}: leave it out, or write type = "string"',
                "allowed",
            )
        if (self.true or self.false) and self.type != "boolean":
            raise WrongValueError(
                f"true and false are the words of a boolean; the type is {self.type}",
                "true" if self.true else "false",
            )

    def _check_spellings(self) -> None:
        """Raise WrongValueError for a text with two meanings, or one that could never be accepted."""
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
        meanings = [
            *map(str, self.allowed),
            *self.spellings,
            *variants,
            *self.true,
            *self.false,
            *self.missing,
        ]
        own = {*self.missing, *self.true, *self.false}
        if double := sorted({text for text in meanings if meanings.count(text) > 1} & own):
            key = next(key for key in ("missing", "true", "false") if double[0] in getattr(self, key))
            raise WrongValueError(
                f"{listed(double)} has another meaning in this field; each text may have one", key
            )


class Derived(Typed):
    """A column computed from the typed fields."""

    sql: str
