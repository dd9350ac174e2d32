"""Every answer's measure as a point, strip by strip. Findings in, figure out."""

import random

from surveylake.canvas import GRID, INK, MUTED, Axes, Drawn, frame, no_data, place, text_width
from surveylake.chart_bars import caption_of, tint
from surveylake.findings import Findings, Summary
from surveylake.labels import (
    MERGED,
    count,
    group_name,
    joined,
    measure_words,
    people,
    shorten,
    words,
)

MOST_STRIPS = 12
SEED = 20260101
"""of the jitter: the same findings give the same picture"""
VECTOR_POINTS = 1_000
"""past so many points an SVG holds them as one image, or it would weigh megabytes"""


def draw_scatter(findings: Findings, group: str, table: Summary) -> Drawn:
    """Every answer's measure as a point in its group's strip, moved a little at random: no point is exactly a person's."""
    names, strips = _strips(findings, group, table)
    label = measure_words(findings.contract)
    shown = sum(map(len, strips))
    caption = caption_of(
        findings.points_total, findings.version, more=_how_drawn(shown, findings.points_total)
    )
    if shown == 0:
        return no_data(f"{label} by {words(group)}", caption)
    middles = _medians(findings, group, table)
    said = [f"{shorten(name, 18)} {middles[name]:,g}" for name in names if name in middles]
    measure = words(findings.contract.summaries.measure or "")
    title = (
        f"Median {measure}: {joined(said)}"
        if 0 < len(said) <= 3
        else f"{measure.capitalize()} by {words(group)}"
    )
    figure, (left, bottom, width, height) = frame(
        title, caption, 0.5 + max(0.52, 1.9 / len(names)) * len(names)
    )
    labels = max(text_width(shorten(name)) for name in names) + 0.1
    axes = place(figure, left + labels, bottom + 0.45, width - labels - 0.12, height - 0.45)
    _draw_strips(axes, names, strips, middles)
    axes.set_xlabel(label, size=9, labelpad=3)
    points = ", ".join(
        f"{shorten(name)} {count(len(strip))}" for name, strip in zip(names, strips, strict=True)
    )
    alt = f"Scatter chart of {label} by {words(group)}, points: {points}. {title}."
    return Drawn(figure, title, caption, alt)


def _strips(findings: Findings, group: str, table: Summary) -> tuple[list[str], list[list[float]]]:
    """Names and measures of the strips, most answers first. A group the summary does not publish is not shown by name."""
    sizes = {group_name(row[group]): people(row) for row in table.rows}
    named = sorted(
        (name for name in sizes if not MERGED.fullmatch(name)), key=lambda name: (-sizes[name], name)
    )
    kept = named[:MOST_STRIPS]
    strips: dict[str, list[float]] = {name: [] for name in [*kept, "Other"]}
    for value, name in findings.points:
        strips[name if name in strips else "Other"].append(value)
    filled = [name for name in strips if strips[name]]
    return filled, [strips[name] for name in filled]


def _how_drawn(shown: int, total: int) -> str:
    sampled = f"A seeded random sample of {count(shown)} of them is shown. " if shown < total else ""
    return f"{sampled}Points are moved a little at random; no point says who answered."


def _medians(findings: Findings, group: str, table: Summary) -> dict[str, float]:
    column = f"{findings.contract.summaries.measure}_median"
    return {
        group_name(row[group]): float(row[column] or 0) for row in table.rows if row.get(column) is not None
    }


def _draw_strips(axes: Axes, names: list[str], strips: list[list[float]], middles: dict[str, float]) -> None:
    chance = random.Random(SEED)
    total = sum(map(len, strips))
    step = _unit(strips)
    for y, (name, values) in enumerate(zip(names, strips, strict=True)):
        xs = [value + chance.uniform(-0.45, 0.45) * step for value in values]
        ys = [y + chance.uniform(-0.33, 0.33) for _ in values]
        axes.scatter(xs, ys, s=15 if total < 500 else 6, color=tint(y, name), alpha=0.6 if total < 500 else 0.4, linewidths=0,
                     rasterized=total > VECTOR_POINTS)  # fmt: skip
        if name in middles:
            axes.plot([middles[name]] * 2, [y - 0.4, y + 0.4], color=INK, linewidth=2)
            axes.annotate(f"median {middles[name]:,g}", (middles[name], y - 0.4), (4, 0), textcoords="offset points",
                          size=8.5, va="bottom")  # fmt: skip
    axes.set_yticks(range(len(names)), [shorten(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.62)
    axes.grid(axis="x", linewidth=0.8)
    axes.tick_params(axis="both", length=0)
    axes.tick_params(axis="x", labelsize=8.5, labelcolor=MUTED)
    axes.locator_params(axis="x", nbins=8, integer=step >= 1)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.spines["left"].set_color(GRID)
    axes.spines["bottom"].set_visible(False)


def _unit(strips: list[list[float]]) -> float:
    """How far apart measures lie: 1 for whole numbers, else a hundredth of their range."""
    values = [value for strip in strips for value in strip]
    if all(float(value).is_integer() for value in values):
        return 1.0
    return (max(values) - min(values)) / 100
