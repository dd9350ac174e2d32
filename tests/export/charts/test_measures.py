"""The measure in the charts: large, small and negative numbers are within the axes, and written as people write them."""

from dataclasses import replace

import pytest

from support.findings_sample import EMPTY, FOOD, report, summary
from support.findings_sample import drawn as draw_charts
from surveylake.aggregate.findings import Point
from surveylake.export.charts.line import draw_line
from surveylake.export.charts.style import WIDTH, drawing, text_width


def by_name(charts):
    return {chart.name: chart for chart in charts}


def only(*tables):
    """Findings with just these tables."""
    return replace(EMPTY, summaries={table.by: table for table in tables})


def banded(*medians):
    """A table of bands with these median measures."""
    return summary(
        ("age_group",),
        [(f"band {at}", 9, median, median, 1.0, median, median) for at, median in enumerate(medians)],
    )


@pytest.mark.parametrize(
    "medians",
    [(-20.0, -5.0, -12.0), (-5.0, -5.0), (-0.05, -0.02), (-10.0, 5.0), (0.0, 0.0), (2.0, 7.0)],
    ids=str,
)
def test_every_point_of_a_line_is_within_its_axes_with_zero(medians):
    with drawing():
        figure = draw_line(report(only(banded(*medians))).table("age_group"), FOOD, 3).figure
    lowest, highest = figure.axes[1].get_ylim()
    assert lowest <= min(0, *medians) <= max(0, *medians) < highest
    assert highest - lowest <= 1.5 * (max(0, *medians) - min(0, *medians)) or set(medians) == {0.0}, (
        "a line, not a dot"
    )


def test_large_and_small_measures_are_written_as_people_write_them(tmp_path):
    large = summary(
        ("gender",), [("Female", 9, 1.5e6, 1234567.0, 9.5, 20, 2e6), ("Male", 9, 1e6, 987654.5, 9.5, 20, 2e6)]
    )
    points = tuple(Point(1e6 + 1000 * i, name, False, i) for name in ("Female", "Male") for i in range(9))
    charts = by_name(
        draw_charts(replace(only(large, banded(1234567.0, 2e6)), points=points), tmp_path / "large")
    )
    assert charts["scatter_age_gender"].title == "Median age: Female 1,234,567 and Male 987,654.5"
    assert "band 0 9 (median 1,234,567), band 1 9 (median 2,000,000)." in charts["line_age_group"].alt
    small = by_name(draw_charts(only(banded(0.02, 0.055, 0.0333333)), tmp_path / "small"))["line_age_group"]
    assert "(median 0.02), band 1 9 (median 0.055), band 2 9 (median 0.0333)." in small.alt
    for chart, wanted, other in (
        (charts["scatter_age_gender"], "median 1,234,567", "e+06"), (charts["line_age_group"], " 1,234,567 ", "e+06"),
        (small, " 0.055 ", " 0.1 "),
    ):  # fmt: skip
        assert f"<!--{wanted if wanted[0] == ' ' else f' {wanted} '}-->" in chart.svg.read_text()
        assert other not in chart.svg.read_text()


def test_wide_numbers_have_room_beside_a_line_and_are_left_out_at_its_points_where_they_have_none():
    with drawing():
        figure = draw_line(
            report(only(banded(*(1234567.0 + at for at in range(12))))).table("age_group"), FOOD, 3
        ).figure
        numbers = [figure.axes[1].yaxis.get_major_formatter()(tick) for tick in figure.axes[1].get_yticks()]
        room = figure.axes[1].get_position().x0 * WIDTH
        assert max(map(text_width, numbers)) * 8.5 / 10 < room
    answers, medians = ([text.get_text() for text in axes.texts] for axes in figure.axes)
    assert answers == ["9"] * 12
    assert medians == []


def test_the_axis_of_a_line_has_numbers_that_are_no_rounded_ones():
    with drawing():
        axes = draw_line(report(only(banded(2.5, 8.0))).table("age_group"), FOOD, 3).figure.axes[1]
    ticks = axes.get_yticks()
    assert [float(axes.yaxis.get_major_formatter()(tick)) for tick in ticks] == pytest.approx(list(ticks))
