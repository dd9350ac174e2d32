"""A CSV is read as it is: nothing is changed, and what cannot be sent is named by its line."""

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.tea_survey import CONTRACT, read
from surveylake.errors import InputError
from surveylake.produce.csv_rows import Answers, chunks, read_answers
from surveylake.produce.delivery import Record


def all_records(answers: Answers, row_key: bool = False, sent: bytearray | None = None) -> list[Record]:
    return [record for chunk in chunks(answers, CONTRACT, row_key, sent) for record in chunk]


def refusal(tmp_path: Path, content: str | bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(tmp_path, content)
    assert caught.value.hint
    return f"{caught.value.message} | {caught.value.hint}"


def test_a_row_becomes_a_json_object_of_strings(tmp_path: Path) -> None:
    answers = read(tmp_path, "Who,Tea\na,Assam\nb,Žō \n")
    assert all_records(answers) == [
        (0, 2, b"a", b'{"Who": "a", "Tea": "Assam"}'),
        (1, 3, b"b", '{"Who": "b", "Tea": "Žō "}'.encode()),
    ]


def test_extra_columns_are_sent_along_in_their_place(tmp_path: Path) -> None:
    answers = read(tmp_path, "When,Tea,Who 100%\n".replace("Who 100%", "Who,100%") + "now,Assam,a,x\n")
    assert all_records(answers)[0][3] == b'{"When": "now", "Tea": "Assam", "Who": "a", "100%": "x"}'
    assert answers.notes == ("columns the contract does not name are sent along: When, 100%",)


def test_the_key_may_be_the_row_number(tmp_path: Path) -> None:
    answers = read(tmp_path, "Who,Tea\nx,1\ny,2\n")
    assert [key for _, _, key, _ in all_records(answers, row_key=True)] == [b"0", b"1"]


def test_rows_marked_as_sent_are_left_out(tmp_path: Path) -> None:
    answers = read(tmp_path, "Who,Tea\nx,1\ny,2\nz,3\n")
    assert [row for row, *_ in all_records(answers, sent=bytearray([1, 0, 1]))] == [1]


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_byte_order_mark_and_quotes_do_not_make_another_file(
    tmp_path: Path, end: str, mark: bytes
) -> None:
    plain = read(tmp_path, "Who,Tea\na,Assam\n")
    other = read(tmp_path, mark + end.join(["Who,Tea", '"a",Assam', "", ""]).encode())
    assert other.source == plain.source
    assert all_records(other) == all_records(plain)
    assert bool(other.notes) == bool(mark)


def test_a_changed_cell_makes_another_file(tmp_path: Path) -> None:
    contents = [
        "Who,Tea\na,b\n",
        "Who,Tea\na,b \n",
        "Who,Tea\na,b\na,b\n",
        "Tea,Who\na,b\n",
        "Who,Tea,X\na,b,\n",
    ]
    assert len({read(tmp_path, content).source for content in contents}) == len(contents)


def test_a_quoted_line_end_stays_in_its_cell(tmp_path: Path) -> None:
    answers = read(tmp_path, 'Who,Tea\r\na,"one\r\ntwo"\r\nb,x\r\n')
    assert [(line, json.loads(value or b"")["Tea"]) for _, line, _, value in all_records(answers)] == [
        (2, "one\r\ntwo"),
        (4, "x"),
    ]


def test_a_cell_of_a_megabyte_is_read(tmp_path: Path) -> None:
    answers = read(tmp_path, f"Who,Tea\na,{'x' * 1_000_000}\n")
    assert len(all_records(answers)[0][3] or b"") == 1_000_000 + 23


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (b"a", "has 1 cell, the header 2"),
        (b"a;b", "has 1 cell, the header 2; ';' stand in it, and no comma"),
        (b"a,b,c", "has 3 cells, the header 2"),
        (b"a,caf\xe9", "is not UTF-8 (byte 0xE9 in Tea; é in Windows-1252)"),
        (b"a,\xed\xa0\x80", "is not UTF-8 (byte 0xED in Tea; í in Windows-1252)"),
        (b"a,x\0y", "holds a NUL character"),
        (b'a,"x"y', "a quote is opened and not closed, or followed by something other than a comma"),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_numbered_without_it(
    tmp_path: Path, row: bytes, problem: str
) -> None:
    answers = read(tmp_path, b"Who,Tea\ng,1\n" + row + b"\nh,2\n")
    assert answers.bad == {3: problem}
    assert answers.describe_bad().splitlines()[0] == f"  line 3: {problem}"
    assert [(number, line, key) for number, line, key, _ in all_records(answers)] == [
        (0, 2, b"g"),
        (1, 4, b"h"),
    ]
    assert answers.source == read(tmp_path, b"Who,Tea\ng,1\nh,2\n").source


def test_a_quote_never_closed_is_named_where_it_begins(tmp_path: Path) -> None:
    answers = read(tmp_path, 'Who,Tea\na,1\nb,"2\nc,3\nd,4\n')
    assert list(answers.bad) == [3]
    assert answers.rows == 1


def test_only_the_first_bad_lines_are_spelt_out(tmp_path: Path) -> None:
    lines = read(tmp_path, "Who,Tea\n" + "x\n1,2,3\n" * 15).describe_bad().splitlines()
    assert (len(lines), lines[-1]) == (21, "  and 10 more")


def test_alike_bad_lines_that_follow_each_other_are_told_together(tmp_path: Path) -> None:
    message = read(tmp_path, "Who,Tea\n" + "x\n" * 2_500 + "a,b\n\nx\n").describe_bad()
    assert (
        message == "  lines 2 to 2501: each has 1 cell, the header 2\n  line 2504: has 1 cell, the header 2"
    )


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"\xef\xbb\xbf", b"\r\n\r\n"):
        assert "is empty" in refusal(tmp_path, content)


