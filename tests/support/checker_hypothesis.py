"""Recompute the tests of the hypothesis with scipy, from counts of the raw answers."""

import math
import re
from collections.abc import Iterator

import numpy as np
from scipy import stats

from support.checker_facts import Claim, Facts
from support.checker_statements import ReportStatements, differences, only
from support.checker_tables import labelled

LEVEL = 0.05
TURNS_UP = re.compile(r"turn up in (?:fewer than |more than )?([\d.]+) % of surveys")
LARGER = re.compile(r"More (.+?) than (.+?) answered")
THIN = 5
"""people expected in a cell: under it chi-square is rough"""


def faults(report: ReportStatements, facts: Facts) -> Iterator[str]:
    """Yield every difference."""
    claim = facts.survey.claim
    if claim is None:
        if report.all("claim") or report.all("association"):
            yield "claim: nobody made one"
        return
    yield from _claim(report, facts, claim)
    tests = {outcome: _test(facts, claim.field, outcome) for outcome in claim.outcomes}
    adjusted = _holm({outcome: test["p"] for outcome, test in tests.items() if test["p"] is not None})
    for outcome, test in tests.items():
        yield from _association(report, facts, claim, outcome, test, adjusted.get(outcome))


def _claim(report: ReportStatements, facts: Facts, claim: Claim) -> Iterator[str]:
    statement, wrong = only(report.all("claim", claim.field), "claim")
    yield from wrong
    if statement is None:
        return
    counts = facts.groups(claim.field)
    more, less = counts[(claim.more,)], counts[(claim.less,)]
    n = more + less
    if not n:
        yield from differences(statement, "claim", n=0, conclusion="no data", p=None, share=None)
        return
    if any(0 < people < facts.survey.smallest for people in (more, less)):
        yield from differences(
            statement, "claim", conclusion="withheld", value=None, p=None, share=None, n=None, n_more=None
        )
        if not statement.get("rule"):
            yield "claim: no rule says why its numbers are withheld"
        return
    p = float(stats.binom.sf(more - 1, n, 0.5))
    low = float(stats.beta.ppf(LEVEL, more, n - more + 1)) if more else 0.0
    conclusion = "supported" if p < LEVEL else "not supported"
    yield from differences(statement, "claim", value=more, base=n, n=n, share=more / n, n_more=more, n_less=less, p=p, low=low,
                           conclusion=conclusion, confidence=1 - LEVEL)  # fmt: skip
    if statement["more"]["conclusion"] == "withheld":
        return
    words = f"{statement['text']} {statement['more'].get('numbers', '')}"
    if statement["text"].startswith("Supported") != (p < LEVEL):
        yield f"claim: p is {p}, and the words are {statement['text']!r}"
    called = {
        claim.words.get(side, side): people for side, people in ((claim.more, more), (claim.less, less))
    }
    for first, second in LARGER.findall(statement["more"].get("meaning", "")):
        if called.get(first, 0) <= called.get(second, n):
            yield f"claim: says that more {first} than {second} answered: {called}"
    for percent in TURNS_UP.findall(statement["more"].get("meaning", "")):
        if np.sign(float(percent) - 100 * LEVEL) != np.sign(p - LEVEL):
            yield f"claim: p is {p}, and the words are that it would turn up in {percent} %"
    if "one-sided" not in words.lower() or "one-sided" not in statement.get("test", ""):
        yield "claim: does not say that its test is one-sided"


def _test(facts: Facts, field: str, outcome: str) -> dict[str, float | int | str | None]:
    """Test the table as it is shown, rare values pooled; not where cells are held back: the result would tell of them."""
    counts = labelled(facts, (field, outcome))
    rows, columns = sorted({pair[0] for pair in counts}), sorted({pair[1] for pair in counts})
    table = np.array([[counts[r, c] for c in columns] for r in rows]).reshape(len(rows), len(columns))
    result: dict[str, float | int | str | None] = {"n": int(table.sum()), "groups": len(rows), "values": len(columns), "p": None,
                                                  "test": "no data"}  # fmt: skip
    if min(table.shape) < 2:
        return result | {"test": "none" if table.sum() else "no data"}
    if any(n < facts.survey.smallest for n in [*counts.values(), *table.sum(axis=0), *table.sum(axis=1)]):
        return result | {"test": "not said"}
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    chi = float(((table - expected) ** 2 / expected).sum())
    degrees = (len(rows) - 1) * (len(columns) - 1)
    result |= {
        "v": math.sqrt(chi / (table.sum() * (min(table.shape) - 1))),
        "rough": bool(expected.min() < THIN),
    }
    if table.shape == (2, 2) and expected.min() < THIN:
        return result | {"test": "Fisher exact", "p": float(stats.fisher_exact(table)[1]), "rough": False}
    return result | {
        "test": "chi-square",
        "statistic": chi,
        "degrees": degrees,
        "p": float(stats.chi2.sf(chi, degrees)),
    }


def _holm(p_values: dict[str, float]) -> dict[str, float]:
    """Return Holm's p: each p times the number of those not smaller, never less than the one before."""
    adjusted, highest = {}, 0.0
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        highest = adjusted[name] = max(highest, min(1.0, p * (len(p_values) - rank)))
    return adjusted


def _association(
    report: ReportStatements,
    facts: Facts,
    claim: Claim,
    outcome: str,
    test: dict[str, float | int | str | None],
    p_holm: float | None,
) -> Iterator[str]:
    name = f"association with {outcome}"
    statement, wrong = only(report.all("association", claim.field, outcome), name)
    yield from wrong
    if statement is None:
        return
    if p_holm is None:
        conclusion = "nothing to compare" if test["test"] == "none" else str(test["test"])
    else:
        conclusion = "differs" if p_holm < LEVEL else "no difference shown"
    parts = {part: test[part] for part in ("n", "test", "groups", "values")}
    yield from differences(statement, name, conclusion=conclusion, **parts)
    if not statement["text"].startswith(conclusion):
        yield f"{name}: {conclusion}, and the words are {statement['text']!r}"
    for part, what in (("groups", "one group"), ("values", "one answer")):
        if (what in statement["text"]) != (test["test"] == "none" and test[part] == 1):
            yield f"{name}: {test[part]} {part}, and the words are {statement['text']!r}"
    if ("hint" in statement["text"]) != bool(test.get("rough")):
        yield f"{name}: cells are {'' if test.get('rough') else 'not '}thin, and the words are {statement['text']!r}"
    exact = {part: test.get(part) for part in ("p", "statistic", "degrees", "v")}
    yield from differences(statement, name, p_holm=p_holm, **exact)
    if bool(statement.get("rule")) != (conclusion == "not said"):
        yield f"{name}: {conclusion}, by the rule {statement.get('rule')!r}"
