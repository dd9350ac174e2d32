"""Surveys with many questions: ours beside the Spark job of the documentation, and how the start of a run grows with the fields.

A third of the questions are free text, a third whole numbers, a third closed lists. Each topic has the same number of answers to
questions, so that a wide survey has fewer records.
"""

from collections.abc import Callable
from pathlib import Path

from harness import Harness, Settings, say
from results_model import PartResults, Spread, interleaved, ratio
from worker import Worker

FIELDS = (20, 60, 200)
CELLS_PER_ROW = 20
"""Answers to questions in a topic, for each record of the main topic."""
MOST_ROWS = 1_000_000
CHOICES = ("Never", "Seldom", "Often", "Always")


def minutes(settings: Settings) -> float:
    """About how long this takes on two cores."""
    return len(FIELDS) * (min(settings.rows, MOST_ROWS) / 1e6 * (40 + 25 * (settings.repeats + 1)) + 10) / 60


def measure(harness: Harness) -> PartResults:
    """Ratios of rates, ours to naive, for each width; and how much faster the fields grow than a run of one record."""
    cells = min(harness.settings.rows, MOST_ROWS) * CELLS_PER_ROW
    rows = {fields: max(cells // fields, 1) for fields in FIELDS}
    runs: dict[str, Callable[[], float]] = {}
    with harness.worker("ours") as ours, harness.worker("naive") as naive:
        for fields in FIELDS:
            topic, short = f"bench-wide-{fields}", f"bench-wide-{fields}-short"
            for name, count in ((topic, rows[fields]), (short, 1)):
                say(f"making topic {name}")
                _write_survey(harness, name, fields)
                harness.produce(name, "--generate", str(count))
            runs[f"ours {fields}"] = _ours(harness, ours, topic, rows[fields])
            runs[f"naive {fields}"] = _naive(harness, naive, topic, rows[fields], fields)
            runs[f"start {fields}"] = _ours(harness, ours, short, 1)
        say("warming up: rounds that do not count")
        interleaved(runs, harness.settings.warm_up(2))
        seconds = interleaved(runs, harness.settings.repeats)
    for fields in FIELDS:
        harness.drop_topic(f"bench-wide-{fields}")
        harness.drop_topic(f"bench-wide-{fields}-short")
    ratios = {
        f"wide_{fields}_vs_naive": ratio(seconds[f"naive {fields}"], seconds[f"ours {fields}"])
        for fields in FIELDS
    }
    narrow, wide = min(FIELDS), max(FIELDS)
    grown = zip(seconds[f"start {wide}"], seconds[f"start {narrow}"], strict=True)
    ratios["wide_start"] = Spread.of([wide / narrow / (much / little) for much, little in grown])
    return PartResults(ratios, {"rows": rows, "seconds": seconds})


def _write_survey(harness: Harness, topic: str, fields: int) -> None:
    """Write a contract of so many fields: an id, then texts, whole numbers and closed lists in turn."""
    choices = ", ".join(f'"{choice}"' for choice in CHOICES)
    kinds = (
        'type = "string"',
        'type = "integer"\nmin = 0\nmax = 1000',
        f'type = "string"\nallowed = [{choices}]',
    )
    lines = ['name = "wide"', 'title = "Many questions"', f'topic = "{topic}"', 'key = "id"']
    lines += ["[fields.id]", 'source = "id"', 'type = "string"', "required = true"]
    for number in range(1, fields):
        lines += [f"[fields.q{number}]", f'source = "{_question(number)}"', kinds[number % len(kinds)]]
    harness.add_survey(topic, "\n".join(lines) + "\n")


def _question(number: int) -> str:
    return f"Q{number}"


def _ours(harness: Harness, process: Worker, topic: str, rows: int) -> Callable[[], float]:
    return _runner(harness, process, rows, survey=str(harness.survey(topic)))


def _naive(harness: Harness, process: Worker, topic: str, rows: int, fields: int) -> Callable[[], float]:
    questions = list(map(_question, range(1, fields)))
    schema = ", ".join(f"{name} STRING" for name in ("id", *questions))
    return _runner(harness, process, rows, topic=topic, schema=schema, numbers=questions[::3])


def _runner(harness: Harness, process: Worker, rows: int, **given: object) -> Callable[[], float]:
    """One run of a worker: its seconds; afterwards its rows are counted."""
    what = given.get("topic") or Path(str(given["survey"])).stem

    def run() -> float:
        answer = harness.take(process, rows, **given)
        cost = f"{answer['cpu'] / rows * 1e6:.1f} µs of CPU a record"
        say(f"  {process.name}, {what}: {answer['seconds']:.1f} s, {cost if rows > 1 else 'one record'}")
        return float(answer["seconds"])

    return run
