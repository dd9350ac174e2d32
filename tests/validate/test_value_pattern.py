"""Surveys of many questions: their values are matched as a whole, and judged as the reference judges."""

import json

import pytest
from pyspark.sql import SparkSession

from support.reference_verdict import verdict
from support.validation import (
    ANSWER,
    CODED,
    CODES,
    FOOD,
    MAX_BYTES,
    asking,
    kafka_rows,
    one_question,
    verdicts,
)
from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract
from surveylake.validate import fast_path, value_pattern
from surveylake.validate.layout import MOST_MEMBERS, canonical, learned
from surveylake.validate.value_pattern import suits

pytestmark = pytest.mark.usefixtures("as_a_whole")
Answer = dict[str, object]


def written(answer: Answer) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode()


def taken(spark: SparkSession, contract: Contract, *values: bytes) -> list[bool]:
    """Which of the values are matched, and their fields acceptable."""
    layout = learned([values[0]], contract)
    assert suits(contract, layout)
    rows, _ = fast_path.with_plain_fields(kafka_rows(spark, values), contract, MAX_BYTES, layout)
    return [row["~plain"] for row in rows.orderBy("offset").collect()]


@pytest.mark.parametrize(
    ("asked", "takes", "leaves"),
    [
        ({"type": "string"}, ["tea", "", None, "null", " tea ", "São 😀", "12", "a: b", "x "], ["  tea", "a  b", " ", "\ufffd", 12, "x\u00a0"]),
        ({"type": "string", "required": True}, ["tea", "null"], ["", None, " "]),
        ({"type": "string", "missing": ["NA", "9"]}, ["NA", " NA ", "9", 9, "n"], [8]),
        ({"type": "string", "missing": ["NA"], "required": True}, ["N"], ["NA", " NA "]),
        ({"type": "string", "spellings": {"Malaysian": ["MY", "M"]}}, ["MY", " M", "Martian"], []),
        ({"type": "string", "allowed": ["1", "null", "Yes: a"]}, ["1", 1, "null", None, "", "Yes: a"], ["2", " 1"]),
        ({"type": "scale", "labels": {"1": "low", "2": "high"}}, ["1", 2, "low", None], ["3", 1.0]),
        ({"type": "integer", "max": 99}, [24, "24", " 24 ", "", None, -1], ["024", "+1", 100, 24.0, True, "1e1"]),
        ({"type": "integer", "required": True, "missing": ["99"]}, [1, "98"], [99, "99", " 99", "", None]),
        ({"type": "integer", "allowed": [1, 2, 12]}, [1, "2", 12, None], [3, "02", 122]),
        ({"type": "decimal(5,2)"}, ["1.50", 1.5, "", None, -0.25], ["1.505", 123456, "1e2"]),
        ({"type": "decimal(5,2)", "missing": ["n/a"], "required": True}, ["1.50"], ["n/a", ""]),
        ({"type": "double"}, [1.5, "1.5e2", 2, None], ["1e999", "Infinity", "1."]),
        ({"type": "boolean", "true": ["yes", "1"]}, [True, "yes", 1, "false", None], ["no", "maybe", 0]),
        ({"type": "date"}, ["2024-02-29", "", None], ["2023-02-29", "soon"]),
        ({"type": "date", "format": "d MMM yy", "missing": ["-"]}, ["07 Jun 99", "-"], ["31 Jun 99"]),
        ({"type": "timestamp"}, ["2024-05-04T10:11", "2024-05-04T10:11:12Z", None], ["10:11", "10"]),
        ({"type": "set", "separator": ";"}, ["a; b", "", None, ";", "a: b"], [["a"]]),
        ({"type": "set", "separator": ";", "required": True, "missing": ["-"]}, ["a; b"], ["", None, ";", "-"]),
    ],
    ids=lambda part: part.get("type") if isinstance(part, dict) else "",
)  # fmt: skip
def test_of_every_type_what_needs_no_parsing_is_matched(
    spark: SparkSession, asked: Answer, takes: list[object], leaves: list[object]
) -> None:
    contract = one_question(**asked)
    values = [written({"id": "P1", "Q": value}) for value in (*takes, *leaves)]
    found = dict(zip((*map(repr, takes), *map(repr, leaves)), taken(spark, contract, *values), strict=True))
    assert found == {**dict.fromkeys(map(repr, takes), True), **dict.fromkeys(map(repr, leaves), False)}
    for value, engine in zip(values, verdicts(spark, values, contract), strict=True):
        assert engine == verdict(value, contract, MAX_BYTES), value


