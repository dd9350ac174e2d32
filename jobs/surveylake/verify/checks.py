"""What a proof is made of: checks with a verdict each, a table for people, JSON for machines, one verdict for all."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby

from surveylake.wording import SHOWN

PROVED, NOT_PROVED, SAID = "proved", "NOT proved", "said"
"""What a check can come to; `said` is a fact that proves nothing and refutes nothing, such as lag."""
MOST_ALIKE = 24
"""lines of one kind and verdict that a table shows; of more, as of a topic of a thousand partitions, it shows the first few"""


@dataclass(frozen=True)
class Check:
    """One line of a proof: what was looked at, where, what it came to, and why."""

    what: str
    where: str
    verdict: str
    detail: str
    next_step: str = ""
    """what to do when it is not proved"""


@dataclass
class Proof:
    """All checks of one lake, in the order they were made, and what the whole cost."""

    checks: list[Check] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    """step -> seconds it took"""
    claim: str = ""
    """what is proved when nothing speaks against it"""

    def add(self, checks: Iterable[Check]) -> None:
        """Take in more checks."""
        self.checks.extend(checks)

    @property
    def failures(self) -> list[Check]:
        """The checks that speak against the lake."""
        return [check for check in self.checks if check.verdict == NOT_PROVED]

    @property
    def proved(self) -> bool:
        """Whether something was proved and nothing speaks against it."""
        return not self.failures and any(check.verdict == PROVED for check in self.checks)

    @property
    def verdict(self) -> str:
        """The one line: `proved: …` or `NOT proved: …`."""
        if self.proved:
            return f"proved: {self.claim}"
        first = self.failures[0] if self.failures else None
        said = (
            f"{first.what} of {first.where}: {first.detail}" if first else "there is nothing to prove it from"
        )
        others = f" (and {len(self.failures) - 1} more)" if len(self.failures) > 1 else ""
        return f"NOT proved: {said}{others}"

    @property
    def next_steps(self) -> list[str]:
        """What to do, each once, the most urgent first."""
        return list(dict.fromkeys(check.next_step for check in self.failures if check.next_step))

    def lines(self) -> list[str]:
        """The table, the seconds, the verdict and what to do next, ready to print."""
        rows = [("what", "where", "verdict", "detail")]
        rows += [(check.what, check.where, check.verdict, check.detail) for check in shown(self.checks)]
        took = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in self.seconds.items())
        return [
            *aligned(rows),
            f"took: {took}",
            self.verdict,
            *(f"  next: {step}" for step in self.next_steps),
        ]

    def as_json(self) -> str:
        """The same for machines, as one JSON object."""
        seconds = {step: round(taken, 3) for step, taken in self.seconds.items()}
        whole = {"proved": self.proved, "verdict": self.verdict, "next": self.next_steps, "seconds": seconds}
        return json.dumps({**whole, "checks": [asdict(check) for check in self.checks]}, indent=1)


def shown(checks: Sequence[Check]) -> list[Check]:
    """The checks a person is shown: of many neighbours of one kind and verdict the first few, and how many more there are."""
    found: list[Check] = []
    for (what, verdict), group in groupby(checks, key=lambda check: (check.what, check.verdict)):
        alike = list(group)
        if len(alike) > MOST_ALIKE:
            left, alike = len(alike) - SHOWN, alike[:SHOWN]
            alike.append(Check(what, f"and {left:,} more", verdict, "alike; --json has a line for each"))
        found += alike
    return found


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows of texts as lines whose columns start below each other; the last column is as long as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return [
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]
