"""Kafka's rules for the names of topics. Text only."""

import re
from collections.abc import Iterable

LONGEST = 249
SIGN = re.compile(r"[^a-zA-Z0-9._-]")


def wrong_with(name: str) -> str:
    """Return why Kafka refuses the name of a topic, in words; '' when it accepts it."""
    if not name or name in (".", ".."):
        return f"{'an empty text' if not name else repr(name)} is no name of a topic; use letters, digits, '.', '_' and '-'"
    if len(name) > LONGEST:
        return f"a topic's name has {LONGEST} letters at most, and this one {len(name):,}"
    if sign := SIGN.search(name):
        where = f"letter {sign.start() + 1} is {_named(sign[0])}"
        return f"a topic's name is of the letters a to z and A to Z, digits, '.', '_' and '-'; {where}"
    return ""


def taken_for(name: str, names: Iterable[str]) -> str:
    """Return the topic that differs from `name` in '.' and '_' only; '' when there is none.

    Kafka's metrics use one name for both, so it creates no topic beside such another.
    """
    return next((other for other in sorted(names) if other != name and _folded(other) == _folded(name)), "")


def _folded(name: str) -> str:
    return name.replace(".", "_")


def _named(sign: str) -> str:
    return "a blank" if sign.isspace() else f"'{sign}'" if sign.isprintable() else f"U+{ord(sign):04X}"
