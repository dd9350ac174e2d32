"""Stacked bars of one column's groups, divided by a second column. From statements to a figure."""

from surveylake.contract.model import Contract
from surveylake.export.charts.bar_lines import Bar, bar_in_words
from surveylake.export.charts.bars import MOST_BARS, caption_of, named_axes, plain_axis, tint
from surveylake.export.charts.style import GRID, PAPER, WIDTH, Axes, Drawn, Figure, frame, on, text_width
from surveylake.export.formatting import count, in_sentence, percent, shorten, words
from surveylake.export.statements.model import Statement, Table

MOST_LAYERS = 6
TWO_LINES = 0.5
"""inches from one bar to the next: a name and its n"""
WITHHELD = "not shown"


def draw_stacked(table: Table, contract: Contract, version: int) -> Drawn:
    """Draw bars of the first column's groups, all of one length, divided by the second column: counts and percentages.

    `version` of `records` is in the caption. A part of a bar without a name is of answers that are not shown, or of rare ones.
    """
    group, stack = table.columns
    rows, folded = _rows(table)
    layers = _layers(table, rows)
    cells = {cell.groups: cell for cell in table.lines}
    caption = caption_of(table, contract, version, folded, where="not drawn")
    title = table.headline.text
    figure, (left, bottom, width, height) = frame(title, caption, TWO_LINES * len(rows) + 0.72)
    names = [f"{shorten(row.groups[0])}\nn = {count(_people(row))}" for row in rows]
    axes = named_axes(figure, (left, bottom, width, height - 0.3), names, room=0.1)
    tints = {
        layer: tint(rank + 2, Bar(layer, 0, 0, is_rest=layer == table.pool))  # not the colours of the groups
        for rank, layer in enumerate(layers)
    }
    complete = [_fill(axes, y, row, cells, tints) for y, row in enumerate(rows)]
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
    plain_axis(axes, f"% of the answers of each {words(group)}")
    _legend(figure, tints if all(complete) else {**tints, WITHHELD: GRID}, bottom + height - 0.14)
    bars = [f"{in_sentence(row.groups[0])}: {_row_in_words(row, cells, layers)}" for row in rows]
    return Drawn(
        figure, title, caption, f"Stacked bars of {words(stack)} by {words(group)}. {'; '.join(bars)}."
    )


def _rows(table: Table) -> tuple[list[Statement], int]:
    """Return the largest MOST_BARS rows, rare values last, and how many more there are."""
    rows = sorted(table.rows, key=lambda row: (row.groups[0] == table.pool, -_people(row)))
    return rows[:MOST_BARS], len(rows[MOST_BARS:])


def _layers(table: Table, rows: list[Statement]) -> list[str]:
    """Return the answers that are drawn by name, in the order of the table: the most frequent ones."""
    drawn = {row.groups[0] for row in rows}
    people: dict[str, int] = {}
    for cell in table.lines:
        if cell.groups[0] in drawn:
            people[cell.groups[1]] = people.get(cell.groups[1], 0) + _people(cell)
    frequent = sorted(people, key=lambda value: -people[value])[:MOST_LAYERS]
    return [value for value in table.values if value in frequent]


def _fill(
    axes: Axes, y: int, row: Statement, cells: dict[tuple[str, ...], Statement], tints: dict[str, str]
) -> bool:
    """Draw the coloured parts of one bar, with their numbers where they fit. Returns True if they fill the bar."""
    inches, start, left = axes.get_position().width * WIDTH, 0.0, _people(row)
    for layer, shade in tints.items():
        cell = cells.get((row.groups[0], layer))
        if cell is None:
            continue
        part, left = cell.share or 0.0, left - _people(cell)
        axes.barh(y, part, left=start, color=shade, height=0.8, edgecolor=PAPER, linewidth=1.5)
        text = f"{count(_people(cell))}\n{percent(part)}"
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
    if left:
        axes.barh(y, 1 - start, left=start, color=GRID, height=0.8, edgecolor=PAPER, linewidth=1.5)
    return not left


def _row_in_words(row: Statement, cells: dict[tuple[str, ...], Statement], layers: list[str]) -> str:
    shown = [cell for layer in layers if (cell := cells.get((row.groups[0], layer)))]
    parts = [bar_in_words(cell.groups[1], _people(cell), cell.share or 0.0) for cell in shown]
    if not shown:
        return f"n = {count(_people(row))}, not shown"
    rest = "" if sum(map(_people, shown)) == _people(row) else ", the rest not shown"
    return f"{', '.join(parts)} of {count(_people(row))}{rest}"


def _people(statement: Statement) -> int:
    return statement.value if isinstance(statement.value, int) else 0


def _legend(figure: Figure, tints: dict[str, str], height: float) -> None:
    """Write the layers' names in one row above the bars, each after its colour, shortened until all fit."""
    whole = figure.get_size_inches()[1]
    for letters in (28, 20, 14, 10, 6):
        names = [shorten(name, letters) for name in tints]
        steps = [text_width(name, 9.5) + 0.42 for name in names]
        if sum(steps) < WIDTH - 0.32:
            break
    x = 0.16
    for name, shade, step in zip(names, tints.values(), steps, strict=True):
        figure.text(x / WIDTH, height / whole, "■", color=shade, size=12, va="center")
        figure.text((x + 0.17) / WIDTH, height / whole, name, size=9.5, va="center")
        x += step
