"""The published tables of people, by the product's own rules and without Spark, which only counts: for tests of thousands of tables.

tests/aggregate/test_disclosure_audit.py sees that Spark publishes the same.
"""

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyspark.sql import Row

from surveylake.aggregate import disclosure, groups, summary_lines
from surveylake.aggregate.disclosure import Mask
from surveylake.aggregate.findings import Summary
from surveylake.aggregate.groups import Counted
from surveylake.contract.model import Contract
from surveylake.lake.tables import Cell

By = tuple[str, ...]
LISTS: tuple[By, ...] = (("g",), ("a",), ("g", "a"))
SMALLEST = 5
CONTRACT = Contract.model_validate({
    "name": "audit", "title": "Audit", "topic": "t", "key": "id",
    "fields": {"id": {"source": "id", "type": "string", "required": True}, "g": {"source": "g", "type": "string"},
               "a": {"source": "a", "type": "string"}, "n": {"source": "n", "type": "integer"}},
    "summaries": {"by": [list(by) for by in LISTS], "measure": "n", "received_by": "g"},
})  # fmt: skip


@dataclass(frozen=True)
class Person:
    """One answer. None is blank."""

    g: str | None
    a: str | None
    n: int | None

    def answers_to(self, by: By) -> tuple[str | None, ...]:
        """Return the person's answers in these columns."""
        return tuple(getattr(self, column) for column in by)


def publish(people: Sequence[Person]) -> dict[By, Summary]:
    """Return the published tables of LISTS."""
    counted = _counted(people)
    answered = {by: disclosure.answered(counted.people[by]) for by in LISTS}
    masks = {by: disclosure.mask_of(by, answered[by], SMALLEST) for by in LISTS}
    rows = [row for place, by in enumerate(LISTS) for row in _statistics(people, place, by, masks)]
    measures = summary_lines.measures(rows, list(LISTS), "n", counted, masks)
    return {
        by: summary_lines.summary(CONTRACT, by, answered[by], masks[by], measures.get(by, {})) for by in LISTS
    }


def _counted(people: Sequence[Person], others: Sequence[By] = LISTS) -> Counted:
    """Count as groups.counts does."""
    return Counted(
        {by: Counter(person.answers_to(by) for person in people) for by in LISTS},
        {by: Counter(person.answers_to(by) for person in people if person.n is not None) for by in LISTS},
        {by: _counted([person for person in people if None in person.answers_to(by)], ()) for by in others},
    )


def is_protected(person: Person, masks: dict[By, Mask]) -> bool:
    """True if some table publishes nothing but the number of such people; groups.protected without Spark."""
    for by, mask in masks.items():
        answers = person.answers_to(by)
        group = tuple(value for value in answers if value is not None)
        unnamed = any(v not in named for v, named in zip(group, mask.named, strict=False))
        if len(group) == len(answers) and (unnamed or group in mask.small):
            return True
        if None in answers and mask.few_blank and len(by) == 1:
            return True
        if answers in mask.few_partly:
            return True
    return False


def _statistics(people: Iterable[Person], place: int, by: By, masks: dict[By, Mask]) -> list[Row]:
    """Return one row per line of a table, as groups.statistics does."""
    lines: dict[tuple[str, ...], list[Person]] = {}
    for person in people:
        answers = person.answers_to(by)
        group = tuple(value for value in answers if value is not None)
        if len(group) == len(answers):
            lines.setdefault(masks[by].label(group), []).append(person)
    return [_row(place, label, inside, masks) for label, inside in lines.items()]


def _row(place: int, label: tuple[str, ...], people: list[Person], masks: dict[By, Mask]) -> Row:
    values = sorted(person.n for person in people if person.n is not None)
    open_values = [person.n for person in people if person.n is not None and not is_protected(person, masks)]
    extremes: list[Cell] = [
        pick(open_values) if open_values and pick(open_values) == pick(values) else None
        for pick in (min, max)
    ]
    figures: dict[str, Cell] = {
        "mean": statistics.fmean(values) if values else None,
        "median": float(statistics.median(values)) if values else None,
        "sd": statistics.stdev(values) if len(values) > 1 else None,
        "min": extremes[0],
        "max": extremes[1],
    }
    named = dict(zip(groups.PLACES, (place, *label, None)[:3], strict=True))
    measures = {f"n_{name}": figures[name] for name in groups.MEASURES}
    return Row(**named, **{groups.MEASURED: len(values)}, **measures)