def test_a_header_alone_is_refused(tmp_path: Path) -> None:
    assert "has a header and no answers" in refusal(tmp_path, "Who,Tea\r\n")


def test_a_header_without_contract_fields_names_them_and_what_looks_like_them(tmp_path: Path) -> None:
    assert "line 1: the header lacks Who, Tea (it has ' tea')" in refusal(tmp_path, "Name, tea\na,b\n")


def test_a_name_that_may_be_missing_is_not_sent_in_another_case(tmp_path: Path) -> None:
    """The stream would reject every record (`wrong_case`)."""
    later = CONTRACT.fields["tea"].model_copy(update={"when_absent": "blank"})
    contract = CONTRACT.model_copy(update={"fields": {**CONTRACT.fields, "tea": later}})
    path = tmp_path / "tea.csv"
    path.write_text("Who,TEA\na,b\n")
    with pytest.raises(InputError) as caught:
        read_answers(path, contract)
    assert "line 1: the header lacks Tea (it has 'TEA')" in caught.value.message
    assert "The contract 'tea' asks for Who, Tea; rename the columns" in caught.value.hint
    for header in ("Who", "Who,Tea time", "Who,Tea,TEA"):
        path.write_text(f"{header}\n{','.join('a' for _ in header.split(','))}\n")
        assert read_answers(path, contract).header == tuple(header.split(","))


def test_another_separator_is_recognised(tmp_path: Path) -> None:
    assert "line 1: cells are separated by ';', not by commas" in refusal(tmp_path, "Who;Tea\na;b\n")


def test_a_header_that_names_a_column_of_the_contract_twice_is_refused(tmp_path: Path) -> None:
    assert "columns 2 (B), 3 (C) are both called 'Tea'" in refusal(tmp_path, "Who,Tea,Tea\na,b,c\n")


def test_other_encodings_are_named_and_not_guessed(tmp_path: Path) -> None:
    assert "UTF-16" in refusal(tmp_path, "Who,Tea\na,b\n".encode("utf-16"))
    assert "line 1: the header is not UTF-8" in refusal(tmp_path, b"Who,Tea,Caf\xe9\na,b,c\n")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file at"):
        read_answers(tmp_path / "none.csv", CONTRACT)
    with pytest.raises(InputError, match="not a regular file"):
        read_answers(tmp_path, CONTRACT)


def test_a_file_that_changes_between_reading_and_sending_is_refused(tmp_path: Path) -> None:
    answers = read(tmp_path, "Who,Tea\na,b\n")
    with answers.path.open("a") as file:
        file.write("c,d\n")
    with pytest.raises(InputError, match="changed while it was read"):
        all_records(answers)


@given(
    st.lists(
        st.tuples(*[st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"))] * 2),
        min_size=1,
    )
)
def test_every_text_arrives_as_json_dumps_writes_it(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([("Who", "Tea"), *rows])
    values = [value for chunk in chunks(read_answers(path, CONTRACT), CONTRACT) for *_, value in chunk]
    assert values == [json.dumps({"Who": who, "Tea": tea}, ensure_ascii=False).encode() for who, tea in rows]
