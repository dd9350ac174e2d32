"""What the values of a plain JSON object are, as regular expressions of Java."""

UNQUOTED = "".join(chr(code) for code in range(32, 127) if chr(code) not in '"\\')


def ascii_class(without: str = "") -> str:
    """Return the ASCII characters that stand for themselves, but those in `without`."""
    # Each character by itself: Java looks single characters up in a table, and compares ranges one by one.
    return "".join(c if c.isalnum() else "\\" + c for c in UNQUOTED if c not in without)


LETTERS_CLASS = (
    r"\u00a1-\u167f\u1681-\u1fff\u2010-\u2027\u2030-\u205e\u2060-\u2fff\u3001-\ud7ff\ue000-\ufefe\uff00-\ufffc\ufffe\uffff"
    r"\x{10000}-\x{10ffff}"
)
"""Every character beyond ASCII but control characters, the blanks that cleaning collapses, and U+FFFD: that is what Java reads
where bytes are no UTF-8."""
ESCAPE = (
    r"\\u(?:00(?:[aA][1-9a-fA-F]|[b-fB-F][0-9a-fA-F])|0[1-9a-fA-F][0-9a-fA-F]{2}|[4-9a-cA-C][0-9a-fA-F]{3})"
)
"""Escapes of letters: no blank, no control character, no half of a surrogate pair."""
WHOLE = "-?(?:0|[1-9][0-9]{0,17})"
"""An integer that has 64 bits, whatever its digits."""
DECIMAL = WHOLE + r"(?:\.[0-9]{1,18})?"
"""A number as a JSON writer writes it: without an exponent, and not longer than is kept exactly."""
SHORT_FRACTION = r"-?(?=[0-9.]{3,16}(?![0-9.]))(?:0|[1-9][0-9]*)\.[0-9]+"
"""A number with a fraction and 15 digits at most, which a double keeps: Spark's reader takes numbers for doubles."""
DOUBLE = DECIMAL + r"(?:[eE][+-]?[0-9]{1,3})?"
"""The same, with or without an exponent."""
BARE = rf"(?:true|false|null|{DECIMAL}(?:[eE][+-]?[0-9]{{1,2}})?)"
"""A value without quotes."""


def whole(pattern: str) -> str:
    """Return a pattern that finds only what it matches from end to end."""
    return rf"^{pattern}\z"
