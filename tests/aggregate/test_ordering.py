"""The order of a column's values: bands and other texts by the numbers in them, each by its value."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.findings_sample import PLAIN
from surveylake.aggregate.ordering import by_value, has_order


@pytest.mark.parametrize(
    "bands",
    [
        ["1-5", "6-25", "26-100"],
        ["-20 to -11", "-10 to -1", "0 to 9", "10 to 19"],
        ["−20 to −11", "−10 to −1", "0 to 9"],
        ["0.25-0.5", "0.5-1", "1-2.5", "2.75-10"],
        ["0,25-0,5", "0,5-1", "1-2,5", "10-12"],
        ["0.125-0.25", "0.25-0.5"],
        ["-1.5 to -0.5", "-0.5 to 0.5", "0.5 to 1.5"],
        ["500-999", "1,000-4,999", "5,000-19,999", "20,000 and more", "1,000,000 and more"],
        ["500 bis 999", "1.000 bis 4.999", "20.000 und mehr"],
        ["1.2.2024", "1.10.2024", "2.1.2024"],
        ["group 2", "group 10", "Group 11"],
        ["R&D-5", "R&D-10"],
        ["a", "b", "C"],
    ],
    ids=str,
)
def test_texts_are_in_the_order_of_the_numbers_in_them(bands: list[str]) -> None:
    for shown in itertools.islice(itertools.permutations(bands), 24):
        assert sorted(shown, key=by_value(PLAIN, "colour")) == bands


@given(st.lists(st.text(alphabet="0123456789-−., ab٣", max_size=9), max_size=6))
def test_any_texts_can_be_sorted(texts: list[str]) -> None:
    rank, other_way_round = by_value(PLAIN, "colour"), texts[::-1]
    ranked = sorted(texts, key=rank)
    assert sorted(ranked) == sorted(texts)
    assert ranked == sorted(other_way_round, key=rank)


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_two_numbers_are_in_the_order_of_their_values(one: int, other: int) -> None:
    rank = by_value(PLAIN, "colour")
    for write in ("{} kg", "from {}", "{}.5", "{},25 l"):
        if one >= 0 <= other and one != other:
            assert (rank(write.format(one)) < rank(write.format(other))) == (one < other)
    assert (rank(f"{one} to 9") < rank(f"{other} to 9")) == (one < other)


def test_bands_below_zero_keep_their_order_in_a_chart() -> None:
    assert has_order(PLAIN, "colour", ["-10 to -1", "0 to 9"])
    assert not has_order(PLAIN, "colour", ["-", "0 to 9"])
