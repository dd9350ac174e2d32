"""Tries to work out protected cells, sums and values from all that is published together (rows a3 and a4).

Protected are the people of a value that fewer than five gave, the cells of one to four people, and blanks of one to four, of
all or of a group.
What is published: the tables of `g`, of `a` and of both, with the statistics of a measure, and what was received by `g`.
"""

import csv
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from support.audited_table import POOL, Secret, from_report, from_summaries, pooled, secrets
from support.auditor import Cell, cell_problems, intervals, must_reach, sum_of_group
from support.checker_tables import needless
from support.made_answers import SIZES, Counts, drawn, people_of, same_values, survey, table
from support.made_surveys import PAIRS, Rows
from support.published_tables import LISTS, SMALLEST, By, Person, publish
from support.surveyed import publish as publish_with_spark
from surveylake.aggregate import disclosure, subtraction

TABLES, SURVEYS = 3000, 2500
CLOSE = 1e-6


def shown_cells(counts: Counts, by: By = ("g", "a")) -> tuple[dict[Cell, int], set[Cell]]:
    """The two-column table with rare values pooled, and which of its cells are shown."""
    masked = disclosure.mask_of(by, disclosure.answered(counts), SMALLEST)
    people = Counter[Cell]()
    for group, n in counts.items():
        first, second = (v if v in named else POOL for v, named in zip(group, masked.named, strict=True))
        people[first, second] += n
    lines = disclosure.lines(counts, masked)
    return dict(people), {cell for cell in people if cell in lines}


def leaks(tables: Sequence[tuple[dict[Cell, int], set[Cell]]]) -> list[str]:
    """Return the small cells that a reader of the shown ones can narrow down."""
    small = [(people, shown, cell) for people, shown in tables for cell, n in people.items() if n < SMALLEST]
    bounds = intervals([cell_problems(people, shown, [cell])[0] for people, shown, cell in small])
    derivable = []
    for (people, shown, cell), (low, high) in zip(small, bounds, strict=True):
        lowest, highest = must_reach(people, cell, SMALLEST)
        if low > lowest + CLOSE or high < highest - CLOSE:
            derivable.append(
                f"{cell} is {low:g} to {high:g}, not {lowest} to {highest}: {people}, shown {sorted(shown)}"
            )
    return derivable


def worked_out(
    surveys: Sequence[Sequence[Person]], least: float = 0.0
) -> list[tuple[Secret, float, Sequence[Person]]]:
    """Return the secret sums that are known exactly; with `least`, those of fewer than five people whose mean is known to within
    that part of the spread of all measures."""
    by_survey = secrets([(people, from_summaries(publish(people))) for people in surveys])
    all_of_them = [
        (secret, people)
        for its_secrets, people in zip(by_survey, surveys, strict=True)
        for secret in its_secrets
    ]
    derivable = []
    for (secret, people), (low, high) in zip(
        all_of_them, intervals([secret.problem for secret, _ in all_of_them]), strict=True
    ):
        measures = [person.n for person in people if person.n is not None]
        spread = max(measures) - min(measures)
        enough = least * spread if secret.people < SMALLEST and not secret.name.startswith("cell") else 0.0
        if spread and (high - low) / secret.measured < max(enough - CLOSE, CLOSE):
            derivable.append((secret, (high - low) / secret.measured, people))
    return derivable


def told_of(found: list[tuple[Secret, float, Sequence[Person]]]) -> str:
    """Say the smallest survey of those found."""
    if not found:
        return ""
    secret, width, people = min(found, key=lambda item: len(item[2]))
    return f"{len(found)} found, such as {secret.name} to within {width:g} of {people}"


# The auditor itself


