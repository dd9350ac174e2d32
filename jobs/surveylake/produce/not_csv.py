"""Files given as a CSV that have another format: a workbook, an archive, UTF-16 text, a page of HTML."""

import re
import zipfile
from pathlib import Path

from surveylake import formats
from surveylake.contract.input_format import UTF8
from surveylake.errors import InputError

AS_UTF8 = (
    "Save the file as UTF-8 (spreadsheets call it 'CSV UTF-8'; where it is Windows-1252: iconv -f WINDOWS-1252 -t UTF-8), "
    'or write in the contract, under [input], encoding = "windows-1252"; this project does not guess an encoding.'
)
AS_CSV = "Open it and save it as 'CSV UTF-8' with commas, then give that file."
ENDIAN = ("-le", "-be")
"""How the name of an encoding ends that reads no byte order mark."""
UNPACK = {
    "gzip": "gzip -dc",
    "zstd": "zstd -dc",
    "xz": "xz -dc",
    "LZ4": "lz4 -dc",
    "bzip2": "bzip2 -dc",
    "zip": "unzip -p",
}
"""compression -> the command that unpacks it to standard output"""
PACKED = "packed with "
BOOKS = (
    (re.compile(r"xl/|\[Content_Types\]\.xml.*xl/"), "an Excel workbook (.xlsx)"),
    (re.compile(r"Index/.*\.iwa"), "an Apple Numbers document"),
    (re.compile(r"word/"), "a Word document (.docx)"),
)
"""a file's name in a zip -> the format of the zip"""
SHEET = b"application/vnd.oasis.opendocument.spreadsheet"
TEXTS = (
    (re.compile(r"(?is)\s*(<!doctype html|<html)"), "a page of HTML",
     "A download that asks for a sign-in gives such a page: fetch the CSV again, signed in."),
    (re.compile(r"(?s)\s*<\?xml"), "XML", AS_CSV),
    (re.compile(r'(?s)\s*(\[\s*\{|\{)\s*"'), "JSON", "Write it as a CSV with a header and one row per answer."),
)  # fmt: skip
"""(beginning of a text, its format, what to do)"""


def refuse_other_files(path: Path, start: bytes, encoding: str = UTF8) -> None:
    """Raise InputError when the first bytes of a file are those of another format; any text in the encoding passes."""
    kind = formats.kind_of(start)
    packed = formats.packed_with(start) or kind.removeprefix(PACKED) * kind.startswith(PACKED)
    if packed == "zip":
        raise _zipped(path)
    if packed:
        raise InputError(f"{path} is {PACKED}{packed}", _unpack(packed, path))
    if kind:
        raise InputError(
            f"{path} is {kind}, not a CSV", AS_CSV if "Excel" in kind else "Give the CSV to send."
        )
    wide = formats.wide_encoding(start[:64])
    if wide and not encoding.startswith(wide):
        raise InputError(
            f"{path} is {wide_in_words(wide)}, not {'UTF-8' if encoding == UTF8 else encoding}",
            _as_utf8(wide),
        )


def wide_in_words(wide: str) -> str:
    """Return an encoding of wide letters in words: `UTF-16`, or `UTF-16-LE without a byte order mark`."""
    return wide.upper() + (" without a byte order mark" if wide.endswith(ENDIAN) else "")


def refuse_other_texts(path: Path, line: int, text: str) -> None:
    """Raise InputError when a text without the contract's header has another format."""
    for beginning, kind, hint in TEXTS:
        if beginning.match(text):
            raise InputError(f"{path}, line {line}: this is {kind}, not a CSV", hint)


def _as_utf8(wide: str) -> str:
    """Return the hint for a text of wide letters; iconv writes UTF-16LE in one word."""
    iconv = f"{wide[:-3]}{wide[-2:]}".upper() if wide.endswith(ENDIAN) else wide.upper()
    hint = AS_UTF8.replace("Windows-1252", wide.upper()).replace("WINDOWS-1252", iconv)
    return hint.replace("windows-1252", wide)


def _zipped(path: Path) -> InputError:
    """Return the error for a zip: a workbook is a zip of its parts, any other zip has files to unpack."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            kind = archive.read("mimetype")[:80] if "mimetype" in names else b""
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, OSError):
        return InputError(
            f"{path} is a zip archive or a workbook, and it is broken or cut off", "Fetch the file again."
        )
    book = "an OpenDocument spreadsheet (.ods)" if kind.startswith(SHEET) else ""
    book = book or next((format_ for name, format_ in BOOKS if any(map(name.match, names))), "")
    if book:
        return InputError(f"{path} is {book}, not a CSV", AS_CSV)
    return InputError(
        f"{path} is a zip archive of {len(names):,} file{'s' if len(names) != 1 else ''}",
        _unpack("zip", path),
    )


def _unpack(packed: str, path: Path) -> str:
    """Return the hint for a packed file."""
    command = UNPACK.get(packed)
    return (
        f"Unpack it{f', such as with {command} {path} > unpacked.csv,' if command else ''} and give the CSV."
    )
