"""What a record's value looks like that is no plain JSON object: a guess in words, for whoever reads a few rejected samples."""

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
"""Of a longer value only the first bytes are looked at."""
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
"""Names an object has -> what it is."""
SHAPES = (
    (re.compile(r"(?is)<!doctype html|<html"), "a page of HTML"),
    (re.compile(r"(?s)<(\?xml|[A-Za-z_][\w:.-]*[\s/>])"), "XML"),
    (re.compile(r"(?s)\{\s*u?'[^'\n]*'\s*:"), "a Python dictionary as text, with single quotes (str() in place of json.dumps())"),
    (re.compile(r"(?s)\{\s*[A-Za-z_$][\w$]*\s*:"), "an object whose names have no quotes, as JavaScript writes it"),
    (re.compile(r"[\w.%+-]+=[^&=\s]*(&[\w.%+-]+=[^&=\s]*)+\Z"), "a web form (name=value&name=value)"),
)  # fmt: skip
"""How a text begins -> what it is."""
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "'|'"}
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}\Z")


def looks_like(value: bytes | None) -> str:
    """What the value looks like, such as `JSON packed with gzip` or `a line of CSV, 7 cells between commas`; '' when nothing
    can be told, and for an object that is plain JSON. Nothing of the value itself is in it, and it never fails."""
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
    """For a value that is text from end to end, in UTF-8 or in Windows-1252."""
    try:
        return _of_text(value.decode())
    except UnicodeDecodeError:
        pass
    try:
        said = _of_text(value.decode(WINDOWS), in_utf8=False)
    except UnicodeDecodeError:
        return ""
    return f"{said}, in another encoding than UTF-8, such as Windows-1252" if said else ""


def _of_text(text: str, in_utf8: bool = True) -> str:
    if not _is_readable(text):
        return ""
    text = text.strip()
    if text[:1] in ("{", "[", '"') and (said := _of_json(text, in_utf8)):
        return said
    for shape, said in SHAPES:
        if shape.match(text):
            return said
    return _of_base64(text) or _of_csv(text)


def _of_json(text: str, in_utf8: bool) -> str:
    constants: list[str] = []
    try:
        held = json.loads(text, parse_constant=constants.append)
    except json.JSONDecodeError as error:
        return _of_broken_json(text, error)
    except (RecursionError, ValueError):
        return ""
    if constants:
        return f"JSON with {constants[0]}, which JSON does not have"
    if isinstance(held, str):
        return (
            "JSON inside a JSON text: it was encoded twice"
            if _is_json(held.encode("utf-8", "replace"))
            else ""
        )
    if isinstance(held, list):
        return f"a list of {len(held):,} JSON objects in one record" if held and _all_objects(held) else ""
    return _of_object(held) or ("" if in_utf8 else "JSON")


def _of_object(held: dict[str, Any]) -> str:
    for names, said in ENVELOPES:
        if names <= held.keys():
            return said
    return "an object inside an object" if len(held) == 1 and _all_objects(list(held.values())) else ""


def _of_broken_json(text: str, error: json.JSONDecodeError) -> str:
    lines = text.splitlines()
    if len(lines) > 1 and all(_is_json(line.encode()) for line in lines):
        return f"{len(lines):,} JSON objects, one per line"
    if text.startswith("{") and (error.pos >= len(text) or error.msg.startswith("Unterminated string")):
        return "JSON that is cut off before its end"
    return ""


def _of_base64(text: str) -> str:
    if not BASE64.match(text) or len(text) % 4 == 1:
        return ""
    try:
        held = base64.b64decode(
            text + "=" * (-len(text) % 4), altchars=b"-_" if set("-_") & set(text) else None, validate=True
        )
    except (binascii.Error, ValueError):
        return ""
    return (
        "JSON in base64" if _is_json(held) else f"{said} in base64" if (said := _by_first_bytes(held)) else ""
    )


def _of_csv(text: str) -> str:
    """A line or some lines with the same number of cells; a sentence with a comma is none."""
    lines = text.splitlines()
    for mark, name in SEPARATORS.items():
        cells = {line.count(mark) + 1 for line in lines}
        if cells and min(cells) > 2 and len(cells) == 1 and f"{mark} " not in text:
            what = "a line of CSV" if len(lines) == 1 else f"{len(lines):,} lines of CSV"
            return f"{what}, {cells.pop():,} cells between {name}"
    return ""


def _by_reading(value: bytes) -> str:
    """For a value that is no text that is known."""
    with contextlib.suppress(UnicodeDecodeError):
        if _is_readable(value.decode()) or _is_json(value):
            return ""
    if value[:1] == b"\x78" and (held := _unpacked(value, 15)):
        return "JSON packed with zlib" if _is_json(held) else "bytes packed with zlib"
    if value[:1] == b"\x80" and b"\x02" <= value[1:2] <= b"\x05" and value.endswith(b"."):
        return "a Python object (pickle)"
    if encoding := encoding_of(value):
        return f"{encoding} (a guess)" if encoding in ("Avro", "Protobuf") else encoding
    a_number = len(value) in (4, 8) and value[:1] in (b"\0", b"\xff")
    return f"a number in {len(value)} bytes, as Kafka's own serializers write it" if a_number else ""


def _is_readable(text: str) -> bool:
    return all(letter in "\t\r\n" or unicodedata.category(letter) != "Cc" for letter in text)


def _is_json(value: bytes) -> bool:
    """Whether it is a JSON object; one that is longer than what was looked at may be cut."""
    try:
        return isinstance(json.loads(value), dict)
    except (ValueError, RecursionError):
        return False


def _all_objects(held: list[Any]) -> bool:
    return all(isinstance(item, dict) for item in held)


def _unpacked(value: bytes, window: int) -> bytes:
    try:
        return zlib.decompressobj(window).decompress(value, MOST_BYTES)
    except zlib.error:
        return b""
