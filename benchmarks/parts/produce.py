"""How fast answers get into Kafka: made up, and from a CSV."""

import time
from pathlib import Path

from harness import SURVEY, Harness, Settings, say
from results_model import PartResults, Spread

GENERATE_SHARE, CSV_SHARE = 5, 10
ASKED = {"generate": 250_000, "csv": 150_000}


def minutes(settings: Settings) -> float:
    """About how long this takes on two cores."""
    return settings.rows / 1e6 * settings.repeats * 2 / 60 + 0.2


def measure(harness: Harness) -> PartResults:
    """Turn by turn, each time into a new topic."""
    rows = max(harness.settings.rows // CSV_SHARE, 1_000)
    arguments = {
        "generate": ["--generate", str(max(harness.settings.rows // GENERATE_SHARE, 1_000))],
        "csv": [str(_repeated(harness.folder / "repeated.csv", rows))],
    }
    rates: dict[str, list[float]] = {name: [] for name in arguments}
    whole: dict[str, list[float]] = {name: [] for name in arguments}
    for turn in range(harness.settings.repeats):
        for name, given in arguments.items():
            topic, began = f"bench-{name}-{turn}", time.monotonic()
            rates[name].append(harness.produce(topic, *given))
            whole[name].append(time.monotonic() - began)
            harness.drop_topic(topic)
            say(f"  {name}: {rates[name][-1]:,.0f} rows/s")
    ratios = {
        f"produce_{name}": Spread.of([rate / ASKED[name] for rate in found]) for name, found in rates.items()
    }
    return PartResults(ratios, {"rows_per_second": rates, "process_seconds": whole, "csv_rows": rows})


def _repeated(path: Path, rows: int) -> Path:
    """The survey's sample, its answers repeated to `rows` lines."""
    header, *answers = SURVEY.with_suffix(".sample.csv").read_bytes().splitlines(keepends=True)
    with path.open("wb") as file:
        file.write(header)
        for start in range(0, rows, len(answers)):
            file.writelines(answers[: rows - start])
    return path
