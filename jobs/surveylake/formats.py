"""Formats of files and messages by their first bytes. Bytes in, names out; no Spark here."""

REGISTRY = b"\0\0"
"""First bytes of a record of a schema registry: a zero byte, then the schema's number in four bytes, of which the first is
zero too."""
REGISTRY_PREFIX = 5
"""Bytes of the registry before the record itself."""
REGISTRY_LEAST = 9
"""A shorter value may be a whole number of eight bytes."""
AVRO_FILE = b"Obj\x01"
COMPRESSED = {
    b"\x1f\x8b\x08": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "LZ4",
    b"\xfd7zX": "xz",
    b"\xff\x06\x00\x00": "snappy",
    b"\x82SNA": "snappy",
    b"PK\x03\x04": "zip",
}
"""First bytes -> compression. None of them can begin a JSON text."""
OTHERS = {
    AVRO_FILE: "an Avro file",
    b"\xc3\x01": "an Avro record with the fingerprint of its schema",
    b"PAR1\x15": "a Parquet file",
    b"ARROW1\0\0": "an Arrow file",
    b"SQLite format 3\0": "an SQLite database",
    b"%PDF-": "a PDF document",
    b"\x89PNG\r\n": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Excel workbook of the old kind (.xls)",
    b"\xac\xed\x00\x05": "an object of Java's own serialization",
    b"\xe0\x01\x00\xea": "Amazon Ion",
    b":)\n": "Smile (binary JSON)",
    b"BZh91AY&SY": "packed with bzip2",
}
"""First bytes -> any other format, with its article."""
WIDE_MARKS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
"""Byte order marks of texts that are not UTF-8; the longer ones first."""
LEAST_LETTERS, MOST_LETTERS = 2, 8
"""Letters read to recognise a text without a byte order mark by its zero bytes."""


def packed_with(start: bytes) -> str:
    """Return the compression, such as `gzip`; '' for other first bytes."""
    return next((name for mark, name in COMPRESSED.items() if start.startswith(mark)), "")


def kind_of(start: bytes) -> str:
    """Return the format with its article, such as `an Avro file`; '' for unknown first bytes."""
    return next((name for mark, name in OTHERS.items() if start.startswith(mark)), "")


def wide_text(start: bytes) -> str:
    """Return `UTF-16` or `UTF-32` for a text with a byte order mark, or in ASCII without one; '' for any other."""
    return "-".join(wide_encoding(start).split("-")[:2]).upper()


def wide_encoding(start: bytes) -> str:
    """Return the encoding that reads such a text, as Python calls it; '' for any other.

    `utf-16` and `utf-32` read the byte order mark, and nothing without one: that is `utf-16-le`, `utf-16-be` and their like.
    """
    for mark, name in WIDE_MARKS.items():
        if start.startswith(mark):
            return name
    for codec, width in (("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2)):
        whole = min(len(start) // width, MOST_LETTERS)
        text = start[: whole * width].decode(codec, "replace")
        readable = all(c.isprintable() or c in "\t\r\n" for c in text) and "\ufffd" not in text
        if whole >= LEAST_LETTERS and text[:LEAST_LETTERS].isascii() and readable:
            return codec
    return ""
