"""Recompute the charts' titles, captions and alternative texts from the raw answers."""

import re
from collections import Counter
from collections.abc import Iterator

from support.checker_facts import Facts
from support.checker_statements import ReportStatements, Statement, pool
from support.checker_tables import labelled
from support.checker_words import PAIR, odd_numbers, percents, shortened

DRAWN = re.compile(r"(\d[\d,]*) of (\d[\d,]*) (?:people are|person is) drawn")
VERSION = 1
"""of `records`, in every caption"""
FOLDS = (6, 20, 24)
"""groups that a pie, bars and a line show by name"""


def faults(report: ReportStatements, facts: Facts) -> Iterator[str]:
    """Yield every number of a chart that is none of its table's, and every chart too many or too few."""
    charts = {statement["groups"][0]: statement for statement in report.all("chart")}
    wanted = _wanted(report, facts)
    optional = {name for name in wanted if name.startswith("scatter_")}
    if not set(wanted) - optional <= set(charts) <= set(wanted):
        yield f"charts: {sorted(charts)} are drawn, and {sorted(wanted)} are asked for"
    for name, columns in wanted.items():
        if name in charts:
            yield from (_of_one if len(columns) == 1 else _of_two)(
                charts[name], report, facts, columns, f"chart {name}"
            )
        for end in ("svg", "png"):
            if (report.folder / "charts" / f"{name}.{end}").exists() != (name in charts):
                yield f"chart {name}: the statement and the file {end} do not agree"


def _wanted(report: ReportStatements, facts: Facts) -> dict[str, tuple[str, ...]]:
    """Return the charts that the contract asks for, of tables that have a group to show."""
    survey, charts = facts.survey, facts.survey.charts
    bars = {
        c
        for (c, *rest) in survey.by
        if not rest and any(n >= survey.smallest for n in facts.groups(c).values())
    }
    wanted: dict[str, tuple[str, ...]] = {
        f"bar_{column}": (column,) for column in bars if column != charts.get("bands")
    }
    if (group := charts.get("group")) in bars:
        wanted[f"pie_{group}"] = (group,)
        if survey.measure:
            wanted[f"scatter_{survey.measure}_{group}"] = (group,)
    if (bands := charts.get("bands")) in bars:
        wanted[f"line_{bands}"] = (bands,)
    both = (charts.get("group", ""), charts.get("stack", ""))
    if report.all("cell", *both):
        wanted[f"stacked_{both[0]}_{both[1]}"] = both
    return wanted


def _words(chart: Statement) -> list[str]:
    return [chart["text"], chart["more"]["caption"], chart["more"]["alt"]]


def _names(facts: Facts, columns: tuple[str, ...]) -> list[str]:
    """Return names that may have digits: groups that are shown, columns, the measure."""
    groups = [value for c in columns for (value,), n in facts.groups(c).items() if n >= facts.survey.smallest]
    words = [column.replace("_", " ") for column in (*facts.survey.columns, *facts.survey.derived)]
    return [*groups, *words, *facts.survey.columns, pool(facts.survey), f"fewer than {facts.survey.smallest}",
            f"Fewer than {facts.survey.smallest}"]  # fmt: skip


def _of_one(
    chart: Statement, report: ReportStatements, facts: Facts, columns: tuple[str, ...], name: str
) -> Iterator[str]:
    counts = facts.groups(*columns)
    base, smallest = sum(counts.values()), facts.survey.smallest
    named = {group[0]: n for group, n in counts.items() if n >= smallest}
    rest = base - sum(named.values())
    sizes = sorted(named.values(), reverse=True)
    folded = [sum(sizes[k:]) + extra for k in FOLDS for extra in (0, rest)]
    people = [*named.values(), *folded, rest if rest >= smallest else 0, base, facts.blank(*columns)]
    measured = [
        number
        for s in report.all("measure", *columns)
        for number in s["more"].values()
        if isinstance(number, float | int)
    ]
    others = [VERSION, *(max(len(sizes) - k, 0) for k in FOLDS), len(sizes)]
    shares = [n / base for n in people if n <= base]
    alt = chart["more"]["alt"]
    drawn = DRAWN.search(chart["more"]["caption"])
    measured_too = _plotted(facts, columns[0])
    if drawn and (int(drawn[2].replace(",", "")) != base or int(drawn[1].replace(",", "")) > measured_too):
        yield f"{name}: says {drawn[0]!r} of {base} people, {measured_too} with a measure"
    if "Everybody is drawn" in chart["more"]["caption"] and measured_too < base:
        yield f"{name}: says that everybody is drawn, and {measured_too} of {base} people have a measure"
    strips = list(range(max(sizes) + 1)) if name.startswith("chart scatter") else []
    drawn_people = [int(part.replace(",", "")) for part in drawn.groups()] if drawn else []
    left_out = base - sum(
        n for value, n in named.items() if re.search(rf"(?<!\w){re.escape(shortened(value, 28))} ", alt)
    )
    for text in _words(chart):
        numbers = [*people, *measured, *others, *strips, *drawn_people, left_out, smallest]
        yield from odd_numbers(text, numbers, shares, _names(facts, columns), name)
        for count, share in PAIR.findall(text.replace("\xa0", " ")):
            if share not in percents(int(count.replace(",", "")) / base):
                yield f"{name}: says {count} ({share}) of {base}"
    if not name.startswith("chart scatter"):
        for value, n in named.items():
            short = shortened(value, 28)
            if f" {short} " in alt and f" {short} {n:,}" not in alt:
                yield f"{name}: {value!r} is {n}, and the words are {alt!r}"


def _plotted(facts: Facts, group: str) -> int:
    columns = [column for column in (group, facts.survey.measure) if column]
    return int(facts.people[columns].notna().all(axis=1).sum())


def _of_two(
    chart: Statement, report: ReportStatements, facts: Facts, columns: tuple[str, ...], name: str
) -> Iterator[str]:
    cells, shown = labelled(facts, columns), set(report.by_groups("cell", *columns))
    rows: Counter[str] = Counter()
    for (first, _), n in cells.items():
        rows[first] += n
    base, large = sum(rows.values()), [n for n in rows.values() if n >= facts.survey.smallest]
    pairs = {(cells[first, second], rows[first]) for first, second in shown}
    numbers = [*(n for n, _ in pairs), *large, base, facts.blank(*columns), sum(cells.values()) - sum(cells[c] for c in shown),
               max(len(large) - 20, 0), VERSION]  # fmt: skip
    nobody_there = any(not cells[first, second] for first in rows for second in {pair[1] for pair in cells})
    shares = [*(n / total for n, total in pairs), *([0.0] if nobody_there else [])]
    for text in _words(chart):
        yield from odd_numbers(text, numbers, shares, _names(facts, columns), name)
        for count, share in PAIR.findall(text.replace("\xa0", " ")):
            whole = int(count.replace(",", ""))
            if not any(n == whole and share in percents(n / total) for n, total in pairs):
                yield f"{name}: says {count} ({share})"
    bars = chart["more"]["alt"].split(". ", 1)[1].split("; ")
    for first, second in shown:
        bar = next((bar for bar in bars if bar.startswith(f"{shortened(first, 28)}: ")), "")
        short = f" {shortened(second, 28)} "
        if short in bar.replace(":", ": ") and f"{short}{cells[first, second]:,} (" not in bar:
            yield f"{name}: {first} and {second} are {cells[first, second]}, and the words are {bar!r}"
        if bar and f"of {rows[first]:,}" not in bar:
            yield f"{name}: {first} are {rows[first]}, and the words are {bar!r}"
