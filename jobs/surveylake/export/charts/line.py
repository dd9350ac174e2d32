"""Line chart of answers, and of the median measure, across the bands of one column. From statements to a figure."""

from typing import Any

from surveylake.contract.model import Contract
from surveylake.export.charts.bars import caption_of
from surveylake.export.charts.style import MUTED, PAPER, Axes, Drawn, colour, frame, place
from surveylake.export.formatting import count, decimal, in_sentence, joined, measure_words, shorten, words
from surveylake.export.statements.model import Statement, Table
from surveylake.wording import counted

MOST_BANDS = 24
MOST_LEVEL = 3


def draw_line(table: Table, contract: Contract, version: int) -> Drawn:
    """Draw answers, and below them the median measure, across the bands of a one-column table, in their own order.

    `version` of `records` is in the caption.
    """
    band, measure, bands = table.columns[0], contract.summaries.measure, table.lines[:MOST_BANDS]
    left_out = sum(_people(line) for line in (*table.lines[MOST_BANDS:], *table.rest))
    more = f"{counted(left_out, 'answer')} without a band of their own not drawn." if left_out else ""
    caption = caption_of(table, contract, version, more=more)
    title = _peak(table, bands)
    medians = [_median(table, line) for line in bands]
    panels = 2 if any(median == median for median in medians) else 1
    figure, (left, bottom, width, height) = frame(title, caption, 0.55 + 1.35 * panels)
    each = (height - 0.55) / panels
    answers = place(figure, left + 0.42, bottom + height - each, width - 0.6, each - 0.36)
    lowest = answers
    _draw_panel(answers, [float(_people(line)) for line in bands], 0, "answers (people)", 0)
    if panels == 2:
        lowest = place(figure, left + 0.42, bottom + 0.45, width - 0.6, each - 0.36)
        _draw_panel(lowest, medians, 1, f"median {measure_words(contract)}", 1)
        answers.set_xticks(range(len(bands)), [""] * len(bands))
    _name_bands(lowest, [shorten(line.groups[0], 14) for line in bands], words(band))
    points = [
        f"{in_sentence(line.groups[0])} {count(_people(line))}"
        + (f" (median {median:,g})" if median == median else "")
        for line, median in zip(bands, medians, strict=True)
    ]
    what = f"answers and median {words(measure or '')}" if panels == 2 else "answers"
    return Drawn(figure, title, caption, f"Line chart of {what} by {words(band)}: {', '.join(points)}.")


def _peak(table: Table, bands: tuple[Statement, ...]) -> str:
    most = max(map(_people, bands))
    tops = [in_sentence(line.groups[0]) for line in bands if _people(line) == most]
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


def _draw_panel(axes: Axes, values: list[float], rank: int, label: str, places: int) -> None:
    """Draw one line from zero up, each point with its number; the label is above the axes, where it reads horizontally."""
    axes.plot(range(len(values)), values, color=colour((0, 5)[rank]), linewidth=2.2, marker="o", markersize=6,
              markeredgecolor=PAPER, clip_on=False)  # fmt: skip
    axes.set_title(label, loc="left", size=9, color=MUTED, x=-0.08, pad=10)
    highest = max((value for value in values if value == value), default=1.0)
    axes.set_ylim(min(0.0, *(v for v in values if v == v)), highest * 1.22 or 1)
    for x, value in enumerate(values):
        if value == value and len(values) <= 12:
            axes.annotate(
                decimal(value, places), (x, value), (0, 6), textcoords="offset points", ha="center", size=8.5
            )
    axes.locator_params(axis="y", nbins=4)
    axes.yaxis.set_major_formatter(lambda value, _: count(value) if highest >= 4 else decimal(float(value)))
    axes.grid(axis="y", linewidth=0.8)
    axes.tick_params(axis="both", length=0, labelsize=8.5)
    axes.tick_params(axis="y", labelcolor=MUTED)
    axes.spines["left"].set_visible(False)
    axes.set_xticks(range(len(values)))


def _name_bands(axes: Axes, names: list[str], label: str) -> None:
    crowded = sum(map(len, names)) > 60
    turned: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
    axes.set_xticks(range(len(names)), [shorten(name, 8) for name in names] if crowded else names, **turned)
    axes.set_xlabel("" if crowded else label, size=9, labelpad=3)
