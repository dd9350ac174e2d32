"""Recompute the statistics of the measure, and whether they are rightly published or withheld."""

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from support.checker_facts import Facts, as_text
from support.checker_statements import ReportStatements, differences, pool
from support.checker_subtraction import tell_of_few

Table = tuple[str, ...]


def faults(report: ReportStatements, facts: Facts) -> Iterator[str]:
    """Yield every difference."""
    measure = facts.survey.measure
    if measure is None:
        return
    protected = _protected(report, facts)
    numbers = pd.to_numeric(facts.people[measure].map(lambda value: None if value is None else float(value)))
    with_sums = _with_sums(facts, numbers.notna())
    for columns in facts.survey.by:
        stated = report.by_groups("measure", *columns)
        shown = report.by_groups("group" if len(columns) == 1 else "cell", *columns)
        for group in [group for group in stated if group not in shown]:
            yield f"measure {columns} {group}: said of people who are not shown"
        inside = {group: _inside(facts, columns, group) for group in shown if pool(facts.survey) not in group}
        values = {group: numbers[members].dropna() for group, members in inside.items()}
        hides = columns not in with_sums
        large = [v for v in values.values() if len(v) >= facts.survey.smallest]
        # Where one group's extreme has to be kept back, those of the others would tell that the people are not among them.
        kept_back = {
            end
            for end in ("min", "max")
            if hides or any(protected[v[v == getattr(v, end)()].index].all() for v in large)
        }
        for group, members in inside.items():
            statement, name = stated.get(group), f"measure {columns} {group}"
            if len(values[group]) < facts.survey.smallest:
                if statement:
                    yield f"{name}: said of {len(values[group])} people"
                continue
            yield from _one(statement, name, values[group], int(members.sum()), hides, kept_back)
    for columns in {tuple(s["columns"]) for s in report.all("measure")} - set(facts.survey.by):
        yield f"measure {columns}: of a table that nobody asked for"


def _with_sums(facts: Facts, measured: pd.Series) -> list[Table]:
    """Return the tables that say means: each hides nobody, and none tells of a few people together with one before it."""
    said: list[Table] = []
    for columns in facts.survey.by:
        if not _hides(facts, columns, measured) and not any(
            tell_of_few(facts, columns, other, measured) for other in said
        ):
            said.append(columns)
    return said


def _inside(facts: Facts, columns: Table, group: tuple[str, ...]) -> pd.Series:
    """True for each person who is in a group."""
    inside = pd.Series(True, index=facts.people.index)
    for column, value in zip(columns, group, strict=True):
        inside &= facts.people[column].map(lambda v: None if v is None else as_text(v)) == value
    return inside


def _one(
    statement: object, name: str, values: pd.Series, people: int, hides: bool, kept_back: set[str]
) -> Iterator[str]:
    if not isinstance(statement, dict):
        yield f"{name}: not said"
        return
    more, rule = statement["more"], statement.get("rule")
    yield from differences(statement, name, base=people, median=float(values.median()))
    numbers = {
        "mean": more["mean"],
        "sd": more["sd"],
        "n": statement.get("n"),
        "min": more["min"],
        "max": more["max"],
    }
    withheld = {kind for kind, value in numbers.items() if value is None}
    wanted = {"mean", "sd", "n", *kept_back} if hides else kept_back
    if withheld != wanted:
        yield f"{name}: kept back are {sorted(withheld)}, and should be {sorted(wanted)}"
    if bool(withheld) != bool(rule):
        yield f"{name}: {sorted(withheld)} are kept back by the rule {rule!r}"
    right = {
        "mean": values.mean(),
        "sd": values.std(ddof=1),
        "n": len(values),
        "min": values.min(),
        "max": values.max(),
    }
    for kind, value in numbers.items():
        if value is not None and abs(value - float(right[kind])) > 1e-6 * max(1.0, abs(float(right[kind]))):
            yield f"{name}: {kind} is said to be {value}, and is {right[kind]}"


def _protected(report: ReportStatements, facts: Facts) -> pd.Series:
    """True for each person of whom some table publishes nothing but the number of such people."""
    survey, people = facts.survey, facts.people
    is_protected = pd.Series(False, index=people.index)
    single = {columns for columns in survey.tables() if len(columns) == 1}
    single |= {(column,) for column in (survey.received_by, survey.claim and survey.claim.field) if column}
    for (column,) in single:
        few_blank = 0 < facts.blank(column) < survey.smallest
        rare = facts.rare(column)
        is_protected |= people[column].map(
            lambda v, few=few_blank, rare=rare: few if v is None else as_text(v) in rare
        )
    for columns in survey.tables():
        if len(columns) == 2:
            small = {pair for pair, n in facts.groups(*columns).items() if n < survey.smallest}
            pairs = [tuple(map(as_text, pair)) for pair in people[list(columns)].itertuples(index=False)]
            answers = people[list(columns)].notna().sum(axis=1)
            partly = Counter(pair for pair, n in zip(pairs, answers, strict=True) if n == 1)
            small_or_partly = [
                pair in small if n == 2 else 0 < partly[pair] < survey.smallest
                for pair, n in zip(pairs, answers, strict=True)
            ]
            is_protected |= pd.Series(small_or_partly, index=people.index, dtype=bool)
    return is_protected


def _hides(facts: Facts, columns: Table, measured: pd.Series) -> bool:
    """True if somebody is in a group, a cell or a blank that is too small, or has a measure as one of few there."""
    smallest, everyone = facts.survey.smallest, facts.people

    def few(people: int) -> bool:
        return 0 < people < smallest

    for column in columns:
        blank = everyone[column].isna()
        sizes = everyone[column].dropna().map(as_text)
        counts = [sizes.value_counts(), sizes[measured[sizes.index]].value_counts()]
        if any(few(n) for count in counts for n in count):
            return True
        if few(int(blank.sum())) or few(int((blank & measured).sum())):
            return True
    if len(columns) == 1:
        return False
    texts = everyone[list(columns)].map(lambda v: "\0" if v is None or v != v else as_text(v))
    for part in (texts, texts[measured]):
        for pair, n in part.value_counts().items():
            if few(int(n)) and pair != ("\0", "\0"):
                return True
    return False
