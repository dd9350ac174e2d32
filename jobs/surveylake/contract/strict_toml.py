"""A TOML file as a person wrote it: what it says, and in which line it says it."""

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
    """One file: its values, and its text for those who look for a line."""

    values: dict[str, Any]
    text: str


def read_toml(path: Path) -> TomlFile:
    """Read a file in UTF-8, with or without a byte order mark.

    FileNotFoundError when it is not there: what to do then is for the caller to say. ConfigError for one that is no TOML, with
    the line.
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


def _not_toml(path: Path, text: str, said: str) -> ConfigError:
    """What the parser says, with the line it says it of."""
    if not (at := AT.search(said)):
        return ConfigError(f"{path} is not a readable TOML file: {said}", TEXTS)
    number = int(at[1])
    line = text.split("\n")[number - 1].strip()
    hint = TEXTS
    if CURLY.search(line):
        hint = "The quotes are curly ones, as a word processor makes them; write \" or '."
    elif "\\" in line:
        hint = BACKSLASH
    return ConfigError(
        f"{path} is not a readable TOML file: line {number}, {quoted(line)}: {AT.sub('', said)}",
        f"Correct the line. {hint}",
    )


def line_of(text: str, key: Sequence[str | int]) -> int | None:
    """The line in which a key, or a table, of a sound TOML text begins; None for what is not in it.

    What is written up to a line is TOML by itself wherever a statement ends there. So the line is the first after the longest
    such beginning that does not have the key.
    """
    lines = text.split("\n")
    names = [part for part in key if isinstance(part, str)]

    @cache
    def has(count: int) -> bool | None:
        """Whether the first lines have the key; None where they end within a statement."""
        try:
            held: Any = tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            return None
        for name in names:
            if not isinstance(held, dict) or name not in held:
                return False
            held = held[name]
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
    """The numbers between the two, those in the middle first."""
    middle = (low + high) // 2
    return sorted(range(low + 1, high), key=lambda n: abs(n - middle))
