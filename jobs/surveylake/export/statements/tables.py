"""Statements about one published table of people: lines, headline, statistics. Shares are of the people who answered."""

from surveylake.aggregate.findings import Findings, Line, Summary
from surveylake.export.formatting import count, in_sentence, joined, percent, statistic, words
from surveylake.export.statements.model import Statement
from surveylake.export.statements.survey import nobody
from surveylake.lake.tables import Cell
from surveylake.wording import counted

SUMS_WITHHELD = (
    "means, deviations, smallest and largest values are not said here: "
    "those of people who are not shown could be worked out from them"
)
EXTREMES_WITHHELD = (
    "smallest or largest values are not said where only people have one who are not shown elsewhere"
)
MOST_LEVEL = 3


def table_statements(table: Summary, findings: Findings, published: bool) -> list[Statement]:
    """Return all statements of a table of one or two columns."""
    smallest = findings.smallest_group
    statements = [
        _answered(table, findings.responses, published),
        *_totals(table),
        *(_line(table, line, smallest) for line in table.lines),
        _headline(table, findings),
    ]
    if measure := findings.contract.summaries.measure:
        statements += [_measure(table, line, measure) for line in table.lines if _has_measure(line)]
    return statements


def not_shown(people: int, smallest: int) -> str:
    """Return words for a table in which no group is large enough to be shown."""
    return f"not shown: fewer than {smallest} people{' each' if people >= smallest else ''}"


def _answered(table: Summary, responses: int, published: bool) -> Statement:
    text = f"n = {counted(table.base, 'person', 'people')}"
    if table.blank:
        what = " or ".join(map(words, table.by))
        text += f"; {count(table.blank)} did not answer {what}"
    return Statement(
        "answered",
        text,
        table.by,
        value=table.base,
        base=responses,
        more={"blank": table.blank, "published": published, "pool": table.pool},
    )


def _totals(table: Summary) -> list[Statement]:
    """Return the statements of how many people of each value of either column answered both."""
    return [
        Statement(
            what,
            f"{in_sentence(value)}: n = {count(people)}",
            table.by,
            (value,),
            people,
            table.base,
            people / table.base,
        )
        for what, totals in zip(("row", "column"), table.totals, strict=False)
        for value, people in totals.items()
    ]


def _line(table: Summary, line: Line, smallest: int) -> Statement:
    if line.kind == "named" or (line.kind == "pooled" and len(table.by) == 2):
        return _shown(table, line)
    rule = f"groups of fewer than {smallest} people are not named"
    if line.kind == "held":
        who = counted(line.people, "person is", "people are") if line.people else "a few people are"
        return Statement(
            "held",
            f"{who} in combinations that are not shown",
            table.by,
            (),
            line.people,
            table.base,
            rule=rule,
        )
    if line.people is None:
        text = f"fewer than {smallest} people gave other answers"
        return Statement("pooled", text, table.by, line.groups, None, table.base, rule=rule)
    text = f"{line.groups[0]} {count(line.people)} ({percent(line.people / table.base)})"
    return Statement(
        "pooled", text, table.by, line.groups, line.people, table.base, line.people / table.base, rule=rule
    )


def _shown(table: Summary, line: Line) -> Statement:
    base = table.totals[0][line.groups[0]] if table.totals else table.base
    people = line.people or 0
    what = "cell" if table.totals else "group"
    row = f"{in_sentence(line.groups[0])}: " if table.totals else ""
    text = f"{row}{in_sentence(line.groups[-1])} {count(people)} ({percent(people / base)})"
    return Statement(what, text, table.by, line.groups, people, base, people / base)


def _headline(table: Summary, findings: Findings) -> Statement:
    label = " and ".join(map(words, table.by)).capitalize()
    if not table.base:
        more: dict[str, Cell] = {"received": findings.received}
        return Statement("headline", f"{label}: {nobody(findings)}", table.by, base=0, more=more)
    if table.is_bare:
        hidden = not_shown(table.base, findings.smallest_group)
        return Statement("headline", f"{label}: {hidden}", table.by, base=table.base, rule=hidden)
    return _leader(table, label) if len(table.by) == 1 else _largest_difference(table)


