"""Values, keys and comments as TOML: every text of a file is written so that it cannot end its line."""

import json
import re
from typing import Any

from surveylake.wording import printable

BARE = re.compile("[A-Za-z0-9_-]+")
COMMENT_COLUMN = 40
LONGEST_LINE = 120


def value(item: Any) -> str:
    """Return a value as TOML."""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, str):
        # JSON's escapes are TOML's, but for half surrogate pairs, which neither can hold, and U+007F.
        text = item.encode("utf-8", "replace").decode()
        return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(item, dict):
        return "{ " + ", ".join(f"{key(name)} = {value(part)}" for name, part in item.items()) + " }"
    if isinstance(item, list | tuple):
        return _list([value(part) for part in item])
    return str(item)


def key(name: str) -> str:
    """Return a key as TOML."""
    return name if BARE.fullmatch(name) else value(name)


def line(name: str, item: Any, why: str = "") -> str:
    """Return `key = value   # why`; the reason stands above a value that fills lines of its own."""
    text = f"{key(name)} = {value(item)}"
    if not why:
        return text
    if "\n" in text or max(len(text) + 2, COMMENT_COLUMN) + len(why) > LONGEST_LINE:
        return f"{comment(why)}\n{text}"
    return f"{text:<{COMMENT_COLUMN - 2}}  {comment(why)}"


def comment(text: str) -> str:
    """Return a text as one line of comment."""
    return f"# {printable(' '.join(text.split()))}".encode("utf-8", "backslashreplace").decode()


def _list(parts: list[str]) -> str:
    """Return a list on one line, or on several where it is long."""
    text = ", ".join(parts)
    if len(text) <= LONGEST_LINE - COMMENT_COLUMN:
        return f"[{text}]"
    lines, last = [], "   "
    for part in parts:
        if len(last) + len(part) > LONGEST_LINE and last.strip():
            lines.append(last)
            last = "   "
        last += f" {part},"
    return "[\n" + "\n".join([*lines, last]) + "\n]"
