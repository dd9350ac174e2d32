"""The pictures: which there are, what they say, and that no survey can break them."""

import os
import random
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from support.findings_sample import EMPTY, FOOD, PLAIN, SAMPLE, of_groups, report, summary
from support.findings_sample import drawn as draw_charts
from surveylake.aggregate.disclosure import pooled_name
from surveylake.aggregate.findings import Point
from surveylake.export.charts.bar_lines import bars_of
from surveylake.export.charts.style import on
from surveylake.export.formatting import measure_words, p_value, percent, percent_in_words, shorten
from surveylake.paths import JOBS

SVG = "{http://www.w3.org/2000/svg}"


def by_name(charts):
    return {chart.name: chart for chart in charts}


def without_measure(findings):
    """The same findings with no age in any table."""
    tables = {
        by: replace(table, lines=tuple(replace(line, measures={}) for line in table.lines))
        for by, table in findings.summaries.items()
    }
    return replace(findings, summaries=tables)


def only(*tables, of=EMPTY):
    """Findings with just these tables."""
    return replace(of, summaries={table.by: table for table in tables})


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return by_name(draw_charts(SAMPLE, tmp_path_factory.mktemp("charts")))


def test_the_food_survey_gives_every_picture_its_contract_asks_for(sample):
    assert list(sample) == [
        "bar_gender", "pie_gender", "line_age_group", "scatter_age_gender", "stacked_gender_food",
        "bar_nationality", "bar_food", "bar_juice", "bar_dessert",
    ]  # fmt: skip


def test_each_picture_is_a_png_and_a_well_formed_svg(sample):
    for chart in sample.values():
        assert chart.png.read_bytes().startswith(b"\x89PNG\r\n")
        assert ElementTree.parse(chart.svg).getroot().tag == f"{SVG}svg"


def test_titles_tell_the_finding(sample):
    assert sample["bar_gender"].title == "Gender: Female leads, 165 of 288 (57.3 %)"
    assert sample["pie_gender"].title == "Female 57.3 % and Male 42.7 % of 288 answers"
    assert sample["line_age_group"].title == "Age group 20-29 gave the most answers: 135 of 288"
    assert sample["scatter_age_gender"].title == "Median age: Female 32 and Male 25"
    assert sample["stacked_gender_food"].title == (
        "Western Food: 12.7 % of Female (n = 165) and 23.6 % of Male (n = 123)"
    )


def test_captions_tell_n_and_the_version_and_alt_texts_the_numbers(sample):
    assert all("n = 288 people; records version 3." in chart.caption for chart in sample.values())
    assert "Female 165 (57.3 %), Male 123 (42.7 %)" in sample["bar_gender"].alt
    assert "20-29 135 (median 25)" in sample["line_age_group"].alt


def test_the_same_findings_give_the_same_bytes(tmp_path, sample):
    for name, chart in by_name(draw_charts(SAMPLE, tmp_path)).items():
        assert chart.svg.read_bytes() == sample[name].svg.read_bytes()
        assert chart.png.read_bytes() == sample[name].png.read_bytes()


def test_no_answers_give_no_pictures(tmp_path):
    assert draw_charts(EMPTY, tmp_path) == []


def test_a_table_of_small_groups_alone_gives_no_picture(tmp_path):
    table = summary(("gender",), [], rest=None)
    findings = only(table)
    assert draw_charts(findings, tmp_path) == []
    assert report(findings).table("gender").headline.text == "Gender: not shown: fewer than 5 people"


def test_a_contract_without_charts_gives_bars_of_what_it_publishes(tmp_path):
    table = summary(("colour",), [("red", 7), ("blue", 5)])
    charts = draw_charts(replace(only(table), contract=PLAIN, outcomes={}), tmp_path)
    assert [(chart.name, chart.title) for chart in charts] == [
        ("bar_colour", "Colour: red leads, 7 of 12 (58.3 %)")
    ]


def test_a_survey_without_a_measure_has_a_line_of_answers_alone(tmp_path):
    line = by_name(draw_charts(without_measure(SAMPLE), tmp_path))["line_age_group"]
    assert line.alt.startswith("Line chart of answers by age group: 05-12 5, 13-19 21,")


@pytest.mark.integration
def test_ten_thousand_groups_are_drawn_as_twenty_and_the_rest(tmp_path):
    charts = by_name(draw_charts(of_groups({f"group {i}": 5 + i % 100 for i in range(10_000)}), tmp_path))
    assert "9,980 smaller groups are drawn within 'Other'." in charts["bar_gender"].caption
    assert "Other (9,980 groups) 542,920" in charts["bar_gender"].alt
    assert "Other (9,994 groups)" in charts["pie_gender"].alt


