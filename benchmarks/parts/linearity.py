"""Does the cost grow as the work? Seconds per million records at a tenth, three tenths, one and three times the rows."""

from pathlib import Path

from commit_log import commits
from harness import Harness, Settings, counted, say
from results_model import PartResults, Spread

from surveylake.runtime.spark_conf import spark_setting

SIZES = (0.1, 0.3, 1.0, 3.0)
MOST_ROUNDS = 3
"""A round reads 4.4 times the rows."""
WARM_UP = 2
WITHIN = 1.15


def minutes(settings: Settings) -> float:
    """About how long this takes on two cores."""
    rounds = min(settings.repeats, MOST_ROUNDS)
    return (settings.rows / 1e6 * (3.4 * 4 + (WARM_UP + rounds) * 4.4 * 2) + 45) / 60


def measure(harness: Harness) -> PartResults:
    """Per round, how far the dearest size is from the cheapest."""
    sizes = [int(harness.settings.rows * size) for size in SIZES]
    with harness.worker("ours") as ours:
        whole: dict[int, list[float]] = {rows: [] for rows in sizes}
        batches: dict[int, list[float]] = {rows: [] for rows in sizes}
        for rows in sizes:
            harness.topic(rows)
        say("warming up: rounds that do not count")
        for _ in range(harness.settings.warm_up(WARM_UP)):
            for rows in sizes:
                _take(harness, ours, rows)
        for _ in range(min(harness.settings.repeats, MOST_ROUNDS)):
            for rows in sizes:
                seconds, of_batches = _take(harness, ours, rows)
                whole[rows].append(seconds / rows * 1e6)
                batches[rows].append(of_batches / rows * 1e6)
                say(f"  {rows:,} records: {of_batches / rows * 1e6:.2f} s per million")
    for rows in sizes:
        if rows != harness.settings.rows:
            harness.drop_topic(f"bench-{rows}")
    figures = {
        "driver_memory": spark_setting("spark.driver.memory"),
        "batch_seconds_per_million": batches,
        "whole_seconds_per_million": whole,
    }
    return PartResults({"linearity": _spread(batches), "linearity_whole": _spread(whole)}, figures)


def _take(harness: Harness, ours: object, rows: int) -> tuple[float, float]:
    """(seconds of the whole step, seconds from the first batch's plan to the last commit) of one run."""
    topic, out = harness.topic(rows), harness.empty("out-ours")
    seconds = ours.do("take", bootstrap=harness.bootstrap, survey=str(harness.survey(topic)), out=out)[
        "seconds"
    ]
    counted(f"{out}/records", rows)
    first = min(path.stat().st_mtime for path in Path(out).glob("_checkpoints/**/offsets/0"))
    last = commits(Path(out) / "records")[-1].time
    harness.empty("out-ours")
    return seconds, last - first


def _spread(per_million: dict[int, list[float]]) -> Spread:
    rounds = zip(*per_million.values(), strict=True)
    return Spread.of([WITHIN * min(costs) / max(costs) for costs in rounds])
