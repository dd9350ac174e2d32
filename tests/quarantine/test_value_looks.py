"""B16: guesses at the format of raw values, in words."""

import base64
import gzip
import json
import pickle
import random
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from support.foreign_values import AVRO, AVRO_FILE, LZ4, PLAIN, PROTOBUF, REGISTRY, ZSTD
from support.fuzz_values import RAW
from support.validation import ANSWER
from surveylake.quarantine.value_looks import looks_like

PACKED = bytes([0x80 | len(ANSWER)]) + b"".join(
    bytes([0xA0 | len(text)]) + text.encode() for pair in ANSWER.items() for text in pair
)
"""The answer in MessagePack."""
CBOR = bytes([0xA0 | len(ANSWER)]) + b"".join(
    bytes([0x60 | len(text)]) + text.encode() for pair in ANSWER.items() for text in pair
)
JACKSON = b"\xbf" + CBOR[1:] + b"\xff"
"""CBOR whose map has no length but an end."""
FIELDS = b"".join(
    b"\x02" + name.encode() + b"\0" + (len(text) + 1).to_bytes(4, "little") + text.encode() + b"\0"
    for name, text in ANSWER.items()
)
BSON = (len(FIELDS) + 5).to_bytes(4, "little") + FIELDS + b"\0"
CSV = ",".join(ANSWER.values())
UNION = b"".join(bytes([2, 2 * len(text)]) + text.encode() for text in ANSWER.values()) + b"\x00\x30"
"""A record of strings or nulls and a number, as Avro writes it."""
CASES = [
    (REGISTRY + AVRO, "Avro or Protobuf after the five bytes of a schema registry (schema 7)"),
    (REGISTRY + b"\0" + PROTOBUF, "Avro or Protobuf after the five bytes of a schema registry (schema 7)"),
    (b"\0\0\x01\x86\xa1" + PLAIN, "JSON after the five bytes of a schema registry (schema 100001)"),
    (AVRO_FILE, "an Avro file"),
    (b"\xc3\x01" + b"f" * 8 + AVRO, "an Avro record with the fingerprint of its schema"),
    (AVRO, "Avro (a guess)"),
    (UNION, "Avro (a guess)"),
    (PROTOBUF, "Protobuf (a guess)"),
    (b"\x08\x96\x01" + PROTOBUF, "Protobuf (a guess)"),
    (gzip.compress(PLAIN), "JSON packed with gzip"),
    (gzip.compress(b"text"), "bytes packed with gzip"),
    (gzip.compress(PLAIN)[:30], "bytes packed with gzip"),
    (zlib.compress(PLAIN), "JSON packed with zlib"),
    (ZSTD + b"x", "bytes packed with zstd"),
    (LZ4 + b"x", "bytes packed with LZ4"),
    (PACKED, "MessagePack"),
    (CBOR, "CBOR"),
    (JACKSON, "CBOR"),
    (BSON, "BSON"),
    (pickle.dumps(ANSWER), "a Python object (pickle)"),
    (b"\xac\xed\x00\x05sr\x00", "an object of Java's own serialization"),
    ((1_700_000_000_000).to_bytes(8, "big"), "a number in 8 bytes, as Kafka's own serializers write it"),
    (PLAIN.decode().encode("utf-16"), "text in UTF-16, not UTF-8"),
    (PLAIN.decode().encode("utf-16-le"), "text in UTF-16, not UTF-8"),
    (PLAIN.decode().encode("utf-32-le"), "text in UTF-32, not UTF-8"),
    (b"\xef\xbb\xbf" + PLAIN, "JSON after a byte order mark"),
    (PLAIN.replace(b"Indian", b"Cura\xe7ao"), "JSON, in another encoding than UTF-8, such as Windows-1252"),
    (CSV.replace("Indian", "Curaçao").encode("latin-1"), "a line of CSV, 7 cells between commas, in another encoding than UTF-8, such as Windows-1252"),
    (CSV.encode(), "a line of CSV, 7 cells between commas"),
    (CSV.replace(",", ";").encode() + b"\r\n", "a line of CSV, 7 cells between semicolons"),
    (CSV.replace(",", "\t").encode(), "a line of CSV, 7 cells between tabs"),
    (f"{CSV}\n{CSV}\n".encode(), "2 lines of CSV, 7 cells between commas"),
    (b'<?xml version="1.0"?><answer/>', "XML"),
    (b"<answer><age>24</age></answer>", "XML"),
    (b"<!DOCTYPE html><html>", "a page of HTML"),
    (json.dumps(PLAIN.decode()).encode(), "JSON inside a JSON text: it was encoded twice"),
    (b"[" + PLAIN + b"," + PLAIN + b"]", "a list of 2 JSON objects in one record"),
    (PLAIN + b"\n" + PLAIN, "2 JSON objects, one per line"),
    (PLAIN[:-9], "JSON that is cut off before its end"),
    (PLAIN[:-1], "JSON that is cut off before its end"),
    (str(ANSWER).encode(), "a Python dictionary as text, with single quotes (str() in place of json.dumps())"),
    (b"{Age: 24, Food: 'x'}", "an object whose names have no quotes, as JavaScript writes it"),
    (b'{"Age": NaN}', "JSON with NaN, which JSON does not have"),
    (b"Age=24&Gender=Female", "a web form (name=value&name=value)"),
    (base64.b64encode(PLAIN), "JSON in base64"),
    (base64.urlsafe_b64encode(gzip.compress(PLAIN)), "JSON packed with gzip in base64"),
    (json.dumps({"schema": {}, "payload": ANSWER}).encode(), "JSON of Kafka Connect with its schema beside it; the answer is in 'payload' (schemas.enable=false)"),
    (json.dumps({"before": None, "after": ANSWER, "op": "c"}).encode(), "a change record of Debezium; the answer is in 'after'"),
    (json.dumps({"specversion": "1.0", "data": ANSWER}).encode(), "a CloudEvent; the answer is in 'data'"),
    (json.dumps({"answer": ANSWER}).encode(), "an object inside an object"),
]  # fmt: skip
NOTHING = [
    None, b"", b" ", PLAIN, json.dumps(ANSWER | {"Age": "300"}).encode(), b"{}", b"24", b"null", b"hello", b'"text"', b"[1, 2]",
    b"Ja, sehr gern, aber nicht oft", "یک متن‌ساده".encode(), b"Yes, no, maybe", b"ORCHID", b"PARIS", b"a=1", b"\xff" * 40,
    bytes(range(200, 256)), b"abc\x00def", b"[" * 5_000, b"[" + b"1" * 5_000 + b"]", b"\x80", b"\xa0", PLAIN[:-2] + b" " * 70_000 + b'"}',
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "guess"), CASES, ids=[f"{i} {guess[:30]}" for i, (_, guess) in enumerate(CASES)]
)
def test_b16_what_a_value_looks_like_is_said(value: bytes, guess: str) -> None:
    assert looks_like(value) == guess


