"""What a table shows: small groups stay unnamed, and no small cell can be worked out from the totals around it."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveylake.aggregate.disclosure import (
    HELD,
    MOST_CELLS,
    Answered,
    Group,
    answered,
    hides_nobody,
    lines,
    mask,
    mask_of,
    pooled_name,
)

POOL = pooled_name(5)


def shown(groups: dict[Group, int]) -> dict[Group, int]:
    """The lines of the published table."""
    return lines(groups, mask(Answered(groups, 0), 5))


def test_who_left_a_column_blank_is_in_no_group() -> None:
    everyone = answered({("a", "x"): 3, (None, "x"): 2, ("a", None): 4, (None, None): 1})
    assert (everyone.groups, everyone.base, everyone.blank) == ({("a", "x"): 3}, 3, 7)
    assert everyone.partly == {(None, "x"): 2, ("a", None): 4}


def test_few_of_a_group_who_left_the_other_column_blank_are_protected_and_five_are_not() -> None:
    counts = {("a", "x"): 9, ("b", "x"): 9, ("a", None): 4, ("b", None): 5, (None, "x"): 1, (None, None): 2}
    assert mask_of(("g", "x"), answered(counts), 5).few_partly == {("a", None), (None, "x")}
    turned = {group[::-1]: n for group, n in counts.items()}
    assert mask_of(("x", "g"), answered(turned), 5).few_partly == {(None, "a"), ("x", None)}


def test_a_table_of_one_column_never_hides_a_group_of_five() -> None:
    """Field row A4: F 51 and M 51 are shown, the three others are not named."""
    assert shown({("F",): 51, ("M",): 51, ("X",): 3}) == {("F",): 51, ("M",): 51, (POOL,): 3}
    assert shown({("a",): 5, ("b",): 4, ("c",): 1}) == {("a",): 5, (POOL,): 5}
    assert shown({}) == {}


def test_rare_values_are_pooled_on_their_axis_and_the_table_stays_whole() -> None:
    """Field row A3."""
    groups = {("F", "yes"): 60, ("F", "no"): 40, ("M", "yes"): 50, ("M", "no"): 50}
    singles = {(f"x{n}", "yes"): 1 for n in range(8)}
    assert shown(groups | singles) == {**groups, (POOL, "yes"): 8}


def test_of_fewer_than_five_no_second_column_can_be_worked_out() -> None:
    groups = {
        ("F", "yes"): 60,
        ("F", "no"): 40,
        ("M", "yes"): 50,
        ("M", "no"): 50,
        ("X", "yes"): 2,
        ("X", "no"): 1,
    }
    assert shown(groups) == {("F", "yes"): 60, ("F", "no"): 40, (HELD, HELD): 103}


def test_a_small_cell_takes_a_rectangle_with_the_fewest_people_with_it() -> None:
    """Field row A1: `never` stays, so that its shares can be said."""
    groups = {
        ("F", "often"): 18, ("F", "never"): 70, ("F", "some"): 3, ("M", "often"): 29, ("M", "never"): 58, ("M", "some"): 13,
    }  # fmt: skip
    assert shown(groups) == {("F", "never"): 70, ("M", "never"): 58, (HELD, HELD): 63}


def test_a_cell_without_people_hides_a_small_one_only_as_far_as_it_reaches() -> None:
    """A zero may stand for anybody, but nobody can leave it: more must be held back."""
    groups = {("A", "x"): 3, ("A", "y"): 20, ("B", "y"): 10, ("C", "x"): 30, ("C", "y"): 30}
    assert ("A", "y") not in shown(groups)
    assert ("A", "x") not in shown(groups)


cross_tables = st.dictionaries(
    st.tuples(st.sampled_from("ABCDE"), st.sampled_from("vwxyz")), st.integers(1, 25), min_size=1
)


@settings(max_examples=300, database=None, deadline=None)
@given(cross_tables)
def test_no_person_is_lost_and_no_line_is_small(groups: dict[Group, int]) -> None:
    table = shown(groups)
    assert sum(table.values()) == sum(groups.values())
    assert all(people >= 5 for group, people in table.items() if group != (HELD, HELD))


def test_a_table_of_ten_thousand_cells_is_decided_in_a_moment_and_more_cells_are_pooled() -> None:
    rng = random.Random(1)
    groups = {(str(n // 150), str(n % 150)): rng.randint(1, 30) for n in range(150 * 150)}
    masked = mask(Answered(groups, 0), 5)
    assert len(masked.named[0]) * len(masked.named[1]) <= MOST_CELLS
    assert 0 < len(masked.held) < MOST_CELLS


WHOLE: dict[tuple[str | None, ...], int] = {("F", "yes"): 9, ("F", "no"): 9, ("M", "yes"): 9, ("M", "no"): 9}


def may(
    people: dict[tuple[str | None, ...], int], measured: dict[tuple[str | None, ...], int] | None = None
) -> bool:
    """Whether sums may be said of a table of these people."""
    return hides_nobody(people, people if measured is None else measured, mask(answered(people), 5))


def test_sums_are_said_of_a_table_that_hides_nobody() -> None:
    assert may({("F",): 51, ("M",): 51})
    assert may(WHOLE)
    assert may({("F",): 51, ("M",): 51, (None,): 9})


@pytest.mark.parametrize(
    "more",
    [{("X",): 3}, {(f"x{n}",): 1 for n in range(9)}, {(None,): 3}],
    ids=["a small group", "many small groups", "few who did not answer"],
)
def test_no_sums_are_said_beside_people_of_whom_they_would_tell(
    more: dict[tuple[str | None, ...], int],
) -> None:
    assert not may({("F",): 51, ("M",): 51, **more})


def test_no_sums_are_said_where_fewer_than_five_of_a_group_have_a_measure() -> None:
    people: dict[tuple[str | None, ...], int] = {("F",): 51, ("M",): 51}
    assert not may(people, {("F",): 51, ("M",): 2})
    assert may(people, {("F",): 51})
    assert not may({**people, (None,): 9}, {**people, (None,): 1})


def test_sums_of_two_columns_are_not_said_where_a_cell_is_small_or_few_left_one_blank() -> None:
    assert not may({**WHOLE, ("X", "yes"): 2})
    assert not may({**WHOLE, ("F", None): 1}), "her measure would be F's less the two cells'"
    assert may({**WHOLE, ("F", None): 5, (None, None): 1})


def test_a_pair_of_columns_hides_the_same_cells_in_either_order() -> None:
    groups = {("F", "a"): 60, ("F", "b"): 30, ("F", "c"): 3, ("M", "a"): 30, ("M", "b"): 60, ("M", "c"): 3}
    one = mask_of(("g", "x"), Answered(groups, 0), 5)
    other = mask_of(("x", "g"), Answered({(x, g): n for (g, x), n in groups.items()}, 0), 5)
    assert other == one.transposed()
    assert {(x, g) for g, x in one.held} == other.held


def test_an_answer_that_reads_like_our_own_words_is_an_answer() -> None:
    groups = {(POOL,): 9, ("a",): 3}
    masked = mask(Answered(groups, 0), 5)
    assert lines(groups, masked) == {(POOL,): 9, (f"{POOL} *",): 3}
    assert masked.kind((POOL,)) == "named"
    assert masked.kind((f"{POOL} *",)) == "pooled"
