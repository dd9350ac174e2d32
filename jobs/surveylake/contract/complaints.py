"""Messages about a wrong contract or conf file: the key, its line, and what to write instead."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from surveylake.contract.known_keys import instead
from surveylake.contract.strict_toml import line_of, read_toml
from surveylake.errors import ConfigError
from surveylake.wording import quoted

Model = TypeVar("Model", bound=BaseModel)
MOST_SHOWN = 20
"""Errors in one message."""
SECRET = ("options", "password", "secret", "token")
"""No value is shown below a key that contains one of these words."""
KINDS = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a table",
}
LIMITS = {"greater_than_equal": ("ge", "{} or more"), "greater_than": ("gt", "more than {}"),
          "less_than_equal": ("le", "{} or less"), "less_than": ("lt", "less than {}")}  # fmt: skip


class WrongValueError(ValueError):
    """Raised by a validator; `at` is the wrong key, below the one that is validated."""

    def __init__(self, message: str, *at: str | int) -> None:
        super().__init__(message)
        self.at = at


def load(path: Path, model: type[Model], missing: ConfigError, advice: str) -> Model:
    """Return a TOML file as `model`. Raises `missing` where there is none, else ConfigError with the wrong keys and `advice`."""
    try:
        file = read_toml(path)
    except FileNotFoundError as error:
        raise missing from error
    try:
        return model.model_validate(file.values)
    except ValidationError as error:
        raise ConfigError(f"{path}: {explain(error, file.text, model)}", advice) from error


def explain(error: ValidationError, text: str = "", root: type[BaseModel] | None = None) -> str:
    """Return pydantic's errors as `key.subkey: what is wrong, what to write (line 12)`, one per line.

    `text` is the TOML, for the line numbers; `root` is the model, for the keys that it knows.
    """
    groups: dict[tuple[tuple[str | int, ...], str], list[Any]] = {}
    for item in error.errors():
        groups.setdefault((_key(item), item["type"]), []).append(item)
    lines = [_line(key, items, text, root) for (key, _), items in list(groups.items())[:MOST_SHOWN]]
    lines = list(dict.fromkeys(lines))
    more = len(groups) - MOST_SHOWN
    return "\n  ".join([*lines, *([f"and {more:,} more"] if more > 0 else [])])


def _key(item: Any) -> tuple[str | int, ...]:
    """Return the key of an error, without pydantic's own parts: number types, the mark of a key, places in a list."""
    wrong = item.get("ctx", {}).get("error")
    parts = [*item["loc"], *(wrong.at if isinstance(wrong, WrongValueError) else ())]
    if parts and parts[-1] in ("int", "float") and item["input"] is not None:
        parts.pop()
    while parts and (parts[-1] == "[key]" or isinstance(parts[-1], int)):
        parts.pop()
    return tuple(parts)


def _line(key: tuple[str | int, ...], items: list[Any], text: str, root: type[BaseModel] | None) -> str:
    name = ".".join(map(_shown_key, key)) or "contract"
    # A missing key has no line of its own: its table's line is shown.
    line = line_of(text, key) or line_of(text, key[:-1]) if text else None
    return f"{name}: {_message(key, items, root)}{f' (line {line})' if line else ''}"


def _shown_key(part: str | int) -> str:
    return str(part) if isinstance(part, int) or (part.isidentifier() and len(part) < 65) else quoted(part)


def _message(key: tuple[str | int, ...], items: list[Any], root: type[BaseModel] | None) -> str:
    """Return what is wrong with a key, and what to write."""
    item, name = items[0], str(key[-1]) if key else ""
    kind, limits, value = item["type"], item.get("ctx", {}), item["input"]
    shown = _shown(value, key)
    if kind == "missing":
        return f"is missing; write {name} = …"
    if kind == "extra_forbidden":
        return f"unknown key{instead(key, root)}"
    if kind == "float_type" and type(value) is int:
        return "has too many digits; write a smaller number"
    if kind in ("string_type", "int_type", "float_type", "bool_type", "list_type", "dict_type", "model_type"):
        return f"{shown} is {_kind(value)}; {_advice(kind, key, items)}"
    if kind == "literal_error":
        return f"{shown} is not one of {limits['expected']}"
    if kind in ("too_short", "string_too_short"):
        return f"is empty; at least {limits.get('min_length', 1)} is needed"
    if kind == "too_long":
        return f"has {limits['actual_length']} entries; {limits['max_length']} are the most"
    if kind == "finite_number":
        return f"{shown} is no number here; write one with digits, or leave it out"
    if kind in LIMITS:
        bound, words = LIMITS[kind]
        return f"{shown} cannot be; write {words.format(f'{limits[bound]:,}'.removesuffix('.0'))}"
    if kind == "value_error":
        return str(limits["error"])
    # A message of pydantic's own may hold a regular expression, which helps nobody.
    return item["msg"] if "pattern" not in kind else f"{shown} is not of the form asked for"


def _advice(kind: str, key: tuple[str | int, ...], items: list[Any]) -> str:
    """Return what to write in place of a value of the wrong type."""
    value, name = items[0]["input"], str(key[-1]) if key else ""
    in_list = isinstance(items[0]["loc"][-1], int)
    if kind == "string_type" and not isinstance(value, list | dict):
        texts = ", ".join(f'"{_plain(item["input"])}"' for item in items[:4]) + (
            ", …" if len(items) > 4 else ""
        )
        shown = "" if _is_secret(key) else f": {texts}"
        return f"write {'them as texts' if in_list else 'it as a text'}, between quotes{shown}"
    if kind == "string_type":
        return f'a text is wanted: {name} = "…"'
    if kind in ("int_type", "float_type"):
        return f"a number is wanted, without quotes: {name} = {_plain(value) if _is_number(value) else '5'}"
    if kind == "bool_type":
        return f"write {name} = true or {name} = false, without quotes"
    if kind == "list_type":
        inner = f"[{_toml(value)}]"
        return f"a list is wanted, between brackets: {name} = {f'[{inner}]' if in_list else inner}"
    return f"a table is wanted: [{'.'.join(map(str, key))}], and its own keys below"


def _shown(value: Any, key: tuple[str | int, ...]) -> str:
    """Return the value as a message shows it, unless it may be a secret."""
    if _is_secret(key):
        return "the value"
    if isinstance(value, str):
        return quoted(value)
    return "what is there" if isinstance(value, dict | list) else _plain(value)


def _is_secret(key: tuple[str | int, ...]) -> bool:
    return any(word in str(part).lower() for part in key for word in SECRET)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)[:40]


def _kind(value: Any) -> str:
    return next((word for kind, word in KINDS.items() if isinstance(value, kind)), "a date or a time")


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _toml(value: Any) -> str:
    return f'"{_plain(value)}"' if isinstance(value, str) else _plain(value)
