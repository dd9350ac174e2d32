"""Which file a record is of: the same where the same records would be sent, another where others would."""

import hashlib
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from surveylake.contract.model import Contract
from surveylake.produce.csv_rows import chunks, read_answers

PRICES = "Who;Price\na;1,5\nb;2\n"
COMMA = {"delimiter": ";", "decimal": ","}


def contract(key: str = "who", kind: str = "string", missing: tuple[str, ...] = (), **form: Any) -> Contract:
    fields = {
        "who": {"source": "Who", "type": "string", "required": True},
        "price": {"source": "Price", "type": kind, "missing": list(missing)},
    }
    return Contract.model_validate(
        {"name": "tea", "title": "Tea", "topic": "Tea", "key": key, "fields": fields, "input": form}
    )


def source(tmp_path: Path, content: str, survey: Contract) -> str:
    path = tmp_path / "tea.csv"
    path.write_text(content, encoding="utf-8")
    return read_answers(path, survey).source


def plain_source(*texts: str) -> str:
    """What the headers of records have had since the first release, for two columns: their names, then the cells."""
    return hashlib.sha256(b"2\0" + "".join(f"{text}\0" for text in texts).encode()).hexdigest()


def test_what_is_in_topics_already_keeps_its_file(tmp_path: Path) -> None:
    assert source(tmp_path, "Who,Price\na,1.5\n", contract()) == plain_source("Who", "Price", "a", "1.5")
    other = contract(kind="decimal(5,2)", encoding="windows-1252")
    assert source(tmp_path, "Who,Price\na,1.5\n", other) == plain_source("Who", "Price", "a", "1.5")
    no_comma = source(tmp_path, "Who;Price\na;2\n", contract(kind="decimal(5,2)", **COMMA))
    assert no_comma == plain_source("Who", "Price", "a", "2")


@pytest.mark.parametrize(
    ("wrong", "corrected"),
    [
        (contract(kind="decimal(5,2)", delimiter=";"), contract(kind="decimal(5,2)", **COMMA)),
        (contract(**COMMA), contract(kind="decimal(5,2)", **COMMA)),
        (
            contract(kind="decimal(5,2)", **COMMA, missing=("1,5",)),
            contract(kind="decimal(5,2)", **COMMA),
        ),
        (contract(delimiter=";"), contract("row", delimiter=";")),
        (contract("row", delimiter=";"), contract(delimiter=";")),
    ],
    ids=["decimal", "type", "missing", "to row", "from row"],
)
def test_records_that_a_corrected_contract_makes_others_are_of_another_file(
    tmp_path: Path, wrong: Contract, corrected: Contract
) -> None:
    """Else they count as sent, and the wrong ones stay the only ones."""
    assert source(tmp_path, PRICES, wrong) != source(tmp_path, PRICES, corrected)


def test_a_comma_that_is_sent_as_a_point_is_the_file_with_the_point(tmp_path: Path) -> None:
    by_comma = source(tmp_path, PRICES, contract(kind="decimal(5,2)", **COMMA))
    assert by_comma == plain_source("Who", "Price", "a", "1.5", "b", "2")


def test_a_workbook_and_its_csv_with_commas_are_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "tea.xlsx"
    book = openpyxl.Workbook()
    for row in (["Who", "Price"], ["a", 1.5], ["b", 2]):
        book.active.append(row)
    book.save(path)
    survey = contract(kind="decimal(5,2)", **COMMA)
    assert read_answers(path, survey).source == source(tmp_path, PRICES, survey)


def test_a_row_that_is_a_person_is_named_by_the_file_that_its_record_is_of(tmp_path: Path) -> None:
    survey = contract("row", delimiter=";")
    path = tmp_path / "tea.csv"
    path.write_text(PRICES, encoding="utf-8")
    answers = read_answers(path, survey)
    keys = [key.decode() for chunk in chunks(answers, survey) for _, _, key, _ in chunk]
    assert keys == [f"{answers.source[:12]}-0", f"{answers.source[:12]}-1"]
