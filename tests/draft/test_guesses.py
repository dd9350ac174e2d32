"""What is guessed of one column, by small examples, and where nothing must be guessed."""

from collections import Counter
from pathlib import Path

import pytest

import draft
from surveylake.contract.input_format import Input
from surveylake.contract.model import load_contract
from surveylake.draft.bands import band_start, before_it_was_a_date
from surveylake.draft.column_facts import Column
from surveylake.draft.column_guess import column_guess
from surveylake.draft.encodings import encoding_of
from surveylake.draft.file_form import form_of
from surveylake.draft.guess import Guess
from surveylake.draft.names import Names, snake
from surveylake.draft.spellings import likely_spellings
from surveylake.draft.survey_draft import draft_survey
from surveylake.produce.csv_rows import read_answers


def guessed(*cells: str, form: Input | None = None) -> Guess:
    """The guess for a column of these cells."""
    column = Column()
    column.add(dict(Counter(cells)))
    return column_guess(column, form or Input())


def value(guess: Guess, key: str) -> object:
    """What the guess says under a key; None where it says nothing."""
    return next((line.value for line in guess.lines if line.key == key), None)


@pytest.mark.parametrize(("cells", "kind"), [
    (["18", "19", "44", "1999"], "integer"),
    (["1.5", "2", "-3.25"], "decimal(5,2)"),
    (["1.5e3", "2"], "double"),
    (["0.30000000000000004", "0.1"], "double"),
    (["007", "012"], "string"),
    (["9999999999", "8888888888", "7777777777"], "string"),
    (["yes", "no", "No"], "boolean"),
    (["2024-05-04", "2024-05-05"], "date"),
    (["2024-05-04T10:11:12Z"], "timestamp"),
    (["8/27/2014 11:29"], "timestamp"),
    (["10:11", "12:00"], "string"),
    (["5 kg", "6 kg"], "string"),
    (["1,234", "2,345"], "string"),
    ([""], "string"),
])  # fmt: skip
def test_a_type_is_recognised(cells: list[str], kind: str) -> None:
    assert guessed(*cells).type == kind


@pytest.mark.parametrize(("cells", "form"), [
    (["8/27/2014", "1/2/2014"], "M/d/yyyy"),
    (["27/8/2014", "1/2/2014"], "d/M/yyyy"),
    (["27.8.2014 9:05", "1.2.2014 10:00"], "d.M.yyyy H:mm"),
    (["8/27/14 1:05 PM"], "M/d/yy h:mm a"),
    (["2014/8/27 9:05:00"], "yyyy/M/d H:mm:ss"),
    (["27-Aug-2014"], "d-MMM-yyyy"),
    (["Aug 27, 2014"], "MMM d, yyyy"),
])  # fmt: skip
def test_a_date_is_read_in_its_format(cells: list[str], form: str) -> None:
    assert value(guessed(*cells), "format") == form


def test_a_date_of_two_meanings_is_marked() -> None:
    line = next(line for line in guessed("1/2/2014", "3/4/2014").lines if line.key == "format")
    assert line.value == "M/d/yyyy"
    assert "AMBIGUOUS" in line.why and "d/M/yyyy" in line.why
    assert value(guessed("1/2/2014", "3/4/2014", form=Input(delimiter=";")), "format") == "d/M/yyyy"


def test_a_few_bad_cells_cost_themselves_only() -> None:
    guess = guessed(*map(str, range(60, 80)), "144 lbs")
    assert (guess.type, value(guess, "when_wrong")) == ("integer", "blank")
    assert guessed("60", "61", "144 lbs").type == "string", "a third is not a few"


def test_words_for_nothing_are_missing_and_not_wrong() -> None:
    guess = guessed("7", "8", "NA", "unknown", "-")
    assert (guess.type, value(guess, "missing"), value(guess, "when_wrong")) == (
        "integer",
        ["-", "NA", "unknown"],
        None,
    )
    assert value(guessed("red", "none", "unknown", "n/a", *["red"] * 9), "missing") == ["n/a"], (
        "none is an answer"
    )


def test_a_code_for_nothing_is_named_and_not_declared() -> None:
    guess = guessed(*map(str, range(1, 31)), "999", "999")
    assert value(guess, "missing") is None
    assert any('missing = ["999"]' in line.why for line in guess.lines)


def test_known_scales_are_in_their_order() -> None:
    guess = guessed(*["Often", "Never", "Sometimes", "Rarely"] * 3)
    assert (guess.type, value(guess, "allowed")) == ("scale", ["Never", "Rarely", "Sometimes", "Often"])
    beside = guessed(*["agree", "disagree", "strongly agree", "don't know"] * 3)
    assert (beside.type, value(beside, "allowed")) == (
        "string",
        ["disagree", "agree", "strongly agree", "don't know"],
    )


def test_bands_are_in_their_order() -> None:
    bands = ["Under 18", "18 - 24", "25-34", "$100,000+", "35 to 44"]
    assert value(guessed(*bands * 3), "allowed") == ["Under 18", "18 - 24", "25-34", "35 to 44", "$100,000+"]
    assert before_it_was_a_date("25-Jun") == "6-25"
    assert before_it_was_a_date("Oct-18") == "10-18"
    assert band_start("I have 3 dogs and 2 cats, and more to come") is None


def test_several_answers_are_a_set_and_sentences_are_not() -> None:
    tools = ["R;SQL", "R", "Python;R", "SQL;Python", "Python", "SQL"] * 2
    assert guessed(*tools).type == "set"
    assert value(guessed(*[cell.replace(";", ", ") for cell in tools]), "separator") == ","
    assert (
        guessed("Well, I think so", "No, not today", "Yes, always, really", "Maybe, who knows").type
        == "string"
    )
    assert guessed(*["bread, cheese", "soup"] * 9).type == "string"


