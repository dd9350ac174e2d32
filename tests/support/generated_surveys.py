"""Surveys of many shapes, drawn from seeds: the same name gives the same rows. With the literal ones they are SURVEYS."""

import random
from collections.abc import Iterable
from dataclasses import replace

from support.checker_facts import Claim, Column, Derived, Survey
from support.made_surveys import LITERAL, PAIRS, Made, Rows, rows_of, with_columns


def _drawn(seed: int, people: int, **pools: Iterable[str]) -> Rows:
    """Return people whose answers are drawn from the pools, each as often as it is in its pool."""
    rng = random.Random(seed)
    lists = {name: list(pool) for name, pool in pools.items()}
    return [
        {"id": f"P{who}", **{name: rng.choice(pool) for name, pool in lists.items()}} for who in range(people)
    ]


def many_blanks() -> Made:
    """Most answers are blank."""
    return PAIRS, _drawn(
        1, 200, g=["F", "M", "", ""], a=["yes", "no", "", "", ""], n=["", "", "3", "7", "12"]
    )


def rare_groups() -> Made:
    """A few large groups and many small ones, on both axes."""
    towns = ["F"] * 40 + ["M"] * 30 + [f"hamlet{i}" for i in range(20)]
    answers = ["yes"] * 30 + ["no"] * 20 + ["perhaps"] * 6 + [f"wordy{i}" for i in range(8)]
    return PAIRS, _drawn(2, 260, g=towns, a=answers, n=map(str, range(18, 90)))


def ties() -> Made:
    """All groups and all answers level."""
    parts = [(10, g, a) for g in ("F", "M", "D") for a in ("yes", "no")]
    return PAIRS, rows_of(*parts, measure=lambda who: str(who % 10))


def one_group() -> Made:
    """Everybody in one group."""
    return PAIRS, _drawn(4, 60, g=["F"], a=["yes", "yes", "no"], n=map(str, range(20, 40)))


def no_tables() -> Made:
    """Nothing asked for but the claim."""
    bare = replace(PAIRS, by=(), measure=None, received_by=None, charts={}, claim=Claim("g", "F", "M"))
    return bare, _drawn(5, 80, g=["F", "F", "M"], a=["yes", "no"], n=["1"])


def sixty_fields() -> Made:
    """Sixty questions, forty of them in tables."""
    names = [f"q{i:02}" for i in range(58)]
    columns = {
        "id": Column("id", required=True),
        "g": Column("g"),
        **{name: Column(f"Question {name}") for name in names},
    }
    by = (("g",), *((name,) for name in names[:40]), ("g", "q00"), ("q01", "q02"))
    wide = Survey(columns=columns, by=by, charts={"group": "g", "stack": "q00"})
    pools = {name: ["agree", "disagree", "neither", ""][: 2 + int(name[1:]) % 3] for name in names}
    rows = _drawn(6, 120, g=["F", "M"], **pools)
    return wide, [{columns[name].source: text for name, text in row.items()} for row in rows]


def likert() -> Made:
    """Ten questions answered from 1 to 5, all compared between two groups."""
    names = [f"item{i}" for i in range(10)]
    columns = {"id": Column("id", required=True), "g": Column("g"),
               **{name: Column(name, "integer", low=1, high=5) for name in names}}  # fmt: skip
    survey = Survey(columns=columns, by=(("g",), *((name,) for name in names), ("g", "item0")), measure="item9",
                    charts={"group": "g", "bands": "item1", "stack": "item0"},
                    claim=Claim("g", "F", "M", tuple(names[:6]), {"F": "women", "M": "men"}))  # fmt: skip
    scale = ["1", "2", "2", "3", "3", "3", "4", "4", "5", ""]
    rows = _drawn(7, 300, g=["F", "F", "M"], **dict.fromkeys(names, scale))
    rng = random.Random(70)
    return survey, [{**row, "item2": str(rng.choice([4, 5]))} if row["g"] == "F" else row for row in rows]


def one_person() -> Made:
    """One person."""
    return PAIRS, rows_of((1, "Solitaire", "oneword"))


def nobody() -> Made:
    """A header and no rows."""
    return PAIRS, []


def unicode_groups() -> Made:
    """Groups in many scripts, a name longer than a line, and names that mean something to HTML, Markdown or a spreadsheet."""
    long = "Donaudampfschifffahrtsgesellschaftskapitänsmütze"
    groups = ["中国", "हिन्दी", "العربية", "Ürgüp", long, "<b>", "=1+1", "a|b*c_d", "2 %", "12 people"]
    odd = replace(PAIRS, claim=Claim("g", "中国", "Ürgüp", ("a",)))
    rare = ["Ὀδυσσεύς", "はひふへほ"]
    return odd, _drawn(8, 400, g=groups * 12 + rare, a=["да", "нет", "“quoted”, ok"], n=map(str, range(5)))


