"""Scale-out: one worker and two of one core each, of a standalone cluster whose workers have cores of their own.

The driver and Kafka share these cores with the workers, where a cluster has others for them; so two workers cannot be
twice as fast here. The model says what the tasks themselves allow: the same stages with each task as long as it was on
one worker, given to two, the longest first, and what is not a task as long as it was.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import Harness, Settings, say
from results_model import PartResults, Spread, interleaved, ratio
from standalone import WORKERS, Standalone
from worker import Worker

MOST_ROUNDS = 2
Stage = list[float]
"""Seconds of each of its tasks."""


@dataclass(frozen=True)
class Run:
    """One run of the stream over the topic."""

    seconds: float
    stages: list[Stage]


def minutes(settings: Settings) -> float:
    """About how long this takes on two cores."""
    rounds = min(settings.repeats, MOST_ROUNDS) + 1
    return (settings.rows / 1e6 * (4 + 9 * rounds) + 60) / 60


def measure(harness: Harness) -> PartResults:
    """Ratios of seconds, one worker to two: as measured, and by the model."""
    rows, folder = harness.settings.rows, Path(harness.empty("standalone"))
    topic = harness.topic(rows)
    with Standalone(folder) as cluster:
        runs: dict[str, Callable[[], Run]] = {}
        with contextlib.ExitStack() as stack:
            for workers in (1, WORKERS):
                log = harness.folder / f"on-{workers}.log"
                driver = stack.enter_context(Worker("ours", log, **cluster.driver(workers)))
                runs[str(workers)] = _runner(harness, driver, topic, rows, cluster.events(workers))
            say("warming up: a round that does not count")
            interleaved(runs, harness.settings.warm_up(1))
            found = interleaved(runs, min(harness.settings.repeats, MOST_ROUNDS))
    harness.empty("standalone")
    alone, together = found["1"], found[str(WORKERS)]
    ratios = {
        "scale_out": ratio([run.seconds for run in alone], [run.seconds for run in together]),
        "scale_out_model": Spread.of([run.seconds / modelled(run, WORKERS) for run in alone]),
    }
    figures: dict[str, Any] = {
        "seconds": {name: [run.seconds for run in each] for name, each in found.items()},
        "task_seconds": {name: [sum(map(sum, run.stages)) for run in each] for name, each in found.items()},
        "modelled_seconds": [modelled(run, WORKERS) for run in alone],
    }
    return PartResults(ratios, figures)


def modelled(run: Run, workers: int) -> float:
    """Return the seconds of a run on one core, had its tasks been given to so many, stage after stage."""
    return run.seconds - sum(sum(stage) - makespan(stage, workers) for stage in run.stages)


def makespan(tasks: Iterable[float], workers: int) -> float:
    """Return when the last of the tasks ends, each given to the worker that is free first, the longest first.

    R. L. Graham, Bounds on Multiprocessing Timing Anomalies, 1969: at most a third longer than the best order.
    """
    free = [0.0] * workers
    for seconds in sorted(tasks, reverse=True):
        free[free.index(min(free))] += seconds
    return max(free)


def stages(events: Path, began: float, ended: float) -> list[Stage]:
    """Return the stages of the tasks that ran between two times, seconds since 1970, from an application's event log."""
    found: dict[int, Stage] = {}
    for event in _events(events):
        if event["Event"] != "SparkListenerTaskEnd":
            continue
        task = event["Task Info"]
        start, end = task["Launch Time"] / 1000, task["Finish Time"] / 1000
        if began <= start and end <= ended:
            found.setdefault(event["Stage ID"], []).append(end - start)
    return list(found.values())


def _events(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of the one log in a folder; its last line may still be written."""
    (log,) = (path for path in folder.iterdir() if not path.name.startswith("."))
    for line in log.read_text("utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)


def _runner(harness: Harness, driver: Worker, topic: str, rows: int, events: Path) -> Callable[[], Run]:
    """One run of the stream: its seconds and its tasks; afterwards its rows are counted."""

    def run() -> Run:
        began = time.time()
        answer = harness.take(driver, rows, survey=str(harness.survey(topic)))
        done = Run(float(answer["seconds"]), stages(events, began, time.time()))
        tasks = sum(map(len, done.stages))
        say(
            f"  {events.name.replace('events-', 'workers: ')}, {done.seconds:.1f} s,"
            f" {tasks} tasks of {sum(map(sum, done.stages)):.1f} s together"
        )
        return done

    return run
