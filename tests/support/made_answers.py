"""Answers to two questions and a number, random by seed or literal, for the audit of disclosure."""

import random
from collections.abc import Callable, Sequence

from support.published_tables import Person

Counts = dict[tuple[str, ...], int]
SIZES = ([0, 0, 1, 2, 3, 4, 5, 6, 8, 12, 20, 40], [0, 1, 2, 3, 5, 9], [0, 3, 7, 30, 60, 60])
VALUES = ([1, 2, 3, 4, 5], list(range(18, 90)), [30, 31, 32, 80], [0, 1], [20] * 6 + list(range(20, 60)))


def table(rng: random.Random) -> Counts:
    """Up to six groups by six answers, of many small cells or of few."""
    sizes = rng.choice(SIZES)
    groups, answers = rng.randint(1, 6), rng.randint(1, 6)
    drawn = {(f"g{g}", f"a{a}"): rng.choice(sizes) for g in range(groups) for a in range(answers)}
    return {cell: n for cell, n in drawn.items() if n}


def survey(rng: random.Random) -> list[Person]:
    """People of up to four groups and three answers, a few of them rare, some who left something blank."""
    groups, answers = [f"g{i}" for i in range(rng.randint(1, 4))], [f"a{i}" for i in range(rng.randint(1, 3))]
    values = rng.choice(VALUES)
    without = rng.choice([0, 0, 0.1])

    def person(g: str | None, a: str | None) -> Person:
        return Person(g, a, None if rng.random() < without else rng.choice(values))

    people = [
        person(g, a)
        for g in groups
        for a in answers
        for _ in range(rng.choice([0, 0, 1, 2, 3, 6, 9, 14, 20]))
    ]
    people += [
        person(rng.choice([*groups, "rare g"]), rng.choice([*answers, "rare a"]))
        for _ in range(rng.randint(0, 3))
    ]
    people += [person(None, rng.choice(answers)) for _ in range(rng.choice([0, 0, 1, 3, 8]))]
    people += [person(rng.choice(groups), None) for _ in range(rng.choice([0, 0, 1, 3, 8]))]
    return people + [person(None, None) for _ in range(rng.choice([0, 0, 2, 5, 9]))]


def same_values(rng: random.Random) -> list[Person]:
    """People whose measure hardly differs within a group: then its smallest and largest value say nearly all."""
    people = []
    for g in range(rng.randint(1, 3)):
        for a in range(rng.randint(1, 3)):
            base, spread = rng.choice([20, 30, 40]), rng.choice([0, 0, 1, 10])
            people += [
                Person(f"g{g}", f"a{a}", base + rng.randint(0, spread))
                for _ in range(rng.choice([0, 2, 6, 9, 14, 20]))
            ]
    people += [
        Person("g0", rng.choice(["a0", "rare a"]), rng.choice([20, 30, 90]))
        for _ in range(rng.choice([0, 1, 2]))
    ]
    return people + [Person("g0", None, rng.choice([20, 30])) for _ in range(rng.choice([0, 0, 1, 3, 8]))]


def drawn(seed: int, number: int, make: Callable[[random.Random], list[Person]]) -> list[list[Person]]:
    """Return surveys in which somebody has a measure."""
    rng = random.Random(seed)
    return [people for people in (make(rng) for _ in range(number)) if any(p.n is not None for p in people)]


def people_of(**groups: Sequence[int]) -> list[Person]:
    """People by `g_a=ages`; nobody's answer is `blank`."""
    return [
        Person(*(None if said == "blank" else said for said in name.split("_")), age)  # type: ignore[arg-type]
        for name, ages in groups.items()
        for age in ages
    ]
