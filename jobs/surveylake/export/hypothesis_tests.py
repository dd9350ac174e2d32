"""Tests of the survey's hypothesis on counts of people, each with its source. No data is a result."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from scipy import stats
from scipy.stats.contingency import association

from surveylake.aggregate.findings import Findings, Summary

LEVEL = 0.05
"""Significance level: probability of calling something a difference when there is none."""
CONFIDENCE = 1 - LEVEL
FEWEST_EXPECTED = 5
"""People expected in a cell, under which chi-square is rough (Cochran, Biometrics 10, 1954)."""

Conclusion: TypeAlias = Literal["supported", "not supported", "no data"]


@dataclass(frozen=True)
class ClaimTest:
    """Test of the claim 'more people answered `more` than `less`', among people who gave either answer."""

    more: str
    less: str
    n_more: int
    n_less: int
    share: float | None
    """of `more` among both, 0 to 1; None without data, as are the next two"""
    low: float | None
    """the share is this or more, with 95 % confidence"""
    p: float | None
    """one-sided, as the claim is"""
    conclusion: Conclusion

    @property
    def n(self) -> int:
        """People who gave either answer."""
        return self.n_more + self.n_less


@dataclass(frozen=True)
class Association:
    """Test of whether the groups answer `outcome` differently, among people who gave group and outcome."""

    outcome: str
    n: int
    groups: int
    values: int
    method: Literal["chi-square", "Fisher exact", "no data", "not said"]
    """not said: the table holds cells back, and a test would tell of them"""
    statistic: float | None = None
    degrees: int | None = None
    p: float | None = None
    p_holm: float | None = None
    """p adjusted by Holm's method for all outcomes that are tested"""
    cramers_v: float | None = None
    """strength, 0 (none) to 1"""
    smallest_expected: float | None = None
    """people expected in the thinnest cell if there were no association"""

    @property
    def differs(self) -> bool:
        """True if the adjusted p is under the level."""
        return self.p_holm is not None and self.p_holm < LEVEL

    @property
    def rough(self) -> bool:
        """True if some cell is too thin for chi-square to be more than a hint."""
        return self.method == "chi-square" and (self.smallest_expected or 0) < FEWEST_EXPECTED


@dataclass(frozen=True)
class Evidence:
    """All tests of one run; `claim` is None and `associations` empty when the contract has no hypothesis."""

    claim: ClaimTest | None
    associations: tuple[Association, ...]


def run_tests(findings: Findings) -> Evidence:
    """Test the contract's hypothesis and the association of its field with every outcome."""
    hypothesis = findings.contract.hypothesis
    if hypothesis is None:
        return Evidence(None, ())
    people = findings.group_counts
    claim = run_claim_test(
        hypothesis.more, hypothesis.less, people.get(hypothesis.more, 0), people.get(hypothesis.less, 0)
    )
    tests = [test_of(outcome, findings.outcomes[outcome]) for outcome in hypothesis.outcomes]
    return Evidence(claim, tuple(_adjusted(tests)))


def run_claim_test(more: str, less: str, n_more: int, n_less: int) -> ClaimTest:
    """Test exactly whether the share of `more` is above one half.

    The claim names a direction, so the test is one-sided: p is the exact binomial probability of this share or a higher one
    when both are equally likely. The interval is Clopper and Pearson's (Biometrika 26, 1934), open above. Both are from
    scipy.stats.binomtest. The claim is supported when p is under LEVEL, which is exactly when the interval excludes one half.
    """
    if n_more + n_less == 0:
        return ClaimTest(more, less, 0, 0, None, None, None, "no data")
    test = stats.binomtest(n_more, n_more + n_less, p=0.5, alternative="greater")
    low = float(test.proportion_ci(confidence_level=CONFIDENCE, method="exact").low)
    conclusion: Conclusion = "supported" if test.pvalue < LEVEL else "not supported"
    return ClaimTest(more, less, n_more, n_less, float(test.statistic), low, float(test.pvalue), conclusion)


def test_of(outcome: str, table: Summary) -> Association:
    """Test a published table as it is shown, its rare values as one. Where it holds cells back, there is no test.

    A test that read hidden cells would tell of them: a reader can try out which of their numbers give its p, or even whether
    the groups differ. Nor does Holm's method know of such a test, as the p of the others would tell its p.
    """
    if not any(line.kind == "held" for line in table.lines):
        return associate(
            outcome, {(line.groups[0], line.groups[1]): line.people or 0 for line in table.lines}
        )
    groups, values = (len(total) + (sum(total.values()) < table.base) for total in table.totals)
    return Association(
        outcome, table.base, groups, values, "not said" if min(groups, values) > 1 else "no data"
    )


def associate(outcome: str, counts: dict[tuple[str, str], int]) -> Association:
    """Test (group, value) -> people for independence; p_holm is left to the caller.

    Pearson's chi-square without Yates' correction (scipy.stats.chi2_contingency); Fisher's exact test, two-sided
    (scipy.stats.fisher_exact), for a 2 x 2 table in which fewer than 5 people are expected somewhere. Strength is
    Cramér's V = sqrt(chi2 / (n (k - 1))), k the smaller of groups and values (Cramér, Mathematical Methods of Statistics, 1946;
    scipy.stats.contingency.association).
    """
    table = _table(counts)
    n, groups, values = sum(map(sum, table)), len(table), len(table[0]) if table else 0
    if min(groups, values) < 2:
        return Association(outcome, n, groups, values, "no data")
    chi = stats.chi2_contingency(table, correction=False)
    thinnest = float(chi.expected_freq.min())
    result = Association(
        outcome, n, groups, values, "chi-square", float(chi.statistic), int(chi.dof), float(chi.pvalue),
        cramers_v=float(association(np.array(table), method="cramer")), smallest_expected=thinnest,
    )  # fmt: skip
    if groups == values == 2 and thinnest < FEWEST_EXPECTED:
        exact = stats.fisher_exact(np.array(table))
        return replace(result, method="Fisher exact", statistic=None, degrees=None, p=float(exact.pvalue))
    return result


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values, in the order given, by Holm's step-down adjustment (Scand. J. Statistics 6, 1979); at most 1."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, p_values[i] * (len(p_values) - rank)))
        adjusted[i] = highest
    return adjusted


def _table(counts: dict[tuple[str, str], int]) -> list[list[int]]:
    """Return groups x values of the people who gave both, without rows and columns that hold nobody."""
    present = {pair: n for pair, n in counts.items() if n > 0 and None not in pair}
    groups, values = sorted({g for g, _ in present}), sorted({v for _, v in present})
    return [[present.get((group, value), 0) for value in values] for group in groups]


def _adjusted(tests: list[Association]) -> list[Association]:
    with_p = [test for test in tests if test.p is not None]
    adjusted = dict(
        zip((test.outcome for test in with_p), holm([test.p or 0.0 for test in with_p]), strict=True)
    )
    return [replace(test, p_holm=adjusted.get(test.outcome)) for test in tests]
