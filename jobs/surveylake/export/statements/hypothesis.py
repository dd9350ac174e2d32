"""Statements about the survey's hypothesis: the claim's own test, and whether the groups answered differently."""

from surveylake.aggregate.findings import Findings
from surveylake.contract.model import Hypothesis
from surveylake.export.formatting import count, isolated, joined, p_value, percent, percent_in_words, words
from surveylake.export.hypothesis_tests import CONFIDENCE, LEVEL, Association, ClaimTest, Evidence
from surveylake.export.statements.model import Statement
from surveylake.export.statements.survey import nobody
from surveylake.lake.tables import Cell

HEADLINES = {
    "supported": "Supported, as far as answers can say",
    "not supported": "Not supported by the answers",
    "no data": "No data: nobody gave either answer",
    "withheld": "Withheld: one of the two groups is too small to publish",
}
ASSUMES = (
    "The test takes every answer as given independently, and knows nothing of people who were asked and did not answer, "
    "or were not asked. It says how far the numbers of answers are from equal, not why."
)
TEST = "exact binomial, one-sided"
NOT_SAID, NOTHING = "not said", "nothing to compare"
TEST_WITHHELD = "what people answered who are not shown could be worked out from it"


def hypothesis_statements(findings: Findings, evidence: Evidence) -> list[Statement]:
    """Return the claim's statement, then one per outcome; none without a hypothesis."""
    claim = findings.contract.hypothesis
    if claim is None or evidence.claim is None:
        return []
    tests = [_association(claim, test) for test in evidence.associations]
    return [_claim(findings, evidence.claim, claim), *tests]


def _claim(findings: Findings, test: ClaimTest, claim: Hypothesis) -> Statement:
    """Return the claim's statement, without its numbers where they would reveal a group that is too small."""
    columns, groups = (claim.field,), (test.more, test.less)
    if test.share is None or test.low is None or test.p is None:
        return Statement(
            "claim",
            _no_data(findings),
            columns,
            groups,
            base=0,
            n=0,
            test=TEST,
            more={"conclusion": "no data"},
        )
    smallest = findings.smallest_group
    if 0 < test.n_more < smallest or 0 < test.n_less < smallest:
        rule = f"Fewer than {smallest} people are in one of the two groups, so the numbers are not published."
        return Statement(
            "claim", HEADLINES["withheld"], columns, groups, test=TEST, rule=rule,
            more={"conclusion": "withheld", "numbers": rule, "meaning": ""},
        )  # fmt: skip
    return Statement(
        "claim", HEADLINES[test.conclusion], columns, groups, test.n_more, test.n, test.share, test.n, TEST, test.p,
        more={
            "conclusion": test.conclusion, "n_more": test.n_more, "n_less": test.n_less, "low": test.low,
            "confidence": CONFIDENCE, "numbers": _numbers(test, claim), "meaning": _meaning(test, claim),
        },
    )  # fmt: skip


def _no_data(findings: Findings) -> str:
    return HEADLINES["no data"] if findings.responses else f"No data: {nobody(findings)}"


def _numbers(test: ClaimTest, claim: Hypothesis) -> str:
    more, less = _named(claim)
    return (
        f"{percent_in_words(test.share or 0)} of the {count(test.n)} {more} and {less} are {more}: "
        f"{count(test.n_more)} {more}, {count(test.n_less)} {less}. "
        f"One-sided exact binomial test against one half, as the claim has a direction: {p_value(test.p or 0)}. "
        f"With {_whole(CONFIDENCE)} confidence the share of {more} is {percent(test.low or 0)} or more (Clopper-Pearson)."
    )


def _meaning(test: ClaimTest, claim: Hypothesis) -> str:
    more, less = _named(claim)
    often = (
        f"Were {more} and {less} equally likely to answer, a share of {more} at least this high would turn up in "
        f"{percent_in_words(test.p or 0, LEVEL)} of surveys this size"
    )
    if test.conclusion == "supported":
        return f"{often}; under {_whole(LEVEL)} counts as support. More {more} than {less} answered."
    if test.n_more < test.n_less:
        return f"{often}. More {less} than {more} answered: the answers lean the other way."
    if test.n_more == test.n_less:
        return f"{often}. As many {less} as {more} answered."
    return f"{often}: too often to call it a difference."


def _association(claim: Hypothesis, test: Association) -> Statement:
    """Return the statement of one test of association, or that it is not said, where the table holds cells back."""
    columns = (claim.field, test.outcome)
    reading = _reading(test, claim.field)
    more: dict[str, Cell] = {"groups": test.groups, "values": test.values, "conclusion": _conclusion(test)}
    if test.method == "no data" or test.p is None:
        rule = TEST_WITHHELD if test.method == NOT_SAID else None
        method = "none" if _has_nothing_to_compare(test) else test.method
        return Statement("association", reading, columns, n=test.n, test=method, rule=rule, more=more)
    return Statement(
        "association", reading, columns, n=test.n, test=test.method, p=test.p,
        more={**more, "statistic": test.statistic, "degrees": test.degrees, "p_holm": test.p_holm, "v": test.cramers_v},
    )  # fmt: skip


def _has_nothing_to_compare(test: Association) -> bool:
    """Return whether people answered both, and the table has one group or one answer only."""
    return test.method == "no data" and test.n > 0


def _conclusion(test: Association) -> str:
    if _has_nothing_to_compare(test):
        return NOTHING
    if test.method in ("no data", NOT_SAID):
        return test.method
    return "differs" if test.differs else "no difference shown"


def _reading(test: Association, field: str) -> str:
    """Return the test in words."""
    if _has_nothing_to_compare(test):
        single = joined(
            [what for what, n in (("group", test.groups), ("answer", test.values)) if n < 2], "and one"
        )
        return f"{NOTHING}: the table has one {single} only"
    if test.method in ("no data", NOT_SAID):
        return test.method
    reading = f"differs by {words(field)}" if test.differs else "no difference shown"
    return f"{reading} (few people in some cells: a hint only)" if test.rough else reading


def _named(claim: Hypothesis) -> tuple[str, str]:
    """Return the names of the two groups, the contract's words before the values, for use in a sentence."""
    more, less = (isolated(claim.words.get(group, group)) for group in (claim.more, claim.less))
    return more, less


def _whole(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")
