"""A one-column table as bars: which are drawn, their order, and the bar for the rest. No layout."""

from dataclasses import dataclass

from surveylake.aggregate.ordering import has_order
from surveylake.contract.model import Contract
from surveylake.export.formatting import count, in_sentence, percent
from surveylake.export.statements.model import Table
from surveylake.wording import counted


@dataclass(frozen=True)
class Bar:
    """One bar or slice."""

    name: str
    people: int
    share: float
    """of all people who answered"""
    is_rest: bool = False
    """True if it stands for many groups"""


def bars_of(table: Table, contract: Contract, most: int) -> tuple[list[Bar], int]:
    """Return at most `most` bars, then one for the rest, and how many groups were folded into that.

    Groups with an order of their own (numbers, dates, bands) keep it; others are sorted by size.
    """
    by_size = sorted(table.lines, key=lambda line: (-_people(line.value), line.groups))
    shown = by_size[:most]
    if has_order(contract, table.columns[0], [line.groups[0] for line in table.lines]):
        largest = {line.groups for line in shown}
        shown = [line for line in table.lines if line.groups in largest]
    bars = [Bar(line.groups[0], _people(line.value), line.share or 0.0) for line in shown]
    folded = by_size[most:]
    pooled = next((line for line in table.rest if line.value is not None), None)
    people = sum(_people(line.value) for line in folded) + (_people(pooled.value) if pooled else 0)
    if people:
        name = pooled.groups[0] if pooled and not folded else f"Other ({counted(len(folded), 'group')})"
        bars.append(
            Bar(
                name if not (pooled and folded) else f"{name[:-1]} and rare answers)",
                people,
                people / table.base,
                True,
            )
        )
    return bars, len(folded)


def bars_in_words(bars: list[Bar]) -> str:
    """Return every bar in words: `Female 165 (57.3 %), Male 123 (42.7 %)`."""
    return ", ".join(bar_in_words(bar.name, bar.people, bar.share) for bar in bars)


def bar_in_words(name: str, people: int, share: float) -> str:
    """Return one group in words: `Female 165 (57.3 %)`."""
    return f"{in_sentence(name)} {count(people)} ({percent(share)})"


def _people(value: object) -> int:
    return value if isinstance(value, int) else 0
