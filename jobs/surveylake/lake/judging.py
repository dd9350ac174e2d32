"""Which contract judged which versions of `records`: kept in the table's properties, so that a commit changes both or neither."""

import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime

from surveylake.contract.differences import (
    Content,
    Difference,
    content_of,
    differences,
    judging_of,
)
from surveylake.contract.model import Contract
from surveylake.errors import ConfigError
from surveylake.wording import examples

CONTRACT, JUDGED = "surveylake.contract", "surveylake.judged."
REPLAY = "replay.py"
SHORT = 12
"""Digits of a fingerprint in a message."""
GO_ON = (
    "To go on, give that contract (--survey). To judge everything under this one: jobs/plan.py says what would change,"
    " jobs/replay.py changes it."
)


@dataclass(frozen=True)
class Judged:
    """From one version of `records` on: the contract that its records were judged under."""

    version: int
    """the first; a replay judged all records again in it, a stream those that came from then on"""
    contract: str
    """the contract's fingerprint"""
    judging: str
    """the fingerprint of what verdicts and values depend on"""
    name: str
    by: str
    """the verb"""
    at: str
    """ISO 8601, UTC"""

    @property
    def named(self) -> str:
        """`pets e30390f2239a`."""
        return named(self.name, self.contract)

    @property
    def since(self) -> str:
        """`version 12 (replay.py, 2026-11-29T15:24:00Z)`."""
        return f"version {self.version} ({self.by}, {self.at})"


KEYS = {field.name for field in fields(Judged)} - {"version"}
"""of the JSON that a property keeps"""


def named(name: str, fingerprint: str) -> str:
    """Return a contract's name and the first digits of its fingerprint."""
    return f"{name} {fingerprint[:SHORT]}"


def history(properties: dict[str, str]) -> list[Judged]:
    """Return who judged, by version. Entries of another release that say less are left out."""
    found = []
    for key, text in properties.items():
        version = key.removeprefix(JUDGED)
        if version == key or not version.isdigit():
            continue
        values = json.loads(text)
        if values.keys() >= KEYS:
            found.append(Judged(version=int(version), **{name: str(values[name]) for name in KEYS}))
    return sorted(found, key=lambda judged: judged.version)


def stored_content(properties: dict[str, str]) -> Content | None:
    """Return the content of the contract that judged last; None in a lake of a release that did not keep it."""
    return dict(json.loads(properties[CONTRACT])) if CONTRACT in properties else None


def properties_of(contract: Contract, version: int, by: str) -> dict[str, str]:
    """Return the table's properties for a contract that judges from this version on."""
    content = content_of(contract)
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    entry = Judged(version, contract.fingerprint, judging_of(content), contract.name, by, at)
    values = {key: value for key, value in asdict(entry).items() if key in KEYS}
    return {CONTRACT: _json(content), f"{JUDGED}{version}": _json(values)}


def missing_properties(
    properties: dict[str, str], contract: Contract, version: int, by: str, judged_again: bool = False
) -> dict[str, str]:
    """Return the properties that the table lacks of this contract: none, its content, or its content and that it judges."""
    content, entries = content_of(contract), history(properties)
    wanted = properties_of(contract, version, by)
    same = bool(entries) and entries[-1].judging == judging_of(content)
    if not same or judged_again:
        return wanted
    return {} if stored_content(properties) == content else {CONTRACT: wanted[CONTRACT]}


def require_thawed(properties: dict[str, str], contract: Contract) -> None:
    """Raise ConfigError where the lake's contract forbids what this one changes; nothing is known of a lake that keeps none."""
    content = stored_content(properties)
    refuse_frozen(differences(content, contract) if content is not None else [])


def refuse_frozen(found: list[Difference]) -> None:
    """Raise ConfigError where a difference is one that the contract before forbids."""
    if said := [f"{each.what}: {each.detail or each.kind}" for each in found if each.frozen]:
        raise ConfigError(
            f'change = "freeze" forbids what this contract changes: {examples(said)}',
            'Keep it as it was. Or take change = "freeze" out first, with nothing else changed, and run jobs/replay.py:'
            " it notes that. Then change the field.",
        )


def refuse_a_former(properties: dict[str, str], contract: Contract) -> None:
    """Raise ConfigError for a contract that judged this lake until a replay under another."""
    entries, judging = history(properties), judging_of(content_of(contract))
    if not entries or entries[-1].judging == judging:
        return
    former = max((entry.version for entry in entries if entry.judging == judging), default=None)
    if former is None:
        return
    later = [entry for entry in entries if entry.version > former and entry.by == REPLAY]
    if later:
        raise ConfigError(
            f"{named(contract.name, contract.fingerprint)} is the contract from before the last replay:"
            f" since {later[-1].since} all records are judged under {later[-1].named}",
            GO_ON,
        )


def _json(value: object) -> str:
    """Return JSON that Spark's SQL takes for nothing else: it would replace ${…}."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("$", "\\u0024")
