"""The guess for one column: words for a missing answer first, then numbers, days and times, and answers in words."""

from collections.abc import Sequence

from surveylake.contract.input_format import Input
from surveylake.draft.answer_lists import answers_guess
from surveylake.draft.column_facts import Column
from surveylake.draft.dates_guess import date_guess
from surveylake.draft.guess import Guess, Line, shown
from surveylake.draft.numbers_guess import has_comma_numbers, number_guess
from surveylake.draft.words import MISSING, MISSING_NUMBER
from surveylake.wording import counted


def column_guess(column: Column, form: Input) -> Guess:
    """Return the guess for a column, with the words for a missing answer."""
    texts, is_complete = column.ordered(), not column.unseen
    if not texts:
        return Guess("string", "nobody answered")
    without = _without(texts, MISSING_NUMBER)
    typed = (
        number_guess(without, form.decimal, is_complete) or date_guess(without, form.delimiter, is_complete)
        if without
        else None
    )
    if not typed:
        without = _without(texts, MISSING) or texts
    guess = typed or answers_guess(without, is_complete)
    if typed and not is_complete and not guess.has("when_wrong"):
        guess = guess.with_lines(
            Line("when_wrong", "blank", f"{counted(column.unseen, 'answer')} not looked at")
        )
    missing = {text: number for text, number in texts.items() if text not in without}
    if not missing:
        return guess
    return guess.with_lines(Line("missing", sorted(missing), f"no answers by their words: {shown(missing)}"))


def answers_of(guess: Guess, column: Column) -> dict[str, int]:
    """Return the answers of a column, the most frequent first, without the words for a missing one."""
    missing: list[str] = next((line.value for line in guess.lines if line.key == "missing"), [])
    return {text: number for text, number in column.ordered().items() if text not in missing}


def decimal_mark(columns: Sequence[Column]) -> tuple[str, str]:
    """Return the decimal mark of the file's numbers, and why; no reason for the point."""
    commas = [column for column in columns if has_comma_numbers(column.texts)]
    if not commas or any(_has_fractions(column) for column in columns):
        return ".", ""
    found = [next(text for text in column.ordered() if "," in text) for column in commas]
    return ",", f"numbers are written so: {shown(found)}"


def _has_fractions(column: Column) -> bool:
    """Return whether a column is numbers, some with a point."""
    guess = number_guess(_without(column.texts, MISSING_NUMBER), ".", True) if column.texts else None
    return guess is not None and guess.type != "integer"


def _without(texts: dict[str, int], words: set[str]) -> dict[str, int]:
    return {text: number for text, number in texts.items() if text.casefold() not in words}
