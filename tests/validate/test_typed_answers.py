"""What docs/verdicts.md says of each type, answer by answer: the value that is stored, or the reason."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pyspark.sql import SparkSession

from support.reference_verdict import Value
from support.validation import TYPED, TYPES, verdicts

STORED: list[tuple[str, object, Value]] = [
    ("Timestamp", "8/27/2014 11:29:31", datetime(2014, 8, 27, 9, 29, 31, tzinfo=UTC)),
    # Clocks in Vienna are put forward at 2 and back at 3: the one time does not exist, the other comes twice.
    ("Timestamp", "3/30/2014 2:30:00", datetime(2014, 3, 30, 1, 30, tzinfo=UTC)),
    ("Timestamp", "10/26/2014 2:30:00", datetime(2014, 10, 26, 0, 30, tzinfo=UTC)),
    ("sent", "2024-05-04T10:11", datetime(2024, 5, 4, 13, 11, tzinfo=UTC)),
    ("sent", "2024-05-04 10:11:12.5Z", datetime(2024, 5, 4, 10, 11, 12, 500_000, tzinfo=UTC)),
    ("sent", "2024-05-04T10:11:12+02:00", datetime(2024, 5, 4, 8, 11, 12, tzinfo=UTC)),
    ("born", "29 feb 00", date(2000, 2, 29)),
    ("born", "07 Jun 99", date(2099, 6, 7)),
    ("height", "1.5e2", 150.0),
    ("height", 1.5e2, 150.0),
    ("height", "99", None),
    ("weight", "70.50", Decimal("70.5")),
    ("children", 3, 3),
    ("Q4: agree?", 1, "never"),
    ("Q4: agree?", "always", "always"),
    ("sex", "F", "Female"),
    ("tools", "R; py;R ; ", ["R", "Python"]),
    ("tools", ["R", "SQL;C++", None], ["R", "SQL", "C++"]),
    ("tools", "none", None),
    ("tools", " ; ", None),
    ("towns", [1, 20], ["1", "20"]),
    ("news TV", 1, True),
]
REJECTED: list[tuple[str, object, str]] = [
    ("Timestamp", "27/8/2014 11:29:31", "not_a_timestamp"),
    ("Timestamp", "2/29/2023 0:00:00", "not_a_timestamp"),
    ("Timestamp", "8/27/2014", "not_a_timestamp"),
    ("Timestamp", None, "blank"),
    ("born", "7 Jun 99", "not_a_date"),
    ("born", "31 Jun 99", "not_a_date"),
    ("height", "172,5", "not_a_number"),
    ("height", "1e999", "out_of_range"),
    ("height", 250.5, "out_of_range"),
    ("Q4: agree?", 4, "not_allowed"),
    ("Q4: agree?", "Always", "not_allowed"),
    ("sex", "", "blank"),
    ("tools", "R;Cobol", "not_allowed"),
    ("tools", [["R"]], "wrong_type"),
    ("tools", ["R", 1], "wrong_type"),
    ("towns", " , ", "blank"),
]
LEFT_BLANK: list[tuple[str, object, str]] = [
    ("weight", "144 lbs", "not_a_number"),
    ("weight", "70.55", "too_precise"),
    ("weight", 0.5, "out_of_range"),
    ("weight", [70.5], "wrong_type"),
    ("children", 4, "not_allowed"),
    ("news web", "No!", "pattern"),
    ("sent", "yesterday", "not_a_timestamp"),
]
NAMES = {field.source: name for name, field in TYPED.fields.items()}


def written(source: str, answer: object) -> bytes:
    return json.dumps({**TYPES, source: answer}).encode()


def test_an_answer_is_stored_as_what_it_denotes(spark: SparkSession) -> None:
    found = verdicts(spark, [written(source, answer) for source, answer, _ in STORED], TYPED)
    got = [
        (source, answer, one.row[NAMES[source]])
        for (source, answer, _), one in zip(STORED, found, strict=True)
    ]
    assert got == STORED
    assert [one.failed_rules for one in found] == [()] * len(found)


def test_an_answer_that_denotes_nothing_rejects_the_record(spark: SparkSession) -> None:
    found = verdicts(spark, [written(source, answer) for source, answer, _ in REJECTED], TYPED)
    got = [
        (source, answer, one.failed_rules[0])
        for (source, answer, _), one in zip(REJECTED, found, strict=True)
    ]
    assert got == [(source, answer, f"{reason}:{source}") for source, answer, reason in REJECTED]


def test_an_answer_that_may_be_left_blank_costs_itself_only(spark: SparkSession) -> None:
    found = verdicts(spark, [written(source, answer) for source, answer, _ in LEFT_BLANK], TYPED)
    for (source, answer, reason), one in zip(LEFT_BLANK, found, strict=True):
        assert one.accepted, answer
        assert one.row["blanked"] == [f"{reason}:{source}"]
        assert one.row[NAMES[source]] is None


@pytest.mark.parametrize("name", ["news web", "born"])
def test_a_record_may_lack_a_name_where_the_contract_says_so(spark: SparkSession, name: str) -> None:
    without = {source: answer for source, answer in TYPES.items() if source != name}
    misspelt = {**without, name.upper(): TYPES[name]}
    short, other = verdicts(spark, [json.dumps(answer).encode() for answer in (without, misspelt)], TYPED)
    assert short.accepted and short.row[NAMES[name]] is None and short.row["blanked"] is None
    assert other.failed_rules == (f"missing_field:{name}", f"wrong_case:{name}")