def test_the_sum_of_a_group_is_bounded_as_tightly_as_it_can_be() -> None:
    rng = random.Random(1)
    for _ in range(300):
        values = sorted(rng.randint(0, 9) for _ in range(rng.randint(5, 9)))
        least, median, most = values[0], float(np.median(values)), values[-1]
        low, high = sum_of_group(len(values), least, median, most)
        assert low - CLOSE <= sum(values) <= high + CLOSE
    assert sum_of_group(5, 0, 4.0, 10) == (0 + 0 + 4 + 4 + 10, 0 + 4 + 4 + 10 + 10)
    assert sum_of_group(6, 7, 7.0, 7) == (42, 42)
    assert sum_of_group(5, None, 4.0, 10)[0] == -np.inf


def test_a_cell_that_is_alone_in_its_row_is_worked_out() -> None:
    people: dict[Cell, int] = {("F", "yes"): 20, ("F", "no"): 3, ("M", "yes"): 30, ("M", "no"): 20}
    everything_else = {cell for cell, n in people.items() if n != 3}
    assert intervals(cell_problems(people, everything_else, [("F", "no")])) == [(3.0, 3.0)]
    assert intervals(cell_problems(people, set(), [("F", "no")])) == [(0.0, 23.0)]
    assert must_reach(people, ("F", "no"), SMALLEST) == (0, 5)


# Counts


@pytest.mark.integration
def test_no_small_cell_can_be_worked_out_from_all_totals_and_all_cells_that_are_shown() -> None:
    rng = random.Random(20)
    tables = [shown_cells(counts) for counts in (table(rng) for _ in range(TABLES)) if counts]
    assert not [people for people, shown in tables if any(people[cell] < SMALLEST for cell in shown)]
    assert leaks(tables) == []


