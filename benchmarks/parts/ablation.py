"""What each thing that makes ours fast is worth: ours with it undone, beside ours, turn by turn; and what was tried in vain."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial

from ablation import LEVERS, MANY, SEPARATE, SHORT, START
from harness import SURVEY, Arena, Settings, counted, remove_kafka, say
from results_model import Measured, interleaved, ratio
from worker import PEERS, Contender

OURS = ""
"""In a lever's place: ours as it is."""
MOST_ROWS = 2_000_000
SHORT_BATCHES = 50
SHORT_ROWS = 1_000
LAKE = "bench-levers-lake"
WARM_UP = {MANY: 3, SHORT: 1, START: 1}
"""Rounds that do not count."""
AT_ONCE = 5
"""Levers beside ours at one time. Each has a JVM of its own, and ours a new one with them: in one JVM, settings spoil for each
other what it has compiled, and an older JVM is a warmer one."""


def minutes(settings: Settings) -> float:
    """About how long this takes on two cores."""
    one = {MANY: 5 + min(settings.rows, MOST_ROWS) / 1e6 * 4, SHORT: 29, START: 24}
    seconds = 0.0
    for group, each in one.items():
        chosen = list(_chunks(_of(group, settings)))
        seconds += sum(len(names) + 1 for names in chosen) * (settings.repeats + WARM_UP[group]) * each
    return seconds / 60


def measure(arena: Arena) -> Measured:
    """No goal's ratio; the figures say for each lever how many times as dear ours is with it."""
    found: dict[str, object] = {}
    for group, rows, most in (
        (MANY, min(arena.settings.rows, MOST_ROWS), 0),
        (SHORT, SHORT_BATCHES * SHORT_ROWS, SHORT_ROWS),
    ):
        for chosen in _chunks(_of(group, arena.settings)):
            with ExitStack() as stack:
                jvms = {
                    name: stack.enter_context(arena.contender("undone", LEVERS[name].java if name else ""))
                    for name in (OURS, *chosen)
                }
                take = partial(_take, arena, jvms, rows, most)
                found |= _measured(arena, group, chosen, take)
    try:
        found |= _measured(arena, START, _of(START, arena.settings), partial(_start, arena))
    finally:
        remove_kafka(LAKE)
    return Measured({}, {"levers": found})


def _of(group: str, settings: Settings) -> list[str]:
    return [name for name in settings.levers if LEVERS[name].group == group]


def _chunks(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), AT_ONCE):
        yield names[start : start + AT_ONCE]


def _measured(
    arena: Arena, group: str, chosen: Sequence[str], run: Callable[[str], dict[str, float]]
) -> dict[str, object]:
    """lever -> what it is, and how many times as dear; `run` gives a run's `seconds`, and its `cpu` seconds where they count."""
    names = [OURS, *chosen] if chosen else []
    runs = {name: partial(_said, group, name, run) for name in names}
    say(f"{group}: warming up, {WARM_UP[group]} rounds that do not count")
    interleaved(runs, WARM_UP[group])
    costs = interleaved(runs, arena.settings.repeats)
    found: dict[str, object] = {}
    for name in chosen:
        lever = LEVERS[name]
        changed, ours = ([cost[lever.of] for cost in costs[of]] for of in (name, OURS))
        found[name] = {
            "group": group, "words": lever.words, "ours": lever.ours, "of": lever.of,
            **asdict(ratio(changed, ours)), "costs": changed, "costs_of_ours": ours,
        }  # fmt: skip
    return found


def _said(group: str, name: str, run: Callable[[str], dict[str, float]]) -> dict[str, float]:
    """What `run` costs, told as it is found."""
    cost = run(name)
    words = ", ".join(f"{what} {number:.2f}" for what, number in cost.items())
    say(f"  {group}, {name or 'ours'}: {words}")
    return cost


def _take(arena: Arena, jvms: dict[str, Contender], rows: int, most: int, lever: str) -> dict[str, float]:
    """One run of the stream in the lever's own JVM."""
    topic, out = arena.topic(rows), arena.empty("out-levers")
    survey = str(arena.survey(topic))
    answer = jvms[lever].do("take", bootstrap=arena.bootstrap, survey=survey, out=out, lever=lever, most=most)
    counted(f"{out}/records", rows)
    arena.empty("out-levers")
    return {"seconds": answer["seconds"], "cpu": answer["cpu"]}


def _start(arena: Arena, lever: str) -> dict[str, float]:
    """Wall time of jobs/run.py into a new lake."""
    lake, out = arena.empty(LAKE), arena.empty("levers-out")
    began = time.monotonic()
    if lever == SEPARATE:
        _verbs(arena, lake, out)
    elif lever == OURS:
        arena.job("run", "--lake", lake, "--out", out)
    else:
        arena.script(PEERS / "one_run.py", lever, "--lake", lake, "--out", out)
    seconds = time.monotonic() - began
    if lever == SEPARATE:
        arena.drop_topic(LAKE)
    remove_kafka(LAKE)
    return {"seconds": seconds}


def _verbs(arena: Arena, lake: str, out: str) -> None:
    """What jobs/run.py does, a process for each step."""
    survey = ["--survey", str(arena.survey(LAKE))]
    arena.job("produce", str(SURVEY.with_suffix(".sample.csv")), "--bootstrap", arena.bootstrap, *survey)
    arena.job("stream", "--bootstrap", arena.bootstrap, "--lake", lake, *survey)
    arena.job("aggregate", "--lake", lake, *survey)
    arena.job("export", "--lake", lake, "--out", out, *survey)
