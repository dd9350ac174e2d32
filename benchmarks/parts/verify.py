"""jobs/verify.py on a lake of a tenth of the rows and on one of all of them: rows a second, and the most memory it held."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil
from harness import Harness, Settings, counted, say
from results_model import PartResults, Spread, interleaved

from surveylake.paths import JOBS

SMALL = 0.1
ASKED_ROWS, ASKED_SECONDS = 100_000_000, 600.0
"""A hundred million records in ten minutes."""
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Cost:
    """What one run took: seconds, and bytes of memory of it and its JVM at their most."""

    seconds: float
    memory: int


def minutes(settings: Settings) -> float:
    """About how long this takes on two cores."""
    return (settings.rows / 1e6 * (6 + 2.5 * settings.repeats) + 30 + 25 * settings.repeats) / 60


def measure(harness: Harness) -> PartResults:
    """How fast rows more are proved than what every run costs; and the memory for a tenth of the rows to that for all."""
    sizes = [max(int(harness.settings.rows * share), 1) for share in (SMALL, 1)]
    runs: dict[str, Callable[[], Cost]] = {}
    with harness.worker("ours") as ours:
        for rows in sizes:
            survey, out = str(harness.survey(harness.topic(rows))), harness.empty(f"out-verify-{rows}")
            ours.do("take", bootstrap=harness.bootstrap, survey=survey, out=out)
            counted(f"{out}/records", rows)
            runs[str(rows)] = _runner(harness, rows, survey, out)
    costs = interleaved(runs, harness.settings.repeats)
    small, large = sizes
    for rows in sizes:
        harness.empty(f"out-verify-{rows}")
    if small != large:
        harness.drop_topic(f"bench-{small}")
    pairs = list(zip(costs[str(small)], costs[str(large)], strict=True))
    return PartResults(
        {
            "verify_rate": Spread.of(
                [ASKED_SECONDS / (many.seconds * ASKED_ROWS / large) for _, many in pairs]
            ),
            "verify_memory": Spread.of([few.memory / many.memory for few, many in pairs]),
        },
        {
            "seconds": {name: [cost.seconds for cost in each] for name, each in costs.items()},
            "memory_bytes": {name: [cost.memory for cost in each] for name, each in costs.items()},
        },
    )


def _runner(harness: Harness, rows: int, survey: str, out: str) -> Callable[[], Cost]:
    """One run of jobs/verify.py, which must prove the lake."""
    words = [str(JOBS / "verify.py"), "--lake", out, "--survey", survey, "--bootstrap", harness.bootstrap]

    def run() -> Cost:
        began, most = time.monotonic(), 0
        with subprocess.Popen(
            [sys.executable, *words],
            cwd=harness.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            own = psutil.Process(process.pid)
            while process.poll() is None:
                most = max(most, _memory(own))
                time.sleep(LOOK_SECONDS)
            said = process.stdout.read() if process.stdout else ""
        if process.returncode:
            raise RuntimeError(f"verify.py ended with {process.returncode}: {said.strip()[-600:]}")
        cost = Cost(time.monotonic() - began, most)
        say(f"  {rows:,} records: {cost.seconds:.1f} s, {cost.memory / 1e6:,.0f} MB")
        return cost

    return run


def _memory(process: psutil.Process) -> int:
    """Return the bytes in memory of a process and its children; 0 where one ended meanwhile."""
    try:
        return sum(int(each.memory_info().rss) for each in (process, *process.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0
