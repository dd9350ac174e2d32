"""Values for the fuzz: good, damaged and absurd ones, drawn from seeds, and where engine and reference differ on them."""

import json
import random
from collections.abc import Callable, Iterator

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from support.reference_verdict import verdict
from support.validation import (
    ANSWER,
    CODES,
    MAX_BYTES,
    SECOND,
    SECOND_RULES,
    TYPED,
    TYPED_RULES,
    TYPES,
    VISIT,
    verdicts,
)
from surveylake.contract.model import Contract

BATCH = 10_000
SMALL = 2_000
BLANKS = [" ", "  ", "\t", "\n", "\r", "\x0b", "\x0c", "\x85", "\xa0", "\u1680", "\u2003", "\u200b", "\u2028", "\u3000", "\ufeff"]  # fmt: skip
ODD = [
    "", "\0", "\x01", "\x1b[31m", "\x1c", "\x7f", "\x9f", "é", "e\u0301", "İ", "ß", "２４", "😀", "\u202e", "\ufffd", "'", "`",
    "\\", "/", '"', "{", "}", "[", "]", ",", ":", "=1+1", "<script>", "null", "NaN", "\x1f", "K", "\u2060", "\ud7ff", "\ue000",
]  # fmt: skip
NUMBERS = [
    "0", "-0", "-0.0", "5", "4", "24", "24.0", "24.50", "110", "111", "110.0", "300", "-1", "1e2", "1E2", "2.4e1", "1e400", "-1e400",
    "2147483647", "2147483648", "-2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "1" * 38, "1" * 39,
    "0." + "0" * 37 + "1", "0." + "0" * 38 + "1", "1." + "0" * 37, "1." + "0" * 38, "12.505", "12.500", "99999999.99", "100000000",
    "9", "99", "-9", "2", "-7", "9.0", "5000.01", "024", "+24", "0x18", "24.", ".5", "-", "NaN", "Infinity", "-Infinity", "1_000", "9" * 1000, "9" * 1001, "0.10",
]  # fmt: skip
TEXTS = [
    *NUMBERS, "", " ", " 24 ", "+5", "24\u00a0", "twenty", "2147483648", "-2147483649", "00000000000000000024", "--5", "+", "+ 5",
    "2024-02-29", "2023-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "2024-2-9", "2024-02-29 ", "2024-02-29T00:00",
    "2019-12-31", "true", "TRUE", " False ", "tRuE", "yes", "1", "t", "female", "FEMALE", "Female ", " Male", "MY", "MALAYSIAN",
    "Indonesain", "Malaysia", "Yes", "no", "Traditional  food", "Western Food", "bike", "espresso's machine", "V-12", "V-1234567", "v-1",
    "NA", "n/a", " NA ", "na", "NA.", "-", "No answer", "No  answer", "9", "99", "-9", "099", "9.0", "2", "-7", "02", "YES", "Yes ", "Graz", "Vienna ",
    "8/27/2014 11:29:31", "12/31/2029 23:59:59", "2/29/2023 0:00:00", "02/29/2024 24:00:00", "3/30/2014 2:30:00", "10/26/2014 2:30:00",
    "1/1/0001 0:00:00", "12/31/9999 23:59:59", "13/1/2020 1:00:00", "8/27/2014 1:2:3", "2024-05-04T10:11", "2024-05-04 10:11:12.5",
    "2024-05-04T10:11:12Z", "2024-05-04T10:11:12+02:00", "2024-05-04T10:11:12-25:00", "2024-05-04T25:11:12", "2024-05-04T10:11:60",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", "2018-11-04T00:30:00", "2018-02-17T23:30:00", "1890-01-01T00:00:00",
    "07 Jun 99", "31 jun 99", "29 FEB 00", "29 Feb 01", "7 Jun 99", "07 June 99", "07 Jun 1999", "1e2", "1e400", "-1e-400", "1.5E+1", "2.5e2",
    "172,5", "144 lbs", "70.55", "0.0", "4", "3", "always", "Always", "never", "F", "Female", "py", "python;R", " ; ", ";", "R;;R", "R; Cobol",
    "none", "none;R", "C++", "c++", "Graz,Wien, Graz", ",", "ABC", "abc",
    "FPS\u0130", "+12.50", "-12.50", "1,5", "1.2.3", "١٢",
]  # fmt: skip
NAMES = [
    *ANSWER,
    *VISIT,
    *CODES,
    *TYPES,
    "age",
    "AGE",
    "gender ",
    "Age\u200b",
    "extra",
    "",
    "é",
    "was it repaired?",
    "THING",
]
FOREIGN = [
    b"\0\0\0\0\7", b"\0\0\0\0\7{}", b"\0\0\0\0\7{\"a\":1}", b"\0\0\0\0\7\x06abc\x02", b"\0\x01\0\0\7{\"a\":1}", b"\0\0\0\0\0\0\0\7", b"\0" * 9, b"Obj\x01",
    b"Obj\x01" + b"{" * 300, b"Obj", b"\x1f\x8b\x08", b"\x1f\x8b\x08\0\0", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x28\xb5\x2f\xfe", b"\x04\x22\x4d\x18\x60", b"\xfd7zXZ\0",
    b"PK\x03\x04", b"PK\x05\x06", b"\xff\x06\0\0sNaPpY", b"\x82SNAPPY\0", b"\x1f\x8b\x08" + b"x" * MAX_BYTES, b"\0\0" + b" " * MAX_BYTES,
    b'"{}"', b'"{\\"a\\":1}"', b' "{\\"a\\":1}" ', b'"{\\u0022a\\u0022:1}"', b'"\\n{\\n\\t\\"a\\":1\\n}\\n"', b'"{\\"a\\":1} x"', b'"{\\"a\\":1}" x', b'["{\\"a\\":1}"]',
    b'"{\\"}"', b'"{ \\"}"', b'"\\"{\\\\\\"a\\\\\\":1}\\""', b'"{\\"a"', b'"{\\"a\\":1}\\u2028"', b'"\\ufeff{\\"a\\":1}"', b'"{\\"a\\":\\"\\n\\"}"', b'"{\\u00a0\\"a\\":1}"', b'"}{\\"a\\"}"', b'"{"',
]  # fmt: skip
"""As other programs write, and near it."""
RAW = [
    *FOREIGN,
    b"", b" ", b"\n\t \r", b"null", b"true", b"true,", b"24", b"024", b"24 25", b"24x", b"nullx", b'"text"', b"[]", b"[{}]", b"{}", b"{",
    b"}", b"{}{}", b"{} x", b"{},{}", b"{}]", b"{}}", b'{"a":1}],[{"b":2}', b'{"a":1}],[{"b":2', b'{"a":1},"b":{"c":2}', b'{"a":1},2',
    b"\xef\xbb\xbf{}", b"\xff\xfe{\0}\0", b"// x\n{}", b"/* x */{}", b"{}//", b"{'Age':'24'}", b"{Age:24}", b'{"a":NaN}', b'{"a":1,}',
    b'{"a":01}', b'{"a":"\x00"}', b'{"a":"\\u0000"}', b'{"a":"\\\\u0000"}', b'{"a":"\\ud800"}', b'{"a":"\\udc00"}', b'{"a":"\\uD83D\\uDE00"}',
    b'{"a":"\\ud83d\\\\\\ude00"}', b'{"a":"\\ud83d\\ud83d\\ude00"}', b'{"a":"\\ud83d\\udeZZ"}', b'{"a":"\\U0000"}', '{"a":"\\u0İ31"}'.encode(), '{} "\\u0İ31"'.encode(), b'{"a":"\\u12"}', b'{}\\u', b'{"a":"\\x"}',
    b'{"a":"\xed\xa0\x80"}', b'{"a":"\xc0\x80"}', b'{"a":"\xf4\x90\x80\x80"}', b'{"a":"tab\there"}', b'{"a":"\x7f"}', b"\xc2\x85",
    b'{"a":' + b"[" * 199 + b"]" * 199 + b"}", b'{"a":' + b"[" * 200 + b"]" * 200 + b"}", b'{"a":"' + b"[" * 500 + b'"}', b"[" * 201,
    b'{"a":"\\"' + b"[" * 300 + b'"}', b'"' + b"[" * 201, b"x" * (MAX_BYTES + 1), b" " * (MAX_BYTES + 1), b"\x0c{}", b"\xe2\x80\xa8", b"-",
]  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


