"""The fast path takes the values it should, and agrees with the reference verdict on all that are nearly plain."""

import json
import re
from collections.abc import Iterator

import pytest
from pyspark.sql import DataFrame, SparkSession

from support.fuzz_values import SMALL, disagreements, written_by_chance
from support.reference_verdict import verdict
from support.validation import (
    ANSWER,
    CODED,
    CODES,
    FOOD,
    MAX_BYTES,
    SECOND,
    SECOND_RULES,
    TYPED,
    TYPES,
    VISIT,
    kafka_rows,
    one_question,
    verdicts,
)
from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract
from surveylake.validate import fast_path, pipeline
from surveylake.validate.pipeline import validated

MOST_BYTECODE = 65_535
"""Java allows no longer method; Spark then runs each step of the stage by itself."""
STRANGE = ['"', "\\", ":", " ", ",", "{", "}", "\x01", "\x7f", "é", "0", "\t"]
COMPACT, SPACED = (",", ":"), (", ", ": ")


def written(answer: dict[str, object], separators: tuple[str, str] = SPACED) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=separators).encode()


def taken(spark: SparkSession, contract: Contract, *values: bytes) -> list[bool]:
    """Which of the values go the plain way."""
    rows, _ = fast_path.with_plain_fields(kafka_rows(spark, values), contract, MAX_BYTES)
    return [row["~plain"] for row in rows.orderBy("offset").collect()]


def near(value: bytes) -> Iterator[bytes]:
    """The value with one character taken out, one put in, and one changed, at every place."""
    text = value.decode()
    yield from ((text + strange).encode() for strange in STRANGE)
    for at in range(len(text)):
        yield (text[:at] + text[at + 1 :]).encode()
        for strange in STRANGE:
            yield (text[:at] + strange + text[at:]).encode()
            yield (text[:at] + strange + text[at + 1 :]).encode()


NUMBERS = [
    "99",
    "99.0",
    "99.00",
    "9.9e1",
    '"99"',
    '"99.0"',
    '" 99 "',
    "0",
    "-0",
    "0.0",
    "-0.0",
    '"-0"',
    "100",
    "1e2",
    "100.0",
    '"1e2"',
    "7.5",
    "null",
    '""',
]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("required", [False, True], ids=["", "required"])
@pytest.mark.parametrize(
    "missing", [["99"], ["99.0"], ["99", "99.0"], ["0"], ["1e2"], ["NA"], ["99.5", "7.50"]], ids=str
)
@pytest.mark.parametrize("kind", ["double", "decimal(5,1)", "decimal(3,0)", "integer"])
def test_a_number_for_no_answer_is_none_however_it_is_written(
    spark: SparkSession, kind: str, missing: list[str], required: bool
) -> None:
    """A bare number is known by its digits, and pandas writes 99.0 where it was given 99; a quoted one is a text."""
    contract = one_question(type=kind, missing=missing, required=required)
    values = [f'{{"id": "P1", "Q": {number}}}'.encode() for number in NUMBERS]
    for value, engine in zip(values, verdicts(spark, values, contract), strict=True):
        assert engine == verdict(value, contract, MAX_BYTES), value


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("decimal(18,16)", "3.3333333333333333"), ("decimal(18,12)", "123456.123456789012"), ("decimal(5,2)", "12.500000000000000001"),
        ("decimal(18,0)", "123456789012345678"), ("decimal(16,8)", "12345678.12345678"), ("decimal(15,2)", "1234567890123.45"),
        ("decimal(15,14)", "0.00012345678901"), ("decimal(5,2)", "-12.5"), ("decimal(5,2)", "-12.500"), ("decimal(18,15)", "0.1"),
    ],
    ids=str,
)  # fmt: skip
def test_a_decimal_keeps_its_digits(spark: SparkSession, kind: str, number: str) -> None:
    contract = one_question(type=kind)
    values = [f'{{"id": "P1", "Q": {text}}}'.encode() for text in (number, f'"{number}"')]
    found = verdicts(spark, values, contract)
    assert found == [verdict(value, contract, MAX_BYTES) for value in values]
    assert found[0] == found[1]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("separators", [SPACED, COMPACT], ids=["spaced", "compact"])
