"""The messages of section G, each validated among good ones: exactly the bad ones are rejected, each with its reason.

All are judged in one batch, an accepted answer between any two of them. docs/verdicts.md says why each verdict is as it is.
"""

import json
import re

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from support.message_cases import CASES, GOOD, age_as_written, answer
from support.reference_verdict import Verdict, verdict
from support.validation import ANSWER, FOOD, MAX_BYTES, kafka_rows, reasons, verdicts
from surveylake.contract.model import Contract
from surveylake.export.reason_text import ALONE, OF_FIELD
from surveylake.paths import ROOT
from surveylake.validate.pipeline import validated
from surveylake.validate.strict_json import BLANK_STARTS, BLANKS

IDS = [f"{case.row}: {case.what}" for case in CASES]


@pytest.fixture(scope="module")
def results(spark: SparkSession) -> list[Verdict]:
    """The verdict on each case; the good answers between them are seen to be accepted."""
    values = [value for case in CASES for value in (GOOD, case.value)]
    alternating = verdicts(spark, values)
    assert all(good.accepted for good in alternating[::2])
    return alternating[1::2]


@pytest.mark.parametrize("index", range(len(CASES)), ids=IDS)
def test_each_message_gets_its_reason(results: list[Verdict], index: int) -> None:
    assert list(results[index].failed_rules) == CASES[index].reasons


@pytest.mark.parametrize("index", [i for i, case in enumerate(CASES) if case.fields], ids=lambda i: IDS[i])
def test_each_value_is_typed_as_documented(results: list[Verdict], index: int) -> None:
    assert {name: results[index].row[name] for name, _ in CASES[index].fields} == dict(CASES[index].fields)


@pytest.mark.parametrize("index", range(len(CASES)), ids=IDS)
def test_the_reference_says_the_same(results: list[Verdict], index: int) -> None:
    assert verdict(CASES[index].value, FOOD, MAX_BYTES) == results[index]


def test_every_row_of_the_list_that_is_about_values_has_a_case() -> None:
    """G17 is about keys and headers, G18 is test_fuzz.py: both have tests of their own."""
    assert {case.row for case in CASES} == {f"G{n}" for n in range(1, 17)}


def test_a_broken_value_has_no_fields(results: list[Verdict]) -> None:
    alone = [result for result in results if set(result.failed_rules) & {*ALONE} - {"unknown_field"}]
    assert len(alone) > 20
    assert all(set(result.row.values()) == {None} and len(result.failed_rules) == 1 for result in alone)


def test_the_raw_bytes_are_kept_whatever_they_are(spark: SparkSession) -> None:
    values = [case.value for case in CASES]
    rows = validated(kafka_rows(spark, values), FOOD, MAX_BYTES).select("offset", "value").collect()
    stored = {row["offset"]: row["value"] for row in rows}
    assert [None if stored[i] is None else bytes(stored[i]) for i in range(len(values))] == values


def test_keys_of_any_kind_are_kept(spark: SparkSession) -> None:
    """G17: no key, an empty key, a long key, a key that is no UTF-8."""
    keys = [None, b"", b"k" * 10_000, b"\xff\xfe"]
    keys = spark.createDataFrame(
        [(i, key and bytearray(key)) for i, key in enumerate(keys)], "offset bigint, k binary"
    )
    whole = kafka_rows(spark, [GOOD] * 4).drop("key").join(keys, on="offset", how="inner")
    rows = (
        validated(whole.withColumn("key", F.col("k").cast("string")), FOOD, MAX_BYTES)
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
    per_value = reasons(spark, spaced.encode(), escaped.encode(), lacking.encode(), contract=odd)
    assert per_value == [[], [], ["missing_field:Do you like it?"]]


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
    results = verdicts(
        spark,
        [
            age_as_written(written.encode().decode("unicode_escape") if "\\x" in written else written)
            for written, _ in examples
        ],
    )
    outcomes = [f"age {v.row['age']}" if v.accepted else f"`{v.failed_rules[0]}`" for v in results]
    assert outcomes == [text for _, text in examples]


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
    row = validated(kafka_rows(spark, [value]), FOOD, MAX_BYTES).first()
    assert row is not None and row["nationality"] == "a b"
