"""Quoting: the only two ways a name or a text gets into a SQL string."""


def name(column: str) -> str:
    """A column name in backticks."""
    return "`" + column.replace("`", "``") + "`"


def text(value: str) -> str:
    """A SQL string literal holding exactly `value`."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + "".join(c if c >= " " else f"\\u{ord(c):04x}" for c in escaped) + "'"


def path(key: str) -> str:
    """A JSON path literal to a top-level key (the contract allows no quote or backslash in one)."""
    return text(f'$["{key}"]')
