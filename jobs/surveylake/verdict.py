"""The tests' results as sentences. Every number in them comes from the evidence; none is written by hand."""

from dataclasses import dataclass

from surveylake.contract import Hypothesis
from surveylake.evidence import CONFIDENCE, LEVEL, Association, ClaimTest
from surveylake.labels import count, p_value, percent, words

HEADLINES = {
    "supported": "Supported, as far as answers can say",
    "not supported": "Not supported by the answers",
    "no data": "No data: nobody answered yet",
    "withheld": "Withheld: one of the two groups is too small to publish",
}
ASSUMES = (
    "The test takes every answer as given independently, and knows nothing of people who were asked and did not answer, "
    "or were not asked. It says how far the numbers of answers are from equal, not why."
)


@dataclass(frozen=True)
class Answer:
    """The claim's answer for a reader; `share`, `low` and `high` (0 to 1) are None when there is nothing to draw."""

    headline: str
    numbers: str
    means: str
    share: float | None = None
    low: float | None = None
    high: float | None = None


def answer(claim: ClaimTest, hypothesis: Hypothesis, smallest_group: int) -> Answer:
    """What the test found; without its numbers when they would tell of a group under `smallest_group` people."""
    if claim.share is None or claim.low is None or claim.high is None:
        return Answer(HEADLINES["no data"], "There is nothing to test.", "")
    if min(claim.n_more, claim.n_less) < smallest_group:
        few = f"Fewer than {smallest_group} people are in one of the two groups, so its number is not published."
        return Answer(HEADLINES["withheld"], few, "")
    more, less = (hypothesis.words.get(name, name) for name in (claim.more, claim.less))
    numbers = (
        f"{percent(claim.share)} of the {count(claim.n)} answers are from {more}: {count(claim.n_more)} {more}, "
        f"{count(claim.n_less)} {less}. {percent(CONFIDENCE).replace('.0', '')} confidence interval of the share: "
        f"{percent(claim.low)} to {percent(claim.high)} (Clopper-Pearson). Exact binomial test against one half: "
        f"two-sided {p_value(claim.p_two_sided or 0)}, one-sided {p_value(claim.p_greater or 0)}."
    )
    return Answer(
        HEADLINES[claim.verdict], numbers, _meaning(claim, more, less), claim.share, claim.low, claim.high
    )


def reading(test: Association, field: str) -> str:
    """One test of association in words."""
    if test.method == "no data":
        return "no data"
    found = f"differs by {words(field)}" if test.differs else "no difference shown"
    return f"{found} (few people in some cells: a hint only)" if test.rough else found


def _meaning(claim: ClaimTest, more: str, less: str) -> str:
    chance = percent(claim.p_two_sided or 0)
    even = f"Were {more} and {less} equally likely to answer"
    often = f"{even}, a split at least this uneven would turn up in {chance} of surveys this size"
    if claim.verdict == "supported":
        return f"{often}; under {percent(LEVEL).replace('.0', '')} counts as support. More {more} than {less} answered."
    if claim.n_more < claim.n_less:
        return f"{often}. More {less} than {more} answered: the answers lean the other way."
    return f"{often}: too often to call it a difference."