def _leader(table: Summary, label: str) -> Statement:
    named = [line for line in table.lines if line.kind == "named"]
    most = max(line.people or 0 for line in named)
    level = [line.groups[0] for line in named if line.people == most]
    share = most / table.base
    if len(level) == 1:
        text = (
            f"{label}: {in_sentence(level[0])} leads, {count(most)} of {count(table.base)} ({percent(share)})"
        )
    else:
        names = joined(map(in_sentence, level)) if len(level) <= MOST_LEVEL else f"{count(len(level))} groups"
        text = f"{label}: {names} are level at {counted(most, 'answer')}"
    return Statement("headline", text, table.by, tuple(level), most, table.base, share)


def _largest_difference(table: Summary) -> Statement:
    """Return the headline: the answer on which the two largest groups differ most, with each group's share of its people."""
    shares = _shares(table)
    largest = sorted(shares, key=lambda group: -table.totals[0][group])[:2]
    groups = [group for group in shares if group in largest]
    common = [value for value in table.totals[1] if all(value in shares[group] for group in groups)]
    if len(groups) < 2 or not common:
        groups = groups[:1]
        common = list(shares[groups[0]])
    value = max(common, key=lambda value: _difference([shares[group][value] for group in groups]))
    parts = [(group, shares[group][value], table.totals[0][group]) for group in groups]
    text = joined(
        f"{percent(share)} of {in_sentence(group, 18)} (n = {count(n)})" for group, share, n in parts
    )
    more: dict[str, Cell] = {"whole": not any(line.kind == "held" for line in table.lines)}
    for place, (_, share, n) in enumerate(parts, 1):
        more |= {f"share_{place}": share, f"n_{place}": n}
    return Statement(
        "headline", f"{in_sentence(value)}: {text}", table.by, (value, *groups), _difference([share for _, share, _ in parts]),
        base=table.base, more=more,
    )  # fmt: skip


def _shares(table: Summary) -> dict[str, dict[str, float]]:
    """Return group -> value -> share of the group's people, of named groups; 0 where it is known that nobody gave it."""
    shown: dict[str, dict[str, int]] = {}
    for line in table.lines:
        if line.kind != "held" and line.groups[0] != table.pool:
            shown.setdefault(line.groups[0], {})[line.groups[1]] = line.people or 0
    shares = {}
    for group, people in shown.items():
        n = table.totals[0][group]
        none = dict.fromkeys(table.totals[1], 0) if sum(people.values()) == n else {}
        named = {value: count / n for value, count in {**none, **people}.items() if value != table.pool}
        if named:
            shares[group] = named
    return shares


def _difference(shares: list[float]) -> float:
    """Return the difference of two shares; a single share counts by itself."""
    return max(shares) - min(shares) if len(shares) > 1 else shares[0]


def _has_measure(line: Line) -> bool:
    return line.kind == "named" and line.measures.get("median") is not None


def _measure(table: Summary, line: Line, measure: str) -> Statement:
    values = {name: value for name, value in line.measures.items() if name != "n"}
    rule = None
    if values["mean"] is None:
        rule = SUMS_WITHHELD
    elif values["min"] is None or values["max"] is None:
        rule = EXTREMES_WITHHELD
    text = ", ".join(
        f"{name} {statistic(value, name)}" for name, value in values.items() if value is not None
    )
    who = ", ".join(map(in_sentence, line.groups))
    n = line.measures.get("n")
    return Statement(
        "measure", f"{who}: {text}", table.by, line.groups, base=line.people, n=int(n) if n is not None else None,
        rule=rule, more={"of": measure, **values},
    )  # fmt: skip
