"""People and groups: ours against DuckDB on the same Delta files; then again with nothing new, and with a little."""

import csv
import json
import shutil
from itertools import count
from pathlib import Path

import duckdb
from deltalake import DeltaTable
from harness import Harness, Settings, counted, say
from results_model import PartResults, Spread, ratio

NEW_SHARE = 100
SEED = 1
"""of the topic's own people; any other seed makes others"""
AGAIN = 'SELECT value FROM read_parquet($files) WHERE "offset" % $step = $turn LIMIT $most'
"""Messages from all over the topic, other ones at each turn."""
NAMES = ("full", "duckdb", "unchanged", "one_percent", "one_percent_again")


def minutes(settings: Settings) -> float:
    """About how long this takes on two cores."""
    return (
        settings.rows / 1e6 * (4 + (settings.repeats + 1) * 3.3 + settings.repeats * 4)
        + 45
        + settings.repeats * 15
    ) / 60


def measure(harness: Harness) -> PartResults:
    """Full runs and DuckDB turn by turn; reruns; then runs after 1 % new answers by new people, and after 1 % of which half are
    by people who answered before."""
    rows, out = harness.settings.rows, harness.empty("out-aggregate")
    topic = harness.topic(rows)
    survey, records = str(harness.survey(topic)), f"{out}/records"
    seconds: dict[str, list[float]] = {name: [] for name in NAMES}
    with harness.worker("ours") as ours, harness.worker("duckdb_groups") as peer:

        def take(expected: int) -> None:
            ours.do("take", bootstrap=harness.bootstrap, survey=survey, out=out)
            counted(records, expected)

        def aggregate(name: str) -> None:
            seconds[name].append(ours.do("aggregate", survey=survey, out=out)["seconds"])
            say(f"  {name}: {seconds[name][-1]:.2f} s")

        def full_and_duckdb() -> None:
            _forget(out)
            aggregate("full")
            answer = peer.do("groups", records=records, out=harness.empty("out-duckdb"))
            seconds["duckdb"].append(answer["seconds"])
            say(f"  duckdb: {answer['seconds']:.2f} s")
            _compare(out, answer)

        take(rows)
        say("  warming up: a round that does not count")
        full_and_duckdb()
        for found in seconds.values():
            found.clear()
        for _ in range(harness.settings.repeats):
            full_and_duckdb()
        for _ in range(harness.settings.repeats):
            aggregate("unchanged")
        half, held, unused = max(1, rows // NEW_SHARE // 2), rows, count(SEED + 1)
        for name in ("one_percent", "one_percent_again"):
            for turn in range(harness.settings.repeats):
                given = [("--generate", str(half), "--seed", str(next(unused))) for _ in range(2)]
                if name == "one_percent_again":
                    given[0] = (_answers_of(records, harness.folder / f"again-{turn}.csv", turn, half),)
                for arguments in given:
                    harness.produce(topic, *arguments)
                held += 2 * half
                take(held)
                aggregate(name)
    for name in ("out-aggregate", "out-duckdb"):
        harness.empty(name)
    harness.drop_topic(topic)
    return PartResults(_ratios(seconds), {"seconds": seconds})


def _ratios(seconds: dict[str, list[float]]) -> dict[str, Spread]:
    return {
        "aggregate_vs_duckdb": ratio(seconds["duckdb"], seconds["full"]),
        "aggregate_unchanged": ratio(seconds["full"], seconds["unchanged"]),
        "aggregate_one_percent": ratio(seconds["full"], seconds["one_percent"]),
        "aggregate_again": ratio(seconds["full"], seconds["one_percent_again"]),
    }


def _answers_of(records: str, path: Path, turn: int, rows: int) -> str:
    """Write `rows` answers of people from all over the topic as a CSV. Returns its path."""
    files, step = DeltaTable(records).file_uris(), NEW_SHARE * 2
    held = duckdb.execute(AGAIN, {"files": files, "step": step, "turn": turn % step, "most": rows}).fetchall()
    answers = [json.loads(value) for (value,) in held]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, answers[0])
        writer.writeheader()
        writer.writerows(answers)
    return str(path)


def _forget(out: str) -> None:
    """Remove all tables but `records`."""
    for path in Path(out).iterdir():
        if path.name != "records" and not path.name.startswith("_"):
            shutil.rmtree(path)


def _compare(out: str, answer: dict[str, object]) -> None:
    """RuntimeError unless both found the same people and the same groups by gender."""
    rows = DeltaTable(f"{out}/summary_gender").to_pyarrow_table().to_pylist()
    ours = sorted([row["gender"], row["answers"], row["age_min"], row["age_max"]] for row in rows)
    if ours != sorted(answer["gender"]):
        raise RuntimeError(f"DuckDB finds other groups: {answer['gender']}, ours are {ours}")
