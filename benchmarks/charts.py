"""The results as pictures: each goal's ratio with its spread, and the ages of the freshness part."""

from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from results import Results

from surveylake.export.charts.style import DPI, GREY, INK, MUTED, PALETTE, drawing, frame, place

ROW = 0.3
LEFT, RIGHT = 1.75, 1.3
WORDS = 3.45
MET, MISSED = PALETTE[0], PALETTE[5]
SECONDS = (0.02, 30.0)


def draw(results: Results, folder: Path) -> None:
    """FOLDER/latest.png: a dot for the median and a line for the spread of every ratio that has a goal, as a multiple of it."""
    asked = {name: entry for name, entry in results["ratios"].items() if entry["asked"] is not None}
    if not asked:
        return
    title = "What was reached, as a multiple of what was asked"
    caption = (
        "Dot: median of the rounds, line: smallest to largest; numbers: the ratio itself, and what was asked of it."
        " Right of the line the goal is met. latest.md says what each ratio is, and when it was measured."
    )
    with drawing():
        figure, (left, bottom, width, height) = frame(title, caption, ROW * len(asked) + 0.4)
        axes = place(figure, left + LEFT, bottom + 0.35, width - LEFT - RIGHT, height - 0.4)
        for at, entry in enumerate(reversed(asked.values())):
            low, middle, high = (entry[key] / entry["asked"] for key in ("min", "median", "max"))
            paint, marker = (MET, "o") if entry["met"] else (MISSED, "D")
            words = f"{entry['median']:.3g}, asked {entry['asked']:g}"
            _spread(axes, at, (low, middle, high), words, paint, marker)
        axes.set_yticks(range(len(asked)), [name.replace("_", " ") for name in reversed(asked)])
        _multiples(axes, len(asked), (0.45, 2.2))
        figure.savefig(folder / "latest.png", dpi=DPI, metadata={"Software": None})


def draw_ablations(found: dict[str, dict[str, Any]], folder: Path) -> None:
    """FOLDER/latest-ablations.png: how many times as dear ours is with each thing changed, group by group."""
    if not found:
        return
    title = "What each change costs: ours with it, as a multiple of ours as it is"
    caption = (
        "Dot: median of the rounds, line: smallest to largest. Round: what ours has is taken away; diamond: any other change."
        " Right of the line it makes ours dearer. latest-ablations.md says in what."
    )
    rows: list[dict[str, Any] | str] = []
    for group, of in groupby(found.values(), key=lambda entry: entry["group"]):
        rows += [group, *of]
    with drawing():
        figure, (left, bottom, width, height) = frame(title, caption, 0.24 * len(rows) + 0.4)
        axes = place(figure, left + WORDS, bottom + 0.35, width - WORDS - 0.6, height - 0.4)
        labels = []
        for at, row in enumerate(reversed(rows)):
            labels.append(row if isinstance(row, str) else row["words"])
            if isinstance(row, str):
                continue
            paint, marker = (MET, "o") if row["ours"] else (GREY, "D")
            values = (row["min"], row["median"], row["max"])
            _spread(axes, at, values, f"{row['median']:.2f}", paint, marker)
        axes.set_yticks(range(len(rows)), labels, fontsize=8.5)
        for label, row in zip(axes.get_yticklabels(), reversed(rows), strict=True):
            label.set_fontweight("bold" if isinstance(row, str) else "normal")
        _multiples(axes, len(rows))
        figure.savefig(folder / "latest-ablations.png", dpi=DPI, metadata={"Software": None})


def draw_freshness(second: np.ndarray, age: np.ndarray, folder: Path) -> None:
    """FOLDER/latest-freshness.png: how the ages are distributed, and p50 and p95 over time; both arguments are seconds."""
    title = "How old a record is when its commit is visible"
    caption = (
        f"{len(age):,} records, {second.max() / 60:.0f} minutes at {len(age) / second.max():,.0f} records a second. From Kafka's"
        " timestamp of a record to the time its Delta commit was written."
    )
    with drawing():
        figure, (left, bottom, width, height) = frame(title, caption, 2.9)
        wide = (width - 1.2) / 2
        spread = place(figure, left + 0.5, bottom + 0.45, wide, height - 0.7)
        spread.hist(
            age, bins=np.geomspace(*SECONDS, 60), color=GREY, weights=np.full(len(age), 100 / len(age))
        )
        spread.set_xscale("log")
        spread.set_xlabel("seconds", labelpad=2)
        spread.set_ylabel("% of the records")
        spread.xaxis.set_major_formatter("{x:g}")
        course = place(figure, left + 0.5 + wide + 0.65, bottom + 0.45, wide, height - 0.7)
        for rank, (percent, goal) in enumerate(((50, 1.0), (95, 2.0))):
            value, paint = float(np.percentile(age, percent)), PALETTE[(0, 5)[rank]]
            spread.axvline(value, color=paint, linewidth=1.5)
            spread.text(
                value,
                spread.get_ylim()[1] * (1.02 - 0.08 * rank),
                f" p{percent} {value:.2f} s",
                color=paint,
                size=8.5,
            )
            course.plot(*_course(second, age, percent), color=paint, linewidth=1.8, label=f"p{percent}")
            course.axhline(goal, color=paint, linewidth=1, linestyle=(0, (4, 3)))
            course.text(0, goal, f"goal for p{percent}", color=paint, size=8, va="bottom")
        course.set_ylim(0)
        course.set_xlabel("minutes", labelpad=2)
        course.set_ylabel("seconds")
        course.legend(
            frameon=False, loc="lower left", bbox_to_anchor=(0, 0.98), ncols=2, labelcolor=MUTED, fontsize=9
        )
        figure.savefig(folder / "latest-freshness.png", dpi=DPI, metadata={"Software": None})


def _spread(
    axes: Axes, at: int, values: tuple[float, float, float], words: str, paint: str, marker: str
) -> None:
    """One row: a line from the smallest to the largest, the median on it, and words at the right edge."""
    low, middle, high = values
    axes.plot([low, high], [at, at], color=paint, linewidth=3, solid_capstyle="butt", alpha=0.45)
    axes.plot(middle, at, marker, color=paint, markersize=6.5)
    axes.text(1.02, at, words, transform=axes.get_yaxis_transform(), va="center", size=8.5, color=INK)


def _multiples(axes: Axes, rows: int, within: tuple[float, float] = (1.0, 1.0)) -> None:
    """Axes of that many rows, along multiples of one, which has a line; they reach over `within` at least."""
    axes.axvline(1, color=INK, linewidth=1.2)
    axes.set_ylim(-0.6, rows - 0.4)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}x")
    axes.xaxis.set_minor_formatter("")
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, within[0]), max(high, within[1]))
    axes.set_xticks(_ticks(*axes.get_xlim()))
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)


def _course(
    second: np.ndarray, age: np.ndarray, percent: int, every: float = 10.0
) -> tuple[np.ndarray, list[float]]:
    """(minutes, the percentile of the ages) for each `every` seconds in which records were sent."""
    slot = (second // every).astype(int)
    slots = np.unique(slot)
    return (slots + 0.5) * every / 60, [float(np.percentile(age[slot == one], percent)) for one in slots]


def _ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 in each power of ten, thinned where the axis spans many."""
    steps = (1, 2, 5) if high / low < 50 else (1,)
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    return [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
