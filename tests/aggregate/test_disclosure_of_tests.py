"""Tries to work out what protected people answered from what is said of a test of association.

Who knows the totals can go through all numbers that the cells that are not shown may hold, and test each of them. So what is
said may not depend on these cells.
"""

import random
from collections import Counter
from dataclasses import replace

import pytest
from scipy import stats

from support.findings_sample import EMPTY
from support.made_answers import Counts, table
from support.published_tables import CONTRACT, Person, publish
from surveylake.aggregate.findings import Findings, Summary
from surveylake.contract.model import Hypothesis
from surveylake.export.hypothesis_tests import LEVEL, run_tests
from surveylake.export.statements.hypothesis import TEST_WITHHELD
from surveylake.export.statements.model import Statement
from surveylake.export.statements.report import report_of

CLAIM = Hypothesis(claim="more F than M", field="g", more="F", less="M", outcomes=["a"])
TESTED = CONTRACT.model_copy(update={"hypothesis": CLAIM})


def people_in(counts: Counts) -> list[Person]:
    return [Person(g, a, None) for (g, a), n in counts.items() for _ in range(n)]


def findings_of(people: list[Person]) -> Findings:
    """What the product finds of these people, but for the counting."""
    groups = Counter(person.g for person in people if person.g)
    return replace(
        EMPTY, contract=TESTED, received=len(people), accepted=len(people), responses=len(people), summaries=(tables := publish(people)),
        outcomes={"a": tables[("g", "a")]}, group_counts=dict(groups),
    )  # fmt: skip


def said_of(counts: Counts) -> tuple[Statement, Summary]:
    """The statement of the test, and the table beside it."""
    findings = findings_of(people_in(counts))
    statement = report_of(findings, run_tests(findings), 0.5).one("association", "g", "a")
    assert statement is not None
    return statement, findings.outcomes["a"]


def one_of_a_thousand(k: int) -> Counts:
    """F 600, M 400 and X 2, of whom k said yes: 52 of all said yes, 950 no, and 30 of F yes."""
    cells = {
        ("F", "yes"): 30,
        ("F", "no"): 570,
        ("M", "yes"): 22 - k,
        ("M", "no"): 378 + k,
        ("X", "yes"): k,
        ("X", "no"): 2 - k,
    }
    return {cell: n for cell, n in cells.items() if n}


def one_of_a_hundred(k: int) -> Counts:
    """F 100 and X 2, of whom k said yes: 5 of all said yes, 97 no."""
    cells = {("F", "yes"): 5 - k, ("F", "no"): 95 + k, ("X", "yes"): k, ("X", "no"): 2 - k}
    return {cell: n for cell, n in cells.items() if n}


@pytest.mark.parametrize("made", [one_of_a_thousand, one_of_a_hundred])
def test_whatever_protected_people_answered_the_same_is_said_of_the_test(made) -> None:
    (first, shown), *others = [said_of(made(k)) for k in range(3)]
    assert all(other == (first, shown) for other in others), "a reader who tries out k learns of it"
    assert (first.text, first.test, first.more["conclusion"]) == ("not said", "not said", "not said")
    assert (first.rule, first.p) == (TEST_WITHHELD, None)


@pytest.mark.parametrize("made", [one_of_a_thousand, one_of_a_hundred])
def test_a_test_of_all_answers_would_tell_them_apart(made) -> None:
    """What makes the test before able to fail."""

    def p(k: int) -> float:
        cells = [[made(k).get((g, a), 0) for a in ("yes", "no")] for g in ("F", "M", "X")]
        cells = [row for row in cells if sum(row)]
        return (
            stats.fisher_exact(cells)[1]
            if len(cells) == 2
            else stats.chi2_contingency(cells, correction=False)[1]
        )

    assert len({p(k) < LEVEL for k in range(3)}) == 2


def moved(counts: Counts, rng: random.Random) -> Counts:
    """Move one person each way along a rectangle of cells: no total changes."""
    (r, c), (s, d) = rng.sample(sorted(counts), 2)
    steps = {(r, c): -1, (s, d): -1, (r, d): 1, (s, c): 1}
    if r == s or c == d:
        return counts
    cells = {cell: counts.get(cell, 0) + steps.get(cell, 0) for cell in {*counts, *steps}}
    return {cell: n for cell, n in cells.items() if n}


def test_what_is_said_of_a_test_follows_from_the_published_table() -> None:
    """Random tables, and others that a reader cannot tell from them."""
    rng = random.Random(31)
    tried = 0
    for counts in (table(rng) for _ in range(500)):
        other = moved(counts, rng) if len(counts) > 1 else counts
        if other == counts:
            continue
        (statement, shown), (its_statement, its_shown) = said_of(counts), said_of(other)
        if shown == its_shown:
            tried += 1
            assert statement == its_statement, (counts, other)
    assert tried > 50
