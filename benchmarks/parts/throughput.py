"""Rows per second from the same topic: ours, the peers and the limits, turn by turn."""

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from harness import Harness, Settings, counted, say
from results_model import PartResults, interleaved, ratio
from worker import Worker

PEERS = ("loader", "equal_loader", "naive", "noop", "confluent", "java", "read", "judge", "seed")
STAGES = ("read", "judge")
"""Ours, so far and no further, into nothing: their CPU time says what the rest costs."""
SEED_ROWS = (289, 10_000, 100_000)
"""More would not end: it makes a data frame of each message."""
PROCESS = {"ours": "ours", "read": "stages", "judge": "stages", "naive": "naive", "loader": "loader",
           "equal_loader": "equal_loader",            "noop": "limits", "java": "limits", "confluent": "limits"}  # fmt: skip
"""Who runs where. The stages have a JVM of their own: ours is compiled for what a stream does, and for nothing else."""
WITHOUT_JVM = ("loader", "equal_loader", "confluent")
"""One round warms them."""
WARM_UP = 2
"""Rounds that do not count. In the second, Java still compiles: ours takes a fifth less CPU a record after it."""
FILE = {"stages": "ours"}
"""The peer's file, where it is called otherwise."""


def minutes(settings: Settings) -> float:
    """About how long this takes on two cores."""
    return (settings.rows / 1e6 * (4 + 11 * (settings.repeats + WARM_UP)) + 60 + 60) / 60


def measure(harness: Harness) -> PartResults:
    """Ratios of rates, and of ours to the exercise this project began as."""
    rows, chosen = harness.settings.rows, harness.settings.peers
    topic = harness.topic(rows)
    with ExitStack() as stack:
        names = ["ours", *(name for name in chosen if name in PROCESS)]
        processes = {
            process: stack.enter_context(harness.worker(FILE.get(process, process)))
            for process in dict.fromkeys(PROCESS[name] for name in names)
        }
        cpu: dict[str, list[float]] = {name: [] for name in names}
        runs = {name: _runner(harness, processes[PROCESS[name]], name, topic, cpu[name]) for name in names}
        say("warming up: rounds that do not count")
        interleaved(runs, 1)
        in_jvms = {name: run for name, run in runs.items() if name not in WITHOUT_JVM}
        interleaved(in_jvms, harness.settings.warm_up(WARM_UP) - 1)
        for found in cpu.values():
            found.clear()
        seconds = interleaved(runs, harness.settings.repeats)
    rates = {name: [rows / s for s in taken] for name, taken in seconds.items()}
    peers = [name for name in names[1:] if name not in STAGES]
    ratios = {f"records_vs_{name}": ratio(rates["ours"], rates[name]) for name in peers}
    whole = [name for name in ("loader", "equal_loader", "naive", *STAGES) if name in names]
    ratios |= {f"cpu_vs_{name}": ratio(cpu[name], cpu["ours"]) for name in whole}
    figures: dict[str, Any] = {"rows": rows, "seconds": seconds, "cpu_seconds": cpu}
    if "seed" in chosen:
        figures["seed_seconds"] = seed = _seed(harness, topic)
        most = max(seed)
        ratios["records_vs_seed"] = ratio(rates["ours"], [most / seed[most]] * len(rates["ours"]))
    return PartResults(ratios, figures)


def _runner(
    harness: Harness, process: Worker, name: str, topic: str, cpu: list[float]
) -> Callable[[], float]:
    """One run of a worker into a folder that is not there yet: its seconds; afterwards its rows are counted. Its CPU seconds
    join `cpu`."""
    rows = int(topic.rpartition("-")[2])

    def run() -> float:
        out = harness.empty(f"out-{name}")
        where = {"bootstrap": harness.bootstrap}
        if name == "ours":
            answer = process.do("take", **where, survey=str(harness.survey(topic)), out=out)
            counted(f"{out}/records", rows)
        elif name in ("naive", "loader", "equal_loader"):
            answer = process.do("take", **where, topic=topic, out=out)
            counted(f"{out}/table", rows)
        elif name in STAGES:
            answer = process.do(name, **where, survey=str(harness.survey(topic)), out=out)
        else:
            answer = process.do(name, **where, topic=topic)
            if answer.get("rows", rows) != rows:
                raise RuntimeError(f"{name} read {answer['rows']:,} of {rows:,} records")
        shutil.rmtree(out, ignore_errors=True)
        cpu.append(answer["cpu"])
        say(
            f"  {name}: {rows:,} records in {answer['seconds']:.1f} s, {rows / answer['seconds']:,.0f} rows/s,"
            f" {answer['cpu'] / rows * 1e6:.2f} µs of CPU a record"
        )
        return float(answer["seconds"])

    return run


def _seed(harness: Harness, topic: str) -> dict[int, float]:
    """Rows -> seconds, once each."""
    found = {}
    with harness.worker("seed") as seed:
        for rows in sorted({min(rows, harness.settings.rows) for rows in SEED_ROWS}):
            found[rows] = seed.do("count", bootstrap=harness.bootstrap, topic=topic, rows=rows)["seconds"]
            say(f"  seed: {rows:,} records in {found[rows]:.1f} s, {rows / found[rows]:,.0f} rows/s")
    return found
