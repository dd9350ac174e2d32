"""surveylake itself: what jobs/stream.py and jobs/aggregate.py do, from the first question to Kafka to the last commit.

Settings of conf/spark-defaults.conf, default configuration, everything on: strict parse, cleaning, derived columns,
verdict, raw bytes, exactly once, and at the end the count of verdicts.
"""

from pathlib import Path

from contender import serve

import aggregate as aggregate_verb
import stream
from surveylake.config import load_config
from surveylake.contract import load_contract


def take(bootstrap: str, survey: str, out: str) -> None:
    """The topic into OUT/records."""
    stream.stream(out, load_config().at(bootstrap), load_contract(Path(survey)), "available-now")


def take_in_batches(bootstrap: str, survey: str, out: str, most: int) -> None:
    """The same in micro-batches of at most `most` records, which a short trigger would make."""
    config = load_config().at(bootstrap)
    config = config.model_copy(
        update={"stream": config.stream.model_copy(update={"max_offsets_per_trigger": most})}
    )
    stream.stream(out, config, load_contract(Path(survey)), "available-now")


def aggregate(survey: str, out: str) -> None:
    """OUT/records into OUT/responses and the summaries."""
    aggregate_verb.aggregate(out, load_config(), load_contract(Path(survey)))


if __name__ == "__main__":
    serve(take=take, take_in_batches=take_in_batches, aggregate=aggregate)
