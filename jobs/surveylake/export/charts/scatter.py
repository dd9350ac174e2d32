"""Scatter chart of people's measures, a strip per group. From statements and points to a figure."""

import random
from collections.abc import Sequence

from surveylake.aggregate.findings import Point
from surveylake.contract.model import Contract
from surveylake.export.charts.bars import caption_of
from surveylake.export.charts.style import GRID, INK, MUTED, Axes, Drawn, colour, frame, place, text_width
from surveylake.export.formatting import count, in_sentence, joined, measure_words, measured, shorten, words
from surveylake.export.statements.model import Table

MOST_STRIPS = 12
SEED = 20260101
"""of the jitter: the same findings give the same chart"""
VECTOR_POINTS = 1_000
"""above so many points an SVG holds them as one image, or it would be megabytes"""


def draw_scatter(table: Table, contract: Contract, version: int, points: Sequence[Point]) -> Drawn | None:
    """Draw people's measures as points in their group's strip, with jitter. Returns None when nobody can be drawn.

    `points` are people with both a measure and a group, or a sample of them. `version` of `records` is in the caption.
    """
    group = table.columns[0]
    strips = _strips(table, points)
    if not strips:
        return None
    label, shown = measure_words(contract), sum(map(len, strips.values()))
    caption = caption_of(table, contract, version, more=_how_drawn(shown, table.base))
    middles = {name: value for name in strips if (value := _median(table, name)) is not None}
    medians = [f"{in_sentence(name, 18)} {measured(middles[name])}" for name in strips if name in middles]
    measure = words(contract.summaries.measure or "")
    title = (
        f"Median {measure}: {joined(medians)}"
        if 0 < len(medians) <= 3
        else f"{measure.capitalize()} by {words(group)}"
    )
    figure, (left, bottom, width, height) = frame(
        title, caption, 0.5 + max(0.52, 1.9 / len(strips)) * len(strips)
    )
    labels = max(text_width(shorten(name)) for name in strips) + 0.1
    axes = place(figure, left + labels, bottom + 0.45, width - labels - 0.12, height - 0.45)
    _draw_strips(axes, list(strips), list(strips.values()), middles)
    axes.set_xlabel(label, size=9, labelpad=3)
    drawn = ", ".join(f"{in_sentence(name)} {count(len(strip))}" for name, strip in strips.items())
    alt = f"Scatter chart of {label} by {words(group)}, points: {drawn}. {title}."
    return Drawn(figure, title, caption, alt)


def _strips(table: Table, points: Sequence[Point]) -> dict[str, list[float]]:
    """Return group -> measures, in the order of the table.

    Leaves out protected people. Where a reader could derive their measures from the group's mean, or the mean is withheld,
    also leaves out `smallest` others, the first by rank.
    """
    strips = {}
    for line in table.lines[:MOST_STRIPS]:
        members = [point for point in points if point.group == line.groups[0]]
        visible = [point for point in members if not point.protected]
        measure = table.measures.get(line.groups)
        if len(visible) < len(members) or measure is None or measure.more["mean"] is None:
            left_out = {
                id(point) for point in sorted(visible, key=lambda point: point.rank)[: table.smallest]
            }
            visible = [point for point in visible if id(point) not in left_out]
        if len(visible) >= table.smallest:
            strips[line.groups[0]] = [point.measure for point in visible]
    return strips


def _how_drawn(shown: int, base: int) -> str:
    """Return how many are drawn of all who answered; how many of those have a measure may not be said."""
    part = f"{count(shown)} of {count(base)} people are drawn" if shown < base else "Everybody is drawn"
    return f"{part}, each moved a little at random; no point says who answered."


def _median(table: Table, name: str) -> float | None:
    measure = table.measures.get((name,))
    median = measure.more.get("median") if measure else None
    return None if median is None else float(median)


def _draw_strips(axes: Axes, names: list[str], strips: list[list[float]], middles: dict[str, float]) -> None:
    chance = random.Random(SEED)
    total = sum(map(len, strips))
    step = _unit(strips)
    for y, (name, values) in enumerate(zip(names, strips, strict=True)):
        xs = [value + chance.uniform(-0.45, 0.45) * step for value in values]
        ys = [y + chance.uniform(-0.33, 0.33) for _ in values]
        axes.scatter(xs, ys, s=15 if total < 500 else 6, color=colour(y), alpha=0.6 if total < 500 else 0.4, linewidths=0,
                     rasterized=total > VECTOR_POINTS)  # fmt: skip
        if name in middles:
            axes.plot([middles[name]] * 2, [y - 0.4, y + 0.4], color=INK, linewidth=2)
            axes.annotate(f"median {measured(middles[name])}", (middles[name], y - 0.4), (4, 0), textcoords="offset points",
                          size=8.5, va="bottom")  # fmt: skip
    axes.set_yticks(range(len(names)), [shorten(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.62)
    axes.grid(axis="x", linewidth=0.8)
    axes.tick_params(axis="both", length=0)
    axes.tick_params(axis="x", labelsize=8.5, labelcolor=MUTED)
    axes.locator_params(axis="x", nbins=8, integer=step >= 1)
    axes.xaxis.set_major_formatter(lambda value, _: measured(value))
    axes.spines["left"].set_color(GRID)
    axes.spines["bottom"].set_visible(False)


def _unit(strips: list[list[float]]) -> float:
    """Return the distance between measures: 1 for whole numbers, else a hundredth of their range."""
    values = [value for strip in strips for value in strip]
    if all(float(value).is_integer() for value in values):
        return 1.0
    return (max(values) - min(values)) / 100
