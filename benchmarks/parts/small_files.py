"""Many small batches, as a short trigger makes them: how the stream starts on their lake; then jobs/maintain.py, and the files
and a reader before and after.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import duckdb
from commit_log import commits
from deltalake import DeltaTable
from harness import Harness, Settings, counted, say
from results_model import PartResults, Spread, interleaved, ratio
from worker import Worker

ASKED_BYTES = 64_000_000
FEW_BATCHES = 10
ASKED_RATE = 20e6
"""bytes that are taken together in a second, for each core"""
QUESTION = """SELECT gender, count(*) AS answers, avg(age) AS mean FROM read_parquet($files)
              WHERE accepted GROUP BY gender ORDER BY gender"""


def minutes(settings: Settings) -> float:
    """About how long this takes on two cores."""
    return (settings.batches * 0.4 + settings.rows / 1e6 * 8 + 60) / 60


def measure(harness: Harness) -> PartResults:
    """The main topic in `batches` micro-batches and in ten; a run with nothing new on both; the table before and after
    maintenance."""
    rows, out, few = harness.settings.rows, harness.empty("out-small"), harness.empty("out-few")
    survey = str(harness.survey(harness.topic(rows)))
    with harness.worker("ours") as ours:
        for lake, batches in ((few, FEW_BATCHES), (out, harness.settings.batches)):
            most = max(1, -(-rows // batches))
            ours.do("take_in_batches", bootstrap=harness.bootstrap, survey=survey, out=lake, most=most)
        runs = {name: _starter(harness, ours, survey, lake) for name, lake in (("few", few), ("many", out))}
        say("warming up: a round that does not count")
        interleaved(runs, harness.settings.warm_up(1))
        starts = interleaved(runs, harness.settings.repeats)
    harness.empty("out-few")
    table = f"{out}/records"
    counted(table, rows)
    before, slow, answer = _files(table), *_read(table, harness.settings.repeats)
    say(f"  {len(commits(Path(table)))} batches, {len(before)} files, median {median(before) / 1e6:.2f} MB")
    began = time.monotonic()
    harness.job("maintain", "--lake", out)
    took = time.monotonic() - began
    counted(table, rows)
    after, fast, same = _files(table), *_read(table, harness.settings.repeats)
    say(f"  after maintain.py: {len(after)} files, median {median(after) / 1e6:.1f} MB")
    if answer != same:
        raise RuntimeError("maintain.py changed what a reader finds")
    harness.empty("out-small")
    size = median(after) / min(ASKED_BYTES, sum(after))
    rate = sum(before) / took / (os.cpu_count() or 1) / ASKED_RATE
    return PartResults(
        {"commits_start": ratio(starts["few"], starts["many"]), "files_size": Spread.of([size]),
         "files_reader": ratio(slow, fast), "maintain_rate": Spread.of([rate])},
        {"start_seconds": starts, "files": [len(before), len(after)], "median_bytes": [median(before), median(after)],
         "reader_seconds": [slow, fast], "maintain_seconds": took},
    )  # fmt: skip


def _starter(harness: Harness, ours: Worker, survey: str, lake: str) -> Callable[[], float]:
    """One run of the stream with nothing new, of which the start is all: its seconds."""

    def run() -> float:
        seconds = float(ours.do("take", bootstrap=harness.bootstrap, survey=survey, out=lake)["seconds"])
        say(f"  nothing new after {len(commits(Path(lake) / 'records'))} batches: {seconds:.2f} s")
        return seconds

    return run


def _files(table: str) -> list[int]:
    """The sizes of the live files."""
    return [int(size) for size in DeltaTable(table).get_add_actions(flatten=True)["size_bytes"].to_pylist()]


def _read(table: str, repeats: int) -> tuple[list[float], list[tuple[object, ...]]]:
    """Seconds of an analyst's question by DuckDB, the log read anew each time; and the answer."""
    seconds, answer = [], []
    for _ in range(repeats + 1):
        began = time.monotonic()
        files = DeltaTable(table).file_uris()
        answer = duckdb.execute(QUESTION, {"files": files}).fetchall()
        seconds.append(time.monotonic() - began)
    # The first also reads the disk.
    return seconds[1:], answer
