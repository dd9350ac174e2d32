"""Strict JSON: a Kafka value is exactly one JSON object of scalars, or there is one reason why not.

For values off the fast path (fast_path.py). A value is parsed by `try_parse_json`, which is strict about what it reads (NaN,
comments, control characters, lone surrogates) but stops after the first document. Nothing follows an object whose only
closing brace is the value's last character. Nor does anything follow a value that also parses between `[` and `]`, and as
`{"k":` … `}`: what may follow in a list cannot follow in an object, nor the reverse.

The steps are SQL over one another; pipeline.py composes them.
"""

from functools import reduce

from surveylake import formats, sql
from surveylake.sql import TEXT

BLANKS = r"[\s\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]"
"""Blanks: Java's ASCII \\s, and Unicode's, with the invisible ones of pasted text."""
BLANK_STARTS = ("C285", "C2A0", "E19A80", "E280", "E2819F", "E38080", "EFBBBF")
"""First bytes of the blanks beyond ASCII in UTF-8, in hexadecimal."""
HIGH, LOW = r"\\u(?i:d[89ab][0-9a-f]{2})", r"\\u(?i:d[c-f][0-9a-f]{2})"
NUL_OR_LONE_SURROGATE = rf"\\u0000|{HIGH}(?!{LOW})|(?<!{HIGH}){LOW}"
NO_ESCAPE = r"\\u(?![0-9a-fA-F]{4})"
"""The parser reads the low byte of each digit only, and would take U+0130 for a 0."""
BACKSLASH, NUL = "\\", "\0"
ESCAPED_BACKSLASH = r"\\\\"
MOST_BRACKETS = 200
"""Objects and arrays in one value; the parser itself gives up at a depth of 1000."""
TWICE = r'^[ \t\r\n]*\{[ \t\r\n]*"(?s:.*)\}[ \t\r\n]*\z'
"""A text that contains a JSON object with at least one name, by its first and last characters."""
KEY_EDGE = NUL
"""Stands around each key of an object: no key that was accepted so far contains a NUL."""


def steps(max_bytes: int) -> dict[str, str]:
    """Return name -> SQL, each over those before it.

    `~bad`, `~json` (variant), `~keys` (array), `~broken` (the only reason against a value that is not one JSON object, or
    NULL) and `~names` (the keys of an object that is not broken, each between two NULs).
    """
    edge = sql.text(KEY_EDGE)
    return {
        "~bad": _unparsable(max_bytes),
        "~json": f"IF(`~bad` IS NULL, try_parse_json({TEXT}), NULL)",
        "~keys": f"IF(`~json` IS NULL, NULL, json_object_keys({TEXT}))",
        "~broken": _broken(),
        "~names": f"IF(`~broken` IS NULL, concat({edge}, concat_ws({edge}, `~keys`), {edge}), NULL)",
    }


def untidy() -> str:
    """Return SQL: whether a text in the value may have other blanks than single spaces.

    Inside a JSON string a control character can only be written as an escape.
    """
    beyond = " OR ".join(f"contains(value, X'{start}')" for start in BLANK_STARTS)
    return (
        f"contains({TEXT}, '  ') OR contains({TEXT}, {sql.text(BACKSLASH)})"
        f" OR (octet_length(value) > length({TEXT}) AND ({beyond}))"
    )


def _broken() -> str:
    """Return SQL over `~bad`, `~json` and `~keys`: the only reason against a value that is not one JSON object, or NULL."""
    # An object ends at a closing brace: where the only one is the last character, nothing can follow.
    flat = f"(startswith({TEXT}, '{{') AND instr({TEXT}, '}}') = length({TEXT}))"
    whole = (
        f"({flat} OR (try_parse_json(concat('[', {TEXT}, ']')) IS NOT NULL"
        f" AND try_parse_json(concat('{{\"k\":', {TEXT}, '}}')) IS NOT NULL))"
    )
    is_object = f"(startswith({TEXT}, '{{') OR startswith(schema_of_variant(`~json`), 'OBJECT'))"
    repeated = "size(array_distinct(`~keys`)) < size(`~keys`)"
    return (
        f"CASE WHEN `~json` IS NULL THEN coalesce({_foreign()}, `~bad`, 'malformed')"
        f" WHEN NOT {whole} THEN IF({is_object}, 'trailing_data', 'malformed')"
        f" WHEN NOT {is_object} THEN {_no_object()} WHEN {repeated} THEN 'duplicate_key' END"
    )


def _foreign() -> str:
    """Return SQL: the format of a value that is not JSON, by its first bytes; else NULL.

    No JSON begins with these bytes, so they are compared only once parsing has failed.
    """
    packed = " OR ".join(f"startswith(value, X'{mark.hex()}')" for mark in formats.COMPRESSED)
    return (
        f"CASE WHEN startswith(value, X'{formats.REGISTRY.hex()}') AND octet_length(value) >= {formats.REGISTRY_LEAST}"
        f" THEN 'schema_registry' WHEN startswith(value, X'{formats.AVRO_FILE.hex()}') THEN 'avro_file'"
        f" WHEN {packed} THEN 'compressed' END"
    )


def _no_object() -> str:
    """Return SQL over a `~json` that is no object: whether it is the text of one."""
    return f"IF(CAST(`~json` AS string) RLIKE {sql.text(TWICE)}, 'encoded_twice', 'not_an_object')"


def _unparsable(max_bytes: int) -> str:
    """Return SQL: the reason not to parse a value, or NULL.

    Regular expressions run only where they can match: no escape without a backslash, no more brackets outside strings than
    in the whole value.
    """
    unescaped = f"regexp_replace({TEXT}, {sql.text(ESCAPED_BACKSLASH)}, '_')"
    escapes = f"contains({TEXT}, {sql.text(BACKSLASH)})"
    any_brackets = f"octet_length(value) - octet_length(replace(replace({TEXT}, '[', ''), '{{', ''))"
    return (
        f"CASE WHEN value IS NULL THEN 'tombstone' WHEN octet_length(value) > {max_bytes} THEN 'too_large'"
        " WHEN NOT is_valid_utf8(value) THEN 'bad_encoding'"
        f" WHEN {TEXT} RLIKE '^[ \\\\t\\\\r\\\\n]*\\\\z' THEN 'empty_payload'"
        f" WHEN contains({TEXT}, {sql.text(NUL)}) THEN 'bad_encoding'"
        f" WHEN {escapes} AND {unescaped} RLIKE {sql.text(NUL_OR_LONE_SURROGATE)} THEN 'bad_encoding'"
        f" WHEN {any_brackets} > {MOST_BRACKETS} AND {_brackets()} > {MOST_BRACKETS} THEN 'too_large'"
        f" WHEN {escapes} AND {unescaped} RLIKE {sql.text(NO_ESCAPE)} THEN 'malformed' END"
    )


def _brackets() -> str:
    """Return SQL: the number of brackets opened outside strings."""
    steps = [(r"(?s)\\.", "_"), ('"[^"]*+"', ""), (r"[^\[{]", "")]
    stripped = reduce(lambda e, s: f"regexp_replace({e}, {sql.text(s[0])}, {sql.text(s[1])})", steps, TEXT)
    return f"length({stripped})"