def test_a_folded_rest_joins_the_rare_answers():
    table = summary(("gender",), [(f"g{i}", 100 - i) for i in range(25)], rest=9)
    bars, folded = bars_of(report(only(table)).table("gender"), FOOD, 20)
    assert (bars[-1].name, bars[-1].people, folded) == (
        "Other (5 groups and rare answers)",
        9 + 80 + 79 + 78 + 77 + 76,
        5,
    )


def test_one_folded_group_is_one_group(tmp_path):
    """Field row A13."""
    table = summary(("gender",), [(f"g{i}", 100 - i) for i in range(21)])
    assert "Other (1 group) 80" in by_name(draw_charts(only(table), tmp_path))["bar_gender"].alt


def test_numbers_dates_and_bands_keep_their_order_and_other_groups_go_by_size():
    """Field row A9."""
    contract = PLAIN.model_copy(
        update={
            "fields": {**PLAIN.fields, "age": FOOD.fields["age"]},
            "derived": {"band": FOOD.derived["age_group"]},
        }
    )
    for column, given, ordered in (
        ("age", ["19", "17", "18"], ["19", "17", "18"]),
        ("band", ["1-5", "6-25", "26-100"], ["1-5", "6-25", "26-100"]),
        ("colour", ["red", "blue"], ["blue", "red"]),
    ):
        rows = [(name, 10 + place) for place, name in enumerate(given)]
        bars, _ = bars_of(report(only(summary((column,), rows))).table(column), contract, 20)
        assert [bar.name for bar in bars] == ordered, column


@pytest.mark.parametrize("name", [
    "x" * 10_000, "$\\frac{a}{$", "$x$", "مرحبا بالعالم", "שלום", "😀 emoji", "日本語",
    "a\nb\tc\x00\u202e", "<script>", "\ud800", " ",
], ids=["10 kB", "bad formula", "formula", "Arabic", "Hebrew",
        "emoji", "Japanese", "control", "html", "surrogate", "blank"])  # fmt: skip
def test_any_name_can_be_drawn(tmp_path, name):
    charts = draw_charts(of_groups({name: 9, "Female": 7}), tmp_path)
    assert len(charts) == 4
    for chart in charts:
        ElementTree.parse(chart.svg)
        assert len(chart.title) < 200


def test_a_single_group_can_be_drawn(tmp_path):
    charts = by_name(draw_charts(of_groups({"Female": 7}), tmp_path))
    assert charts["bar_gender"].title == "Gender: Female leads, 7 of 7 (100.0 %)"


def test_groups_of_one_size_are_said_to_be_level(tmp_path):
    charts = by_name(draw_charts(of_groups({"a": 5, "b": 5}), tmp_path))
    assert charts["bar_gender"].title == "Gender: a and b are level at 5 answers"


def test_many_groups_of_one_size_are_counted_and_not_named(tmp_path):
    charts = by_name(draw_charts(of_groups(dict.fromkeys("abcdef", 5)), tmp_path))
    assert charts["bar_gender"].title == "Gender: 6 groups are level at 5 answers"


def test_groups_that_are_not_published_are_not_drawn(tmp_path):
    no_claim = SAMPLE.contract.model_copy(update={"hypothesis": None})
    assert draw_charts(replace(SAMPLE, summaries={}, outcomes={}, contract=no_claim), tmp_path) == []


def test_blanks_are_no_group_and_are_counted_in_the_caption(tmp_path):
    """Field row A2: a blank is not an answer."""
    table = summary(("gender",), [("Male", 9), ("Female", 7)], blank=4)
    chart = by_name(draw_charts(only(table), tmp_path))["bar_gender"]
    assert chart.title == "Gender: Male leads, 9 of 16 (56.2 %)"
    assert chart.caption.startswith("n = 16 people, 4 did not answer gender; ")


def test_too_few_people_have_no_bar_and_the_caption_says_so(tmp_path):
    """Field row A4."""
    table = summary(("gender",), [("Female", 51), ("Male", 51)], rest=None)
    chart = by_name(draw_charts(only(replace(table, base=105)), tmp_path))["bar_gender"]
    assert chart.title == "Gender: Female and Male are level at 51 answers"
    assert chart.alt == "Bar chart of answers by gender: Female 51 (48.6 %), Male 51 (48.6 %)."
    assert "Fewer than 5 people gave other answers, not shown." in chart.caption


