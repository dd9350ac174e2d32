"""What a reader learns who subtracts the sums of one table from those of another, and takes their extremes together."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from support.audited_table import from_summaries
from support.made_answers import drawn, people_of, survey
from support.published_tables import SMALLEST, Person, publish
from surveylake.aggregate import disclosure
from surveylake.aggregate.groups import By, Counted
from surveylake.aggregate.subtraction import Edge, Node, has_small_cut, lists_with_sums, tell_of_few

Answers = Mapping[str, str]
"""column -> answer, and `n` where the person has a measure; a column that is missing was left blank"""


def counted_of(people: Sequence[Answers], lists: Iterable[By], others: Iterable[By]) -> Counted:
    """Count as groups.counts does."""
    lists = list(lists)

    def group(person: Answers, by: By) -> tuple[str | None, ...]:
        return tuple(person.get(column) for column in by)

    return Counted(
        {by: Counter(group(person, by) for person in people) for by in lists},
        {by: Counter(group(person, by) for person in people if "n" in person) for by in lists},
        {by: counted_of([p for p in people if None in group(p, by)], lists, ()) for by in others},
    )


def with_sums(people: Sequence[Answers], *names: str) -> list[str]:
    """The tables of these columns that say sums, in this order; `a b` is a table of two."""
    lists = [tuple(name.split()) for name in names]
    counted = counted_of(
        people, dict.fromkeys([*lists, *((column,) for by in lists for column in by)]), lists
    )
    masks = {by: disclosure.mask_of(by, disclosure.answered(counted.people[by]), SMALLEST) for by in lists}
    return [" ".join(by) for by in lists_with_sums(lists, counted, masks)]


def those(number: int, *columns: str, **answers: str) -> list[Answers]:
    """People with a measure who answered `x` to these columns, and what `answers` says."""
    return [{"n": "", **dict.fromkeys(columns, "x"), **answers}] * number


def test_of_two_tables_that_differ_by_one_person_the_first_in_the_contract_says_its_sums() -> None:
    people = [*those(123, "g", "a"), *those(1, "a"), *those(5)]
    assert with_sums(people, "g", "a") == ["g"]
    assert with_sums(people, "a", "g") == ["a"]


@pytest.mark.parametrize("few", range(1, SMALLEST))
def test_one_to_four_people_between_two_tables_are_few_and_five_are_not(few: int) -> None:
    assert with_sums([*those(50, "g", "a"), *those(few, "a"), *those(9)], "g", "a") == ["g"]
    assert with_sums([*those(50, "g", "a"), *those(SMALLEST, "a"), *those(9)], "g", "a") == ["g", "a"]
    assert with_sums([*those(50, "g", "a"), *those(9)], "g", "a") == ["g", "a"]


def test_those_who_are_in_one_table_only_count_together_whichever_it_is() -> None:
    assert with_sums([*those(50, "g", "a"), *those(2, "a"), *those(2, "g"), *those(9)], "g", "a") == ["g"]
    assert with_sums([*those(50, "g", "a"), *those(2, "a"), *those(9, "g"), *those(9)], "g", "a") == [
        "g",
        "a",
    ]


def test_of_people_between_two_tables_those_with_a_measure_count_too() -> None:
    without: list[Answers] = [{"a": "x"}] * 9
    assert with_sums([*those(50, "g", "a"), *those(1, "a"), *without, *those(9)], "g", "a") == ["g"]
    assert with_sums([*those(50, "g", "a"), *without[:1], *those(9)], "g", "a") == ["g"], (
        "n tells of one without"
    )
    assert with_sums([*those(50, "g", "a"), *without, *those(9)], "g", "a") == ["g", "a"]


def test_in_a_chain_each_table_is_compared_with_all_that_say_sums() -> None:
    """People leave one by one: three between a and b, three between b and c."""
    people = [*those(90, "a", "b", "c"), *those(3, "a", "b"), *those(3, "a"), *those(9)]
    assert with_sums(people, "a", "b", "c") == ["a", "c"], "c and a differ by six"
    assert with_sums(people, "b", "a", "c") == ["b"]


def test_a_question_that_was_asked_of_one_group_only_is_compared_with_that_group() -> None:
    """Whoever has a pet was asked which, and two of them did not say."""
    asked = [*those(30, pet="yes", which="dog"), *those(30, pet="yes", which="cat")]
    assert with_sums([*asked, *those(2, pet="yes"), *those(50, pet="no")], "pet", "which") == ["pet"]
    assert with_sums([*asked, *those(50, pet="no")], "pet", "which") == ["pet", "which"]


def test_tables_of_two_columns_are_compared_with_those_of_another() -> None:
    people = [person for a in "uv" for b in "xy" for person in those(20, "c", a=a, b=b)]
    beyond = [*those(2, a="u", b="x"), *those(9)]
    assert with_sums([*people, *those(9, "c"), *beyond], "c", "a b") == ["c", "a b"]
    assert with_sums([*people, *beyond], "c", "a b") == ["c"]
    assert with_sums([*people, *beyond], "a b", "c") == ["a b"]


def test_answers_that_nearly_coincide_are_compared_where_their_pairs_are_published() -> None:
    """Of F one left `a` blank; all others said yes, and nobody else did."""
    people = [*those(30, g="F", a="yes"), *those(30, g="M", a="no"), *those(1, g="F"), *those(5, g="M")]
    counted = counted_of(people, [("g",), ("a",), ("g", "a")], [("g",), ("a",)])
    assert tell_of_few(("g",), ("a",), counted, SMALLEST)
    assert tell_of_few(("a",), ("g",), counted, SMALLEST)
    assert not tell_of_few(("g",), ("a",), counted, 1)


graphs = some.lists(
    some.tuples(some.integers(0, 3), some.integers(4, 7), some.integers(0, 6)), min_size=1, max_size=14
)


@settings(max_examples=400, database=None, deadline=None)
@given(graphs, some.integers(1, 8))
def test_small_cuts_are_those_found_by_trying_all(
    drawn_edges: list[tuple[int, int, int]], smallest: int
) -> None:
    edges: list[Edge] = [((a,), (b,), n) for a, b, n in drawn_edges]
    nodes = sorted({node for a, b, _ in edges for node in (a, b)})
    cuts = [cut_by(set(side), edges) for size in range(len(nodes)) for side in combinations(nodes, size)]
    assert has_small_cut(edges, smallest) == any(0 < cut < smallest for cut in cuts)


def cut_by(side: set[Node], edges: list[Edge]) -> int:
    return sum(n for a, b, n in edges if (a in side) != (b in side))


def test_a_graph_of_many_thin_edges_is_decided_in_a_moment() -> None:
    rng = random.Random(3)
    edges: list[Edge] = [
        ((0, str(rng.randrange(900))), (1, str(rng.randrange(900))), 1) for _ in range(40_000)
    ]
    assert not has_small_cut(edges, SMALLEST)
    assert has_small_cut([*edges, ((0, "alone"), (1, "5"), 4)], SMALLEST)


# Extremes


def whose_extremes(people: Sequence[Person]) -> list[str]:
    """Return the extremes that can only be of one to four people, who answered one question and left the other blank.

    Someone of the group has the value, and nobody who answered the other question has: all of its groups say their own.
    """
    tables, told = from_summaries(publish(people)), []
    for own, other in (("g", "a"), ("a", "g")):
        others = tables[(other,)]
        partly = Counter(getattr(p, own) for p in people if getattr(p, other) is None)
        for (value,), figures in tables[(own,)].measures.items():
            for end, sign in (("min", -1), ("max", 1)):
                ends = [others.measures.get(group, {}).get(end) for group in others.people]
                if (
                    (extreme := figures[end]) is None
                    or None in ends
                    or sum(others.people.values()) < answered(people, other)
                ):
                    continue
                if 0 < partly[value] < SMALLEST and all(sign * extreme > sign * (at or 0) for at in ends):
                    told.append(f"{end} of {value} is one of {partly[value]}")
    return told


def answered(people: Sequence[Person], column: str) -> int:
    return sum(getattr(p, column) is not None for p in people)


BLANK_AND_OLDEST = people_of(
    F_yes=range(20, 40),
    F_no=range(20, 40),
    M_yes=range(20, 40),
    M_no=range(20, 40),
    F_blank=[83],
    M_blank=[30] * 5,
)


def test_the_largest_value_is_not_said_where_only_one_person_has_it_who_left_the_other_question_blank() -> (
    None
):
    assert whose_extremes(BLANK_AND_OLDEST) == []
    of_group = from_summaries(publish(BLANK_AND_OLDEST))[("g",)].measures
    assert {figures["max"] for figures in of_group.values()} == {None}
    assert {figures["min"] for figures in of_group.values()} == {20}
    assert None not in {figures["mean"] for figures in of_group.values()}, (
        "her measure is one of many in this sum"
    )


def test_no_extreme_is_known_to_be_of_few_who_left_a_question_blank() -> None:
    assert [told for people in drawn(32, 1500, survey) for told in whose_extremes(people)] == []
