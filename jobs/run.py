"""The whole way in one process: CSV -> Kafka -> records -> responses and summaries -> CSV files, charts and report.

Run it:  make run INPUT=answers.csv      or      python jobs/run.py --input answers.csv
"""

import hashlib
import re
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import aggregate
import export
import produce
import stream
from surveylake import cli, signals
from surveylake.config import Config, load_config
from surveylake.contract.model import Contract, load_contract
from surveylake.errors import InputError, TopicMissingError
from surveylake.kafka.connection import connect
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.kafka.options import require_usable
from surveylake.kafka.topic import open_topic
from surveylake.lake.lock import one_writer
from surveylake.paths import VAR
from surveylake.produce.already_sent import sources
from surveylake.produce.csv_rows import read_answers
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


T = TypeVar("T")
SHORT_INPUT_BYTES = 5_000_000
"""Below this, some 50,000 answers, the run is over before compiled code pays (conf/short-run.conf)."""


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Run every step and say how long each took."""
    parser = cli.survey_parser(
        "run", "From a CSV through Kafka to Delta tables, counts, charts and a report.", EXAMPLES
    )
    parser.add_argument(
        "--input", type=Path, metavar="CSV", help="answers (default: the survey's own sample)"
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
    answers = args.input or args.survey.with_suffix(".sample.csv")
    check_spark()
    java_environment()
    source = read_answers(answers, contract).source
    took: dict[str, float] = {}
    launch = Launch(short=answers.stat().st_size < SHORT_INPUT_BYTES, record=True)
    with (
        one_writer(args.lake, "run.py"),
        ThreadPoolExecutor(1) as pool,
        _started(args, config, took, pool.submit(open_session, "surveylake run", launch, config.store)) as (
            ready,
            spark,
        ),
    ):
        pool.submit(_warm_up, spark, contract)
        _refuse_a_mix(ready, contract, source, answers, args)
        _timed(took, "produce", lambda: _produce(answers, args, ready))
        _timed(took, "stream", lambda: stream.stream(spark, args.lake, ready, contract, "available-now"))
        signals.raise_if_received()  # a stream that was stopped ends in order; what it has not taken in yet must not be published
        published = _timed(took, "aggregate", lambda: aggregate.aggregate(spark, args.lake, ready, contract))
        _timed(took, "export", lambda: export.export(spark, args.lake, args.out, ready, contract, published))
    print(
        "took: "
        + ", ".join(f"{step} {seconds:.1f} s" for step, seconds in took.items())
        + f", in all {sum(took.values()):.1f} s"
    )
    if launch.recording:
        print("once: keeping Spark's classes parsed, so that the next starts are faster …", flush=True)
        launch.keep()
    return 0


def _warm_up(open_spark: OpenSession, contract: Contract) -> None:
    """Load what the later steps need, and let Spark compile its first expressions, while Kafka takes the answers."""
    from surveylake.validate import sql_check

    sql_check.check_sql(open_spark(), contract)
    for module in ("charts.render", "hypothesis_tests", "report.render"):
        import_module(f"surveylake.export.{module}")


@contextmanager
def _started(
    args: Namespace, config: Config, took: dict[str, float], spark: "Future[SparkSession]"
) -> Iterator[tuple[Config, OpenSession]]:
    """Yield the configuration at a broker that answers, and the session that was started meanwhile.

    An embedded broker ends with the block.
    """
    began = time.monotonic()
    if args.bootstrap:
        connect(config.kafka)
        spark.result()
        took["start"] = time.monotonic() - began
        yield config, spark.result
        return
    with EmbeddedBroker(_kafka_folder(args.lake)) as broker:
        spark.result()
        took["start"] = time.monotonic() - began
        yield config.at(broker.bootstrap), spark.result
        ending = time.monotonic()
    took["stop"] = time.monotonic() - ending


def _kafka_folder(lake: str) -> Path:
    """Return the data folder of this lake's own Kafka: two lakes never read each other's topic."""
    where = cli.absolute(lake)
    name = re.sub(r"[^A-Za-z0-9_-]", "_", Path(where).name)[:40]
    return VAR / "kafka" / f"{name}-{hashlib.sha256(where.encode()).hexdigest()[:8]}"


def _refuse_a_mix(config: Config, contract: Contract, source: str, answers: Path, args: Namespace) -> None:
    """Raise InputError when the topic holds another file's answers and --add was not given: two surveys must not mix unseen."""
    if args.add:
        return
    try:
        topic = open_topic(config.kafka, contract.topic)
    except TopicMissingError:
        return
    others = {known: n for known, n in sources(topic).items() if known != source}
    if others:
        raise InputError(
            f"topic {contract.topic} already holds {sum(others.values()):,} answers that are not from {answers};"
            " they would be counted together",
            f"To keep them apart: make run INPUT={answers} LAKE=another-lake OUT=another-out."
            " To count them together: add ADD=1 (--add).",
        )


def _produce(answers: Path, args: Namespace, config: Config) -> None:
    given = [str(answers), "--survey", str(args.survey), "--bootstrap", config.kafka.bootstrap]
    given += ["--conf", str(args.conf)] if args.conf else []
    given += ["--insecure"] if args.insecure else []
    given += ["--skip-bad-lines"] if args.skip_bad_lines else []
    if code := produce.main(given):
        raise SystemExit(code)


def _timed(took: dict[str, float], step: str, work: Callable[[], T]) -> T:
    began = time.monotonic()
    done = work()
    took[step] = time.monotonic() - began
    return done


if __name__ == "__main__":
    sys.exit(main())
