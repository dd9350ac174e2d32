"""Charts of counts by one column: bars and pie. From statements to a figure."""

from surveylake.contract.model import Contract
from surveylake.export.charts.bar_lines import Bar, bars_in_words, bars_of
from surveylake.export.charts.style import (
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
    place,
    text_width,
)  # fmt: skip
from surveylake.export.formatting import count, in_sentence, joined, percent, questions, shorten, words
from surveylake.export.statements.model import Table
from surveylake.wording import counted

MOST_BARS = 20
"""groups with a bar of their own; the rest is one bar"""
MOST_SLICES = 6
BAR = 0.3
"""inches from one bar to the next"""


def draw_bars(table: Table, contract: Contract, version: int, coloured: bool = False) -> Drawn:
    """Draw one bar per group of a one-column table; `coloured` gives each group its own colour.

    `version` of `records` is in the caption.
    """
    bars, folded = bars_of(table, contract, MOST_BARS)
    label, title, caption = (
        words(table.columns[0]),
        table.headline.text,
        caption_of(table, contract, version, folded),
    )
    figure, box = frame(title, caption, BAR * 1.25 * len(bars) + 0.42)
    axes = named_axes(
        figure, box, [shorten(bar.name) for bar in bars], room=text_width(f"{count(table.base)}  100.0 %")
    )
    tints = [tint(rank, bar) if coloured else tint(0, bar) for rank, bar in enumerate(bars)]
    drawn = axes.barh(range(len(bars)), [bar.people for bar in bars], color=tints, height=0.68)
    axes.bar_label(
        drawn, [f"{count(bar.people)}  {percent(bar.share)}" for bar in bars], padding=5, color=INK
    )
    _count_axis(axes, f"answers (people) by {label}")
    return Drawn(figure, title, caption, f"Bar chart of answers by {label}: {bars_in_words(bars)}.")


def draw_pie(table: Table, contract: Contract, version: int) -> Drawn:
    """Draw the shares of the groups of a one-column table; past MOST_SLICES groups the rest is one slice.

    `version` of `records` is in the caption.
    """
    bars, folded = bars_of(table, contract, MOST_SLICES)
    label, caption = words(table.columns[0]), caption_of(table, contract, version, folded)
    named = [f"{in_sentence(bar.name, 18)} {percent(bar.share)}" for bar in bars[:3]]
    title = (
        f"{joined(named) if len(bars) <= 3 else ', '.join(named) + ' …'} of {counted(table.base, 'answer')}"
    )
    figure, (left, bottom, width, height) = frame(title, caption, 2.5)
    axes = place(figure, left, bottom, height, height)
    tints = [tint(rank, bar) for rank, bar in enumerate(bars)]
    withheld = table.base - sum(bar.people for bar in bars)
    edge = {"edgecolor": PAPER, "linewidth": 2}
    axes.pie(
        [*(bar.people for bar in bars), *([withheld] if withheld else [])], colors=[*tints, GRID],
        startangle=90, counterclock=False, radius=1.12, wedgeprops=edge,
    )  # fmt: skip
    _key(figure, bars, tints, (left + height + 0.25, bottom, width - height - 0.25, height))
    alt = f"Pie chart of the share of answers by {label}: {bars_in_words(bars)}."
    return Drawn(figure, title, caption, alt)


def caption_of(
    table: Table,
    contract: Contract,
    version: int,
    folded: int = 0,
    more: str = "",
    where: str = "drawn within 'Other'",
) -> str:
    """Return the caption: the questions, n, how many did not answer, the version of `records`, what is not shown by name.

    `where` says what became of the `folded` groups.
    """
    parts = questions(table.columns, contract)
    parts += [f"{table_note(table)}; records version {version}."]
    if folded:
        parts.append(f"{counted(folded, 'smaller group is', 'smaller groups are')} {where}.")
    parts += [
        f"{line.text[0].upper()}{line.text[1:]}, not shown." for line in table.rest if line.value is None
    ]
    return " ".join([*parts, *([more] if more else [])])


def table_note(table: Table) -> str:
    """Return the number of people in a table, and of those who did not answer."""
    note = f"n = {counted(table.base, 'person', 'people')}"
    if not table.blank:
        return note
    return f"{note}, {count(table.blank)} did not answer {' or '.join(map(words, table.columns))}"


def tint(rank: int, bar: Bar) -> str:
    """Return the group's colour; grey for a bar that stands for many."""
    return GREY if bar.is_rest else colour(rank)


def named_axes(figure: Figure, box: Box, names: list[str], room: float) -> Axes:
    """Add horizontal axes with the names (already shortened) at the left, and `room` inches free at the right."""
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
    """Give axes a plain axis of numbers below, with its label and light grid lines."""
    axes.set_xlabel(label, size=9, labelpad=3)
    axes.grid(axis="x", linewidth=0.8)
    axes.tick_params(axis="x", length=0, labelsize=8.5, labelcolor=MUTED)
    axes.spines["bottom"].set_visible(False)
    axes.spines["left"].set_color(GRID)


def _key(figure: Figure, bars: list[Bar], tints: list[str], box: Box) -> None:
    """Write the key beside the pie, one entry per slice in its colour: name, count, share."""
    left, bottom, width, height = box
    axes = place(figure, left, bottom, width, height)
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    step = min(0.62, height / len(bars))
    for i, bar in enumerate(bars):
        y = height / 2 + step * ((len(bars) - 1) / 2 - i)
        axes.scatter([0.09], [y], s=110, marker="s", color=tints[i], linewidths=0)
        text = f"{shorten(bar.name, 22)}\n{count(bar.people)} · {percent(bar.share)}"
        axes.text(0.26, y, text, va="center", linespacing=1.25, size=11 if len(bars) < 5 else 9)
