"""Provenance: what the rows of a commit were made from, kept as JSON in the commit (Delta's `userMetadata`)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from surveylake.lake.end_offsets import Ends

KINDS = {
    "records_version": int, "records_id": str, "contract": str, "ends": dict, "smallest_group": int, "rules": int,
    "replay": str, "records": int, "from_version": int,
}  # fmt: skip
"""Key of the JSON -> its type."""


@dataclass(frozen=True)
class Provenance:
    """What the rows of a commit were made from. A value that does not apply is None, and has no key in the JSON."""

    records_version: int | None = None
    """version of `records`"""
    records_id: str | None = None
    """Delta's id of the table `records`; a table that replaces it has another"""
    contract: str | None = None
    """the contract's fingerprint"""
    ends: Mapping[int, Ends] | None = None
    """of `responses`: epoch -> partition -> the offset after the last that was read"""
    smallest_group: int | None = None
    """of a summary: people that a group must have to be named"""
    rules: int | None = None
    """of a summary: the disclosure rules it was published under (aggregate/summary_tables.py, RULES)"""
    replay: str | None = None
    """of a replay: fingerprint of the contract that the records were validated under"""
    records: int | None = None
    """of a replay: number of records changed"""
    from_version: int | None = None
    """of a replay: version of `records` that was validated"""
    other: Mapping[str, Any] = field(default_factory=dict)
    """keys of another program, of another release, or of another type than ours; passed on unread"""

    def as_json(self) -> str:
        """Return the JSON that a commit keeps: one object, its keys sorted; `{}` when there is nothing to say."""
        values = {name: getattr(self, name) for name in KINDS if getattr(self, name) is not None}
        if self.ends is not None:  # keys are texts in JSON, and sorted as texts
            values["ends"] = {
                str(epoch): {str(partition): end for partition, end in ends.items()}
                for epoch, ends in self.ends.items()
            }
        return json.dumps({**self.other, **values}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Provenance":
        """Read what a commit keeps. Returns an empty provenance when the text is no JSON object."""
        try:
            values = json.loads(text)
        except ValueError:
            return cls()
        if not isinstance(values, dict):
            return cls()
        known: dict[str, Any] = {
            key: value for key, value in values.items() if isinstance(value, KINDS.get(key, ()))
        }
        try:
            known |= {"ends": _by_epoch(known["ends"])} if "ends" in known else {}
        except (ValueError, AttributeError):
            del known["ends"]
        return cls(**known, other={key: value for key, value in values.items() if key not in known})


def _by_epoch(ends: dict[str, dict[str, int]]) -> dict[int, Ends]:
    return {int(epoch): {int(partition): end for partition, end in of.items()} for epoch, of in ends.items()}
