"""What a table shows: small groups stay unnamed, and no small cell can be worked out from the totals around it."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveylake.disclosure import (
    HELD,
    MOST_CELLS,
    Answered,
    Group,
    answered,
    covering_groups,
    lines,
    mask,
    pooled_name,
    sums_may_show,
)

POOL = pooled_name(5)


def shown(groups: dict[Group, int]) -> dict[Group, int]:
    """The lines of the published table."""
    return lines(groups, mask(Answered(groups, 0), 5))


def test_who_left_a_column_blank_is_in_no_group() -> None:
    everyone = answered({("a", "x"): 3, (None, "x"): 2, ("a", None): 4, (None, None): 1})
    assert (everyone.groups, everyone.base, everyone.blank) == ({("a", "x"): 3}, 3, 7)


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


def test_sums_beside_a_small_group_stay_unsaid_for_the_smallest_group_that_covers_it() -> None:
    everyone = Answered({("F",): 51, ("M",): 51, ("N",): 9, ("X",): 3}, 0)
    spread = {("F",): 60.0, ("M",): 60.0, ("N",): 1.0}
    assert covering_groups(everyone, mask(everyone, 5), spread, 60.0) == {("F",)}, (
        "nine alike would tell of three"
    )


@pytest.mark.parametrize(("blank", "chosen"), [(0, set()), (3, {("F",)}), (5, set())])
def test_few_blanks_are_covered_too_and_many_cover_by_themselves(blank: int, chosen: set[Group]) -> None:
    everyone = Answered({("F",): 51, ("M",): 60}, blank)
    assert covering_groups(everyone, mask(everyone, 5), {("F",): 60.0, ("M",): 60.0}, 60.0) == chosen


def test_a_small_group_among_many_blanks_needs_no_cover() -> None:
    everyone = Answered({("F",): 51, ("X",): 3}, 10)
    assert not covering_groups(everyone, mask(everyone, 5), {("F",): 60.0}, 60.0)


def test_where_no_group_covers_alone_several_do() -> None:
    everyone = Answered({("a",): 6, ("b",): 7, ("X",): 4}, 0)
    spread = {("a",): 20.0, ("b",): 25.0}
    assert covering_groups(everyone, mask(everyone, 5), spread, 60.0) == {("a",), ("b",)}


def test_means_of_two_columns_show_only_where_nobody_is_held_back_or_blank_with_few() -> None:
    whole = {("F", "yes"): 9, ("F", "no"): 9, ("M", "yes"): 9, ("M", "no"): 9}

    def may(counts: dict[tuple[str | None, ...], int], complete: bool = True) -> bool:
        return sums_may_show(counts, mask(answered(counts), 5), complete)

    assert may(whole)
    assert not may(whole, complete=False)
    assert not may({**whole, ("X", "yes"): 2})
    assert not may({**whole, ("F", None): 1}), "her measure would be F's less the two cells'"
    assert may({**whole, ("F", None): 5})
