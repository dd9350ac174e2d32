"""How old a record is when its commit is visible: a steady stream of answers, jobs/stream.py with the shortest trigger."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import charts
import numpy as np
import pyarrow.parquet as pq
from commit_log import commits
from harness import Harness, Settings, say
from results_model import PartResults, Spread

from surveylake.paths import JOBS

RATE = 1_000
TRIGGER = "0 seconds"
WARM_SECONDS = 30
P50_ASKED, P95_ASKED = 1.0, 2.0
PATIENCE = 120.0


def minutes(settings: Settings) -> float:
    """About how long this takes on two cores."""
    return settings.minutes + 1.5


def measure(harness: Harness) -> PartResults:
    """Each record's age: when its version's commit file was written, minus Kafka's timestamp of the record."""
    topic, out = "bench-fresh", harness.empty("out-fresh")
    harness.survey(topic)
    table = Path(out) / "records"
    harness.produce(topic, "--generate", str(RATE))
    with _streaming(harness, topic, out):
        _await_rows(table, RATE)
        say(f"  warming up: {WARM_SECONDS} s of {RATE:,} rows/s")
        harness.produce(topic, "--generate", str(RATE * WARM_SECONDS), "--rate", str(RATE))
        _await_rows(table, RATE * (1 + WARM_SECONDS))
        warm = commits(table)[-1].version
        rows = int(harness.settings.minutes * 60 * RATE)
        say(f"  measuring: {harness.settings.minutes:g} minutes of {RATE:,} rows/s")
        harness.produce(topic, "--generate", str(rows), "--rate", str(RATE))
        _await_rows(table, RATE * (1 + WARM_SECONDS) + rows)
    sent, age = _ages(table, warm)
    if len(age) != rows:
        raise RuntimeError(f"{len(age):,} rows came after the warm-up, and {rows:,} were sent")
    versions = len(commits(table, warm))
    charts.draw_freshness(sent - sent.min(), age, harness.results)
    harness.empty("out-fresh")
    harness.drop_topic(topic)
    return _measured(sent, age, versions)


def _measured(sent: np.ndarray, age: np.ndarray, versions: int) -> PartResults:
    minute = ((sent - sent.min()) // 60).astype(int)
    half = (sent.min() + sent.max()) / 2
    steady = np.median(age[sent < half]) / np.median(age[sent >= half])
    p50, p95 = ([float(np.percentile(age[minute == m], p)) for m in np.unique(minute)] for p in (50, 95))
    whole = {f"p{p}": round(float(np.percentile(age, p)), 3) for p in (5, 50, 95, 99)} | {
        "max": float(age.max())
    }
    say(f"  seconds: {whole}, {versions} versions")
    return PartResults(
        {
            "freshness_p50": Spread(P50_ASKED / whole["p50"], P50_ASKED / max(p50), P50_ASKED / min(p50)),
            "freshness_p95": Spread(P95_ASKED / whole["p95"], P95_ASKED / max(p95), P95_ASKED / min(p95)),
            "freshness_steady": Spread.of([float(steady)]),
        },
        {"seconds": whole, "versions": versions, "p50_by_minute": p50, "p95_by_minute": p95},
    )


@contextlib.contextmanager
def _streaming(harness: Harness, topic: str, out: str) -> Iterator[None]:
    """jobs/stream.py in a process of its own while the block runs; it then finishes its batch and ends."""
    command = [sys.executable, str(JOBS / "stream.py"), "--lake", out, "--bootstrap", harness.bootstrap,
               "--survey", str(harness.survey(topic)), "--trigger", TRIGGER]  # fmt: skip
    with (harness.folder / "stream.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=harness.folder, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
    if process.returncode:
        raise RuntimeError(
            f"jobs/stream.py ended with {process.returncode} (its log: {harness.folder / 'stream.log'})"
        )


def _await_rows(table: Path, rows: int) -> None:
    """Until the table holds `rows` rows. RuntimeError when they do not come."""
    deadline, held, seen = time.monotonic() + PATIENCE, 0, -1
    while held < rows:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{table} holds {held:,} rows, and {rows:,} were sent")
        time.sleep(0.5)
        for commit in commits(table, seen):
            held, seen = held + commit.rows, commit.version


def _ages(table: Path, after: int) -> tuple[np.ndarray, np.ndarray]:
    """(when sent, seconds until visible) of each record past version `after`, in the order of their commits."""
    sent, age = [], []
    for commit in commits(table, after):
        for file in commit.files:
            stamps = pq.read_table(file.path, columns=["timestamp"])["timestamp"].to_numpy()
            sent.append(stamps.astype("datetime64[us]").astype(np.int64) / 1e6)
            age.append(commit.time - sent[-1])
    return np.concatenate(sent), np.concatenate(age)
