"""Numbers as text: a measure whole or rounded and never with an exponent, a share on its side of the level."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveylake.export.formatting import measured, p_value, percent_in_words, statistic

LEVEL = 0.05


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1234567.0, "1,234,567"), (123456789012345.0, "123,456,789,012,345"), (1234567, "1,234,567"), (1234567.25, "1,234,567.25"), (2e6, "2,000,000"), (32.0, "32"), (0.0, "0"), (-0.0, "0"),
        (28.5, "28.5"), (12.55, "12.55"), (33.157576, "33.16"), (172.001, "172.0"), (-20.0, "-20"), (-5.25, "-5.25"), (0.02, "0.02"),
        (0.0366666667, "0.0367"), (0.5, "0.5"), (-0.0333333, "-0.0333"), (0.9999, "1.0"), (0.1 + 0.2, "0.3"), (29.999999999999996, "30"),
        (None, "–"), (float("nan"), "–"),
    ],
)  # fmt: skip
def test_a_measure_is_written_as_people_write_numbers(number, text):
    assert measured(number) == text


@pytest.mark.parametrize(
    ("number", "kind", "text"),
    [
        (33.157576, "mean", "33.2"), (11.075105, "sd", "11.1"), (36.0, "mean", "36"), (27.04, "mean", "27.0"), (0.0366667, "mean", "0.0367"),
        (0.0123, "sd", "0.0123"), (28.5, "median", "28.5"), (12.55, "min", "12.55"), (80, "max", "80"), (None, "mean", "–"),
    ],
)  # fmt: skip
def test_a_mean_is_rounded_and_an_answer_is_not(number, kind, text):
    assert statistic(number, kind) == text


@given(st.floats(1e-9, 1e15, exclude_max=True) | st.integers(0, 10**9).map(lambda n: n / 1000), st.booleans())
def test_a_measure_is_near_its_text_and_has_no_exponent(size, is_below_zero):
    number = -size if is_below_zero else size
    text = measured(number)
    assert re.fullmatch(r"-?\d{1,3}(,\d{3})*(\.\d+)?", text)
    off = abs(float(text.replace(",", "")) - number)
    assert off <= (0.0051 + 1e-11 * size if size >= 1 else 0.0051 * size)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_number_is_too_long_for_a_chart(number):
    assert len(measured(number)) < 26


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0497, "4.97 %"), (0.0503, "5.03 %"), (0.04998, "4.998 %"), (0.05, "5.0 %"), (0.0494, "4.9 %"), (0.0506, "5.1 %"),
        (0.008, "0.8 %"), (0.0001, "fewer than 0.1 %"), (0.9999, "more than 99.9 %"), (1.0, "100.0 %"),
    ],
)  # fmt: skip
def test_a_share_that_is_compared_with_a_level_has_the_digits_that_tell_it_apart(p, text):
    assert percent_in_words(p, LEVEL) == text


def test_a_share_that_is_compared_with_nothing_has_one_digit():
    assert percent_in_words(0.0497) == "5.0 %"


@given(
    st.floats(0, 1)
    | st.integers(-50, 50).map(lambda n: 0.05 + n * math.ulp(0.05))
    | st.floats(0.0499, 0.0501)
)
def test_words_put_every_p_on_its_side(p):
    said = float(re.search(r"[\d.]+", percent_in_words(p, LEVEL))[0])
    stated = float(p_value(p).split()[-1])
    for near in (said / 100, stated):
        assert (near < LEVEL) == (p < LEVEL) or (100 * p == 5.0 and p != LEVEL), (p, said, stated)
