"""Invented surveys: the literal cases that were reported wrong once (rows a1 to a13).

Each is the facts of a contract and the rows of a CSV, as strings. generated_surveys.py has more of them.
"""

import json
from collections.abc import Callable
from dataclasses import replace

from support.checker_facts import Claim, Column, Survey

Rows = list[dict[str, str]]
Made = tuple[Survey, Rows]

PAIRS = Survey(
    columns={
        "id": Column("id", required=True), "g": Column("g"), "a": Column("a"), "n": Column("n", "integer"),
    },
    by=(("g",), ("a",), ("g", "a")), measure="n", received_by="g", charts={"group": "g", "stack": "a"},
    claim=Claim("g", "F", "M", ("a",)),
)  # fmt: skip
"""The survey of the reported cases: who, which group, which answer, a number."""


def contract_toml(name: str, survey: Survey) -> str:
    """Return a survey's facts as a contract in TOML."""
    lines = [f"name = {_toml(name)}", f'title = "Survey {name}"', 'topic = "t"', f"key = {_toml(survey.key)}"]
    for field, column in survey.columns.items():
        lines += [f"[fields.{field}]", f"source = {_toml(column.source)}", f"type = {_toml(column.kind)}"]
        lines += ["required = true"] if column.required else []
        lines += [f"allowed = {_toml(list(column.allowed))}"] if column.allowed else []
        lines += [f"min = {column.low}"] if column.low is not None else []
        lines += [f"max = {column.high}"] if column.high is not None else []
        if column.spellings:
            lines += [f"[fields.{field}.spellings]"]
            lines += [f"{_toml(known)} = {_toml(list(others))}" for known, others in column.spellings.items()]
    for field, part in survey.derived.items():
        lines += [f"[derived.{field}]", f"type = {_toml(part.kind)}", f"sql = {_toml(part.sql)}"]
    lines += ["[summaries]", f"by = {_toml([list(by) for by in survey.by])}"]
    lines += [f"measure = {_toml(survey.measure)}"] if survey.measure else []
    lines += [f"received_by = {_toml(survey.received_by)}"] if survey.received_by else []
    if survey.charts:
        lines += ["[charts]", *(f"{part} = {_toml(column)}" for part, column in survey.charts.items())]
    if claim := survey.claim:
        lines += ["[hypothesis]", 'claim = "it is so"', f"field = {_toml(claim.field)}"]
        lines += [f"more = {_toml(claim.more)}", f"less = {_toml(claim.less)}"]
        lines += [f"outcomes = {_toml(list(claim.outcomes))}"]
        words = ", ".join(f"{_toml(value)} = {_toml(word)}" for value, word in claim.words.items())
        lines += [f"words = {{ {words} }}"] if words else []
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """Return a value as TOML, whose strings and lists are JSON's, but for DEL."""
    return json.dumps(value, ensure_ascii=False)


def rows_of(*parts: tuple[int, str, str], measure: Callable[[int], str] = lambda _: "1") -> Rows:
    """Return people of PAIRS from (how many, g, a), numbered from 1; `measure` gives n by the number."""
    rows: Rows = []
    for people, g, a in parts:
        for _ in range(people):
            who = len(rows) + 1
            rows.append({"id": f"P{who}", "g": g, "a": a, "n": measure(who)})
    return rows


def with_columns(survey: Survey, **columns: Column) -> Survey:
    """Return a survey with other columns, or more."""
    return replace(survey, columns={**survey.columns, **columns})


def a1() -> Made:
    """An answer that one group gave often and a rare one that both gave: shares are of everybody."""
    return PAIRS, rows_of((18, "F", "often"), (60, "F", "never"), (29, "M", "often"), (58, "M", "never"),
                          (13, "M", "some"))  # fmt: skip


def a1b() -> Made:
    """The same with a cell that is too small to be shown."""
    return PAIRS, rows_of((18, "F", "often"), (70, "F", "never"), (3, "F", "some"), (29, "M", "often"),
                          (58, "M", "never"), (13, "M", "some"))  # fmt: skip


def a2() -> Made:
    """Ten people who answered neither question."""
    return PAIRS, rows_of((20, "F", "yes"), (20, "F", "no"), (20, "M", "yes"), (20, "M", "no"), (10, "", ""))


def a3() -> Made:
    """Two large groups and eight people who are each alone in theirs."""
    alone = [(1, f"lone{i}", "yes") for i in range(8)]
    return PAIRS, rows_of((60, "F", "yes"), (40, "F", "no"), (50, "M", "yes"), (50, "M", "no"), *alone)


def a4() -> Made:
    """Two groups of one size, and three people who must not be found out."""
    parts = (
        (30, "F", "yes"),
        (21, "F", "no"),
        (25, "M", "yes"),
        (26, "M", "no"),
        (2, "Xenon", "yes"),
        (1, "Xenon", "no"),
    )
    return PAIRS, rows_of(*parts, measure=lambda who: str(20 + who % 30))


