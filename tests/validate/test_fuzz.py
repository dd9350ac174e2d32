"""Thousands of values, good, damaged and absurd: the engine's verdict is the reference verdict on every one (G18)."""

import json
import os
from decimal import Decimal

import pytest
from pyspark.sql import SparkSession

from support.fuzz_values import SMALL, check, written_by_chance
from support.reference_verdict import verdict
from support.validation import ANSWER, CODED, CODES, FOOD, MAX_BYTES, SECOND, TYPED, TYPES, VISIT, verdicts

COUNT = int(os.environ.get("SURVEYLAKE_FUZZ", SMALL))


def test_the_engine_and_the_reference_agree_on_the_first_survey(spark: SparkSession) -> None:
    check(spark, FOOD, ANSWER, SMALL * 3 // 5, seed=1)


def test_the_engine_and_the_reference_agree_on_the_second_survey(spark: SparkSession) -> None:
    check(spark, SECOND, VISIT, SMALL * 2 // 5, seed=2)


def test_the_engine_and_the_reference_agree_on_codes_and_words_for_nothing(spark: SparkSession) -> None:
    check(spark, CODED, CODES, SMALL * 3 // 5, seed=5)


def test_the_engine_and_the_reference_agree_on_every_type(spark: SparkSession) -> None:
    check(spark, TYPED, TYPES, SMALL, seed=7)


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.skipif(COUNT <= SMALL, reason="some minutes: SURVEYLAKE_FUZZ=100000 make test")
def test_the_engine_and_the_reference_agree_on_very_many_values(spark: SparkSession) -> None:
    for contract, answer in ((FOOD, ANSWER), (SECOND, VISIT), (CODED, CODES), (TYPED, TYPES)):
        check(spark, contract, answer, COUNT // 4, seed=3)


def test_the_values_are_of_every_kind() -> None:
    """A fuzz that only makes rubbish proves nothing: accepted values and most reasons are among the values."""
    reasons: set[str] = set()
    accepted = 0
    for value in written_by_chance(FOOD, ANSWER, SMALL, seed=1):
        result = verdict(value, FOOD, MAX_BYTES)
        accepted += result.accepted
        reasons |= {reason.partition(":")[0] for reason in result.failed_rules}
    assert accepted > SMALL / 6
    assert reasons >= {
        "empty_payload", "bad_encoding", "too_large", "malformed", "not_an_object", "trailing_data", "duplicate_key", "missing_field",
        "schema_registry", "avro_file", "compressed", "encoded_twice", "wrong_case", "wrong_type", "blank", "not_a_number", "out_of_range", "not_allowed",
    }  # fmt: skip


def test_a_wrong_engine_is_seen(spark: SparkSession) -> None:
    """The comparison itself: a contract with another limit than the reference's gives disagreements."""
    laxer = FOOD.model_copy(
        update={"fields": {**FOOD.fields, "age": FOOD.fields["age"].model_copy(update={"max": 400})}}
    )
    value = json.dumps({**ANSWER, "Age": "300"}).encode()
    assert verdicts(spark, [value], laxer)[0] != verdict(value, FOOD, MAX_BYTES)
    assert Decimal(verdicts(spark, [value], laxer)[0].row["age"]) == 300
