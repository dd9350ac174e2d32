"""A proof as checks with a status each and one conclusion, written as a table or as JSON."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby

from surveylake.progress import Stopwatch
from surveylake.wording import SHOWN

PROVED, NOT_PROVED, SAID = "proved", "NOT proved", "said"
"""The statuses of a check; `said` is a fact that neither proves nor refutes anything, such as lag."""
MOST_ALIKE = 24
"""checks of one kind and status that a table shows in full; of more, as of a thousand partitions, it shows the first few"""


@dataclass(frozen=True)
class Check:
    """One line of a proof: what was checked, where, its status, and why."""

    what: str
    where: str
    status: str
    """PROVED, NOT_PROVED or SAID"""
    detail: str
    next_step: str = ""
    """what to do when it is not proved"""


@dataclass
class Proof:
    """All checks of one lake, in the order they were made, and the time they took."""

    checks: list[Check] = field(default_factory=list)
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    """the seconds of each step"""
    claim: str = ""
    """what is proved when nothing speaks against it"""

    def add(self, checks: Iterable[Check]) -> None:
        """Add checks."""
        self.checks.extend(checks)

    @property
    def failures(self) -> list[Check]:
        """The checks that speak against the lake."""
        return [check for check in self.checks if check.status == NOT_PROVED]

    @property
    def proved(self) -> bool:
        """Whether a check is proved and none has failed."""
        return not self.failures and any(check.status == PROVED for check in self.checks)

    @property
    def conclusion(self) -> str:
        """The one line: `proved: …` or `NOT proved: …`."""
        if self.proved:
            return f"proved: {self.claim}"
        first = self.failures[0] if self.failures else None
        reason = (
            f"{first.what} of {first.where}: {first.detail}" if first else "there is nothing to prove it from"
        )
        others = f" (and {len(self.failures) - 1} more)" if len(self.failures) > 1 else ""
        return f"NOT proved: {reason}{others}"

    @property
    def next_steps(self) -> list[str]:
        """What to do, each step once, the most urgent first."""
        return list(dict.fromkeys(check.next_step for check in self.failures if check.next_step))

    def lines(self) -> list[str]:
        """Return the table, the seconds, the conclusion and what to do next, ready to print."""
        rows = [("what", "where", "verdict", "detail")]
        rows += [(check.what, check.where, check.status, check.detail) for check in shown(self.checks)]
        return [
            *aligned(rows),
            self.stopwatch.line(),
            self.conclusion,
            *(f"  next: {step}" for step in self.next_steps),
        ]

    def as_json(self) -> str:
        """Return the whole proof as one JSON object; the conclusion and each status have the key `verdict`."""
        whole = {
            "proved": self.proved,
            "verdict": self.conclusion,
            "next": self.next_steps,
            "seconds": {step: round(seconds, 3) for step, seconds in self.stopwatch.seconds.items()},
            "checks": [_as_json(check) for check in self.checks],
        }
        return json.dumps(whole, indent=1)


def _as_json(check: Check) -> dict[str, str]:
    """Return a check as its JSON object, in the order of its fields."""
    return {"verdict" if name == "status" else name: value for name, value in asdict(check).items()}


def shown(checks: Sequence[Check]) -> list[Check]:
    """Return the checks for a table: of many neighbours of one kind and status the first few, and how many more there are."""
    lines: list[Check] = []
    for (what, status), group in groupby(checks, key=lambda check: (check.what, check.status)):
        alike = list(group)
        if len(alike) > MOST_ALIKE:
            hidden, alike = len(alike) - SHOWN, alike[:SHOWN]
            alike.append(Check(what, f"and {hidden:,} more", status, "alike; --json has a line for each"))
        lines += alike
    return lines


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows of texts as lines with aligned columns; the last column is not padded."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return [
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]
