"""Pools of values from which answers are generated: for each field, each value as often as it is likely."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from surveylake.contract import date_format
from surveylake.contract.complaints import explain
from surveylake.contract.field_types import digits_of
from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract
from surveylake.contract.strict_toml import read_toml
from surveylake.errors import ConfigError
from surveylake.wording import listed

POOL = 1_000
"""values in the pool of a field without stated frequencies"""
Frequencies = dict[str, dict[str, int]]
"""header name -> value -> count"""
_SHAPE = TypeAdapter(Frequencies)


def load_frequencies(survey: Path) -> Frequencies:
    """Read the file beside the contract: SURVEY.toml -> SURVEY.frequencies.toml.

    Returns an empty dict when there is no such file. Raises ConfigError when it has another shape.
    """
    path = survey.with_suffix(".frequencies.toml")
    if not path.exists():
        return {}
    file = read_toml(path)
    try:
        return _SHAPE.validate_python(file.values)
    except ValidationError as error:
        raise ConfigError(
            f"{path}: {explain(error, file.text)}", "Write [Field] and under it value = count."
        ) from error


def pools(contract: Contract, frequencies: Frequencies, draw: np.random.Generator) -> dict[str, list[str]]:
    """Return header name -> values as text, for every field but the key, in contract order.

    Raises ConfigError for frequencies of an unknown field, and for a field whose values cannot be invented.
    """
    unknown = sorted(set(frequencies) - set(contract.sources))
    if unknown:
        raise ConfigError(
            f"the frequencies name fields the contract lacks: {listed(unknown)}", "Correct the file."
        )
    return {
        field.source: _stated(frequencies[field.source])
        if field.source in frequencies
        else _invented(field, draw)
        for name, field in contract.fields.items()
        if name != contract.key
    }


def _stated(counts: dict[str, int]) -> list[str]:
    """Return each value as often as its count. Raises ConfigError when all counts are 0."""
    values = [value for value, count in counts.items() for _ in range(count)]
    if not values:
        raise ConfigError("a field's frequencies are all 0", "Give at least one value a count.")
    return values


def _invented(field: SurveyField, draw: np.random.Generator) -> list[str]:
    """Return values by the field's type, limits and names. Raises ConfigError for a pattern without names."""
    if field.type in ("date", "timestamp"):
        return _moments(field, draw)
    if field.type == "set":
        return _several(field, draw)
    if field.type == "boolean":
        return ["true", "false"]
    if field.is_number and not field.allowed:
        return _numbers(field, draw)
    names = field.allowed or list(field.spellings)
    if not names and field.pattern:
        raise ConfigError(f"nobody stated values of {field.source}, and none can be invented for its pattern",
                          "Give values and counts in the .frequencies.toml beside the contract.")  # fmt: skip
    return _zipf(names or [f"{field.source} {number}" for number in range(1, 21)])


def _moments(field: SurveyField, draw: np.random.Generator) -> list[str]:
    """Return days or minutes of 2024, as the field writes them."""
    form = field.format or ("yyyy-MM-dd" if field.type == "date" else "yyyy-MM-dd HH:mm")
    start = datetime(2024, 1, 1, tzinfo=UTC)
    return [
        date_format.written(form, start + timedelta(minutes=int(minutes)))
        for minutes in draw.integers(0, 366 * 24 * 60, POOL)
    ]


def _several(field: SurveyField, draw: np.random.Generator) -> list[str]:
    """Return one to three of the answers of a set, the first ones most often."""
    names = _zipf(field.allowed or list(field.spellings) or [f"answer {number}" for number in range(1, 8)])
    between = f"{field.between} "
    return [
        between.join(dict.fromkeys(str(name) for name in draw.choice(names, count)))
        for count in draw.integers(1, 4, POOL)
    ]


def _numbers(field: SurveyField, draw: np.random.Generator) -> list[str]:
    """Draw from a normal distribution in the lower half of the bounds, as ages and prices are, clipped to the bounds."""
    low = float(field.min if field.min is not None else 0)
    high = float(field.max if field.max is not None else low + 100)
    _, decimals = digits_of(field.type) or (0, 2 if field.type == "double" else 0)
    drawn = np.clip(draw.normal(low + 0.25 * (high - low), 0.12 * (high - low), POOL), low, high)
    return [f"{value:.{decimals}f}" for value in drawn]


def _zipf(names: list[str]) -> list[str]:
    """Return the first name most often, the second half as often, the third a third as often (Zipf's law)."""
    return [name for rank, name in enumerate(names, start=1) for _ in range(max(60 // rank, 1))]
