"""From a file of answers to its report: drafted, and run as it was drafted, through a real Kafka and a real Spark."""

from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

import draft
import run
from support.field_twins import Twin, google_form_large, mac_two_headers, poll_long_headers
from support.validation import verdicts
from surveylake.check.file_check import check_file
from surveylake.contract.model import load_contract
from surveylake.produce.csv_rows import chunks, read_answers

ANSWERS = (
    [("A1", "5", "Yes"), ("A2", "five", "Yes"), ("A3", "9", "perhaps"), ("A1", "7", "No"), ("", "3", "No")]
    + [(f"B{at}", str(at % 7), "Yes") for at in range(30)]
)  # fmt: skip
STRICT = """
name = "strict"
title = "Strict"
topic = "strict"
key = "id"
[fields.id]
source = "id"
type = "string"
required = true
[fields.n]
source = "n"
type = "integer"
max = 8
[fields.a]
source = "a"
type = "boolean"
true = ["Yes"]
false = ["No"]
"""


@pytest.mark.parametrize(
    "made", [google_form_large, poll_long_headers, mac_two_headers], ids=lambda made: made.__name__
)
def test_a_drafted_survey_goes_to_its_report(
    made: Callable[[], Twin], spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = made()
    file = twin.write(tmp_path)
    assert draft.main([str(file)]) == 0
    monkeypatch.setattr(run, "VAR", tmp_path / "var")
    lake, out = tmp_path / "lake", tmp_path / "out"
    words = ["--survey", file.with_suffix(".toml"), "--input", file, "--lake", lake, "--out", out]
    assert run.main([str(word) for word in words]) == 0
    assert DeltaTable(lake / "responses").to_pyarrow_table().num_rows == twin.people
    assert (out / "report.html").is_file()


def test_check_counts_what_spark_rejects(spark: SparkSession, tmp_path: Path) -> None:
    survey, file = tmp_path / "strict.toml", tmp_path / "answers.csv"
    survey.write_text(STRICT, encoding="utf-8")
    file.write_text("id,n,a\n" + "".join(f"{','.join(row)}\n" for row in ANSWERS), encoding="utf-8")
    contract = load_contract(survey)
    values = [value for chunk in chunks(read_answers(file, contract), contract) for *_, value in chunk]
    found = verdicts(spark, values, contract)
    checked = check_file(file, contract, 65_536)
    reasons = [reason for verdict in found for reason in verdict.failed_rules]
    assert {name: finding.number for name, finding in checked.findings.items()} == {
        reason: reasons.count(reason) for reason in reasons
    }
    assert checked.rejected == sum(not verdict.accepted for verdict in found) == 3
    assert checked.people == len({verdict.row["id"] for verdict in found if verdict.accepted}) == 31
