"""The expressions mean what they say, number by number and day by day."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveylake.standards.text_patterns import DAY, decimals, integers, literal, moments, whole


@given(st.integers(-1500, 1500), st.integers(0, 400), st.integers(-2500, 2500))
def test_integers_are_those_between_the_limits(low: int, length: int, number: int) -> None:
    pattern = whole(integers(low, low + length))
    for text in (number, low - 1, low, low + length, low + length + 1):
        assert bool(re.search(pattern, str(text))) is (low <= text <= low + length)


@pytest.mark.parametrize("text", ["", "05", "-0", "+5", "5.0", " 5", "5\n", "٥", "5x"])
def test_only_plain_digits_are_integers(text: str) -> None:
    assert not re.search(whole(integers(-99, 99)), text)


def test_no_number_lies_between_limits_that_are_crossed() -> None:
    assert not re.search(whole(integers(5, 4)), "5")


@given(st.integers(-300, 300), st.integers(0, 300), st.decimals(-999, 999, places=2))
def test_decimals_are_those_between_the_limits(low: int, length: int, number: Decimal) -> None:
    pattern = whole(decimals(low, low + length, 3, 2))
    assert bool(re.search(pattern, f"{number:.2f}")) is (low <= number <= low + length)


@pytest.mark.parametrize(
    ("text", "fits"), [("0.5", True), ("-0.125", True), ("0", True), ("1", False), ("0.1234", False)]
)
def test_a_decimal_may_have_no_digit_before_the_point_but_zero(text: str, fits: bool) -> None:
    assert bool(re.search(whole(decimals(-1, 1, 0, 3)), text)) is fits


@pytest.mark.parametrize("form", ["", "yyyy-MM-dd", "d/M/yyyy", "dd.MM.yy", "MMM d, yyyy"])
def test_every_day_of_the_calendar_fits(form: str) -> None:
    pattern = re.compile(whole(moments(form) if form else DAY))
    written = {
        "": "{:%Y-%m-%d}", "yyyy-MM-dd": "{:%Y-%m-%d}", "d/M/yyyy": "{:%-d/%-m/%Y}", "dd.MM.yy": "{:%d.%m.%y}",
        "MMM d, yyyy": "{:%b %-d, %Y}",
    }[form]  # fmt: skip
    days = [date(2023, 1, 1) + timedelta(days=n) for n in range(800)]
    assert all(pattern.search(written.format(day)) for day in days)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("", "2023-02-29"), ("", "2024-04-31"), ("", "0000-01-01"), ("", "2100-02-29"), ("", "2024-13-01"), ("", "2024-02-29\n"),
        ("d/M/yyyy", "29/2/2023"), ("d/M/yyyy", "31/4/2024"), ("d/M/yyyy", "30/02/2024"), ("d/M/yyyy", "0/1/2024"),
        ("dd.MM.yy", "29.02.23"), ("dd.MM.yy", "1.02.23"), ("MMM d, yyyy", "Feb 30, 2024"), ("MMM d, yyyy", "Jun 31, 2024"),
    ],
)  # fmt: skip
def test_no_other_day_fits(form: str, text: str) -> None:
    assert not re.search(whole(moments(form) if form else DAY), text)


@given(st.text(max_size=8), st.text(max_size=8))
def test_a_literal_is_itself_and_nothing_else(text: str, other: str) -> None:
    assert re.search(whole(literal(text)), text)
    assert bool(re.search(whole(literal(text)), other)) is (text == other)
