"""What a part finds: ratios with their spread, and the lone figures they come from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, TypeVar

Cost = TypeVar("Cost")


@dataclass(frozen=True)
class Spread:
    """A ratio over the rounds of one run. Above 1 is better, or meets the goal: goals.py says which."""

    median: float
    min: float
    max: float

    @classmethod
    def of(cls, rounds: Sequence[float]) -> "Spread":
        """The spread of one ratio per round."""
        return cls(median(rounds), min(rounds), max(rounds))


@dataclass(frozen=True)
class PartResults:
    """A part's result. `figures` are for reference and hold for that machine and hour only."""

    ratios: dict[str, Spread]
    figures: dict[str, Any] = field(default_factory=dict)


def interleaved(runs: Mapping[str, Callable[[], Cost]], rounds: int) -> dict[str, list[Cost]]:
    """name -> what each round cost, in the order A B C A B C …: what changes on the machine meanwhile hits all alike."""
    costs: dict[str, list[Cost]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            costs[name].append(run())
    return costs


def ratio(over: Sequence[float], under: Sequence[float]) -> Spread:
    """over / under, round by round."""
    return Spread.of([a / b for a, b in zip(over, under, strict=True)])
