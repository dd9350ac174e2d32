"""Rules reject values that are not known to be right; CHECK constraints and verdicts come from the same SQL."""

import json
import re
from typing import Any

import pytest
from pyspark.sql import SparkSession

from support.validation import ANSWER, FOOD, SECOND, VISIT, kafka_rows, reasons
from surveylake.contract.model import Contract
from surveylake.validate import rules
from surveylake.validate.pipeline import validated


def visit(**changes: object) -> bytes:
    return json.dumps(VISIT | changes).encode()


def answer(**changes: object) -> bytes:
    return json.dumps(ANSWER | changes).encode()


def with_rule(predicate: str) -> Contract:
    return FOOD.model_copy(update={"rules": {"the_rule": predicate}})


def test_a_good_visit_has_no_reason(spark: SparkSession) -> None:
    assert reasons(spark, visit(), contract=SECOND) == [[]]


@pytest.mark.parametrize(
    ("predicate", "is_accepted"),
    [("age >= 18", True), ("age >= 30", False), ("NULL", False), ("NULL OR age = 24", True)],
)
def test_a_rule_passes_only_when_it_is_true(spark: SparkSession, predicate: str, is_accepted: bool) -> None:
    assert reasons(spark, answer(), contract=with_rule(predicate)) == [[] if is_accepted else ["the_rule"]]


def test_a_rule_over_an_unknown_value_fails(spark: SparkSession) -> None:
    results = reasons(spark, answer(Nationality=""), contract=with_rule("nationality <> 'Martian'"))
    assert results == [["the_rule"]]


def test_reasons_come_in_contract_order_with_the_own_rules_last(spark: SparkSession) -> None:
    bad = visit(
        **{
            "visit no.": "x",
            "Date of visit": "2019-01-01",
            "paid (EUR)": "6000",
            "Was it repaired?": "no",
            "thing": " ",
        }
    )
    assert reasons(spark, bad, contract=SECOND) == [[
        "pattern:visit no.", "out_of_range:paid (EUR)", "not_a_boolean:Was it repaired?", "blank:thing",
        "paid_only_when_repaired", "not_before_opening",
    ]]  # fmt: skip


def test_a_value_beyond_a_limit_is_kept_for_the_reader(spark: SparkSession) -> None:
    row = validated(kafka_rows(spark, [answer(Age="300")]), FOOD, 65_536).first()
    assert row is not None
    assert (row["age"], row["accepted"], row["age_group"]) == (300, False, None)


def test_null_in_a_required_field_is_blank_and_in_another_accepted(spark: SparkSession) -> None:
    results = reasons(spark, answer(Age=None), answer(Nationality=None), answer(Age="\u2003"))
    assert results == [["blank:Age"], [], ["blank:Age"]]


def test_an_unreadable_optional_value_rejects(spark: SparkSession) -> None:
    assert reasons(spark, visit(**{"paid (EUR)": "a lot"}), contract=SECOND) == [["not_a_number:paid (EUR)"]]


@pytest.mark.parametrize(
    ("paid", "is_accepted"),
    [("0", True), ("5000", True), ("5000.00", True), ("5000.01", False), ("-0.01", False)],
)
def test_limits_are_within_the_range(spark: SparkSession, paid: str, is_accepted: bool) -> None:
    assert reasons(spark, visit(**{"paid (EUR)": paid}), contract=SECOND) == [
        [] if is_accepted else ["out_of_range:paid (EUR)"]
    ]


@pytest.mark.parametrize(("pattern", "value", "is_found"), [
    (r"\bcaf\b", "café", True), (r"f\B", "café", False), (r"é\b", "né", False), (r"\\b", r"a\b", True), (r"^[\]b]\b", "b c", True),
])  # fmt: skip
def test_a_word_ends_where_an_ascii_letter_does_on_every_java(
    spark: SparkSession, pattern: str, value: str, is_found: bool
) -> None:
    field = FOOD.fields["nationality"].model_copy(update={"pattern": pattern, "allowed": [], "spellings": {}})
    contract = FOOD.model_copy(update={"fields": FOOD.fields | {"nationality": field}})
    expected = [] if is_found else ["pattern:Nationality"]
    assert reasons(spark, answer(Nationality=value), contract=contract) == [expected]
    assert bool(re.search(pattern, value, re.ASCII)) is is_found  # as jobs/check.py reads it


