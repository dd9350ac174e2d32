"""How one key of a column differs between two contracts: whether more is let in or less, and the words for it."""

from typing import Any, Literal

from surveylake.contract.field_types import digits_of
from surveylake.contract.model import ON_CHANGE
from surveylake.wording import listed

Kind = Literal["added", "removed", "renamed", "widened", "narrowed", "changed", "shown", "noted"]
"""widened: nothing is turned away by it; narrowed: nothing is let in; shown: no verdict and no value depends on it; noted: as
`shown`, of what may be changed later"""
SHOWN = ("description", "label", "unit", "order")
"""Keys of a column that only say how it is shown."""
LIMITS = ("required", "allowed", "min", "max", "pattern")
"""Keys that turn values away; without one, all are let in."""
UNSAID = {
    "required": False, "change": "evolve", "when_wrong": "reject", "when_absent": "reject",
    "format": "ISO 8601", "zone": "UTC", "separator": ";",
}  # fmt: skip
"""What a key is where a contract does not say it."""
DIGITS_OF_AN_INTEGER = 10


def of_key(key: str, before: Any, after: Any) -> tuple[Kind, str]:
    """Return how a key of a column differs, and the words for it."""
    was, now = (UNSAID.get(key) if value is None else value for value in (before, after))
    detail = f"{key} {shown(was)} -> {shown(now)}"
    if key in SHOWN:
        return "shown", detail if key != "description" else "description"
    if key in ON_CHANGE:
        return "noted", detail
    if isinstance(before or after, list | dict):
        detail = f"{key}: {_members(_flat(before), _flat(after))}"
    return _direction(key, before, after), detail


def _direction(key: str, before: Any, after: Any) -> Kind:
    if key == "type":
        return "widened" if _widens(before, after) else "narrowed" if _widens(after, before) else "changed"
    if key in ("when_wrong", "when_absent"):
        return "widened" if after == "blank" else "narrowed"
    if key not in LIMITS:
        return "changed"
    if before is None or after is None:
        return "widened" if after is None else "narrowed"
    if key == "allowed":
        more, fewer = set(after) > set(before), set(after) < set(before)
        return "widened" if more else "narrowed" if fewer else "changed"
    if key == "pattern":
        return "changed"
    return "widened" if (after > before) == (key == "max") else "narrowed"


def _widens(narrow: str, wide: str) -> bool:
    """Return whether every value of one type is one of another."""
    if wide == "string":
        return True
    if (narrow, wide) in (("integer", "double"), ("int", "double"), ("date", "timestamp")):
        return True
    digits, room = _digits(narrow), _digits(wide)
    return bool(digits and room) and all(a <= b for a, b in zip(digits, room, strict=True))


def _digits(kind: str) -> tuple[int, ...]:
    """Return (digits before the point, after it) of an integer or a decimal; nothing of another type."""
    if kind in ("integer", "int"):
        return DIGITS_OF_AN_INTEGER, 0
    precision, scale = digits_of(kind) or (0, 0)
    return (precision - scale, scale) if precision else ()


def _flat(value: Any) -> list[str]:
    """Return the entries of a list, or of a table of texts: `Kat for cat`."""
    if isinstance(value, dict):
        pairs = ((key, each if isinstance(each, list) else [each]) for key, each in value.items())
        return [f"{text} for {key}" for key, texts in pairs for text in texts]
    return list(map(str, value or []))


def _members(before: list[str], after: list[str]) -> str:
    """Return `also bird; no longer dog`."""
    more = [each for each in after if each not in before]
    fewer = [each for each in before if each not in after]
    said = [f"also {listed(more)}"] if more else []
    said += [f"no longer {listed(fewer)}"] if fewer else []
    return "; ".join(said) or "in another order"


def shown(value: Any) -> str:
    """Return a key's value as a message shows it."""
    if value is None:
        return "none"
    return listed([str(value).lower() if isinstance(value, bool) else str(value)])
