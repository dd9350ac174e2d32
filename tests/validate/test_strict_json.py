"""The messages of section G: each judged among good ones; exactly the bad ones are rejected, each with its reason.

All are judged in one batch, an accepted answer between any two of them. docs/verdicts.md says why each verdict is as it is.
"""

import json
import re
from dataclasses import dataclass

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from support.reference_verdict import Verdict, verdict
from support.validation import ANSWER, FOOD, MAX_BYTES, kafka_rows, reasons, verdicts
from surveylake.contract.model import Contract
from surveylake.export.reason_text import ALONE, OF_FIELD
from surveylake.paths import ROOT
from surveylake.validate.pipeline import judged
from surveylake.validate.strict_json import BLANK_STARTS, BLANKS


@dataclass(frozen=True)
class Case:
    """One message of the fault list: its row, what it is, its bytes and the reasons it must get ([] = accepted)."""

    row: str
    what: str
    value: bytes | None
    reasons: list[str]
    fields: tuple[tuple[str, object], ...] = ()


def answer(**changes: object) -> bytes:
    return json.dumps(ANSWER | changes, ensure_ascii=False).encode("utf-8", "surrogatepass")


def without(*names: str, **more: object) -> bytes:
    return json.dumps({k: v for k, v in ANSWER.items() if k not in names} | more).encode()


def age_as_written(written: str) -> bytes:
    """An answer whose Age is this JSON, be it JSON or not."""
    return answer().replace(b'"24"', written.encode())