def test_shares_of_a_stacked_bar_are_of_all_people_in_it_whatever_is_not_shown(tmp_path):
    """Field row A1: F often 18, never 70, some 3; M often 29, never 58, some 13."""
    table = summary(("gender", "food"), [("F", "never", 70), ("M", "never", 58)])
    held = replace(table, base=191, totals=({"F": 91, "M": 100}, {"never": 128}))
    findings = only(summary(("gender",), [("F", 91), ("M", 100)]), held)
    chart = by_name(draw_charts(findings, tmp_path))["stacked_gender_food"]
    assert chart.title == "never: 76.9 % of F (n = 91) and 58.0 % of M (n = 100)"
    assert "F: never 70 (76.9 %) of 91, the rest not shown" in chart.alt


def test_a_row_without_a_cell_to_show_is_drawn_as_not_shown(tmp_path):
    table = summary(("gender", "food"), [("F", "yes", 60), ("F", "no", 40)])
    held = replace(table, base=208, totals=({"F": 100, "M": 100, pooled_name(5): 8}, {"yes": 114, "no": 94}))
    findings = only(summary(("gender",), [("F", 100), ("M", 100)], rest=8), held)
    chart = by_name(draw_charts(findings, tmp_path))["stacked_gender_food"]
    assert chart.title == "yes: 60.0 % of F (n = 100)"
    assert "M: n = 100, not shown; Other (fewer than 5 each): n = 8, not shown." in chart.alt


def test_a_sample_of_the_points_is_said_in_the_caption(tmp_path):
    chance = random.Random(1)
    points = tuple(
        Point(chance.gauss(35, 12), chance.choice(("Female", "Male")), False, i) for i in range(5_000)
    )
    table = summary(
        ("gender",),
        [("Female", 700_000, 33.2, 32.0, 11.1, 8, 80), ("Male", 534_567, 27.1, 25.0, 10.4, 9, 74)],
    )
    chart = by_name(draw_charts(replace(only(table), points=points), tmp_path))["scatter_age_gender"]
    assert "5,000 of 1,234,567 people are drawn" in chart.caption
    assert chart.svg.stat().st_size < 300_000


def test_who_has_no_measure_is_not_said_to_be_drawn(tmp_path):
    """Nor how many have one, which may be withheld: the number is of all who said their group."""
    points = tuple(point for point in SAMPLE.points if point.group == "Male" or point.rank >= 20)
    chart = by_name(draw_charts(replace(SAMPLE, points=points), tmp_path))["scatter_age_gender"]
    assert chart.caption.startswith(
        "n = 288 people; records version 3. 268 of 288 people are drawn, each moved"
    )
    everybody = by_name(draw_charts(SAMPLE, tmp_path / "all"))["scatter_age_gender"]
    assert "Everybody is drawn" in everybody.caption


def test_protected_people_are_not_drawn_and_some_others_are_left_out_with_them(tmp_path):
    """Else their measures would follow from the group's mean and everybody else's points."""
    women = [Point(30.0 + rank, "Female", rank == 0, rank) for rank in range(40)]
    men = [Point(30.0, "Male", False, rank) for rank in range(40)]
    few = [Point(60.0, "Rare", True, 0)]
    findings = replace(SAMPLE, points=tuple(women + men + few))
    chart = by_name(draw_charts(findings, tmp_path))["scatter_age_gender"]
    assert "points: Female 34, Male 40." in chart.alt
    assert "74 of 288 people are drawn" in chart.caption
    assert "Rare" not in chart.svg.read_text() + chart.alt


def test_people_whose_mean_is_not_said_are_not_all_drawn(tmp_path):
    table = summary(
        ("gender",),
        [("Female", 40, None, 32.0, None, 8, 80), ("Male", 40, 27.1, 25.0, 10.4, 9, 74)],
        rest=None,
    )
    points = tuple(Point(30.0, name, False, i) for name in ("Female", "Male") for i in range(40))
    findings = replace(only(table, of=SAMPLE), points=points)
    assert "points: Female 35, Male 40." in by_name(draw_charts(findings, tmp_path))["scatter_age_gender"].alt


def test_a_band_without_a_median_is_a_gap_in_the_line(tmp_path):
    lines = tuple(
        replace(line, measures={}) if line.groups == ("30-39",) else line
        for line in SAMPLE.summaries[("age_group",)].lines
    )
    table = replace(SAMPLE.summaries[("age_group",)], lines=lines)
    alt = by_name(draw_charts(only(table, of=SAMPLE), tmp_path))["line_age_group"].alt
    assert "20-29 135 (median 25), 30-39 80, 40-49 27 (median 42)" in alt


