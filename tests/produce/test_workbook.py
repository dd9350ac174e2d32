"""An Excel workbook is read as the CSV that a spreadsheet would make of it, with dates that cannot be misread."""

import datetime
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveylake.contract.model import Contract
from surveylake.errors import InputError
from surveylake.produce.csv_rows import chunks, read_answers
from surveylake.produce.workbook import text_of

Sheets = dict[str, list[list[Any]]]


def contract(*sources: str, kind: str = "string", **form: Any) -> Contract:
    """A contract of these sources, the first of them the key, the others of one type."""
    fields = {
        f"f{at}": {"source": name, "type": kind if at else "string", "required": at == 0}
        for at, name in enumerate(sources)
    }
    return Contract.model_validate(
        {"name": "tea", "title": "Tea", "topic": "Tea", "key": "f0", "fields": fields, "input": form}
    )


TEA = contract("Who", "Tea")


def book(tmp_path: Path, sheets: Sheets, hidden: str = "") -> Path:
    path = tmp_path / "tea.xlsx"
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        sheet.sheet_state = "hidden" if name == hidden else "visible"
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


def sent(path: Path, survey: Contract = TEA) -> list[list[str]]:
    """The texts that go to Kafka, without their names; no line is bad."""
    answers = read_answers(path, survey)
    assert answers.bad == {}
    return [list(json.loads(value).values()) for chunk in chunks(answers, survey) for *_, value in chunk]


def test_cells_are_sent_as_the_texts_that_a_spreadsheet_shows(tmp_path: Path) -> None:
    day, moment = datetime.date(2024, 5, 4), datetime.datetime(2024, 5, 4, 11, 29, 31)
    cells = [
        1,
        1.5,
        0.1 + 0.2,
        1e20,
        1e-7,
        True,
        day,
        moment,
        datetime.time(9, 5),
        datetime.timedelta(hours=30),
        " a ",
        "x\ny",
    ]
    rows = [["Who", "Tea"], *([f"p{at}", cell] for at, cell in enumerate(cells))]
    assert [tea for _, tea in sent(book(tmp_path, {"A": rows}))] == [
        "1", "1.5", "0.3", "100000000000000000000", "0.0000001", "TRUE", "2024-05-04T00:00:00", "2024-05-04T11:29:31",
        "09:05:00", "30:00:00", " a ", "x\ny",
    ]  # fmt: skip


def test_a_column_of_mere_dates_has_no_time(tmp_path: Path) -> None:
    day = datetime.date(2024, 5, 4)
    assert sent(book(tmp_path, {"A": [["Who", "Tea"], ["a", day], ["b", None]]})) == [
        ["a", "2024-05-04"],
        ["b", ""],
    ]


def test_a_moment_at_midnight_is_a_moment_like_the_others_of_its_column(tmp_path: Path) -> None:
    rows = [
        ["Who", "Tea"],
        ["a", datetime.datetime(2024, 5, 4)],
        ["b", datetime.datetime(2024, 5, 4, 0, 0, 1)],
    ]
    assert [tea for _, tea in sent(book(tmp_path, {"A": rows}))] == [
        "2024-05-04T00:00:00",
        "2024-05-04T00:00:01",
    ]


def test_a_workbook_and_its_csv_are_the_same_file(tmp_path: Path) -> None:
    """So whoever sends the one after the other counts nobody twice."""
    path = book(tmp_path, {"A": [["Who", "Tea"], ["a", "Assam"], ["b", 3]]})
    csv = tmp_path / "tea.csv"
    csv.write_text("Who,Tea\na,Assam\nb,3\n", encoding="utf-8")
    assert read_answers(path, TEA).source == read_answers(csv, TEA).source


def test_empty_rows_are_no_rows_and_lines_are_the_sheet_s(tmp_path: Path) -> None:
    rows = [[], ["Who", "Tea"], [], ["a", "b"], [None, None], ["\xa0", ""], ["c", "d"], []]
    path = book(tmp_path, {"A": rows})
    answers = read_answers(path, TEA)
    assert [(line, key) for chunk in chunks(answers, TEA) for _, line, key, _ in chunk] == [
        (4, b"a"), (6, b"\xc2\xa0"), (7, b"c"),
    ]  # fmt: skip
    assert read_answers(path, contract("Who", "Tea", blank_rows="skip")).rows == 2


