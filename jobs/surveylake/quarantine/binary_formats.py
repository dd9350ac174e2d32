"""Binary encodings without magic bytes, recognised by reading to the end: MessagePack, CBOR, BSON, Protobuf, Avro.

Each reader knows only where a value ends. A guess is likely right because the value is read to its last byte.
"""

from collections.abc import Callable

DEEPEST = 32
MOST_FIELD = 10_000
"""Higher field numbers of Protobuf are possible, but not used in practice."""
LEAST_TEXT = 0.3
"""Least share of readable text among the bytes of Avro or Protobuf: survey answers are mostly text."""
FIXED = {0xC0: 1, 0xC2: 1, 0xC3: 1, 0xCA: 5, 0xCB: 9, 0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9, 0xD0: 2, 0xD1: 3, 0xD2: 5, 0xD3: 9,
         0xD4: 3, 0xD5: 4, 0xD6: 6, 0xD7: 10, 0xD8: 18}  # fmt: skip
"""MessagePack: first byte -> length of the whole value."""
COUNTED = {
    0xC4: (1, 0),
    0xC5: (2, 0),
    0xC6: (4, 0),
    0xC7: (1, 1),
    0xC8: (2, 1),
    0xC9: (4, 1),
    0xD9: (1, 0),
    0xDA: (2, 0),
    0xDB: (4, 0),
}
"""MessagePack: first byte -> (bytes of the length, bytes beside those that it counts)."""
NESTED = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}
"""MessagePack: first byte -> (bytes of the count, values per entry)."""


def encoding_of(value: bytes) -> str:
    """Return `MessagePack`, `CBOR`, `BSON`, `Protobuf` or `Avro` where the bytes are one from end to end; else ''."""
    if _is_map(value, b"\x80", b"\x8f", b"\xde\xdf") and _ends(value, _end_of_packed):
        return "MessagePack"
    if _is_map(value, b"\xa0", b"\xbf", b"") and _ends(value, _end_of_cbor):
        return "CBOR"
    if len(value) > 5 and int.from_bytes(value[:4], "little") == len(value) and value[-1] == 0:
        return "BSON"
    for name, texts_of in (("Protobuf", texts_of_protobuf), ("Avro", texts_of_avro)):
        texts = texts_of(value)
        if texts and sum(map(len, texts)) >= LEAST_TEXT * len(value):
            return name
    return ""


def texts_of_protobuf(value: bytes) -> list[bytes]:
    """Return the readable texts of a Protobuf message; none when the bytes are no such message from end to end."""
    at, texts = 0, []
    try:
        while at < len(value):
            tag, at = _varint(value, at)
            kind, field = tag & 7, tag >> 3
            size, at = _varint(value, at) if kind == 2 else ({1: 8, 5: 4}.get(kind, 0), at)
            if kind == 0:
                _, at = _varint(value, at)
            if kind not in (0, 1, 2, 5) or not 0 < field <= MOST_FIELD or at + size > len(value):
                return []
            texts += [value[at : at + size]] if kind == 2 and _is_readable(value[at : at + size]) else []
            at += size
    except IndexError:
        return []
    return texts


def texts_of_avro(value: bytes) -> list[bytes]:
    """Return the readable texts of an Avro record without its schema: each after its doubled length, other numbers skipped."""
    at, texts = 0, []
    try:
        while at < len(value):
            number, at = _varint(value, at)
            text = value[at : at + number // 2] if number % 2 == 0 else b""
            if len(text) == number // 2 and _is_readable(text):
                texts.append(text)
                at += len(text)
    except IndexError:
        return []
    return texts


def _is_readable(text: bytes) -> bool:
    try:
        return len(text) > 1 and text.decode().isprintable()
    except UnicodeDecodeError:
        return False


def _varint(value: bytes, at: int) -> tuple[int, int]:
    """Return (number, its end) of a number in groups of seven bits, the lowest first. Raises IndexError where it has no end."""
    number = 0
    for place in range(10):
        byte = value[at + place]
        number |= (byte & 127) << 7 * place
        if byte < 128:
            return number, at + place + 1
    raise IndexError


def _is_map(value: bytes, low: bytes, high: bytes, others: bytes) -> bool:
    return low < value[:1] <= high or (bool(value) and value[:1] in others)


def _ends(value: bytes, end_of: Callable[[bytes, int, int], int]) -> bool:
    """Return whether one value reaches from the first byte to the last."""
    try:
        return end_of(value, 0, 0) == len(value)
    except (IndexError, RecursionError):
        return False


def _end_of_packed(value: bytes, at: int, depth: int) -> int:
    """Return the end of the MessagePack value that begins at `at`. Raises IndexError where there is none."""
    first = value[at]
    if depth > DEEPEST or at > len(value) or first == 0xC1:
        raise IndexError
    if first < 0x80 or first >= 0xE0:
        return at + 1
    if first in FIXED:
        return at + FIXED[first]
    if 0xA0 <= first < 0xC0:
        return at + 1 + (first & 31)
    if first in COUNTED:
        size, beside = COUNTED[first]
        return at + 1 + size + beside + int.from_bytes(value[at + 1 : at + 1 + size], "big")
    size, each = NESTED.get(first, (0, 2 if first < 0x90 else 1))
    count = int.from_bytes(value[at + 1 : at + 1 + size], "big") if size else first & 15
    at += 1 + size
    for _ in range(count * each):
        at = _end_of_packed(value, at, depth + 1)
    return at


def _end_of_cbor(value: bytes, at: int, depth: int) -> int:
    """Return the end of the CBOR value that begins at `at`. Raises IndexError where there is none."""
    major, more = value[at] >> 5, value[at] & 31
    if depth > DEEPEST or 28 <= more <= 30:
        raise IndexError
    size = 1 << more - 24 if 24 <= more < 28 else 0
    count = int.from_bytes(value[at + 1 : at + 1 + size], "big") if size else more
    at += 1 + size
    if major in (0, 1, 7):
        return at
    if more == 31:
        while value[at] != 0xFF:
            at = _end_of_cbor(value, at, depth + 1)
        return at + 1
    if major in (2, 3):
        return at + count
    for _ in range({4: count, 5: 2 * count, 6: 1}[major]):
        at = _end_of_cbor(value, at, depth + 1)
    return at
