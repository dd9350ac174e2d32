"""Tables of two questions, `g` and `a`, and a measure, as readers have them, and the sums that nobody may derive."""

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
"""answers to both questions, rare values pooled; None is blank"""


@dataclass(frozen=True)
class PublishedTable:
    """One published table."""

    people: Mapping[tuple[str, ...], int]
    """the groups that are shown"""
    measures: Mapping[tuple[str, ...], Mapping[str, float | None]]
    """n, mean, sd, median, min, max of each of them"""


@dataclass(frozen=True)
class Secret:
    """A sum of measures that nobody may derive."""

    name: str
    people: int
    measured: int
    problem: Problem


def from_summaries(tables: Mapping[By, Summary]) -> dict[By, PublishedTable]:
    """Return the tables as the product computes them."""
    return {
        by: PublishedTable(
            {line.groups: line.people or 0 for line in table.lines if line.kind != "held" and line.people},
            {line.groups: dict(line.measures) for line in table.lines if line.measures},  # type: ignore[arg-type]
        )
        for by, table in tables.items()
    }  # fmt: skip


def from_report(folder: Path) -> dict[By, PublishedTable]:
    """Return the tables as report.json has them."""
    statements = json.loads((folder / "report.json").read_text(encoding="utf-8"))["statements"]
    tables = {}
    for by in LISTS:
        mine = [s for s in statements if tuple(s.get("columns", ())) == by]
        lines = [s for s in mine if s["what"] in ("group", "cell", "pooled")]
        people = {tuple(s["groups"]): s["value"] for s in lines if "value" in s}
        measures = {
            tuple(s["groups"]): {**s["more"], "n": s.get("n")} for s in mine if s["what"] == "measure"
        }
        tables[by] = PublishedTable(people, measures)
    return tables


def pooled(people: Iterable[Person], by: By) -> Counter[tuple[str, ...]]:
    """Count the people who answered all of `by`, the values that too few gave pooled on their axis."""
    groups = [tuple(map(str, p.answers_to(by))) for p in people if None not in p.answers_to(by)]
    totals = [Counter(group[axis] for group in groups) for axis in range(len(by))]
    return Counter(
        tuple(value if totals[axis][value] >= SMALLEST else POOL for axis, value in enumerate(group))
        for group in groups
    )


def maybe_empty(people: Sequence[Person], table: PublishedTable) -> tuple[list[Cell], list[Problem]]:
    """Return the cells with nobody in them, and a problem for each: can a reader know that?"""
    cells = {(row, column): n for (row, column), n in pooled(people, ("g", "a")).items()}
    rows, columns = {row for row, _ in cells}, {column for _, column in cells}
    shown = {(group[0], group[1]) for group in table.people}
    empty = sorted((r, c) for r in rows for c in columns if (r, c) not in cells)
    return empty, cell_problems(cells, shown, empty)


def secrets(surveys: Sequence[tuple[Sequence[Person], Mapping[By, PublishedTable]]]) -> list[list[Secret]]:
    """Return for each survey the sums that nobody may derive, as problems over everything that is published."""
    questions = [maybe_empty(people, tables[("g", "a")]) for people, tables in surveys]
    answers = iter(intervals([problem for _, problems in questions for problem in problems]))
    by_survey = []
    for (people, tables), (empty, _) in zip(surveys, questions, strict=True):
        unsure = {cell for cell in empty if next(answers)[1] > 1e-6}
        by_survey.append(_secrets_of(people, tables, unsure))
    return by_survey


def _secrets_of(
    people: Sequence[Person], tables: Mapping[By, PublishedTable], unsure: set[Cell]
) -> list[Secret]:
    inside, measured, cells = _fine(people, tables, unsure)
    equal, between = _known(tables, cells)
    secrets: list[Secret] = []

    def keep(name: str, part: list[Fine]) -> None:
        wanted: list[Hashable] = list(part)
        if n := sum(measured[cell] for cell in part):
            problem = Problem(wanted, equal, between, -math.inf)
            secrets.append(Secret(name, sum(inside[cell] for cell in part), n, problem))

    for axis, column in enumerate("ga"):
        rare = [cell for cell in cells if cell[axis] == POOL]
        blank = [cell for cell in cells if cell[axis] is None]
        if tables[(column,)].people.keys() - {(POOL,)}:
            keep(f"rare {column}", rare)
        for (value,) in tables[(column,)].people:
            group = [cell for cell in cells if cell[axis] == value]
            if sum(measured[cell] for cell in group) < SMALLEST:
                keep(f"few measures of {column}", group)
        few = sum(inside[cell] for cell in blank)
        if 0 < few < SMALLEST:
            keep(f"blank {column}", blank)
            if few + sum(inside[cell] for cell in rare) < SMALLEST:
                keep(f"rare or blank {column}", rare + blank)
    for cell in cells:
        if inside[cell] and not {None, POOL} & {*cell} and cell not in tables[("g", "a")].people:
            keep(f"cell {cell}", [cell])
    for answered in (0, 1):
        partly = [cell for cell in cells if cell[answered] is not None and cell[1 - answered] is None]
        for part in (partly, *([cell] for cell in partly if len(partly) > 1)):
            if 0 < sum(inside[cell] for cell in part) < SMALLEST:
                keep(f"cell of only {'ga'[answered]} {part}", part)
    return secrets


def _fine(
    people: Sequence[Person], tables: Mapping[By, PublishedTable], unsure: set[Cell]
) -> tuple[Counter[Fine], Counter[Fine], list[Fine]]:
    """Count people and measures of each fine cell. Lists the cells in which, for all a reader knows, there may be somebody."""
    named = [{group[0] for group in tables[(column,)].people} - {POOL} for column in "ga"]
    inside, measured = Counter[Fine](), Counter[Fine]()
    for person in people:
        answers = (person.g, person.a)
        g, a = (None if v is None else v if v in named[axis] else POOL for axis, v in enumerate(answers))
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
    tables: Mapping[By, PublishedTable], cells: list[Fine]
) -> tuple[list[tuple[list[Hashable], float]], list[tuple[list[Hashable], float, float]]]:
    equal: list[tuple[list[Hashable], float]] = []
    between: list[tuple[list[Hashable], float, float]] = []
    for by, table in tables.items():
        places = ["ga".index(column) for column in by]
        for group, figures in table.measures.items():
            part: list[Hashable] = [
                c for c in cells if all(c[at] == v for at, v in zip(places, group, strict=True))
            ]
            n = int(figures["n"] or 0)
            if (mean := figures["mean"]) is not None:
                equal.append((part, mean * n))
            between.append((part, *sum_of_group(n, figures["min"], figures["median"], figures["max"])))
    return equal, between