def test_bytes_that_are_no_utf8_are_not_matched(spark: SparkSession) -> None:
    good = written(ANSWER | {"Participant_ID": "São"})
    broken = [
        good.replace("ã".encode(), damage) for damage in (b"\xe3", b"\xed\xa0\x80", b"\xc0\x80", b"\xff")
    ]
    assert taken(spark, FOOD, good, *broken) == [True, False, False, False, False]
    assert {result.failed_rules for result in verdicts(spark, broken)} == {("bad_encoding",)}


def test_words_for_nothing_are_matched_with_blanks_around_them(spark: SparkSession) -> None:
    value = written(CODES | {"why?": " NA "})
    assert taken(spark, CODED, value) == [True]
    assert verdicts(spark, [value], CODED)[0] == verdict(value, CODED, MAX_BYTES)


def test_a_survey_four_times_as_long_as_the_longest_fits_a_threads_stack(spark: SparkSession) -> None:
    """Java's matcher calls itself for each member, and where its stack ends the process does."""
    kinds, last = ("string", "decimal(9,2)", "integer"), 4 * MOST_MEMBERS - 1
    contract = asking(
        **{
            f"q{number}": SurveyField(source=f"Q{number}", type=kinds[number % 3], missing=["98", "99"])
            for number in range(1, last + 1)
        }
    )
    good = {"id": "P1", **{f"Q{number}": f"{number}" for number in range(1, last + 1)}}
    values = [written(good), written(good | {f"Q{last}": "a  b"}), written(good)[:-1]]
    assert not suits(contract, canonical(contract))
    is_matched = value_pattern._is_matched(canonical(contract), contract)
    rows = kafka_rows(spark, values).selectExpr("offset", f"{is_matched} AS matched")
    assert [row.matched for row in rows.orderBy("offset").collect()] == [True, False, False]


@pytest.mark.parametrize("text", ["ab " * 20_000, "\u00e9" * 10_000, "x" * 60_000])
def test_a_long_text_is_matched_without_a_deep_stack(spark: SparkSession, text: str) -> None:
    contract = one_question(type="string")
    value = json.dumps({"id": "P1", "Q": text.strip()}).encode()
    assert taken(spark, contract, value, value[:-2]) == [True, False]


def test_what_the_reader_does_not_understand_is_parsed(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should an expression match too much, no value is lost as NULL."""
    monkeypatch.setattr(value_pattern, "_is_matched", lambda *_: "true")
    contract = one_question(type="string")
    values = [b'{"id": "P1", "Q": "tea"}', b'{"id": "P1", "Q": tea}', b'{"id": "P1"', b"", b"[]"]
    assert taken(spark, contract, *values) == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Q", "q"),
        ("dose (\u00b5g)", "dose (\u03bcg)"),
        ("\u0131", "i"),
        ("\u0130d", "id"),
        ("\u1e9e", "\u00df"),
    ],
)
def test_questions_that_differ_in_case_only_are_judged_alike(
    spark: SparkSession, one: str, other: str
) -> None:
    """As Spark compares names: two small letters may have one capital."""
    contract = asking(
        one=SurveyField(source=one, type="string"), other=SurveyField(source=other, type="integer")
    )
    assert not suits(contract, canonical(contract))
    values = [written({"id": "P1", one: "tea", other: number}) for number in (1, "x")]
    assert verdicts(spark, values, contract) == [verdict(value, contract, MAX_BYTES) for value in values]


def test_each_of_two_spacings_is_matched(spark: SparkSession) -> None:
    """Our own producer's layout allows both, and so does one that met the compact ones first."""
    spaced, compact = written(ANSWER), json.dumps(ANSWER, separators=(",", ":")).encode()
    values = [
        spaced,
        compact,
        spaced.replace(b": ", b":  "),
        b" " + spaced,
        spaced + b" ",
        spaced.replace(b"}", b" }"),
    ]
    for layout in (canonical(FOOD), learned([compact] * 6 + [spaced] * 4, FOOD)):
        rows, _ = fast_path.with_plain_fields(kafka_rows(spark, values), FOOD, MAX_BYTES, layout)
        plain = [row["~plain"] for row in rows.orderBy("offset").collect()]
        assert plain == [True, True, False, False, False, False]