@pytest.mark.parametrize("value", NOTHING)
def test_b16_where_nothing_can_be_told_nothing_is_said(value: bytes | None) -> None:
    assert looks_like(value) == ""


@given(
    st.binary(max_size=200)
    | st.text().map(lambda text: text.encode("utf-8", "replace"))
    | st.sampled_from(RAW)
)
def test_b16_the_guess_never_fails_and_holds_nothing_of_the_value(value: bytes) -> None:
    guess = looks_like(value)
    assert len(guess) < 140
    assert guess.isascii() and (not guess or guess.isprintable())


def test_b16_short_and_random_bytes_are_no_trap() -> None:
    rng = random.Random(16)
    for _ in range(20_000):
        assert isinstance(looks_like(rng.randbytes(rng.randint(1, 12))), str)


@given(
    st.sampled_from([AVRO, PROTOBUF, PACKED, CBOR, JACKSON, BSON, UNION]),
    st.integers(0, 200),
    st.binary(max_size=3),
)
def test_b16_damaged_bytes_are_no_trap(value: bytes, at: int, piece: bytes) -> None:
    assert isinstance(looks_like(value[:at] + piece + value[at + 1 :]), str)


@example({"": None, ";;": None})
@given(st.dictionaries(st.text(), st.none() | st.text() | st.integers() | st.booleans(), min_size=2))
def test_b16_a_plain_object_looks_like_nothing_else(value: dict[str, object]) -> None:
    if not {"payload", "after", "data"} & value.keys():
        assert looks_like(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")) == ""
