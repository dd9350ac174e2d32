"""An SPSS file is read case by case: codes as they are, or as the labels that the file has for them."""

import datetime
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveylake.contract.model import Contract
from surveylake.errors import InputError
from surveylake.produce import spss_file
from surveylake.produce.csv_rows import chunks, read_answers

PEOPLE = {
    "id": [1.0, 2.0, 3.0],
    "sex": [1.0, 2.0, 9.0],
    "said": ["tea ", "é", ""],
    "day": [datetime.date(2024, 5, 4), None, datetime.date(1999, 1, 1)],
    "sent": [datetime.datetime(2024, 5, 4, 11, 29, 31), datetime.datetime(2024, 5, 5), None],
    "weight": [0.25, None, 70.5],
}
LABELS = ["Number", "Are you female or male?", "", "Day", "Sent at", "Weight"]


def contract(*sources: str, **form: Any) -> Contract:
    fields = {
        f"f{at}": {"source": name, "type": "string", "required": at == 0} for at, name in enumerate(sources)
    }
    return Contract.model_validate(
        {"name": "tea", "title": "Tea", "topic": "Tea", "key": "f0", "fields": fields, "input": form}
    )


@pytest.fixture(scope="module", params=["sav", "zsav"])
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spss") / f"people.{request.param}"
    pyreadstat.write_sav(
        pd.DataFrame(PEOPLE), path, column_labels=LABELS, compress=request.param == "zsav",
        variable_value_labels={"sex": {1: "Female", 2: "Male"}}, missing_ranges={"sex": [9]},
    )  # fmt: skip
    return path


def sent(path: Path, survey: Contract) -> list[list[str]]:
    answers = read_answers(path, survey)
    assert answers.bad == {}
    return [list(json.loads(value).values()) for chunk in chunks(answers, survey) for *_, value in chunk]


def test_codes_texts_dates_and_numbers_are_sent_as_they_are(file: Path) -> None:
    assert sent(file, contract("id", "sex")) == [
        ["1", "1", "tea", "2024-05-04", "2024-05-04T11:29:31", "0.25"],
        ["2", "2", "é", "", "2024-05-05T00:00:00", ""],
        ["3", "", "", "1999-01-01", "", "70.5"],
    ]


def test_labels_are_sent_where_the_contract_says_so(file: Path) -> None:
    survey = contract("id", "sex", values="labels")
    assert [row[1] for row in sent(file, survey)] == ["Female", "Male", ""]


def test_the_questions_may_name_the_columns(file: Path) -> None:
    survey = contract("Number", "Are you female or male?", header_rows=2, header_row=2)
    answers = read_answers(file, survey)
    assert answers.header == ("Number", "Are you female or male?", "said", "Day", "Sent at", "Weight")
    assert answers.rows == 3


def test_codes_that_the_file_declares_missing_are_told(file: Path) -> None:
    notes = read_answers(file, contract("id")).notes
    assert notes[0] == "codes that the file declares missing are sent as blanks: sex"


def test_a_variable_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(InputError, match=r"people\.z?sav: the header lacks gender"):
        read_answers(file, contract("id", "gender"))


def test_a_file_that_is_cut_off_is_named(file: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.sav"
    path.write_bytes(file.read_bytes()[:250])
    with pytest.raises(InputError, match="is an SPSS file, and it cannot be read") as caught:
        read_answers(path, contract("id"))
    assert caught.value.hint == spss_file.DAMAGED


def test_every_case_is_read_once_where_they_come_in_parts(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sent(file, contract("id"))
    monkeypatch.setattr(spss_file, "CASES_AT_ONCE", 2)
    assert sent(file, contract("id")) == whole


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_its_value(number: float) -> None:
    text = spss_file.text_of(number)
    assert set(text) <= set("-0123456789.") and float(text) == number