def spelled(rng: random.Random, text: str) -> str:
    """A JSON string of the text: some writer's way of escaping it, or none."""
    written = json.dumps(text, ensure_ascii=rng.random() < 0.3)
    if rng.random() < 0.1:
        written = '"' + "".join(f"\\u{ord(c):04X}" if ord(c) < 0x10000 else c for c in text) + '"'
    return written.replace("/", "\\/") if rng.random() < 0.05 else written


def odd_text(rng: random.Random, text: str) -> str:
    """The text with something strange in, before or after it."""
    strange = rng.choice(BLANKS) if rng.random() < 0.6 else rng.choice(ODD)
    at = rng.choice([0, len(text), rng.randint(0, len(text))])
    return text[:at] + strange * rng.randint(1, 2) + text[at:]


def one_held(rng: random.Random, text: str) -> str:
    """What a writer may put for a field: its text most of the time, or a number, null, list, object."""
    way = rng.random()
    if way < 0.7:
        return spelled(rng, text)
    if way < 0.8:
        return rng.choice(NUMBERS)
    if way < 0.95:
        return spelled(rng, rng.choice(TEXTS))
    return rng.choice(
        [
            "null",
            "true",
            "false",
            "[]",
            "{}",
            "[1]",
            '["R", "py"]',
            '["R", null, "Graz"]',
            '["R", 1]',
            "[1, 2.50, 3]",
            "[[1]]",
            "[null]",
            '["R;SQL"]',
            "[true]",
            "[1e3]",
            "1.5e2",
            "250",
            "250.1",
            "1e999",
            "-0.0",
            '{"a":1,"a":2}',
            '"" ',
            "nul",
            '{"b":[1,{"c":null}]}',
        ]
    )


