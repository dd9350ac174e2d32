"""TOML files with the line of each key, and errors for people."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from surveylake.errors import ConfigError
from surveylake.formats import wide_text
from surveylake.wording import quoted

AT = re.compile(r" \(at line (\d+), column \d+\)$")
BACKSLASH = "A backslash between double quotes is written twice; between single quotes it stands for itself."
TEXTS = "A text stands between quotes: name = \"value\"; a list between brackets: [\"a\", \"b\"]."  # fmt: skip
CURLY = re.compile("[“”„‟‘’‚]")


@dataclass(frozen=True)
class TomlFile:
    """The values of a file, and its text, for `line_of`."""

    values: dict[str, Any]
    text: str


def read_toml(path: Path) -> TomlFile:
    """Read a file in UTF-8, with or without a byte order mark.

    Raises FileNotFoundError for a missing file, ConfigError with the line for one that is not TOML.
    """
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
        return TomlFile(tomllib.loads(text), text)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", "Check the file and its permissions."
        ) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        kind = wide_text(data[:16])
        raise ConfigError(
            f"{path} is not a readable TOML file: {kind or f'line {line}'} is not UTF-8",
            "Save the file as UTF-8.",
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(path, text, str(error)) from error
    except ValueError as error:  # Python reads no integer of more than 4,300 digits
        raise ConfigError(
            f"{path} is not a readable TOML file: a number in it has too many digits",
            "Correct the number, or leave it out.",
        ) from error


def _not_toml(path: Path, text: str, message: str) -> ConfigError:
    """Return the parser's message as an error that shows the line."""
    if not (at := AT.search(message)):
        return ConfigError(f"{path} is not a readable TOML file: {message}", TEXTS)
    number = int(at[1])
    line = text.split("\n")[number - 1].strip()
    hint = TEXTS
    if CURLY.search(line):
        hint = "The quotes are curly ones, as a word processor makes them; write \" or '."
    elif "\\" in line:
        hint = BACKSLASH
    return ConfigError(
        f"{path} is not a readable TOML file: line {number}, {quoted(line)}: {AT.sub('', message)}",
        f"Correct the line. {hint}",
    )


def line_of(text: str, key: Sequence[str | int]) -> int | None:
    """Return the line at which a key or a table of a valid TOML text begins; None for one that is not in it.

    Bisects: the lines up to the end of a statement are valid TOML by themselves. The key begins after the longest such
    prefix without it.
    """
    lines = text.split("\n")
    names = [part for part in key if isinstance(part, str)]

    @cache
    def has(count: int) -> bool | None:
        """Return whether the first `count` lines contain the key; None where they end within a statement."""
        try:
            values: Any = tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            return None
        for name in names:
            if not isinstance(values, dict) or name not in values:
                return False
            values = values[name]
        return True

    without, within = 0, len(lines)
    if not names or not has(within):
        return None
    while True:
        middle = next((n for n in _outwards(without, within) if has(n) is not None), None)
        if middle is None:
            return without + 1
        without, within = (without, middle) if has(middle) else (middle, within)


def _outwards(low: int, high: int) -> list[int]:
    """Return the numbers between the two, the middle ones first."""
    middle = (low + high) // 2
    return sorted(range(low + 1, high), key=lambda n: abs(n - middle))
