"""Values and keys as TOML: every text is written so that it cannot end its line."""

import json
import re
from typing import Any

BARE = re.compile("[A-Za-z0-9_-]+")


def value(item: Any) -> str:
    """Return a value as TOML, on one line."""
    if isinstance(item, dict):
        return (
            f"{{ {', '.join(f'{key(name)} = {value(part)}' for name, part in item.items())} }}"
            if item
            else "{}"
        )
    if isinstance(item, list | tuple):
        return f"[{', '.join(map(value, item))}]"
    if isinstance(item, str):
        # JSON's escapes are TOML's, but for half surrogate pairs, which neither can hold, and U+007F.
        item = item.encode("utf-8", "replace").decode()
    return json.dumps(item, ensure_ascii=False).replace("\x7f", "\\u007f")


def key(name: str) -> str:
    """Return a key as TOML."""
    return name if BARE.fullmatch(name) else value(name)