def test_cells_beyond_the_header_are_nameless_columns(tmp_path: Path) -> None:
    answers = read_answers(book(tmp_path, {"A": [["Who", "Tea"], ["a", "b", "seen"]]}), TEA)
    assert answers.header == ("Who", "Tea", "#3")
    assert answers.notes[0] == "column 3 (C) has no name: sent as #3"


def test_a_decimal_comma_that_the_contract_declares_is_for_cells_of_text(tmp_path: Path) -> None:
    path = book(tmp_path, {"A": [["Who", "Tea"], ["a", "1,5"], ["b", 1.5], ["c", 2]]})
    survey = contract("Who", "Tea", kind="decimal(5,2)", decimal=",", delimiter=";", encoding="windows-1252")
    assert [tea for _, tea in sent(path, survey)] == ["1.5", "1.5", "2"]


def test_the_header_may_be_a_lower_row(tmp_path: Path) -> None:
    path = book(tmp_path, {"A": [["Q1", "Q2"], ["Who", "Tea"], ["a", "b"]]})
    assert sent(path, contract("Who", "Tea", header_rows=2, header_row=2)) == [["a", "b"]]
    with pytest.raises(InputError, match="line 1: this is not the header") as caught:
        read_answers(path, TEA)
    assert caught.value.hint == "Line 2 has them all: delete the lines above it."


# --- sheets


TWO: Sheets = {"Answers": [["Who", "Tea"], ["a", "b"]], "Notes": [["x"], ["y"]]}


def test_of_several_sheets_the_contract_says_which(tmp_path: Path) -> None:
    path = book(tmp_path, TWO)
    assert sent(path, contract("Who", "Tea", sheet="Answers")) == [["a", "b"]]
    with pytest.raises(InputError, match=r"has 2 sheets: Answers, Notes") as caught:
        read_answers(path, TEA)
    assert caught.value.hint.endswith('under [input], which one has the answers, such as sheet = "Answers".')


def test_hidden_and_empty_sheets_are_no_choice(tmp_path: Path) -> None:
    assert sent(book(tmp_path, {**TWO, "Empty": []}, hidden="Notes")) == [["a", "b"]]


def test_a_sheet_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no sheet 'Answer', as \[input\] says; it has Answers, Notes"):
        read_answers(book(tmp_path, TWO), contract("Who", "Tea", sheet="Answer"))


@pytest.mark.parametrize("rows", [[], [["Who", "Tea"]]])
def test_a_workbook_without_answers_is_refused(tmp_path: Path, rows: list[list[Any]]) -> None:
    with pytest.raises(InputError, match=r"is empty|has a header and no answers"):
        read_answers(book(tmp_path, {"A": rows}), TEA)


def test_a_workbook_that_is_cut_off_is_named(tmp_path: Path) -> None:
    path = book(tmp_path, TWO)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(InputError, match="broken or cut off"):
        read_answers(path, TEA)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300))
def test_a_number_is_written_with_digits_and_at_most_one_point(number: float) -> None:
    text = text_of(number)
    assert set(text) <= set("-0123456789.") and text.count(".") <= 1
    assert float(text) == float(f"{number:.15g}")


def test_an_encoding_that_the_contract_declares_is_not_a_workbook_s(tmp_path: Path) -> None:
    """In Windows-1252 these letters would be bytes of UTF-8, and a CSV with them refused."""
    path = book(tmp_path, {"A": [["Who", "Tea"], ["a", "Ã©"], ["b", "茶"]]})
    assert sent(path, contract("Who", "Tea", encoding="windows-1252")) == [["a", "Ã©"], ["b", "茶"]]
    path = book(tmp_path, {"A": [["Who", "Tea"], ["a", "Ã©"]]})
    assert sent(path, contract("Who", "Tea", encoding="windows-1252")) == [["a", "Ã©"]]


def test_a_workbook_that_changed_after_it_was_checked_is_not_sent(tmp_path: Path) -> None:
    path = book(tmp_path, {"A": [["Who", "Tea"], ["a", "b"]]})
    answers = read_answers(path, TEA)
    book(tmp_path, {"A": [["Who", "Tea"], ["a", "something longer"]]})
    with pytest.raises(InputError, match="changed while it was read"):
        list(chunks(answers, TEA))