GOOD = answer()
MISSING_ALL = [f"missing_field:{source}" for source in ANSWER]
CASES = [
    Case("G1", "not JSON", b"hello", ["malformed"]),
    Case("G1", "truncated", GOOD[:-1], ["malformed"]),
    Case("G1", "truncated in a string", GOOD[:30], ["malformed"]),
    Case("G1", "an array", b"[" + GOOD + b"]", ["not_an_object"]),
    Case("G1", "a number", b"24", ["not_an_object"]),
    Case("G1", "a string", b'"24"', ["not_an_object"]),
    Case("G1", "null", b"null", ["not_an_object"]),
    Case("G1", "an array and more", b"[1] x", ["malformed"]),
    Case("G1", "a number and a brace", b"24}", ["malformed"]),
    Case("G1", "a number, a brace and an opening one", b"24{}", ["malformed"]),
    Case("G1", "an array and a brace", b"[1]}", ["malformed"]),
    Case("G1", "a leading zero", age_as_written("024"), ["malformed"]),
    Case("G1", "a comment", GOOD[:-1] + b"/* well */}", ["malformed"]),
    Case("G1", "a comment after it", GOOD + b" // well", ["trailing_data"]),
    Case("G1", "a byte order mark", b"\xef\xbb\xbf" + GOOD, ["malformed"]),
    Case("G1", "a comma too many", GOOD[:-1] + b",}", ["malformed"]),
    Case("G2", "two documents", GOOD + GOOD, ["trailing_data"]),
    Case("G2", "two documents in two lines", GOOD + b"\n" + GOOD, ["trailing_data"]),
    Case("G2", "trailing text", GOOD + b" x", ["trailing_data"]),
    Case("G2", "a bracket made for the list check", GOOD + b"] x", ["trailing_data"]),
    Case("G2", "a brace made for the object check", GOOD + b"} x", ["trailing_data"]),
    Case("G2", "a bracket and a document", GOOD + b"] {", ["trailing_data"]),
    Case("G2", "a brace too many", GOOD + b"}", ["trailing_data"]),
    Case("G2", "a closing brace in a text", answer(Nationality="a } b"), []),
    Case("G2", "a closing brace in a text, and text after it", answer(Nationality="a } b") + b" x", ["trailing_data"]),
    Case("G2", "white space after it", GOOD + b" \r\n\t", []),
    Case("G3", "a key twice", GOOD[:-1] + b', "Age": "25"}', ["duplicate_key"]),
    Case("G3", "a key twice, alike", GOOD[:-1] + b', "Age": "24"}', ["duplicate_key"]),
    Case("G3", "a key twice, once escaped", GOOD[:-1] + b', "\\u0041ge": "25"}', ["duplicate_key"]),
    Case("G3", "an unknown key twice", GOOD[:-1] + b', "x": 1, "x": 2}', ["duplicate_key"]),
    Case("G4", "a missing key", without("Age"), ["missing_field:Age"]),
    Case("G4", "a missing optional key", without("Nationality"), ["missing_field:Nationality"]),
    Case("G4", "a key in another case", without("Age", AGE="24"), ["missing_field:Age", "wrong_case:Age"]),
    Case("G4", "an empty object", b"{}", MISSING_ALL),
    Case("G5", "an unknown field", answer(Shoe=43), []),
    Case("G5", "an unknown nested field", answer(More={"a": [1]}), []),
    Case("G6", "an object for a text", answer(Gender={"x": 1}), ["wrong_type:Gender"], (("gender", None),)),
    Case("G6", "a list for a number", answer(Age=[24]), ["wrong_type:Age"], (("age", None),)),
    Case("G6", "a boolean for a text", answer(Dessert=True), ["wrong_type:Dessert"], (("dessert", None),)),
    Case("G7", "single quotes", GOOD.replace(b'"', b"'"), ["malformed"]),
    Case("G7", "NaN", age_as_written("NaN"), ["malformed"]),
    Case("G7", "Infinity", age_as_written("-Infinity"), ["malformed"]),
    Case("G8", "an empty value", b"", ["empty_payload"]),
    Case("G8", "a blank value", b" \r\n\t ", ["empty_payload"]),
    Case("G8", "no value", None, ["tombstone"]),
    Case("G9", "a byte that is no UTF-8", GOOD.replace(b"Indian", b"Indi\xe4n"), ["bad_encoding"]),
    Case("G9", "UTF-16", GOOD.decode().encode("utf-16"), ["bad_encoding"]),
    Case("G9", "a surrogate in UTF-8", GOOD.replace(b"Indian", b"\xed\xa0\x80"), ["bad_encoding"]),
    Case("G9", "a NUL", GOOD.replace(b"Indian", b"In\0dian"), ["bad_encoding"]),
    Case("G9", "an escaped NUL", GOOD.replace(b"Indian", b"In\\u0000dian"), ["bad_encoding"]),
    Case("G9", "half a surrogate pair", GOOD.replace(b"Indian", b"\\uD83D"), ["bad_encoding"]),
    Case("G9", "the other half", GOOD.replace(b"Indian", b"\\ude00!"), ["bad_encoding"]),
    Case("G9", "a whole surrogate pair", GOOD.replace(b"Indian", b"\\uD83D\\uDE00"), [], (("nationality", "😀"),)),
    Case("G9", "a backslash before u0000", GOOD.replace(b"Indian", b"\\\\u0000"), [], (("nationality", "\\u0000"),)),
    Case("G10", "blanks around", answer(Age=" 24 "), [], (("age", 24),)),
    Case("G10", "a plus", answer(Age="+5"), [], (("age", 5),)),
    Case("G10", "leading zeros in a text", answer(Age="024"), [], (("age", 24),)),
    Case("G10", "a decimal text", answer(Age="24.0"), ["not_a_number:Age"], (("age", None),)),
    Case("G10", "an exponent in a text", answer(Age="1e2"), ["not_a_number:Age"]),
    Case("G10", "full-width digits", answer(Age="２４"), ["not_a_number:Age"]),
    Case("G10", "a no-break space", answer(Age="24\u00a0"), [], (("age", 24),)),
    Case("G10", "an empty text", answer(Age=""), ["blank:Age"]),
    Case("G10", "more than an int", answer(Age="2147483648"), ["out_of_range:Age"], (("age", None),)),
    Case("G10", "NaN in a text", answer(Age="NaN"), ["not_a_number:Age"]),
    Case("G10", "Infinity in a text", answer(Age="Infinity"), ["not_a_number:Age"]),
    Case("G10", "hexadecimal", answer(Age="0x10"), ["not_a_number:Age"]),
    Case("G10", "a control character beside it", answer(Age="24\x1c"), ["not_a_number:Age"]),
    Case("G10", "a number with a zero fraction", age_as_written("24.0"), [], (("age", 24),)),
    Case("G10", "a number with a fraction", age_as_written("24.5"), ["not_a_number:Age"]),
    Case("G10", "a number with an exponent", age_as_written("1e2"), ["wrong_type:Age"], (("age", None),)),
    Case("G10", "a number too long to be kept", answer().replace(b'"FPS001"', b"1" * 39), ["wrong_type:Participant_ID"]),
    Case("G10", "a number as an id", answer().replace(b'"FPS001"', b"12"), [], (("participant_id", "12"),)),
    Case("G11", "age -1", answer(Age="-1"), ["out_of_range:Age"], (("age", -1),)),
    Case("G11", "age 0", answer(Age="0"), ["out_of_range:Age"], (("age", 0),)),
    Case("G11", "age 300", answer(Participant_ID="FPS184", Age="300"), ["out_of_range:Age"], (("age", 300),)),
    Case("G11", "the limits themselves", answer(Age="110"), []),
    Case("G12", "the same participant again", answer(Age="25"), []),
    Case("G13", "a trailing blank", answer(Nationality="Indian "), [], (("nationality", "Indian"),)),
    Case("G13", "a declared spelling", answer(Nationality="MY"), [], (("nationality", "Malaysian"),)),
    Case("G13", "a declared misspelling", answer(Nationality="Indonesain"), [], (("nationality", "Indonesian"),)),
    Case("G13", "an undeclared spelling", answer(Nationality="INDIAN"), [], (("nationality", "INDIAN"),)),
    Case("G13", "a case that is not allowed", answer(Gender="female"), ["not_allowed:Gender"], (("gender", "female"),)),
    Case("G13", "blanks inside", answer(Food="Western \t Food"), [], (("food", "Western Food"),)),
    Case("G14", "a number as a number", age_as_written("24"), [], (("age", 24),)),
    Case("G14", "a number as a text", answer(Age="24"), [], (("age", 24),)),
    Case("G15", "a field of 1 MB", answer(Nationality="x" * 1_000_000), ["too_large"]),
    Case("G15", "10,000 fields", answer(**{f"f{n}": n for n in range(10_000)}), ["too_large"]),
    Case("G15", "as many as fit", answer(**{f"f{n}": n for n in range(4_000)}), []),
    Case("G15", "1,200 lists deep", answer().replace(b'"Maybe"', b"[" * 1200 + b"]" * 1200), ["too_large"]),
    Case("G15", "199 lists deep", answer().replace(b'"Maybe"', b"[" * 199 + b"]" * 199), ["wrong_type:Dessert"]),
    Case("G15", "200 lists deep", answer().replace(b'"Maybe"', b"[" * 200 + b"]" * 200), ["too_large"]),
    Case("G15", "brackets in a text", answer(Nationality="[" * 1200), []),
    *(Case("G16", text[:12], answer(Nationality=text), [], (("nationality", text),)) for text in (
        '=HYPERLINK("http://x","y")', "+1", "-1", "@x", "<script>alert(1)</script>", "$(rm -rf /)", "../../x", "{{7*7}}",
        "\u202egnp.exe", "\x1b[31mred",
    )),
    Case("G16", "a line break in front", answer(Nationality="\r\n=1+1"), [], (("nationality", "=1+1"),)),
]  # fmt: skip
IDS = [f"{case.row}: {case.what}" for case in CASES]


