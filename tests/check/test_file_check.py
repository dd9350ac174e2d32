"""jobs/check.py: what a contract would reject of a file, with numbers, samples, and what to do."""

import sys
from pathlib import Path

import pytest

import check
from support.shell import run

SURVEY = """
name = "workshop"
title = "Workshop"
topic = "workshop"
key = "visit"
unknown_fields = "{unknown}"
[fields.visit]
source = "Visit"
type = "string"
required = true
[fields.thing]
source = "Thing"
type = "string"
allowed = ["Bicycle", "Toaster"]
[fields.paid]
source = "Paid"
type = "decimal(6,2)"
min = 0
when_wrong = "blank"
[rules]
is_paid = "paid >= 0"
"""


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    path = tmp_path / "workshop.toml"
    path.write_text(SURVEY.format(unknown="ignore"), encoding="utf-8")
    return path


def said(
    tmp_path: Path,
    survey: Path,
    rows: str,
    capsys: pytest.CaptureFixture[str],
    header: str = "Visit,Thing,Paid",
) -> tuple[int, str]:
    """The exit code, and what is printed, of a check of these rows."""
    file = tmp_path / "answers.csv"
    file.write_text(f"{header}\n{rows}", encoding="utf-8")
    code = check.main([str(file), "--survey", str(survey)])
    return code, capsys.readouterr().out


def test_a_sound_file_ends_with_zero(
    tmp_path: Path, survey: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = said(tmp_path, survey, "V1,Bicycle,5\nV2,Toaster,\n", capsys)
    assert code == 0
    assert (
        text
        == "2 of 2 rows would be accepted, from 2 people; 1 rule of [rules] not judged: Spark does that\n"
    )


def test_a_rejected_answer_is_shown_with_line_share_and_what_to_do(
    tmp_path: Path, survey: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = said(tmp_path, survey, "V1,Bicycle,5\nV2,bike,3\nV3,bike,1\nV4,Kettle,1\n", capsys)
    assert code == 9
    assert (
        "rejected: 3 (75.0 %)  not_allowed:Thing: is not one of the allowed answers: Bicycle, Toaster" in text
    )
    assert f"{tmp_path}/answers.csv:3  'bike'" in text
    assert f"{tmp_path}/answers.csv:5  'Kettle'" in text
    assert "answers.csv:4" not in text, "each text is shown once"
    assert "next: Correct fields.thing in the contract" in text
    assert "1 of 4 rows would be accepted, from 1 person" in text


def test_three_samples_are_shown(tmp_path: Path, survey: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, text = said(tmp_path, survey, "".join(f"V{at},thing{at},1\n" for at in range(9)), capsys)
    assert text.count("answers.csv:") == 3


def test_an_answer_left_blank_costs_no_record(
    tmp_path: Path, survey: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = said(tmp_path, survey, "V1,Bicycle,5 EUR\nV2,Toaster,-1\n", capsys)
    assert code == 0
    assert "left blank: 1 (50.0 %)  not_a_number:Paid" in text
    assert "left blank: 1 (50.0 %)  out_of_range:Paid: is out of range: from 0" in text
    assert "2 of 2 rows would be accepted, from 2 people; 2 answers would be left blank" in text


def test_people_are_the_different_keys(
    tmp_path: Path, survey: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text = said(tmp_path, survey, "V1,Bicycle,5\n V1 ,Toaster,1\nV2,Toaster,1\n,Toaster,1\n", capsys)
    assert "3 of 4 rows would be accepted, from 2 people" in text
    assert "blank:Visit: is blank, and required" in text


def test_lines_that_cannot_be_sent_are_named(
    tmp_path: Path, survey: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = said(tmp_path, survey, "V1,Bicycle,5\nV2,Toaster\n", capsys)
    assert code == 9
    assert "1 line cannot be sent" in text
    assert "line 3: has 2 cells, the header 3" in text


def test_columns_that_the_contract_refuses_reject_every_row(
    tmp_path: Path, survey: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    survey.write_text(SURVEY.format(unknown="reject"), encoding="utf-8")
    code, text = said(tmp_path, survey, "V1,Bicycle,5,x\n", capsys, "Visit,Thing,Paid,Shoe")
    assert code == 9
    assert "rejected: 1 (100.0 %)  unknown_field" in text


def test_a_record_that_is_too_long_is_rejected(
    tmp_path: Path, survey: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text = said(tmp_path, survey, f"V1,Bicycle,5\n{'V' * 70_000},Bicycle,5\n", capsys)
    assert "rejected: 1 (50.0 %)  too_large" in text


def test_a_missing_column_is_an_error_as_in_produce(
    tmp_path: Path, survey: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "answers.csv"
    file.write_text("Visit,Thing\nV1,Bicycle\n", encoding="utf-8")
    assert check.main([str(file), "--survey", str(survey)]) == 4
    assert "the header lacks Paid" in capsys.readouterr().err


def test_a_column_in_another_case_is_an_error_also_where_it_may_be_missing(
    tmp_path: Path, survey: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stream would reject every record of it."""
    survey.write_text(survey.read_text().replace("[fields.paid]", '[fields.paid]\nwhen_absent = "blank"'))
    file = tmp_path / "answers.csv"
    file.write_text("Visit,Thing,PAID\nV1,Bicycle,1\nV2,Bicycle,x\n", encoding="utf-8")
    assert check.main([str(file), "--survey", str(survey)]) == 4
    assert "the header lacks Paid (it has 'PAID')" in capsys.readouterr().err
    file.write_text("Visit,Thing\nV1,Bicycle\n", encoding="utf-8")
    assert check.main([str(file), "--survey", str(survey)]) == 0


def test_no_spark_is_loaded(tmp_path: Path, survey: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text("Visit,Thing,Paid\nV1,Bicycle,1\n", encoding="utf-8")
    words = f"import sys; sys.path.insert(0, 'jobs'); import check; check.main([{str(file)!r}, '--survey', {str(survey)!r}]); print('pyspark' in sys.modules, 'confluent_kafka' in sys.modules)"
    done = run([sys.executable, "-c", words], tmp_path / "var")
    assert done.stdout.strip().endswith("False False")
