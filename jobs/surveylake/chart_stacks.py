"""Bars of one column's groups, divided by a second column. Summary in, figure out."""

from surveylake.canvas import PAPER, WIDTH, Axes, Drawn, Figure, frame, no_data, on, text_width
from surveylake.chart_bars import MOST_BARS, caption_of, named_axes, plain_axis, spoken, tint
from surveylake.crosstab import cells_of, one_column, widest_gap
from surveylake.findings import Summary
from surveylake.labels import Bars, bars_of, count, percent, shorten, words

MOST_LAYERS = 6
TWO_LINES = 0.5
"""inches from one bar to the next: a name and its n"""


def draw_stacked(table: Summary, version: int) -> Drawn:
    """Bars of the first column's groups, all of one length, divided by the second column: counts and percentages."""
    group, stack = table.by
    groups, folded = bars_of(one_column(table, 0), MOST_BARS)
    layers, hidden = bars_of(one_column(table, 1), MOST_LAYERS)
    total = sum(n for _, n in groups)
    caption = caption_of(total, version, folded + hidden)
    if total == 0:
        return no_data(f"{words(stack)} by {words(group)}", caption)
    cells = cells_of(table, groups, layers)
    title = widest_gap(groups, layers, cells)
    figure, (left, bottom, width, height) = frame(title, caption, TWO_LINES * len(groups) + 0.72)
    names = [f"{shorten(name)}\nn = {count(n)}" for name, n in groups]
    axes = named_axes(figure, (left, bottom, width, height - 0.3), names, room=0.1)
    tints = [tint(i + 2, name) for i, (name, _) in enumerate(layers)]  # not the colours that mean the groups
    _fill(axes, groups, layers, cells, tints)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
    plain_axis(axes, f"% of the answers of each {words(group)}")
    _legend(figure, layers, tints, bottom + height - 0.14)
    said = [f"{shorten(g)}: {spoken([(v, cells[g, v]) for v, _ in layers], n)}" for g, n in groups if n]
    return Drawn(
        figure, title, caption, f"Stacked bars of {words(stack)} by {words(group)}. {'; '.join(said)}."
    )


def _fill(
    axes: Axes, groups: Bars, layers: Bars, cells: dict[tuple[str, str], int], tints: list[str]
) -> None:
    """The coloured parts of every bar; a part gets its numbers where they fit."""
    inches = axes.get_position().width * WIDTH
    for y, (group, n) in enumerate(groups):
        start = 0.0
        for (value, _), shade in zip(layers, tints, strict=True):
            part = cells[group, value] / n if n else 0.0
            axes.barh(y, part, left=start, color=shade, height=0.8, edgecolor=PAPER, linewidth=1.5)
            text = f"{count(cells[group, value])}\n{percent(part)}"
            if part * inches > 0.075 * max(map(len, text.split("\n"))) + 0.06:
                axes.text(
                    start + part / 2,
                    y,
                    text,
                    ha="center",
                    va="center",
                    size=8.5,
                    color=on(shade),
                    linespacing=1.2,
                )
            start += part


def _legend(figure: Figure, layers: Bars, tints: list[str], height: float) -> None:
    """The layers' names in one row over the bars, each behind its colour, shortened until all fit."""
    whole = figure.get_size_inches()[1]
    for letters in (28, 20, 14, 10, 6):
        names = [shorten(name, letters) for name, _ in layers]
        steps = [text_width(name, 9.5) + 0.42 for name in names]
        if sum(steps) < WIDTH - 0.32:
            break
    x = 0.16
    for name, shade, step in zip(names, tints, steps, strict=True):
        figure.text(x / WIDTH, height / whole, "■", color=shade, size=12, va="center")
        figure.text((x + 0.17) / WIDTH, height / whole, name, size=9.5, va="center")
        x += step
