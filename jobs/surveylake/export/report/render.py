"""The report of one run: report.json, report.md, a self-contained report.html, and the pipeline's picture.

From statements and charts to four files. The templates are in templates/; content.py has their values.
"""

import base64
import hashlib
import json
import re
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from surveylake.aggregate.findings import Findings
from surveylake.export.charts.render import Chart, chart_statements
from surveylake.export.charts.style import GRID, INK, MUTED, PAPER
from surveylake.export.formatting import ISOLATES, shorten
from surveylake.export.report.content import view
from surveylake.export.statements.model import Report

DARK = {INK: "#e6eaee", MUTED: "#9aa7b3", GRID: "#36424d", PAPER: "#1a2027"}
"""the charts' four page colours -> their colours on a dark page; PAPER is the page's --card"""
MARKDOWN = re.compile(r"[\\`*_{}\[\]|#~!$]")


def write_report(report: Report, findings: Findings, charts: list[Chart], folder: Path) -> list[Path]:
    """Write report.json, pipeline.svg, report.md and report.html into `folder`. Returns their paths.

    `charts` were drawn into `folder` or below it: the Markdown links them, the page embeds them.
    """
    values = view(report, findings, charts)
    page = _environment(autoescape=True)
    pipeline = page.get_template("pipeline.svg.j2")
    style = page.get_template("report.css.j2").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    html = page.get_template("report.html.j2").render(
        values, style=_rendered(style), style_hash=digest, image=_image, pixels=_pixels,
        wide=_rendered(pipeline.render(values, tall=False, alone=False)),
        tall=_rendered(pipeline.render(values, tall=True, alone=False)),
    )  # fmt: skip
    links = {chart.name: chart.png.relative_to(folder).as_posix() for chart in charts}
    content = report.adding(chart_statements(charts)).as_json()
    texts = {
        "report.json": json.dumps(content, indent=1, ensure_ascii=False) + "\n",
        "pipeline.svg": pipeline.render(values, tall=False, alone=True),
        "report.md": _environment(autoescape=False).get_template("report.md.j2").render(values, links=links),
        "report.html": html,
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in texts]


def markdown(text: object) -> str:
    """Return data as plain text in Markdown: one line, with every character of its syntax escaped."""
    line = (
        shorten(str(text), 2_000, keep="".join(ISOLATES))
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
    )
    return MARKDOWN.sub(lambda match: "\\" + match[0], line)


def _rendered(text: str) -> Markup:
    """Mark the output of one of our own templates, which has escaped its data, as safe."""
    return Markup(text)  # noqa: S704


def _environment(autoescape: bool) -> Environment:
    """Return the templates' environment; without autoescape for Markdown, whose templates pass all data through `md`."""
    environment = Environment(
        loader=PackageLoader("surveylake.export.report"), autoescape=autoescape, undefined=StrictUndefined,  # noqa: S701
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["md"] = markdown
    return environment


def _image(chart: Chart) -> str:
    """Return a chart's SVG as a data URI, with its colours for a dark page."""
    text = chart.svg.read_text(encoding="utf-8")
    rules = "".join(
        f'[style*="{part}: {light}"]{{{part}:{dark}!important}}'
        for light, dark in DARK.items()
        for part in ("fill", "stroke")
    )
    style = f"<style>@media screen and (prefers-color-scheme: dark){{{rules}}}</style></svg>"
    head, _, _ = text.rpartition("</svg>")
    return "data:image/svg+xml;base64," + base64.b64encode((head + style).encode()).decode()


def _pixels(chart: Chart) -> dict[str, int]:
    """Return width and height of a chart, from its SVG, so that the page does not jump while it loads."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', chart.svg.read_text(encoding="utf-8")[:2000])
    return {"width": round(float(box[1])), "height": round(float(box[2]))} if box else {}
