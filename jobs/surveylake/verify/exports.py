"""Check of the exported files: against their manifest, and its counts against those of the tables."""

import json
from collections.abc import Mapping

from surveylake.errors import ConfigError
from surveylake.export.manifest import MANIFEST, damaged_files, read_manifest
from surveylake.lake.lake_path import LakePath
from surveylake.verify.checks import NOT_PROVED, PROVED, SAID, Check
from surveylake.wording import counted, examples

WHAT = "exports"
PUBLISH = "Run jobs/export.py, then this again."


def exported(out: LakePath, expected: Mapping[str, object] | None) -> Check:
    """Check that the files in OUT are those of its manifest, and that its facts are the `expected` ones.

    `expected` is the manifest's facts by the tables (csv_files.facts_of); None where the tables cannot tell.
    """
    where = str(out)
    if not (out / MANIFEST).is_file():
        return Check(WHAT, where, NOT_PROVED, f"there is no {MANIFEST}", PUBLISH)
    try:
        manifest, damaged = read_manifest(out), damaged_files(out)
    except ConfigError as error:
        return Check(WHAT, where, NOT_PROVED, f"{error.message}, or is torn", error.hint)
    if damaged:
        detail = f"missing or changed since they were written: {examples(damaged)}"
        return Check(WHAT, where, NOT_PROVED, detail, PUBLISH)
    detail = f"{counted(len(manifest['files']), 'file')} as their manifest says"
    if expected is None:
        return Check(WHAT, where, SAID, f"{detail}; their counts were not compared: the tables cannot tell")
    if other := _other(manifest, expected):
        return Check(
            WHAT, where, NOT_PROVED, f"its manifest says other {examples(other)} than the tables", PUBLISH
        )
    return Check(WHAT, where, PROVED, f"{detail}, their counts those of the tables")


def _other(manifest: Mapping[str, object], expected: Mapping[str, object]) -> list[str]:
    """Return the facts of which the manifest says something else than expected."""
    facts = json.loads(json.dumps(expected))
    # A manifest of an earlier release does not say how many answers were replaced.
    said = {"replaced": facts.get("replaced"), **manifest}
    return sorted(key for key, value in facts.items() if said.get(key) != value)
