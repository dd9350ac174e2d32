"""A file that somebody writes to while it is sent: no row goes out that was not checked."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.tea_survey import CONTRACT, read
from surveylake.errors import InputError
from surveylake.produce import csv_rows
from surveylake.produce.answer_file import stamp_of
from surveylake.produce.csv_rows import chunks, read_answers
from surveylake.produce.delivery import Record


def keys(records: Iterator[list[Record]]) -> Iterator[bytes]:
    return (key for chunk in records for _, _, key, _ in chunk)


@pytest.fixture
def row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row is a chunk of its own."""
    monkeypatch.setattr(csv_rows, "ROWS_PER_CHUNK", 1)


@pytest.mark.parametrize("sent", [None, bytearray([0, 1, 1])], ids=["first", "resumed"])
@pytest.mark.parametrize("more", ["d,4\n", "d", "d,4,5\n", 'd,"', "d,x\0\n"])
def test_of_a_file_that_grows_while_it_is_sent_no_row_goes_out_that_was_not_checked(
    tmp_path: Path, row_by_row: None, sent: bytearray | None, more: str
) -> None:
    """Nothing is seen of it when the file is opened: a process appends to it from then on."""
    answers = read(tmp_path, "Who,Tea\na,1\nb,2\nc,3\n")
    records = chunks(answers, CONTRACT, sent=sent)
    out = [next(records)[0][2]]
    with answers.path.open("a") as file:
        file.write(more)
    with pytest.raises(InputError, match="changed while it was read"):
        out += keys(records)
    assert set(out) <= {b"a", b"b", b"c"}


@pytest.mark.parametrize("more", ["d,4\n", "d", "d,4,5\n"])
@pytest.mark.parametrize("form", [{}, {"decimal": ",", "delimiter": ";"}], ids=["plain", "comma"])
@pytest.mark.parametrize("sent", [None, bytearray([1])], ids=["first", "resumed"])
def test_a_file_that_grew_without_another_time_is_told_by_its_rows(
    tmp_path: Path, more: str, form: dict[str, str], sent: bytearray | None
) -> None:
    mark = form.get("delimiter", ",")
    contract = CONTRACT.model_copy(update={"input": CONTRACT.input.model_copy(update=form)})
    path = tmp_path / "tea.csv"
    path.write_text("Who,Tea\na,1\n".replace(",", mark))
    answers = read_answers(path, contract)
    path.write_text(("Who,Tea\na,1\n" + more).replace(",", mark))
    grown = replace(answers, stamp=stamp_of(path))
    with pytest.raises(InputError, match="changed while it was read"):
        list(chunks(grown, contract, sent=sent))


def test_a_file_of_which_rows_are_gone_is_told(tmp_path: Path) -> None:
    answers = read(tmp_path, "Who,Tea\na,1\nb,2\n")
    answers.path.write_text("Who,Tea\na,1\n")
    with pytest.raises(InputError, match="changed while it was read"):
        list(chunks(replace(answers, stamp=stamp_of(answers.path)), CONTRACT))


def test_a_row_that_is_written_over_while_it_is_sent_does_not_go_out(
    tmp_path: Path, row_by_row: None
) -> None:
    cell = "x" * 20_000  # more than is read ahead
    answers = read(tmp_path, f"Who,Tea\na,{cell}\nb,{cell}\nc,{cell}\n")
    records = chunks(answers, CONTRACT)
    out = [next(records)[0][2]]
    with answers.path.open("r+") as file:
        file.write(f"Who,Tea\na,{cell}\nb,{cell}\nC,{cell}\n")
    with pytest.raises(InputError, match="changed while it was read"):
        out += keys(records)
    assert b"C" not in out


def test_a_file_that_is_replaced_while_it_is_sent_goes_out_as_it_was(
    tmp_path: Path, row_by_row: None
) -> None:
    answers = read(tmp_path, "Who,Tea\na,1\nb,2\n")
    records = chunks(answers, CONTRACT)
    first = next(records)
    (tmp_path / "new").write_text("Who,Tea\nc,3\n")
    (tmp_path / "new").replace(answers.path)
    assert [first[0][2], *keys(records)] == [b"a", b"b"]
