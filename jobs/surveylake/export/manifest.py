"""manifest.json: the files of one published set, and whether they are as they were written."""

import json
import re
from pathlib import Path

from surveylake.errors import ConfigError
from surveylake.paths import sha256

MANIFEST = "manifest.json"
FORMAT = "surveylake publication 1"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*")
"""Allowed names of published files. Names starting with . or _ in the staging folder are not published."""


def known_files(out: Path) -> dict[str, str]:
    """Return name -> sha256 of the files in OUT's manifest, none without one. Raises ConfigError for a foreign manifest."""
    try:
        manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT or not all(map(NAME.fullmatch, manifest["files"])):
            raise ValueError
        return {name: str(seal["sha256"]) for name, seal in manifest["files"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{out / MANIFEST} was not written by surveylake",
            "Move it away, or give another folder with OUT=DIR or --out DIR.",
        ) from error


def damaged_files(out: Path) -> list[str]:
    """Return the names of files that are missing from OUT or differ from its manifest; empty when the set is whole."""
    return [
        name
        for name, expected in known_files(out).items()
        if not (out / name).is_file() or sha256(out / name) != expected
    ]
