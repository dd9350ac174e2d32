"""Columns of a few whole numbers that several questions share: a battery of questions on one scale."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from surveylake.draft.column_facts import Column
from surveylake.draft.column_guess import answers_of
from surveylake.draft.guess import Guess, Line

LOWEST = (0, 1)
HIGHEST = range(4, 11)
FEWEST_COLUMNS = 3
FEWEST_VALUES = 3


def as_scales(guesses: Sequence[Guess], columns: Sequence[Column]) -> list[Guess]:
    """Return the guesses, those of a battery as scales."""
    values = [_few_values(guess, column) for guess, column in zip(guesses, columns, strict=True)]
    ranges = Counter((min(found), max(found)) for found in values if found)
    batteries = sorted(ends for ends, number in ranges.items() if number >= FEWEST_COLUMNS)
    new = list(guesses)
    for at, found in enumerate(values):
        if found:
            around = [ends for ends in batteries if ends[0] <= min(found) and max(found) <= ends[1]]
            exact = [ends for ends in around if ends == (min(found), max(found))]
            if ends := next(iter(exact or around), None):
                new[at] = _scale(guesses[at], ends, ranges[ends])
    return new


def _few_values(guess: Guess, column: Column) -> set[int]:
    """Return the different numbers of a column that may be a scale; none for any other."""
    texts = answers_of(guess, column) if guess.type == "integer" and not column.unseen else {}
    if not texts or not all(text.isdecimal() and text == str(int(text)) for text in texts):
        return set()
    found = {int(text) for text in texts}
    is_short = min(found) in LOWEST and max(found) in HIGHEST and len(found) >= FEWEST_VALUES
    return found if is_short else set()


def _scale(guess: Guess, ends: tuple[int, int], columns: int) -> Guess:
    steps = [str(step) for step in range(ends[0], ends[1] + 1)]
    why = f"whole numbers from {ends[0]} to {ends[1]} in {columns} columns: a scale by guess; integer has a mean"
    lines = [line for line in guess.lines if line.key == "missing"]
    return replace(guess, type="scale", why=why, role="order", lines=(Line("allowed", steps), *lines))
