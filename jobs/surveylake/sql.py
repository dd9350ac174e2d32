"""Quoting: the only two ways a name or a text gets into a SQL string."""

TEXT = "cast(value AS string)"
"""A record's value as text. No column of its own: it is the same bytes, and a column would be copied from one stage of the
plan to the next."""


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


def let(name: str, value: str, body: str) -> str:
    """`body` with `name` standing for `value`, computed once. Spark has no code for it and interprets it."""
    return f"transform(array({value}), {name} -> {body})[0]"
