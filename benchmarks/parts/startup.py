"""How long `make run` takes on the sample, and where the seconds go: jobs/run.py, everything fetched before."""

import re
import time

from harness import Harness, Settings, remove_kafka, say
from results_model import PartResults, Spread

ASKED_SECONDS = 12
LAKE = "bench-startup-lake"


def minutes(settings: Settings) -> float:
    """About how long this takes on two cores."""
    return (settings.repeats + 1) * 30 / 60


def measure(harness: Harness) -> PartResults:
    """The first run fills the caches and is not counted; each has a lake, and so a Kafka, of its own."""
    seconds, phases = [], []
    try:
        for turn in range(harness.settings.repeats + 1):
            began = time.monotonic()
            said = harness.job("run", "--lake", harness.empty(LAKE), "--out", harness.empty("startup-out"))
            taken = time.monotonic() - began
            remove_kafka(LAKE)
            found = dict(re.findall(r"(\w[\w ]*?) ([\d.]+) s\b", said.rpartition("took: ")[2]))
            say(
                f"  {'warming up: ' if not turn else ''}{taken:.1f} s: {', '.join(f'{k} {v}' for k, v in found.items())}"
            )
            if turn:
                seconds.append(taken)
                phases.append({phase: float(number) for phase, number in found.items()})
    finally:
        remove_kafka(LAKE)
    return PartResults(
        {"startup": Spread.of([ASKED_SECONDS / taken for taken in seconds])},
        {"seconds": seconds, "phases": phases},
    )