def test_an_answer_is_plain_however_its_writer_spaces_it(
    spark: SparkSession, separators: tuple[str, str]
) -> None:
    assert taken(spark, FOOD, written(ANSWER, separators)) == [True]
    assert taken(spark, SECOND, written(VISIT, separators)) == [True]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "change",
    [
        {"Nationality": "MY"}, {"Nationality": "Martian"}, {"Nationality": " Korean "}, {"Nationality": ""}, {"Nationality": None},
        {"Age": 24}, {"Age": " 24"}, {"Participant_ID": "é"}, {"Participant_ID": "a, b {c} [d] 'e'"},
    ],
    ids=str,
)  # fmt: skip
def test_what_writers_do_is_plain(spark: SparkSession, change: dict[str, object]) -> None:
    assert taken(spark, FOOD, written(ANSWER | change), written(ANSWER | change, COMPACT)) == [True, True]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "change",
    [
        {"Gender": "female"}, {"Age": "300"}, {"Age": "024"}, {"Age": "+24"}, {"Age": 24.0}, {"Age": None}, {"Participant_ID": ""},
        {"Participant_ID": "a  b"}, {"Participant_ID": "é\u00a0"}, {"Participant_ID": 'a"b'}, {"Shoe": 43},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_parsed(spark: SparkSession, change: dict[str, object]) -> None:
    assert taken(spark, FOOD, written(ANSWER | change)) == [False]


def test_a_text_with_a_colon_is_parsed_where_values_are_cut_at_colons(spark: SparkSession) -> None:
    assert taken(spark, FOOD, written(ANSWER | {"Participant_ID": "a: b"})) == [False]


@pytest.mark.usefixtures("way")
def test_a_value_that_is_too_large_is_not_plain(spark: SparkSession) -> None:
    values = [written(ANSWER | {"Participant_ID": "x" * size}) for size in (MAX_BYTES // 2, MAX_BYTES)]
    assert taken(spark, FOOD, *values) == [True, False]
    assert [result.failed_rules for result in verdicts(spark, values)] == [(), ("too_large",)]


@pytest.mark.usefixtures("way")
def test_every_answer_that_differs_in_one_character_has_the_reference_verdict(spark: SparkSession) -> None:
    values = [value for separators in (SPACED, COMPACT) for value in near(written(ANSWER, separators))]
    assert len(values) > 5_000
    assert disagreements(spark, values, FOOD) == []


@pytest.mark.usefixtures("way")
def test_every_visit_that_differs_in_one_character_has_the_reference_verdict(spark: SparkSession) -> None:
    assert (
        disagreements(spark, [*near(written(VISIT)), *near(written(VISIT | {"paid (EUR)": ""}))], SECOND)
        == []
    )


@pytest.mark.usefixtures("way")
def test_every_coded_answer_that_differs_in_one_character_has_the_reference_verdict(
    spark: SparkSession,
) -> None:
    nothing = {"sex": "9", "score": "99", "smokes": "NA", "price": "n/a", "why?": "NA", "town": "No answer"}
    numbers: dict[str, object] = {"sex": 9, "score": 99, "smokes": True, "price": 3.5, "why?": None}
    values = [near(written(CODES)), near(written(CODES | nothing)), near(written(CODES | numbers, COMPACT))]
    assert disagreements(spark, [value for each in values for value in each], CODED) == []


@pytest.mark.parametrize(
    ("change", "plain"),
    [
        ({}, True), ({"sex": 1}, True), ({"sex": 9}, True), ({"sex": "NA"}, True), ({"smokes": "2"}, True), ({"price": "NA"}, True),
        ({"why?": "n/a"}, True), ({"town": "No answer"}, True), ({"town": "Graz"}, True), ({"score": "-9"}, False), ({"why?": " NA "}, False),
        ({"sex": "3"}, False), ({"smokes": "maybe"}, False), ({"smokes": "nie: mals"}, False),
    ],
    ids=str,
)  # fmt: skip
def test_codes_and_words_for_nothing_are_plain(
    spark: SparkSession, change: dict[str, object], plain: bool
) -> None:
    assert taken(spark, CODED, written(CODES | change)) == [plain]


@pytest.mark.usefixtures("way")
def test_every_typed_answer_that_differs_in_one_character_has_the_reference_verdict(
    spark: SparkSession,
) -> None:
    changes: list[dict[str, object]] = [
        {},
        {
            "sent": "",
            "height": "",
            "weight": None,
            "children": "",
            "Q4: agree?": "NA",
            "tools": "",
            "news TV": "",
        },
        {"Q4: agree?": 2, "sex": 2, "children": 1, "height": "1.7e2", "tools": "R;SQL ; C++;R"},
    ]
    values = [value for change in changes for value in near(written(TYPES | change, COMPACT))]
    assert disagreements(spark, values[::3], TYPED) == []


def test_answers_of_every_type_are_plain(spark: SparkSession, way: str) -> None:
    plain: list[dict[str, object]] = [
        {}, {"Q4: agree?": 3, "sex": 1}, {"sex": "F"}, {"tools": "R; Python"}, {"tools": ""}, {"height": "1.5e2"}, {"height": "99"},
        {"height": 99}, {"born": ""}, {"weight": ""}, {"towns": ";"},
    ]  # fmt: skip
    parsed: list[dict[str, object]] = [
        {"weight": "144 lbs"}, {"tools": ["R"]}, {"born": "31 Jun 99"}, {"towns": ","}, {"Q4: agree?": "often"},
    ]  # fmt: skip
    # Another number of colons than most have, and a word for nothing where several answers may stand.
    (plain if way == "as a whole" else parsed).extend([{"sent": "2024-05-04T10:11"}, {"tools": "none"}])
    values = [written(TYPES | change) for change in (*plain, *parsed)]
    found = dict(zip(values, taken(spark, TYPED, *values), strict=True))
    assert [value for value in values[: len(plain)] if not found[value]] == []
    assert [value for value in values[len(plain) :] if found[value]] == []


@pytest.mark.usefixtures("way")
def test_a_question_may_hold_what_the_value_is_cut_at(spark: SparkSession) -> None:
    fields = {
        "who": SurveyField(source="Q1: who: are you?", type="string", required=True),
        "old": SurveyField(source="how old", type="integer"),
        "well": SurveyField(source="Q3: well?", type="boolean", required=True),
    }
    asked = FOOD.model_copy(update={"key": "who", "fields": fields, "rules": {}, "derived": {}})
    value = written({"Q1: who: are you?": "Ada", "how old": 36, "Q3: well?": True})
    assert taken(spark, asked, value, written(json.loads(value), COMPACT)) == [True, True]
    assert disagreements(spark, [value, *near(value)], asked) == []
    assert verdicts(spark, [value], asked)[0].row == {"who": "Ada", "old": 36, "well": True}


def test_few_records_and_many_fields_are_judged_alike(spark: SparkSession) -> None:
    """The parsed way is interpreted then."""
    for contract, answer in ((FOOD, ANSWER), (SECOND, VISIT)):
        values = list(written_by_chance(contract, answer, SMALL // 2, seed=4))
        assert disagreements(spark, values, contract, few=True) == []


def test_a_survey_of_some_fields_is_judged_in_one_generated_stage(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = validated(kafka_rows(spark, [written(ANSWER)]), FOOD, MAX_BYTES)
    assert len(stages(spark, narrow)) == 1
    monkeypatch.setattr(pipeline, "MOST_GENERATED", 0)
    wide = validated(kafka_rows(spark, [written(ANSWER)]), FOOD, MAX_BYTES)
    assert len(stages(spark, wide)) == 2


def test_few_records_are_judged_by_smaller_methods(spark: SparkSession) -> None:
    whole = stages(spark, validated(kafka_rows(spark, [written(ANSWER)]), FOOD, MAX_BYTES))
    few = stages(spark, validated(kafka_rows(spark, [written(ANSWER)]), FOOD, MAX_BYTES, few=True))
    assert max(few) < max(whole) / 2


def stages(spark: SparkSession, rows: DataFrame) -> list[int]:
    """Bytes of the longest method of each generated stage; none is too long to be generated."""
    plan = rows._jdf.queryExecution().explainString(
        spark._jvm.org.apache.spark.sql.execution.ExplainMode.fromString("codegen")
    )
    sizes = [int(size) for size in re.findall(r"maxMethodCodeSize:(\d+)", plan)]
    assert max(sizes) < MOST_BYTECODE
    return sizes


@pytest.mark.usefixtures("way")
def test_the_rules_of_the_survey_hold_for_plain_values(spark: SparkSession) -> None:
    value = written(VISIT | {"Was it repaired?": "false"})
    assert taken(spark, SECOND, value) == [True]
    assert verdicts(spark, [value], SECOND)[0] == verdict(value, SECOND, MAX_BYTES, SECOND_RULES)
    assert verdicts(spark, [value], SECOND)[0].failed_rules == ("paid_only_when_repaired",)
