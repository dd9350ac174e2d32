"""Recompute the statistics of the measure, and whether they are rightly said or rightly kept back."""

from collections.abc import Iterator

import pandas as pd

from checker_facts import Facts, as_text
from checker_said import Said, differences, pool

Table = tuple[str, ...]


def faults(said: Said, facts: Facts) -> Iterator[str]:
    """Yield every difference."""
    measure = facts.survey.measure
    if measure is None:
        return
    protected = _protected(said, facts)
    numbers = pd.to_numeric(facts.people[measure].map(lambda value: None if value is None else float(value)))
    for columns in facts.survey.by:
        told = said.by_groups("measure", *columns)
        shown = said.by_groups("group" if len(columns) == 1 else "cell", *columns)
        for group in [group for group in told if group not in shown]:
            yield f"measure {columns} {group}: said of people who are not shown"
        inside = {group: _inside(facts, columns, group) for group in shown if pool(facts.survey) not in group}
        values = {group: numbers[members].dropna() for group, members in inside.items()}
        sums_may_hide = _sums_may_hide(facts, columns)
        # Where one group's extreme has to be kept back, those of the others would tell that the people are not among them.
        extremes_may_hide = any(
            bool(protected[v[v == end].index].all())
            for v in values.values()
            if len(v)
            for end in (v.min(), v.max())
        )
        for group, members in inside.items():
            statement, name = told.get(group), f"measure {columns} {group}"
            if len(values[group]) < facts.survey.smallest:
                if statement:
                    yield f"{name}: said of {len(values[group])} people"
                continue
            may_hide = sums_may_hide, extremes_may_hide
            yield from _one(statement, name, values[group], protected, int(members.sum()), may_hide)
    for columns in {tuple(s["columns"]) for s in said.all("measure")} - set(facts.survey.by):
        yield f"measure {columns}: of a table that nobody asked for"


def _inside(facts: Facts, columns: Table, group: tuple[str, ...]) -> pd.Series:
    """True for each person who is in a group."""
    inside = pd.Series(True, index=facts.people.index)
    for column, value in zip(columns, group, strict=True):
        inside &= facts.people[column].map(lambda v: None if v is None else as_text(v)) == value
    return inside


def _one(
    statement: object,
    name: str,
    values: pd.Series,
    protected: pd.Series,
    people: int,
    may_hide: tuple[bool, bool],
) -> Iterator[str]:
    sums_may_hide, extremes_may_hide = may_hide
    if not isinstance(statement, dict):
        yield f"{name}: not said"
        return
    more, rule = statement["more"], statement.get("rule")
    yield from differences(statement, name, n=len(values), base=people, median=float(values.median()))
    if more["mean"] is None or more["sd"] is None:
        if more["mean"] != more["sd"] or not sums_may_hide or not rule:
            yield f"{name}: a mean is kept back, and nobody is protected by it (rule: {rule})"
    else:
        yield from differences(statement, name, mean=float(values.mean()))
        if abs(more["sd"] - float(values.std(ddof=1))) > 1e-6 * max(1.0, float(values.std(ddof=1))):
            yield f"{name}: sd is said to be {more['sd']}, and is {values.std(ddof=1)}"
    for kind, right in (("min", values.min()), ("max", values.max())):
        only_protected = bool(protected[values[values == right].index].all())
        if more[kind] is None:
            if not extremes_may_hide or not rule:
                yield f"{name}: {kind} is kept back, and people have it who are shown"
        elif only_protected:
            yield f"{name}: {kind} is said, and only people have it who are not shown"
        else:
            yield from differences(statement, name, **{kind: float(right)})


def _protected(said: Said, facts: Facts) -> pd.Series:
    """True for each person of whom some table says nothing but their number."""
    survey, people = facts.survey, facts.people
    found = pd.Series(False, index=people.index)
    single = {columns for columns in survey.tables() if len(columns) == 1}
    single |= {(column,) for column in (survey.received_by, survey.claim and survey.claim.field) if column}
    for (column,) in single:
        few_blank = 0 < facts.blank(column) < survey.smallest
        rare = facts.rare(column)
        found |= people[column].map(
            lambda v, few=few_blank, rare=rare: few if v is None else as_text(v) in rare
        )
    for columns in survey.tables():
        if len(columns) == 2:
            shown = set(said.by_groups("cell", *columns))
            pairs = [tuple(map(as_text, pair)) for pair in people[list(columns)].itertuples(index=False)]
            answered = people[list(columns)].notna().all(axis=1)
            found |= answered & pd.Series(
                [pair not in shown for pair in pairs], index=people.index, dtype=bool
            )
    return found


def _sums_may_hide(facts: Facts, columns: Table) -> bool:
    """True if somebody is protected whose sum could follow from those that are said."""
    smallest = facts.survey.smallest

    def few(people: int) -> bool:
        return 0 < people < smallest

    if any(facts.rare(column) or few(facts.blank(column)) for column in columns):
        return True
    if len(columns) == 1:
        return False
    everyone = facts.people[list(columns)]
    for column, other in (columns, columns[::-1]):
        alone = everyone[everyone[column].isna() & everyone[other].notna()]
        if alone[other].map(as_text).value_counts().map(few).any():
            return True
    return any(few(n) for n in facts.groups(*columns).values())
