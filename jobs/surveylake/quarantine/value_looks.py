"""Guesses, in words, at the format of a rejected value that is not a plain JSON object."""

import base64
import binascii
import contextlib
import json
import re
import unicodedata
import zlib
from typing import Any

from surveylake import formats
from surveylake.quarantine.binary_formats import encoding_of

MOST_BYTES = 65_536
"""Only the first bytes of a longer value are examined."""
MARK = b"\xef\xbb\xbf"
WINDOWS = "cp1252"
"""Windows-1252, the most frequent encoding that is not UTF-8."""
ENVELOPES = (
    (
        {"schema", "payload"},
        "JSON of Kafka Connect with its schema beside it; the answer is in 'payload' (schemas.enable=false)",
    ),
    ({"before", "after", "op"}, "a change record of Debezium; the answer is in 'after'"),
    ({"specversion", "data"}, "a CloudEvent; the answer is in 'data'"),
)
"""Names of an object -> its kind."""
SHAPES = (
    (re.compile(r"(?is)<!doctype html|<html"), "a page of HTML"),
    (re.compile(r"(?s)<(\?xml|[A-Za-z_][\w:.-]*[\s/>])"), "XML"),
    (re.compile(r"(?s)\{\s*u?'[^'\n]*'\s*:"), "a Python dictionary as text, with single quotes (str() in place of json.dumps())"),
    (re.compile(r"(?s)\{\s*[A-Za-z_$][\w$]*\s*:"), "an object whose names have no quotes, as JavaScript writes it"),
    (re.compile(r"[\w.%+-]+=[^&=\s]*(&[\w.%+-]+=[^&=\s]*)+\Z"), "a web form (name=value&name=value)"),
)  # fmt: skip
"""Start of a text -> its kind."""
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "'|'"}
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}\Z")


def looks_like(value: bytes | None) -> str:
    """Return a guess such as `JSON packed with gzip` or `a line of CSV, 7 cells between commas`.

    Returns '' for an unknown format, and for an object in plain JSON. The guess quotes nothing of the value. Never raises.
    """
    if not value:
        return ""
    start = bytes(value[:MOST_BYTES])
    whole = len(start) == len(value)
    return _by_first_bytes(start) or (whole and (_by_text(start) or _by_reading(start))) or ""


def _by_first_bytes(value: bytes) -> str:
    if value.startswith(formats.REGISTRY) and len(value) >= formats.REGISTRY_LEAST:
        inside = "JSON" if _is_json(value[formats.REGISTRY_PREFIX :]) else "Avro or Protobuf"
        number = int.from_bytes(value[1 : formats.REGISTRY_PREFIX], "big")
        return f"{inside} after the five bytes of a schema registry (schema {number})"
    if packed := formats.packed_with(value):
        inside = "JSON " if packed == "gzip" and _is_json(_unpacked(value, 31)) else ""
        return f"{inside}packed with {packed}" if inside else f"bytes packed with {packed}"
    if value.startswith(MARK) and _is_json(value[len(MARK) :]):
        return "JSON after a byte order mark"
    wide = formats.wide_text(value)
    return formats.kind_of(value) or (f"text in {wide}, not UTF-8" if wide else "")


def _by_text(value: bytes) -> str:
    """Return a guess at a value that is text from end to end, in UTF-8 or Windows-1252."""
    try:
        return _text_kind(value.decode())
    except UnicodeDecodeError:
        pass
    try:
        kind = _text_kind(value.decode(WINDOWS), in_utf8=False)
    except UnicodeDecodeError:
        return ""
    return f"{kind}, in another encoding than UTF-8, such as Windows-1252" if kind else ""


def _text_kind(text: str, in_utf8: bool = True) -> str:
    if not _is_readable(text):
        return ""
    text = text.strip()
    if text[:1] in ("{", "[", '"'):
        kind = _json_kind(text, in_utf8)
        if kind or _is_json(text.encode("utf-8", "replace")):
            return kind
    for shape, kind in SHAPES:
        if shape.match(text):
            return kind
    return _base64_kind(text) or _csv_kind(text)


