"""The tests of the hypothesis against numbers worked out elsewhere, and where there is nothing to test."""

from dataclasses import replace
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from support.findings_sample import EMPTY, PLAIN, SAMPLE
from surveylake.aggregate.disclosure import HELD, pooled_name
from surveylake.aggregate.findings import Line
from surveylake.export.hypothesis_tests import associate, holm, run_claim_test, run_tests


def test_the_food_survey_supports_its_claim_with_share_interval_and_p():
    claim = run_tests(SAMPLE).claim
    assert (claim.n_more, claim.n_less, claim.n, claim.conclusion) == (165, 123, 288, "supported")
    assert claim.share == pytest.approx(165 / 288)
    assert claim.low == pytest.approx(stats.beta.ppf(0.05, 165, 288 - 165 + 1))


def test_the_p_value_is_the_exact_sum_on_the_side_of_the_claim():
    claim = run_claim_test("a", "b", 165, 123)
    assert claim.p == pytest.approx(sum(comb(288, k) for k in range(165, 289)) / 2**288)


def test_a_one_sided_claim_is_decided_by_the_one_sided_test():
    """Two-sided p is 0.0525 here, one-sided 0.0263 (field row A12)."""
    claim = run_claim_test("a", "b", 57, 38 + 1)
    assert stats.binomtest(57, 96).pvalue > 0.05 > claim.p
    assert claim.conclusion == "supported"


def test_a_level_split_does_not_support_the_claim():
    claim = run_claim_test("a", "b", 50, 50)
    assert claim.conclusion == "not supported"
    assert claim.p > 0.5


def test_a_clear_majority_of_the_other_side_does_not_support_the_claim():
    claim = run_claim_test("a", "b", 10, 90)
    assert claim.p > 0.999
    assert claim.conclusion == "not supported"


@given(some.lists(some.lists(some.integers(1, 60), min_size=3, max_size=3), min_size=2, max_size=5))
def test_cramers_v_is_the_root_of_chi_square_over_its_largest_value(rows):
    counts = {(f"g{i}", f"v{j}"): n for i, row in enumerate(rows) for j, n in enumerate(row)}
    chi = stats.chi2_contingency(rows, correction=False).statistic
    largest = sum(map(sum, rows)) * (min(len(rows), 3) - 1)
    assert associate("tea", counts).cramers_v == pytest.approx((chi / largest) ** 0.5, rel=1e-12, abs=1e-12)


def test_nobody_is_no_data():
    evidence = run_tests(EMPTY)
    assert evidence.claim.conclusion == "no data"
    assert evidence.claim.share is evidence.claim.low is evidence.claim.p is None
    assert [(test.method, test.p, test.p_holm) for test in evidence.associations] == [
        ("no data", None, None)
    ] * 3


def test_a_contract_without_hypothesis_has_no_evidence():
    evidence = run_tests(replace(SAMPLE, contract=PLAIN))
    assert (evidence.claim, evidence.associations) == (None, ())


def test_food_is_associated_with_gender_by_pearsons_chi_square():
    food = run_tests(SAMPLE).associations[0]
    # n (ad - bc)^2 / (row sums x column sums), the closed form for a 2 x 2 table
    by_hand = 288 * (144 * 29 - 21 * 94) ** 2 / (165 * 123 * 238 * 50)
    assert (food.outcome, food.method, food.n, food.degrees) == ("food", "chi-square", 288, 1)
    assert food.statistic == pytest.approx(by_hand)
    assert food.cramers_v == pytest.approx((by_hand / 288) ** 0.5)
    assert food.smallest_expected == pytest.approx(123 * 50 / 288)
    assert food.differs


def test_a_difference_that_only_one_of_three_tests_shows_is_not_called_one():
    juice = run_tests(SAMPLE).associations[1]
    assert juice.p < 0.05 < juice.p_holm
    assert not juice.differs


