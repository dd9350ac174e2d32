"""The charts of one run: from statements to PNG and SVG files. The contract determines which charts there are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from surveylake.aggregate.findings import Findings
from surveylake.export.charts.bars import draw_bars, draw_pie
from surveylake.export.charts.fonts import UNSEEN, families_with, missing_note
from surveylake.export.charts.line import draw_line
from surveylake.export.charts.scatter import draw_scatter
from surveylake.export.charts.stacked import draw_stacked
from surveylake.export.charts.style import Drawn, drawing, save
from surveylake.export.statements.model import Report, Statement, Table


@dataclass(frozen=True)
class Chart:
    """One chart, as PNG and SVG."""

    name: str
    """file name without its end, such as `bar_gender`"""
    title: str
    """the finding, as a sentence with its numbers"""
    caption: str
    """n, version of `records`, and what was left out"""
    alt: str
    """alt text: the chart in words"""
    png: Path
    svg: Path
    boxes: str = ""
    """letters that no font of this machine has; the chart shows boxes for them"""


def draw_charts(report: Report, findings: Findings, folder: Path) -> list[Chart]:
    """Draw every chart of the contract into `folder`, as NAME.png (150 dpi) and NAME.svg.

    [charts] gives bar and pie by `group`, a line over `bands`, the measure by `group` as points, and bars of `group`
    stacked by `stack`, each if there is such a table, and it has a group to show; every other one-column table gives a bar
    chart. The same report gives the same bytes, with our own font on every machine. Letters that it lacks are drawn with
    fonts of this machine, where it has some.
    """
    folder.mkdir(parents=True, exist_ok=True)
    charts = _drawn(report, findings, folder)
    if lacking := set("".join(chart.boxes for chart in charts)):
        charts = _drawn(report, findings, folder, families_with(lacking))
    return charts


def boxes_note(charts: Sequence[Chart]) -> str:
    """Return a sentence on the letters that are boxes in these charts, with what to do; '' where there are none."""
    return missing_note(set("".join(chart.boxes for chart in charts)))


def _drawn(report: Report, findings: Findings, folder: Path, fallbacks: Sequence[str] = ()) -> list[Chart]:
    charts = []
    with drawing(fallbacks) as boxes:
        for name, chart in _figures(report, findings):
            png, svg = save(chart.figure, folder, name)
            lacking = "".join(sorted(letter for letter in boxes if ord(letter) not in UNSEEN))
            boxes.clear()
            charts.append(Chart(name, chart.title, chart.caption, chart.alt, png, svg, lacking))
    return charts


def chart_statements(charts: list[Chart]) -> list[Statement]:
    """Return the charts' statements, for report.json."""
    return [
        Statement(
            "chart", chart.title, groups=(chart.name,), more={"caption": chart.caption, "alt": chart.alt}
        )
        for chart in charts
    ]


def _figures(report: Report, findings: Findings) -> Iterator[tuple[str, Drawn]]:
    contract, version = findings.contract, findings.version
    settings, drawn = contract.charts, set()
    if settings:
        if groups := _drawable(report, settings.group):
            yield f"bar_{settings.group}", draw_bars(groups, contract, version, coloured=True)
            yield f"pie_{settings.group}", draw_pie(groups, contract, version)
        if settings.bands and (bands := _drawable(report, settings.bands)):
            yield f"line_{settings.bands}", draw_line(bands, contract, version)
        if groups and (measure := contract.summaries.measure):
            scatter = draw_scatter(groups, contract, version, findings.points)
            if scatter:
                yield f"scatter_{measure}_{settings.group}", scatter
        both = report.table(settings.group, settings.stack) if settings.stack else None
        if both and both.lines:
            yield f"stacked_{settings.group}_{settings.stack}", draw_stacked(both, contract, version)
        drawn = {settings.group, settings.bands}
    for table in report.tables():
        if len(table.columns) == 1 and table.columns[0] not in drawn and table.lines:
            yield f"bar_{table.columns[0]}", draw_bars(table, contract, version)


def _drawable(report: Report, *columns: str) -> Table | None:
    """Return a published table that has a group to show."""
    return next((table for table in report.tables() if table.columns == columns and table.lines), None)
