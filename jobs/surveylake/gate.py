"""The strict gate: one Kafka value is exactly one JSON object of scalars, or the reason why it is not.

It is for what is not plain (plain.py). A value is parsed by `try_parse_json`, which is strict about what it reads (NaN,
comments, control characters, lone surrogates) but stops after the first document. A value that also parses between `[` and
`]`, and as `{"k":` … `}`, has nothing after its document: what may follow in a list cannot follow in an object, nor the reverse.

The steps are SQL over one another; how they are put together is for transforms.py to say.
"""

from functools import reduce

from surveylake import sql
from surveylake.sql import TEXT

BLANKS = r"[\s\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]"
"""What counts as blank (Java's ASCII \\s, and Unicode's blanks with the invisible ones pasted text brings along)."""
HIGH, LOW = r"\\u(?i:d[89ab][0-9a-f]{2})", r"\\u(?i:d[c-f][0-9a-f]{2})"
NUL_OR_LONE_SURROGATE = rf"\u0000|\\u0000|{HIGH}(?!{LOW})|(?<!{HIGH}){LOW}"
NO_ESCAPE = r"\\u(?![0-9a-fA-F]{4})"
"""The parser looks at the low byte of each digit only, and would take U+0130 for a 0."""
ESCAPED_BACKSLASH = r"\\\\"
MOST_BRACKETS = 200
"""Objects and arrays in one value; the parser itself gives up at a depth of 1000."""
KEY_EDGE = "\0"
"""Stands around each key of an object: the gate lets no NUL into a key."""


def steps(max_bytes: int) -> dict[str, str]:
    """Name -> SQL, each over those before it: `~bad`, `~json` (variant), `~broken` (the one reason that stands alone, or
    NULL) and `~names` (the keys of an object that is not broken, each between two NULs)."""
    edge = sql.text(KEY_EDGE)
    names = f"concat({edge}, concat_ws({edge}, json_object_keys({TEXT})), {edge})"
    return {
        "~bad": _unparsable(max_bytes),
        "~json": f"IF(`~bad` IS NULL, try_parse_json({TEXT}), NULL)",
        "~broken": _broken(),
        "~names": f"IF(`~broken` IS NULL, {names}, NULL)",
    }


def _broken() -> str:
    """SQL over `~bad` and `~json`: the one reason that stands alone for a value that is not one JSON object, or NULL."""
    whole = (
        f"try_parse_json(concat('[', {TEXT}, ']')) IS NOT NULL"
        f" AND try_parse_json(concat('{{\"k\":', {TEXT}, '}}')) IS NOT NULL"
    )
    is_object = "startswith(schema_of_variant(`~json`), 'OBJECT')"
    repeated = f"size(array_distinct(json_object_keys({TEXT}))) < size(json_object_keys({TEXT}))"
    return (
        "CASE WHEN `~bad` IS NOT NULL THEN `~bad` WHEN `~json` IS NULL THEN 'malformed'"
        f" WHEN NOT ({whole}) THEN IF({is_object}, 'trailing_data', 'malformed')"
        f" WHEN NOT {is_object} THEN 'not_an_object' WHEN {repeated} THEN 'duplicate_key' END"
    )


def _unparsable(max_bytes: int) -> str:
    """SQL: why a value should not even be parsed, or NULL."""
    unescaped = f"regexp_replace({TEXT}, {sql.text(ESCAPED_BACKSLASH)}, '_')"
    return (
        f"CASE WHEN value IS NULL THEN 'tombstone' WHEN octet_length(value) > {max_bytes} THEN 'too_large'"
        " WHEN NOT is_valid_utf8(value) THEN 'bad_encoding'"
        f" WHEN {TEXT} RLIKE '^[ \\\\t\\\\r\\\\n]*\\\\z' THEN 'empty_payload'"
        f" WHEN {unescaped} RLIKE {sql.text(NUL_OR_LONE_SURROGATE)} THEN 'bad_encoding'"
        f" WHEN {_brackets()} > {MOST_BRACKETS} THEN 'too_large'"
        f" WHEN {unescaped} RLIKE {sql.text(NO_ESCAPE)} THEN 'malformed' END"
    )


def _brackets() -> str:
    """SQL that counts the brackets opened outside strings."""
    steps = [(r"(?s)\\.", "_"), ('"[^"]*+"', ""), (r"[^\[{]", "")]
    stripped = reduce(lambda e, s: f"regexp_replace({e}, {sql.text(s[0])}, {sql.text(s[1])})", steps, TEXT)
    return f"length({stripped})"