def with_food(*lines, totals=SAMPLE.outcomes["food"].totals):
    food = replace(SAMPLE.outcomes["food"], lines=lines, totals=totals)
    return replace(SAMPLE, outcomes={**SAMPLE.outcomes, "food": food})


def test_a_table_that_holds_cells_back_is_not_tested_and_the_p_of_others_does_not_know_of_it():
    """Holm's p of one outcome would tell of the p of another."""
    women = SAMPLE.outcomes["food"].lines[:2]
    food, *others = run_tests(with_food(*women, Line((HELD, HELD), "held", 123, {}))).associations
    assert (food.method, food.p, food.p_holm, food.cramers_v) == ("not said", None, None, None)
    assert (food.n, food.groups, food.values) == (288, 2, 2)
    assert [test.p_holm for test in others] == holm([test.p for test in others])


def test_a_held_table_of_one_group_is_no_data():
    line = Line((HELD, HELD), "held", 123, {})
    findings = with_food(line, totals=({"Female": 288}, {"Western Food": 284}))
    assert run_tests(findings).associations[0].method == "no data"


def test_values_that_too_few_people_gave_are_tested_as_the_one_group_that_they_are_in_the_table():
    women, men = SAMPLE.outcomes["food"].lines[:2], SAMPLE.outcomes["food"].lines[2:]
    pooled = tuple(replace(line, groups=(pooled_name(5), line.groups[1]), kind="pooled") for line in men)
    tested = [run_tests(with_food(*women, *rest)).associations[0] for rest in (men, pooled)]
    assert tested[0] == tested[1]


def test_a_thin_two_by_two_table_is_tested_by_fisher():
    # Fisher's tea: 3 of 4 cups told apart; the two-sided p is 34/70
    tea = associate("tea", {("milk", "milk"): 3, ("milk", "tea"): 1, ("tea", "milk"): 1, ("tea", "tea"): 3})
    assert (tea.method, tea.statistic, tea.degrees) == ("Fisher exact", None, None)
    assert tea.p == pytest.approx(34 / 70)
    assert tea.cramers_v == pytest.approx(0.5)


def test_a_thin_table_of_another_shape_is_said_to_be_rough():
    counts = {("a", "x"): 2, ("a", "y"): 1, ("a", "z"): 3, ("b", "x"): 1, ("b", "y"): 4, ("b", "z"): 1}
    test = associate("letters", counts)
    assert (test.method, test.rough) == ("chi-square", True)


@pytest.mark.parametrize("counts", [
    {},
    {("a", "x"): 0},
    {("a", "x"): 10, ("a", "y"): 5},
    {("a", "x"): 10, ("b", "x"): 5},
    {("a", "x"): 10, ("b", "x"): 5, ("b", "y"): 0},
], ids=["nothing", "zero", "one group", "all equal", "an empty column"])  # fmt: skip
def test_a_table_without_two_groups_and_two_values_is_no_data(counts):
    test = associate("outcome", counts)
    assert (test.method, test.p, test.cramers_v, test.differs) == ("no data", None, None, False)


def test_people_who_gave_no_answer_are_left_out_of_a_table():
    test = associate(
        "o", {("a", "x"): 9, ("a", "y"): 5, ("b", "x"): 8, ("b", "y"): 9, (None, "x"): 3, ("a", None): 4}
    )
    assert (test.n, test.groups, test.values) == (31, 2, 2)


def test_holm_multiplies_the_smallest_p_most_and_never_turns_the_order_round():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


@given(some.lists(some.floats(0, 1), max_size=12))
def test_a_p_adjusted_by_holm_is_at_least_itself_and_at_most_one(p_values):
    assert all(p <= adjusted <= 1 for p, adjusted in zip(p_values, holm(p_values), strict=True))


@given(some.integers(0, 3_000), some.integers(0, 3_000))
def test_the_claim_is_supported_just_where_the_interval_lies_above_one_half(n_more, n_less):
    claim = run_claim_test("a", "b", n_more, n_less)
    assert (claim.conclusion == "supported") == (claim.low is not None and claim.low > 0.5)
