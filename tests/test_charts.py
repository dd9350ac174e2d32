"""The pictures: which there are, what they say, and that no survey can break them."""

import os
import random
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from findings_sample import EMPTY, PLAIN, SAMPLE, of_groups, summary
from surveylake.canvas import on
from surveylake.charts import draw_charts
from surveylake.labels import bars_of, measure_words, percent, shorten
from surveylake.project import JOBS

SVG = "{http://www.w3.org/2000/svg}"


def by_name(charts):
    return {chart.name: chart for chart in charts}


def without_measure(findings):
    """The same findings with no age in any table."""
    tables = {
        name: replace(
            table,
            rows=tuple({k: v for k, v in row.items() if not k.startswith("age_m")} for row in table.rows),
        )
        for name, table in findings.summaries.items()
    }
    return replace(findings, summaries=tables)


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
    assert sample["stacked_gender_food"].title == "Western Food: 12.7 % of Female and 23.6 % of Male"


def test_captions_tell_n_and_the_version_and_alt_texts_the_numbers(sample):
    assert all("n = 288 people; records version 3." in chart.caption for chart in sample.values())
    assert "Female 165 (57.3 %), Male 123 (42.7 %)" in sample["bar_gender"].alt
    assert "20-29 135 (mean 24.7)" in sample["line_age_group"].alt


def test_the_same_findings_give_the_same_bytes(tmp_path, sample):
    for name, chart in by_name(draw_charts(SAMPLE, tmp_path)).items():
        assert chart.svg.read_bytes() == sample[name].svg.read_bytes()
        assert chart.png.read_bytes() == sample[name].png.read_bytes()


def test_no_answers_give_pictures_that_say_no_data(tmp_path):
    charts = draw_charts(EMPTY, tmp_path)
    assert len(charts) == 9
    assert all(chart.title.startswith("No data: ") for chart in charts)


def test_a_contract_without_charts_gives_bars_of_what_it_publishes(tmp_path):
    table = summary(("colour",), [("red", 7), ("blue", 5)], 12)
    charts = draw_charts(
        replace(EMPTY, contract=PLAIN, responses=12, summaries={table.name: table}), tmp_path
    )
    assert [(chart.name, chart.title) for chart in charts] == [
        ("bar_colour", "Colour: red leads, 7 of 12 (58.3 %)")
    ]


def test_a_survey_without_a_measure_has_a_line_of_answers_alone(tmp_path):
    line = by_name(draw_charts(without_measure(SAMPLE), tmp_path))["line_age_group"]
    assert line.alt.startswith("Line chart of answers by age group: 05-12 5, 13-19 21,")


def test_ten_thousand_groups_are_drawn_as_twenty_and_the_rest(tmp_path):
    charts = by_name(draw_charts(of_groups({f"group {i}": 5 + i % 100 for i in range(10_000)}), tmp_path))
    assert "9,980 smaller groups are drawn within 'Other'." in charts["bar_gender"].caption
    assert "Other (9,980 groups) 542,920" in charts["bar_gender"].alt
    assert "Other (9,994 groups)" in charts["pie_gender"].alt


def test_a_folded_rest_joins_the_groups_that_were_merged_before():
    table = summary(("gender",), [(f"g{i}", 100 - i) for i in range(25)] + [("Other (1,012 groups)", 9)], 1)
    bars, folded = bars_of(table, 20)
    assert (bars[-1], folded) == (("Other (1,017 groups)", 9 + 80 + 79 + 78 + 77 + 76), 5)


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


def test_groups_that_are_not_published_are_not_drawn(tmp_path):
    assert draw_charts(replace(SAMPLE, summaries={}), tmp_path) == []


def test_a_group_called_zero_is_not_taken_for_a_missing_one(tmp_path):
    table = summary(("gender",), [(0, 9), ("", 8), ("Female", 7)], 24)
    chart = by_name(draw_charts(replace(EMPTY, summaries={table.name: table}), tmp_path))["bar_gender"]
    assert "0 9 (37.5 %)" in chart.alt
    assert "not given" not in chart.alt


