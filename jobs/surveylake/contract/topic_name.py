"""What Kafka takes as the name of a topic, and which names it takes for one and the same. Text only."""

import re
from collections.abc import Iterable

LONGEST = 249
SIGN = re.compile(r"[^a-zA-Z0-9._-]")


def wrong_with(name: str) -> str:
    """Why Kafka takes no topic of this name, in words; '' when it does."""
    if not name or name in (".", ".."):
        return f"{'an empty text' if not name else repr(name)} is no name of a topic; use letters, digits, '.', '_' and '-'"
    if len(name) > LONGEST:
        return f"a topic's name has {LONGEST} letters at most, and this one {len(name):,}"
    if sign := SIGN.search(name):
        where = f"letter {sign.start() + 1} is {_named(sign[0])}"
        return f"a topic's name is of the letters a to z and A to Z, digits, '.', '_' and '-'; {where}"
    return ""


def taken_for(name: str, names: Iterable[str]) -> str:
    """The one of the topics that differs from `name` in '.' and '_' only: Kafka's metrics call both alike, so it makes no topic
    beside the other. '' when there is none."""
    return next((other for other in sorted(names) if other != name and _folded(other) == _folded(name)), "")


def _folded(name: str) -> str:
    return name.replace(".", "_")


def _named(sign: str) -> str:
    return "a blank" if sign.isspace() else f"'{sign}'" if sign.isprintable() else f"U+{ord(sign):04X}"
