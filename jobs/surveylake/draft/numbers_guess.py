"""Whether a column holds numbers, and which: whole, with a fixed number of decimals, or of any size."""

import re
from dataclasses import dataclass
from itertools import islice

from surveylake.contract.field_types import LARGEST, SMALLEST
from surveylake.draft.guess import TYPED_SHARE, Guess, Line, left_blank, of_cells

NUMBER = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?([eE][+-]?[0-9]+)?")
COMMA_NUMBER = re.compile(r"[+-]?[0-9]+,[0-9]+")
THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
FIRST = 100
"""Texts, the most frequent ones, of which none ends with a digit where a column holds no numbers."""
MOST_DECIMALS = 6
"""A fraction of more digits was computed, and is a double."""
SPARE_DIGITS = 2
"""Digits before the point beyond those that are there."""
LONGEST_DECIMAL = 30
HIGHEST_CODE = 9
FEWEST_PER_CODE = 10
"""Answers per value, for a few whole numbers to be a closed list."""
NO_ANSWER_CODES = {"9", "99", "999", "9999", "-1", "-9", "-99", "-999", "88", "888", "98", "998"}
ID_DIGITS = 9


@dataclass
class Numbers:
    """The numbers among a column's texts."""

    whole: int = 0
    """answers that are whole numbers of 32 bits"""
    large: int = 0
    """answers that are larger whole numbers"""
    fraction: int = 0
    """answers with a point"""
    exponent: int = 0
    padded: int = 0
    """answers with a zero in front, as codes have"""
    digits: int = 0
    """before the point, at most"""
    decimals: int = 0
    low: float = float("inf")
    high: float = float("-inf")

    @property
    def all(self) -> int:
        """Number of answers that are numbers."""
        return self.whole + self.large + self.fraction + self.exponent

    def add(self, text: str, number: int) -> bool:
        """Add the answers with a text. Returns whether it is a number."""
        if not (match := NUMBER.fullmatch(text)):
            return False
        _, digits, decimals, exponent = match.groups()
        value = float(text)
        if abs(value) == float("inf"):
            return False
        if exponent:
            self.exponent += number
        elif decimals is not None:
            self.fraction += number
            self.decimals = max(self.decimals, len(decimals.rstrip("0")))
        elif SMALLEST <= value <= LARGEST:
            self.whole += number
        else:
            self.large += number
        if decimals is None or exponent:
            self.padded += number if len(digits) > 1 and digits[0] == "0" else 0
        if abs(value) <= LARGEST or decimals is not None:
            self.low, self.high = min(self.low, value), max(self.high, value)
        self.digits = max(self.digits, len(digits.lstrip("0")))
        return True


def has_comma_numbers(texts: dict[str, int]) -> bool:
    """Return whether a column is numbers, some with a comma for the decimal mark, and none with a point."""
    if not any("," in text for text in texts):
        return False
    total = sum(texts.values())
    comma = sum(number for text, number in texts.items() if COMMA_NUMBER.fullmatch(text))
    plain = sum(number for text, number in texts.items() if NUMBER.fullmatch(text) and "." not in text)
    grouped = sum(number for text, number in texts.items() if THOUSANDS.fullmatch(text))
    return comma > grouped and comma + plain >= TYPED_SHARE * total and not _has_points(texts)


def _has_points(texts: dict[str, int]) -> bool:
    return any("." in text and NUMBER.fullmatch(text) for text in texts)


def number_guess(texts: dict[str, int], decimal: str, is_complete: bool) -> Guess | None:
    """Return the guess for a column of numbers; None for one that is none."""
    if decimal == "," and any("." in text for text in texts):
        return None  # with a decimal comma a point in a number makes the whole line a bad one
    if not any(text[-1].isdigit() for text in islice(texts, FIRST)):
        return None
    found, other = Numbers(), dict[str, int]()
    for text, number in texts.items():
        if not found.add(text.replace(",", ".") if decimal == "," else text, number):
            other[text] = number
    total = sum(texts.values())
    if not total or found.all < TYPED_SHARE * total or (not is_complete and other):
        return None
    if found.padded or (found.large > 0.5 * total and found.digits >= ID_DIGITS and len(texts) > 0.5 * total):
        return None
    return _typed(found, other, texts, total)


def _typed(found: Numbers, other: dict[str, int], texts: dict[str, int], total: int) -> Guess:
    extent = f"from {found.low:.10g} to {found.high:.10g}"
    if not found.fraction and not found.exponent and found.whole >= TYPED_SHARE * total:
        beyond = {
            text: number for text, number in texts.items() if text not in other and not _is_32_bits(text)
        }
        wrong = {**other, **beyond}
        why = f"{of_cells(total - sum(wrong.values()), total)} are whole numbers, {extent}"
        return Guess("integer", why, left_blank(wrong), "measure").with_lines(
            *_codes(found, wrong, texts, total)
        )
    why = f"{of_cells(found.all, total)} are numbers, {extent}"
    precision = found.digits + SPARE_DIGITS + found.decimals
    if found.exponent or found.decimals > MOST_DECIMALS or precision > LONGEST_DECIMAL:
        return Guess("double", why, left_blank(other), "measure")
    why += f", with {found.decimals} decimals at most"
    return Guess(f"decimal({precision},{found.decimals})", why, left_blank(other), "measure")


def _is_32_bits(text: str) -> bool:
    return SMALLEST <= float(text.replace(",", ".")) <= LARGEST


def _codes(found: Numbers, wrong: dict[str, int], texts: dict[str, int], total: int) -> list[Line]:
    """Return what a few different whole numbers may be: a closed list, or codes with labels."""
    values = sorted({int(text) for text in texts if text not in wrong})
    if 0 <= values[0] <= values[-1] <= HIGHEST_CODE and total >= FEWEST_PER_CODE * len(values) and not wrong:
        hint = (
            'if they are codes: type = "string", and labels = { '
            + ", ".join(f'{v} = "…"' for v in values[:3])
            + " }"
        )
        return [Line("allowed", values, f"{len(values)} different numbers in {total:,} answers; {hint}")]
    suspects = [text for text in texts if text in NO_ANSWER_CODES and _stands_out(float(text), values)]
    if suspects:
        return [
            Line(
                "",
                None,
                f"{shown_codes(suspects, texts)}: if that means no answer, missing = {suspects}".replace(
                    "'", '"'
                ),
            )
        ]
    return []


def _stands_out(value: float, values: list[int]) -> bool:
    """Return whether a value is far from all others: beyond twice the largest, or the only one below zero."""
    others = [other for other in values if other != value]
    return bool(others) and (value > 2 * max(others) + 1 or (value < 0 <= min(others)))


def shown_codes(codes: list[str], texts: dict[str, int]) -> str:
    """Return `99 is there 12 times`."""
    return ", ".join(f"{code} is there {texts[code]:,} times" for code in codes)
