"""Line chart of answers, and of the median measure, across the bands of one column. From statements to a figure."""

from typing import Any

from surveylake.contract.model import Contract
from surveylake.export.charts.bars import caption_of
from surveylake.export.charts.style import MUTED, PAPER, WIDTH, Axes, Drawn, colour, frame, place, text_width
from surveylake.export.formatting import count, in_sentence, joined, measure_words, measured, shorten, words
from surveylake.export.statements.model import Statement, Table
from surveylake.wording import counted

MOST_BANDS = 24
MOST_LEVEL = 3
MOST_NUMBERED = 12
"""points that have their number beside them"""
ROOM = 0.22
"""of the axis, above the highest point: for its number"""
SIDE = 0.42
"""inches for the numbers at the left of the axes"""
SMALL = 8.5


def draw_line(table: Table, contract: Contract, version: int) -> Drawn:
    """Draw answers, and below them the median measure, across the bands of a one-column table, in their own order.

    `version` of `records` is in the caption.
    """
    band, measure, bands = table.columns[0], contract.summaries.measure, table.lines[:MOST_BANDS]
    caption = caption_of(table, contract, version, more=_not_drawn(table))
    title = _peak(table)
    medians = [_median(table, line) for line in bands]
    panels = 2 if any(median == median for median in medians) else 1
    figure, (left, bottom, width, height) = frame(title, caption, 0.55 + 1.35 * panels)
    each = (height - 0.55) / panels
    answers = place(figure, left + SIDE, bottom + height - each, width - 0.6, each - 0.36)
    lowest = answers
    _draw_panel(answers, [float(_people(line)) for line in bands], 0, "answers (people)")
    if panels == 2:
        lowest = place(figure, left + SIDE, bottom + 0.45, width - 0.6, each - 0.36)
        _draw_panel(lowest, medians, 1, f"median {measure_words(contract)}")
        answers.set_xticks(range(len(bands)), [""] * len(bands))
    _make_room(answers, lowest)
    _name_bands(lowest, [shorten(line.groups[0], 14) for line in bands], words(band))
    points = [
        f"{in_sentence(line.groups[0])} {count(_people(line))}"
        + (f" (median {measured(median)})" if median == median else "")
        for line, median in zip(bands, medians, strict=True)
    ]
    what = f"answers and median {words(measure or '')}" if panels == 2 else "answers"
    return Drawn(figure, title, caption, f"Line chart of {what} by {words(band)}: {', '.join(points)}.")


def _not_drawn(table: Table) -> str:
    """Return what the line leaves out: bands beyond the first MOST_BANDS, and answers that have none of their own."""
    beyond, apart = sum(map(_people, table.lines[MOST_BANDS:])), sum(map(_people, table.rest))
    bands = f"{count(MOST_BANDS)} of {count(len(table.lines))} bands"
    notes = [f"The first {bands} are drawn; {counted(beyond, 'answer')} not."] if beyond else []
    return " ".join(
        notes + [f"{counted(apart, 'answer')} without a band of their own not drawn."] * bool(apart)
    )


def _peak(table: Table) -> str:
    """Return the title: the bands with the most answers, drawn or not."""
    most = max(map(_people, table.lines))
    tops = [in_sentence(line.groups[0]) for line in table.lines if _people(line) == most]
    label = words(table.columns[0])
    if len(tops) > MOST_LEVEL:
        return f"{label.capitalize()}: {count(len(tops))} bands gave the most answers, {count(most)} each"
    if len(tops) > 1:
        return f"{label.capitalize()} {joined(tops)} gave the most answers: {count(most)} each"
    return f"{label.capitalize()} {tops[0]} gave the most answers: {count(most)} of {count(table.base)}"


def _people(line: Statement) -> int:
    return line.value if isinstance(line.value, int) else 0


def _median(table: Table, line: Statement) -> float:
    """Return the band's median measure; NaN, a gap in the line, where there is none or it is withheld."""
    measure = table.measures.get(line.groups)
    median = measure.more.get("median") if measure else None
    return float("nan") if median is None else float(median)


def _draw_panel(axes: Axes, values: list[float], rank: int, label: str) -> None:
    """Draw one line over an axis with zero, each point with its number; the label is above, where it reads horizontally."""
    axes.plot(range(len(values)), values, color=colour((0, 5)[rank]), linewidth=2.2, marker="o", markersize=6,
              markeredgecolor=PAPER, clip_on=False)  # fmt: skip
    axes.set_title(label, loc="left", size=9, color=MUTED, x=-0.08, pad=10)
    known = {x: value for x, value in enumerate(values) if value == value}
    lowest, highest = min(0.0, *known.values()), max(0.0, *known.values())
    room = ROOM * (highest - lowest) or 1
    axes.set_ylim(lowest - (room / 2 if lowest < 0 else 0), highest + room)
    if _have_room(axes, [measured(value) for value in known.values()], len(values)):
        for x, value in known.items():
            axes.annotate(
                measured(value), (x, value), (0, 6), textcoords="offset points", ha="center", size=SMALL
            )
    axes.locator_params(axis="y", nbins=4, integer=all(value.is_integer() for value in known.values()))
    axes.yaxis.set_major_formatter(lambda value, _: measured(value))
    axes.grid(axis="y", linewidth=0.8)
    axes.tick_params(axis="both", length=0, labelsize=SMALL)
    axes.tick_params(axis="y", labelcolor=MUTED)
    axes.spines["left"].set_visible(False)
    axes.set_xticks(range(len(values)))


def _have_room(axes: Axes, numbers: list[str], points: int) -> bool:
    """Return whether each point can have its number beside it."""
    step = axes.get_position().width * WIDTH / max(1, points - 1)
    return points <= MOST_NUMBERED and max(text_width(number, SMALL) for number in numbers) < step


def _make_room(*panels: Axes) -> None:
    """Begin the axes further right where the numbers at their left are wider than SIDE."""
    widest = max(text_width(measured(tick), SMALL) for axes in panels for tick in axes.get_yticks())
    more = max(0.0, widest + 0.06 - SIDE) / WIDTH
    for axes in set(panels):
        box = axes.get_position()
        axes.set_position((box.x0 + more, box.y0, box.width - more, box.height))


def _name_bands(axes: Axes, names: list[str], label: str) -> None:
    crowded = sum(map(len, names)) > 60
    turned: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
    axes.set_xticks(range(len(names)), [shorten(name, 8) for name in names] if crowded else names, **turned)
    axes.set_xlabel("" if crowded else label, size=9, labelpad=3)