def document(rng: random.Random, answer: dict[str, str]) -> str:
    """A JSON object near the canonical form: other separators, orders, names, values, more or fewer fields."""
    members = list(answer.items())
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2])):
        i = rng.randrange(len(members))
        name, text = members[i]
        change: Callable[[], tuple[str, str]] = rng.choice([
            lambda n=name, t=text: (n, odd_text(rng, t)),
            lambda n=name, t=text: (n, rng.choice(TEXTS)),
            lambda n=name, t=text: (rng.choice(NAMES), t),
            lambda n=name, t=text: (odd_text(rng, n), t),
            lambda n=name, t=text: (n.swapcase(), t),
        ])  # fmt: skip
        members[i] = change()
    if rng.random() < 0.1:
        rng.shuffle(members)
    if rng.random() < 0.1:
        members.pop(rng.randrange(len(members)))
    if rng.random() < 0.1:
        members.insert(rng.randint(0, len(members)), (rng.choice(NAMES), rng.choice(TEXTS)))
    colon, comma = rng.choice(
        [(":", ","), (": ", ", ")] * 5 + [(" : ", ","), (":\t", ",\n "), (":", ",  "), ("=", ";")]
    )
    mixed = rng.random() < 0.3
    body = comma.join(
        f"{spelled(rng, name)}{colon}{one_held(rng, text) if mixed else spelled(rng, text)}"
        for name, text in members
    )
    opening, closing = rng.choice(
        [("{", "}")] * 12
        + [("{ ", " }"), (" {", "}\n"), ("\ufeff{", "}"), ("{", "}\x85"), ("{", "} ,"), ("[{", "}]")]
    )
    return opening + body + closing


def damaged(rng: random.Random, value: bytes) -> bytes:
    """The value with a byte or a piece changed, cut, doubled or added."""
    at = rng.randint(0, len(value))
    piece = rng.choice(
        [
            bytes([rng.randrange(256)]),
            rng.choice(ODD + BLANKS).encode("utf-8", "surrogatepass"),
            b'"',
            b"\\",
            b",",
            b"}",
        ]
    )
    return rng.choice([
        value[:at] + piece + value[at:], value[:at] + piece + value[at + 1 :], value[:at], value[at:], value[:at] + value[at + 1 :],
        value + piece, value + value, value[:at] + value[max(0, at - 9) :], value + b" " + rng.choice(RAW),
    ])  # fmt: skip


def written_by_chance(contract: Contract, answer: dict[str, str], count: int, seed: int) -> Iterator[bytes]:
    """`count` values: near misses, damaged ones, raw oddities; the same for the same seed."""
    rng = random.Random(seed)
    allowed = {field.source: field.allowed for field in contract.fields.values()}
    yield from (RAW + [odd for text in RAW if len(text) < 999 for odd in (text + b"\n", b" " + text)])[:count]
    for number in range(max(0, count - 3 * len(RAW))):
        told = {s: rng.choice(allowed[s] or [text]) for s, text in answer.items()}
        value = document(rng, told).encode("utf-8", "surrogatepass")
        yield damaged(rng, value) if number % 4 == 0 else value


def thought_up_by_hypothesis(answer: dict[str, str], count: int) -> list[bytes]:
    """Bytes, JSON values, and answers with arbitrary JSON in a field."""
    found: list[bytes] = []

    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(st.binary(max_size=40), json_values, st.tuples(st.sampled_from([*answer]), json_values)))
    def collect(drawn: object) -> None:
        if isinstance(drawn, bytes):
            found.append(drawn)
        elif isinstance(drawn, tuple):
            found.append(
                json.dumps({**answer, drawn[0]: drawn[1]}, ensure_ascii=len(found) % 2 == 0).encode(
                    "utf-8", "surrogatepass"
                )
            )
        else:
            found.append(json.dumps(drawn, ensure_ascii=len(found) % 2 == 0).encode("utf-8", "surrogatepass"))

    collect()
    return found


def disagreements(
    spark: SparkSession, values: list[bytes], contract: Contract, few: bool = False
) -> list[str]:
    """Each value on which engine and reference differ, with both verdicts."""
    rules = SECOND_RULES if contract is SECOND else TYPED_RULES if contract is TYPED else {}
    found = []
    for start in range(0, len(values), BATCH):
        batch = values[start : start + BATCH]
        for value, engine in zip(batch, verdicts(spark, batch, contract, few=few), strict=True):
            reference = verdict(value, contract, MAX_BYTES, rules)
            same_types = all(type(engine.row[name]) is type(held) for name, held in reference.row.items())
            if engine != reference or not same_types:
                found.append(f"{value[:400]!r}\n  engine    {engine}\n  reference {reference}")
    return found


def check(spark: SparkSession, contract: Contract, answer: dict[str, str], count: int, seed: int) -> None:
    values = [
        *thought_up_by_hypothesis(answer, count // 8),
        *written_by_chance(contract, answer, count - count // 8, seed),
    ]
    found = disagreements(spark, values, contract)
    assert not found, f"{len(found)} of {len(values)} differ; the first:\n" + "\n".join(found[:5])
