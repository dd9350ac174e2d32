"""What each thing that makes ours fast is worth: ours with it undone, beside ours, turn by turn; and what was tried in vain."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial

from ablation import ABLATIONS, MANY, SEPARATE, SHORT, START
from harness import SURVEY, Harness, Settings, counted, remove_kafka, say
from results_model import PartResults, interleaved, ratio
from worker import PEERS, Worker

OURS = ""
"""In an ablation's place: ours as it is."""
MOST_ROWS = 2_000_000
SHORT_BATCHES = 50
SHORT_ROWS = 1_000
LAKE = "bench-ablations-lake"
WARM_UP = {MANY: 3, SHORT: 1, START: 1}
"""Rounds that do not count."""
AT_ONCE = 5
"""Ablations beside ours at one time. Each has a JVM of its own, and ours a new one with them: in one JVM, settings spoil for each
other what it has compiled, and an older JVM is a warmer one."""


def minutes(settings: Settings) -> float:
    """About how long this takes on two cores."""
    one = {MANY: 5 + min(settings.rows, MOST_ROWS) / 1e6 * 4, SHORT: 29, START: 24}
    seconds = 0.0
    for group, each in one.items():
        chosen = list(_chunks(_of(group, settings)))
        seconds += sum(len(names) + 1 for names in chosen) * (settings.repeats + WARM_UP[group]) * each
    return seconds / 60


def measure(harness: Harness) -> PartResults:
    """No goal's ratio; the figures say for each ablation how many times as dear ours is with it."""
    found: dict[str, object] = {}
    for group, rows, most in (
        (MANY, min(harness.settings.rows, MOST_ROWS), 0),
        (SHORT, SHORT_BATCHES * SHORT_ROWS, SHORT_ROWS),
    ):
        for chosen in _chunks(_of(group, harness.settings)):
            with ExitStack() as stack:
                jvms = {
                    name: stack.enter_context(harness.worker("undone", ABLATIONS[name].java if name else ""))
                    for name in (OURS, *chosen)
                }
                take = partial(_take, harness, jvms, rows, most)
                found |= _measured(harness, group, chosen, take)
    try:
        found |= _measured(harness, START, _of(START, harness.settings), partial(_start, harness))
    finally:
        remove_kafka(LAKE)
    return PartResults({}, {"ablations": found})


def _of(group: str, settings: Settings) -> list[str]:
    return [name for name in settings.ablations if ABLATIONS[name].group == group]


def _chunks(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), AT_ONCE):
        yield names[start : start + AT_ONCE]


def _measured(
    harness: Harness, group: str, chosen: Sequence[str], run: Callable[[str], dict[str, float]]
) -> dict[str, object]:
    """ablation -> what it is, and times as dear; `run` gives `seconds`, and `cpu` seconds where they count."""
    names = [OURS, *chosen] if chosen else []
    runs = {name: partial(_said, group, name, run) for name in names}
    rounds = harness.settings.warm_up(WARM_UP[group])
    say(f"{group}: warming up, {rounds} rounds that do not count")
    interleaved(runs, rounds)
    costs = interleaved(runs, harness.settings.repeats)
    found: dict[str, object] = {}
    for name in chosen:
        ablation = ABLATIONS[name]
        changed, ours = ([cost[ablation.of] for cost in costs[of]] for of in (name, OURS))
        found[name] = {
            "group": group, "words": ablation.words, "ours": ablation.ours, "of": ablation.of,
            **asdict(ratio(changed, ours)), "costs": changed, "costs_of_ours": ours,
        }  # fmt: skip
    return found


def _said(group: str, name: str, run: Callable[[str], dict[str, float]]) -> dict[str, float]:
    """What `run` costs, told as it is found."""
    cost = run(name)
    words = ", ".join(f"{what} {number:.2f}" for what, number in cost.items())
    say(f"  {group}, {name or 'ours'}: {words}")
    return cost


def _take(harness: Harness, jvms: dict[str, Worker], rows: int, most: int, ablation: str) -> dict[str, float]:
    """One run of the stream in the ablation's own JVM."""
    topic, out = harness.topic(rows), harness.empty("out-ablations")
    survey = str(harness.survey(topic))
    answer = jvms[ablation].do(
        "take", bootstrap=harness.bootstrap, survey=survey, out=out, ablation=ablation, most=most
    )
    counted(f"{out}/records", rows)
    harness.empty("out-ablations")
    return {"seconds": answer["seconds"], "cpu": answer["cpu"]}


def _start(harness: Harness, ablation: str) -> dict[str, float]:
    """Wall time of jobs/run.py into a new lake."""
    lake, out = harness.empty(LAKE), harness.empty("ablations-out")
    began = time.monotonic()
    if ablation == SEPARATE:
        _verbs(harness, lake, out)
    elif ablation == OURS:
        harness.job("run", "--lake", lake, "--out", out)
    else:
        harness.script(PEERS / "one_run.py", ablation, "--lake", lake, "--out", out)
    seconds = time.monotonic() - began
    if ablation == SEPARATE:
        harness.drop_topic(LAKE)
    remove_kafka(LAKE)
    return {"seconds": seconds}


def _verbs(harness: Harness, lake: str, out: str) -> None:
    """What jobs/run.py does, a process for each step."""
    survey = ["--survey", str(harness.survey(LAKE))]
    harness.job("produce", str(SURVEY.with_suffix(".sample.csv")), "--bootstrap", harness.bootstrap, *survey)
    harness.job("stream", "--bootstrap", harness.bootstrap, "--lake", lake, *survey)
    harness.job("aggregate", "--lake", lake, *survey)
    harness.job("export", "--lake", lake, "--out", out, *survey)
