"""Files as people have them: read in the form that the contract declares, refused where they have another."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveylake.contract.model import Contract
from surveylake.errors import ConfigError, InputError
from surveylake.produce.csv_rows import chunks, read_answers
from surveylake.produce.generator import Plan, write_csv


def contract(*sources: str, number: str = "", **form: Any) -> Contract:
    """A contract whose fields are the sources, the first of them the key; the field `number` is a decimal."""
    fields = {
        f"f{at}": {
            "source": name,
            "type": "decimal(12,4)" if name == number else "string",
            "required": at == 0,
        }
        for at, name in enumerate(sources)
    }
    return Contract.model_validate(
        {"name": "tea", "title": "Tea", "topic": "Tea", "key": "f0", "fields": fields, "input": form}
    )


def sent(path: Path, survey: Contract) -> list[dict[str, str]]:
    """What goes to Kafka; no line is bad."""
    answers = read_answers(path, survey)
    assert answers.bad == {}
    return [json.loads(value) for chunk in chunks(answers, survey) for *_, value in chunk]


def file(tmp_path: Path, content: str | bytes, name: str = "tea.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("content", "form"),
    [
        ("Who;Tea\na;b,c\n", {"delimiter": ";"}),
        ("Who\tTea\na\tb,c\n", {"delimiter": "\t"}),
        ("Who|Tea\na|b,c\n", {"delimiter": "|"}),
        ("Who,Tea\na,'b,c'\n", {"quote": "'"}),
        ("Who;Tea\na;b,c\n", {"delimiter": ";", "quote": ""}),
        ("# made by a machine\nWho,Tea\n#\n# \"\na,\"b,c\"\n", {"comment": "#"}),
        ("Who,Tea\n,\na,\"b,c\"\n  ,\n", {"blank_rows": "skip"}),
        ("sep=;\r\nWho;Tea\r\na;b,c\r\n", {"delimiter": ";"}),
        ("Q1,Q2\nWho,Tea\n{id},{id}\na,\"b,c\"\n", {"header_rows": 3, "header_row": 2}),
        ("Who;Tea\na;b,c\n".encode("utf-16"), {"delimiter": ";", "encoding": "utf-16"}),
        ("Who;Tea\na;b,c\n".encode("utf-16-le"), {"delimiter": ";", "encoding": "UTF-16-LE"}),
    ],
)  # fmt: skip
def test_a_file_in_the_form_that_is_declared_is_sent(
    tmp_path: Path, content: str | bytes, form: dict[str, Any]
) -> None:
    assert sent(file(tmp_path, content), contract("Who", "Tea", **form)) == [{"Who": "a", "Tea": "b,c"}]


@pytest.mark.parametrize("encoding", ["windows-1252", "iso-8859-1", "mac-roman", "cp850"])
def test_letters_of_another_encoding_are_letters(tmp_path: Path, encoding: str) -> None:
    content = "Who,Thé\na,São-tomense é\n".encode(encoding)
    assert sent(file(tmp_path, content), contract("Who", "Thé", encoding=encoding)) == [
        {"Who": "a", "Thé": "São-tomense é"}
    ]


def test_a_gz_is_unpacked_as_it_is_read_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    packed = gzip.compress(b"Who,Tea\n" + b"".join(b"%d,b\n" % n for n in range(50_000)))
    path = file(tmp_path, packed, "tea.csv.gz")
    assert len(sent(path, contract("Who", "Tea"))) == 50_000
    path.write_bytes(packed[:-900])
    with pytest.raises(InputError, match="packed with gzip, and cut off or damaged"):
        read_answers(path, contract("Who", "Tea"))


def test_a_decimal_comma_becomes_a_point_in_numbers_only(tmp_path: Path) -> None:
    path = file(tmp_path, "Who;Tea;Price\na;1,5;1,5\nb;x;\nc;x;-0,25\n")
    survey = contract("Who", "Tea", "Price", number="Price", delimiter=";", decimal=",")
    assert [(row["Tea"], row["Price"]) for row in sent(path, survey)] == [
        ("1,5", "1.5"), ("x", ""), ("x", "-0.25"),
    ]  # fmt: skip


def test_a_point_where_the_mark_is_a_comma_is_a_bad_line_and_no_thousandth_of_what_was_meant(
    tmp_path: Path,
) -> None:
    path = file(tmp_path, "Who;Price\na;1.500\nb;1,5\n")
    answers = read_answers(path, contract("Who", "Price", number="Price", delimiter=";", decimal=","))
    assert answers.bad == {2: "has a point in Price, and its decimal mark is a comma by [input]"}


def test_words_in_a_column_of_numbers_stay_as_they_are_where_the_mark_is_a_comma(tmp_path: Path) -> None:
    """With a point or a comma in them: those for no answer, and those that the stream will judge."""
    cells = [
        "k.A.",
        " n.a. ",
        ".",
        "99,9",
        "ca. 3,5",
        "01.02.2024",
        "1,5-2,5",
        "1,2,3",
        "5,5 e",
        "1,5",
        "1,5e3",
    ]
    path = file(tmp_path, "Who;Price\n" + "".join(f"a{at};{cell}\n" for at, cell in enumerate(cells)))
    survey = contract("Who", "Price", number="Price", delimiter=";", decimal=",")
    price = survey.fields["f1"].model_copy(update={"missing": ["k.A.", "n.a.", "99,9"]})
    survey = survey.model_copy(update={"fields": {**survey.fields, "f1": price}})
    assert [row["Price"] for row in sent(path, survey)] == [*cells[:9], "1.5", "1.5e3"]
    for thousands in ("1.500", "1.234,5", "-1.234.567", ".5"):
        path.write_text(f"Who;Price\na;{thousands}\nb;1,5\n")
        assert list(read_answers(path, survey).bad) == [2], thousands


# --- a wrong declaration


@pytest.mark.parametrize(
    ("content", "form", "message", "todo"),
    [
        ("Who,Tea\na,b\n", {"delimiter": ";"},
         "line 1: cells are separated by commas, not by ';'", "Correct delimiter under [input]"),
        ("Who;Tea\na;b\n", {"delimiter": "\t"},
         "line 1: cells are separated by ';', not by tabs", "Correct delimiter under [input]"),
        ("Who;Tea\na;b\n", {},
         "line 1: cells are separated by ';', not by commas", 'under [input], delimiter = ";"'),
        ("sep=,\nWho,Tea\na,b\n", {"delimiter": ";"},
         "line 1: is 'sep=,', which only spreadsheets read", "Delete line 1."),
        ("Who,Tea\na,b\nc,Café\n", {"encoding": "windows-1252"},
         "line 3: this is UTF-8, and the contract says encoding = cp1252", "Correct encoding under [input]"),
        ("Who,Tea\na,b\n".encode("utf-16"), {},
         "is UTF-16, not UTF-8", 'under [input], encoding = "utf-16"'),
        ("Who,Tea\na,b\n".encode("utf-16-le"), {"encoding": "utf-16"},
         "is UTF-16-LE without a byte order mark, not utf-16", 'under [input], encoding = "utf-16-le"'),
        ("Who,Tea\na,b\n".encode("utf-32-be"), {"encoding": "utf-32"},
         "is UTF-32-BE without a byte order mark, not utf-32", 'under [input], encoding = "utf-32-be"'),
        ("Who,Tea\na,b\n".encode("utf-16"), {"encoding": "windows-1252"}, "is UTF-16, not cp1252", "utf-16"),
        (b"Who,Tea\na,b\nc", {"encoding": "utf-16"}, "is not utf-16, as [input] says", "Correct encoding"),
        ("Who,Tea\na,b\n", {"header_rows": 2, "header_row": 2},
         "line 2: this is not the header", "correct header_rows and header_row"),
        ("Who,Tea\n", {"header_rows": 3}, "has 1 of the 3 header rows", "Correct header_rows"),
    ],
)  # fmt: skip
def test_another_form_than_the_declared_one_is_refused_with_what_it_looks_like(
    tmp_path: Path, content: str | bytes, form: dict[str, Any], message: str, todo: str
) -> None:
    with pytest.raises(InputError) as refused:
        read_answers(file(tmp_path, content), contract("Who", "Tea", **form))
    assert message in refused.value.message
    assert todo in refused.value.hint


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"delimiter": ";;"}, "must be one character between two cells"),
        ({"delimiter": '"'}, "must be one character between two cells"),
        ({"encoding": "ansi-1252"}, "is no encoding; usual ones are"),
        ({"encoding": "base64"}, "is no encoding; usual ones are"),
        ({"header_row": 2}, "header_row 2 is below the 1 header_rows"),
        ({"comment": ","}, "is the delimiter or the quote"),
        ({"delimiter": "'", "quote": "'"}, "is the delimiter; cells are quoted by another character"),
        ({"comment": "//"}, "must be one character"),
    ],
)
def test_a_form_that_cannot_be_is_refused(form: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, ValueError), match=message):
        contract("Who", "Tea", **form)


# --- headers as people make them


@pytest.mark.parametrize(
    ("header", "sources", "names"),
    [
        ("id,Q,Q", ("id", "Q#2"), ["id", "Q#1", "Q#2"]),
        ("id,Q,Q", ("id",), ["id", "Q#1", "Q#2"]),
        ("id,,", ("id", "#3"), ["id", "#2", "#3"]),
        ("id,How old?,x", ("id", "#2"), ["id", "#2", "x"]),
        ('id,"Say ""yes""\nor\tno",x', ("id", "Say 'yes' or no"), ["id", "Say 'yes' or no", "x"]),
        ("id,a\\b,`c`", ("id", "a/b", "'c'"), ["id", "a/b", "'c'"]),
        ("id,😀,x", ("id", "😀"), ["id", "😀", "x"]),
        ("id, spaced  name ,x", ("id", " spaced  name "), ["id", " spaced  name ", "x"]),
    ],
)
def test_a_header_is_taken_as_it_is(
    tmp_path: Path, header: str, sources: tuple[str, ...], names: list[str]
) -> None:
    path = file(tmp_path, f"{header}\n1,2,3\n")
    assert sent(path, contract(*sources)) == [dict(zip(names, ["1", "2", "3"], strict=True))]


def test_a_header_that_would_send_one_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"columns 2 \(B\), 4 \(D\) would both be sent as 'Q#1'"):
        read_answers(file(tmp_path, "id,Q,Q,Q#1\n1,2,3,4\n"), contract("id"))


# --- nobody's id


def test_where_nobody_has_an_id_a_person_is_a_row_of_a_file(tmp_path: Path) -> None:
    survey = Contract.model_validate({
        "name": "tea", "title": "Tea", "topic": "Tea", "key": "row",
        "fields": {"tea": {"source": "Tea", "type": "string"}},
    })  # fmt: skip
    path = file(tmp_path, "Tea,Cups\nAssam,1\nAssam,1\n,\n")
    rows = sent(path, survey)
    ids = [row.pop("#row") for row in rows]
    assert rows == [{"Tea": "Assam", "Cups": "1"}, {"Tea": "Assam", "Cups": "1"}, {"Tea": "", "Cups": ""}]
    assert len(set(ids)) == 3, "two people with the same answers are two"
    assert [row["#row"] for row in sent(file(tmp_path, path.read_bytes(), "copy.csv"), survey)] == ids
    changed = sent(file(tmp_path, "Tea,Cups\nAssam,2\n", "changed.csv"), survey)
    assert changed[0]["#row"] not in ids
    answers = read_answers(path, survey)
    assert [key.decode() for chunk in chunks(answers, survey) for _, _, key, _ in chunk] == ids
    assert list(survey.columns) == ["row", "tea"]
    assert write_csv(Plan(survey, {"Tea": {"Assam": 1}}, 5, 7, 0.0), tmp_path / "made.csv") == 5
    assert (tmp_path / "made.csv").read_text(encoding="utf-8").splitlines()[:2] == ["Tea", "Assam"]


def test_a_field_that_is_called_row_is_a_key_like_any_other(tmp_path: Path) -> None:
    survey = Contract.model_validate({
        "name": "tea", "title": "Tea", "topic": "Tea", "key": "row",
        "fields": {"row": {"source": "No.", "type": "string", "required": True}},
    })  # fmt: skip
    assert sent(file(tmp_path, "No.\n7\n"), survey) == [{"No.": "7"}]


# --- all forms


FORMS = st.fixed_dictionaries({
    "delimiter": st.sampled_from([",", ";", "\t", "|"]),
    "quote": st.sampled_from(['"', "'"]),
    "encoding": st.sampled_from(["utf-8", "utf-16", "windows-1252"]),
    "header_rows": st.integers(1, 3),
    "comment": st.sampled_from(["", "#"]),
})  # fmt: skip
CELLS = st.text(st.sampled_from("ab é;,|'\"\t\n#"), max_size=6)


@given(FORMS, st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_what_is_written_in_a_form_is_read_in_it(
    tmp_path_factory: pytest.TempPathFactory, form: dict[str, Any], cells: list[tuple[str, str]]
) -> None:
    cells = [(f"x{first}", second) for first, second in cells]  # a line that begins with # is a comment
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=form["delimiter"], quotechar=form["quote"], lineterminator="\n")
    writer.writerows([("Who", "Tea")] * form["header_rows"] + cells)
    path = tmp_path_factory.getbasetemp() / "form.csv"
    path.write_bytes(text.getvalue().encode(form["encoding"]))
    assert [(row["Who"], row["Tea"]) for row in sent(path, contract("Who", "Tea", **form))] == cells


def test_made_up_answers_are_written_in_the_form_that_they_are_read_in(tmp_path: Path) -> None:
    survey = contract(
        "Who", "Prix é", number="Prix é", delimiter=";", decimal=",", encoding="windows-1252", header_rows=2
    )
    assert write_csv(Plan(survey, {}, 50, 7, 0.0), tmp_path / "made.csv") == 50
    rows = sent(tmp_path / "made.csv", survey)
    assert len({row["Who"] for row in rows}) == 50
    assert not any("," in row["Prix é"] for row in rows)


def test_the_form_of_the_files_is_no_part_of_the_fingerprint() -> None:
    """Records that are in a lake mean what they meant, however the next file is written."""
    assert contract("Who", delimiter=";").fingerprint == contract("Who").fingerprint
