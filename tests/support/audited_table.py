"""Two questions, `g` and `a`, and a measure, as readers have them: what of it is known, and which sums nobody may work out."""

import json
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.auditor import Cell, Problem, cell_problems, intervals, sum_of_group
from support.published_tables import LISTS, SMALLEST, By, Person
from surveylake.aggregate.findings import Summary

POOL = f"Other (fewer than {SMALLEST} each)"
Fine = tuple[str | None, str | None]
"""what some people said to both, rare values pooled; None is blank"""


@dataclass(frozen=True)
class Told:
    """One published table."""

    people: Mapping[tuple[str, ...], int]
    """the groups that are shown"""
    measures: Mapping[tuple[str, ...], Mapping[str, float | None]]
    """n, mean, sd, median, min, max of each of them"""


@dataclass(frozen=True)
class Secret:
    """A sum of measures that nobody may work out."""

    name: str
    people: int
    measured: int
    problem: Problem


def from_summaries(tables: Mapping[By, Summary]) -> dict[By, Told]:
    """What the product's tables tell."""
    return {
        by: Told(
            {line.groups: line.people or 0 for line in table.lines if line.kind != "held" and line.people},
            {line.groups: dict(line.measures) for line in table.lines if line.measures},  # type: ignore[arg-type]
        )
        for by, table in tables.items()
    }  # fmt: skip


def from_report(folder: Path) -> dict[By, Told]:
    """What report.json tells."""
    told = json.loads((folder / "report.json").read_text(encoding="utf-8"))["statements"]
    tables = {}
    for by in LISTS:
        mine = [s for s in told if tuple(s.get("columns", ())) == by]
        lines = [s for s in mine if s["what"] in ("group", "cell", "pooled")]
        people = {tuple(s["groups"]): s["value"] for s in lines if "value" in s}
        measures = {
            tuple(s["groups"]): {**s["more"], "n": s.get("n")} for s in mine if s["what"] == "measure"
        }
        tables[by] = Told(people, measures)
    return tables


def pooled(people: Iterable[Person], by: By) -> Counter[tuple[str, ...]]:
    """Count the people who answered all of `by`, the values that too few gave pooled on their axis."""
    said = [tuple(map(str, p.says(by))) for p in people if None not in p.says(by)]
    totals = [Counter(group[axis] for group in said) for axis in range(len(by))]
    return Counter(
        tuple(value if totals[axis][value] >= SMALLEST else POOL for axis, value in enumerate(group))
        for group in said
    )


def maybe_empty(people: Sequence[Person], told: Told) -> tuple[list[Cell], list[Problem]]:
    """Return the cells with nobody in them, and the question whether a reader can know that."""
    cells = {(row, column): n for (row, column), n in pooled(people, ("g", "a")).items()}
    rows, columns = {row for row, _ in cells}, {column for _, column in cells}
    shown = {(group[0], group[1]) for group in told.people}
    empty = sorted((r, c) for r in rows for c in columns if (r, c) not in cells)
    return empty, cell_problems(cells, shown, empty)


def secrets(surveys: Sequence[tuple[Sequence[Person], Mapping[By, Told]]]) -> list[list[Secret]]:
    """Return for each survey the sums that nobody may work out, as problems over everything that is told."""
    questions = [maybe_empty(people, told[("g", "a")]) for people, told in surveys]
    answers = iter(intervals([problem for _, problems in questions for problem in problems]))
    found = []
    for (people, told), (empty, _) in zip(surveys, questions, strict=True):
        unsure = {cell for cell in empty if next(answers)[1] > 1e-6}
        found.append(_secrets_of(people, told, unsure))
    return found


def _secrets_of(people: Sequence[Person], told: Mapping[By, Told], unsure: set[Cell]) -> list[Secret]:
    inside, measured, cells = _fine(people, told, unsure)
    equal, between = _known(told, cells)
    found: list[Secret] = []

    def keep(name: str, part: list[Fine]) -> None:
        wanted: list[Hashable] = list(part)
        if n := sum(measured[cell] for cell in part):
            problem = Problem(wanted, equal, between, -math.inf)
            found.append(Secret(name, sum(inside[cell] for cell in part), n, problem))

    for axis, column in enumerate("ga"):
        rare = [cell for cell in cells if cell[axis] == POOL]
        blank = [cell for cell in cells if cell[axis] is None]
        if told[(column,)].people.keys() - {(POOL,)}:
            keep(f"rare {column}", rare)
        for (value,) in told[(column,)].people:
            group = [cell for cell in cells if cell[axis] == value]
            if sum(measured[cell] for cell in group) < SMALLEST:
                keep(f"few measures of {column}", group)
        few = sum(inside[cell] for cell in blank)
        if 0 < few < SMALLEST:
            keep(f"blank {column}", blank)
            if few + sum(inside[cell] for cell in rare) < SMALLEST:
                keep(f"rare or blank {column}", rare + blank)
    for cell in cells:
        if inside[cell] and not {None, POOL} & {*cell} and cell not in told[("g", "a")].people:
            keep(f"cell {cell}", [cell])
    return found


def _fine(
    people: Sequence[Person], told: Mapping[By, Told], unsure: set[Cell]
) -> tuple[Counter[Fine], Counter[Fine], list[Fine]]:
    """Count people and measures of each fine cell, and list all that a reader has to think of: empty ones too, if they may be not."""
    named = [{group[0] for group in told[(column,)].people} - {POOL} for column in "ga"]
    inside, measured = Counter[Fine](), Counter[Fine]()
    for person in people:
        said = (person.g, person.a)
        g, a = (None if v is None else v if v in named[axis] else POOL for axis, v in enumerate(said))
        inside[g, a] += 1
        measured[g, a] += person.n is not None
    both = pooled(people, ("g", "a"))
    shown = [{cell[axis] for cell in both} for axis in (0, 1)]

    def label(axis: int, value: str) -> str:
        return value if value in shown[axis] else POOL

    more = {
        (g, a) for g in (*named[0], POOL) for a in (*named[1], POOL) if (label(0, g), label(1, a)) in unsure
    }
    return inside, measured, sorted({*inside, *more}, key=str)


def _known(
    told: Mapping[By, Told], cells: list[Fine]
) -> tuple[list[tuple[list[Hashable], float]], list[tuple[list[Hashable], float, float]]]:
    equal: list[tuple[list[Hashable], float]] = []
    between: list[tuple[list[Hashable], float, float]] = []
    for by, table in told.items():
        places = ["ga".index(column) for column in by]
        for group, said in table.measures.items():
            part: list[Hashable] = [
                c for c in cells if all(c[at] == v for at, v in zip(places, group, strict=True))
            ]
            n = int(said["n"] or 0)
            if (mean := said["mean"]) is not None:
                equal.append((part, mean * n))
            between.append((part, *sum_of_group(n, said["min"], said["median"], said["max"])))
    return equal, between