@pytest.fixture(scope="module")
def found(spark: SparkSession) -> list[Verdict]:
    """The verdict on each case; the good answers between them are seen to be accepted."""
    values = [value for case in CASES for value in (GOOD, case.value)]
    told = verdicts(spark, values)
    assert all(good.accepted for good in told[::2])
    return told[1::2]


@pytest.mark.parametrize("index", range(len(CASES)), ids=IDS)
def test_each_message_gets_its_reason(found: list[Verdict], index: int) -> None:
    assert list(found[index].failed_rules) == CASES[index].reasons


@pytest.mark.parametrize("index", [i for i, case in enumerate(CASES) if case.fields], ids=lambda i: IDS[i])
def test_each_value_is_typed_as_documented(found: list[Verdict], index: int) -> None:
    assert {name: found[index].row[name] for name, _ in CASES[index].fields} == dict(CASES[index].fields)


@pytest.mark.parametrize("index", range(len(CASES)), ids=IDS)
def test_the_reference_says_the_same(found: list[Verdict], index: int) -> None:
    assert verdict(CASES[index].value, FOOD, MAX_BYTES) == found[index]


def test_every_row_of_the_list_that_is_about_values_has_a_case() -> None:
    """G17 is about keys and headers, G18 is test_fuzz.py: both have tests of their own."""
    assert {case.row for case in CASES} == {f"G{n}" for n in range(1, 17)}


def test_a_broken_value_has_no_fields(found: list[Verdict]) -> None:
    alone = [told for told in found if set(told.failed_rules) & {*ALONE} - {"unknown_field"}]
    assert len(alone) > 20
    assert all(set(told.row.values()) == {None} and len(told.failed_rules) == 1 for told in alone)


def test_the_raw_bytes_are_kept_whatever_they_are(spark: SparkSession) -> None:
    values = [case.value for case in CASES]
    rows = judged(kafka_rows(spark, values), FOOD, MAX_BYTES).select("offset", "value").collect()
    kept = {row["offset"]: row["value"] for row in rows}
    assert [None if kept[i] is None else bytes(kept[i]) for i in range(len(values))] == values


