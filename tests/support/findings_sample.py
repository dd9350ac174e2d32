"""Findings as literals, in the shape of the food survey: 289 records received, 288 accepted, 165 women and 123 men."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from surveylake.aggregate.disclosure import pooled_name
from surveylake.aggregate.findings import Findings, Line, Point, ReceivedLine, Summary
from surveylake.contract.model import Contract, load_contract
from surveylake.export.charts.render import Chart, draw_charts
from surveylake.export.hypothesis_tests import run_tests
from surveylake.export.statements.model import Report
from surveylake.export.statements.report import report_of
from surveylake.lake.records_table import OffsetRange
from surveylake.paths import CONF

FOOD = load_contract(CONF / "surveys" / "food_preference.toml")
MEASURES = ("mean", "median", "sd", "min", "max")
AGES = {
    "Female": "8 16*2 17 18 19*4 20*3 21*4 22*6 23*3 24*9 25*14 26*3 27*5 28*8 29*4 30*9 31*5 32*4 33*7 34*5 35*7 36*4 37*8 "
              "38*6 39*5 40*11 42*4 44 45*4 46 47 49 50*3 51 53 54*3 56 60 63 65 80*2",
    "Male": "9*3 12 13*4 15 18*2 19*6 20*4 21*7 22*4 23*11 24*11 25*9 26*9 27*13 28*6 29*2 30*6 31*2 33*2 34*3 36 38*5 39 40 "
            "42 43 47 54 56 59 60 67 74",
}  # fmt: skip
"""age*people by gender"""


def ages(gender: str) -> list[float]:
    """Return every age of one gender, sorted."""
    pairs = (part.partition("*") for part in AGES[gender].split())
    return [float(age) for age, _, people in pairs for _ in range(int(people or 1))]


def summary(
    by: tuple[str, ...], rows: list[tuple[Any, ...]], blank: int = 0, rest: int | None = 0
) -> Summary:
    """Return a published table from (group..., people, mean, median, sd, min, max); the measures are optional.

    `rest` is the number of people in groups that are not named; None: too few to publish the number.
    """
    lines = []
    for row in rows:
        groups, people, measures = row[: len(by)], row[len(by)], row[len(by) + 1 :]
        statistics = {**dict(zip(MEASURES, measures, strict=True)), "n": people} if measures else {}
        lines.append(Line(tuple(groups), "named", people, statistics))
    if rest != 0:
        lines.append(Line((pooled_name(5),), "pooled", rest, {}))
    totals: tuple[dict[str, int], ...] = ()
    if len(by) == 2:
        totals = tuple(
            {value: sum(line.people or 0 for line in lines if line.groups[axis] == value) for value in
             dict.fromkeys(line.groups[axis] for line in lines)}
            for axis in (0, 1)
        )  # fmt: skip
    return Summary(by, sum(line.people or 3 for line in lines), blank, tuple(lines), totals, pooled_name(5))


TABLES = (
    summary(("gender",), [("Female", 165, 33.157576, 32.0, 11.075105, 8, 80), ("Male", 123, 27.162602, 25.0, 10.412299, 9, 74)]),
    summary(("age_group",), [
        ("05-12", 5, 9.4, 9.0, 1.516575, 8, 12), ("13-19", 21, 17.142857, 18.0, 2.372461, 13, 19),
        ("20-29", 135, 24.681481, 25.0, 2.457556, 20, 29), ("30-39", 80, 34.2125, 34.0, 3.079922, 30, 39),
        ("40-49", 27, 42.444444, 42.0, 2.764241, 40, 49), ("50-59", 12, 53.416667, 54.0, 2.810963, 50, 59),
        ("60+", 8, 68.625, 66.0, 8.314145, 60, 80)]),
    summary(("nationality",), [
        ("Indian", 241, 30.912863, 28.0, 11.4, 8, 80), ("Indonesian", 10, 27.4, 26.0, 6.2, 18, 39),
        ("Malaysian", 16, 30.5, 30.0, 9.1, 15, 54), ("Pakistani", 6, None, 25.0, None, 21, 31)], rest=15),
    summary(("food",), [("Traditional food", 238, 31.920168, 29.0, 11.461453, 8, 80),
        ("Western Food", 50, 24.3, 24.0, 6.914197, 9, 40)]),
    summary(("juice",), [("Carbonated drinks", 32, 28.59375, 24.5, 11.600499, 15, 60),
        ("Fresh Juice", 256, 30.847656, 28.0, 11.124793, 8, 80)]),
    summary(("dessert",), [
        ("Maybe", 122, 29.368852, 28.0, 8.992376, 9, 63), ("No", 52, 36.0, 35.0, 12.613407, 8, 67),
        ("Yes", 114, 29.447368, 26.0, 11.945371, 9, 80)]),
    summary(("gender", "food"), [
        ("Female", "Traditional food", 144, 34.048611, 33.0, 11.326267, 8, 80),
        ("Female", "Western Food", 21, 27.047619, 26.0, 6.606634, 16, 40),
        ("Male", "Traditional food", 94, 28.659574, 26.0, 10.943209, 9, 74),
        ("Male", "Western Food", 29, 22.310345, 23.0, 6.536182, 9, 40)]),
    summary(("gender", "juice"), [
        ("Female", "Carbonated drinks", 13, 31.923077, 28.0, 11.041298, 21, 54),
        ("Female", "Fresh Juice", 152, 33.263158, 32.0, 11.107981, 8, 80),
        ("Male", "Carbonated drinks", 19, 26.315789, 23.0, 11.70495, 15, 60),
        ("Male", "Fresh Juice", 104, 27.317308, 26.0, 10.213511, 9, 74)]),
    summary(("gender", "dessert"), [
        ("Female", "Maybe", 72, 32.555556, 31.0, 8.748262, 18, 63), ("Female", "No", 35, 37.171429, 36.0, 11.515937, 8, 65),
        ("Female", "Yes", 58, 31.482759, 28.5, 12.855801, 16, 80), ("Male", "Maybe", 50, 24.78, 24.5, 7.237346, 9, 43),
        ("Male", "No", 17, 33.588235, 27.0, 14.701441, 12, 67), ("Male", "Yes", 56, 27.339286, 25.0, 10.629764, 9, 74)]),
)  # fmt: skip

SAMPLE = Findings(
    contract=FOOD,
    version=3,
    smallest_group=5,
    offsets=(
        OffsetRange("Food", 1, 0, 0, 70, 71), OffsetRange("Food", 1, 1, 0, 77, 78),
        OffsetRange("Food", 1, 2, 0, 66, 67), OffsetRange("Food", 1, 3, 0, 72, 73),
    ),
    received=289,
    accepted=288,
    responses=288,
    rejected_by_rule={"out_of_range:Age": 1},
    unknown_spellings={"nationality": {"Martian": 6, "Venusian": 1}},
    received_by=(ReceivedLine("Female", "named", 166, 165, 165), ReceivedLine("Male", "named", 123, 123, 123)),
    summaries={table.by: table for table in TABLES},
    outcomes={table.by[1]: table for table in TABLES if len(table.by) == 2},
    group_counts={"Female": 165, "Male": 123},
    points=tuple(Point(age, gender, False, rank) for gender in AGES for rank, age in enumerate(ages(gender))),
)  # fmt: skip
"""the findings of a run over the food survey"""

EMPTY = replace(
    SAMPLE, offsets=(), received=0, accepted=0, responses=0, rejected_by_rule={}, unknown_spellings={}, received_by=(),
    summaries={table.by: Summary(table.by, 0, 0, ()) for table in TABLES},
    outcomes={table.by[1]: Summary(table.by, 0, 0, ()) for table in TABLES if len(table.by) == 2},
    group_counts={}, points=(),
)  # fmt: skip
"""the same survey before anyone answered"""

PLAIN = Contract.model_validate({
    "name": "visits", "title": "Visits", "topic": "Visits", "key": "visit",
    "fields": {"visit": {"source": "Visit", "type": "string", "required": True},
               "colour": {"source": "Colour", "type": "string"}},
    "summaries": {"by": [["colour"]]},
})  # fmt: skip
"""a survey without measure, charts or hypothesis"""


def of_groups(sizes: dict[str, int]) -> Findings:
    """Return findings with these genders (any names): summaries by gender, and by gender and food; at most 9 points each."""
    people = sum(sizes.values())
    by_gender = summary(("gender",), [(name, n, 30.0, 29.0, 5.0, 20, 40) for name, n in sizes.items()])
    both = summary(("gender", "food"), [(name, "Western Food", n) for name, n in sizes.items()])
    return replace(
        EMPTY, received=people, accepted=people, responses=people, group_counts=sizes,
        summaries={table.by: table for table in (by_gender, both)}, outcomes={**EMPTY.outcomes, "food": both},
        points=tuple(Point(30.0, name, False, i) for name, n in sizes.items() for i in range(min(n, 9))),
    )  # fmt: skip


def report(findings: Findings) -> Report:
    """Return the report of these findings."""
    return report_of(findings, run_tests(findings), rejected_share=0.5)


def drawn(findings: Findings, folder: Path) -> list[Chart]:
    """Draw the charts of these findings."""
    return draw_charts(report(findings), findings, folder)
