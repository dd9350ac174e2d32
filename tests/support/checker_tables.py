"""Recompute the tables of a report: answers, groups, rows, cells, held cells, headlines."""

from collections import Counter
from collections.abc import Iterator

from support.checker_facts import Facts
from support.checker_statements import ReportStatements, Statement, differences, in_order, only, pool

Pair = tuple[str, str]


def faults(report: ReportStatements, facts: Facts) -> Iterator[str]:
    """Yield every difference, and everything that is held back without need."""
    tables = facts.survey.tables()
    for columns in tables:
        name = " and ".join(columns)
        statement, wrong = only(report.all("answered", *columns), f"answered {name}")
        yield from wrong
        blank, people = facts.blank(*columns), len(facts.people)
        yield from differences(statement, f"answered {name}", value=people - blank, base=people, blank=blank,
                               published=columns in facts.survey.by)  # fmt: skip
        yield from (_one if len(columns) == 1 else _two)(report, facts, columns, name)
    strange = {tuple(s["columns"]) for s in report.all("answered")} - set(tables)
    if strange:
        yield f"tables that nobody asked for: {sorted(strange)}"


def _one(report: ReportStatements, facts: Facts, columns: tuple[str, ...], name: str) -> Iterator[str]:
    survey, counts = facts.survey, facts.groups(*columns)
    base = sum(counts.values())
    named = {group: n for group, n in counts.items() if n >= survey.smallest}
    stated = report.by_groups("group", *columns)
    for group in {*named, *stated}:
        n = named.get(group)
        if n is None:
            yield f"group {name} {group}: named, and no group of {survey.smallest}"
        else:
            yield from differences(
                stated.get(group), f"group {name} {group}", value=n, base=base, share=n / base
            )
    if not in_order(survey, columns[0], [group[0] for group in stated]):
        yield f"groups of {name}: not in order: {[group[0] for group in stated]}"
    rest = base - sum(named.values())
    yield from _rest(report.all("pooled", *columns), f"pooled {name}", rest, base, survey.smallest)
    if report.all("held", *columns):
        yield f"held {name}: one column holds nothing back but rare values"
    headline, wrong = only(report.all("headline", *columns), f"headline {name}")
    yield from wrong
    if headline:
        yield from _largest(headline, named, base, f"headline {name}")


def _rest(stated: list[Statement], name: str, people: int, base: int, smallest: int) -> Iterator[str]:
    """Check the line that stands for many: their number, or a rule where they are too few."""
    if len(stated) != (people > 0):
        yield f"{name}: said {len(stated)} times, of {people} people"
    for line in stated:
        right = people if people >= smallest else None
        yield from differences(line, name, value=right, base=base)
        if line.get("share") is not None and right is None:
            yield f"{name}: a share of people who are too few"
        if not line.get("rule"):
            yield f"{name}: no rule says why"


def _largest(headline: Statement, named: dict[tuple[str, ...], int], base: int, name: str) -> Iterator[str]:
    if not named:
        if headline.get("value") is not None or bool(headline.get("rule")) != bool(base):
            yield f"{name}: nothing to say but why"
        if base and "fewer than" in headline["text"] and base >= 5 and " each" not in headline["text"]:
            yield f"{name}: says {headline['text']!r}, and {base} people answered"
        return
    most = max(named.values())
    level = {group[0] for group, n in named.items() if n == most}
    yield from differences(headline, name, value=most, base=base, share=most / base)
    if set(headline["groups"]) != level:
        yield f"{name}: the largest are {sorted(level)}, said {headline['groups']}"
    if ("leads" in headline["text"]) != (len(level) == 1):
        yield f"{name}: {len(level)} groups are level, and the words are {headline['text']!r}"


def labelled(facts: Facts, columns: tuple[str, ...]) -> Counter[Pair]:
    """Count the people of each pair of values of a two-column table, rare values pooled on their axis."""
    counts = facts.groups(*columns)
    totals = [Counter[str](), Counter[str]()]
    for group, n in counts.items():
        for axis, value in enumerate(group):
            totals[axis][value] += n
    cells: Counter[Pair] = Counter()
    for group, n in counts.items():
        first, second = (
            value if totals[axis][value] >= facts.survey.smallest else pool(facts.survey)
            for axis, value in enumerate(group)
        )
        cells[first, second] += n
    return cells