def _json_kind(text: str, in_utf8: bool) -> str:
    constants: list[str] = []
    try:
        value = json.loads(text, parse_constant=constants.append)
    except json.JSONDecodeError as error:
        return _broken_json_kind(text, error)
    except (RecursionError, ValueError):
        return ""
    if constants:
        return f"JSON with {constants[0]}, which JSON does not have"
    if isinstance(value, str):
        is_json = _is_json(value.encode("utf-8", "replace"))
        return "JSON inside a JSON text: it was encoded twice" if is_json else ""
    if isinstance(value, list):
        return f"a list of {len(value):,} JSON objects in one record" if value and _all_objects(value) else ""
    return _object_kind(value) or ("" if in_utf8 else "JSON")


def _object_kind(value: dict[str, Any]) -> str:
    for names, kind in ENVELOPES:
        if names <= value.keys():
            return kind
    return "an object inside an object" if len(value) == 1 and _all_objects(list(value.values())) else ""


def _broken_json_kind(text: str, error: json.JSONDecodeError) -> str:
    lines = text.splitlines()
    if len(lines) > 1 and all(_is_json(line.encode()) for line in lines):
        return f"{len(lines):,} JSON objects, one per line"
    if text.startswith("{") and (error.pos >= len(text) or error.msg.startswith("Unterminated string")):
        return "JSON that is cut off before its end"
    return ""


def _base64_kind(text: str) -> str:
    if not BASE64.match(text) or len(text) % 4 == 1:
        return ""
    try:
        content = base64.b64decode(
            text + "=" * (-len(text) % 4), altchars=b"-_" if set("-_") & set(text) else None, validate=True
        )
    except (binascii.Error, ValueError):
        return ""
    kind = "JSON" if _is_json(content) else _by_first_bytes(content)
    return f"{kind} in base64" if kind else ""


def _csv_kind(text: str) -> str:
    """Return a guess at one or more lines with the same number of cells; a sentence with a comma is none."""
    lines = text.splitlines()
    for mark, name in SEPARATORS.items():
        cells = {line.count(mark) + 1 for line in lines}
        if cells and min(cells) > 2 and len(cells) == 1 and f"{mark} " not in text:
            what = "a line of CSV" if len(lines) == 1 else f"{len(lines):,} lines of CSV"
            return f"{what}, {cells.pop():,} cells between {name}"
    return ""


def _by_reading(value: bytes) -> str:
    """Return a guess at a value that is no known text, by reading it to its end."""
    with contextlib.suppress(UnicodeDecodeError):
        if _is_readable(value.decode()) or _is_json(value):
            return ""
    if value[:1] == b"\x78" and (content := _unpacked(value, 15)):
        return "JSON packed with zlib" if _is_json(content) else "bytes packed with zlib"
    if value[:1] == b"\x80" and b"\x02" <= value[1:2] <= b"\x05" and value.endswith(b"."):
        return "a Python object (pickle)"
    if encoding := encoding_of(value):
        return f"{encoding} (a guess)" if encoding in ("Avro", "Protobuf") else encoding
    is_number = len(value) in (4, 8) and value[:1] in (b"\0", b"\xff")
    return f"a number in {len(value)} bytes, as Kafka's own serializers write it" if is_number else ""


def _is_readable(text: str) -> bool:
    return all(letter in "\t\r\n" or unicodedata.category(letter) != "Cc" for letter in text)


def _is_json(value: bytes) -> bool:
    """Return whether the bytes are one whole JSON object."""
    try:
        return isinstance(json.loads(value), dict)
    except (ValueError, RecursionError):
        return False


def _all_objects(values: list[Any]) -> bool:
    return all(isinstance(value, dict) for value in values)


def _unpacked(value: bytes, window: int) -> bytes:
    try:
        return zlib.decompressobj(window).decompress(value, MOST_BYTES)
    except zlib.error:
        return b""