def test_the_auditor_finds_small_cells_without_others_to_hide_among(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_small(people: dict[Cell, int], smallest: int, _: object) -> set[Cell]:
        return {cell for cell, n in people.items() if n < smallest}

    monkeypatch.setattr(disclosure, "held_cells", only_small)
    rng = random.Random(21)
    tables = [shown_cells(counts) for counts in (table(rng) for _ in range(300)) if counts]
    assert len(leaks(tables)) > 100


def test_the_auditor_finds_one_cell_that_too_little_hides(monkeypatch: pytest.MonkeyPatch) -> None:
    choose = disclosure.held_cells

    def one_too_few(people: dict[Cell, int], smallest: int, unsaid: set[tuple[int, str]]) -> set[Cell]:
        cells = choose(people, smallest, unsaid)
        large = sorted(cell for cell in cells if people.get(cell, 0) >= smallest)
        return cells - set(large[:1])

    monkeypatch.setattr(disclosure, "held_cells", one_too_few)
    rng = random.Random(22)
    assert leaks([shown_cells(counts) for counts in (table(rng) for _ in range(300)) if counts])


def test_a_one_column_table_hides_no_group_of_five_and_names_no_smaller_one() -> None:
    rng = random.Random(23)
    for _ in range(TABLES):
        groups = {f"v{i}": rng.choice(rng.choice(SIZES)) for i in range(rng.randint(1, 12))}
        counts: dict[tuple[str | None, ...], int] = {(v,): n for v, n in groups.items() if n}
        counts[(None,)] = rng.choice([0, 1, 7])
        people = disclosure.answered(counts)
        lines = disclosure.lines(people.groups, disclosure.mask(people, SMALLEST))
        rest = sum(n for n in groups.values() if n < SMALLEST)
        large = {(v,): n for v, n in groups.items() if n >= SMALLEST}
        assert lines == {**large, **({(POOL,): rest} if rest else {})}


def test_no_cell_is_held_back_that_protects_nobody() -> None:
    rng = random.Random(24)
    tables = [shown_cells(counts) for counts in (table(rng) for _ in range(TABLES // 3)) if counts]
    assert [
        fault for people, shown in tables for fault in needless(Counter(people), set(shown), SMALLEST, "")
    ] == []


def test_a3_eight_single_people_leave_a_table_of_three_by_two() -> None:
    alone = {(f"x{i}", "yes"): 1 for i in range(8)}
    people, shown = shown_cells(
        {("F", "yes"): 60, ("F", "no"): 40, ("M", "yes"): 50, ("M", "no"): 50, **alone}
    )
    assert shown == set(people) == {("F", "yes"), ("F", "no"), ("M", "yes"), ("M", "no"), (POOL, "yes")}
    both = {**{(f"x{i}", "yes"): 1 for i in range(5)}, **{(f"y{i}", "no"): 1 for i in range(5)}}
    people, shown = shown_cells(
        {("F", "yes"): 60, ("F", "no"): 40, ("M", "yes"): 50, ("M", "no"): 50, **both}
    )
    assert len(shown) == 6, "60/40/50/50 and ten single people: nothing is small"


# Sums of the measure


@pytest.mark.integration
def test_no_sum_of_protected_people_is_determined() -> None:
    assert told_of(worked_out(drawn(25, SURVEYS, survey))) == ""


def every_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subtraction, "lists_with_sums", lambda lists, *_: lists)


def test_the_auditor_finds_the_sums_where_every_mean_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    every_mean(monkeypatch)
    kinds = {re.sub(r" (g|a|\().*", "", secret.name) for secret, _, _ in worked_out(drawn(29, 200, survey))}
    assert kinds >= {"rare", "blank", "rare or blank", "cell", "cell of only"}


def test_the_auditor_finds_the_sums_that_two_tables_tell_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subtraction, "tell_of_few", lambda *_: False)
    kinds = {re.sub(r" (g|a|\().*", "", secret.name) for secret, _, _ in worked_out(drawn(26, 600, survey))}
    assert kinds == {"cell of only"}


LEAKS_OF_SUMS = {
    "m1": (people_of(F_yes=[30, 30, 31, 31, 80, 80], F_no=[30, 31, 32]), 0.5),
    "m2": (people_of(F_yes=[41] * 6, F_no=[90]), 0.0),
    "m3": (people_of(F_yes=[30] * 12, M_yes=[40] * 12, F_no=[30] * 11, M_no=[30] * 11, F_rare=[77],
                     F_other=[30] * 9, M_other=[30] * 9), 0.0),
    "m4": (people_of(F_yes=[20] * 7, M_yes=[40, 40], F_blank=[20, 30, 30], M_blank=[20, 30, 30, 30, 30]), 0.0),
    "m5": (people_of(F_yes=[20, 25, 30, 35, 40, 50, 60], M_no=[20, 30, 40, 45, 50, 60], blank_yes=[90]), 0.0),
    "m6": ([*people_of(F_yes=list(range(20, 50)), F_no=[90]), *[Person("F", "no", None)] * 9], 0.0),
    "m7": (people_of(F_yes=range(20, 70), M_no=range(20, 93), blank_yes=[83], blank_blank=[30] * 5), 0.0),
    "m8": (people_of(F_yes=range(20, 50), M_no=range(30, 60), F_blank=[83], M_blank=[30] * 5), 0.0),
    "m9": (people_of(pet_dog=range(20, 50), pet_cat=range(30, 60), pet_blank=[83, 80], none_blank=[30] * 50), 0.0),
}  # fmt: skip
"""Each a survey in which a sum followed from rules that said more, and the share of the spread within which a mean must not be
known (0: the sum exactly)."""


@pytest.mark.parametrize(
    ("people", "least"),
    [pytest.param(people, least, id=name) for name, (people, least) in LEAKS_OF_SUMS.items()],
)  # fmt: skip
def test_a_sum_that_leaked_once_does_no_more(people: list[Person], least: float) -> None:
    assert told_of(worked_out([people], least)) == ""


@pytest.mark.integration
def test_the_mean_of_fewer_than_five_stays_uncertain_by_half_the_spread_of_all() -> None:
    assert told_of(worked_out(drawn(27, SURVEYS // 2, survey), 0.5)) == ""


@pytest.mark.integration
def test_no_sum_is_determined_where_measures_hardly_differ_or_groups_are_near_equal() -> None:
    assert told_of(worked_out([*drawn(28, SURVEYS // 2, same_values), *drawn(25, SURVEYS, survey)])) == ""


# Other ways than sums


def test_a_table_that_is_published_both_ways_holds_back_the_same_cells() -> None:
    """As with by = [["a", "g"]] and a hypothesis about g with the outcome a."""
    counts: Counts = {
        ("F", "a0"): 60,
        ("F", "a1"): 30,
        ("F", "a2"): 3,
        ("M", "a0"): 30,
        ("M", "a1"): 60,
        ("M", "a2"): 3,
    }
    people, shown = shown_cells(counts)
    _, turned = shown_cells({(a, g): n for (g, a), n in counts.items()}, ("a", "g"))
    assert leaks([(people, shown | {(g, a) for a, g in turned})]) == []


def test_no_value_follows_from_deviations() -> None:
    """Six people of one group, one of them alone in the answer; all numbers from 0 to 120 are tried."""
    published = from_summaries(publish(people_of(F_yes=[20, 30, 33, 35, 60], F_no=[90])))
    everybody, shown = published[("g",)].measures[("F",)], published[("a",)].measures[("yes",)]
    known = [everybody["mean"], everybody["sd"], shown["min"], shown["median"], shown["max"]]
    mean, sd, least, median, most = (value or 0.0 for value in known)
    total, squares = round(mean * 6), round(sd**2 * 5 + mean**2 * 6)
    others = sums_of_five(int(least), int(median), int(most))
    possible = [x for x in range(121) if None in known or (total - x, squares - x * x) in others]
    assert 90 in possible
    assert max(possible) - min(possible) >= (90 - 20) / 2, f"the one who is alone is one of {possible}"


def sums_of_five(least: int, median: int, most: int) -> set[tuple[int, int]]:
    """Return sum and sum of squares of any five whole numbers with this smallest, middle and largest one."""
    return {
        (least + x + median + y + most, least**2 + x**2 + median**2 + y**2 + most**2)
        for x in range(least, median + 1)
        for y in range(median, most + 1)
    }


def test_who_left_out_the_measure_does_not_follow() -> None:
    published = from_summaries(publish([*people_of(F_yes=list(range(20, 50))), Person("F", "rare", None)]))
    numbers = [measures.get("n") for by in (("g",), ("a",)) for measures in published[by].measures.values()]
    assert None in numbers, f"n is {numbers}: none of the protected has a measure"


def test_what_protected_people_said_elsewhere_does_not_follow_from_extremes_that_are_missing() -> None:
    """The one of the rare answer is the oldest, and of F: only F's largest value is missing."""
    ages = list(range(20, 50))
    people = people_of(F_yes=ages, M_yes=ages, F_no=ages[:9], M_no=ages[:9], F_rare=[90])
    by_group = from_summaries(publish(people))[("g",)].measures
    assert len({measures["max"] is None for measures in by_group.values()}) == 1, by_group


# From end to end: Spark, the exported files


class Ended:
    """One survey as it is published by Spark."""

    def __init__(self, people: list[Person], folder: Path, spark: SparkSession) -> None:
        self.people = people
        rows: Rows = [
            {
                "id": f"P{i}",
                **{c: "" if v is None else str(v) for c, v in (("g", p.g), ("a", p.a), ("n", p.n))},
            }
            for i, p in enumerate(people)
        ]
        self.folder = folder
        self.out = publish_with_spark(spark, "audit", (replace(PAIRS, claim=None), rows), folder)


@pytest.fixture(scope="module")
def ended(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> list[Ended]:
    """Six surveys in which no sum follows, as far as is known; one of them has two tables that differ by one person."""
    surveys = [*[people for people in drawn(29, 60, survey) if len(people) > 30][:5], LEAKS_OF_SUMS["m7"][0]]
    return [Ended(people, tmp_path_factory.mktemp("audit"), spark) for people in surveys]


def test_spark_publishes_what_the_audit_of_thousands_is_made_from(ended: list[Ended]) -> None:
    for survey_ in ended:
        told, right = from_report(survey_.out), from_summaries(publish(survey_.people))
        for by in LISTS:
            assert told[by].people == right[by].people
            assert told[by].measures.keys() == right[by].measures.keys()
            for group, said in right[by].measures.items():
                for part, value in said.items():
                    near = None if value is None else pytest.approx(value, rel=1e-6)
                    assert told[by].measures[group][part] == near, (by, group, part)


def test_no_cell_sum_or_extreme_can_be_worked_out_from_the_exported_files(ended: list[Ended]) -> None:
    reports = [(survey_.people, from_report(survey_.out)) for survey_ in ended]
    cells = []
    for survey_, (people, tables) in zip(ended, reports, strict=True):
        counted = {(g, a): n for (g, a), n in pooled(people, ("g", "a")).items()}
        cells.append((counted, {(group[0], group[1]) for group in tables[("g", "a")].people}))
        with (survey_.out / "summary_g_a.csv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["g"] != "(not shown)"]
        assert {(row["g"], row["a"]): int(row["answers"]) for row in rows} == tables[("g", "a")].people
    assert leaks(cells) == []
    problems = [(secret, secret.problem) for its_secrets in secrets(reports) for secret in its_secrets]
    widths = intervals([problem for _, problem in problems])
    assert problems
    assert [s.name for (s, _), (low, high) in zip(problems, widths, strict=True) if high - low < CLOSE] == []


POINT = re.compile(r'<use xlink:href="#m\w+" x="([\d.]+)" y="([\d.]+)" style="fill')
TICK = re.compile(r'<g id="xtick_\d+">.*?<path d="M ([\d.]+) .*?<!-- (-?[\d.,]+) -->', re.S)


def points_of(out: Path) -> list[int]:
    """Read the measures from the scatter chart: whole numbers are moved by less than a half. None where it is not drawn."""
    path = out / "charts" / "scatter_n_g.svg"
    svg = path.read_text(encoding="utf-8") if path.exists() else ""
    ticks = [(float(x), float(value.replace(",", ""))) for x, value in TICK.findall(svg)]
    if not ticks:
        return []
    slope, start = np.polyfit([x for x, _ in ticks], [value for _, value in ticks], 1)
    return [round(slope * float(x) + start) for x, _ in POINT.findall(svg)]


@pytest.fixture(scope="module")
def scattered(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Forty people of nearly one age, and one of 90 who is alone in the answer."""
    people = people_of(F_yes=[30 + i % 5 for i in range(40)], F_rare=[90])
    return Ended(people, tmp_path_factory.mktemp("scatter"), spark)


def test_the_points_of_a_scatter_chart_are_the_measures_of_those_who_are_drawn(
    spark: SparkSession, tmp_path: Path, scattered: Ended
) -> None:
    """What makes the next two tests able to fail: where nobody is protected, the reader of points reads everybody."""
    ages = [20, 21, 30, 45, 60] * 4
    open_to_all = Ended(people_of(F_yes=ages, M_no=ages), tmp_path, spark)
    assert sorted(points_of(open_to_all.out)) == sorted(ages * 2)
    assert len(points_of(scattered.out)) >= SMALLEST


def test_no_protected_person_is_a_point_of_the_scatter_chart(scattered: Ended) -> None:
    assert not Counter(points_of(scattered.out)) - Counter(p.n for p in scattered.people if p.a == "yes")


def test_no_mean_follows_from_the_points_of_the_scatter_chart(scattered: Ended) -> None:
    points, tables = points_of(scattered.out), from_report(scattered.out)
    everybody, shown = tables[("g",)].measures[("F",)], tables[("a",)].measures[("yes",)]
    known = [everybody["n"], everybody["mean"], shown["min"], shown["max"]]
    n, mean, least, most = (value or 0.0 for value in known)
    hidden, others = mean * n - sum(points), n - 1 - len(points)
    low, high = (-np.inf, np.inf) if None in known else (hidden - others * most, hidden - others * least)
    assert low <= 90 <= high
    assert high - low >= (90 - 30) / 2, f"the one who is alone is {low:g} to {high:g}"