def a5() -> Made:
    """Three people who left out the measure."""
    return PAIRS, rows_of((40, "M", "yes"), measure=lambda who: "" if who <= 3 else str(who))


def a6() -> Made:
    """The same key three times, in a survey of two people and in one of a hundred."""
    few = [{"id": "1", "g": "F", "a": "yes", "n": "1"}, {"id": "1", "g": "M", "a": "no", "n": "2"},
           {"id": "1", "g": "M", "a": "yes", "n": "3"}, {"id": "2", "g": "F", "a": "no", "n": "4"}]  # fmt: skip
    return PAIRS, few


def a6b() -> Made:
    """One answer of 101 replaced: said, and no warning."""
    rows = rows_of((60, "F", "yes"), (40, "M", "no"))
    return PAIRS, [*rows, {**rows[0], "g": "M"}]


def a7() -> Made:
    """Every row rejected: the allowed answers are written in another case."""
    closed = with_columns(PAIRS, g=Column("g", required=True, allowed=("F", "M")))
    return closed, rows_of((25, "f", "yes"), (20, "m", "no"))


def a7b() -> Made:
    """Every row rejected: a date in the form of another country; no hypothesis."""
    dated = replace(with_columns(PAIRS, day=Column("day", "date", required=True)), claim=None)
    return dated, [{**row, "day": "8/27/2014"} for row in rows_of((30, "F", "yes"), (20, "M", "no"))]


def a7c() -> Made:
    """Every row rejected, for three reasons of which none holds for half of them."""
    strict = with_columns(PAIRS, g=Column("g", required=True, allowed=("F", "M")), a=Column("a", required=True),
                           n=Column("n", "integer", high=9))  # fmt: skip
    return strict, [
        *rows_of((12, "f", "yes"), (12, "M", "")),
        *rows_of((12, "F", "no"), measure=lambda _: "99"),
    ]


def a8() -> Made:
    """A share of surveys under a tenth of a percent: p = 0.0004."""
    return PAIRS, rows_of((40, "F", "yes"), (33, "F", "no"), (20, "M", "yes"), (17, "M", "no"))


NUMBERED = replace(
    with_columns(
        PAIRS, g=Column("g", "integer"), a=Column("a", allowed=("1-5", "6-25", "26-100")),
    ),
    charts={"group": "g", "bands": "a", "stack": "a"}, claim=None,
)  # fmt: skip


def a9() -> Made:
    """Groups that are numbers, and bands in the order in which they were declared; some left both blank."""
    parts = [(20, "18", "6-25"), (12, "17", "26-100"), (15, "19", "1-5"), (9, "17", "1-5"), (30, "18", "26-100"),
             (7, "19", "6-25"), (6, "", "1-5"), (8, "17", ""), (11, "", "")]  # fmt: skip
    return NUMBERED, rows_of(*parts, measure=lambda who: str(who % 7))


def a10() -> Made:
    """An outcome of the hypothesis that no table was asked for."""
    return replace(PAIRS, by=(("g",),)), rows_of(
        (30, "F", "yes"), (20, "F", "no"), (10, "M", "yes"), (25, "M", "no")
    )


def a11() -> Made:
    """One alias for one value: no list of all answers is meant."""
    aliased = with_columns(PAIRS, g=Column("g", spellings={"F": ("female",)}))
    return aliased, rows_of(
        (20, "female", "yes"), (30, "M", "no"), (12, "other", "yes"), (9, "none of these", "no")
    )


def a11b() -> Made:
    """All values listed but one that nine people gave, and two that one person gave each."""
    listed = Column("a", spellings={"yes": ("y", "Y"), "no": ("n",), "maybe": ()}, is_closed=True)
    parts = (
        (20, "F", "y"),
        (20, "M", "no"),
        (12, "F", "maybe"),
        (9, "M", "perhaps"),
        (1, "F", "Zwischending"),
        (1, "M", "Ungefaehr"),
    )
    return with_columns(PAIRS, a=listed), rows_of(*parts)


def a12() -> Made:
    """A claim that its own one-sided test supports (p = 0.026) and a two-sided one would not."""
    return PAIRS, rows_of((19, "F", "yes"), (19, "F", "no"), (11, "M", "yes"), (11, "M", "no"))


def a13() -> Made:
    """Seven groups, of which a pie draws six: one group is drawn within the rest."""
    return PAIRS, rows_of(*((10 + i, f"env{i}", "yes") for i in range(7)))


LITERAL = (a1, a1b, a2, a3, a4, a5, a6, a6b, a7, a7b, a7c, a8, a9, a10, a11, a11b, a12, a13)
