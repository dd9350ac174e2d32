"""docs/contract.md and the model say the same of every key."""

import pytest

from surveylake.contract.fields import SurveyField
from surveylake.standards.key_meanings import meanings
from surveylake.standards.key_reference import BEGIN, END, PAGE, page_with_tables

TEXT = PAGE.read_text("utf-8")


def test_the_page_is_current() -> None:
    assert page_with_tables(TEXT) == TEXT, "the model changed: run make docs"


def test_a_table_that_was_edited_by_hand_is_made_anew() -> None:
    edited = TEXT.replace("| the smallest value (numbers) |", "| something else |")
    assert edited != TEXT
    assert page_with_tables(edited) == TEXT


@pytest.mark.parametrize(
    "page", [TEXT.replace(BEGIN.format("keys of field"), ""), TEXT + BEGIN.format("keys of field")]
)
def test_a_page_without_its_marks_is_no_page(page: str) -> None:
    with pytest.raises(ValueError, match="keys of field"):
        page_with_tables(page)


def test_a_meaning_is_the_text_below_the_key_in_the_model_and_of_the_part_it_builds_on() -> None:
    found = meanings(SurveyField.__name__)
    assert found["min"] == "the smallest value (numbers)"
    assert found["label"].startswith("the question's text")
    assert TEXT.count(END) == 5
