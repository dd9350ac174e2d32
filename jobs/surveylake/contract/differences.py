"""What differs between two contracts, in words: columns, limits, spellings, rules. Plain values, also of other releases."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from surveylake.contract.key_differences import SHOWN, Kind, of_key, shown
from surveylake.contract.model import ON_CHANGE, Contract

Content: TypeAlias = dict[str, Any]
"""A contract as JSON has it, without what it says only by leaving it out."""
PUBLISHED = ("name", "title", "topic", "summaries", "charts", "hypothesis")
FREEZE = "freeze"
STILL_THERE = "its answers stay in the raw values"


@dataclass(frozen=True)
class Difference:
    """One thing in which a contract differs from the one before."""

    kind: Kind
    what: str
    """such as `field pet`, `rule is_adult`, `survey`"""
    detail: str = ""
    column: str = ""
    """the column, by its new name; of a removed one by its old"""
    frozen: bool = False
    """whether the contract before forbids it"""

    @property
    def judges(self) -> bool:
        """Whether a verdict or a value may depend on it."""
        return self.kind not in ("shown", "noted")

    def line(self) -> str:
        """Return `widened   field age: max 30 -> 40`."""
        return f"{self.kind:<9} {self.what}{': ' if self.detail else ''}{self.detail}"


def content_of(contract: Contract) -> Content:
    """Return the contract's content as a lake keeps it. The names of former columns are no part of it."""
    content = contract.model_dump(mode="json", exclude={"input"}, exclude_defaults=True)
    for part in _columns(content).values():
        part.pop("was", None)
    return dict(content)


def judging_of(content: Content) -> str:
    """Return a sha256 (hex) of what verdicts and values depend on: not of titles, descriptions, or what is published."""
    left_out = {*SHOWN, *ON_CHANGE}
    columns = {
        name: {key: value for key, value in part.items() if key not in left_out}
        for name, part in _columns(content).items()
    }
    parts = [columns, *(content.get(key) for key in ("key", "unknown_fields", "rules"))]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def former_names(contract: Contract, stored: set[str]) -> dict[str, str]:
    """Return column -> its name among the stored ones, of each that is stored already, under this name or its former one."""
    former = {name: field.was for name, field in contract.fields.items()}
    former |= {name: part.was for name, part in contract.derived.items()}
    names = {name: name for name in contract.columns if name in stored}
    for name, was in former.items():
        if name not in names and was in stored and was not in contract.columns:
            names[name] = str(was)
    return names


def differences(before: Content, contract: Contract) -> list[Difference]:
    """Return what differs, columns first, in the order of the contract."""
    after = content_of(contract)
    old, new = _columns(before), _columns(after)
    names = former_names(contract, set(old))
    found = [difference for name in new for difference in _of_column(name, names.get(name), old, new)]
    gone = [name for name in old if name not in names.values()]
    found += [
        Difference("removed", f"{_kind(before, name)} {name}", _still(old[name]), name, _frozen(old[name]))
        for name in gone
    ]
    found += _of_rules(before.get("rules", {}), after.get("rules", {}))
    found += _of_survey(before, after)
    kept = [name for name in old if name in names.values()]
    if kept != [names[name] for name in new if name in names]:
        found.append(Difference("changed", "order of the columns"))
    return found


def of_columns(table: dict[str, str], contract: Contract) -> list[Difference]:
    """Return what differs between the columns of a table (name -> SQL type) and of the contract: no more is known of it."""
    names = former_names(contract, set(table))
    found = []
    for name, kind in contract.columns.items():
        was = names.get(name)
        if was is None:
            found.append(Difference("added", f"column {name}", kind, name))
        else:
            found += [Difference("renamed", f"column {name}", f"was {was}", name)] if was != name else []
            found += [_retyped(f"column {name}", table[was], kind, name)] if table[was] != kind else []
    gone = [name for name in table if name not in names.values()]
    return found + [Difference("removed", f"column {name}", STILL_THERE, name) for name in gone]


def _columns(content: Content) -> dict[str, dict[str, Any]]:
    return {**content.get("fields", {}), **content.get("derived", {})}


def _kind(content: Content, name: str) -> str:
    return "field" if name in content.get("fields", {}) else "derived column"


def _frozen(part: dict[str, Any]) -> bool:
    return part.get("change") == FREEZE


def _still(part: dict[str, Any]) -> str:
    return STILL_THERE if "source" in part else ""


def _of_column(
    name: str, was: str | None, old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]
) -> Iterator[Difference]:
    part = new[name]
    what = f"{'derived column' if 'source' not in part else 'field'} {name}"
    if was is None:
        source = f", from {part['source']}" if "source" in part else ""
        yield Difference("added", what, f"{part['type']}{source}", name)
        return
    before, frozen = old[was], _frozen(old[was])
    if was != name:
        yield Difference("renamed", what, f"was {was}", name, frozen)
    for key in sorted({*before, *part}, key=lambda key: (key != "type", key)):
        if before.get(key) != part.get(key):
            kind, detail = of_key(key, before.get(key), part.get(key))
            is_frozen = frozen and kind not in ("shown", "noted")
            yield Difference(kind, what, detail, name, is_frozen)


def _retyped(what: str, before: str, after: str, column: str) -> Difference:
    kind, detail = of_key("type", before, after)
    return Difference(kind, what, detail, column)


def _of_rules(before: dict[str, str], after: dict[str, str]) -> Iterator[Difference]:
    for name in dict.fromkeys([*after, *before]):
        if before.get(name) != after.get(name):
            kind: Kind = "changed" if name in before and name in after else "added"
            kind = kind if name in after else "removed"
            yield Difference(kind, f"rule {name}", shown(after.get(name, before.get(name))))


def _of_survey(before: Content, after: Content) -> Iterator[Difference]:
    if before.get("key") != after.get("key"):
        yield Difference("changed", "survey", f"key {shown(before.get('key'))} -> {shown(after['key'])}")
    was, now = (each.get("unknown_fields", "ignore") for each in (before, after))
    if was != now:
        yield Difference(
            "narrowed" if now == "reject" else "widened", "survey", f"unknown_fields {was} -> {now}"
        )
    for key in PUBLISHED:
        if before.get(key) != after.get(key):
            is_text = isinstance(after.get(key), str)
            detail = f"{key} {shown(before.get(key))} -> {shown(after.get(key))}" if is_text else key
            yield Difference("shown", "survey", detail)
