"""Quoting: the only ways a name or a text gets into a SQL string."""

TEXT = "cast(value AS string)"
"""A record's value as text. No column of its own: it is the same bytes, and a column would be copied from one stage of the
plan to the next."""


def name(column: str) -> str:
    """Return a column name in backticks."""
    return "`" + column.replace("`", "``") + "`"


def text(value: str) -> str:
    """Return a SQL string literal of exactly `value`."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + "".join(c if c >= " " else f"\\u{ord(c):04x}" for c in escaped) + "'"


def literal(value: str) -> str:
    """Return a regular expression of Java that finds exactly `value`."""
    return "\\Q" + value.replace("\\E", "\\E\\\\E\\Q") + "\\E"


def path(key: str) -> str:
    """Return a JSON path literal to a top-level key (the contract allows no quote or backslash in one)."""
    return text(f'$["{key}"]')


def let(name: str, value: str, body: str) -> str:
    """Return `body` with `name` bound to `value`, computed once. Spark interprets it: it generates no code for a lambda."""
    return f"transform(array({value}), {name} -> {body})[0]"