def test_a_long_list_and_free_text_stay_open() -> None:
    assert value(guessed(*[f"town {at % 40}" for at in range(400)]), "allowed") is None
    assert value(guessed("a remark", "another one"), "allowed") is None


def test_likely_spellings_are_found_and_other_answers_are_not() -> None:
    texts = {"Male": 600, "Female": 300, "male": 90, "M": 50, "femake": 1, "malr": 1, "Nah": 1, "F": 9}
    found = likely_spellings(texts)
    assert found == {"Male": ["M", "male", "malr"], "Female": ["F", "femake"]}
    assert likely_spellings({"agree": 90, "disagree": 80, "2021": 50, "2022": 1}) == {}


@pytest.mark.parametrize(("header", "name"), [
    ("Age", "age"), ("¿Cuál es tu género?", "cual_es_tu_genero"), ("RespondentID", "respondent_id"), ("1. Größe (cm)", "q1_grosse_cm"),
    ("timestamp", "timestamp_answer"), ("日本", "column_3"), ("", "column_3"), ("row", "row_answer"), ("blanked", "blanked_answer"),
])  # fmt: skip
def test_names_are_valid_and_free(header: str, name: str) -> None:
    assert Names().take([header], 3) == name


def test_long_headers_become_short_names_and_doubled_ones_their_own() -> None:
    long = "Thinking about the coming holidays, how much do you agree or disagree with this: my family is what matters most to me in life"
    assert len(snake(long)) <= 40
    names = Names()
    assert len({names.take([long], at) for at in range(5)}) == 5


@pytest.mark.parametrize(("text", "encoding"), [
    ("name\nJosé\nMuñoz “yes”\n", "windows-1252"), ("name\nJosé\nMuñoz “yes”\ncafé\n", "mac-roman"), ("имя\nАнна\nПётр\n", "windows-1251"),
    ("name\nJosé\n", "utf-8"), ("name\nJosé\n", "utf-16"), ("name\nJosé\n", "utf-16-le"), ("name\nJosé\n", "utf-16-be"), ("name\nJosé\n", "utf-32-be"),
])  # fmt: skip
def test_an_encoding_is_recognised(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    assert encoding_of(path)[0] == encoding
    assert draft.main([str(path)]) == 0
    assert read_answers(path, load_contract(path.with_suffix(".toml"))).bad == {}


def test_a_bad_byte_after_a_mark_of_utf_8_is_a_bad_line_and_no_other_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("name,tea\nJosé,Chá\nAnna,Chá\n".encode("utf-8-sig") + b"Ren\xe9,Mate\n")
    assert encoding_of(path) == ("utf-8", "")
    assert draft.main([str(path)]) == 0
    answers = read_answers(path, load_contract(path.with_suffix(".toml")))
    assert list(answers.bad) == [4]


def test_a_file_that_is_not_to_its_end_as_it_begins_is_refused_without_a_word_of_a_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("name\nJosé\n".encode("utf-16") + b"\n")
    assert draft.main([str(path)]) == 4
    told = capsys.readouterr().err
    assert "begins as UTF-16, and cannot be read to its end: " in told
    assert "Save it as UTF-8." in told and "[input]" not in told


@pytest.mark.parametrize(("text", "form"), [
    ("id;w\n1;1,5\n2;2,5\n", {"delimiter": ";"}),
    ("id\tw\n1\ta, b\n2\tc\n", {"delimiter": "\t"}),
    ("sep=;\nid;w\n1;2\n", {"delimiter": ";"}),
    ("A title\nid,w,x\n1,2,3\n4,5,6\n", {"header_rows": 2, "header_row": 2}),
    ("Q1,Q2\nHow old?,Where?\n\"{\"\"ImportId\"\":\"\"a\"\"}\",\"{\"\"ImportId\"\":\"\"b\"\"}\"\n1,x\n", {"header_rows": 3}),
    ("id,w\n1,2\n", {}),
    ("only\nyes, I do\nno\n", {"delimiter": ";"}),
])  # fmt: skip
def test_the_form_of_a_file_is_recognised(tmp_path: Path, text: str, form: dict[str, object]) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    assert form_of(path).input == Input().model_copy(update=form)


def test_numbers_of_which_some_have_a_point_keep_the_point(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a;b\n1,5;1.5\n2,5;2.5\n", encoding="utf-8")
    found = draft_survey(path)
    assert found.form.input.decimal == "."
    assert [field.guess.type for field in found.fields] == ["string", "decimal(4,1)"]


@pytest.mark.parametrize(("data", "message"), [
    (b"", "is empty"), (b"a,b\n", "a header and no answers"), (b"PK\x03\x04rest", "zip archive"), (b"<!DOCTYPE html><html></html>", "not a CSV"),
])  # fmt: skip
def test_what_is_no_csv_is_named(
    tmp_path: Path, data: bytes, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    assert draft.main([str(path)]) == 4
    assert message in capsys.readouterr().err
    assert not path.with_suffix(".toml").exists()


def test_a_contract_that_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    path.with_suffix(".toml").write_text("mine")
    assert draft.main([str(path)]) == 2
    assert path.with_suffix(".toml").read_text() == "mine"
    assert draft.main([str(path), "--force"]) == 0


def test_texts_of_a_file_cannot_leave_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    wild = '"""\n[fields.evil]\nx = ""1""\x7f\\ # \'\'\'"'
    path.write_text(
        f'id,"{wild[1:-1]}"\n' + "".join(f"{at},{wild}\n" for at in range(9)) + f"9,{wild}\n",
        encoding="utf-8",
    )
    assert draft.main([str(path)]) == 0
    fields = load_contract(path.with_suffix(".toml")).fields
    assert len(fields) == 2
    assert "evil" not in fields
