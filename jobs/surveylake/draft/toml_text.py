"""The lines of a drafted contract: keys with their evidence, and comments."""

from typing import Any

from surveylake.contract.toml_text import key, value
from surveylake.wording import printable

COMMENT_COLUMN = 40
LONGEST_LINE = 120


def line(name: str, item: Any, why: str = "") -> str:
    """Return `key = value   # why`; the reason stands above a value that fills lines of its own."""
    text = f"{key(name)} = {_list(list(map(value, item))) if isinstance(item, list | tuple) else value(item)}"
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