def test_bands_level_at_the_top_are_all_meant(tmp_path):
    table = summary(("age_group",), [(f"{n}0-{n}9", 9) for n in range(1, 6)])
    chart = by_name(draw_charts(only(table), tmp_path))["line_age_group"]
    assert chart.title == "Age group: 5 bands gave the most answers, 9 each"


def test_more_bands_than_a_line_has_room_for_are_said_and_the_largest_of_all_is_named(tmp_path):
    table = summary(("age_group",), [(f"{n}", 40 if n == 50 else 9) for n in range(18, 61)], rest=6)
    chart = by_name(draw_charts(only(table), tmp_path))["line_age_group"]
    assert chart.title == "Age group 50 gave the most answers: 40 of 424"
    assert (
        "The first 24 of 43 bands are drawn; 202 answers not. 6 answers without a band of their own not drawn."
        in chart.caption
    )


def test_groups_that_a_stacked_chart_has_no_room_for_are_not_said_to_be_in_it(tmp_path):
    names = [f"g{number}" for number in range(25)]
    pairs = [(name, answer, 30 - place) for place, name in enumerate(names) for answer in ("yes", "no")]
    findings = only(summary(("gender",), [(name, 60) for name in names]), summary(("gender", "food"), pairs))
    chart = by_name(draw_charts(findings, tmp_path))["stacked_gender_food"]
    assert "5 smaller groups are not drawn." in chart.caption
    assert "Other" not in chart.caption + chart.alt


def test_numbers_in_a_bar_are_light_on_dark_colours_and_dark_on_light_ones():
    assert (on("#0072b2"), on("#f0e442")) == ("#fefefe", "#101418")


def test_a_small_share_is_not_called_none():
    assert (percent(0.5729), percent(0.0001), percent(0)) == ("57.3 %", "< 0.1 %", "0.0 %")
    assert percent_in_words(0.0004) == "fewer than 0.1 %", "field row A8"


def test_a_share_short_of_all_is_not_called_all():
    assert (percent(0.9999), percent(1), percent_in_words(0.9999)) == (
        "> 99.9 %",
        "100.0 %",
        "more than 99.9 %",
    )


def test_a_p_value_is_rounded_to_its_side_of_the_level():
    assert (p_value(0.0496), p_value(0.04996), p_value(0.2), p_value(0.0001)) == (
        "p = 0.0496", "p = 0.04996", "p = 0.200", "p < 0.001",
    )  # fmt: skip


def test_a_long_name_ends_in_an_ellipsis_and_a_missing_one_is_not_given():
    assert (shorten("abcdefgh", 5), shorten("  a \n b "), shorten(None)) == ("abcd…", "a b", "not given")


def test_the_measure_is_named_with_its_unit():
    assert (measure_words(SAMPLE.contract), measure_words(PLAIN)) == ("age (years, whole)", "")


@pytest.mark.integration
@pytest.mark.parametrize("missing", ["display", "home", "writable home"])
def test_charts_need_no_display_and_no_home(tmp_path, missing):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    environment = {
        key: value for key, value in os.environ.items() if key not in ("DISPLAY", "MPLCONFIGDIR", "HOME")
    }
    environment["PYTHONPATH"] = f"{JOBS}{os.pathsep}{Path(__file__).parents[2]}"
    if missing == "display":
        environment["HOME"] = str(tmp_path)
    if missing == "writable home":
        environment["HOME"] = str(locked)
    code = (
        "import sys; from pathlib import Path; from support.findings_sample import SAMPLE, report; from surveylake.export.charts.render import draw_charts;"
        "print(len(draw_charts(report(SAMPLE), SAMPLE, Path(sys.argv[1])))); print('matplotlib.pyplot' in sys.modules, 'tkinter' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(tmp_path / "charts")],
        env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.split() == ["9", "False", "False"], done.stderr
    assert done.stderr == ""
    assert list(tmp_path.glob(".[cm]*")) == [], "nothing is written into the home"


@pytest.mark.integration
def test_someones_matplotlibrc_changes_nothing(tmp_path, sample):
    (tmp_path / "matplotlibrc").write_text("font.size: 40\ntext.usetex: True\nsavefig.transparent: True\n")
    environment = {**os.environ, "PYTHONPATH": f"{JOBS}{os.pathsep}{Path(__file__).parents[2]}"}
    code = (
        "from pathlib import Path; from support.findings_sample import SAMPLE, report; from surveylake.export.charts.render import draw_charts;"
        "draw_charts(report(SAMPLE), SAMPLE, Path('.'))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, timeout=60)
    assert (tmp_path / "bar_gender.svg").read_bytes() == sample["bar_gender"].svg.read_bytes()