def test_a_missing_field_is_told_once_and_near_names_are_hinted(spark: SparkSession) -> None:
    bare = {k: v for k, v in VISIT.items() if k != "thing"}
    results = reasons(
        spark, json.dumps(bare).encode(), json.dumps(bare | {"Thing": "x"}).encode(), contract=SECOND
    )
    assert results == [["missing_field:thing"], ["missing_field:thing", "wrong_case:thing", "unknown_field"]]


def test_a_field_whose_name_is_part_of_anothers_has_its_own_reasons(spark: SparkSession) -> None:
    fields = {
        name: {"source": source, "type": "integer", "required": True}
        for name, source in [("a", "Age"), ("b", "Old Age"), ("c", "missing_field:Age")]
    }
    odd = Contract.model_validate({"name": "o", "title": "o", "topic": "o", "key": "a", "fields": fields})
    results = reasons(spark, b'{"Age": "x", "missing_field:Age": "y"}', contract=odd)
    assert results == [["missing_field:Old Age", "not_a_number:Age", "not_a_number:missing_field:Age"]]


def test_accepted_and_rejected_add_up(spark: SparkSession) -> None:
    values: list[Any] = [None, b"", answer(), answer(Age="300"), b"{}", visit()]
    rows = validated(kafka_rows(spark, values), FOOD, 65_536).select("accepted", "failed_rules").collect()
    assert len(rows) == len(values)
    assert all(row["accepted"] == (not row["failed_rules"]) for row in rows)


def test_every_accepted_record_passes_the_checks_of_the_table(spark: SparkSession) -> None:
    values = [
        visit(),
        visit(**{"paid (EUR)": ""}),
        visit(thing="Toaster"),
        visit(**{"paid (EUR)": "9999"}),
        b"{}",
    ]
    rows = validated(kafka_rows(spark, values), SECOND, 65_536)
    whole = " AND ".join(f"({check})" for check in rules.checks(SECOND).values())
    results = rows.selectExpr("accepted", f"({whole}) AS holds").collect()
    assert [(row["accepted"], row["holds"]) for row in results] == [(True, True)] * 3 + [(False, False)] * 2


def test_there_is_a_check_for_each_field_with_a_condition_and_for_each_rule() -> None:
    assert set(rules.checks(SECOND)) == {
        "visit_is_acceptable", "visited_on_is_acceptable", "paid_is_acceptable", "repaired_is_acceptable",
        "thing_is_acceptable", "paid_only_when_repaired", "not_before_opening",
    }  # fmt: skip
    assert "nationality_is_acceptable" not in rules.checks(FOOD)


def test_a_longer_value_than_allowed_is_too_large_and_the_limit_itself_is_not(spark: SparkSession) -> None:
    rows = (
        validated(kafka_rows(spark, [answer(), answer() + b" "]), FOOD, len(answer()))
        .orderBy("offset")
        .collect()
    )
    assert [row["failed_rules"] for row in rows] == [[], ["too_large"]]


def test_judged_has_the_columns_of_records_in_order(spark: SparkSession) -> None:
    columns = validated(kafka_rows(spark, [b"{}"]), SECOND, 65_536)
    assert columns.columns == [
        "topic",
        "partition",
        "offset",
        "timestamp",
        "epoch",
        "key",
        "value",
        "accepted",
        "failed_rules",
        *SECOND.columns,
    ]
    kinds = {field.name: field.dataType.simpleString() for field in columns.schema}
    assert {name: kinds[name] for name in SECOND.columns} == SECOND.columns
