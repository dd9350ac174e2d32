"""manifest.json: the files of one published set, and whether they are as they were written."""

import json
import re
from typing import Any

from surveylake.errors import ConfigError
from surveylake.lake.lake_path import LakePath
from surveylake.lake.store_errors import DamagedError
from surveylake.paths import sha256

MANIFEST = "manifest.json"
FORMAT = "surveylake publication 1"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*")
"""Allowed names of published files. Names starting with . or _ in the staging folder are not published."""
FOLDER = "folder"
"""The key of the folder beside the manifest that has its files; without it they are beside the manifest themselves."""


def manifest_text(facts: dict[str, Any], files: dict[str, Any]) -> str:
    """Return the manifest of a set: `facts` of the run, and name -> bytes and sha256."""
    return json.dumps({"format": FORMAT, **facts, "files": files}, indent=1, ensure_ascii=False) + "\n"


def read_manifest(out: LakePath) -> dict[str, Any]:
    """Return OUT's manifest, empty without one. Raises ConfigError for a foreign one."""
    try:
        manifest = json.loads((out / MANIFEST).read_bytes())
        names = [*manifest["files"], *([manifest[FOLDER]] if FOLDER in manifest else [])]
        if manifest["format"] != FORMAT or not all(map(NAME.fullmatch, names)):
            raise ValueError
        manifest["files"] = {
            name: {**seal, "sha256": str(seal["sha256"])} for name, seal in manifest["files"].items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{out / MANIFEST} was not written by surveylake",
            "Move it away, or give another folder with OUT=DIR or --out DIR.",
        ) from error
    return dict(manifest)


def known_files(out: LakePath) -> dict[str, str]:
    """Return name -> sha256 of the files in OUT's manifest, none without one. Raises ConfigError for a foreign manifest."""
    return {name: seal["sha256"] for name, seal in read_manifest(out).get("files", {}).items()}


def damaged_files(out: LakePath) -> list[str]:
    """Return the names of files that are missing from OUT or differ from its manifest; empty when the set is whole."""
    manifest = read_manifest(out)
    folder = out / manifest[FOLDER] if FOLDER in manifest else out
    return [
        name for name, seal in manifest.get("files", {}).items() if not _is_as_sealed(folder / name, seal)
    ]


def _is_as_sealed(file: LakePath, seal: dict[str, Any]) -> bool:
    try:
        return file.is_file() and sha256(file) == seal["sha256"]
    except DamagedError:
        return False