def test_answers_without_a_group_are_called_not_given(tmp_path):
    table = summary(("gender",), [(None, 9), ("Female", 7)], 16)
    chart = by_name(draw_charts(replace(EMPTY, summaries={table.name: table}), tmp_path))["bar_gender"]
    assert "not given 9 (56.2 %)" in chart.alt
    assert chart.title.startswith("Gender: Female leads")


def test_a_sample_of_the_points_is_said_in_the_caption(tmp_path):
    chance = random.Random(1)
    points = tuple((chance.gauss(35, 12), chance.choice(("Female", "Male"))) for _ in range(5_000))
    chart = by_name(draw_charts(replace(SAMPLE, points=points, points_total=1_234_567), tmp_path))[
        "scatter_age_gender"
    ]
    assert "n = 1,234,567 people" in chart.caption
    assert "A seeded random sample of 5,000 of them is shown." in chart.caption
    assert chart.svg.stat().st_size < 300_000


def test_a_group_too_small_to_publish_has_no_strip_of_its_own(tmp_path):
    table = summary(("gender",), [("Female", 165), ("Other (2 groups)", 3)], 168)
    points = ((30.0, "Female"), (41.0, "Rare"), (52.0, "Rarer"))
    chart = by_name(draw_charts(replace(SAMPLE, summaries={table.name: table}, points=points), tmp_path))[
        "scatter_age_gender"
    ]
    assert "points: Female 1, Other 2." in chart.alt
    assert "Rare" not in chart.alt + chart.title


def test_numbers_in_a_bar_are_light_on_dark_colours_and_dark_on_light_ones():
    assert (on("#0072b2"), on("#f0e442")) == ("#fefefe", "#101418")


def test_a_small_share_is_not_called_none():
    assert (percent(0.5729), percent(0.0001), percent(0)) == ("57.3 %", "< 0.1 %", "0.0 %")


def test_a_long_name_ends_in_an_ellipsis_and_a_missing_one_is_not_given():
    assert (shorten("abcdefgh", 5), shorten("  a \n b "), shorten(None)) == ("abcd…", "a b", "not given")


def test_the_measure_is_named_with_its_unit():
    assert (measure_words(SAMPLE.contract), measure_words(PLAIN)) == ("age (years, whole)", "")


@pytest.mark.parametrize("missing", ["display", "home", "writable home"])
def test_charts_need_no_display_and_no_home(tmp_path, missing):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    environment = {
        key: value for key, value in os.environ.items() if key not in ("DISPLAY", "MPLCONFIGDIR", "HOME")
    }
    environment["PYTHONPATH"] = f"{JOBS}{os.pathsep}{Path(__file__).parent}"
    if missing == "display":
        environment["HOME"] = str(tmp_path)
    if missing == "writable home":
        environment["HOME"] = str(locked)
    code = (
        "import sys; from pathlib import Path; from findings_sample import SAMPLE; from surveylake.charts import draw_charts;"
        "print(len(draw_charts(SAMPLE, Path(sys.argv[1])))); print('matplotlib.pyplot' in sys.modules, 'tkinter' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(tmp_path / "charts")],
        env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.split() == ["9", "False", "False"], done.stderr
    assert done.stderr == ""
    assert list(tmp_path.glob(".[cm]*")) == [], "nothing is written into the home"


def test_someones_matplotlibrc_changes_nothing(tmp_path, sample):
    (tmp_path / "matplotlibrc").write_text("font.size: 40\ntext.usetex: True\nsavefig.transparent: True\n")
    environment = {**os.environ, "PYTHONPATH": f"{JOBS}{os.pathsep}{Path(__file__).parent}"}
    code = (
        "from pathlib import Path; from findings_sample import SAMPLE; from surveylake.charts import draw_charts;"
        "draw_charts(SAMPLE, Path('.'))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, timeout=60)
    assert (tmp_path / "bar_gender.svg").read_bytes() == sample["bar_gender"].svg.read_bytes()