def _two(report: ReportStatements, facts: Facts, columns: tuple[str, ...], name: str) -> Iterator[str]:
    survey, cells = facts.survey, labelled(facts, columns)
    base, smallest = sum(cells.values()), facts.survey.smallest
    rows: Counter[str] = Counter()
    for (first, _), n in cells.items():
        rows[first] += n
    stated_rows = {groups[0]: row for groups, row in report.by_groups("row", *columns).items()}
    for value in {*rows, *stated_rows}:
        if rows[value] >= smallest:
            yield from differences(stated_rows.get(value), f"row {name} {value}", value=rows[value], base=base,
                                   share=rows[value] / base)  # fmt: skip
        elif value in stated_rows:
            yield f"row {name} {value}: named, and only {rows[value]} people"
    stated = report.by_groups("cell", *columns)
    for cell, statement in stated.items():
        n = cells[cell[0], cell[1]]
        if 0 < n < smallest or (pool(survey) in cell and n < smallest):
            yield f"cell {name} {cell}: shown, and only {n} people"
        elif cell in cells:
            yield from differences(
                statement, f"cell {name} {cell}", value=n, base=rows[cell[0]], share=n / rows[cell[0]]
            )
        else:
            yield f"cell {name} {cell}: nobody is in it"
    for axis, values in enumerate((list(stated_rows), [c for (c,) in report.by_groups("column", *columns)])):
        if not in_order(survey, columns[axis], values):
            yield f"{('rows', 'columns')[axis]} of {name}: not in order: {values}"
    hidden = {cell: n for cell, n in cells.items() if cell not in stated}
    yield from _rest(report.all("held", *columns), f"held {name}", sum(hidden.values()), base, smallest)
    yield from needless(cells, set(stated), smallest, name)
    headline, wrong = only(report.all("headline", *columns), f"headline {name}")
    yield from wrong
    if headline:
        yield from _furthest(headline, cells, rows, set(stated), f"headline {name}", pool(survey))


def needless(cells: Counter[Pair], stated: set[tuple[str, ...]], smallest: int, name: str) -> Iterator[str]:
    """Yield the cells that are held back though no small one is near, or though readers can derive them anyway.

    A held cell protects others only where a way leads from its row to its column through other held cells.
    """
    lines = ({first for first, _ in cells}, {second for _, second in cells})
    totals = Counter[tuple[int, str]]()
    for cell, n in cells.items():
        for axis in (0, 1):
            totals[axis, cell[axis]] += n
    small = {cell for cell, n in cells.items() if n < smallest}
    thin = {line for line, n in totals.items() if n < smallest}
    hidden = {(r, c) for r in lines[0] for c in lines[1]} - stated
    for cell in sorted(hidden):
        if cells[cell] < smallest or {(0, cell[0]), (1, cell[1])} & thin:
            continue
        reached, new = {(0, cell[0])}, [(0, cell[0])]
        while new:
            axis, value = new.pop()
            for other in hidden - {cell}:
                beyond = (1 - axis, other[1 - axis])
                if other[axis] == value and beyond not in reached:
                    reached.add(beyond)
                    new.append(beyond)
        near = any((0, r) in reached for r, c in small if cells[r, c])
        if (1, cell[1]) not in reached or not near:
            yield f"cell {name} {cell}: held back, and nobody is protected by it"


def _furthest(
    headline: Statement,
    cells: Counter[Pair],
    rows: Counter[str],
    stated: set[tuple[str, ...]],
    name: str,
    rest: str,
) -> Iterator[str]:
    """Check the answer on which two groups differ most, over all answers that are shown (or that nobody gave)."""
    named = [cell for cell in stated if rest not in cell]
    if not named:
        if headline.get("value") is not None or bool(headline.get("rule")) != bool(cells):
            yield f"{name}: nothing to say but why"
        return
    value, *groups = headline["groups"]
    shares = [cells[group, value] / rows[group] for group in groups]
    for place, (group, share) in enumerate(zip(groups, shares, strict=True), 1):
        yield from differences(
            headline, f"{name} {group}", **{f"share_{place}": share, f"n_{place}": rows[group]}
        )
    whole = stated >= set(cells)
    others = {second for _, second in cells} - {rest}
    if len(groups) == 2:
        if whole and sorted(rows[g] for g in groups) != sorted(n for v, n in rows.items() if v != rest)[-2:]:
            yield f"{name}: {groups} are not the two largest groups"
        compared = [v for v in others if whole or all((group, v) in stated for group in groups)]
        gaps = {
            v: abs(cells[groups[0], v] / rows[groups[0]] - cells[groups[1], v] / rows[groups[1]])
            for v in compared
        }
        apart = abs(shares[0] - shares[1])
        yield from differences(headline, name, value=apart)
        if max(gaps.values()) > apart + 1e-12:
            yield f"{name}: {value!r} is said to differ most, and {max(gaps, key=lambda v: gaps[v])!r} does"
    elif whole and len(set(rows) - {rest}) > 1:
        yield f"{name}: one group only, and there are others"
