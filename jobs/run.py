"""The whole way in one process: CSV -> Kafka -> records -> responses and summaries -> CSV files, charts and report.

Run it:  make run INPUT=answers.csv      or      python jobs/run.py --input answers.csv
"""

import hashlib
import re
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import aggregate
import export
import produce
import stream
from surveylake import cli, signals
from surveylake.config import Config, Kafka, load_config
from surveylake.contract.model import Contract, load_contract
from surveylake.errors import ConfigError, InputError
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.kafka.options import require_usable
from surveylake.kafka.topic import Topic
from surveylake.kafka.topic_creation import create_topic
from surveylake.lake.lock import one_writer
from surveylake.paths import VAR
from surveylake.produce.csv_rows import Answers
from surveylake.progress import Stopwatch
from surveylake.runtime.java import java_environment
from surveylake.runtime.launch import Launch
from surveylake.runtime.session import OpenSession, check_spark, open_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EXAMPLES = """
  python jobs/run.py                                          the survey's own sample
  python jobs/run.py --input answers.csv --lake lake --out out
  python jobs/run.py --input wave2.csv --add                  a second file into the same lake
  python jobs/run.py --input answers.csv --skip-bad-lines     without the lines that are no rows
  python jobs/run.py --bootstrap kafka:9092                   an existing broker instead of the embedded one
"""


SHORT_INPUT_BYTES = 5_000_000
"""Below this, some 50,000 answers, the run is over before compiled code pays (conf/short-run.conf)."""
PLAINTEXT = "PLAINTEXT"
"""the only protocol of the embedded Kafka"""


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Run every step and say how long each took."""
    parser = cli.survey_parser(
        "run", "From a CSV through Kafka to Delta tables, counts, charts and a report.", EXAMPLES
    )
    parser.add_argument(
        "--input",
        type=Path,
        metavar="FILE",
        help="answers: a CSV, an .xlsx or a .sav (default: the survey's own sample)",
    )
    cli.add_out(parser, "exports (default: %(default)s)", "out")
    cli.add_bootstrap(parser, "an existing broker (default: an embedded one)")
    parser.add_argument(
        "--add", action="store_true", help="let this file join the answers of another in the same lake"
    )
    parser.add_argument(
        "--skip-bad-lines", action="store_true", help="send the other lines of a CSV that has bad ones"
    )
    args = parser.parse_args(argv)
    config, contract = load_config(args.conf).at(args.bootstrap, args.insecure), load_contract(args.survey)
    if args.bootstrap:
        require_usable(config.kafka)
    else:
        _refuse_another_kafka(config.kafka)
    check_spark()
    java_environment()
    file = args.input or args.survey.with_suffix(".sample.csv")
    answers = produce.readable(file, contract, args.skip_bad_lines)
    stopwatch = Stopwatch()
    launch = Launch(short=file.stat().st_size < SHORT_INPUT_BYTES, record=True)
    session = partial(open_session, "surveylake run", launch, config.store)
    with (
        one_writer(args.lake, "run.py"),
        ThreadPoolExecutor(1) as pool,
        _started(args, config, contract, stopwatch, pool.submit(session)) as ready,
    ):
        pool.submit(_warm_up, ready.open_spark, contract)
        with stopwatch.timed("produce"):
            _produce(ready, answers, contract, args.add)
        config, spark = ready.config, ready.open_spark
        with stopwatch.timed("stream"):
            stream.stream(spark, args.lake, config, contract, "available-now", topic=ready.topic)
        signals.raise_if_received()  # a stream that was stopped ends in order; what it has not taken in yet must not be published
        with stopwatch.timed("aggregate"):
            published = aggregate.aggregate(spark, args.lake, config, contract)
        with stopwatch.timed("export"):
            export.export(spark, args.lake, args.out, config, contract, published)
    print(f"{stopwatch.line()}, in all {sum(stopwatch.seconds.values()):.1f} s")
    if launch.recording:
        print("once: keeping Spark's classes parsed, so that the next starts are faster …", flush=True)
        launch.keep()
    return 0


def _refuse_another_kafka(kafka: Kafka) -> None:
    """Raise ConfigError where the conf file means a Kafka that an embedded one would be started in place of."""
    protocol = kafka.options.get("security.protocol", PLAINTEXT)
    if kafka.bootstrap != Kafka().bootstrap:
        said = f"bootstrap = {kafka.bootstrap}"
    elif protocol.upper() != PLAINTEXT:
        said = f"security.protocol = {protocol}"
    else:
        return
    raise ConfigError(
        f"the configuration has {said}, and without --bootstrap run.py starts a Kafka of its own",
        f"For that Kafka try again with --bootstrap {kafka.bootstrap} (make: BOOTSTRAP={kafka.bootstrap});"
        " for one of its own, leave this out of the conf file.",
    )


def _warm_up(open_spark: OpenSession, contract: Contract) -> None:
    """Load what the later steps need, and let Spark compile its first expressions, while Kafka takes the answers."""
    from surveylake.validate import sql_check

    sql_check.check_sql(open_spark(), contract)
    for module in ("charts.render", "hypothesis_tests", "report.render"):
        import_module(f"surveylake.export.{module}")


@dataclass(frozen=True)
class Ready:
    """What the steps run on."""

    config: Config
    """with the address of the broker that answers"""
    topic: Topic
    is_new: bool
    """whether the topic was made by this run"""
    open_spark: OpenSession


@contextmanager
def _started(
    args: Namespace, config: Config, contract: Contract, stopwatch: Stopwatch, spark: "Future[SparkSession]"
) -> Iterator[Ready]:
    """Yield the topic at a broker that answers, and the session started meanwhile. An embedded broker ends with the block."""
    with ExitStack() as stack:
        with stopwatch.timed("start"):
            if not args.bootstrap:
                broker = stack.enter_context(EmbeddedBroker(_kafka_folder(args.lake)))
                config = config.at(broker.bootstrap)
            topic, is_new = create_topic(config.kafka, contract.topic)
            spark.result()
        yield Ready(config, topic, is_new, spark.result)
        ending = time.monotonic()
    if not args.bootstrap:
        stopwatch.add("stop", time.monotonic() - ending)


def _kafka_folder(lake: str) -> Path:
    """Return the data folder of this lake's own Kafka: two lakes never read each other's topic."""
    where = cli.absolute(lake)
    name = re.sub(r"[^A-Za-z0-9_-]", "_", Path(where).name)[:40]
    return VAR / "kafka" / f"{name}-{hashlib.sha256(where.encode()).hexdigest()[:8]}"


def _produce(ready: Ready, answers: Answers, contract: Contract, add: bool) -> None:
    """Send what the topic lacks. Raises InputError when it holds another file's answers and `add` is not given: two surveys must
    not mix unseen."""
    sent = None if ready.is_new else produce.already_there(ready.topic, answers)
    others = sum(n for known, n in sent.records.items() if known != answers.source) if sent else 0
    if others and not add:
        raise InputError(
            f"topic {contract.topic} already holds {others:,} answers that are not from {answers.path};"
            " they would be counted together",
            f"To keep them apart: make run INPUT={answers.path} LAKE=another-lake OUT=another-out."
            " To count them together: add ADD=1 (--add).",
        )
    if code := produce.send_answers(ready.topic, answers, contract, sent):
        raise SystemExit(code)


if __name__ == "__main__":
    sys.exit(main())