def test_keys_of_any_kind_are_kept(spark: SparkSession) -> None:
    """G17: no key, an empty key, a long key, a key that is no UTF-8."""
    keys = [None, b"", b"k" * 10_000, b"\xff\xfe"]
    given = spark.createDataFrame(
        [(i, key and bytearray(key)) for i, key in enumerate(keys)], "offset bigint, k binary"
    )
    whole = kafka_rows(spark, [GOOD] * 4).drop("key").join(given, on="offset", how="inner")
    rows = (
        judged(whole.withColumn("key", F.col("k").cast("string")), FOOD, MAX_BYTES)
        .orderBy("offset")
        .collect()
    )
    assert [row["accepted"] for row in rows] == [True] * 4
    assert [row["key"] and len(row["key"]) for row in rows][:1] == [None]
    assert len(rows[2]["key"]) == 10_000


def test_unknown_fields_are_rejected_where_the_contract_says_so(spark: SparkSession) -> None:
    """G5, the other policy."""
    strict = FOOD.model_copy(update={"unknown_fields": "reject"})
    assert reasons(spark, GOOD, answer(Shoe=43), answer(age="24"), contract=strict) == [
        [],
        ["unknown_field"],
        ["unknown_field"],
    ]


def test_a_name_may_hold_what_a_question_holds(spark: SparkSession) -> None:
    names = ["Do you like it?", "It's [so] $.good", "a.b", "Größe", "two  blanks", "%s {} \u2028"]
    fields = {f"f{n}": {"source": name, "type": "string", "required": True} for n, name in enumerate(names)}
    odd = Contract.model_validate({"name": "o", "title": "o", "topic": "o", "key": "f0", "fields": fields})
    plain = dict.fromkeys(names, "yes")
    spaced, escaped = json.dumps(plain, ensure_ascii=False), json.dumps(plain, indent=1)
    lacking = json.dumps({k: v for k, v in plain.items() if "?" not in k})
    told = reasons(spark, spaced.encode(), escaped.encode(), lacking.encode(), contract=odd)
    assert told == [[], [], ["missing_field:Do you like it?"]]


def test_stock_from_json_accepts_what_the_gate_rejects(spark: SparkSession) -> None:
    """The negative control: without the gate these pass, with a corrupt-record column and an all-string schema even."""
    rows = ("G2", "G3", "G4", "G6", "G7", "G8")
    schema = ", ".join(f"`{source}` string" for source in FOOD.sources) + ", broken string"
    stock = F.from_json(F.col("value").cast("string"), schema, {"columnNameOfCorruptRecord": "broken"})
    cases = [case for case in CASES if case.row in rows and case.reasons]
    parsed = (
        kafka_rows(spark, [case.value for case in cases])
        .select("offset", stock.alias("p"))
        .orderBy("offset")
        .collect()
    )
    passed = {
        case.row
        for case, row in zip(cases, parsed, strict=True)
        if row["p"] is None or row["p"]["broken"] is None
    }
    assert passed == set(rows)


def test_the_docs_name_every_reason_and_give_an_example() -> None:
    docs = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
    rows = [line for line in docs.splitlines() if line.startswith("| `")]
    named = {match[1] for line in rows if (match := re.match(r"\| `([a-z_]+)(?::[^`]*)?` \|", line))}
    assert named >= {*ALONE, *OF_FIELD}
    assert all(line.count("|") >= 3 for line in rows)


def test_every_json_example_of_the_docs_has_the_verdict_it_stands_beside(spark: SparkSession) -> None:
    docs = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
    examples = re.findall(r"^\| `\"Age\": (.*?)` \| (.*?) \|$", docs, flags=re.MULTILINE)
    assert len(examples) > 15
    told = verdicts(
        spark,
        [
            age_as_written(written.encode().decode("unicode_escape") if "\\x" in written else written)
            for written, _ in examples
        ],
    )
    said = [f"age {v.row['age']}" if v.accepted else f"`{v.failed_rules[0]}`" for v in told]
    assert said == [text for _, text in examples]


def test_every_blank_beyond_ascii_is_looked_for() -> None:
    """One that was not would stay as it is in a value without any other."""
    blanks = [c for c in map(chr, range(128, 0x10000)) if re.fullmatch(BLANKS, c, re.ASCII)]
    assert len(blanks) > 15
    for blank in blanks:
        assert any(blank.encode().startswith(bytes.fromhex(start)) for start in BLANK_STARTS), repr(blank)


@pytest.mark.parametrize("written", ["a\u00a0b", "a\u2003b", "a\u3000b", "a\ufeffb", "a  b", "a\tb"])
def test_a_blank_becomes_one_space(spark: SparkSession, written: str) -> None:
    """The keys stand in another order, so that the value is parsed in any case."""
    value = json.dumps(
        dict(reversed((ANSWER | {"Nationality": written}).items())), ensure_ascii=False
    ).encode()
    row = judged(kafka_rows(spark, [value]), FOOD, MAX_BYTES).first()
    assert row is not None and row["nationality"] == "a b"
