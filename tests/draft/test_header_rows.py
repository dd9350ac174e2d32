"""Which rows are the header where blank rows stand above it, or line breaks in it: the contract that is drafted reads its own file."""

from pathlib import Path

import pytest

import draft
from surveylake.contract.model import Contract, load_contract
from surveylake.draft import column_facts
from surveylake.draft.file_form import form_of
from surveylake.draft.survey_draft import draft_survey
from surveylake.errors import InputError
from surveylake.produce.csv_rows import read_answers

NAMES, ANSWERS = "id,g,n\n", "A1,F,3\nA2,M,4\n"
NEWS = ("Which news? [{}]", "Which news? [Web]", "Which news? [Radio]")


def drafted(path: Path, text: str) -> Contract:
    """The contract that is drafted from a file of this text."""
    path.write_text(text, encoding="utf-8", newline="")
    assert draft.main([str(path)]) == 0
    return load_contract(path.with_suffix(".toml"))


@pytest.mark.parametrize(("text", "rows", "skipped"), [
    (f",,\n{NAMES}A1,F,3\n,,\nA2,M,4\n", 1, True),
    (f",,\n{NAMES}{ANSWERS}", 1, True),
    (f" ,\t,\n,,\n{NAMES}{ANSWERS}", 1, True),
    (f"Survey 2024,,\n,,\n{NAMES}{ANSWERS}", 2, True),
    (f",,\nSurvey 2024,,\n,,\n{NAMES},,\n{ANSWERS}", 2, True),
    (f"Survey 2024\n\n{NAMES}{ANSWERS}", 2, False),
    (f"{NAMES}{ANSWERS},,\n", 1, True),
    (f"\n{NAMES}{ANSWERS}", 1, False),
])  # fmt: skip
def test_blank_rows_are_no_part_of_the_header(tmp_path: Path, text: str, rows: int, skipped: bool) -> None:
    path = tmp_path / "a.csv"
    contract = drafted(path, text)
    form = contract.input
    assert (form.header_rows, form.header_row, form.blank_rows) == (rows, rows, "skip" if skipped else "send")
    answers = read_answers(path, contract)
    assert (answers.header, answers.rows, answers.bad) == (("id", "g", "n"), 2, {})


def test_a_blank_first_row_over_two_columns_is_no_header(tmp_path: Path) -> None:
    assert read_answers(tmp_path / "a.csv", drafted(tmp_path / "a.csv", ",\nid,g\nA1,F\n")).header == (
        "id",
        "g",
    )


@pytest.mark.parametrize("above", [",,\n", "Survey 2024,,\n,,\n", "\n", ",,\n\n"])
def test_a_large_file_is_read_from_the_same_row_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, above: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{above}{NAMES}{ANSWERS},,\n", encoding="utf-8")
    small = draft_survey(path)
    monkeypatch.setattr(column_facts, "LARGE_BYTES", 0)
    large = draft_survey(path)
    assert (small.facts.rows, small.facts.blank_rows) == (large.facts.rows, large.facts.blank_rows) == (2, 1)
    assert [column.texts for column in small.facts.columns] == [
        column.texts for column in large.facts.columns
    ]
    assert small.form == large.form


@pytest.mark.parametrize(("text", "why"), [
    (f",,\n{NAMES}{ANSWERS}", "1 blank row above the answers"),
    (f",,\n{NAMES}{ANSWERS},,\n,,\n", "1 blank row above the answers, 2 among them"),
    (f"{NAMES}{ANSWERS},,\n", "1 blank row among the answers"),
    (NAMES + ANSWERS, None),
])  # fmt: skip
def test_it_is_said_where_rows_are_blank(tmp_path: Path, text: str, why: str | None) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    assert draft_survey(path).form.why.get("blank_rows") == why


def test_a_file_of_blank_rows_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",,\n , ,\n", encoding="utf-8")
    with pytest.raises(InputError, match="is empty"):
        form_of(path)


@pytest.mark.parametrize(
    "first", ["TV\nnational", "TV\r\nnational", "TV  national", "\u00a0TV\u2003national "]
)
def test_a_choice_is_written_as_answers_are_judged(tmp_path: Path, first: str) -> None:
    headers = ",".join(f'"{name.format(first)}"' for name in NEWS)
    rows = "".join(f"A{at},Yes,No,Yes\nB{at},No,Yes,No\n" for at in range(9))
    contract = drafted(tmp_path / "a.csv", f"id,{headers}\n{rows}")
    assert list(contract.derived["which_news"].choices) == ["TV national", "Web", "Radio"]
    assert contract.derived["which_news"].label == "Which news"


@pytest.mark.parametrize("control", ["\x1c", "\x1d", "\x1e", "\x1f"])
def test_control_characters_that_are_no_blanks_stay_in_an_answer(tmp_path: Path, control: str) -> None:
    rows = "".join(f"A{at},x{control}\nB{at},{control}y\n" for at in range(9))
    contract = drafted(tmp_path / "a.csv", f"id,g\n{rows}")
    assert contract.fields["g"].allowed == [f"{control}y", f"x{control}"]


def test_several_answers_in_a_cell_keep_them_too(tmp_path: Path) -> None:
    rows = "".join(f"A{at},R\x1f;SQL\nB{at},R\x1f\nC{at},SQL\n" for at in range(9))
    assert drafted(tmp_path / "a.csv", f"id,tools\n{rows}").fields["tools"].allowed == ["R\x1f", "SQL"]
