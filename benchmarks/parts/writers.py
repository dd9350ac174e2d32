"""Topics that other programs fill: the same answers laid out otherwise, ours beside the Spark job of the documentation.

Each writer's topic has the answers of one seed. Every hundredth has a gender that the contract does not allow, and is rejected:
the job of the documentation survives that, and not a number that is none.
"""

import json
from collections.abc import Callable
from typing import Any

from confluent_kafka import Producer
from harness import Harness, Settings, say
from results_model import PartResults, Spread, interleaved, ratio

from surveylake.config import load_config
from surveylake.contract.model import load_contract
from surveylake.kafka.topic_creation import create_topic
from surveylake.produce.generator import Plan, records
from surveylake.produce.value_pools import load_frequencies

MOST_ROWS = 1_000_000
SPOILED_EVERY = 100
WARM_UP = 4
"""Rounds that do not count: each layout has generated code of its own, which Java compiles for some millions of records."""
ACCENTS = {"Indonesian": "São-tomense", "Malaysian": "Türk", "Yemeni": "Čeština"}
Answer = dict[str, Any]


def own(answer: Answer) -> str:
    """As our own producer writes."""
    return json.dumps(answer, ensure_ascii=False)


def turned(answer: Answer) -> str:
    """The fields in another order."""
    return json.dumps(dict(reversed(answer.items())), ensure_ascii=False)


def framed(answer: Answer) -> str:
    """One field more in front and one behind."""
    return json.dumps({"session": "s-4711", **answer, "duration": 12.5}, ensure_ascii=False)


def accented(answer: Answer) -> str:
    """Accents in UTF-8."""
    return json.dumps(_with_accents(answer), ensure_ascii=False)


def escaped(answer: Answer) -> str:
    """The same as escapes."""
    return json.dumps(_with_accents(answer))


def compact(answer: Answer) -> str:
    """No blanks, and the number without quotes."""
    return json.dumps(answer | {"Age": int(answer["Age"])}, separators=(",", ":"), ensure_ascii=False)


def _with_accents(answer: Answer) -> Answer:
    place = answer["Nationality"]
    return answer | {"Nationality": ACCENTS.get(place, place)}


WRITERS: dict[str, Callable[[Answer], str]] = {
    writer.__name__: writer for writer in (own, compact, turned, framed, accented, escaped)
}


def minutes(settings: Settings) -> float:
    """About how long this takes on two cores."""
    return (
        len(WRITERS)
        * (min(settings.rows, MOST_ROWS) / 1e6 * (15 + 12 * (settings.repeats + WARM_UP)) + 10)
        / 60
    )


def measure(harness: Harness) -> PartResults:
    """Ratios of rates, ours to naive, for each writer; and of ours to ours where our own producer wrote."""
    rows = min(harness.settings.rows, MOST_ROWS)
    topics = {name: f"bench-writer-{name}" for name in WRITERS}
    for name, topic in topics.items():
        say(f"making topic {topic}")
        _fill(harness, topic, rows, WRITERS[name])
    runs: dict[str, Callable[[], float]] = {}
    with harness.worker("ours") as ours, harness.worker("naive") as naive:
        for name, topic in topics.items():
            runs[f"ours {name}"] = _runner(harness, ours, "ours", topic, rows)
            runs[f"naive {name}"] = _runner(harness, naive, "naive", topic, rows)
        say("warming up: rounds that do not count")
        interleaved(runs, harness.settings.warm_up(WARM_UP))
        seconds = interleaved(runs, harness.settings.repeats)
    for topic in topics.values():
        harness.drop_topic(topic)
    ratios: dict[str, Spread] = {}
    for name in WRITERS:
        ours = seconds[f"ours {name}"]
        ratios[f"writers_{name}_vs_naive"] = ratio(seconds[f"naive {name}"], ours)
        if name != own.__name__:
            ratios[f"writers_{name}_vs_own"] = ratio(seconds["ours own"], ours)
    return PartResults(ratios, {"rows": rows, "seconds": seconds})


def _fill(harness: Harness, topic: str, rows: int, writer: Callable[[Answer], str]) -> None:
    """Make the topic and fill it with answers as this writer writes them."""
    survey = harness.survey(topic)
    kafka = load_config().at(harness.bootstrap).kafka
    create_topic(kafka, topic)
    producer = Producer(
        {"bootstrap.servers": harness.bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 2_000_000}
    )
    plan = Plan(load_contract(survey), load_frequencies(survey), rows, seed=5)
    for chunk in records(plan):
        for number, _, key, value in chunk:
            answer = json.loads(value or b"")
            if number % SPOILED_EVERY == 0:
                answer["Gender"] = "not asked"
            producer.produce(topic, key=key, value=writer(answer).encode())
        producer.poll(0)
    if left := producer.flush(120):
        raise RuntimeError(f"{topic}: {left:,} records were not acknowledged")


def _runner(harness: Harness, process: Any, name: str, topic: str, rows: int) -> Callable[[], float]:
    """One run of a worker over a topic: its seconds; afterwards its rows are counted."""

    def run() -> float:
        given = {"survey": str(harness.survey(topic))} if name == "ours" else {"topic": topic}
        answer = harness.take(process, rows, **given)
        say(
            f"  {name}, {topic}: {answer['seconds']:.1f} s, {answer['cpu'] / rows * 1e6:.2f} µs of CPU a record"
        )
        return float(answer["seconds"])

    return run
