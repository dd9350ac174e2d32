"""Answers, and the mean measure, across the bands of one column. Summary in, figure out."""

from typing import Any

from surveylake.canvas import MUTED, PAPER, Axes, Drawn, colour, frame, no_data, place
from surveylake.chart_bars import caption_of
from surveylake.findings import Findings, Summary
from surveylake.labels import MERGED, count, decimal, joined, measure_words, people, plural, shorten, words

MOST_BANDS = 24


def draw_line(table: Summary, findings: Findings) -> Drawn:
    """Answers, and below them the mean measure, across the bands of a one-column summary, in the bands' own order."""
    band, measure = table.by[0], findings.contract.summaries.measure
    rows = _bands(table)
    left_out = sum(map(people, table.rows)) - sum(map(people, rows))
    more = f"{plural(left_out, 'answer')} without a band of their own not drawn." if left_out else ""
    caption = caption_of(sum(map(people, rows)), findings.version, more=more)
    if not rows:
        return no_data(f"answers by {words(band)}", caption)
    title = _peak(band, rows)
    means = [row.get(f"{measure}_mean") if measure else None for row in rows]
    panels = 2 if any(mean is not None for mean in means) else 1
    figure, (left, bottom, width, height) = frame(title, caption, 0.55 + 1.35 * panels)
    each = (height - 0.55) / panels
    answers = place(figure, left + 0.42, bottom + height - each, width - 0.6, each - 0.36)
    lowest = answers
    _draw_panel(answers, [float(people(row)) for row in rows], 0, "answers (people)", 0)
    if panels == 2:
        lowest = place(figure, left + 0.42, bottom + 0.45, width - 0.6, each - 0.36)
        _draw_panel(
            lowest, [_number(mean) for mean in means], 1, f"mean {measure_words(findings.contract)}", 1
        )
        answers.set_xticks(range(len(rows)), [""] * len(rows))
    _name_bands(lowest, [shorten(row[band], 14) for row in rows], words(band))
    said = [
        f"{shorten(row[band])} {count(people(row))}" + _mean_of(mean)
        for row, mean in zip(rows, means, strict=True)
    ]
    return Drawn(figure, title, caption, f"Line chart of answers{' and mean ' + words(measure or '') if panels == 2 else ''} by "
                                         f"{words(band)}: {', '.join(said)}.")  # fmt: skip


def _bands(table: Summary) -> list[dict[str, str | int | float | None]]:
    """The rows with a band's name, in the order of the names; merged and missing bands have no place on a line."""
    band = table.by[0]
    named = [
        row
        for row in table.rows
        if row[band] is not None and not MERGED.fullmatch(str(row[band])) and people(row)
    ]
    return sorted(named, key=lambda row: str(row[band]))[:MOST_BANDS]


def _peak(band: str, rows: list[dict[str, str | int | float | None]]) -> str:
    most = max(map(people, rows))
    tops = [shorten(row[band]) for row in rows if people(row) == most]
    total = sum(map(people, rows))
    if len(tops) > 1:
        return f"{words(band).capitalize()} {joined(tops[:3])} gave the most answers: {count(most)} each"
    return f"{words(band).capitalize()} {tops[0]} gave the most answers: {count(most)} of {count(total)}"


def _number(value: str | int | float | None) -> float:
    """For drawing: NULL is a gap in the line."""
    return float("nan") if value is None else float(value)


def _mean_of(mean: str | int | float | None) -> str:
    return "" if mean is None else f" (mean {decimal(_number(mean))})"


def _draw_panel(axes: Axes, values: list[float], rank: int, label: str, places: int) -> None:
    """One line from zero up, each point with its number; the label stands over the axes, where it reads level."""
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