def key_twice() -> Made:
    """Two header names for people, of which the contract's repeats: 40 of 140 answers are replaced."""
    columns = {
        "number": Column("No.", required=True),
        **{name: PAIRS.columns[name] for name in ("g", "a", "n")},
    }
    survey = replace(PAIRS, columns=columns, key="number")
    rng = random.Random(9)
    rows = [{"No.": str(i % 100), "id": f"row{i}", "g": rng.choice("FM"), "a": rng.choice(["yes", "no"]), "n": str(i % 9)}
            for i in range(140)]  # fmt: skip
    return survey, rows


def half_rejected() -> Made:
    """Answers of every wrong kind among good ones; typed columns of each kind, one computed."""

    def band(row: dict[str, object]) -> str | None:
        return None if row["n"] is None else "young" if row["n"] < 30 else "old"

    columns = {
        "id": Column("id", required=True), "g": Column("g", required=True, allowed=("F", "M", "D")), "a": Column("a", "boolean"),
        "day": Column("day", "date"), "n": Column("n", "decimal(6,2)", low=0, high=100),
    }  # fmt: skip
    survey = Survey(columns=columns, by=(("g",), ("a",), ("day",), ("band",), ("g", "a"), ("band", "a")), measure="n",
                    received_by="g", charts={"group": "g", "bands": "band", "stack": "a"},
                    claim=Claim("g", "F", "M", ("a", "band")),
                    derived={"band": Derived("string", "CASE WHEN n < 30 THEN 'young' WHEN n >= 30 THEN 'old' END", band)})  # fmt: skip
    days = ["2024-05-04", "2024-05-06", "2024-12-31", "04.05.2024", ""]
    rows = _drawn(10, 260, g=["F", "F", "M", "M", "D", "f", " F ", ""], a=["true", "False", "yes", ""], day=days,
                  n=["12.5", "29.99", "30.00", "55", "101", "x", "", "7.25"])  # fmt: skip
    return survey, rows


def thousands() -> Made:
    """So many people that numbers have a comma; 26 groups, more than a chart draws."""
    towns = [f"env{i}" for i in range(26)]
    weights = [env for rank, env in enumerate(towns) for _ in range(60 - 2 * rank)]
    return PAIRS, _drawn(
        11, 4200, g=weights, a=["yes"] * 30 + ["no"] * 20 + ["never"], n=map(str, range(1000, 1090))
    )


def zero_cells() -> Made:
    """A group in which nobody gave one answer, which is where the two groups differ most."""
    return PAIRS, rows_of(
        (30, "F", "yes"), (30, "F", "no"), (25, "M", "yes"), (20, "M", "no"), (45, "M", "never")
    )


def no_less() -> Made:
    """A claim of which the other side is nobody."""
    return PAIRS, rows_of((40, "F", "yes"), (12, "D", "no"))


def small_claim() -> Made:
    """A claim of which the other side is three people."""
    return PAIRS, rows_of((25, "F", "yes"), (15, "F", "no"), (3, "M", "no"), (12, "D", "no"))


def all_alone() -> Made:
    """Everybody in a group of their own."""
    return PAIRS, rows_of(*((1, f"solo{i}", "yes") for i in range(30)))


def same_sender() -> Made:
    """A value that came six times, from one person, each time with a number out of range."""
    bounded = with_columns(PAIRS, n=Column("n", "integer", high=99))
    rows = rows_of((30, "F", "yes"), (9, "F", "no"), (20, "M", "no"), (8, "M", "yes"))
    return bounded, [
        *rows,
        *({"id": "P99", "g": "Zwischenform", "a": "yes", "n": str(150 + i)} for i in range(6)),
    ]


def small_measures() -> Made:
    """A measure below a tenth, which some left out; and a claim whose p is hardly above the level: 0.05002."""
    parts = ((100, "F", "yes"), (82, "F", "no"), (90, "M", "yes"), (61, "M", "no"))
    rows = rows_of(*parts, measure=lambda who: "" if who % 9 == 0 else f"0.0{20 + who % 41}")
    return with_columns(PAIRS, n=Column("n", "decimal(4,3)")), rows


def reserved_names() -> Made:
    """An answer that is called as the tables call what they hold back."""
    parts = [(14, "(not shown)", "yes"), (12, "F", "yes"), (11, "F", "no"), (9, "(not shown)", "no")]
    return PAIRS, rows_of(*parts, measure=lambda who: str(who % 9))


GENERATED = (
    many_blanks, rare_groups, ties, one_group, no_tables, sixty_fields, likert, one_person, nobody, unicode_groups, key_twice,
    half_rejected, thousands, zero_cells, no_less, small_claim, all_alone, same_sender,
    small_measures,
)  # fmt: skip
SURVEYS = {make.__name__: make for make in (*LITERAL, *GENERATED)}
