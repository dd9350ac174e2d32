"""Processes that start cold: jobs/stream.py, the Spark job of the documentation, the Python loader; from first line to exit."""

import re
import time
from collections.abc import Callable

from harness import Harness, Settings, counted, say
from results_model import PartResults, Spread, interleaved, ratio

SIZES = (0.01, 0.1, 1.0)
PEERS = ("naive", "loader")
MOST_ROUNDS = 3
ASKED_SECONDS, ASKED_ROWS = 14.0, 1_000_000
"""A million records in so many seconds."""
WARM, START_SECONDS = 1.2, 8.0
"""The largest size in so many times the seconds of a process that is warm, and so many more."""


def minutes(settings: Settings) -> float:
    """About how long this takes on two cores."""
    rounds = min(settings.repeats, MOST_ROUNDS)
    return (
        sum(settings.rows * size / 1e6 * 20 + 60 for size in SIZES) * rounds
        + 30 * rounds  # a million, ours alone
        + settings.rows / 1e6 * 25
    ) / 60


def measure(harness: Harness) -> PartResults:
    """Ratios of seconds, peers to ours, for each size; and of what is asked of a million and of the largest size to ours.

    A million records are measured wherever there are as many, ours alone where no size is a million.
    """
    sizes = [max(int(harness.settings.rows * size), 1) for size in SIZES]
    asked_for = {ASKED_ROWS} - set(sizes) if harness.settings.rows >= ASKED_ROWS else set()
    parts: dict[int, list[dict[str, float]]] = {rows: [] for rows in sizes}
    runs: dict[str, Callable[[], float]] = {}
    for rows in sizes:
        topic = harness.topic(rows)
        runs[f"ours {rows}"] = _ours(harness, topic, rows, parts[rows])
        runs |= {f"{peer} {rows}": _peer(harness, peer, topic, rows) for peer in PEERS}
    for rows in asked_for:
        parts[rows] = []
        runs[f"ours {rows}"] = _ours(harness, harness.topic(rows), rows, parts[rows])
    seconds = interleaved(runs, min(harness.settings.repeats, MOST_ROUNDS))
    most = max(sizes)
    warm = _warm(harness, harness.topic(most), most)
    for rows in (*sizes, *asked_for):
        if rows != harness.settings.rows:
            harness.drop_topic(f"bench-{rows}")
    ratios = {
        f"cold_{place}_vs_{peer}": ratio(seconds[f"{peer} {rows}"], seconds[f"ours {rows}"])
        for place, rows in zip(("small", "middle", "large"), sizes, strict=True)
        for peer in PEERS
    }
    if ASKED_ROWS in parts:
        ratios["cold_million"] = Spread.of([ASKED_SECONDS / taken for taken in seconds[f"ours {ASKED_ROWS}"]])
    asked = WARM * warm + START_SECONDS
    ratios["cold_large_vs_warm"] = Spread.of([asked / taken for taken in seconds[f"ours {most}"]])
    return PartResults(ratios, {"seconds": seconds, "warm_seconds": warm, "parts": parts})


def _ours(harness: Harness, topic: str, rows: int, parts: list[dict[str, float]]) -> Callable[[], float]:
    """One run of jobs/stream.py; where its seconds went, as it says itself, joins `parts`."""
    arguments = ("--bootstrap", harness.bootstrap, "--survey", str(harness.survey(topic)))

    def run() -> float:
        lake, began = harness.empty("out-cold"), time.monotonic()
        said = harness.job("stream", *arguments, "--lake", lake)
        taken = time.monotonic() - began
        counted(f"{lake}/records", rows)
        harness.empty("out-cold")
        line = said.rpartition("took: ")[2].strip()
        parts.append({name: float(number) for name, number in re.findall(r"(\w+) ([\d.]+) s\b", line)})
        say(f"  ours, {rows:,} records: {taken:.1f} s ({line})")
        return taken

    return run


def _peer(harness: Harness, peer: str, topic: str, rows: int) -> Callable[[], float]:
    """One run of a peer in a process that does nothing else."""

    def run() -> float:
        out, began = harness.empty("out-cold"), time.monotonic()
        with harness.worker(peer) as process:
            process.do("take", bootstrap=harness.bootstrap, topic=topic, out=out)
        taken = time.monotonic() - began  # without counting, which is no part of it
        counted(f"{out}/table", rows)
        harness.empty("out-cold")
        say(f"  {peer}, {rows:,} records: {taken:.1f} s")
        return taken

    return run


def _warm(harness: Harness, topic: str, rows: int) -> float:
    """Return the seconds of a second run in one process of ours."""
    with harness.worker("ours") as ours:
        for _ in range(2):
            answer = harness.take(ours, rows, survey=str(harness.survey(topic)))
    say(f"  ours, warm, {rows:,} records: {answer['seconds']:.1f} s")
    return float(answer["seconds"])
