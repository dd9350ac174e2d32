"""Pictures of counts by one column: bars and pie. Summary in, figure out."""

from surveylake.canvas import (
    GREY,
    GRID,
    INK,
    MUTED,
    PAPER,
    Axes,
    Box,
    Drawn,
    Figure,
    colour,
    frame,
    no_data,
    place,
    text_width,
)  # fmt: skip
from surveylake.findings import Summary
from surveylake.labels import (
    MERGED,
    NOT_GIVEN,
    Bars,
    bars_of,
    count,
    joined,
    percent,
    plural,
    shorten,
    words,
)

MOST_BARS = 20
"""groups shown by name; the rest is one bar"""
MOST_SLICES = 6
BAR = 0.3
"""inches from one bar to the next"""


def draw_bars(table: Summary, version: int, coloured: bool = False) -> Drawn:
    """One bar per group of a one-column summary, largest first; `coloured` gives each group its own colour."""
    bars, folded = bars_of(table, MOST_BARS)
    label, total = words(table.by[0]), sum(n for _, n in bars)
    caption = caption_of(total, version, folded)
    if total == 0:
        return no_data(f"answers by {label}", caption)
    title = _largest(label, bars, total)
    figure, box = frame(title, caption, BAR * 1.25 * len(bars) + 0.42)
    axes = named_axes(
        figure, box, [shorten(name) for name, _ in bars], room=text_width(f"{count(total)}  100.0 %")
    )
    tints = [tint(i, name) if coloured else tint(0, name) for i, (name, _) in enumerate(bars)]
    drawn = axes.barh(range(len(bars)), [n for _, n in bars], color=tints, height=0.68)
    axes.bar_label(drawn, [f"{count(n)}  {percent(n / total)}" for _, n in bars], padding=5, color=INK)
    _count_axis(axes, f"answers (people) by {label}")
    return Drawn(figure, title, caption, f"Bar chart of answers by {label}: {spoken(bars, total)}.")


def draw_pie(table: Summary, version: int) -> Drawn:
    """Shares of the groups of a one-column summary; past six groups the rest is one slice."""
    bars, folded = bars_of(table, MOST_SLICES)
    label, total = words(table.by[0]), sum(n for _, n in bars)
    caption = caption_of(total, version, folded)
    if total == 0:
        return no_data(f"share of answers by {label}", caption)
    named = [f"{shorten(name, 18)} {percent(n / total)}" for name, n in bars[:3]]
    title = f"{joined(named) if len(bars) <= 3 else ', '.join(named) + ' …'} of {plural(total, 'answer')}"
    figure, (left, bottom, width, height) = frame(title, caption, 2.5)
    axes = place(figure, left, bottom, height, height)
    tints = [tint(i, name) for i, (name, _) in enumerate(bars)]
    edge = {"edgecolor": PAPER, "linewidth": 2}
    axes.pie(
        [n for _, n in bars], colors=tints, startangle=90, counterclock=False, radius=1.12, wedgeprops=edge
    )
    _key(figure, bars, tints, total, (left + height + 0.25, bottom, width - height - 0.25, height))
    alt = f"Pie chart of the share of answers by {label}: {spoken(bars, total)}."
    return Drawn(figure, title, caption, alt)


def caption_of(n: int, version: int, folded: int = 0, more: str = "") -> str:
    """n, where the numbers are from, and what is not shown by name."""
    rest = (
        f" {plural(folded, 'smaller group is', 'smaller groups are')} drawn within 'Other'." if folded else ""
    )
    return (
        f"n = {plural(n, 'person', 'people')}; records version {version}.{rest}{' ' + more if more else ''}"
    )


def tint(rank: int, name: str) -> str:
    """The group's colour; grey for what was merged or not given."""
    return GREY if name == NOT_GIVEN or MERGED.fullmatch(name) else colour(rank)


def _largest(label: str, bars: Bars, total: int) -> str:
    named = [bar for bar in bars if not (MERGED.fullmatch(bar[0]) or bar[0] == NOT_GIVEN)] or bars
    name, most = named[0]
    level = [shorten(other) for other, n in named if n == most]
    if len(level) > 1 and len(named) > 1:
        return f"{label.capitalize()}: {joined(level[:3])} are level at {plural(most, 'answer')}"
    return f"{label.capitalize()}: {shorten(name)} leads, {count(most)} of {count(total)} ({percent(most / total)})"


def spoken(bars: Bars, total: int) -> str:
    """Every bar in words: `Female 165 (57.3 %), Male 123 (42.7 %)`."""
    return ", ".join(f"{shorten(name)} {count(n)} ({percent(n / total)})" for name, n in bars)


def named_axes(figure: Figure, box: Box, names: list[str], room: float) -> Axes:
    """Horizontal axes with the names (already shortened) at the left, and `room` inches free at the right."""
    left, bottom, width, height = box
    labels = max(text_width(line) for name in names for line in name.split("\n")) + 0.1
    axes = place(figure, left + labels, bottom + 0.42, width - labels - room - 0.08, height - 0.42)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.45, -0.55)
    return axes


def _count_axis(axes: Axes, label: str) -> None:
    axes.locator_params(axis="x", nbins=5, integer=True)
    axes.xaxis.set_major_formatter(lambda value, _: count(value))
    plain_axis(axes, label)


def plain_axis(axes: Axes, label: str) -> None:
    """A quiet axis of numbers below, with its label and light lines up."""
    axes.set_xlabel(label, size=9, labelpad=3)
    axes.grid(axis="x", linewidth=0.8)
    axes.tick_params(axis="x", length=0, labelsize=8.5, labelcolor=MUTED)
    axes.spines["bottom"].set_visible(False)
    axes.spines["left"].set_color(GRID)


def _key(figure: Figure, bars: Bars, tints: list[str], total: int, box: Box) -> None:
    """Beside the pie, one line per slice in its colour: name, count, share."""
    left, bottom, width, height = box
    axes = place(figure, left, bottom, width, height)
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    step = min(0.62, height / len(bars))
    for i, (name, n) in enumerate(bars):
        y = height / 2 + step * ((len(bars) - 1) / 2 - i)
        axes.scatter([0.09], [y], s=110, marker="s", color=tints[i], linewidths=0)
        axes.text(0.26, y, f"{shorten(name, 22)}\n{count(n)} · {percent(n / total)}", va="center", linespacing=1.25,
                  size=11 if len(bars) < 5 else 9)  # fmt: skip
